//! Many probes at a time: each on a thread of its own, none waited for longer than it may take.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use globset::GlobMatcher;
use jiff::Timestamp;

use crate::report::model::Outcome;
use crate::rulebook::model::ProbeId;

use super::{Action, Gathered, Order, Permits};

/// An item that is to be had.
#[derive(Clone)]
pub(super) struct Task {
    /// Its place in the plan: the step, and which of its subjects.
    pub(super) order: (usize, usize),
    /// Its path in the bundle.
    pub(super) path: String,
    /// The probe.
    pub(super) probe: ProbeId,
    /// The same, as `rulebook::probe`.
    pub(super) code: String,
    /// The subject, as `kind/name`.
    pub(super) subject: Option<String>,
    /// Ways to it, the preferred first.
    pub(super) attempts: Vec<Attempt>,
    /// What is said of it where no way can be gone.
    pub(super) refusal: Option<Gathered>,
    /// Time after which it is taken once more.
    pub(super) again: Option<Duration>,
    /// When it may begin.
    pub(super) not_before: Option<Instant>,
}

/// One way to an item.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) action: Action<String>,
    pub(super) permits: Permits,
    pub(super) environment: Arc<[GlobMatcher]>,
    pub(super) timeout: Duration,
    pub(super) limit: u64,
}

/// What a task came to.
#[derive(Clone)]
pub(super) struct Done {
    pub(super) gathered: Gathered,
    /// The way that gave it, as a plan shows it.
    pub(super) origin: Option<String>,
    /// When it had ended.
    pub(super) at: Timestamp,
    /// When it began.
    pub(super) began: Instant,
    pub(super) took: Duration,
}

/// What is common to all tasks.
pub(super) struct Bounds {
    /// When all must have ended.
    pub(super) until: Instant,
    /// How many run at a time.
    pub(super) jobs: usize,
    /// Set when the user wants an end.
    pub(super) cancelled: Arc<AtomicBool>,
}

/// How the work goes on.
pub(super) enum Step<'s> {
    /// A task begins, with its first way.
    Started(&'s str),
    /// A task has ended.
    Ended(Box<Task>, Box<Done>),
}

/// How long a probe that should have ended is waited for: it may be writing its last words.
const GRACE: Duration = Duration::from_secs(1);
/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(25);

/// Does the tasks; each ends with a step, whatever happens to it.
pub(super) fn carry_out(tasks: Vec<Task>, bounds: &Bounds, tell: &mut dyn FnMut(Step<'_>)) {
    let (sender, receiver) = channel();
    let mut work = Work {
        waiting: tasks,
        flying: BTreeMap::new(),
        bounds,
        sender,
        tell,
        stopped: None,
        launched: 0,
    };
    work.refuse();
    while !work.is_done() {
        work.start();
        work.receive(&receiver);
        work.give_up();
    }
}

struct Work<'w> {
    waiting: Vec<Task>,
    /// Running tasks, with the time after which nobody waits for them.
    flying: BTreeMap<usize, (Task, Instant, Instant)>,
    bounds: &'w Bounds,
    sender: Sender<(usize, Done)>,
    tell: &'w mut dyn FnMut(Step<'_>),
    /// When the work was called off.
    stopped: Option<Instant>,
    /// How many were started: no two have the same number, not even one that was given up.
    launched: usize,
}

impl Work<'_> {
    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.flying.is_empty()
    }

    /// Ends the tasks that have no way.
    fn refuse(&mut self) {
        let (ready, refused) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|task| !task.attempts.is_empty());
        self.waiting = ready;
        for task in refused {
            let gathered = task.refusal.clone();
            let gathered = gathered.unwrap_or_else(|| Gathered::nothing(Outcome::NotRun, "there is no live way to it"));
            self.end(task, gathered, Instant::now());
        }
        // Tasks are taken from the end.
        self.waiting.reverse();
    }

    fn end(&mut self, task: Task, gathered: Gathered, began: Instant) {
        let done = Done {
            gathered,
            origin: task.attempts.first().map(|attempt| attempt.action.show()),
            at: Timestamp::now(),
            began,
            took: began.elapsed(),
        };
        (self.tell)(Step::Ended(Box::new(task), Box::new(done)));
    }

    /// Starts as many as may run.
    fn start(&mut self) {
        while self.flying.len() < self.bounds.jobs && self.reason_to_stop().is_none() {
            let now = Instant::now();
            let may = |task: &Task| task.not_before.is_none_or(|due| due <= now);
            let Some(at) = self.waiting.iter().rposition(may) else {
                return;
            };
            let task = self.waiting.remove(at);
            self.launch(task, now);
        }
    }

    fn launch(&mut self, task: Task, now: Instant) {
        if let Some(first) = task.attempts.first() {
            (self.tell)(Step::Started(&first.action.show()));
        }
        let whole: Duration = task.attempts.iter().map(|attempt| attempt.timeout).sum();
        let latest = now
            .checked_add(whole)
            .map_or(self.bounds.until, |end| end.min(self.bounds.until));
        let number = self.launched;
        self.launched += 1;
        let (attempts, sender) = (task.attempts.clone(), self.sender.clone());
        let (until, cancelled) = (self.bounds.until, Arc::clone(&self.bounds.cancelled));
        let started = thread::Builder::new().name("probe".into()).spawn(move || {
            // Whoever waits may have given up.
            let _ = sender.send((number, attempt_all(&attempts, until, &cancelled)));
        });
        match started {
            Ok(_) => {
                self.flying.insert(number, (task, latest + GRACE, now));
            }
            Err(error) => self.end(task, Gathered::nothing(Outcome::NotRun, error.to_string()), now),
        }
    }

    fn receive(&mut self, receiver: &Receiver<(usize, Done)>) {
        let mut next = receiver.recv_timeout(TICK).ok();
        while let Some((number, done)) = next {
            if let Some((task, ..)) = self.flying.remove(&number) {
                (self.tell)(Step::Ended(Box::new(task), Box::new(done)));
            }
            next = receiver.try_recv().ok();
        }
    }

    /// Ends what will not come any more.
    fn give_up(&mut self) {
        let reason = self.reason_to_stop();
        if let Some(reason) = reason {
            self.stopped.get_or_insert_with(Instant::now);
            for task in std::mem::take(&mut self.waiting).into_iter().rev() {
                self.end(task, Gathered::nothing(Outcome::NotRun, reason), Instant::now());
            }
        }
        let now = Instant::now();
        let over = self.stopped.is_some_and(|since| now >= since + GRACE);
        let late = self.flying.iter().filter(|(_, (_, latest, _))| over || now >= *latest);
        let late: Vec<usize> = late.map(|(number, _)| *number).collect();
        for number in late {
            let Some((task, _, began)) = self.flying.remove(&number) else {
                continue;
            };
            let gathered = match reason {
                Some(reason @ INTERRUPTED) => Gathered::nothing(Outcome::NotRun, reason),
                _ => Gathered::nothing(Outcome::TimedOut, "it did not answer in time, and was left behind"),
            };
            self.end(task, gathered, began);
        }
    }

    fn reason_to_stop(&self) -> Option<&'static str> {
        match () {
            () if self.bounds.cancelled.load(Ordering::Relaxed) => Some(INTERRUPTED),
            () if Instant::now() >= self.bounds.until => Some("the time for all probes together was up"),
            () => None,
        }
    }
}

const INTERRUPTED: &str = "interrupted";

/// Goes the ways one after another until one gives evidence; else the first that told more than nothing counts.
fn attempt_all(attempts: &[Attempt], until: Instant, cancelled: &Arc<AtomicBool>) -> Done {
    let (began, mut best) = (Instant::now(), None);
    for attempt in attempts {
        let now = Instant::now();
        let own = now.checked_add(attempt.timeout).unwrap_or(until);
        let order = Order {
            deadline: own.min(until),
            limit: attempt.limit,
            cancelled: Arc::clone(cancelled),
            environment: Arc::clone(&attempt.environment),
            permits: Arc::clone(&attempt.permits),
        };
        let mut gathered = attempt.action.gather(&order);
        if gathered.truncated && gathered.reason.is_none() {
            let limit = attempt.limit;
            gathered.reason = Some(format!(
                "more than {limit} bytes, of which a part was kept (--probe-limit)"
            ));
        }
        let better = best
            .as_ref()
            .is_none_or(|(old, _): &(Gathered, String)| rank(&gathered) > rank(old));
        let settled = gathered.outcome == Outcome::Ok;
        if better {
            best = Some((gathered, attempt.action.show()));
        }
        if settled || cancelled.load(Ordering::Relaxed) || now >= until {
            break;
        }
    }
    let (gathered, origin) = best.map_or_else(
        || (Gathered::nothing(Outcome::NotRun, "there is no live way to it"), None),
        |(gathered, origin)| (gathered, Some(origin)),
    );
    Done {
        gathered,
        origin,
        at: Timestamp::now(),
        began,
        took: began.elapsed(),
    }
}

/// How much an attempt tells.
fn rank(gathered: &Gathered) -> u8 {
    match gathered.outcome {
        Outcome::Ok => 3,
        Outcome::Empty => 2,
        Outcome::NotRun => 0,
        _ => 1,
    }
}
