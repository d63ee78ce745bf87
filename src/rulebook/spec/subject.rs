//! Subjects: the things that probes and rules speak about.

use super::{ItemId, Script, SnakeId, Template};
use crate::diagnostic::Problem;
use crate::rulebook::decode::{Decoder, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// A kind of thing that probes and rules speak about, such as a server
    pub struct SubjectSpec as "subject" {
        /// What it is
        pub about: Option<Text>,
        /// Where in a bundle its files lie: folders, the best first; `{placeholders}` name the subject
        pub captured: OneOrMany<Text>,
        /// Its name, where no placeholder names it
        pub name: Option<Template>,
        /// What outlives a restart: used in fingerprints and to say "on 143 of 200"
        pub group: Option<Template>,
        /// How its members are found on a live system
        pub live: Option<FanOutSpec>,
    }
    shape shape_subject
}

spec! {
    /// The members of a kind on a live system, read from evidence
    pub struct FanOutSpec as "fan-out" {
        /// Lists to walk, nested from left to right: a name for the item, and the list
        pub each: Map<SnakeId, Script>,
        /// Value of each placeholder
        pub names: Map<SnakeId, Script>,
    }
    check check_fan_out
    shape shape_fan_out
}

fn shape_subject(object: &mut ObjectSchema) {
    object.any_of(&["captured", "live"]);
}

fn shape_fan_out(object: &mut ObjectSchema) {
    for key in ["each", "names"] {
        object.require(key);
        object.not_hollow(key);
    }
}

fn check_fan_out(_: &FanOutSpec, yaml: &Yaml, decoder: &mut Decoder) {
    decoder.needs(yaml, "fan-out", "each", "{ pod: pods }");
    decoder.needs(yaml, "fan-out", "names", "{ pod: pod.metadata.name }");
}

/// Reports what a subject of this rulebook lacks, or what cannot be added to one of a used rulebook.
pub(super) fn check_subject(id: &ItemId, yaml: &Yaml, decoder: &mut Decoder) {
    if id.rulebook().is_some() {
        for key in ["about", "name", "group"] {
            let message = format!("`{key}` of a subject of another rulebook cannot be changed");
            decoder.misplaced(yaml.key(key), &message, "only `captured` and `live` can be added");
        }
    }
    if yaml.key("captured").or(yaml.key("live")).is_none() {
        let problem = Problem::error("missing-key", id.place, "nothing says where this subject is found");
        decoder.report(problem.label("needed here").help("add `captured:` or `live:`"));
    }
}
