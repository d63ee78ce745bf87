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
    mut builder: Builder,
    fill: impl FnOnce(&str, &mut Builder) -> Parsed<()>,
) -> Result<Document, ParseError> {
    if text.len() as u64 > MAX_BYTES {
        let message = format!("the text has {} bytes; at most {MAX_BYTES} can be read", text.len());
        return Err(ParseError::new(message, 0, text));
    }
    match fill(&text, &mut builder) {
        Ok(()) => Ok(builder.finish(text)),
        Err(fault) => Err(ParseError::new(fault.message, fault.at, text)),
    }
}
