//! A rule in the making: members that are the same whichever way the rule is listed.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use super::super::text::{room, slice, span, trimmed};
use crate::document::Builder;
use crate::document::reading::Parsed;

/// Protocols that are listed by number where names are not wanted, and by name elsewhere.
const PROTOCOLS: [(&str, &str); 12] = [
    ("1", "icmp"),
    ("6", "tcp"),
    ("17", "udp"),
    ("33", "dccp"),
    ("41", "ipv6"),
    ("47", "gre"),
    ("50", "esp"),
    ("51", "ah"),
    ("58", "ipv6-icmp"),
    ("icmpv6", "ipv6-icmp"),
    ("132", "sctp"),
    ("136", "udplite"),
];

/// Most members of a rule; more make no sense, and take long to compare.
const MOST_MEMBERS: usize = 64;

/// A member of a rule.
struct Member<'t> {
    key: Cow<'static, str>,
    value: Value<'t>,
    /// Where it stands, with its negation.
    range: Range<usize>,
}

enum Value<'t> {
    Text(Cow<'t, str>),
    True,
}

/// A rule, whose members are in the order of the text.
pub(super) struct Rule<'t> {
    line: Range<usize>,
    members: Vec<Member<'t>>,
    /// Matches that are no members.
    unknown: Vec<Range<usize>>,
    target: Option<Range<usize>>,
}

/// A value that may be negated.
pub(super) struct Given<'t> {
    pub(super) value: Cow<'t, str>,
    pub(super) range: Range<usize>,
    pub(super) negated: bool,
}

impl<'t> Given<'t> {
    /// The value in this part of the text, perhaps with a `!` before it.
    pub(super) fn new(text: &'t str, range: Range<usize>) -> Self {
        let written = slice(text, &range);
        let value = written.strip_prefix('!');
        Self {
            value: Cow::Borrowed(value.unwrap_or(written)),
            range,
            negated: value.is_some(),
        }
    }

    fn map(self, change: impl FnOnce(Cow<'t, str>) -> Cow<'t, str>) -> Self {
        Self {
            value: change(self.value),
            ..self
        }
    }

    fn is_any(&self, words: &[&str]) -> bool {
        !self.negated && words.contains(&self.value.as_ref())
    }

    fn text(self) -> Cow<'t, str> {
        if self.negated {
            format!("!{}", self.value).into()
        } else {
            self.value
        }
    }
}

impl<'t> Rule<'t> {
    pub(super) fn new(line: Range<usize>) -> Self {
        Self {
            line,
            members: Vec::new(),
            unknown: Vec::new(),
            target: None,
        }
    }

    pub(super) fn target(&self) -> Option<Range<usize>> {
        self.target.clone()
    }

    /// Adds a member; a second one with its key is unknown.
    pub(super) fn set(&mut self, key: impl Into<Cow<'static, str>>, given: Given<'t>) {
        let (key, range) = (key.into(), given.range.clone());
        self.add(key, Value::Text(given.text()), range);
    }

    /// Adds a member that is `true`.
    pub(super) fn set_true(&mut self, key: impl Into<Cow<'static, str>>, range: Range<usize>) {
        self.add(key.into(), Value::True, range);
    }

    fn add(&mut self, key: Cow<'static, str>, value: Value<'t>, range: Range<usize>) {
        if self.members.len() == MOST_MEMBERS || self.members.iter().any(|member| member.key == key) {
            self.unknown.push(range);
        } else {
            self.members.push(Member { key, value, range });
        }
    }

    pub(super) fn set_target(&mut self, range: Range<usize>, text: &'t str) {
        self.set("target", Given::new(text, range.clone()));
        self.target = Some(range);
    }

    pub(super) fn set_protocol(&mut self, given: Given<'t>) {
        if given.is_any(&["all", "0"]) {
            return;
        }
        let named = |value: Cow<'t, str>| {
            let known = PROTOCOLS.iter().find(|(other, _)| *other == value);
            known.map_or(value, |(_, name)| Cow::Borrowed(*name))
        };
        self.set("protocol", given.map(named));
    }

    pub(super) fn set_address(&mut self, key: &'static str, given: Given<'t>) {
        if given.is_any(&["anywhere", "0.0.0.0/0", "::/0"]) {
            return;
        }
        let whole = |value: Cow<'t, str>| match value.parse() {
            Ok(IpAddr::V4(_)) => format!("{value}/32").into(),
            Ok(IpAddr::V6(_)) => format!("{value}/128").into(),
            Err(_) => value,
        };
        self.set(key, given.map(whole));
    }

    pub(super) fn set_interface(&mut self, key: &'static str, given: Given<'t>) {
        if !given.is_any(&["*", "any"]) {
            self.set(key, given);
        }
    }

    pub(super) fn add_unknown(&mut self, range: Range<usize>) {
        self.unknown.push(range);
    }

    /// Lets the last unknown match go on to here.
    pub(super) fn extend_unknown(&mut self, end: usize) {
        if let Some(last) = self.unknown.last_mut() {
            last.end = end;
        }
    }

    pub(super) fn emit(&self, text: &str, chain: &Range<usize>, build: &mut Builder) -> Parsed<()> {
        let line = trimmed(text, self.line.clone());
        build.open_object(line.start);
        build.key("chain", None);
        build.cell(span(chain));
        for member in &self.members {
            room(build, line.start)?;
            build.key(&member.key, None);
            match &member.value {
                Value::True => build.bool(true, span(&member.range)),
                Value::Text(value) if slice(text, &member.range) == value => build.cell(span(&member.range)),
                Value::Text(value) => build.computed_string(value.as_ref(), span(&member.range)),
            }
        }
        if let (Some(first), Some(last)) = (self.unknown.first(), self.unknown.last()) {
            build.key("unknown", None);
            build.open_array(first.start);
            for range in &self.unknown {
                build.cell(span(range));
            }
            build.close(last.end);
        }
        build.close(line.end);
        Ok(())
    }
}
