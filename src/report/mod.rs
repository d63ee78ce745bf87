//! Reports: the model, and one file per format. Formats are pure: they write a finished report and decide nothing.
//!
//! A new format is a file and a variant of [`Format`].

use std::io;

use clap::ValueEnum;

pub mod excerpt;
pub mod explain;
pub mod guide;
mod json;
pub mod model;
mod pretty;
mod redacted;
mod terminal;
mod text;

pub use terminal::sheet::{Sheet, Tone};
pub use text::shell_word;

use model::Report;

/// How a report is written
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people: root causes first, with the lines of evidence that show them
    #[default]
    Terminal,
    /// The whole report as one JSON document (`schemas/report.schema.json`)
    Json,
    /// One JSON document a line, for several bundles
    JsonLines,
}

/// What the place that a report is written to can show; only formats for people look at it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours (ANSI escapes)
    pub color: bool,
    /// Line-drawing and other signs beyond ASCII
    pub unicode: bool,
    /// Width in columns
    pub width: usize,
    /// Links that can be clicked (OSC 8)
    pub links: bool,
    /// Sentences in place of drawings, for screen readers
    pub narrated: bool,
}

impl Default for Style {
    /// What any place can show: no colours, no links, ASCII, 80 columns
    fn default() -> Style {
        Style {
            color: false,
            unicode: false,
            width: 80,
            links: false,
            narrated: false,
        }
    }
}

/// Writes the findings of a report and what could not be decided, for people, without its last lines
///
/// # Errors
///
/// Those of `out`.
pub fn write_body(report: &Report, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    terminal::write_body(report, style, out)
}

/// Writes a report
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, format: Format, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Terminal => terminal::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::JsonLines => json::write_line(report, out),
    }
}

/// Writes a walked guide for people
///
/// # Errors
///
/// Those of `out`.
pub fn write_walk(walked: &guide::Walked, style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
    terminal::guide::write(walked, style, out)
}

/// Writes a value as one JSON document with a final line feed; what a terminal would obey is escaped
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(value: &impl serde::Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    json::write(value, out)
}
