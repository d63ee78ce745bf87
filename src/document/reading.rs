//! What all parsers share: how they fail, and how a text becomes a document.

use sha2::{Digest, Sha256};

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
    read_within(MAX_BYTES, text, builder, fill)
}

fn read_within(
    most: u64,
    text: String,
    mut builder: Builder,
    fill: impl FnOnce(&str, &mut Builder) -> Parsed<()>,
) -> Result<Document, ParseError> {
    if text.len() as u64 > most {
        let message = format!("the text has {} bytes; at most {most} can be read", text.len());
        return Err(ParseError::new(message, 0, text));
    }
    let (filled, digest) = beside(text.as_bytes(), || fill(&text, &mut builder));
    match filled {
        Ok(()) => Ok(builder.finish(text).with_digest(digest)),
        Err(fault) => Err(ParseError::new(fault.message, fault.at, text)),
    }
}

/// Texts from this size on are hashed on a thread of their own while they are parsed, which costs less than to do one after the other.
const LARGE: usize = 1 << 18;

/// Does something with a text, and hashes it meanwhile, if it is large.
fn beside<T>(text: &[u8], work: impl FnOnce() -> T) -> (T, Option<[u8; 32]>) {
    if text.len() < LARGE {
        return (work(), None);
    }
    std::thread::scope(|scope| {
        let digest = std::thread::Builder::new().spawn_scoped(scope, || Sha256::digest(text).into());
        let done = work();
        (done, digest.ok().and_then(|digest| digest.join().ok()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_beyond_the_limit_are_refused() {
        let read = |most| {
            read_within(most, "123456789".to_owned(), Builder::new(9), |_, build| {
                build.null(crate::document::Span { start: 0, end: 9 });
                Ok(())
            })
        };
        let error = read(8).unwrap_err();
        assert_eq!(error.message, "the text has 9 bytes; at most 8 can be read");
        assert_eq!(error.text, "123456789");
        assert!(read(9).is_ok());
        assert_eq!(MAX_BYTES, 4 * 1024 * 1024 * 1024 - 1);
    }
}
