//! Views: tables computed from evidence.

use super::{InputSpec, Script, SnakeId, Template};
use crate::rulebook::decode::{Decoder, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// A table computed from evidence
    pub struct ViewSpec as "view" {
        /// Heading
        pub title: Option<Text>,
        /// What it shows
        pub about: Option<Text>,
        /// Values that the user may set for it
        pub inputs: Map<SnakeId, InputSpec>,
        /// Lists to walk, nested from left to right: a name for the item, and the list
        pub each: Map<SnakeId, Script>,
        /// Condition of a row
        pub r#where: Option<Script>,
        /// What rows are sorted by, first things first
        pub sort: OneOrMany<Script>,
        /// Headings, each with what stands under it
        pub columns: Map<Text, Script>,
        /// Words where there are no rows
        pub empty: Option<Template>,
    }
    check check_view
    shape shape_view
}

fn shape_view(object: &mut ObjectSchema) {
    for key in ["each", "columns"] {
        object.require(key);
        object.not_hollow(key);
    }
}

fn check_view(_: &ViewSpec, yaml: &Yaml, decoder: &mut Decoder) {
    decoder.needs(yaml, "view", "each", "{ row: rows }");
    decoder.needs(yaml, "view", "columns", "{ NAME: row.name }");
}
