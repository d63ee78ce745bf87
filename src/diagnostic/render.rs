//! Prints problems through miette.

use super::{Problems, Sources};

/// How problems are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours
    pub color: bool,
    /// Box drawing characters; ASCII otherwise
    pub unicode: bool,
    /// Columns to wrap at
    pub width: usize,
}

/// All problems in the order of files and positions, as text for a terminal.
pub fn render(problems: &Problems, sources: &Sources, style: &Style) -> String {
    let _ = (problems, sources, style);
    String::new()
}
