//! TLS handshakes: which certificates the other side shows, and whether they hold.

use crate::report::model::Outcome;
use crate::rulebook::spec::TlsSpec;
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order};

/// A TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls<T> {
    /// Where to, as `host:port`.
    pub connect: T,
    /// The name to ask for; none: the host.
    pub server_name: Option<T>,
}

impl<T> Tls<T> {
    pub(super) fn compile(spec: &TlsSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Tls<T>> {
        let connect = words(&spec.connect);
        let server_name = spec.server_name.as_ref().map(words);
        Some(Tls {
            connect: connect?,
            server_name: server_name.map_or(Some(None), |name| name.map(Some))?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Tls<U>, E> {
        Ok(Tls {
            connect: change(&self.connect)?,
            server_name: self.server_name.as_ref().map(change).transpose()?,
        })
    }
}

impl Kind for Tls<String> {
    fn show(&self) -> String {
        let name = self
            .server_name
            .as_ref()
            .map(|name| format!(" as {name}"))
            .unwrap_or_default();
        format!("shake hands with {}{name}", self.connect)
    }

    fn target(&self) -> String {
        self.connect.to_ascii_lowercase()
    }

    fn gather(&self, _: &Order) -> Gathered {
        Gathered::nothing(Outcome::NotRun, "this version shakes no hands")
    }
}
