//! Requests: GET and nothing else, over TCP, TLS or a unix socket.

use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use ureq::Agent;
use ureq::http::{Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::report::model::Outcome;
use crate::rulebook::spec::HttpSpec;
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order};

/// A request that only reads. `http+unix://%2Frun%2Fapp.sock/path` asks over a unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http<T> {
    /// What to get.
    pub url: T,
    /// Headers to send.
    pub headers: Vec<(String, T)>,
}

/// Most redirects that are followed.
const REDIRECTS: usize = 5;
/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Most bytes of the answer of a failed request, of which the first line is told.
const TOLD: u64 = 4096;
/// Most characters of that line.
const LINE: usize = 200;
/// Prefix of URLs that lead to a unix socket.
const UNIX: &str = "http+unix://";

impl<T> Http<T> {
    pub(super) fn compile(spec: &HttpSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Http<T>> {
        let url = words(&spec.get);
        let headers: Vec<_> = spec
            .headers
            .iter()
            .map(|(name, value)| Some((name.value.clone(), words(value)?)))
            .collect();
        Some(Http {
            url: url?,
            headers: headers.into_iter().collect::<Option<_>>()?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Http<U>, E> {
        let url = change(&self.url)?;
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), change(value)?)));
        Ok(Http {
            url,
            headers: headers.collect::<Result<_, E>>()?,
        })
    }
}

impl Kind for Http<String> {
    fn show(&self) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        match names.as_slice() {
            [] => format!("GET {}", self.url),
            names => format!("GET {} (with {})", self.url, names.join(", ")),
        }
    }

    fn target(&self) -> String {
        target(&self.url)
    }

    fn gather(&self, order: &Order) -> Gathered {
        let (mut url, own) = (self.url.clone(), self.target());
        for _ in 0..=REDIRECTS {
            let headers = if target(&url) == own {
                self.headers.as_slice()
            } else {
                &[]
            };
            let to = match ask(&url, headers, order) {
                Answer::Done(gathered) => return gathered,
                Answer::Redirect(to) => joined(&url, &to),
            };
            let leads = target(&to);
            if leads != own && !(order.permits)(&leads) {
                return Gathered::nothing(
                    Outcome::Denied,
                    format!("redirected to `{to}`, which is outside the plan"),
                );
            }
            url = to;
        }
        Gathered::nothing(Outcome::Failed, format!("more than {REDIRECTS} redirects"))
    }
}

/// Where a URL leads, as `host:port` or `unix:PATH`; works on one with holes too.
fn target(url: &str) -> String {
    if let Some((socket, _)) = unix(url) {
        return format!("unix:{socket}");
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.to_ascii_lowercase();
    let after = host.rsplit_once(']').map_or(host.as_str(), |(_, after)| after);
    match (after.contains(':'), scheme) {
        (true, _) => host,
        (false, "https") => format!("{host}:443"),
        (false, _) => format!("{host}:80"),
    }
}

/// The socket and the path of a URL that leads to a unix socket.
fn unix(url: &str) -> Option<(String, &str)> {
    let rest = url.strip_prefix(UNIX)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let socket = percent_decode_str(&rest[..end]).decode_utf8_lossy().into_owned();
    Some((socket, &rest[end..]))
}

/// The URL that a redirect from `base` names.
fn joined(base: &str, to: &str) -> String {
    if to.contains("://") {
        return to.to_owned();
    }
    let scheme = base.find("://").map_or(0, |at| at + 3);
    let root = base[scheme..]
        .find(['/', '?', '#'])
        .map_or(base.len(), |at| scheme + at);
    if let Some(rest) = to.strip_prefix("//") {
        return format!("{}{rest}", &base[..scheme]);
    }
    if to.starts_with('/') {
        return format!("{}{to}", &base[..root]);
    }
    let path = base.split(['?', '#']).next().unwrap_or(base);
    let folder = path.rfind('/').filter(|at| *at >= root).map_or(root, |at| at);
    format!("{}/{to}", &base[..folder])
}

enum Answer {
    Done(Gathered),
    Redirect(String),
}

/// Sends one request.
fn ask(url: &str, headers: &[(String, String)], order: &Order) -> Answer {
    let (agent, url) = match agent(url, order) {
        Ok(ready) => ready,
        Err(gathered) => return Answer::Done(*gathered),
    };
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    match request.call() {
        Ok(response) => answer(response, order),
        Err(error) => Answer::Done(failure(&error, "", order)),
    }
}

/// Who sends the request, and the URL as it is sent.
fn agent(url: &str, order: &Order) -> Result<(Agent, String), Box<Gathered>> {
    let failed = |reason: String| Box::new(Gathered::nothing(Outcome::NotRun, reason));
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(roots())).build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // What a proxy of the environment connects to is in no plan.
        .proxy(None)
        .tls_config(tls)
        .timeout_global(Some(order.left().max(Duration::from_millis(1))))
        .timeout_connect(Some(order.left().clamp(Duration::from_millis(1), CONNECT)))
        .user_agent(concat!("casebook/", env!("CARGO_PKG_VERSION")))
        .build();
    if let Some((socket, path)) = unix(url) {
        let path = path.strip_prefix('/').unwrap_or(path);
        return over_socket(config, socket)
            .map(|agent| (agent, format!("http://localhost/{path}")))
            .map_err(failed);
    }
    let parsed: Uri = url
        .parse()
        .map_err(|error| failed(format!("`{url}` is no URL: {error}")))?;
    match (parsed.scheme_str(), parsed.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => {
            Ok((Agent::new_with_config(config), url.to_owned()))
        }
        _ => Err(failed(format!("`{url}` is no URL of http, https or http+unix"))),
    }
}

#[cfg(unix)]
fn over_socket(config: ureq::config::Config, socket: String) -> Result<Agent, String> {
    use ureq::unversioned::resolver::DefaultResolver;
    let connector = super::socket::UnixConnector::new(socket);
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

#[cfg(not(unix))]
fn over_socket(_: ureq::config::Config, _: String) -> Result<Agent, String> {
    Err("this system has no unix sockets".into())
}

/// The certificates that this machine trusts, read when first needed.
fn roots() -> Arc<Vec<Certificate<'static>>> {
    static ROOTS: OnceLock<Arc<Vec<Certificate<'static>>>> = OnceLock::new();
    let load = || {
        let found = rustls_native_certs::load_native_certs().certs;
        Arc::new(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
    };
    Arc::clone(ROOTS.get_or_init(load))
}

fn answer(mut response: Response<ureq::Body>, order: &Order) -> Answer {
    let status = response.status();
    let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    if let (true, Some(to)) = (status.is_redirection(), location) {
        return Answer::Redirect(to.to_owned());
    }
    let reader = response.body_mut().with_config().limit(u64::MAX).reader();
    let gathered = match status.as_u16() {
        200..=299 => body(reader, order),
        code => refused(code, status.canonical_reason(), reader),
    };
    Answer::Done(Gathered {
        http: Some(status.as_u16()),
        ..gathered
    })
}

/// The body of an answer, up to the limit.
fn body(mut reader: impl Read, order: &Order) -> Gathered {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        if order.is_cancelled() {
            return Gathered::nothing(Outcome::NotRun, "interrupted");
        }
        let count = match reader.read(&mut chunk) {
            Ok(0) => return Gathered::whole(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                let so_far = format!("after {} bytes of the answer: ", bytes.len());
                return failure(&ureq::Error::from(error), &so_far, order);
            }
        };
        let room = usize::try_from(order.limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..count.min(room)]);
        if count > room {
            return Gathered {
                truncated: true,
                ..Gathered::whole(bytes)
            };
        }
    }
}

/// An answer that says no.
fn refused(code: u16, words: Option<&str>, reader: impl Read) -> Gathered {
    let outcome = match code {
        401 | 403 | 407 => Outcome::Denied,
        404 | 410 => Outcome::Absent,
        _ => Outcome::Failed,
    };
    let mut told = Vec::new();
    // Whatever can be read of it is enough.
    let _ = reader.take(TOLD).read_to_end(&mut told);
    let told = String::from_utf8_lossy(&told);
    let line = told.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.map(|line| format!(": {}", line.chars().take(LINE).collect::<String>()));
    let words = words.map(|words| format!(" {words}")).unwrap_or_default();
    Gathered::nothing(outcome, format!("HTTP {code}{words}{}", line.unwrap_or_default()))
}

/// What an error means; `so_far` says how far it came.
fn failure(error: &ureq::Error, so_far: &str, order: &Order) -> Gathered {
    let (outcome, reason) = match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            (Outcome::TimedOut, "no connection in time".to_owned())
        }
        ureq::Error::Timeout(_) => (Outcome::TimedOut, "no whole answer in time".to_owned()),
        ureq::Error::HostNotFound => (Outcome::Unreachable, UNRESOLVED.to_owned()),
        ureq::Error::ConnectionFailed => (Outcome::Unreachable, "no connection".into()),
        ureq::Error::Io(error) => of_io(error, !so_far.is_empty()),
        ureq::Error::Rustls(error) => (Outcome::Failed, format!("TLS: {error}")),
        other => (Outcome::Failed, other.to_string()),
    };
    let waited = match outcome {
        Outcome::TimedOut if order.left().is_zero() => " (its time is up)",
        _ => "",
    };
    Gathered::nothing(outcome, format!("{so_far}{reason}{waited}"))
}

const UNRESOLVED: &str = "the name of the host does not resolve";

/// Whether the system's resolver says so: the standard library has no kind for it, only these words.
fn is_unresolved(error: &io::Error) -> bool {
    error.to_string().starts_with("failed to lookup address information")
}

fn of_io(error: &io::Error, connected: bool) -> (Outcome, String) {
    let outcome = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Outcome::TimedOut,
        _ if connected => Outcome::Failed,
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::NotFound => Outcome::Unreachable,
        ErrorKind::PermissionDenied => Outcome::Denied,
        _ if is_unresolved(error) => Outcome::Unreachable,
        _ => Outcome::Failed,
    };
    let reason = match error.kind() {
        _ if is_unresolved(error) => UNRESOLVED.to_owned(),
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ErrorKind::UnexpectedEof => "the answer broke off".to_owned(),
        ErrorKind::NotFound => "there is no such socket".to_owned(),
        _ => error.to_string(),
    };
    (outcome, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_hosts_with_their_ports() {
        for (url, expected) in [
            ("http://a/x", "a:80"),
            ("https://A.example/x?y#z", "a.example:443"),
            ("http://u:p@a:8080", "a:8080"),
            ("http://[::1]/", "[::1]:80"),
            ("http://[::1]:9/", "[::1]:9"),
            ("http+unix://%2Frun%2Fa.sock/x", "unix:/run/a.sock"),
            ("http://<pod>:15/x", "<pod>:15"),
        ] {
            assert_eq!(target(url), expected, "{url}");
        }
    }

    #[test]
    fn redirects_are_joined_to_where_they_come_from() {
        for (base, to, expected) in [
            ("http://a/x/y?z", "http://b/", "http://b/"),
            ("http://a/x/y?z", "//b/q", "http://b/q"),
            ("http://a/x/y?z", "/q", "http://a/q"),
            ("http://a/x/y?z", "q", "http://a/x/q"),
            ("http://a", "q", "http://a/q"),
            ("http://a?z", "/q", "http://a/q"),
        ] {
            assert_eq!(joined(base, to), expected, "{base} {to}");
        }
    }
}
