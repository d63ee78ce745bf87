//! Rules as options of the command: what `-S` prints, and a save.

use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::Range;

use super::super::text::slice;
use super::rule::{Given, Rule};
use crate::document::reading::{Parsed, fault};

/// Modules whose options are members, so that they say nothing by themselves.
const MODULES: [&str; 8] = ["tcp", "udp", "sctp", "dccp", "udplite", "multiport", "owner", "comment"];

/// Options of these modules with one value, and their members.
const MATCHES: [(&str, &str); 12] = [
    ("--sport", "source_port"),
    ("--source-port", "source_port"),
    ("--sports", "source_port"),
    ("--source-ports", "source_port"),
    ("--dport", "destination_port"),
    ("--destination-port", "destination_port"),
    ("--dports", "destination_port"),
    ("--destination-ports", "destination_port"),
    ("--ports", "port"),
    ("--uid-owner", "uid_owner"),
    ("--gid-owner", "gid_owner"),
    ("--comment", "comment"),
];

/// One more than a line that declares a chain has.
const MOST_WORDS: usize = 7;

/// What a line says.
pub(super) enum Line {
    Chain {
        name: Range<usize>,
        policy: Option<Range<usize>>,
        counters: Option<(Range<usize>, Range<usize>)>,
    },
    Rule {
        chain: Range<usize>,
        target: Option<Range<usize>>,
    },
}

pub(super) fn line(text: &str, line: &Range<usize>) -> Parsed<Line> {
    let written = slice(text, line);
    if written.starts_with("-A") || written.starts_with('[') {
        let (chain, rule) = Reader::new(text, line).read()?;
        let target = rule.target();
        return Ok(Line::Rule { chain, target });
    }
    let words = Words {
        text,
        line: line.clone(),
    }
    .map(|word| word.map(|word| word.range));
    let words: Vec<Range<usize>> = words.take(MOST_WORDS).collect::<Parsed<_>>()?;
    chain(text, &words).map_or_else(|| fault(line.start, "expected a chain's name, policy and counters"), Ok)
}

/// A chain: `-N NAME`, `-P NAME POLICY`, `-P NAME POLICY -c 1 2` or `:NAME POLICY [1:2]`.
fn chain(text: &str, words: &[Range<usize>]) -> Option<Line> {
    let word = |at: usize| words.get(at).map_or("", |word| slice(text, word));
    let (name, policy, rest) = match (word(0), words) {
        ("-N", [_, name, rest @ ..]) => (name.clone(), None, rest),
        ("-P", [_, name, policy, rest @ ..]) => (name.clone(), Some(policy), rest),
        (":", _) => return None,
        (_, [name, policy, rest @ ..]) if word(0).starts_with(':') => (name.start + 1..name.end, Some(policy), rest),
        _ => return None,
    };
    let counters = match rest {
        [] => None,
        [both] => Some(pair(text, both)?),
        [option, packets, bytes] if slice(text, option) == "-c" => Some((packets.clone(), bytes.clone())),
        _ => return None,
    };
    let policy = policy.filter(|policy| slice(text, policy) != "-").cloned();
    Some(Line::Chain { name, policy, counters })
}

/// The counters in `[1:2]`.
fn pair(text: &str, range: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let inside = slice(text, range).strip_prefix('[')?.strip_suffix(']')?;
    let colon = range.start + 1 + inside.find(':')?;
    Some((range.start + 1..colon, colon + 1..range.end - 1))
}

pub(super) fn rule<'t>(text: &'t str, line: &Range<usize>) -> Parsed<Rule<'t>> {
    Reader::new(text, line).read().map(|(_, rule)| rule)
}

/// A word of a line, perhaps in quotes.
struct Word<'t> {
    /// With the quotes.
    range: Range<usize>,
    value: Cow<'t, str>,
    /// Inside the quotes, if there are any.
    inside: Range<usize>,
}

struct Words<'t> {
    text: &'t str,
    /// What is left of the line.
    line: Range<usize>,
}

impl<'t> Iterator for Words<'t> {
    type Item = Parsed<Word<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = slice(self.text, &self.line);
        let start = self.line.end - rest.trim_ascii_start().len();
        let rest = slice(self.text, &(start..self.line.end));
        let len = match rest.strip_prefix('"') {
            None => rest.find([' ', '\t']).unwrap_or(rest.len()),
            Some(inside) => match quoted(inside) {
                Some(len) => len + 2,
                None => {
                    self.line.start = self.line.end;
                    return Some(fault(start, "the quotation that begins here does not end"));
                }
            },
        };
        let range = start..start + len;
        self.line.start = range.end;
        let quotes = usize::from(rest.starts_with('"'));
        let inside = range.start + quotes..range.end - quotes;
        let written = slice(self.text, &inside);
        let value = if quotes == 1 && written.contains('\\') {
            unescaped(written).into()
        } else {
            written.into()
        };
        (len > 0).then_some(Ok(Word { range, value, inside }))
    }
}

/// The length of a quotation up to its closing quote.
fn quoted(inside: &str) -> Option<usize> {
    let mut escaped = false;
    inside.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescaped(written: &str) -> String {
    let mut chars = written.chars();
    std::iter::from_fn(|| match chars.next()? {
        '\\' => Some(chars.next().unwrap_or('\\')),
        char => Some(char),
    })
    .collect()
}

/// Reads the options of a rule.
struct Reader<'t> {
    text: &'t str,
    words: Peekable<Words<'t>>,
    chain: Option<Range<usize>>,
    rule: Rule<'t>,
    /// Where the `!` before the next option stands.
    negation: Option<usize>,
    /// Whether what comes belongs to a module whose options are not known.
    unknown: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, line: &Range<usize>) -> Self {
        Self {
            text,
            words: Words {
                text,
                line: line.clone(),
            }
            .peekable(),
            chain: None,
            rule: Rule::new(line.clone()),
            negation: None,
            unknown: false,
        }
    }

    /// The chain and the rule.
    fn read(mut self) -> Parsed<(Range<usize>, Rule<'t>)> {
        let mut end = 0;
        while let Some(word) = self.words.next().transpose()? {
            end = word.range.end;
            self.word(word)?;
        }
        match self.chain {
            Some(chain) => Ok((chain, self.rule)),
            None => fault(end, "a rule without a chain"),
        }
    }

    fn word(&mut self, word: Word<'t>) -> Parsed<()> {
        let Word { range, value, .. } = word;
        match slice(self.text, &range) {
            "!" => self.negation = Some(range.start),
            "-A" => self.chain = Some(self.value(&range)?.range),
            "-c" => {
                let (packets, bytes) = (self.value(&range)?, self.value(&range)?);
                self.rule.set("packets", packets);
                self.rule.set("bytes", bytes);
            }
            "-p" => {
                let given = self.value(&range)?;
                self.rule.set_protocol(given);
            }
            "-s" => self.address("source", &range)?,
            "-d" => self.address("destination", &range)?,
            "-i" => self.interface("in_interface", &range)?,
            "-o" => self.interface("out_interface", &range)?,
            "-m" => self.module(&range)?,
            "-j" | "-g" => {
                let target = self.value(&range)?.range;
                self.rule.set_target(target, self.text);
                if value == "-g" {
                    self.rule.set_true("goto", range);
                }
            }
            written if written.starts_with("--") => self.option(range)?,
            _ => match pair(self.text, &range).filter(|_| self.chain.is_none()) {
                Some((packets, bytes)) => {
                    self.rule.set("packets", Given::new(self.text, packets));
                    self.rule.set("bytes", Given::new(self.text, bytes));
                }
                None => {
                    let start = self.negation.take().unwrap_or(range.start);
                    self.add_unknown(start..range.end);
                }
            },
        }
        Ok(())
    }

    /// The value of the option that stands here, negated if a `!` was before the option or is before the value.
    fn value(&mut self, option: &Range<usize>) -> Parsed<Given<'t>> {
        let mut negation = self.negation.take();
        loop {
            match self.words.next().transpose()? {
                Some(word) if slice(self.text, &word.range) == "!" => negation = Some(option.start),
                Some(word) => {
                    let start = negation.unwrap_or(word.inside.start);
                    let range = start..word.inside.end;
                    return Ok(Given {
                        value: word.value,
                        range,
                        negated: negation.is_some(),
                    });
                }
                None => {
                    let message = format!("`{}` without a value", slice(self.text, option));
                    return fault(option.start, message);
                }
            }
        }
    }

    fn address(&mut self, key: &'static str, option: &Range<usize>) -> Parsed<()> {
        let given = self.value(option)?;
        self.rule.set_address(key, given);
        Ok(())
    }

    fn interface(&mut self, key: &'static str, option: &Range<usize>) -> Parsed<()> {
        let given = self.value(option)?;
        self.rule.set_interface(key, given);
        Ok(())
    }

    fn module(&mut self, option: &Range<usize>) -> Parsed<()> {
        let module = self.value(option)?;
        self.unknown = false;
        if !MODULES.contains(&module.value.as_ref()) {
            self.add_unknown(module.range);
            self.unknown = true;
        }
        Ok(())
    }

    /// Adds to the match that is not known, or begins one.
    fn add_unknown(&mut self, range: Range<usize>) {
        if self.unknown {
            self.rule.extend_unknown(range.end);
        } else {
            self.rule.add_unknown(range);
        }
    }

    /// An option with a long name: of the target, if there is one, else of a match.
    fn option(&mut self, option: Range<usize>) -> Parsed<()> {
        let name = slice(self.text, &option);
        if self.rule.target().is_some() {
            return self.target_option(name, option);
        }
        let known = MATCHES.iter().find(|(other, _)| *other == name && !self.unknown);
        if let Some((_, key)) = known {
            let given = self.value(&option)?;
            self.rule.set(*key, given);
            return Ok(());
        }
        let start = self.negation.take().unwrap_or(option.start);
        let end = self.values()?.map_or(option.end, |(values, _)| values.end);
        self.add_unknown(start..end);
        Ok(())
    }

    fn target_option(&mut self, name: &'t str, option: Range<usize>) -> Parsed<()> {
        let key = name.trim_start_matches('-').replace('-', "_");
        let negation = self.negation.take();
        match self.values()? {
            Some((range, value)) => {
                let start = negation.unwrap_or(range.start);
                self.rule.set(
                    key,
                    Given {
                        value,
                        range: start..range.end,
                        negated: negation.is_some(),
                    },
                );
            }
            None => self.rule.set_true(key, option),
        }
        Ok(())
    }

    /// The values up to the next option, as one.
    fn values(&mut self) -> Parsed<Option<(Range<usize>, Cow<'t, str>)>> {
        let is_value = |word: &Parsed<Word<'_>>| {
            word.as_ref()
                .is_ok_and(|word| !word.value.starts_with('-') && word.value != "!" || word.inside != word.range)
        };
        let mut values: Option<(Range<usize>, Cow<'t, str>)> = None;
        while let Some(word) = self.words.next_if(is_value).transpose()? {
            let range = values.map_or(word.inside.clone(), |(first, _)| first.start..word.range.end);
            let value = if range == word.inside {
                word.value
            } else {
                slice(self.text, &range).into()
            };
            values = Some((range, value));
        }
        Ok(values)
    }
}
