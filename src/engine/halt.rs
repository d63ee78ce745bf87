//! Why an evaluation gave no value: something is not known, or the rulebook is broken.

use crate::diagnostic::Place;
use crate::rulebook::model::{Rulebook, Ruleset};
use crate::rulebook::text::Text;
use crate::script::{Stop, Unknown};

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Halt {
    /// Something that was touched is not known.
    Unknown(Unknown),
    /// A script of the rulebook is wrong, or spent more than it may.
    Broken(Broken),
}

/// What is wrong with a script, found while it ran.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// What happened, in one line.
    pub(crate) message: String,
    /// Where in the rulebook.
    pub(crate) place: Option<Place>,
}

impl Halt {
    /// Something is not known, for a reason that no probe would remove.
    pub(crate) fn unknown(reason: impl Into<String>) -> Halt {
        Halt::Unknown(Unknown::new(reason))
    }

    /// The rulebook is broken, at a place still to be named.
    pub(crate) fn broken(message: impl Into<String>) -> Halt {
        Halt::Broken(Broken {
            message: message.into(),
            place: None,
        })
    }

    /// Names the place of what is broken, where none is named yet.
    pub(crate) fn at(mut self, text: &Text) -> Halt {
        if let Halt::Broken(broken) = &mut self {
            broken.place = broken.place.or(Some(text.place));
        }
        self
    }

    /// What stopped a script of `rulebook` that is written as `text`.
    pub(crate) fn of(stop: Stop, rulebook: &Rulebook, text: &Text, ruleset: &Ruleset) -> Halt {
        match stop {
            Stop::Unknown(unknown) => Halt::Unknown(unknown),
            Stop::Failed { message, at, in_module } => {
                let here = at.map(|at| text.place_of(&ruleset.sources, at..at + 1));
                let module = in_module.and_then(|place| Some((*rulebook.modules.get(&place.module)?, place.at)));
                let inside = module.map(|(file, at)| Place::new(file, at, at + 1));
                Halt::Broken(Broken {
                    message,
                    place: inside.or(here).or(Some(text.place)),
                })
            }
        }
    }

    /// In one line, with the place of what is broken.
    pub(crate) fn told(&self, ruleset: &Ruleset) -> String {
        match self {
            Halt::Unknown(unknown) => unknown.reason.clone(),
            Halt::Broken(Broken { message, place: None }) => message.clone(),
            Halt::Broken(Broken {
                message,
                place: Some(place),
            }) => {
                let (line, column) = ruleset.sources.position(*place);
                format!("{message} ({}:{line}:{column})", ruleset.sources.get(place.file).name)
            }
        }
    }
}
