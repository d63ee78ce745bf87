//! Names of items: from whatever an archive says to a path inside the bundle.

use std::borrow::Cow;

use super::limits::Limits;

/// A name that cannot be a path inside a bundle: how to show it, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadName {
    pub(super) shown: String,
    pub(super) reason: String,
}

/// Characters of an overlong name that are kept, to tell it by.
const SHOWN: usize = 80;

/// The path inside the bundle that a member of an archive goes by: `/`-separated, without `.` and empty segments.
///
/// Nothing is ever written under these names; they are still refused where they lead out of the bundle, because an archive that has
/// such names was made to do harm, and because a manifest that lists them is wrong.
pub(super) fn inside(raw: &[u8], limits: &Limits) -> Result<String, BadName> {
    let text = text(raw);
    match path(&text, raw.len(), limits) {
        Ok(path) => Ok(path),
        Err(reason) => {
            let cut = text.char_indices().nth(SHOWN).map(|(at, _)| &text[..at]);
            Err(BadName {
                shown: cut.map_or_else(|| text.to_string(), |head| format!("{head}…")),
                reason,
            })
        }
    }
}

fn path(text: &str, length: usize, limits: &Limits) -> Result<String, String> {
    if length > limits.name {
        return Err(format!("a name of more than {} bytes", limits.name));
    }
    if text.contains('\0') {
        return Err("a name with a NUL in it".into());
    }
    if is_absolute(text) {
        return Err("an absolute path".into());
    }
    if text.split(['/', '\\']).any(|segment| segment == "..") {
        return Err("a path with `..` in it".into());
    }
    let segments: Vec<&str> = text.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    match segments.len() {
        0 => Err("an empty name".into()),
        count if count > limits.depth + 1 => Err(format!("more than {} folders deep", limits.depth)),
        _ => Ok(segments.join("/")),
    }
}

/// The path inside the bundle that a link of this path leads to; where it leads out of the bundle, that as a reason. Nothing is looked up.
pub(super) fn linked(path: &str, to: &[u8]) -> Result<String, &'static str> {
    const OUT: &str = "a link that leads out of the bundle";
    let text = text(to);
    if is_absolute(&text) || text.contains(['\0', '\\']) {
        return Err(OUT);
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in text.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop().ok_or(OUT)?),
            name => segments.push(name),
        }
    }
    Ok(segments.join("/"))
}

/// Whether a path starts at a root, here or on Windows (`C:` alone is relative to a drive, which is as bad).
fn is_absolute(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.starts_with(['/', '\\']) || matches!(bytes, [drive, b':', ..] if drive.is_ascii_alphabetic())
}

/// A name as text; bytes that are not UTF-8 are written as `\xNN`.
pub(super) fn text(raw: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(raw) {
        return Cow::Borrowed(text);
    }
    let chunk = |chunk: std::str::Utf8Chunk<'_>| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii());
    Cow::Owned(raw.utf8_chunks().map(chunk).collect())
}

/// A name for a message: controls and marks of text direction, which a terminal would obey, are escaped.
pub fn printable(name: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if !name.contains(obeyed) {
        return Cow::Borrowed(name);
    }
    let escaped = |c: char| {
        if obeyed(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    Cow::Owned(name.chars().map(escaped).collect())
}

/// The name that a packed item answers for: `stats.txt.gz` for `stats.txt`.
pub(super) fn unpacked(name: &str) -> Option<&str> {
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"))?;
    (!plain.is_empty() && !plain.ends_with('/')).then_some(plain)
}

/// Whether macOS put this beside the files of others: resource forks, which archives made there carry as `._name` and in `__MACOSX/`.
pub(super) fn is_side_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("._") || path.starts_with("__MACOSX/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(raw: &[u8]) -> String {
        inside(raw, &Limits::default()).unwrap_err().reason
    }

    #[test]
    fn names_that_lead_out_of_the_bundle_are_refused() {
        for raw in ["../x", "a/../../x", "a/..", "..", "a\\..\\x", "a/../b"] {
            assert_eq!(reason(raw.as_bytes()), "a path with `..` in it", "{raw}");
        }
        for raw in ["/etc/passwd", "//x", "\\\\host\\share", "C:\\x", "c:/x", "C:x"] {
            assert_eq!(reason(raw.as_bytes()), "an absolute path", "{raw}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for raw in ["", ".", "./", "././/"] {
            assert_eq!(reason(raw.as_bytes()), "an empty name", "{raw}");
        }
        assert_eq!(reason(b"a\0b"), "a name with a NUL in it");
        assert_eq!(reason(&[b'x'; 1025]), "a name of more than 1024 bytes");
        assert_eq!(reason("a/".repeat(66).as_bytes()), "more than 64 folders deep");
    }

    #[test]
    fn an_overlong_name_is_shown_by_its_beginning() {
        let shown = inside("é".repeat(5000).as_bytes(), &Limits::default())
            .unwrap_err()
            .shown;
        assert_eq!(shown.chars().count(), SHOWN + 1);
    }

    #[test]
    fn dots_and_doubled_slashes_go() {
        assert_eq!(inside(b"./a//b/./c.json", &Limits::default()).unwrap(), "a/b/c.json");
        assert_eq!(inside(b"a/...", &Limits::default()).unwrap(), "a/...");
    }

    #[test]
    fn what_is_no_utf_8_and_what_controls_terminals_is_kept_and_shown_escaped() {
        assert_eq!(
            inside(b"bad\xff\xc3\xa9.json", &Limits::default()).unwrap(),
            "bad\\xffé.json"
        );
        assert_eq!(inside(b"a\x1b[31m", &Limits::default()).unwrap(), "a\x1b[31m");
        assert_eq!(printable("a\x1b[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(printable("plain é"), "plain é");
    }

    #[test]
    fn packed_names_answer_for_plain_ones() {
        assert_eq!(unpacked("a/stats.txt.gz"), Some("a/stats.txt"));
        assert_eq!(unpacked("dump.zst"), Some("dump"));
        for name in [".gz", "a/.gz", "plain.txt", "gz"] {
            assert_eq!(unpacked(name), None, "{name}");
        }
    }
}
