//! Names: what they resolve to. That a name does not exist is an answer, and so a document.
//!
//! The servers of `/etc/resolv.conf` are asked, or the one that the probe names, over UDP, and over TCP where an answer is too long for that.
//! Unlike the resolver of the system this tells "no such name" from "no records" and from "no answer". `/etc/hosts` plays no part.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};

use crate::rulebook::spec::{DnsRecord, DnsSpec};
use crate::rulebook::text::Text;

use super::{Gathered, Kind, Order, document};

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

/// What a DNS probe has found (`docs/probes.md`).
#[derive(Debug, Serialize)]
struct Document<'d> {
    name: &'d str,
    record: &'static str,
    result: Answered,
    /// The name that the answer is about, where a domain of the system was added.
    asked: Option<String>,
    /// The server that gave the answer.
    server: Option<String>,
    /// Addresses, names or texts; of SRV objects. Sorted.
    records: Vec<Value>,
    error: Option<String>,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Answered {
    /// There are records.
    Resolved,
    /// The name is there, without such records.
    NoRecords,
    /// There is no such name.
    NoSuchName,
    /// The server does not want to answer.
    Refused,
    /// No answer in time.
    TimedOut,
    /// Nobody listens, or there is no way to the server.
    Unreachable,
    /// Anything else.
    Failed,
}

/// Why there is no answer.
type Trouble = (Answered, String);

/// Where the system's servers stand.
const SYSTEM: &str = "/etc/resolv.conf";
/// How long one try over UDP waits: packets get lost.
const TRY: Duration = Duration::from_secs(2);
/// Most bytes of an answer over UDP.
const DATAGRAM: usize = 4096;

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
        let server = self.server.as_ref().map(|server| format!(" at {server}"));
        format!("resolve {} {}{}", self.name, self.record, server.unwrap_or_default())
    }

    fn target(&self) -> String {
        self.server.clone().unwrap_or_else(|| self.name.to_ascii_lowercase())
    }

    fn gather(&self, order: &Order) -> Gathered {
        let mut found = Document {
            name: &self.name,
            record: self.record.as_str(),
            result: Answered::NoSuchName,
            asked: None,
            server: None,
            records: Vec::new(),
            error: None,
        };
        match self.resolve(order, &mut found) {
            Ok(result) => found.result = result,
            Err((result, error)) => (found.result, found.error) = (result, Some(error)),
        }
        document(&found)
    }
}

impl Dns<String> {
    /// Asks for the name as it is, or with the domains of the system, until there are records.
    fn resolve(&self, order: &Order, found: &mut Document<'_>) -> Result<Answered, Trouble> {
        let system = System::read();
        let servers = match &self.server {
            Some(server) => address(server)?,
            None => system.servers.clone(),
        };
        let mut nothing = Answered::NoSuchName;
        for name in system.names(&self.name, self.server.is_some()) {
            let (answer, server) = ask(&name, self.record, &servers, order)?;
            found.server = Some(server.to_string());
            let packet =
                Packet::parse(&answer).map_err(|error| (Answered::Failed, format!("the answer is none: {error:?}")))?;
            match packet.rcode() {
                RCODE::NoError => {
                    let records = packet
                        .answers
                        .iter()
                        .filter_map(|record| value(&record.rdata, self.record));
                    found.records = records.collect();
                    found.records.sort_by_cached_key(Value::to_string);
                    if !found.records.is_empty() {
                        found.asked = Some(name).filter(|name| *name != self.name);
                        return Ok(Answered::Resolved);
                    }
                    nothing = Answered::NoRecords;
                }
                RCODE::NameError => {}
                RCODE::Refused => return Err((Answered::Refused, format!("{server} refuses to answer"))),
                other => return Err((Answered::Failed, format!("{server} answers {other:?}"))),
            }
        }
        Ok(nothing)
    }
}

/// What the system says about servers and domains.
struct System {
    servers: Vec<SocketAddr>,
    search: Vec<String>,
    dots: usize,
}

impl System {
    fn read() -> System {
        let text = fs::read(SYSTEM).unwrap_or_default();
        let (config, _) = resolv_conf::Config::parse_with_errors(&text);
        let servers = config
            .nameservers
            .iter()
            .map(|server| SocketAddr::new(IpAddr::from(server), 53));
        System {
            servers: servers.collect(),
            search: config.get_last_search_or_domain().cloned().collect(),
            dots: usize::try_from(config.ndots).unwrap_or(1),
        }
    }

    /// The names to ask for, in the order of the system's resolver: one with few dots gets the domains first.
    fn names(&self, name: &str, alone: bool) -> Vec<String> {
        if alone || name.ends_with('.') {
            return vec![name.trim_end_matches('.').to_owned()];
        }
        let mut names: Vec<String> = self.search.iter().map(|domain| format!("{name}.{domain}")).collect();
        match name.matches('.').count() >= self.dots {
            true => names.insert(0, name.to_owned()),
            false => names.push(name.to_owned()),
        }
        names
    }
}

/// The address of a server, as `host` or `host:port`.
fn address(server: &str) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(ip) = server.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, 53)]);
    }
    let plain = server
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let found = if plain {
        server.to_socket_addrs()
    } else {
        (server, 53).to_socket_addrs()
    };
    let found = found.map_err(|error| (Answered::Unreachable, format!("the server `{server}`: {error}")))?;
    Ok(found.collect())
}

/// Asks servers one after another, twice each, until one answers.
fn ask(name: &str, record: DnsRecord, servers: &[SocketAddr], order: &Order) -> Result<(Vec<u8>, SocketAddr), Trouble> {
    let mut last = (Answered::Unreachable, "the system names no server".to_owned());
    for server in servers.iter().chain(servers) {
        if order.left().is_zero() || order.is_cancelled() {
            break;
        }
        match ask_one(name, record, *server, order) {
            Ok(answer) => return Ok((answer, *server)),
            Err(error) => last = trouble(*server, &error),
        }
    }
    Err(last)
}

fn trouble(server: SocketAddr, error: &io::Error) -> Trouble {
    let result = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Answered::TimedOut,
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Answered::Unreachable
        }
        _ => Answered::Failed,
    };
    match result {
        Answered::TimedOut => (result, format!("{server} does not answer")),
        _ => (result, format!("{server}: {error}")),
    }
}

fn ask_one(name: &str, record: DnsRecord, server: SocketAddr, order: &Order) -> io::Result<Vec<u8>> {
    let (id, query) = query(name, record).map_err(|reason| io::Error::new(ErrorKind::InvalidInput, reason))?;
    let time = order.left().min(TRY).max(Duration::from_millis(1));
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(time))?;
    socket.send(&query)?;
    let mut answer = vec![0; DATAGRAM];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    match Packet::parse(&answer) {
        Ok(packet) if packet.id() != id => Err(io::Error::new(ErrorKind::InvalidData, "an answer to another question")),
        Ok(packet) if packet.has_flags(PacketFlag::TRUNCATION) => over_tcp(&query, server, time),
        _ => Ok(answer),
    }
}

fn over_tcp(query: &[u8], server: SocketAddr, time: Duration) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, time)?;
    stream.set_read_timeout(Some(time))?;
    stream.set_write_timeout(Some(time))?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// A query, with its number.
fn query(name: &str, record: DnsRecord) -> Result<(u16, Vec<u8>), String> {
    let name = Name::new(name).map_err(|error| format!("`{name}` is no name: {error:?}"))?;
    let record = match record {
        DnsRecord::A => TYPE::A,
        DnsRecord::Aaaa => TYPE::AAAA,
        DnsRecord::Cname => TYPE::CNAME,
        DnsRecord::Srv => TYPE::SRV,
        DnsRecord::Txt => TYPE::TXT,
    };
    // A number that others cannot guess makes forged answers hard.
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let id = u16::from_be_bytes(random);
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet
        .questions
        .push(Question::new(name, record.into(), CLASS::IN.into(), false));
    let bytes = packet.build_bytes_vec().map_err(|error| format!("{error:?}"))?;
    Ok((id, bytes))
}

/// A record of the type that was asked for; others, such as the aliases on the way, are left out.
fn value(data: &RData<'_>, record: DnsRecord) -> Option<Value> {
    Some(match (data, record) {
        (RData::A(a), DnsRecord::A) => json!(Ipv4Addr::from(a.address).to_string()),
        (RData::AAAA(a), DnsRecord::Aaaa) => json!(Ipv6Addr::from(a.address).to_string()),
        (RData::CNAME(name), DnsRecord::Cname) => json!(name.0.to_string()),
        (RData::SRV(srv), DnsRecord::Srv) => json!({
            "target": srv.target.to_string(),
            "port": srv.port,
            "priority": srv.priority,
            "weight": srv.weight,
        }),
        (RData::TXT(text), DnsRecord::Txt) => json!(String::try_from(text.clone()).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_dots_mean_that_a_domain_is_missing() {
        let system = System {
            servers: Vec::new(),
            search: vec!["ns.svc".into(), "svc".into()],
            dots: 2,
        };
        assert_eq!(system.names("web", false), ["web.ns.svc", "web.svc", "web"]);
        assert_eq!(system.names("a.b.example", false)[0], "a.b.example");
        assert_eq!(system.names("web.", false), ["web"]);
        assert_eq!(system.names("web", true), ["web"]);
    }

    #[test]
    fn servers_are_told_with_and_without_their_port() {
        let one = |server| address(server).unwrap()[0].to_string();
        assert_eq!(one("10.0.0.1"), "10.0.0.1:53");
        assert_eq!(one("10.0.0.1:54"), "10.0.0.1:54");
        assert_eq!(one("::1"), "[::1]:53");
        assert_eq!(one("[::1]:54"), "[::1]:54");
    }
}
