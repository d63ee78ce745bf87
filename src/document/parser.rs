//! The parsers that evidence can be read with.

use super::{Document, ParseError, json};

/// How a text becomes a document.
#[derive(Debug, Clone)]
pub enum Parser {
    /// JSON
    Json(json::Options),
    /// A format that is declared, but that this version does not read; the name of it.
    Unsupported(&'static str),
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::Json(json::Options::default())
    }
}

impl Parser {
    /// What the format is called.
    pub fn name(&self) -> &'static str {
        match self {
            Parser::Json(_) => "JSON",
            Parser::Unsupported(name) => name,
        }
    }

    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong in the text, and where.
    pub fn parse(&self, text: String) -> Result<Document, ParseError> {
        match self {
            Parser::Json(options) => json::parse(text, options),
            Parser::Unsupported(_) => Err(ParseError::new(
                "this version of casebook does not read this format",
                0,
                text,
            )),
        }
    }
}
