//! Colours: few, and always beside words that say the same.

use owo_colors::{OwoColorize, Style as Ink};

use crate::report::model::Severity;

/// Paints, or does not
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// Whether there are colours
    pub(super) color: bool,
}

impl Paint {
    /// The colour of a severity
    pub(super) fn severity(self, severity: Severity) -> Ink {
        match severity {
            Severity::Critical | Severity::Error => self.ink(Ink::new().red().bold()),
            Severity::Warning => self.ink(Ink::new().yellow().bold()),
            Severity::Info => self.ink(Ink::new().cyan().bold()),
        }
    }

    /// The colour of labels other than the first
    pub(super) fn aside(self) -> Ink {
        self.ink(Ink::new().blue().bold())
    }

    /// The colour of a place
    pub(super) fn place(self) -> Ink {
        self.ink(Ink::new().cyan())
    }

    /// The colour of what could not be decided
    pub(super) fn unknown(self) -> Ink {
        self.ink(Ink::new().magenta().bold())
    }

    /// Something less important
    pub(super) fn dim(self, text: &str) -> String {
        self.with(Ink::new().dimmed(), text)
    }

    /// A text in a colour
    pub(super) fn with(self, ink: Ink, text: &str) -> String {
        if text.trim().is_empty() {
            text.to_owned()
        } else {
            text.style(self.ink(ink)).to_string()
        }
    }

    fn ink(self, ink: Ink) -> Ink {
        if self.color { ink } else { Ink::new() }
    }
}
