//! `casebook schema`: the JSON Schemas of what casebook reads and writes.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::{Exit, Failure};

/// Print a JSON Schema (draft 7), for editors and for programs that read reports
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub name: Name,
}

/// What there is a schema of
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The files of a rulebook
    Rulebook,
    /// The files of its cases
    Cases,
    /// Reports as JSON
    Report,
    /// Walked guides as JSON
    Guide,
    /// The manifest of a bundle
    Bundle,
    /// Plans as JSON
    Plan,
}

impl Name {
    /// The schema, as it is published in `schemas/`.
    pub fn text(self) -> &'static str {
        match self {
            Name::Rulebook => include_str!("../../schemas/rulebook.schema.json"),
            Name::Cases => include_str!("../../schemas/cases.schema.json"),
            Name::Report => include_str!("../../schemas/report.schema.json"),
            Name::Guide => include_str!("../../schemas/guide.schema.json"),
            Name::Bundle => include_str!("../../schemas/bundle.schema.json"),
            Name::Plan => include_str!("../../schemas/plan.schema.json"),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Those of standard output.
pub fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    io::stdout().lock().write_all(args.name.text().as_bytes())?;
    Ok(Exit::Clean)
}
