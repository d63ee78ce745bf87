//! Connections: whether somebody listens. A refusal is an answer, and so a document.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::rulebook::spec::TcpSpec;
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order, document};

/// A TCP connection, made and closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tcp<T> {
    /// Where to, as `host:port`.
    pub connect: T,
}

/// What a TCP probe has found (`docs/probes.md`).
#[derive(Debug, Serialize)]
struct Document<'d> {
    address: &'d str,
    result: Reached,
    error: Option<String>,
    /// Each address that the name stands for, as far as they were tried.
    tried: Vec<Tried>,
}

/// One address.
#[derive(Debug, Serialize)]
struct Tried {
    address: String,
    result: Reached,
    error: Option<String>,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Somebody listens.
    Connected,
    /// The machine is there, and nobody listens.
    Refused,
    /// No answer in time.
    TimedOut,
    /// There is no way to the machine.
    Unreachable,
    /// The name stands for no address.
    Unresolved,
    /// Anything else.
    Failed,
}

impl Reached {
    /// The word for it, as documents have it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Reached::Connected => "connected",
            Reached::Refused => "refused",
            Reached::TimedOut => "timed-out",
            Reached::Unreachable => "unreachable",
            Reached::Unresolved => "unresolved",
            Reached::Failed => "failed",
        }
    }
}

impl Serialize for Reached {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<T> Tcp<T> {
    pub(super) fn compile(spec: &TcpSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Tcp<T>> {
        Some(Tcp {
            connect: words(&spec.connect)?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Tcp<U>, E> {
        Ok(Tcp {
            connect: change(&self.connect)?,
        })
    }
}

impl Kind for Tcp<String> {
    fn show(&self) -> String {
        format!("connect to {}", self.connect)
    }

    fn target(&self) -> String {
        self.connect.to_ascii_lowercase()
    }

    fn gather(&self, order: &Order) -> Gathered {
        let (address, tried) = (self.connect.as_str(), connect(&self.connect, order).1);
        let last = tried.last();
        document(&Document {
            address,
            result: last.map_or(Reached::Unresolved, |last| last.result),
            error: last.map_or(Some("the name stands for no address".into()), |last| last.error.clone()),
            tried: tried.into_iter().filter(|tried| !tried.address.is_empty()).collect(),
        })
    }
}

/// Connects to the first address of `to` that answers; what became of each.
fn connect(to: &str, order: &Order) -> (Option<TcpStream>, Vec<Tried>) {
    let addresses = match to.to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<_>>(),
        Err(error) => return (None, vec![Tried::of(None, &error)]),
    };
    let mut tried = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        // One that does not answer leaves time for the others.
        let rest = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let time = (order.left() / rest).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, time) {
            Ok(stream) => {
                tried.push(Tried {
                    address: address.to_string(),
                    result: Reached::Connected,
                    error: None,
                });
                return (Some(stream), tried);
            }
            Err(error) => tried.push(Tried::of(Some(address), &error)),
        }
    }
    (None, tried)
}

/// A connection, or how it failed.
pub(super) fn reach(to: &str, order: &Order) -> Result<TcpStream, (Reached, String)> {
    let (stream, tried) = connect(to, order);
    let last = tried.into_iter().next_back();
    stream.ok_or_else(|| match last {
        Some(last) => (last.result, last.error.unwrap_or_default()),
        None => (Reached::Unresolved, "the name stands for no address".into()),
    })
}

impl Tried {
    fn of(address: Option<&SocketAddr>, error: &io::Error) -> Tried {
        let result = match (address, error.kind()) {
            (None, _) => Reached::Unresolved,
            (_, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => Reached::Refused,
            (_, ErrorKind::TimedOut | ErrorKind::WouldBlock) => Reached::TimedOut,
            (
                _,
                ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NetworkDown
                | ErrorKind::AddrNotAvailable,
            ) => Reached::Unreachable,
            _ => Reached::Failed,
        };
        Tried {
            address: address.map(SocketAddr::to_string).unwrap_or_default(),
            result,
            error: Some(error.to_string()),
        }
    }
}
