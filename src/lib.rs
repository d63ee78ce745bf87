//! Casebook: rulebooks (YAML) run against captured evidence, with diagnostics that point at the exact bytes.
//!
//! The modules in reading order; data flows downwards.

pub mod bundle;
pub mod case;
pub mod diagnostic;
pub mod document;
pub mod engine;
pub mod path;
pub mod report;
pub mod rulebook;
pub mod script;
