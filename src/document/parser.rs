//! The parsers that evidence can be read with.
//!
//! The shape that each gives is told in its file. A new parser is a file below this one and a variant here.

mod diff;
mod iptables;
mod json_lines;
mod key_value;
mod lines;
mod pattern;
mod prometheus;
mod raw;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod yaml;

use super::{Document, ParseError, json};

pub use iptables::IptablesOptions;
pub use json_lines::JsonLinesOptions;
pub use key_value::KeyValueOptions;
pub use lines::LinesOptions;
pub use pattern::{Pattern, PatternError};
pub use table::TableOptions;

/// How a text becomes a document.
#[derive(Debug, Clone)]
pub enum Parser {
    /// JSON, as written.
    Json(json::Options),
    /// JSON values, one a line: an array.
    JsonLines(JsonLinesOptions),
    /// YAML, as written; several documents are an array.
    Yaml,
    /// Lines or records, by regular expressions: an array of rows.
    Lines(LinesOptions),
    /// Columns under a header: an array of rows.
    Table(TableOptions),
    /// A key and a value a line: an object.
    KeyValue(KeyValueOptions),
    /// Prometheus metrics: an array of samples.
    Prometheus,
    /// Listings of packet filters: tables of chains of rules.
    Iptables(IptablesOptions),
    /// A unified diff: an array of files.
    Diff,
    /// The text as it is: one string.
    Raw,
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
            Parser::JsonLines(_) => "JSON lines",
            Parser::Yaml => "YAML",
            Parser::Lines(_) => "lines",
            Parser::Table(_) => "a table",
            Parser::KeyValue(_) => "keys and values",
            Parser::Prometheus => "Prometheus metrics",
            Parser::Iptables(_) => "a packet filter's listing",
            Parser::Diff => "a unified diff",
            Parser::Raw => "raw text",
        }
    }

    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong in the text, and where.
    pub fn parse(&self, text: String) -> Result<Document, ParseError> {
        match self {
            Parser::Json(options) => json::parse(text, options),
            Parser::JsonLines(options) => json_lines::parse(text, options),
            Parser::Yaml => yaml::parse(text),
            Parser::Lines(options) => lines::parse(text, options),
            Parser::Table(options) => table::parse(text, options),
            Parser::KeyValue(options) => key_value::parse(text, options),
            Parser::Prometheus => prometheus::parse(text),
            Parser::Iptables(options) => iptables::parse(text, options),
            Parser::Diff => diff::parse(text),
            Parser::Raw => raw::parse(text),
        }
    }
}
