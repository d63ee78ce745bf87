//! Casebook: rulebooks (YAML) run against captured evidence, with diagnostics that point at the exact bytes.
//!
//! The modules in reading order; data flows downwards.

pub mod diagnostic;
pub mod document;
pub mod path;
pub mod script;
pub mod rulebook;
pub mod redact;
pub mod bundle;
pub mod probe;
pub mod engine;
pub mod report;
pub mod case;
pub mod lint;
pub mod cli;
pub mod commands;
