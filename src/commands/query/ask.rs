//! A script over the names of a rulebook, asked of every subject.

use serde::Serialize;
use serde_json::Value;

use crate::bundle::printable;
use crate::diagnostic::{self, Problem, Problems, Sources};
use crate::engine::{Answer, Broken, Holder};
use crate::report;
use crate::report::model::Label;
use crate::rulebook::compile::{self, Question};
use crate::rulebook::model::{RulebookId, Ruleset};
use crate::script;

use super::{Exit, Failure, QueryArgs, count, ellipsis, inquiry, note, print, print_json, unheard_of, value};

/// Most places of a value that are printed; further ones are counted.
const PLACES: usize = 20;

/// What the question came to on a subject.
#[derive(Serialize)]
struct Asked {
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    /// What is wrong with the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    places: Vec<Spot>,
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    broken: Option<Broken>,
}

/// A place of a value.
#[derive(Serialize)]
struct Spot {
    evidence: String,
    probe: String,
    path: String,
    start: u32,
    end: u32,
    line: u32,
    column: u32,
}

/// Asks the question.
pub(super) fn run(args: &QueryArgs, mut ruleset: Ruleset, text: &str, style: &report::Style) -> Result<Exit, Failure> {
    let rulebook = rulebook(&ruleset, args.within.as_deref())?;
    let question = compile::question(&mut ruleset, rulebook, text);
    let question = question.map_err(|problems| Failure::Question(rendered(&problems, &ruleset.sources, style)))?;
    let (inquiry, progress) = inquiry(args, ruleset)?;
    let look = |holder: &Holder| {
        let asked = (holder.kind() == question.kind).then(|| asked(args, holder, &question));
        progress.done();
        asked
    };
    let asked: Vec<Asked> = inquiry.look(look).into_iter().flatten().collect();
    drop(progress);
    match args.json {
        true => print_json(&asked)?,
        false => print(|out| asked.iter().try_for_each(|asked| out.write_all(line(asked).as_bytes())))?,
    }
    let problems = broken(&asked, &question);
    if !problems.is_empty() {
        note(rendered(&problems, &inquiry.ruleset().sources, style).trim_end())?;
    }
    let known = asked.iter().filter(|asked| asked.value.is_some()).count();
    match question.kind.map(|kind| &inquiry.ruleset().kinds[kind].id) {
        Some(kind) if asked.is_empty() => note(&format!("the bundle holds no such `{kind}`"))?,
        Some(kind) => note(&format!(
            "known of {known} of {} (`{kind}`)",
            count(asked.len(), "subject")
        ))?,
        None if known == 0 => note("not known")?,
        None => {}
    }
    Ok(match () {
        () if !problems.is_empty() => Exit::Usage,
        () if known == 0 => Exit::Findings,
        () => Exit::Clean,
    })
}

/// The rulebook of this id; without one the last.
fn rulebook(ruleset: &Ruleset, id: Option<&str>) -> Result<RulebookId, Failure> {
    let ids = ruleset.rulebooks.iter().map(|rulebook| rulebook.id.as_str());
    match id {
        Some(id) => ids
            .clone()
            .position(|other| other == id)
            .ok_or_else(|| unheard_of("rulebook", id, ids)),
        None => (ruleset.rulebooks.len().checked_sub(1))
            .ok_or_else(|| Failure::usage("a script needs a rulebook", "name one with -r")),
    }
}

fn asked(args: &QueryArgs, holder: &Holder, question: &Question) -> Asked {
    let mut asked = Asked {
        subject: holder.name(),
        value: None,
        unknown: None,
        error: None,
        places: Vec::new(),
        shown: String::new(),
        broken: None,
    };
    match holder.ask(question) {
        Answer::Known(value, labels) => {
            let text = if value.is_unit() {
                "()".into()
            } else {
                script::show(&value)
            };
            asked.shown = value::line(&text, ellipsis(args));
            asked.value = Some(if args.json {
                value::of_script(&value)
            } else {
                Value::Null
            });
            asked.places = labels.into_iter().map(spot).collect();
        }
        Answer::Unknown(reason) => asked.unknown = Some(reason),
        Answer::Broken(broken) => {
            asked.error = Some(broken.message.clone());
            asked.broken = Some(broken);
        }
    }
    asked
}

fn spot(label: Label) -> Spot {
    let Label {
        evidence,
        probe,
        path,
        start,
        end,
        line,
        column,
        ..
    } = label;
    Spot {
        evidence,
        probe,
        path,
        start,
        end,
        line,
        column,
    }
}

/// A subject with its value and the places of it; what broke is told apart, once for all subjects.
fn line(asked: &Asked) -> String {
    let subject = printable(&asked.subject);
    let mut text = match (&asked.unknown, &asked.error) {
        (Some(reason), _) => format!("{subject}: unknown: {}\n", printable(reason)),
        (None, Some(_)) => format!("{subject}: error\n"),
        (None, None) => format!("{subject}: {}\n", asked.shown),
    };
    for spot in asked.places.iter().take(PLACES) {
        text.push_str(&format!(
            "  {}:{}:{}\n",
            printable(&spot.evidence),
            spot.line,
            spot.column
        ));
    }
    if let Some(more @ 1..) = asked.places.len().checked_sub(PLACES) {
        text.push_str(&format!("  and {more} more\n"));
    }
    text
}

/// What broke, each once.
fn broken(asked: &[Asked], question: &Question) -> Problems {
    let mut different: Vec<&Broken> = Vec::new();
    for broken in asked.iter().filter_map(|asked| asked.broken.as_ref()) {
        if !different.contains(&broken) {
            different.push(broken);
        }
    }
    let mut problems = Problems::default();
    for broken in different {
        let place = broken.place.unwrap_or(question.expr.text.place);
        problems.push(Problem::error("script", place, broken.message.clone()).label("here"));
    }
    problems
}

fn rendered(problems: &Problems, sources: &Sources, style: &report::Style) -> String {
    diagnostic::render(problems, sources, &super::super::problem_style(style))
}
