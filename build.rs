//! Lists the files below `rulebooks/` for the binary, cases excepted, and parses the YAML among them, so that a start need not.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use granit_parser::{Event, Parser, ScalarStyle, options};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rulebooks");
    let mut names = Vec::new();
    collect(Path::new("rulebooks"), &mut names)?;
    names.sort();
    let mut code = String::from("&[\n");
    for name in names {
        let events = match name.ends_with(".yaml") {
            true => events(&fs::read_to_string(&name)?),
            false => None,
        };
        let events = events.map_or_else(
            || "None".to_owned(),
            |(events, values)| format!("Some((&[{events}], {values:?}))"),
        );
        code.push_str(&format!(
            "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})), {events}),\n",
            format!("/{name}")
        ));
    }
    code.push_str("]\n");
    let directory = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .ok_or(io::ErrorKind::NotFound)?;
    fs::write(directory.join("embedded.rs"), code)
}

/// The YAML events of a text as code: a number for what they are (those of `src/rulebook/yaml.rs`), begin, end and length of the value; and all
/// values. `None` where there is something that no rulebook may have: then the text itself is read when it is loaded, and the problem reported.
fn events(text: &str) -> Option<(String, String)> {
    let options = options! { emit_comments: false, emit_unresolved_aliases: true, emit_anchor_events: true };
    let (mut code, mut values) = (String::new(), String::new());
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        let (kind, value) = match &event {
            Event::Scalar(value, style, _, None) => (style_number(*style), value.as_ref()),
            Event::SequenceStart(_, _, None) => (5, ""),
            Event::MappingStart(_, _, None) => (6, ""),
            Event::SequenceEnd | Event::MappingEnd => (7, ""),
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart { .. } | Event::DocumentEnd => continue,
            _ => return None,
        };
        let range = span.byte_range().unwrap_or_default();
        code.push_str(&format!("({kind},{},{},{}),", range.start, range.end, value.len()));
        values.push_str(value);
    }
    Some((code, values))
}

fn style_number(style: ScalarStyle) -> u8 {
    match style {
        ScalarStyle::Plain => 0,
        ScalarStyle::SingleQuoted => 1,
        ScalarStyle::DoubleQuoted => 2,
        ScalarStyle::Literal => 3,
        ScalarStyle::Folded => 4,
    }
}

fn collect(directory: &Path, names: &mut Vec<String>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("cases") {
            collect(&path, names)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "rhai")
        {
            names.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
