//! What the names in a script mean: facts, evidence, inputs, the subject; and the other finding's names in a condition between rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::Dynamic;

use crate::rulebook::model::{Expr, RulebookId, Symbol, Words};
use crate::script::{Doc, Names, Part, Probe, Read, Refusal, Unknown};

use super::halt::Halt;
use super::run::Run;
use super::trace::Trace;

/// Local names with their values, outermost first.
pub(crate) type Locals = Vec<(String, Dynamic)>;

/// The names of one rulebook in one run, and what was read through them.
#[derive(Debug)]
pub(crate) struct Frame {
    run: Arc<Run>,
    rulebook: RulebookId,
    taken: Option<Arc<Taken>>,
    other: Option<Other>,
    holes: bool,
    trace: Mutex<Trace>,
}

/// The names of a finding: of one whose evidence is at hand, or what was taken along when it was let go.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// All names of the run, and those of `each`.
    Live {
        /// The run that it was found in.
        run: Arc<Run>,
        /// The names of `each` of its first item.
        locals: Locals,
    },
    /// Only what conditions read.
    Taken(Arc<Taken>),
}

/// What was taken along of a finding's names.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The run of the whole, for inputs and scripts.
    pub(crate) whole: Arc<Run>,
    /// Values by name.
    pub(crate) values: BTreeMap<String, Result<Dynamic, Halt>>,
    /// The names of `each`.
    pub(crate) locals: Locals,
}

impl Seen {
    /// The names of `each`.
    pub(crate) fn locals(&self) -> &Locals {
        match self {
            Seen::Live { locals, .. } => locals,
            Seen::Taken(taken) => &taken.locals,
        }
    }
}

impl Taken {
    fn value(&self, name: &str) -> Result<Dynamic, Halt> {
        self.values
            .get(name)
            .cloned()
            .unwrap_or_else(|| Err(unknown(format!("`{name}` was not taken along"))))
    }
}

/// The names of another finding, seen as `effect.` or `cause.`.
#[derive(Debug)]
pub(crate) struct Other {
    /// `effect` or `cause`.
    pub(crate) role: &'static str,
    /// Its names.
    pub(crate) names: Seen,
    /// The rulebook of its rule.
    pub(crate) rulebook: RulebookId,
}

impl Frame {
    /// A frame that has read nothing.
    pub(crate) fn new(run: Arc<Run>, rulebook: RulebookId) -> Frame {
        Frame {
            run,
            rulebook,
            taken: None,
            other: None,
            holes: false,
            trace: Mutex::default(),
        }
    }

    /// A frame of a finding's names that also sees another finding's.
    pub(crate) fn facing(names: &Seen, rulebook: RulebookId, other: Other) -> Arc<Frame> {
        let (run, taken) = match names {
            Seen::Live { run, .. } => (Arc::clone(run), None),
            Seen::Taken(taken) => (Arc::clone(&taken.whole), Some(Arc::clone(taken))),
        };
        Arc::new(Frame {
            taken,
            other: Some(other),
            ..Frame::new(run, rulebook)
        })
    }

    /// The same names for commands that a person completes: an input that is not set stands as `<name>`.
    pub(crate) fn with_holes(&self) -> Arc<Frame> {
        Arc::new(Frame {
            holes: true,
            ..Frame::new(Arc::clone(&self.run), self.rulebook)
        })
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// An unknown, or what broke and where.
    pub(crate) fn eval(self: &Arc<Self>, expr: &Expr, locals: &[(String, Dynamic)]) -> Result<Dynamic, Halt> {
        let names: Arc<dyn Names> = Arc::clone(self) as Arc<dyn Names>;
        let ruleset = self.run.ruleset();
        let rulebook = &ruleset.rulebooks[self.rulebook];
        let value = rulebook.scripts.eval(&expr.script, locals, &names);
        value.map_err(|stop| Halt::of(stop, rulebook, &expr.text, ruleset))
    }

    /// Fills in a text.
    ///
    /// # Errors
    /// An unknown, or what broke and where.
    pub(crate) fn words(self: &Arc<Self>, words: &Words, locals: &[(String, Dynamic)]) -> Result<String, Halt> {
        let names: Arc<dyn Names> = Arc::clone(self) as Arc<dyn Names>;
        let ruleset = self.run.ruleset();
        let rulebook = &ruleset.rulebooks[self.rulebook];
        let text = rulebook.scripts.render(&words.script, locals, &names);
        text.map_err(|stop| Halt::of(stop, rulebook, &words.text, ruleset))
    }

    /// Fills in a text that a report shows: secrets in it are covered.
    ///
    /// # Errors
    /// An unknown, or what broke and where.
    pub(crate) fn told(self: &Arc<Self>, words: &Words, locals: &[(String, Dynamic)]) -> Result<String, Halt> {
        let names: Arc<dyn Names> = Arc::clone(self) as Arc<dyn Names>;
        let ruleset = self.run.ruleset();
        let rulebook = &ruleset.rulebooks[self.rulebook];
        let text = rulebook.scripts.tell(&words.script, locals, &names);
        text.map_err(|stop| Halt::of(stop, rulebook, &words.text, ruleset))
    }

    /// Fills in a text part by part.
    pub(crate) fn parts<'w>(self: &Arc<Self>, words: &'w Words) -> Vec<Part<'w>> {
        let names: Arc<dyn Names> = Arc::clone(self) as Arc<dyn Names>;
        let rulebook = &self.run.ruleset().rulebooks[self.rulebook];
        rulebook.scripts.parts(&words.script, &[], &names)
    }

    /// Whether all inputs among these names have values.
    pub(crate) fn inputs_are_set(&self, reads: &[&Read]) -> bool {
        let inputs = &self.run.context.inputs[self.rulebook];
        let mut of_inputs = reads.iter().filter(|read| read.namespace.as_deref() == Some("inputs"));
        of_inputs.all(|read| inputs.contains_key(&read.name))
    }

    /// What was read so far; begins anew.
    pub(crate) fn take_trace(&self) -> Trace {
        std::mem::take(&mut *self.trace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn symbol(&self, run: &Arc<Run>, symbol: Symbol) -> Result<Dynamic, Halt> {
        let mut trace = Trace::default();
        let value = run.symbol(symbol, &mut trace);
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).merge(&trace);
        value
    }

    fn named(&self, run: &Arc<Run>, rulebook: RulebookId, name: &str) -> Result<Dynamic, Halt> {
        match run.ruleset().rulebooks[rulebook].names.get(name) {
            Some(&symbol) => self.symbol(run, symbol),
            None => Err(Halt::broken(format!("`{name}` is not known here"))),
        }
    }

    fn input(&self, name: &str) -> Result<Dynamic, Halt> {
        match self.run.context.inputs[self.rulebook].get(name) {
            Some(value) => Ok(value.clone()),
            None if self.holes => Ok(Dynamic::from(format!("<{name}>"))),
            None => Err(unknown(format!("the input `{name}` is not set (--set {name}=...)"))),
        }
    }

    fn subject(&self, name: &str) -> Result<Dynamic, Halt> {
        let subject = &self.run.subject;
        let text = match name {
            "kind" => subject.kind.map(|kind| self.run.ruleset().kinds[kind].id.clone()),
            "name" => self.run.identity().name.clone(),
            "group" => self.run.identity().group.clone(),
            placeholder => subject.values.get(placeholder).cloned(),
        };
        text.map(Dynamic::from)
            .ok_or_else(|| unknown(format!("`subject.{name}` is not known for this subject")))
    }

    fn taken(&self, name: &str) -> Result<Dynamic, Halt> {
        self.taken
            .as_ref()
            .map_or_else(|| Err(unknown(format!("`{name}` is gone"))), |taken| taken.value(name))
    }

    fn other(&self, other: &Other, name: &str) -> Result<Dynamic, Halt> {
        match &other.names {
            Seen::Taken(taken) => taken.value(name),
            Seen::Live { run, locals } => match locals.iter().rev().find(|(local, _)| local == name) {
                Some((_, value)) => Ok(value.clone()),
                None => self.named(run, other.rulebook, name),
            },
        }
    }

    /// The value of a free name as a script reads it.
    ///
    /// # Errors
    /// An unknown, or what broke.
    pub(crate) fn read(&self, read: &Read) -> Result<Dynamic, Halt> {
        match read.namespace.as_deref() {
            None | Some("cause" | "effect") => self.named(&self.run, self.rulebook, &read.name),
            Some(namespace) => self.in_namespace(namespace, &read.name),
        }
    }

    fn in_namespace(&self, namespace: &str, name: &str) -> Result<Dynamic, Halt> {
        match (namespace, &self.other) {
            ("inputs", _) => self.input(name),
            ("subject", _) => self.subject(name),
            ("before", _) => self.named(&self.run.before()?, self.rulebook, name),
            (role, Some(other)) if role == other.role => self.other(other, name),
            _ if self.taken.is_some() => self.taken(name),
            _ => match self.run.ruleset().rulebooks[self.rulebook].names.get(namespace) {
                Some(&Symbol::Rulebook(rulebook)) => self.named(&self.run, rulebook, name),
                _ => Err(Halt::broken(format!("`{namespace}` has no `{name}`"))),
            },
        }
    }

    /// What a script is told where a name of it has no value.
    fn refused(&self, halt: Halt, name: &str) -> Refusal {
        match halt {
            Halt::Unknown(unknown) => Refusal::Unknown(unknown),
            broken @ Halt::Broken(_) => {
                Refusal::Failed(format!("`{name}` is broken: {}", broken.told(self.run.ruleset())))
            }
        }
    }

    fn probe_symbol(&self, namespace: Option<&str>, name: &str) -> Option<Symbol> {
        let rulebooks = &self.run.ruleset().rulebooks;
        let rulebook = match namespace {
            None => self.rulebook,
            Some(namespace) => match rulebooks[self.rulebook].names.get(namespace)? {
                Symbol::Rulebook(rulebook) => *rulebook,
                _ => return None,
            },
        };
        rulebooks[rulebook].names.get(name).copied()
    }
}

fn unknown(reason: String) -> Halt {
    Halt::Unknown(Unknown {
        reason,
        missing: Vec::new(),
    })
}

impl Names for Frame {
    fn value(&self, name: &str) -> Result<Dynamic, Refusal> {
        let value = match self.taken {
            Some(_) => self.taken(name),
            None => self.named(&self.run, self.rulebook, name),
        };
        value.map_err(|halt| self.refused(halt, name))
    }

    fn member(&self, namespace: &str, name: &str) -> Result<Dynamic, Refusal> {
        self.in_namespace(namespace, name)
            .map_err(|halt| self.refused(halt, name))
    }

    fn shown(&self, value: &Dynamic) -> String {
        self.run.shown(value)
    }

    fn doc(&self, slot: u16) -> Option<Arc<Doc>> {
        self.run.document(slot).cloned()
    }

    fn handle(&self, namespace: Option<&str>, name: &str) -> Option<Probe> {
        let (run, namespace) = match namespace {
            Some("before") => (self.run.before().ok()?, None),
            _ => (Arc::clone(&self.run), namespace),
        };
        let Symbol::Probe(probe) = self.probe_symbol(namespace, name)? else {
            return None;
        };
        let item = run.item(probe);
        if item.path.is_some() {
            self.trace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reads
                .insert(probe);
        }
        Some(item.handle(run.context.capture()))
    }
}
