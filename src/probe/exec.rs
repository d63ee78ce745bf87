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

/// Most bytes of standard error that are kept: half of them from its beginning, half from its end.
const STDERR: usize = 64 * 1024;
/// How often a command is looked after.
const TICK: Duration = Duration::from_millis(20);
/// How long what a command has written may take to arrive once it has ended.
const TAIL: Duration = Duration::from_secs(1);
/// The same for one that was stopped.
const LAST_WORDS: Duration = Duration::from_millis(200);

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
        read_output(child.stdout.take(), order.limit, &sender);
        read_errors(child.stderr.take(), &sender);
        drop(sender);
        let end = attend(&mut child, &receiver, &mut streams, order);
        if !matches!(end, End::Exited(_)) {
            stop(&mut child);
            // What it has said until then tells why.
            drain(&receiver, &mut streams, Instant::now() + LAST_WORDS);
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

/// What came over a stream until it ended or was full.
enum Heard {
    Out { bytes: Vec<u8>, full: bool },
    Error(String),
}

#[derive(Default)]
struct Streams {
    out: Option<(Vec<u8>, bool)>,
    error: Option<String>,
}

/// Reads a stream on a thread of its own, and hands over what was heard.
fn read_aside<S: Read + Send + 'static>(
    stream: Option<S>,
    sender: &Sender<Heard>,
    read: impl FnOnce(S) -> Heard + Send + 'static,
) {
    let Some(stream) = stream else { return };
    let sender = sender.clone();
    // Whoever asked may have gone.
    thread::spawn(move || drop(sender.send(read(stream))));
}

/// Reads what a command puts out. A stream that is full is closed, which ends most programs.
fn read_output(stream: Option<impl Read + Send + 'static>, limit: u64, sender: &Sender<Heard>) {
    read_aside(stream, sender, move |stream| {
        let (mut bytes, mut limited) = (Vec::new(), stream.take(limit));
        // What was read before an error is what there is.
        let _ = limited.read_to_end(&mut bytes);
        let full = bytes.len() as u64 == limit && limited.into_inner().read(&mut [0]).is_ok_and(|count| count > 0);
        Heard::Out { bytes, full }
    });
}

/// Reads what a command has to complain of, to its end: the program goes on while somebody listens.
fn read_errors(stream: Option<impl Read + Send + 'static>, sender: &Sender<Heard>) {
    read_aside(stream, sender, |mut stream| {
        let (mut first, mut last, mut left_out) = (Vec::new(), Vec::new(), 0);
        let _ = stream.by_ref().take(STDERR as u64 / 2).read_to_end(&mut first);
        let mut chunk = [0; 8 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            last.extend_from_slice(&chunk[..count]);
            let over = last.len().saturating_sub(STDERR / 2);
            left_out += last.drain(..over).count();
        }
        if left_out > 0 {
            first.extend_from_slice(format!("\n[{left_out} bytes left out]\n").as_bytes());
        }
        first.append(&mut last);
        Heard::Error(String::from_utf8_lossy(&first).into_owned())
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
                // Whoever writes to a stream that was closed dies of it.
                return if streams.is_full() {
                    End::Full
                } else {
                    End::Exited(status)
                };
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
        if streams.is_full() {
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
    /// Whether all that may be kept of the output is there, and there was more.
    fn is_full(&self) -> bool {
        self.out.as_ref().is_some_and(|(_, full)| *full)
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Out { bytes, full } => self.out = Some((bytes, full)),
            Heard::Error(text) => self.error = Some(text),
        }
    }

    fn gathered(self, end: End) -> Gathered {
        let stderr = self.error.filter(|text| !text.trim().is_empty());
        let first = stderr
            .as_deref()
            .and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        let (out, full) = self.out.map_or((None, false), |(bytes, full)| (Some(bytes), full));
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
