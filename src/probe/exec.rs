//! Commands: a list of words, never a shell, with closed input, few variables of the environment, and an end.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use globset::GlobMatcher;

use crate::report::model::Outcome;
use crate::report::shell_word;
use crate::rulebook::spec;
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order};

/// A command: the program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec<T> {
    /// The program, then its arguments.
    pub argv: Vec<T>,
}

/// Variables of the environment that every command sees, where they are set.
pub const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Most bytes of standard error that are kept.
const STDERR: u64 = 8 * 1024;
/// How often a command is looked after.
const TICK: Duration = Duration::from_millis(20);
/// How long what a command has written may take to arrive once it has ended.
const TAIL: Duration = Duration::from_secs(1);

impl<T> Exec<T> {
    pub(super) fn compile(spec: &spec::Command, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Exec<T>> {
        let argv: Vec<Option<T>> = spec.iter().map(words).collect();
        Some(Exec {
            argv: argv.into_iter().collect::<Option<_>>()?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Exec<U>, E> {
        Ok(Exec {
            argv: self.argv.iter().map(change).collect::<Result<_, E>>()?,
        })
    }
}

impl Kind for Exec<String> {
    fn show(&self) -> String {
        self.argv
            .iter()
            .map(|word| shell_word(word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn target(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }

    fn gather(&self, order: &Order) -> Gathered {
        let program = self.target();
        let mut child = match self.command(order).spawn() {
            Ok(child) => child,
            Err(error) => return not_started(&program, &error),
        };
        let (sender, receiver) = channel();
        let mut streams = Streams::default();
        read_aside(child.stdout.take(), order.limit, Stream::Out, &sender);
        read_aside(child.stderr.take(), STDERR, Stream::Error, &sender);
        drop(sender);
        let end = attend(&mut child, &receiver, &mut streams, order);
        if !matches!(end, End::Exited(_)) {
            stop(&mut child);
        }
        streams.gathered(end)
    }
}

impl Exec<String> {
    fn command(&self, order: &Order) -> Command {
        let mut words = self.argv.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .env_clear()
            .envs(environment(&order.environment))
            .env("LANG", "C");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }
}

/// The variables that a command sees.
fn environment(further: &[GlobMatcher]) -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(move |(name, _)| {
        let name = name.to_string_lossy();
        ENVIRONMENT.contains(&name.as_ref()) || further.iter().any(|glob| glob.is_match(name.as_ref()))
    })
}

fn not_started(program: &str, error: &io::Error) -> Gathered {
    match error.kind() {
        ErrorKind::NotFound => Gathered::nothing(Outcome::NotRun, format!("there is no program `{program}` here")),
        ErrorKind::PermissionDenied => Gathered::nothing(Outcome::Denied, format!("`{program}` may not be run")),
        _ => Gathered::nothing(Outcome::Failed, format!("`{program}` cannot be started: {error}")),
    }
}

enum Stream {
    Out,
    Error,
}

/// What came over a stream until it ended or was full.
struct Heard {
    stream: Stream,
    bytes: Vec<u8>,
    full: bool,
}

#[derive(Default)]
struct Streams {
    out: Option<Heard>,
    error: Option<Heard>,
}

/// Reads a stream on a thread of its own. One that is full is closed, which ends most programs.
fn read_aside(stream: Option<impl Read + Send + 'static>, limit: u64, which: Stream, sender: &Sender<Heard>) {
    let Some(stream) = stream else { return };
    let sender = sender.clone();
    thread::spawn(move || {
        let (mut bytes, mut limited) = (Vec::new(), stream.take(limit));
        // What was read before an error is what there is.
        let _ = limited.read_to_end(&mut bytes);
        let mut stream = limited.into_inner();
        let full = bytes.len() as u64 == limit && stream.read(&mut [0]).is_ok_and(|count| count > 0);
        if full && matches!(which, Stream::Error) {
            // The program goes on while somebody listens.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        // Whoever asked may have gone.
        let _ = sender.send(Heard {
            stream: which,
            bytes,
            full,
        });
    });
}

/// How a command came to its end.
enum End {
    Exited(ExitStatus),
    Full,
    Late,
    Cancelled,
    Lost(io::Error),
}

/// Waits for a command, its time to be up, its output to be full or the user to want an end.
fn attend(child: &mut Child, receiver: &Receiver<Heard>, streams: &mut Streams, order: &Order) -> End {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                drain(receiver, streams, Instant::now() + TAIL);
                return End::Exited(status);
            }
            Ok(None) => {}
            Err(error) => return End::Lost(error),
        }
        if order.is_cancelled() {
            return End::Cancelled;
        }
        if order.left().is_zero() {
            return End::Late;
        }
        match receiver.recv_timeout(TICK.min(order.left())) {
            Ok(heard) => streams.take(heard),
            // Both streams have ended; the program may go on a little.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK.min(order.left())),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if streams.out.as_ref().is_some_and(|out| out.full) {
            return End::Full;
        }
    }
}

/// Takes what is still under way: a child of the program may hold a stream open for long.
fn drain(receiver: &Receiver<Heard>, streams: &mut Streams, until: Instant) {
    while let Ok(heard) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        streams.take(heard);
    }
}

/// Ends a command and all that it has started.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself just now.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

impl Streams {
    fn take(&mut self, heard: Heard) {
        match heard.stream {
            Stream::Out => self.out = Some(heard),
            Stream::Error => self.error = Some(heard),
        }
    }

    fn gathered(self, end: End) -> Gathered {
        let stderr = self
            .error
            .map(|heard| String::from_utf8_lossy(&heard.bytes).into_owned());
        let stderr = stderr.filter(|text| !text.trim().is_empty());
        let first = stderr
            .as_deref()
            .and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        let (out, full) = self.out.map_or((None, false), |heard| (Some(heard.bytes), heard.full));
        let gathered = match &end {
            End::Exited(status) if status.success() => match out {
                Some(bytes) => Gathered::whole(bytes),
                None => Gathered::nothing(Outcome::Failed, "its output did not end with it"),
            },
            End::Exited(status) => Gathered::nothing(Outcome::Failed, ended(*status, first)),
            End::Full => Gathered::whole(out.unwrap_or_default()),
            End::Late => Gathered::nothing(Outcome::TimedOut, "it did not end in time and was stopped"),
            End::Cancelled => Gathered::nothing(Outcome::NotRun, "interrupted"),
            End::Lost(error) => Gathered::nothing(Outcome::Failed, error.to_string()),
        };
        let exit = match end {
            End::Exited(status) => status.code(),
            _ => None,
        };
        let reason = gathered
            .reason
            .or(first.filter(|_| gathered.outcome == Outcome::Empty).map(str::to_owned));
        Gathered {
            exit,
            reason,
            truncated: full,
            stderr,
            ..gathered
        }
    }
}

/// How a command failed, in one line.
fn ended(status: ExitStatus, first: Option<&str>) -> String {
    let how = match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    };
    match first {
        Some(line) => format!("{how}: {}", line.trim().chars().take(300).collect::<String>()),
        None => how,
    }
}
