//! Evidence cut down to what a rule reads of it: whatever can go without a change of the verdict, the findings or the facts goes.
//!
//! Every cut is tried: the smaller evidence is judged like any other, so nothing has to be known of how a rule reads it.

mod lines;
mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{Glob, GlobMatcher};
use jiff::Timestamp;
use rhai::Dynamic;

use crate::bundle::{Bundle, ItemFacts};
use crate::document::Parser;
use crate::engine::{Essence, Inquiry, ItemRead, Settings};
use crate::report::model::{Finding, RuleVerdict, Verdict};
use crate::rulebook::model::{FactId, ProbeId, RuleId, Ruleset};

/// Most cuts that are tried on one item.
const TRIES: usize = 400;

/// What evidence is cut down for.
#[derive(Debug, Clone)]
pub struct Aim {
    /// The rulebooks.
    pub ruleset: Arc<Ruleset>,
    /// The rule.
    pub rule: RuleId,
    /// The facts below it.
    pub facts: Vec<FactId>,
    /// Values of inputs by rulebook index and name.
    pub inputs: Vec<BTreeMap<String, Dynamic>>,
    /// When the evidence was captured, where that is told.
    pub captured_at: Option<Timestamp>,
}

/// Evidence, cut down, and what the rule makes of it.
#[derive(Debug)]
pub struct Trimmed {
    /// The items that are needed.
    pub items: Vec<TrimmedItem>,
    /// The verdict.
    pub verdict: RuleVerdict,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// An item, cut down.
#[derive(Debug, Clone)]
pub struct TrimmedItem {
    /// Its probe.
    pub probe: ProbeId,
    /// Its path in the bundle.
    pub path: String,
    /// The values of its subject's placeholders; none for an item of the bundle.
    pub subject: Vec<String>,
    /// What is left of it.
    pub bytes: Vec<u8>,
    /// What is known of it beside its bytes.
    pub facts: ItemFacts,
    /// Number of bytes that it had.
    pub size: usize,
}

/// Why evidence cannot be cut down.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// No subject of the rule's kind is in the bundle, or none that is wanted.
    #[error("the bundle holds nothing that the rule speaks about")]
    Nothing,
    /// The items that were read do not come to the same without the rest.
    #[error("what the rule reads does not give the same verdict without the rest of the bundle")]
    Entangled,
}

/// Cuts the evidence of the subject with the gravest verdict down to what the rule reads of it.
///
/// # Errors
/// [`TrimError`].
pub fn trim(aim: &Aim, bundle: Bundle, only: Option<GlobMatcher>) -> Result<Trimmed, TrimError> {
    let of_bundle = aim.ruleset.rules[aim.rule].kind.is_none();
    let inquiry = aim.inquiry(bundle, only.filter(|_| !of_bundle));
    let all = inquiry.essence(aim.rule, &aim.facts);
    let gravest = all
        .iter()
        .filter_map(|essence| essence.verdict.as_ref())
        .min_by_key(|verdict| rank(verdict.verdict));
    let subject = gravest.ok_or(TrimError::Nothing)?.subject.clone();
    let only = (!of_bundle).then(|| exactly(&subject)).flatten();
    // Alone, the subject reads no more than it needs.
    let wanted: Vec<Essence> = match &only {
        Some(_) => aim.inquiry_again(&inquiry, only.clone()).essence(aim.rule, &aim.facts),
        None => all,
    };
    let files = files(&inquiry, &wanted);
    let mut trimmer = Trimmer {
        aim,
        only,
        wanted,
        files,
        tries: TRIES,
    };
    if !trimmer.holds() {
        return Err(TrimError::Entangled);
    }
    trimmer.all();
    trimmer.finish()
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Error => 1,
        Verdict::Unknown => 2,
        Verdict::Pass => 3,
        Verdict::NotApplicable => 4,
    }
}

/// A glob that only this name matches.
fn exactly(name: &str) -> Option<GlobMatcher> {
    Glob::new(&globset::escape(name))
        .ok()
        .map(|glob| glob.compile_matcher())
}

impl Aim {
    fn inquiry(&self, bundle: Bundle, only: Option<GlobMatcher>) -> Inquiry {
        let settings = Settings {
            inputs: self.inputs.clone(),
            captured_at: self.captured_at,
            ..Settings::default()
        };
        Inquiry::new(Arc::clone(&self.ruleset), bundle, settings, only)
    }

    /// The same bundle, narrowed.
    fn inquiry_again(&self, inquiry: &Inquiry, only: Option<GlobMatcher>) -> Inquiry {
        let mut bundle = Bundle::empty(&inquiry.bundle().short_name());
        for path in inquiry.bundle().files() {
            let facts = inquiry.bundle().facts(path).cloned().unwrap_or_default();
            bundle.lay(path, inquiry.bundle().read(path).unwrap_or_default(), facts);
        }
        self.inquiry(bundle, only)
    }
}

/// A file while it is cut down.
struct File {
    read: ItemRead,
    facts: ItemFacts,
    /// None where it was dropped.
    bytes: Option<Vec<u8>>,
    size: usize,
}

fn files(inquiry: &Inquiry, wanted: &[Essence]) -> Vec<File> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for read in wanted.iter().flat_map(|essence| &essence.items) {
        if let Some(known) = files.get_mut(&read.path) {
            known.read.spans.extend(&read.spans);
            continue;
        }
        let bytes = inquiry.bundle().read(&read.path).unwrap_or_default();
        let file = File {
            facts: inquiry.bundle().facts(&read.path).cloned().unwrap_or_default(),
            size: bytes.len(),
            bytes: Some(bytes),
            read: read.clone(),
        };
        files.insert(read.path.clone(), file);
    }
    files.into_values().collect()
}

struct Trimmer<'a> {
    aim: &'a Aim,
    only: Option<GlobMatcher>,
    wanted: Vec<Essence>,
    files: Vec<File>,
    /// Cuts that may still be tried on the item at hand.
    tries: usize,
}

impl Trimmer<'_> {
    /// Whether the evidence as it is now comes to the same as the whole.
    fn holds(&mut self) -> bool {
        let mut bundle = Bundle::empty("trimmed");
        for file in &self.files {
            if let Some(bytes) = &file.bytes {
                bundle.lay(&file.read.path, bytes.clone(), file.facts.clone());
            }
        }
        let now = self
            .aim
            .inquiry(bundle, self.only.clone())
            .essence(self.aim.rule, &self.aim.facts);
        now.len() == self.wanted.len() && now.iter().zip(&self.wanted).all(|(now, wanted)| now.same(wanted))
    }

    /// Whether a change holds; if it does not, it is undone. None are tried once too many were.
    fn tried(&mut self, file: usize, bytes: Option<Vec<u8>>) -> bool {
        if self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        let before = std::mem::replace(&mut self.files[file].bytes, bytes);
        let holds = self.holds();
        if !holds {
            self.files[file].bytes = before;
        }
        holds
    }

    fn all(&mut self) {
        for file in 0..self.files.len() {
            self.tries = TRIES;
            if !self.tried(file, None) {
                self.file(file);
            }
        }
    }

    fn file(&mut self, at: usize) {
        let Some(text) = self.files[at]
            .bytes
            .clone()
            .and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            return;
        };
        let probe = &self.aim.ruleset.probes[self.files[at].read.probe];
        let shape = match probe.parser {
            Parser::Json(_) => tree::Tree::parse(&text),
            _ => None,
        };
        let read = self.files[at].read.clone();
        match shape {
            Some(tree) => tree::cut(tree, &read, &mut |text| self.tried(at, Some(text.into_bytes()))),
            None => lines::cut(&text, &read, &mut |text| self.tried(at, Some(text.into_bytes()))),
        }
    }

    fn finish(self) -> Result<Trimmed, TrimError> {
        let told = self.wanted.into_iter().filter(|essence| essence.verdict.is_some());
        let gravest = told.min_by_key(|essence| essence.verdict.as_ref().map(|verdict| rank(verdict.verdict)));
        let Some(Essence {
            verdict: Some(verdict),
            findings,
            ..
        }) = gravest
        else {
            return Err(TrimError::Nothing);
        };
        let items = self.files.into_iter().filter_map(|file| {
            Some(TrimmedItem {
                probe: file.read.probe,
                path: file.read.path,
                subject: file.read.subject,
                bytes: file.bytes?,
                facts: file.facts,
                size: file.size,
            })
        });
        Ok(Trimmed {
            items: items.collect(),
            verdict,
            findings,
        })
    }
}

/// Drops as many of these as can go: all, else by halves.
fn drop_what_can_go(groups: &[Vec<usize>], dropped: &mut [bool], tried: &mut dyn FnMut(&[bool]) -> bool) {
    if groups.is_empty() {
        return;
    }
    let set = |dropped: &mut [bool], to: bool| {
        for at in groups.iter().flatten() {
            if let Some(flag) = dropped.get_mut(*at) {
                *flag = to;
            }
        }
    };
    set(dropped, true);
    if tried(dropped) {
        return;
    }
    set(dropped, false);
    if let (Some(half @ 1..), true) = (Some(groups.len() / 2), groups.len() > 1) {
        let (first, second) = groups.split_at(half);
        drop_what_can_go(first, dropped, tried);
        drop_what_can_go(second, dropped, tried);
    }
}
