//! `json-lines`: JSON values, one a line, as an array.
//!
//! Blank lines are skipped. A line that is no JSON makes the whole text unreadable, unless the option `mixed` is set:
//! then lines that do not begin with `{` or `[` are kept as strings, in their place, and
//! `$[?@.level]` still finds the records alone.
//!
//! ```text
//! {"level": "info", "text": "up"}
//!
//! {"level": "error", "code": 7}
//! ```
//! ```json
//! [{"level": "info", "text": "up"}, {"level": "error", "code": 7}]
//! ```

use super::text::{body, is_blank, lines, room, slice, span, trimmed};
use crate::document::reading::{Parsed, read};
use crate::document::{Builder, Document, ParseError, json};

/// How JSON lines are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonLinesOptions {
    /// Fold lowerCamelCase names to snake_case for look-up.
    pub snake_case_keys: bool,
    /// Keep lines that do not begin like an object or an array as strings.
    pub mixed: bool,
}

pub(super) fn parse(text: String, options: &JsonLinesOptions) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len()).with_json_keys(options.snake_case_keys);
    read(text, builder, |text, build| fill(text, options.mixed, build))
}

fn fill(text: &str, mixed: bool, build: &mut Builder) -> Parsed<()> {
    build.open_array(body(text));
    for line in lines(text).map(|line| trimmed(text, line)) {
        let written = slice(text, &line);
        if is_blank(written) {
            continue;
        }
        room(build, line.start)?;
        if mixed && !written.starts_with(['{', '[']) {
            build.cell(span(&line));
        } else {
            json::fill(text, line, build)?;
        }
    }
    build.close(text.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_example, json, refusal};
    use super::*;
    use crate::document::{Kind, Parser};

    const STRICT: Parser = Parser::JsonLines(JsonLinesOptions {
        snake_case_keys: false,
        mixed: false,
    });
    const MIXED: Parser = Parser::JsonLines(JsonLinesOptions {
        snake_case_keys: true,
        mixed: true,
    });

    #[test]
    fn example() {
        check_example(include_str!("json_lines.rs"), &STRICT);
    }

    #[test]
    fn each_line_stands_for_itself() {
        let doc = STRICT.parse("\u{feff} 1 \r\n\r\n\"a\"\n\t\n[2]".to_owned()).unwrap();
        assert_eq!(json(&doc), serde_json::json!([1, "a", [2]]));
        assert_eq!(
            refusal(&STRICT, "1\n{\"a\":\n1}\n"),
            "line 2, column 6: expected a value, found the end of the text"
        );
        assert_eq!(
            refusal(&STRICT, "{}\n{} x"),
            "line 2, column 4: more text after the end of the JSON value"
        );
        assert_eq!(
            refusal(&STRICT, "{}\nstarting up\n"),
            "line 2, column 1: expected a value, found `s`"
        );
    }

    #[test]
    fn other_lines_may_be_kept() {
        let doc = MIXED
            .parse("starting up\n{\"logLevel\": 1}\n12 done\r\n".to_owned())
            .unwrap();
        assert_eq!(
            json(&doc),
            serde_json::json!(["starting up", {"log_level": 1}, "12 done"])
        );
        let last = doc.at(doc.root(), 2).unwrap();
        assert_eq!((doc.kind(last), doc.raw(last)), (Kind::String, "12 done"));
        assert_eq!(
            refusal(&MIXED, "up\n{\"a\": }\n"),
            "line 2, column 7: expected a value, found `}`"
        );
        let place = doc.normalized_path(doc.get(doc.at(doc.root(), 1).unwrap(), "logLevel").unwrap());
        assert_eq!(place, "$[1]['logLevel']");
    }
}
