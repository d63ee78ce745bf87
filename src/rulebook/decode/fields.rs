//! The keys of one mapping while it is decoded.

use super::Decoder;
use crate::diagnostic::{Place, Problem, did_you_mean, meant, quoted};
use crate::rulebook::text::{Style, Text};
use crate::rulebook::yaml::{Node, Yaml};

/// The fields of a mapping; what nobody has taken at the end is unknown.
#[derive(Debug)]
pub struct Fields<'y> {
    what: &'static str,
    head: Place,
    missing: Vec<Vec<String>>,
    entries: &'y [(Text, Yaml)],
    taken: Vec<bool>,
}

impl<'y> Fields<'y> {
    /// The fields of a node that should be a mapping; nothing written is a mapping without fields.
    ///
    /// `what` names the thing in messages: "rule", "probe".
    pub fn of(yaml: &'y Yaml, what: &'static str, decoder: &mut Decoder) -> Option<Fields<'y>> {
        let entries: &[(Text, Yaml)] = match &yaml.value {
            Node::Mapping(entries) => entries,
            Node::Null => &[],
            _ => {
                decoder.wrong_type(yaml, &format!("a mapping that describes the {what}"), "{ key: value }");
                return None;
            }
        };
        Some(Fields {
            what,
            head: yaml.head,
            missing: Vec::new(),
            entries,
            taken: vec![false; entries.len()],
        })
    }

    /// The value under a key, which then is no longer unknown.
    pub fn take(&mut self, key: &str) -> Option<&'y Yaml> {
        self.take_entry(key).map(|(_, yaml)| yaml)
    }

    /// The same with the key as written.
    pub fn take_entry(&mut self, key: &str) -> Option<(&'y Text, &'y Yaml)> {
        let at = self.entries.iter().position(|(name, _)| name.value == key)?;
        *self.taken.get_mut(at)? = true;
        self.entries.get(at).map(|(name, yaml)| (name, yaml))
    }

    /// Notes that none of these keys is there, of which one is needed.
    pub fn missing(&mut self, keys: Vec<String>) {
        self.missing.push(keys);
    }

    /// Reports the keys that nobody has taken and those that are missing; a missing one that is only misspelt is one
    /// problem.
    pub fn finish(mut self, allowed: &[String], decoder: &mut Decoder) {
        for ((key, _), _) in self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken) {
            let known = || allowed.iter().map(String::as_str);
            let nearest = did_you_mean(key, known());
            self.missing
                .retain(|keys| !keys.iter().any(|key| Some(key.as_str()) == nearest));
            let list = match allowed {
                [] => "none".to_owned(),
                allowed => one_of(allowed),
            };
            let help = match meant(key, known()) {
                Some(meant) => format!("{meant} The keys are {list}"),
                None => format!("the keys are {list}"),
            };
            let message = format!("this {} cannot have a key {}", self.what, quoted(key));
            decoder.report(
                Problem::error("unknown-key", key.place, message)
                    .label("unknown key")
                    .help(help),
            );
        }
        for keys in &self.missing {
            let (lacks, help) = match keys.as_slice() {
                [key] => (format!("has no `{key}`"), format!("add `{key}:`")),
                keys => (
                    format!("needs one of {}", one_of(keys)),
                    format!("add one of {}", one_of(keys)),
                ),
            };
            let problem = Problem::error("missing-key", self.head, format!("this {} {lacks}", self.what));
            decoder.report(problem.label("needed here").help(help));
        }
    }
}

/// A scalar as the mapping that it is short for, where `key` is the key that may be left out.
pub fn in_full(yaml: &Yaml, key: &str) -> Option<Yaml> {
    let Node::Scalar(text) = &yaml.value else { return None };
    let key = Text {
        value: key.to_owned(),
        place: text.place,
        style: Style::Plain,
    };
    Some(Yaml {
        value: Node::Mapping(vec![(key, yaml.clone())]),
        ..*yaml
    })
}

fn one_of(keys: &[String]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
