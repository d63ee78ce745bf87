//! Rules as rows of a table: what `-L` prints.
//!
//! Rows cannot be cut at the columns of the header: a long target pushes the rest to the right. What follows the
//! destination is prose; its words are known from what the common matches and targets print.

use std::ops::Range;

use super::super::text::{is_blank, slice, trimmed};
use super::rule::{Given, Rule};
use crate::document::reading::{Parsed, fault};

/// The first line of a chain's section.
pub(super) struct Head {
    pub(super) name: Range<usize>,
    pub(super) policy: Option<Range<usize>>,
    pub(super) counters: Option<(Range<usize>, Range<usize>)>,
    pub(super) references: Option<Range<usize>>,
}

/// Reads `Chain NAME (policy ACCEPT 0 packets, 0 bytes)` or `Chain NAME (1 references)`.
pub(super) fn head(text: &str, line: &Range<usize>) -> Parsed<Head> {
    let mut words = Words {
        text,
        at: line.start,
        end: line.end,
    };
    words.next();
    let name = words.next().unwrap_or(line.end..line.end);
    let inside = trimmed(text, words.at..line.end);
    let known = slice(text, &inside).starts_with('(') && slice(text, &inside).ends_with(')');
    words = Words {
        text,
        at: inside.start + 1,
        end: inside.end.saturating_sub(1),
    };
    let first = words.next().filter(|_| known).unwrap_or_default();
    let second = words.next().filter(|_| known).unwrap_or_default();
    let mut head = Head {
        name,
        policy: None,
        counters: None,
        references: None,
    };
    match (slice(text, &first), slice(text, &second)) {
        ("policy", policy) if !policy.is_empty() => {
            head.policy = Some(second);
            head.counters = words
                .next()
                .and_then(|packets| words.nth(1).map(|bytes| (packets, bytes)));
        }
        (count, "references") if count.parse::<u64>().is_ok_and(|number| number.to_string() == count) => {
            head.references = Some(first)
        }
        _ => {
            return fault(
                line.start,
                "expected a chain's name, and its policy or references in parentheses",
            );
        }
    }
    Ok(head)
}

/// The words of a part of a text.
#[derive(Clone)]
struct Words<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = slice(self.text, &(self.at..self.end));
        let start = self.at + rest.len() - rest.trim_ascii_start().len();
        let rest = slice(self.text, &(start..self.end));
        let len = rest.find([' ', '\t']).unwrap_or(rest.len());
        self.at = start + len;
        (len > 0).then_some(start..self.at)
    }
}

impl<'t> Words<'t> {
    /// The next word, without taking it.
    fn peek(&self) -> &'t str {
        self.clone().next().map_or("", |word| slice(self.text, &word))
    }

    /// Takes the next words if they are these.
    fn take_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let same = words
            .iter()
            .all(|word| ahead.next().is_some_and(|next| slice(self.text, &next) == *word));
        if same {
            *self = ahead;
        }
        same
    }
}

/// Which columns a section has.
pub(super) struct Columns {
    header: Range<usize>,
    numbers: bool,
    counters: bool,
    interfaces: bool,
}

impl Columns {
    /// The columns, if this line names them.
    pub(super) fn new(text: &str, line: &Range<usize>) -> Option<Self> {
        let written = slice(text, line);
        let has = |name: &str| written.split_ascii_whitespace().any(|word| word == name);
        let all = ["target", "prot", "source", "destination"].into_iter().all(has);
        all.then(|| Self {
            header: line.clone(),
            numbers: has("num"),
            counters: has("pkts"),
            interfaces: has("in"),
        })
    }

    /// The header, if it has no interfaces.
    pub(super) fn without_interfaces(&self) -> Option<&Range<usize>> {
        (!self.interfaces).then_some(&self.header)
    }

    pub(super) fn rule<'t>(&self, text: &'t str, line: &Range<usize>) -> Parsed<Rule<'t>> {
        let mut rule = Rule::new(line.clone());
        let mut words = Words {
            text,
            at: line.start,
            end: line.end,
        };
        let missing = |name: &str| fault(line.start, format!("a rule without a {name}"));
        if self.numbers {
            let Some(number) = words.next() else {
                return missing("number");
            };
            words.at = number.start + number.len().max(4) + 1;
        }
        if self.counters {
            let (Some(packets), Some(bytes)) = (words.next(), words.next()) else {
                return missing("counter");
            };
            words.at = bytes.end + 1;
            rule.set("packets", Given::new(text, packets));
            rule.set("bytes", Given::new(text, bytes));
        }
        // The target is left out where there is none: then a blank stands where it would begin.
        let empty = slice(text, &(words.at..line.end)).starts_with([' ', '\t']);
        if !empty && let Some(target) = words.next() {
            rule.set_target(target, text);
        }
        let Some(protocol) = words.next() else {
            return missing("protocol");
        };
        rule.set_protocol(Given::new(text, protocol));
        if matches!(words.peek(), "--" | "-f" | "!f") {
            words
                .next()
                .filter(|flag| slice(text, flag) != "--")
                .into_iter()
                .for_each(|flag| rule.add_unknown(flag));
        }
        if self.interfaces {
            let (Some(inner), Some(outer)) = (words.next(), words.next()) else {
                return missing("pair of interfaces");
            };
            rule.set_interface("in_interface", Given::new(text, inner));
            rule.set_interface("out_interface", Given::new(text, outer));
        }
        let (Some(source), Some(destination)) = (words.next(), words.next()) else {
            return missing("destination");
        };
        rule.set_address("source", Given::new(text, source));
        rule.set_address("destination", Given::new(text, destination));
        Prose {
            text,
            words,
            rule,
            unknown: false,
        }
        .read()
    }
}

/// What follows the destination.
struct Prose<'t> {
    text: &'t str,
    words: Words<'t>,
    rule: Rule<'t>,
    /// Whether the word before was not known.
    unknown: bool,
}

impl<'t> Prose<'t> {
    fn read(mut self) -> Parsed<Rule<'t>> {
        let target = self.rule.target().map_or("", |target| slice(self.text, &target));
        while let Some(word) = self.words.next() {
            let written = slice(self.text, &word);
            if written == target {
                let rest = trimmed(self.text, self.words.at..self.words.end);
                self.target_options(target, rest);
                break;
            }
            // A negation belongs to what follows.
            let negated = written == "!";
            let known = if negated {
                self.words.take_all(&["owner"]) && self.owner(word.start, true)
            } else {
                self.word(target, written, &word)
            };
            if !known {
                self.add_unknown(word);
            }
            self.unknown = !known;
        }
        Ok(self.rule)
    }

    fn add_unknown(&mut self, word: Range<usize>) {
        if self.unknown {
            self.rule.extend_unknown(word.end);
        } else {
            self.rule.add_unknown(word);
        }
    }

    /// Takes a word in, with those that belong to it; whether it is known.
    fn word(&mut self, target: &str, written: &str, word: &Range<usize>) -> bool {
        match written {
            "[goto]" => self.rule.set_true("goto", word.clone()),
            "tcp" | "udp" | "sctp" | "dccp" | "udplite" => {}
            "/*" => self.comment(word),
            "owner" => return self.owner(word.start, false),
            "multiport" => return self.ports(),
            "redir" if self.words.take_all(&["ports"]) => return self.value("to_ports"),
            "masq" if self.words.take_all(&["ports:"]) => return self.value("to_ports"),
            "reject-with" => return self.value("reject_with"),
            "random" if !target.is_empty() => self.rule.set_true("random", word.clone()),
            "random-fully" if !target.is_empty() => self.rule.set_true("random_fully", word.clone()),
            "persistent" if !target.is_empty() => self.rule.set_true("persistent", word.clone()),
            _ => return self.pair(target, written, word),
        }
        true
    }

    /// A word that has its value behind a colon.
    fn pair(&mut self, target: &str, written: &str, word: &Range<usize>) -> bool {
        let key = match (written.split_once(':').map(|(key, _)| key), target) {
            (Some("dpt" | "dpts"), _) => "destination_port",
            (Some("spt" | "spts"), _) => "source_port",
            (Some("to"), "DNAT") => "to_destination",
            (Some("to"), "SNAT") => "to_source",
            _ => return false,
        };
        let start = word.start + written.find(':').map_or(0, |colon| colon + 1);
        self.rule.set(key, Given::new(self.text, start..word.end));
        true
    }

    fn value(&mut self, key: &'static str) -> bool {
        let value = self.words.next();
        value
            .map(|value| self.rule.set(key, Given::new(self.text, value)))
            .is_some()
    }

    /// `owner UID match 7`, behind the first word.
    fn owner(&mut self, start: usize, negated: bool) -> bool {
        let key = match self.words.peek() {
            "UID" => "uid_owner",
            "GID" => "gid_owner",
            _ => return false,
        };
        if !self.words.take_all(&["UID", "match"]) && !self.words.take_all(&["GID", "match"]) {
            return false;
        }
        let Some(value) = self.words.next() else { return false };
        let mut given = Given::new(self.text, value);
        if negated {
            given = Given {
                range: start..given.range.end,
                negated,
                ..given
            };
        }
        self.rule.set(key, given);
        true
    }

    /// `multiport dports 80,443` or `multiport dports  !80,443`, behind the first word.
    fn ports(&mut self) -> bool {
        let key = match self.words.peek() {
            "dports" => "destination_port",
            "sports" => "source_port",
            "ports" => "port",
            _ => return false,
        };
        self.words.next();
        self.value(key)
    }

    /// A comment, from behind its opening mark to before its closing one.
    fn comment(&mut self, open: &Range<usize>) {
        let rest = slice(self.text, &(open.end..self.words.end));
        let len = rest.find(" */").unwrap_or(rest.len());
        let inside = trimmed(self.text, open.end..open.end + len);
        self.words.at = (inside.end.max(open.end + len) + " */".len()).min(self.words.end);
        self.rule.set(
            "comment",
            Given {
                value: slice(self.text, &inside).into(),
                range: inside,
                negated: false,
            },
        );
    }

    /// What a target prints behind its own name.
    fn target_options(&mut self, target: &str, rest: Range<usize>) {
        let mut words = Words {
            text: self.text,
            at: rest.start,
            end: rest.end,
        };
        if target == "TPROXY" && words.take_all(&["redirect"]) {
            let place = words.next().unwrap_or_default();
            if let Some(colon) = slice(self.text, &place).rfind(':').map(|colon| place.start + colon) {
                self.rule.set("on_ip", Given::new(self.text, place.start..colon));
                self.rule.set("on_port", Given::new(self.text, colon + 1..place.end));
            }
            if words.take_all(&["mark"])
                && let Some(mark) = words.next()
            {
                self.rule.set("tproxy_mark", Given::new(self.text, mark));
            }
        } else if !is_blank(slice(self.text, &rest)) {
            self.rule.set(
                "target_options",
                Given {
                    value: slice(self.text, &rest).into(),
                    range: rest,
                    negated: false,
                },
            );
        }
    }
}
