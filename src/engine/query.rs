//! Questions about a bundle that are no rules: what it holds, what a path finds in it, what a script says of it.

use std::sync::Arc;

use globset::GlobMatcher;
use rayon::prelude::*;
use rhai::Dynamic;

use crate::bundle::Bundle;
use crate::diagnostic::Place;
use crate::document::{Document, LinesOptions, Parser, json};
use crate::report::model::{Label, Outcome};
use crate::rulebook::compile::Question;
use crate::rulebook::model::{KindId, Probe, ProbeId, Ruleset};
use crate::script::{self, NO_SLOT};

use super::context::{Context, Earlier};
use super::evidence::{self, Item};
use super::halt::Halt;
use super::run::{Run, Subject};
use super::{Settings, clock, examine, finding, subjects};

/// A bundle that questions are asked about.
#[derive(Debug)]
pub struct Inquiry {
    context: Arc<Context>,
    subjects: Vec<Subject>,
    only: Option<GlobMatcher>,
}

/// The bundle as a whole or a subject in it, of which evidence is read when it is asked for.
#[derive(Debug)]
pub struct Holder {
    pub(super) run: Arc<Run>,
}

/// What a probe or a file came to.
#[derive(Debug)]
pub struct Found<'f> {
    /// The file in the bundle, where there is one.
    pub path: Option<&'f str>,
    /// How the gathering and the reading went.
    pub outcome: Outcome,
    /// The document, or why there is none.
    pub document: Result<&'f Document, &'f str>,
    /// Whether a part is known to be missing.
    pub truncated: bool,
}

/// What a script says of a subject or of the bundle.
#[derive(Debug)]
pub enum Answer {
    /// A value, with the places that it remembers, without excerpts.
    Known(Dynamic, Vec<Label>),
    /// Why it is not known.
    Unknown(String),
    /// What is wrong with the script, or with a fact that it reads.
    Broken(Broken),
}

/// What is wrong with a script, found while it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What happened, in one line.
    pub message: String,
    /// Where in the rulebooks or in the question.
    pub place: Option<Place>,
}

impl Inquiry {
    /// Opens a bundle to questions; `only` narrows them to what goes by a matching name.
    pub fn new(ruleset: Arc<Ruleset>, mut bundle: Bundle, settings: Settings, only: Option<GlobMatcher>) -> Inquiry {
        let earlier = bundle.take_earlier();
        let earlier = settings.before.or(earlier);
        let earlier =
            earlier.map(|bundle| Earlier::new(&ruleset, bundle, &settings.inputs, settings.before_captured_at));
        let context = Arc::new(Context::new(ruleset, bundle, settings.inputs, earlier));
        let subjects = subjects::find(&context);
        clock::settle(&context, &Run::of_whole(&context), &subjects, settings.captured_at);
        Inquiry {
            context,
            subjects,
            only,
        }
    }

    /// The rulebooks.
    pub fn ruleset(&self) -> &Ruleset {
        &self.context.ruleset
    }

    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.context.bundle
    }

    /// Whether what goes by this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.is_match(name))
    }

    /// Number of those that [`Inquiry::look`] looks at: the whole and the subjects, wanted or not.
    pub fn parts(&self) -> usize {
        1 + self.subjects.len()
    }

    /// Looks at the whole and at every subject that is wanted, in this order. Subjects are looked at in parallel, each let go afterwards.
    pub fn look<T: Send>(&self, look: impl Fn(&Holder) -> T + Sync) -> Vec<T> {
        let seen = self.once(&look);
        if !self.context.asked_early() {
            return seen;
        }
        // What was asked for lies over all subjects: they are gone through, and then it is known.
        let whole = Run::of_whole(&self.context);
        let left = self.subjects.par_iter();
        let left: Vec<_> = left
            .flat_map_iter(|subject| examine::left(&Run::of(&self.context, subject, &whole)))
            .collect();
        self.context.leave(left.iter());
        self.once(&look)
    }

    /// Looks at the whole alone, wanted or not.
    pub(super) fn look_at_whole<T>(&self, look: impl Fn(&Holder) -> T) -> T {
        look(&Holder {
            run: Run::of_whole(&self.context),
        })
    }

    fn once<T: Send>(&self, look: &(impl Fn(&Holder) -> T + Sync)) -> Vec<T> {
        let whole = Run::of_whole(&self.context);
        let wanted = |holder: &Holder| self.only.is_none() || self.wants(&holder.name());
        let of_whole = Holder {
            run: Arc::clone(&whole),
        };
        let mut seen: Vec<T> = Some(&of_whole)
            .filter(|holder| wanted(holder))
            .map(look)
            .into_iter()
            .collect();
        let subject = |subject: &Subject| {
            let holder = Holder {
                run: Run::of(&self.context, subject, &whole),
            };
            wanted(&holder).then(|| look(&holder))
        };
        seen.par_extend(self.subjects.par_iter().filter_map(subject));
        seen
    }

    /// The files that a probe binds anywhere, of subjects that are not wanted too, sorted.
    pub fn bound(&self) -> Vec<&str> {
        let whole = Subject::default();
        let holders = self.subjects.iter().chain([&whole]);
        let mut bound: Vec<&str> = holders
            .flat_map(|holder| {
                let probes = self.context.ruleset.probes.iter();
                let own = probes.filter(|probe| probe.kind == holder.kind);
                own.filter_map(|probe| evidence::bind(probe, &self.context.bundle, &holder.folder))
            })
            .collect();
        bound.sort_unstable();
        bound.dedup();
        bound
    }

    /// Reads a file that no probe binds by a guess: as JSON, else as lines.
    pub fn guess<T>(&self, path: &str, look: impl FnOnce(&Found<'_>) -> T) -> T {
        let lines = Parser::Lines(LinesOptions::default());
        let json = self.read_as(path, Parser::Json(json::Options::default()));
        let item = match json.outcome {
            Outcome::Unparsable => self.read_as(path, lines),
            _ => json,
        };
        look(&Found::of(&item))
    }

    fn read_as(&self, path: &str, parser: Parser) -> Item {
        let probe = Probe {
            id: path.to_owned(),
            rulebook: 0,
            kind: None,
            captured: Vec::new(),
            parser,
            shape: None,
            clock: Vec::new(),
            ways: Vec::new(),
            again: None,
        };
        evidence::read(&probe, &self.context.bundle, path, NO_SLOT)
    }
}

impl Holder {
    /// Its name as reports show it: `kind/name`, the kind alone, or `bundle`.
    pub fn name(&self) -> String {
        self.run.label()
    }

    /// Its folder in the bundle; empty for the top.
    pub fn folder(&self) -> &str {
        &self.run.subject.folder
    }

    /// Its kind; none: the bundle.
    pub fn kind(&self) -> Option<KindId> {
        self.run.subject.kind
    }

    /// The probes that it has one item each of, with the file that each binds.
    pub fn probes(&self) -> impl Iterator<Item = (ProbeId, Option<&str>)> {
        let probes = self.run.ruleset().probes.iter().enumerate();
        let own = probes.filter(|(_, probe)| probe.kind == self.kind());
        own.map(|(id, probe)| (id, evidence::bind(probe, &self.run.context.bundle, self.folder())))
    }

    /// What a probe came to, read when first asked for.
    pub fn item(&self, probe: ProbeId) -> Found<'_> {
        Found::of(self.run.item(probe))
    }

    /// What a question comes to here.
    pub fn ask(&self, question: &Question) -> Answer {
        match self.run.frame(question.rulebook).eval(&question.expr, &[]) {
            Ok(value) => {
                let places = script::places_of(&value).into_iter();
                let labels = places.filter_map(|place| finding::label(&self.run, place, None, false));
                let labels = labels.collect();
                Answer::Known(value, labels)
            }
            Err(Halt::Unknown(unknown)) => Answer::Unknown(unknown.reason),
            Err(Halt::Broken(broken)) => Answer::Broken(Broken {
                message: broken.message,
                place: broken.place,
            }),
        }
    }
}

impl Found<'_> {
    fn of(item: &Item) -> Found<'_> {
        Found {
            path: item.path.as_deref(),
            outcome: item.outcome,
            document: match &item.document {
                Ok(doc) => Ok(&doc.document),
                Err(reason) => Err(reason),
            },
            truncated: item.truncated,
        }
    }
}
