//! Files that say what is secret, and what may be wrong in them.

use super::rules::{Rules, Wrong};
use crate::diagnostic::{Place, Problem, Problems, Sources};
use crate::rulebook::decode::{Decoder, FromYaml};
use crate::rulebook::spec::RedactFileSpec;
use crate::rulebook::text::Text;
use crate::rulebook::yaml;

impl Rules {
    /// Reads the text of a file of rules named `name`.
    ///
    /// # Errors
    /// What is wrong in it; the places are those of the file in `sources`.
    pub fn read(name: &str, text: String, sources: &mut Sources) -> Result<Rules, Problems> {
        let (spec, mut problems) = RedactFileSpec::read(name, text, sources)?;
        let (rules, wrong) = Rules::of(&spec.redact);
        for (text, wrong) in &wrong {
            problems.push(wrong.problem(text, sources));
        }
        if problems.has_errors() {
            Err(problems)
        } else {
            Ok(rules)
        }
    }
}

impl RedactFileSpec {
    /// Reads the text of a file of rules named `name`, without a look at the rules; with it what may be wrong so far.
    ///
    /// # Errors
    /// Why there are no rules in it.
    pub(super) fn read(name: &str, text: String, sources: &mut Sources) -> Result<(Self, Problems), Problems> {
        let mut problems = Problems::default();
        let file = sources.add(name, text);
        let documents = yaml::parse(file, sources, &mut problems);
        let mut decoder = Decoder::default();
        let spec = documents
            .first()
            .and_then(|document| RedactFileSpec::from_yaml(document, &mut decoder));
        problems.extend(decoder.problems);
        if let Some(spec) = spec {
            return Ok((spec, problems));
        }
        if !problems.has_errors() {
            let problem = Problem::error("empty-file", Place::new(file, 0, 0), "nothing is said in this file");
            problems.push(problem.label("nothing here").help("begin it with `casebook: 1`"));
        }
        Err(problems)
    }
}

impl Wrong {
    /// The problem, at its place in the file.
    pub fn problem(&self, text: &Text, sources: &Sources) -> Problem {
        match self {
            Wrong::Name => {
                let problem = Problem::error("bad-name", text.place, "this is no name");
                problem
                    .label("it has no letter or digit")
                    .help("for example: session_ref")
            }
            Wrong::Pattern(error) => {
                let place = text.place_of(sources, error.range.clone());
                let message = format!("this is no regular expression: {}", error.message);
                let help = "the syntax is that of RE2; `(?<secret>...)` is what is taken out";
                Problem::error("bad-regex", place, message).label("here").help(help)
            }
            Wrong::Path(error) => {
                let offset = error.offset.unwrap_or(0);
                let place = text.place_of(sources, offset..offset);
                let message = format!("this is no JSONPath: {}", error.message);
                Problem::error("bad-path", place, message)
                    .label("here")
                    .maybe_help(error.help.clone())
            }
        }
    }
}
