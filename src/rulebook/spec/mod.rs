//! What may be written in rulebooks and cases, as written.
//!
//! The doc comments of the fields are the manual: they become the descriptions of the JSON Schemas.

mod case;
mod fact;
mod guide;
mod id;
mod input;
mod probe;
mod rule;
mod rulebook;
mod subject;
mod value;
mod view;

pub use case::{CaseFileSpec, CaseSpec, EvidenceSpec, ExpectSpec, ItemSpec, OutcomeSpec};
pub use fact::{Extract, FactFields, FactKey, FactKind, FactSpec, Partial, Select};
pub use guide::{GuideSpec, StepSpec, WalkSpec};
pub use id::{ItemId, KebabId, SnakeId};
pub use input::{InputSpec, InputType};
pub use probe::{
    DnsRecord, DnsSpec, HttpSpec, IptablesSpec, JsonLinesSpec, JsonSpec, KeyStyle, KeyValueSpec, LinesSpec, LiveSpec,
    NoOptions, ParserSpec, ProbeSpec, TableSpec, TcpSpec, TlsSpec,
};
pub use rule::{CheckSpec, ClauseSpec, LabelSpec, RuleSpec, Severity, VerdictSpec};
pub use rulebook::{PartSpec, RulebookSpec};
pub use subject::{FanOutSpec, SubjectSpec};
pub use value::{FormatVersion, NamedOrListed, Period, Scalar, ScalarKind, Size, Value};
pub use view::ViewSpec;

use super::text::Text;

/// A Rhai expression; what YAML takes for a number or a boolean is its text.
pub type Script = Text;

/// Words with `${...}` holes, each a Rhai expression.
pub type Template = Text;

/// One command: a list of words, each a template.
pub type Command = Vec<Template>;
