//! Live probes: how evidence is had from a running system. One file per kind.
//!
//! - An [`Action`] is what a probe does: a template in a compiled rulebook, a text once it is filled in.
//! - A plan ([`steps`]) is data: everything that a live run would do, and for which rules. Nothing runs.
//! - A [`capture()`] carries out a plan, in rounds where one probe reads what another has given, and hands what it gets to the writer of a bundle.
//! - [`Allowance`] says what may be done at all: evidence of a probe outside it is `denied`.
//!
//! To add a kind: its struct here as a variant of [`Action`] and in a file of its own, its keys in `rulebook::spec::probe`.

mod allow;
mod capture;
mod dns;
mod exec;
mod file;
mod http;
mod plan;
#[cfg(unix)]
mod socket;
mod steps;
mod tcp;
mod tls;
mod word;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::report::model::Outcome;
use crate::rulebook::spec::LiveSpec;
use crate::rulebook::text::Text;

pub use allow::{Allowance, Permits};
pub use capture::{Bounds, Captured, Event, Settings, capture};
pub use dns::Dns;
pub use exec::{ENVIRONMENT, Exec};
pub use file::ReadFile;
pub use http::Http;
pub use plan::{Plan, PlannedItem, PlannedWay, Status, With, plan};
pub use steps::{Step, steps};
pub use tcp::Tcp;
pub use tls::Tls;
pub use word::{Piece, Word};

/// What every kind of live probe can do, once its words are filled in.
trait Kind {
    /// As a plan and a manifest show it.
    fn show(&self) -> String;

    /// What an allowance must match: a program, `host:port`, or a file.
    fn target(&self) -> String;

    /// Does it.
    fn gather(&self, order: &Order) -> Gathered;
}

/// Lists the kinds: a variant, its key in rulebooks and in `--allow`, and the type that carries it out.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident($kind:ident) = $key:literal,)+) => {
        /// What a live probe does; `T` is a word of it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Action<T> {
            $($(#[doc = $doc])* $variant($kind<T>),)+
        }

        /// The kinds, as `--allow` names them.
        pub const KINDS: &[&str] = &[$($key),+];

        impl<T> Action<T> {
            /// Its kind, as rulebooks and `--allow` name it.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Action::$variant(_) => $key,)+
                }
            }

            /// The same with other words.
            ///
            /// # Errors
            /// The first of `change`.
            pub fn map<'a, U, E>(&'a self, mut change: impl FnMut(&'a T) -> Result<U, E>) -> Result<Action<U>, E> {
                Ok(match self {
                    $(Action::$variant(kind) => Action::$variant(kind.map(&mut change)?),)+
                })
            }

            /// Takes the words of a rulebook in; none where one of them has problems.
            pub fn compile(spec: &LiveSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Action<T>> {
                Some(match spec {
                    $(LiveSpec::$variant(spec) => Action::$variant($kind::compile(spec, words)?),)+
                })
            }
        }

        impl Action<String> {
            fn inner(&self) -> &dyn Kind {
                match self {
                    $(Action::$variant(kind) => kind,)+
                }
            }
        }
    };
}

kinds! {
    /// A request
    Http(Http) = "http",
    /// A command
    Exec(Exec) = "exec",
    /// A file of this machine
    File(ReadFile) = "file",
    /// A TCP connection
    Tcp(Tcp) = "tcp",
    /// A DNS query
    Dns(Dns) = "dns",
    /// A TLS handshake
    Tls(Tls) = "tls",
}

impl<T> Action<T> {
    /// All words, in the order of the rulebook.
    pub fn words(&self) -> Vec<&T> {
        let mut words = Vec::new();
        let _: Result<_, ()> = self.map(|word| {
            words.push(word);
            Ok(())
        });
        words
    }
}

impl Action<String> {
    /// As a plan and a manifest show it: `GET http://...`, or a command as a shell would take it.
    pub fn show(&self) -> String {
        self.inner().show()
    }

    /// What an allowance must match, such as `host:port` of a request.
    pub fn target(&self) -> String {
        self.inner().target()
    }

    /// Does it, within the bounds of `order`. What goes wrong is part of what is had.
    pub fn gather(&self, order: &Order) -> Gathered {
        self.inner().gather(order)
    }
}

/// Bounds of one gathering, and what it must know besides.
#[derive(Clone)]
pub struct Order {
    /// When it must have ended.
    pub deadline: Instant,
    /// Most bytes that are kept.
    pub limit: u64,
    /// Set when the user wants an end.
    pub cancelled: Arc<AtomicBool>,
    /// Variables of the environment that a command sees besides the usual ones.
    pub environment: Arc<[globset::GlobMatcher]>,
    /// Whether it may go on to what it comes upon: `host:port` of a redirect, a file that a glob finds.
    pub permits: Permits,
}

impl Order {
    /// The time that is left.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// What a probe has given: perhaps bytes, and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// The bytes; nothing where the outcome leaves none.
    pub bytes: Vec<u8>,
    /// How it went.
    pub outcome: Outcome,
    /// Why it went so, in one line.
    pub reason: Option<String>,
    /// Exit code of the command.
    pub exit: Option<i32>,
    /// HTTP status of the answer.
    pub http: Option<u16>,
    /// What the command wrote to its standard error, cut.
    pub stderr: Option<String>,
    /// Whether a part was cut off.
    pub truncated: bool,
}

impl Gathered {
    /// Bytes that came whole.
    pub fn whole(bytes: Vec<u8>) -> Gathered {
        let outcome = match bytes.is_empty() {
            true => Outcome::Empty,
            false => Outcome::Ok,
        };
        Gathered {
            bytes,
            ..Gathered::without(outcome, None)
        }
    }

    /// No bytes, for a reason.
    pub fn nothing(outcome: Outcome, reason: impl Into<String>) -> Gathered {
        Gathered::without(outcome, Some(reason.into()))
    }

    fn without(outcome: Outcome, reason: Option<String>) -> Gathered {
        Gathered {
            bytes: Vec::new(),
            outcome,
            reason,
            exit: None,
            http: None,
            stderr: None,
            truncated: false,
        }
    }
}

/// A document that a probe makes of what it has found.
fn document(found: &impl serde::Serialize) -> Gathered {
    match serde_json::to_string_pretty(found) {
        Ok(text) => Gathered::whole(format!("{text}\n").into_bytes()),
        Err(error) => Gathered::nothing(Outcome::Failed, error.to_string()),
    }
}
