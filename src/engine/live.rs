//! What a live run is to do next, as far as the evidence that is there tells: which subjects there are, and what the words of probes come to.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::bundle::{Bundle, PlacePattern};
use crate::probe::{Action, Piece, Word};
use crate::rulebook::model::{Expr, FanOut, KindId, Ruleset, Way, Words};
use crate::script::{self, Part, Read};

use super::context::{Context, Inputs};
use super::frame::{Frame, Locals};
use super::halt::Halt;
use super::judge::items_of;
use super::run::{Run, Subject};

/// The evidence so far, seen by templates of probes and lists of subjects.
#[derive(Debug)]
pub struct Prospect {
    context: Arc<Context>,
    whole: Arc<Run>,
}

/// A subject whose evidence is to be gathered, or the bundle as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its kind; none: the bundle.
    pub kind: Option<KindId>,
    /// The folder in the bundle where its evidence goes.
    pub folder: String,
    /// The values of the placeholders of its place.
    pub values: IndexMap<String, String>,
    /// Whether lists of evidence named it, so that what is the same for all members is nothing of its own.
    pub listed: bool,
}

impl Prospect {
    /// Looks at the evidence so far.
    pub fn new(ruleset: Arc<Ruleset>, bundle: Bundle, inputs: Inputs) -> Prospect {
        let context = Arc::new(Context::new(ruleset, bundle, inputs, None));
        let whole = Run::of_whole(&context);
        Prospect { context, whole }
    }

    /// The subjects of a kind: those of the first list that names any, else the one whose place has no placeholders. Where lists are
    /// not known, why.
    pub fn members(&self, kind: KindId) -> (Vec<Member>, Vec<String>) {
        let declared = &self.context.ruleset.kinds[kind];
        let mut problems = Vec::new();
        for fan in &declared.live {
            match self.listed(kind, fan, &mut problems) {
                Ok(members) if !members.is_empty() => return (members, problems),
                Ok(_) => problems.push(format!("no `{}` is listed", declared.id)),
                Err(halt) => problems.push(halt.told(&self.context.ruleset)),
            }
        }
        let lone = declared.places.iter().find(|place| place.names().is_empty());
        let lone = lone.map(|place| Member {
            kind: Some(kind),
            folder: place.fill(&IndexMap::new()),
            ..Member::default()
        });
        (lone.into_iter().collect(), problems)
    }

    fn listed(&self, kind: KindId, fan: &FanOut, problems: &mut Vec<String>) -> Result<Vec<Member>, Halt> {
        let frame = self.whole.frame(fan.rulebook);
        let mut all = Vec::new();
        walk(&frame, &fan.each, &mut Locals::new(), &mut |locals| {
            let mut values = IndexMap::new();
            for (name, expr) in &fan.names {
                values.insert(name.clone(), script::show(&frame.eval(expr, locals)?));
            }
            all.push(values);
            Ok(())
        })?;
        let mut members: Vec<Member> = Vec::new();
        for values in all {
            match member(kind, &fan.place, values) {
                Ok(member) if !members.contains(&member) => members.push(member),
                Ok(_) => {}
                Err(problem) => problems.push(problem),
            }
        }
        members.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(members)
    }

    /// The words of a way to the evidence of a member, filled in as far as they go.
    pub fn fill(&self, member: &Member, way: &Way) -> Action<Word> {
        let subject = Subject {
            kind: member.kind,
            folder: member.folder.clone(),
            values: member.values.clone(),
        };
        let run = match member.kind {
            None => Arc::clone(&self.whole),
            Some(_) => Run::of(&self.context, &subject, &self.whole),
        };
        let frame = run.frame(way.rulebook);
        let filled = way
            .action
            .map(|words| Ok::<_, std::convert::Infallible>(self.filled(&frame, words, member)));
        match filled {
            Ok(filled) => filled,
        }
    }

    fn filled(&self, frame: &Arc<Frame>, words: &Words, member: &Member) -> Word {
        let piece = |part: Part<'_>| match part {
            Part::Text(text) => Piece::Text(text.to_owned()),
            Part::Value {
                code,
                reads,
                value: Err(stop),
            } => Piece::Hole {
                name: hole(code),
                reason: stop.to_string(),
                later: frame.inputs_are_set(&reads) && reads.iter().any(|read| is_to_come(read, member)),
            },
            Part::Value {
                reads,
                value: Ok(value),
                ..
            } => match reads.as_slice() {
                [] => Piece::Text(value),
                reads if reads.iter().all(|read| is_of(read, "inputs")) => Piece::Input(value),
                _ => Piece::Evidence(value),
            },
        };
        Word {
            pieces: frame.parts(words).into_iter().map(piece).collect(),
        }
    }

    /// Whether a way tells the members of a kind apart: it reads the subject, or evidence that each has one of.
    pub fn tells_apart(&self, way: &Way, kind: KindId) -> bool {
        let ruleset = &self.context.ruleset;
        way.action.words().into_iter().any(|words| {
            let of_subject = |read: &Read| is_of(read, "subject");
            let needs = ruleset.needs_of(way.rulebook, &words.script);
            words.script.reads.iter().any(of_subject)
                || needs.iter().any(|probe| ruleset.probes[*probe].kind == Some(kind))
        })
    }
}

/// Goes through lists, nested from left to right.
fn walk(
    frame: &Arc<Frame>,
    each: &[(String, Expr)],
    locals: &mut Locals,
    item: &mut dyn FnMut(&Locals) -> Result<(), Halt>,
) -> Result<(), Halt> {
    let Some(((name, list), rest)) = each.split_first() else {
        return item(locals);
    };
    for value in items_of(frame.eval(list, locals)?)? {
        locals.push((name.clone(), value));
        walk(frame, rest, locals, item)?;
        locals.pop();
    }
    Ok(())
}

/// A listed member, if its values can be parts of a path.
fn member(kind: KindId, place: &PlacePattern, values: IndexMap<String, String>) -> Result<Member, String> {
    // In the order of the place, as they are read back from a bundle.
    let ordered = place
        .names()
        .iter()
        .filter_map(|name| Some((name.clone(), values.get(name)?.clone())));
    let values: IndexMap<String, String> = ordered.collect();
    for (name, value) in &values {
        if value.is_empty() || value.starts_with('.') || value.contains(['/', '\\']) || value.contains(char::is_control)
        {
            let shown = crate::bundle::printable(value);
            return Err(format!("`{shown}` cannot name a folder, and so is no `{name}`"));
        }
    }
    Ok(Member {
        kind: Some(kind),
        folder: place.fill(&values),
        values,
        listed: true,
    })
}

fn is_of(read: &Read, namespace: &str) -> bool {
    read.namespace.as_deref() == Some(namespace)
}

/// Whether evidence will tell what a name stands for.
fn is_to_come(read: &Read, member: &Member) -> bool {
    match is_of(read, "subject") {
        true => member.listed,
        false => !is_of(read, "inputs"),
    }
}

/// The name of a hole: what stands in the braces, without the namespaces that people need not know.
fn hole(code: &str) -> String {
    let code = code.trim();
    let short = code.strip_prefix("inputs.").or_else(|| code.strip_prefix("subject."));
    short.unwrap_or(code).to_owned()
}
