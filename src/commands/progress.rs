//! Progress of long work: a line on standard error, on a terminal only, gone at the end.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes no longer than this shows nothing.
const SILENCE: Duration = Duration::from_millis(300);

/// A line that shows how far the work has come; hidden where standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Begins, with so many parts to do; `what` are the parts, in the plural.
    pub fn new(parts: usize, what: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(parts as u64), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {prefix} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what.to_owned());
        Progress { bar }
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

    /// A part is done. What is over soon never shows.
    pub fn done(&self) {
        if self.bar.elapsed() < SILENCE {
            self.bar.update(|state| state.set_pos(state.pos() + 1));
        } else {
            self.bar.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
