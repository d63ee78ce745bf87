//! Guides: ordered walks through rules for one symptom.

use super::{Commands, InputSpec, Script, SnakeId, Template};
use crate::rulebook::decode::{Decoder, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// An ordered walk for one symptom
    pub struct GuideSpec as "guide" {
        /// The symptom
        pub title: Option<Text>,
        /// When to take it
        pub about: Option<Text>,
        /// Values that the user may set for it
        pub inputs: Map<SnakeId, InputSpec>,
        /// The walk
        pub walk: WalkSpec,
    }
    check check_guide
    shape shape_guide
}

choice! {
    /// The walk of a guide
    pub enum WalkSpec in parent {
        /// Steps through rules, in order
        Steps(Vec<StepSpec>) = "steps",
        /// Script that computes the hops, in order
        Hops(Script) = "hops",
    }
}

spec! {
    /// A step of a guide
    pub struct StepSpec as "step" {
        /// The question that it answers
        pub title: Text,
        /// What it is about
        pub about: Option<Text>,
        /// Rules that answer it, or globs of them; those of a used rulebook as `rulebook::rule`
        pub rules: OneOrMany<Text>,
        /// Words for whoever walks: all there is of a step that no evidence decides
        pub says: Option<Template>,
        /// Commands for whoever walks, to look further
        pub r#try: Commands,
    }
    check check_step
    shape shape_step
}

fn shape_step(object: &mut ObjectSchema) {
    object.any_of(&["rules", "says"]);
}

fn shape_guide(object: &mut ObjectSchema) {
    object.not_hollow("steps");
}

fn check_guide(guide: &GuideSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if let WalkSpec::Steps(_) = guide.walk {
        decoder.needs(yaml, "guide", "steps", "[{ title: Is it up?, rules: [not-up] }]");
    }
}

fn check_step(_: &StepSpec, yaml: &Yaml, decoder: &mut Decoder) {
    if yaml.key("says").or(yaml.key("rules")).is_none() {
        decoder.needs(yaml, "step", "rules", "[not-up]; or give its words under `says`");
    }
}
