//! `casebook test --mutate`: changes of the rules that no case notices, each at its place, and the share that is noticed.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::case::Outcome;
use crate::case::mutate::{self, Excuse, Mutant, Noticed, Score};
use crate::diagnostic::{self, Place, Problem, Problems};

use super::{Exit, TestArgs, Tests, held};

/// What came of the mutants.
struct Tried<'t> {
    tests: &'t Tests,
    noticed: Vec<Noticed>,
    excuses: Vec<Excuse>,
}

/// Tries the mutants, and prints those that survive and the scores.
pub(super) fn print(
    args: &TestArgs,
    tests: &Tests,
    outcomes: &[Outcome],
    start: Instant,
    out: &mut impl Write,
) -> io::Result<Exit> {
    if !outcomes.iter().all(held) {
        writeln!(out, "\nno rule was changed: first all cases must hold")?;
        return Ok(Exit::Case);
    }
    let plain = start.elapsed().saturating_sub(tests.making);
    let tried = Tried {
        tests,
        noticed: mutate::run(&tests.ruleset, &tests.cases, outcomes, &tests.selection, &tests.mutants),
        excuses: mutate::excuses(&tests.ruleset.sources),
    };
    let all = start.elapsed();
    tried.survivors(out)?;
    let stale = tried.excused(args, out)?;
    let low = tried.scores(args, out)?;
    writeln!(out, "{}", times(plain, all))?;
    Ok(if stale || low { Exit::Case } else { Exit::Clean })
}

fn times(plain: Duration, all: Duration) -> String {
    let times = all.as_secs_f64() / plain.as_secs_f64().max(0.001);
    format!(
        "{:.1} s, {times:.1} times as long as a plain `casebook test`",
        all.as_secs_f64()
    )
}

impl Tried<'_> {
    fn surviving(&self) -> impl Iterator<Item = &Mutant> {
        let tried = self.tests.mutants.iter().zip(&self.noticed);
        tried.filter(|(_, noticed)| noticed.is_none()).map(|(mutant, _)| mutant)
    }

    fn excuse(&self, mutant: &Mutant) -> Option<&Excuse> {
        let sources = &self.tests.ruleset.sources;
        self.excuses.iter().find(|excuse| excuse.covers(sources, mutant))
    }

    /// The mutants that no case notices and no comment excuses, at their places.
    fn survivors(&self, out: &mut impl Write) -> io::Result<()> {
        let open: Vec<&Mutant> = self
            .surviving()
            .filter(|mutant| self.excuse(mutant).is_none())
            .collect();
        // Rendered one by one: a list of problems is cut where it is long.
        for (nth, mutant) in open.into_iter().enumerate() {
            if nth == 0 {
                writeln!(out)?;
            }
            let problem = Problem::warning(
                mutant.change.code(),
                mutant.place,
                format!("no case notices that {}", mutant.told),
            );
            self.render(problem.label("this change goes unnoticed"), out)?;
        }
        Ok(())
    }

    fn render(&self, problem: Problem, out: &mut impl Write) -> io::Result<()> {
        let mut problems = Problems::default();
        problems.push(problem);
        let style = super::super::problem_style(&self.tests.style);
        write!(
            out,
            "{}",
            diagnostic::render(&problems, &self.tests.ruleset.sources, &style)
        )
    }

    /// The excuses, each with what it excuses; true where one of them is wrong or excuses nothing.
    fn excused(&self, args: &TestArgs, out: &mut impl Write) -> io::Result<bool> {
        let (mut stale, sources) = (false, &self.tests.ruleset.sources);
        // Where not all is tried, an excuse may speak of the rest.
        let whole = args.case.is_none() && args.rule.is_none();
        for excuse in &self.excuses {
            let covered = self.surviving().filter(|mutant| excuse.covers(sources, mutant)).count();
            match &excuse.changes {
                Err(message) => {
                    stale = true;
                    self.render(
                        Problem::error("bad-excuse", excuse.place, message.clone()).label("here"),
                        out,
                    )?;
                }
                Ok(_) if covered == 0 && whole && self.is_tested(excuse.place) => {
                    stale = true;
                    let problem = Problem::error("unused-excuse", excuse.place, "cases notice all that this excuses");
                    self.render(problem.label("not needed").help("remove this comment"), out)?;
                }
                Ok(_) if covered == 0 => {}
                Ok(changes) => {
                    let codes: Vec<&str> = changes.iter().map(|change| change.code()).collect();
                    let (place, codes) = (self.place(excuse.place), codes.join(", "));
                    writeln!(out, "{place}: {covered} survive ({codes}): {}", excuse.reason)?;
                }
            }
        }
        Ok(stale)
    }

    /// Whether mutants are made of the file that a place lies in.
    fn is_tested(&self, place: Place) -> bool {
        self.tests.mutants.iter().any(|mutant| mutant.place.file == place.file)
    }

    /// The scores of rules and rulebooks; true where that of a rulebook is too low.
    fn scores(&self, args: &TestArgs, out: &mut impl Write) -> io::Result<bool> {
        let ruleset = &self.tests.ruleset;
        let tried = || self.tests.mutants.iter().zip(&self.noticed);
        let mut low = false;
        writeln!(
            out,
            "\nchanges that a case notices, by rule (a change of a shared fact counts for each of its rules)"
        )?;
        for (id, rule) in ruleset.rules.iter().enumerate() {
            let score = Score::of(tried().filter(|(mutant, _)| mutant.rules.contains(&id)));
            if score.all > 0 && self.tests.selection.rule(ruleset, id) {
                writeln!(out, "  {}", line(&rule.code(ruleset), score))?;
            }
        }
        for (id, rulebook) in ruleset.rulebooks.iter().enumerate() {
            let score = Score::of(tried().filter(|(mutant, _)| mutant.rulebook(ruleset) == id));
            if score.all > 0 {
                let enough = args.min_score.is_none_or(|least| score.percent() >= least);
                low |= !enough;
                let note = if enough { "" } else { ", which is too low" };
                writeln!(out, "{}{note}", line(&rulebook.id, score))?;
            }
        }
        Ok(low)
    }

    fn place(&self, place: Place) -> String {
        let sources = &self.tests.ruleset.sources;
        format!("{}:{}", sources.get(place.file).name, sources.position(place).0)
    }
}

fn line(name: &str, score: Score) -> String {
    format!(
        "{:>5.1} %  {:>4} of {:<4}  {name}",
        score.percent(),
        score.noticed,
        score.all
    )
}
