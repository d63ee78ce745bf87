//! Rulebooks as compiled: every name resolved to an index, every path, pattern and script parsed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use globset::{Glob, GlobBuilder, GlobMatcher};
use indexmap::IndexMap;
use rhai::Dynamic;

use crate::bundle::PlacePattern;
use crate::diagnostic::{FileId, Place, Sources};
use crate::document::{Parser, Pattern};
use crate::path::Path;
use crate::probe::Action;
use crate::redact::Rules;
use crate::report::model::Severity;
use crate::script::{Read, Script, Scripts};

/// Index of a rulebook in its [`Ruleset`].
pub type RulebookId = usize;
/// Index of a probe in its [`Ruleset`].
pub type ProbeId = usize;
/// Index of a fact in its [`Ruleset`].
pub type FactId = usize;
/// Index of a rule in its [`Ruleset`].
pub type RuleId = usize;
/// Index of a guide in its [`Ruleset`].
pub type GuideId = usize;
/// Index of a kind of subject in its [`Ruleset`].
pub type KindId = usize;

/// All rulebooks of a run, compiled together: a rulebook stands after those that it uses.
#[derive(Debug)]
pub struct Ruleset {
    /// The rulebooks.
    pub rulebooks: Vec<Rulebook>,
    /// The kinds of subjects of all rulebooks.
    pub kinds: Vec<SubjectKind>,
    /// The probes of all rulebooks.
    pub probes: Vec<Probe>,
    /// The facts of all rulebooks.
    pub facts: Vec<Fact>,
    /// The rules of all rulebooks.
    pub rules: Vec<Rule>,
    /// Which rules explain which.
    pub edges: Vec<Edge>,
    /// What is secret in their evidence, beside what always is.
    pub secrets: Rules,
    /// The guides of all rulebooks.
    pub guides: Vec<Guide>,
    /// The files that all of it was written in.
    pub sources: Sources,
}

/// One rulebook.
#[derive(Debug)]
pub struct Rulebook {
    /// Its id.
    pub id: String,
    /// Its version, as written.
    pub version: Option<String>,
    /// Its title.
    pub title: String,
    /// Where more is to be read.
    pub docs: Option<String>,
    /// SHA-256 over its files, in hexadecimal.
    pub digest: String,
    /// Where false, none of its rules applies.
    pub when: Option<Expr>,
    /// The kind of subject that `when` speaks about; none: the bundle.
    pub when_kind: Option<KindId>,
    /// The values that a user may set.
    pub inputs: IndexMap<String, Input>,
    /// What a name means in its scripts.
    pub names: BTreeMap<String, Symbol>,
    /// The rulebooks that it uses, by id.
    pub uses: Vec<RulebookId>,
    /// Its script engine.
    pub scripts: Arc<Scripts>,
    /// The files of its modules, by `rulebook::module`.
    pub modules: BTreeMap<String, FileId>,
    /// Its files of cases.
    pub cases: Vec<std::path::PathBuf>,
    /// Whether it came with the program, so that its live probes may run unasked.
    pub shipped: bool,
    /// Variables of the environment that its commands see besides the usual ones, as globs.
    pub environment: Vec<String>,
}

/// What a name in a script stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// The document of a probe.
    Probe(ProbeId),
    /// A fact.
    Fact(FactId),
    /// The names of another rulebook.
    Rulebook(RulebookId),
}

/// What a name that a script of a rulebook reads stands for; none for inputs, and for names of the other rule of a condition between rules.
pub fn symbol(rulebooks: &[Rulebook], rulebook: RulebookId, read: &Read) -> Option<Symbol> {
    let names = &rulebooks[rulebook].names;
    match read.namespace.as_deref() {
        None | Some("before") => names.get(read.name.as_str()).copied(),
        Some(namespace) => match names.get(namespace)? {
            Symbol::Rulebook(used) => rulebooks[*used].names.get(read.name.as_str()).copied(),
            _ => None,
        },
    }
}

/// A value that the user may set.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it is for.
    pub about: String,
    /// Its type.
    pub kind: InputKind,
    /// Its value where the user sets none.
    pub default: Option<Dynamic>,
    /// Where it is declared.
    pub place: Place,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Any text.
    Text,
    /// A number, whole or not.
    Number,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// A version such as `1.25.0`.
    Version,
    /// A length of time such as `30s`.
    Duration,
    /// Texts, separated by commas.
    List,
}

/// A kind of subject, and where subjects of it are found.
#[derive(Debug)]
pub struct SubjectKind {
    /// Its id in its rulebook.
    pub id: String,
    /// The rulebook that declares it.
    pub rulebook: RulebookId,
    /// Places in the order in which they are tried; the first that matches anything wins.
    pub places: Vec<PlacePattern>,
    /// What names a subject that no placeholder names.
    pub name: Option<Words>,
    /// What outlives a restart of the subject.
    pub group: Option<Words>,
    /// How subjects of it are found on a live system; the first that finds any wins.
    pub live: Vec<FanOut>,
}

/// One item of evidence: how it is had and read.
#[derive(Debug)]
pub struct Probe {
    /// Its id in its rulebook.
    pub id: String,
    /// The rulebook that declares it.
    pub rulebook: RulebookId,
    /// The kind of subject that has one each; none: one for the bundle.
    pub kind: Option<KindId>,
    /// Names that it goes by in a bundle; the first that matches wins.
    pub captured: Vec<Captured>,
    /// How its text becomes a document.
    pub parser: Parser,
    /// What must be found in it, else it is not what it should be.
    pub shape: Option<Path>,
    /// Times that the target wrote into it.
    pub clock: Vec<Path>,
    /// How it is had live, the preferred way first.
    pub ways: Vec<Way>,
    /// Time after which a live capture takes it once more, to see what has changed.
    pub again: Option<Duration>,
}

/// A live way to an item of evidence.
#[derive(Debug)]
pub struct Way {
    /// The rulebook that tells it.
    pub rulebook: RulebookId,
    /// What is done, its words still to be filled in.
    pub action: Action<Words>,
    /// Longest time that it may take.
    pub timeout: Option<Duration>,
    /// Most bytes that are kept of what it gives.
    pub limit: Option<u64>,
}

/// How the subjects of a kind are found on a live system: lists in evidence are walked, each item being one subject.
#[derive(Debug)]
pub struct FanOut {
    /// The rulebook that tells it.
    pub rulebook: RulebookId,
    /// Where the evidence of each goes.
    pub place: PlacePattern,
    /// The lists, nested from left to right.
    pub each: Vec<(String, Expr)>,
    /// The values of the place's placeholders.
    pub names: Vec<(String, Expr)>,
}

/// A name that evidence goes by.
#[derive(Debug)]
pub struct Captured {
    /// As written.
    pub text: String,
    /// For a name that is no plain one.
    glob: Option<Glob>,
    /// Compiled when a path first looks like it: that costs more than all looks.
    matcher: OnceLock<GlobMatcher>,
}

impl Captured {
    /// What has a meaning of its own in a glob.
    const SPECIAL: [char; 8] = ['*', '?', '[', ']', '{', '}', '\\', '!'];

    /// A name as written.
    ///
    /// # Errors
    /// Where it is no glob.
    pub fn new(text: &str) -> Result<Captured, globset::Error> {
        let glob = || GlobBuilder::new(text).literal_separator(true).build();
        Ok(Captured {
            glob: text.contains(Captured::SPECIAL).then(glob).transpose()?,
            ..Captured::plain(text.to_owned())
        })
    }

    /// A name that is no glob, whatever is in it.
    pub fn plain(text: String) -> Captured {
        Captured {
            text,
            glob: None,
            matcher: OnceLock::new(),
        }
    }

    /// Whether a path, relative to the subject's place, goes by this name.
    pub fn matches(&self, path: &str) -> bool {
        let Some(glob) = &self.glob else {
            return self.text == path;
        };
        let begins = self.text.split(Captured::SPECIAL).next().unwrap_or_default();
        let ends = self.text.rsplit(Captured::SPECIAL).next().unwrap_or_default();
        path.starts_with(begins)
            && path.ends_with(ends)
            && self.matcher.get_or_init(|| glob.compile_matcher()).is_match(path)
    }
}

/// A named value.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its id in its rulebook.
    pub id: String,
    /// The rulebook that declares it.
    pub rulebook: RulebookId,
    /// The kind of subject that has one each; none: one for the bundle.
    pub kind: Option<KindId>,
    /// Where it is declared.
    pub place: Place,
    /// Whether a truncated source is good enough.
    pub partial: bool,
    /// How it is had.
    pub source: FactSource,
    /// The probes below it, through all facts that it may read.
    pub needs: Vec<ProbeId>,
}

/// How a fact is had.
#[derive(Debug, Clone)]
pub enum FactSource {
    /// Nodes of a document.
    Extract(Extract),
    /// A value computed from others.
    Let(Expr),
    /// A hash index over a list.
    Index {
        /// The list.
        of: Symbol,
        /// The member of each row that is its key.
        by: String,
    },
    /// The first of several that is known.
    Prefer(Vec<Symbol>),
    /// The value of an expression for each subject of a kind.
    Over {
        /// The kind.
        kind: KindId,
        /// The expression.
        value: Expr,
    },
}

/// Which nodes of a document a fact is.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The document, or a fact whose node is the root.
    pub from: Symbol,
    /// What must be there; `$` of the paths is this node.
    pub within: Option<Path>,
    /// The paths; several are a union.
    pub paths: Vec<Path>,
    /// How many nodes there may be.
    pub count: Count,
    /// The value where there is no node, in evidence that is good.
    pub default: Option<Dynamic>,
    /// A pattern whose groups replace each value.
    pub capture: Option<Pattern>,
}

/// How many nodes an extraction may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Exactly one.
    One,
    /// One or more, of which the first counts.
    First,
    /// Any number.
    All,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id in its rulebook.
    pub id: String,
    /// The rulebook that declares it.
    pub rulebook: RulebookId,
    /// Where it is declared.
    pub place: Place,
    /// What is wrong where it fails, in one line.
    pub title: String,
    /// Why it matters.
    pub about: Option<String>,
    /// How bad that is.
    pub severity: Severity,
    /// The kind of subject it judges; none: the bundle.
    pub kind: Option<KindId>,
    /// Where false, it does not apply.
    pub when: Option<Expr>,
    /// What it is repeated for, nested from left to right.
    pub each: Vec<(String, Expr)>,
    /// Whether an empty `each` is a pass (`forbid`).
    pub forbid: bool,
    /// The conditions, in the order in which they decide.
    pub decide: Vec<Clause>,
    /// What tells its findings apart.
    pub key: Option<Expr>,
    /// A nearer subject for its findings: `kind/name`.
    pub subject: Option<Words>,
    /// The words of its findings.
    pub words: Wording,
    /// Where more is to be read.
    pub docs: Option<String>,
    /// Entries of a catalogue that it implements.
    pub refs: Vec<String>,
    /// The probes that it may read.
    pub needs: Vec<ProbeId>,
}

/// The probes and facts that a script of `rulebook` reads, those under `before` too.
pub fn symbols_of(rulebooks: &[Rulebook], rulebook: RulebookId, script: &Script) -> Vec<Symbol> {
    let symbol = |read| symbol(rulebooks, rulebook, read);
    script.reads.iter().filter_map(symbol).collect()
}

impl Ruleset {
    /// The probes below a script of `rulebook`, through all facts that it may read.
    pub fn needs_of(&self, rulebook: RulebookId, script: &Script) -> Vec<ProbeId> {
        let probes = |symbol| match symbol {
            Symbol::Probe(probe) => vec![probe],
            Symbol::Fact(fact) => self.facts[fact].needs.clone(),
            Symbol::Rulebook(_) => Vec::new(),
        };
        let symbols = symbols_of(&self.rulebooks, rulebook, script).into_iter();
        symbols.flat_map(probes).collect()
    }

    /// A probe as reports name it: `rulebook::probe`.
    pub fn probe_code(&self, probe: ProbeId) -> String {
        let probe = &self.probes[probe];
        format!("{}::{}", self.rulebooks[probe.rulebook].id, probe.id)
    }
}

impl Rule {
    /// The code of its findings: `rulebook::rule`.
    pub fn code(&self, ruleset: &Ruleset) -> String {
        format!("{}::{}", ruleset.rulebooks[self.rulebook].id, self.id)
    }
}

/// What a clause decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is wrong.
    Pass,
    /// Something is.
    Fail,
    /// It cannot be told.
    Unknown,
    /// The question does not arise.
    NotApplicable,
}

/// One condition of a rule.
#[derive(Debug, Clone)]
pub struct Clause {
    /// What it decides where it holds.
    pub decision: Decision,
    /// When it holds.
    pub condition: Expr,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Words that replace the rule's, where given.
    pub words: Wording,
}

/// The words of a finding.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// The message.
    pub says: Option<Words>,
    /// Where it shows.
    pub labels: Vec<Label>,
    /// What to do next.
    pub help: Option<Words>,
    /// Commands that look further.
    pub looks: Vec<Vec<Words>>,
    /// Commands that change something.
    pub fixes: Vec<Vec<Words>>,
}

/// A place to point at.
#[derive(Debug, Clone)]
pub struct Label {
    /// What gives the place.
    pub at: Expr,
    /// What to say there.
    pub says: Option<Words>,
}

/// A script with the place of its text.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Compiled.
    pub script: Script,
    /// As written.
    pub text: crate::rulebook::text::Text,
}

/// A text with `${...}` in it.
pub type Words = Expr;

/// One rule explains another.
#[derive(Debug)]
pub struct Edge {
    /// The rule that is the cause.
    pub cause: RuleId,
    /// The rule that is the effect.
    pub effect: RuleId,
    /// When it does; without one, always.
    pub condition: Option<Expr>,
    /// Which side's rule wrote the condition, and so whose names it sees as its own.
    pub written_by: RuleId,
}

impl Edge {
    /// The rule that did not write the condition, with the word by which the condition calls its finding.
    pub fn other(&self) -> (&'static str, RuleId) {
        match self.written_by == self.cause {
            true => ("effect", self.effect),
            false => ("cause", self.cause),
        }
    }

    /// Where the condition is written.
    pub fn place(&self) -> Option<crate::diagnostic::Place> {
        self.condition.as_ref().map(|condition| condition.text.place)
    }
}

/// An ordered walk for one symptom.
#[derive(Debug)]
pub struct Guide {
    /// Its id in its rulebook.
    pub id: String,
    /// The rulebook that declares it.
    pub rulebook: RulebookId,
    /// The symptom.
    pub title: String,
    /// When to take it.
    pub about: Option<String>,
    /// Values that the user may set for it, beside those of the rulebook.
    pub inputs: IndexMap<String, Input>,
    /// The walk.
    pub walk: Walk,
}

impl Guide {
    /// As reports name it: `rulebook::guide`.
    pub fn code(&self, ruleset: &Ruleset) -> String {
        format!("{}::{}", ruleset.rulebooks[self.rulebook].id, self.id)
    }
}

/// The walk of a guide.
#[derive(Debug)]
pub enum Walk {
    /// Through rules.
    Steps(Vec<Step>),
    /// Through what a script finds.
    Hops(Hops),
}

/// A step of a guide.
#[derive(Debug)]
pub struct Step {
    /// The question that it answers.
    pub title: String,
    /// What it is about.
    pub about: Option<String>,
    /// The rules that answer it; none where no evidence decides.
    pub rules: Vec<RuleId>,
    /// Words for whoever walks.
    pub says: Option<Advice>,
    /// Commands for whoever walks.
    pub looks: Vec<Vec<Advice>>,
}

/// Words for whoever walks a guide.
#[derive(Debug)]
pub struct Advice {
    /// The words.
    pub words: Words,
    /// The kind of subject that their names belong to; none: the bundle.
    pub kind: Option<KindId>,
}

/// A script that computes a walk.
#[derive(Debug)]
pub struct Hops {
    /// The script: gives a list of hops.
    pub script: Expr,
    /// The kind of subject whose names it reads; none: the bundle.
    pub kind: Option<KindId>,
}
