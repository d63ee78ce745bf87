//! `raw`: the text as it is, as one string.
//!
//! A byte order mark at the beginning is left out; nothing else is changed.
//!
//! ```text
//! server 1.2.3
//! built today
//! ```
//! ```json
//! "server 1.2.3\nbuilt today\n"
//! ```

use super::text::{body, span};
use crate::document::reading::read;
use crate::document::{Builder, Document, ParseError};

pub(super) fn parse(text: String) -> Result<Document, ParseError> {
    read(text, Builder::new(0), |text, build| {
        build.cell(span(&(body(text)..text.len())));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_example, json};
    use crate::document::Parser;

    #[test]
    fn example() {
        check_example(include_str!("raw.rs"), &Parser::Raw);
    }

    #[test]
    fn only_the_byte_order_mark_goes() {
        let doc = Parser::Raw.parse("\u{feff} a\r\n\0".to_owned()).unwrap();
        assert_eq!(json(&doc), " a\r\n\0");
        assert_eq!(doc.span(doc.root()).range(), 3..8);
    }
}
