//! One evaluation on this thread: the names in force and what may still be spent.
//!
//! Rhai's own counter forgets what closures spend and its size limits make every `push` walk the whole array, so the
//! bound is kept here: one budget of operations, from which copies of large values are paid too.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rhai::{Caches, Dynamic};

use super::names::Names;
use super::problem::{Error, failed};

/// How often the limit and the clock are looked at, in operations.
const INTERVAL: u64 = 1024;

/// What one evaluation may spend. The same in every build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Operations, including one for every cell of a value that is copied.
    pub operations: u64,
    /// Depth of function calls.
    pub calls: usize,
    /// Depth of expressions in a script's text.
    pub nesting: usize,
    /// Bytes of one string.
    pub string: usize,
    /// Wall-clock time: only against what the other limits do not catch.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 20_000_000,
            calls: 48,
            nesting: 64,
            string: 1 << 20,
            time: Duration::from_secs(10),
        }
    }
}

#[derive(Clone)]
struct Session {
    names: Option<Arc<dyn Names>>,
    operations: u64,
    string: usize,
    time: Duration,
    /// When the clock was first looked at: most evaluations end before that.
    started: Option<Instant>,
}

thread_local! {
    static CACHES: RefCell<Option<(u64, Caches)>> = const { RefCell::new(None) };
    static USED: Cell<u64> = const { Cell::new(0) };
    static SESSION: RefCell<Session> = const {
        RefCell::new(Session {
            names: None,
            operations: u64::MAX,
            string: usize::MAX,
            time: Duration::MAX,
            started: None,
        })
    };
}

/// A number for a piece of code that no other has.
pub(super) fn next_code() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What Rhai has found out about the functions that this code calls, if it was the last to run on this thread: a rule runs the same code for
/// each of its items.
pub(super) fn take_caches(code: u64) -> Caches {
    match CACHES.take() {
        Some((last, caches)) if last == code => caches,
        _ => Caches::new(),
    }
}

/// Keeps it for the next run.
pub(super) fn keep_caches(code: u64, caches: Caches) {
    CACHES.set(Some((code, caches)));
}

/// Restores the outer evaluation when dropped: a fact may be computed in the middle of another script.
pub(super) struct Guard {
    outer: Option<Session>,
    used: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            SESSION.set(outer);
            USED.set(self.used);
        }
    }
}

/// Begins an evaluation on this thread.
pub(super) fn enter(names: Option<Arc<dyn Names>>, limits: &Limits) -> Guard {
    let session = Session {
        names,
        operations: limits.operations,
        string: limits.string,
        time: limits.time,
        started: None,
    };
    Guard {
        outer: Some(SESSION.replace(session)),
        used: USED.replace(0),
    }
}

/// The names of the evaluation that runs on this thread.
pub(super) fn names() -> Option<Arc<dyn Names>> {
    SESSION.with_borrow(|session| session.names.clone())
}

/// Counts one operation; a text says why there must be no further one.
pub(super) fn tick() -> Option<Dynamic> {
    spend(1).map(Dynamic::from)
}

/// Pays for `cells` values that were copied or made.
pub(super) fn charge(cells: u64) -> Result<(), Error> {
    spend(cells).map_or(Ok(()), |reason| Err(failed(reason)))
}

/// Spends operations. The limit and the clock are looked at now and then only.
fn spend(operations: u64) -> Option<String> {
    let before = USED.get();
    let used = before.saturating_add(operations);
    USED.set(used);
    if before / INTERVAL == used / INTERVAL {
        None
    } else {
        exhausted(used)
    }
}

/// Longest string that a script may make, in bytes.
pub(super) fn longest_string() -> usize {
    SESSION.with_borrow(|session| session.string)
}

/// The error for a string that is longer.
pub(super) fn too_long() -> Error {
    failed(format!(
        "the script made a string of more than {} bytes",
        longest_string()
    ))
}

/// Refuses a string that is too long.
pub(super) fn check_string(bytes: usize) -> Result<(), Error> {
    if bytes > longest_string() {
        Err(too_long())
    } else {
        Ok(())
    }
}

fn exhausted(used: u64) -> Option<String> {
    SESSION.with_borrow_mut(|session| {
        if used > session.operations {
            return Some(format!("the script used more than {} operations", session.operations));
        }
        let started = *session.started.get_or_insert_with(Instant::now);
        let late = started.elapsed() > session.time;
        late.then(|| format!("the script ran for more than {} s", session.time.as_secs_f64()))
    })
}
