//! What all parsers share: how they fail, and how a text becomes a document.

use super::{Builder, Document, MAX_BYTES, ParseError};

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

/// What a part of a parser gives: its faults are rare, hence boxed.
pub(super) type Parsed<T> = Result<T, Box<Fault>>;

pub(super) fn fault<T>(at: usize, message: impl Into<String>) -> Parsed<T> {
    Err(Box::new(Fault {
        at,
        message: message.into(),
    }))
}

/// Fills a builder from a text and makes the document.
pub(super) fn read(
    text: String,
    builder: Builder,
    fill: impl FnOnce(&str, &mut Builder) -> Parsed<()>,
) -> Result<Document, ParseError> {
    read_within(text, builder, MAX_BYTES, fill)
}

fn read_within(
    text: String,
    mut builder: Builder,
    max_bytes: u64,
    fill: impl FnOnce(&str, &mut Builder) -> Parsed<()>,
) -> Result<Document, ParseError> {
    if text.len() as u64 > max_bytes {
        let message = format!("the text has {} bytes; at most {max_bytes} can be read", text.len());
        return Err(ParseError::new(message, 0, text));
    }
    match fill(&text, &mut builder) {
        Ok(()) => Ok(builder.finish(text)),
        Err(fault) => Err(ParseError::new(fault.message, fault.at, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_beyond_the_limit_are_refused() {
        let read = |max_bytes| read_within("[1, 2, 3]".to_owned(), Builder::new(9), max_bytes, |_, _| Ok(()));
        let error = read(8).unwrap_err();
        assert_eq!(error.message, "the text has 9 bytes; at most 8 can be read");
        assert_eq!(error.text, "[1, 2, 3]");
        assert!(read(9).is_ok());
        assert_eq!(MAX_BYTES, 4 * 1024 * 1024 * 1024 - 1);
    }
}
