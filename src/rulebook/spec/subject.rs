//! Subjects: the things that probes and rules speak about.

use super::{Script, SnakeId, Template};
use crate::rulebook::decode::{Map, OneOrMany};
use crate::rulebook::text::Text;

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
}

spec! {
    /// The members of a kind on a live system, read from evidence
    pub struct FanOutSpec as "fan-out" {
        /// Lists to walk, nested from left to right: a name for the item, and the list
        pub each: Map<SnakeId, Script>,
        /// Value of each placeholder
        pub names: Map<SnakeId, Script>,
    }
}
