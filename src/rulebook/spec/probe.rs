//! Probes: how items of evidence are had, and how they are read.

use super::{Command, ItemId, Period, Size, Template};
use crate::diagnostic::Problem;
use crate::rulebook::decode::{Decoder, Map, ObjectSchema, OneOrMany};
use crate::rulebook::text::Text;
use crate::rulebook::yaml::Yaml;

spec! {
    /// How one item of evidence is had, live or from a bundle, and how it is read
    pub struct ProbeSpec as "probe" {
        /// What the item tells
        pub about: Option<Text>,
        /// Kind of subject that has such an item; the bundle as a whole where there is none
        pub per: Option<ItemId>,
        /// How it is had on a live system; where there is none, it can only be captured
        pub live: Option<LiveSpec>,
        /// Files that hold it in a bundle, as globs below the subject's folder, the best first
        pub captured: OneOrMany<Text>,
        /// How its bytes are read
        pub parse: Option<ParserSpec>,
        /// JSONPath that a whole item matches; without a match it is no such item, and unknown
        pub shape: Option<Text>,
        /// JSONPaths of times that the target wrote: the capture was not before the newest
        pub clock: OneOrMany<Text>,
        /// Time after which a live run takes the item once more; facts of the first are under `before`
        pub again: Option<Period>,
        /// Longest time that a live run waits for it
        pub timeout: Option<Period>,
        /// Most bytes that a live run keeps of it; what is cut off counts as truncated
        pub limit: Option<Size>,
    }
    shape shape_probe
}

choice! {
    /// How an item is had on a live system
    pub enum LiveSpec in parent {
        /// A request
        Http(HttpSpec) = "http",
        /// A command: a list of words, never a shell
        Exec(Command) = "exec",
        /// A file of this machine
        File(Template) = "file",
        /// A connection; how it went is the document: `result` is `connected`, `refused`, `timed-out` and so on
        Tcp(TcpSpec) = "tcp",
        /// A name to resolve; the answer is the document, with `result` and `records`
        Dns(DnsSpec) = "dns",
        /// A TLS handshake; the document has `result`, `verified` and the `chain` of certificates
        Tls(TlsSpec) = "tls",
    }
}

spec! {
    /// An HTTP request that only reads
    pub struct HttpSpec as "http probe" or "get" {
        /// URL to get
        pub get: Template,
        /// Headers to send
        pub headers: Map<Text, Template>,
    }
}

spec! {
    /// A TCP connection
    pub struct TcpSpec as "tcp probe" or "connect" {
        /// Where to, as `host:port`
        pub connect: Template,
    }
}

spec! {
    /// A DNS query
    pub struct DnsSpec as "dns probe" or "name" {
        /// Name to resolve
        pub name: Template,
        /// Type of the records
        pub record: Option<DnsRecord>,
        /// Server to ask, as `host` or `host:port`; the system's where there is none
        pub server: Option<Template>,
    }
}

words! {
    /// Type of DNS records
    pub enum DnsRecord as "type of DNS records" {
        /// IPv4 addresses
        A = "A",
        /// IPv6 addresses
        Aaaa = "AAAA",
        /// An alias
        Cname = "CNAME",
        /// Servers of a service
        Srv = "SRV",
        /// Texts
        Txt = "TXT",
    }
}

spec! {
    /// A TLS handshake
    pub struct TlsSpec as "tls probe" or "connect" {
        /// Where to, as `host:port`
        pub connect: Template,
        /// Server name to ask for; the host where there is none
        pub server_name: Option<Template>,
    }
}

choice! {
    /// How the bytes of an item are read
    pub enum ParserSpec alone {
        /// JSON, as written
        Json(JsonSpec) = "json",
        /// JSON values, one a line: an array
        JsonLines(JsonLinesSpec) = "json-lines",
        /// YAML, as written; several documents are an array
        Yaml(NoOptions) = "yaml",
        /// Lines or records of a text, by regular expressions: an array of rows
        Lines(LinesSpec) = "lines",
        /// Columns under a header: an array of rows
        Table(TableSpec) = "table",
        /// A key and a value a line: an object
        KeyValue(KeyValueSpec) = "key-value",
        /// Prometheus metrics: an array of name, labels and value
        Prometheus(NoOptions) = "prometheus",
        /// What iptables prints with `-S`, `-L` or as a save: table, chain, rules
        Iptables(IptablesSpec) = "iptables",
        /// A unified diff
        Diff(NoOptions) = "diff",
        /// The text as it is: one string
        Raw(NoOptions) = "raw",
    }
}

spec! {
    /// Nothing to set
    pub struct NoOptions as "parser without options" {}
}

spec! {
    /// Options of JSON
    pub struct JsonSpec as "json parser" {
        /// Spelling under which keys are looked up; as written where it is not set
        pub keys: Option<KeyStyle>,
    }
}

spec! {
    /// Options of JSON lines
    pub struct JsonLinesSpec as "json-lines parser" {
        /// Spelling under which keys are looked up; as written where it is not set
        pub keys: Option<KeyStyle>,
        /// Keep lines that do not begin with `{` or `[` as strings; without it they make the text unreadable
        pub mixed: Option<bool>,
    }
}

words! {
    /// Spelling of keys
    pub enum KeyStyle as "spelling of keys" {
        /// `camelCase` is looked up as `camel_case`
        SnakeCase = "snake_case",
    }
}

spec! {
    /// How lines are taken apart
    pub struct LinesSpec as "lines parser" {
        /// Regular expression of a line that starts a record; other lines continue it
        pub record: Option<Text>,
        /// Regular expressions whose named groups become the keys of a row; the first that matches counts
        pub fields: OneOrMany<Text>,
    }
    check check_lines
    shape shape_lines
}

spec! {
    /// How a table is taken apart
    pub struct TableSpec as "table parser" {
        /// Regular expression of the header line; the first line where it is not set
        pub header: Option<Text>,
        /// Names of the columns, where the text has no header, or one that cannot be told apart
        pub columns: Vec<Text>,
    }
}

spec! {
    /// How keys and values are told apart
    pub struct KeyValueSpec as "key-value parser" {
        /// Text between a key and its value; the first `=` or `:` where it is not set
        pub separator: Option<Text>,
        /// Take every separator, so that the parts of a key are keys of objects within one another
        pub nested: Option<bool>,
    }
}

spec! {
    /// Options of iptables listings
    pub struct IptablesSpec as "iptables parser" {
        /// Table of the listing, where the text does not name it
        pub table: Option<Text>,
    }
}

/// Live probes whose outcome is the evidence, so that there is nothing to parse.
const ANSWERS: &[&str] = &["tcp", "dns", "tls"];

/// Keys that say how an item is had.
fn sources() -> impl Iterator<Item = &'static str> {
    LiveSpec::KEYS.iter().copied().chain(["captured"])
}

fn shape_probe(object: &mut ObjectSchema) {
    object.any_of(&sources().collect::<Vec<_>>());
    ANSWERS.iter().for_each(|key| object.never_with(key, &["parse"]));
}

/// Reports what a probe of this rulebook lacks, or what cannot be added to one of a used rulebook.
pub(super) fn check_probe(id: &ItemId, yaml: &Yaml, decoder: &mut Decoder) {
    let live = LiveSpec::KEYS.iter().find_map(|key| yaml.key(key));
    if live.or(yaml.key("captured")).is_none() {
        let keys: Vec<String> = LiveSpec::KEYS.iter().map(|key| format!("`{key}`")).collect();
        let problem = Problem::error("missing-key", id.place, "nothing says how this item is had");
        decoder.report(
            problem
                .label("needed here")
                .help(format!("add `captured` or one of {}", keys.join(", "))),
        );
    }
    if id.rulebook().is_some() {
        for key in ["about", "per", "parse", "shape", "clock", "again"] {
            let message = format!("`{key}` of a probe of another rulebook cannot be changed");
            decoder.misplaced(yaml.key(key), &message, "only further ways to the item can be added");
        }
    } else if live.is_some_and(|key| ANSWERS.contains(&key.value.as_str())) {
        decoder.misplaced(
            yaml.key("parse"),
            "the outcome of this probe is its document",
            "remove `parse`",
        );
    } else if yaml.key("parse").is_none() {
        let problem = Problem::error("missing-key", id.place, "nothing says how this item is read");
        let help = "add `parse:`, such as `parse: json`; `parse: raw` takes the text as it is";
        decoder.report(problem.label("needed here").help(help));
    }
}

fn check_lines(_: &LinesSpec, yaml: &Yaml, decoder: &mut Decoder) {
    decoder.needs(yaml, "lines parser", "fields", "'^(?<level>\\w+) (?<text>.*)$'");
}

fn shape_lines(object: &mut ObjectSchema) {
    object.require("fields");
}
