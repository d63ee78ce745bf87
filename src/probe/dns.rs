//! Names: what they resolve to. That a name does not exist is an answer, and so a document.

use crate::report::model::Outcome;
use crate::rulebook::spec::{DnsRecord, DnsSpec};
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order};

/// A DNS query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns<T> {
    /// The name to resolve.
    pub name: T,
    /// The type of the records.
    pub record: DnsRecord,
    /// The server to ask; none: those of the system.
    pub server: Option<T>,
}

impl<T> Dns<T> {
    pub(super) fn compile(spec: &DnsSpec, words: &mut impl FnMut(&Text) -> Option<T>) -> Option<Dns<T>> {
        let name = words(&spec.name);
        let server = spec.server.as_ref().map(words);
        Some(Dns {
            name: name?,
            record: spec.record.unwrap_or(DnsRecord::A),
            server: server.map_or(Some(None), |server| server.map(Some))?,
        })
    }

    pub(super) fn map<'a, U, E>(&'a self, change: &mut impl FnMut(&'a T) -> Result<U, E>) -> Result<Dns<U>, E> {
        Ok(Dns {
            name: change(&self.name)?,
            record: self.record,
            server: self.server.as_ref().map(change).transpose()?,
        })
    }
}

impl Kind for Dns<String> {
    fn show(&self) -> String {
        let server = self
            .server
            .as_ref()
            .map(|server| format!(" at {server}"))
            .unwrap_or_default();
        format!("resolve {} {}{server}", self.name, self.record)
    }

    fn target(&self) -> String {
        self.server.clone().unwrap_or_else(|| self.name.to_ascii_lowercase())
    }

    fn gather(&self, _: &Order) -> Gathered {
        Gathered::nothing(Outcome::NotRun, "this version resolves no names")
    }
}
