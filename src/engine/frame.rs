//! What the names in a script mean: facts, evidence, inputs, the subject; and the other finding's names in a condition between rules.

use std::sync::{Arc, Mutex, PoisonError};

use rhai::Dynamic;

use crate::rulebook::model::{Expr, RulebookId, Symbol, Words};
use crate::script::{Doc, Names, Probe, Refusal, Unknown};

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
    other: Option<Other>,
    holes: bool,
    trace: Mutex<Trace>,
}

/// The names of another finding, seen as `effect.` or `cause.`.
#[derive(Debug)]
pub(crate) struct Other {
    /// `effect` or `cause`.
    pub(crate) role: &'static str,
    /// The run of that finding.
    pub(crate) run: Arc<Run>,
    /// The rulebook of its rule.
    pub(crate) rulebook: RulebookId,
    /// The names of its `each`.
    pub(crate) locals: Locals,
}

impl Frame {
    /// A frame that has read nothing.
    pub(crate) fn new(run: Arc<Run>, rulebook: RulebookId) -> Frame {
        Frame {
            run,
            rulebook,
            other: None,
            holes: false,
            trace: Mutex::default(),
        }
    }

    /// A frame that also sees another finding's names.
    pub(crate) fn facing(run: Arc<Run>, rulebook: RulebookId, other: Other) -> Frame {
        Frame {
            run,
            rulebook,
            other: Some(other),
            holes: false,
            trace: Mutex::default(),
        }
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

    fn other(&self, other: &Other, name: &str) -> Result<Dynamic, Halt> {
        match other.locals.iter().rev().find(|(local, _)| local == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.named(&other.run, other.rulebook, name),
        }
    }

    fn in_namespace(&self, namespace: &str, name: &str) -> Result<Dynamic, Halt> {
        match (namespace, &self.other) {
            ("inputs", _) => self.input(name),
            ("subject", _) => self.subject(name),
            ("before", _) => Err(unknown("there is no earlier capture to compare with".into())),
            (role, Some(other)) if role == other.role => self.other(other, name),
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
        self.named(&self.run, self.rulebook, name)
            .map_err(|halt| self.refused(halt, name))
    }

    fn member(&self, namespace: &str, name: &str) -> Result<Dynamic, Refusal> {
        self.in_namespace(namespace, name)
            .map_err(|halt| self.refused(halt, name))
    }

    fn doc(&self, slot: u16) -> Option<Arc<Doc>> {
        self.run.document(slot).cloned()
    }

    fn handle(&self, namespace: Option<&str>, name: &str) -> Option<Probe> {
        let Symbol::Probe(probe) = self.probe_symbol(namespace, name)? else {
            return None;
        };
        let item = self.run.item(probe);
        if item.path.is_some() {
            self.trace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reads
                .insert(probe);
        }
        Some(item.handle(self.run.context.capture()))
    }
}
