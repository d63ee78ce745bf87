//! Progress of long work: a line on standard error, on a terminal only, gone at the end.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes no longer than this shows nothing.
const SILENCE: Duration = Duration::from_millis(300);
/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// A line that shows how far the work has come; never there where standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// What shows the line later on, and what ends it.
    later: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins, with so many parts to do; `what` are the parts, in the plural.
    pub fn new(parts: usize, what: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(parts as u64), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {prefix} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what.to_owned());
        let later = io::stderr().is_terminal().then(|| show_later(bar.clone()));
        Progress { bar, later }
    }

    /// So many parts more are to be done.
    pub fn more(&self, parts: usize) {
        self.bar.inc_length(parts as u64);
    }

    /// What is being done.
    pub fn at(&self, what: &str) {
        self.bar.set_message(crate::bundle::printable(what).into_owned());
    }

    /// Prints something while the line is away.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// A part is done.
    pub fn done(&self) {
        self.bar.inc(1);
    }
}

/// Shows a line once the silence is over, from then on by itself: a single part may take long.
fn show_later(bar: ProgressBar) -> (Sender<()>, JoinHandle<()>) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        if receiver.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bar.enable_steady_tick(TICK);
        }
    });
    (sender, thread)
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.later.take() {
            drop(sender);
            // A thread that broke has shown nothing that is to be taken away.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
