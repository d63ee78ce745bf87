//! What the free names of a script mean, and what it means not to know.

use std::sync::Arc;

use jiff::Timestamp;
use rhai::Dynamic;

use super::node::Doc;
use super::values::show;

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The reason, as the report shows it.
    pub reason: String,
    /// The probes that would settle it, as `rulebook::probe`.
    pub missing: Vec<String>,
}

impl Unknown {
    /// A reason that no probe would remove.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            missing: Vec::new(),
        }
    }
}

/// Why a name has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not known.
    Unknown(Unknown),
    /// What it is computed from is broken; what happened there.
    Failed(String),
}

impl From<Unknown> for Refusal {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

/// What a script's free names mean in one evaluation. Names are asked for when a script touches them, not before.
pub trait Names: Send + Sync {
    /// The value of a fact, an input, a probe's document.
    ///
    /// # Errors
    /// [`Refusal`] if it is not known, or what it comes from is broken.
    fn value(&self, name: &str) -> Result<Dynamic, Refusal>;

    /// The value of `namespace.name`.
    ///
    /// # Errors
    /// [`Refusal`] if it is not known, or what it comes from is broken.
    fn member(&self, namespace: &str, name: &str) -> Result<Dynamic, Refusal>;

    /// How a probe's gathering went; none if the name is no probe's.
    fn handle(&self, namespace: Option<&str>, name: &str) -> Option<Probe>;

    /// A value as a report may show it.
    fn shown(&self, value: &Dynamic) -> String {
        show(value)
    }

    /// The document in a slot.
    fn doc(&self, slot: u16) -> Option<Arc<Doc>> {
        let _ = slot;
        None
    }
}

/// How the gathering of one item of evidence went.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The outcome: `ok`, `absent`, `denied` and so on.
    pub status: String,
    /// Exit code of a command.
    pub exit: Option<i64>,
    /// Status of an HTTP response.
    pub http: Option<i64>,
    /// What a command wrote to its standard error.
    pub stderr: Option<String>,
    /// Whether it is there, and nothing shows that a part of it is missing.
    pub ended: bool,
    /// When it was captured.
    pub captured: Capture,
}

/// What is known about the time of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capture {
    /// The time, or, unless it is exact, a time before which the capture was not.
    pub at: Option<Timestamp>,
    /// Whether the time is the capture's own.
    pub exact: bool,
}
