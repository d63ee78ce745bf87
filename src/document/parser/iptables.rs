//! `iptables`: what `iptables` prints with `-S` or `-L`, or `iptables-save`, as tables of chains of rules.
//!
//! `{ table: { chain: { policy, references, rules: [...] } } }`. The table is the one that the text names, else that of
//! the option `table`; where neither does, the text cannot be read. All forms give the same members, as far as they
//! tell them; all values are strings unless another kind is named here.
//!
//! A chain has `policy` (chains of the user's have none), `references` (a number: how many rules lead to it; `-L` says
//! so, else they are counted), `packets` and `bytes` where they are listed, `rules`, and `hides`: names of members that
//! its rules may have, but that the text does not show (`-L` without `-v` hides interfaces).
//!
//! A rule has, where it says so:
//!
//! | member | from |
//! |---|---|
//! | `chain` | the chain's name, always |
//! | `protocol` | `-p`, by name where the number is well known |
//! | `source`, `destination` | `-s`, `-d`: an address with its prefix length, or a name |
//! | `in_interface`, `out_interface` | `-i`, `-o` |
//! | `source_port`, `destination_port`, `port` | ports as listed: `80`, `8000:8010`, `80,443`, or names of services |
//! | `uid_owner`, `gid_owner` | the owner of the socket: a number, a range or a name |
//! | `comment` | |
//! | `target` | `-j` or `-g`; `goto` is `true` for the latter |
//! | `to_ports`, `to_destination`, `reject_with`, ... | options of the target; `-L` gives those that are not known one by one as `target_options` |
//! | `packets`, `bytes` | counters, as listed |
//! | `unknown` | an array: matches that have no member here, as written, and second ones of those that have |
//!
//! A value that begins with `!` is negated. What matches everything (`anywhere`, `0.0.0.0/0`, `all`, `*`) is left out.
//! A rule with `unknown` matches less than its members say. Whoever follows rules must not take them for all there is.
//! The span of a chain is its section in `-L`, else the line that declares it.
//!
//! With the option `table: nat`:
//!
//! ```text
//! Chain FRONT (policy ACCEPT)
//! target     prot opt source               destination
//! WEB        tcp  --  anywhere            !10.0.0.1             tcp dpt:http owner UID match 7
//!
//! Chain WEB (1 references)
//! target     prot opt source               destination
//! REDIRECT   6    --  0.0.0.0/0            0.0.0.0/0            ctstate NEW redir ports 8080
//! ```
//! ```json
//! {"nat": {
//!   "FRONT": {"policy": "ACCEPT", "references": 0, "hides": ["in_interface", "out_interface"], "rules": [
//!     {"chain": "FRONT", "target": "WEB", "protocol": "tcp", "destination": "!10.0.0.1/32", "destination_port": "http",
//!      "uid_owner": "7"}]},
//!   "WEB": {"references": 1, "hides": ["in_interface", "out_interface"], "rules": [
//!     {"chain": "WEB", "target": "REDIRECT", "protocol": "tcp", "to_ports": "8080", "unknown": ["ctstate NEW"]}]}}}
//! ```

mod listing;
mod rule;
mod spec;

use std::ops::Range;

use indexmap::IndexMap;

use self::listing::Columns;
use self::rule::Rule;
use super::text::{room, slice, solid_lines, span, trimmed};
use crate::document::reading::{Parsed, fault, read};
use crate::document::{Builder, Document, ParseError};

/// How listings of packet filters are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IptablesOptions {
    /// Table of the listing, where the text does not name it.
    pub table: Option<String>,
}

pub(super) fn parse(text: String, options: &IptablesOptions) -> Result<Document, ParseError> {
    let builder = Builder::new(text.len());
    read(text, builder, |text, build| {
        let mut listing = Listing {
            text,
            tables: Vec::new(),
            option: options.table.as_deref(),
        };
        for line in solid_lines(text) {
            room(build, line.start)?;
            listing.line(trimmed(text, line.clone()), line)?;
        }
        if let Some(open) = listing.tables.iter().find(|table| table.open) {
            return fault(
                open.lines.start,
                "the table that begins here does not end with `COMMIT`",
            );
        }
        listing.emit(build)
    })
}

/// A chain, and where its rules stand.
struct Chain {
    name: Range<usize>,
    /// The declaration, and in a listing all that follows.
    lines: Range<usize>,
    policy: Option<Range<usize>>,
    /// Packets and bytes.
    counters: Option<(Range<usize>, Range<usize>)>,
    /// How many rules lead to it, as listed.
    references: Option<Range<usize>>,
    /// How many rules lead to it, as counted.
    counted: u64,
    /// What its rules look like: columns of a listing.
    columns: Option<Columns>,
    rules: Vec<Range<usize>>,
    declared: bool,
}

struct Table<'t> {
    /// Its name in the text; nothing where an option names it.
    name: Option<Range<usize>>,
    lines: Range<usize>,
    /// Whether `COMMIT` must follow.
    open: bool,
    /// Chains by name; the default hasher, because names may be hostile.
    chains: IndexMap<&'t str, Chain>,
    /// Targets of its rules.
    targets: Vec<Range<usize>>,
}

struct Listing<'t, 'o> {
    text: &'t str,
    tables: Vec<Table<'t>>,
    option: Option<&'o str>,
}

impl<'t> Listing<'t, '_> {
    /// Takes a line in; `line` has no blanks around it, `whole` as written.
    fn line(&mut self, line: Range<usize>, whole: Range<usize>) -> Parsed<()> {
        let written = slice(self.text, &line);
        match written.split_ascii_whitespace().next().unwrap_or_default() {
            "Chain" => self.section(line),
            "-A" | "-P" | "-N" => self.spec(line),
            "COMMIT" => self.commit(line),
            word if word.starts_with('#') => Ok(()),
            word if word.starts_with(':') => self.spec(line),
            word if word.starts_with('[') && written.contains(" -A ") => self.spec(line),
            word if word.starts_with('*') && word == written => self.named_table(line),
            _ => self.row(line, whole),
        }
    }

    fn named_table(&mut self, line: Range<usize>) -> Parsed<()> {
        let name = line.start + 1..line.end;
        let same = |table: &Table<'_>| {
            table
                .name
                .as_ref()
                .is_some_and(|known| slice(self.text, known) == slice(self.text, &name))
        };
        if self.tables.iter().any(same) {
            return fault(line.start, "a table that stands in this text before");
        }
        self.tables.push(Table {
            name: Some(name),
            lines: line,
            open: true,
            chains: IndexMap::new(),
            targets: Vec::new(),
        });
        Ok(())
    }

    fn commit(&mut self, line: Range<usize>) -> Parsed<()> {
        match self.tables.last_mut().filter(|table| table.open) {
            Some(table) => {
                table.open = false;
                table.lines.end = line.end;
                Ok(())
            }
            None => fault(line.start, "`COMMIT` without a table"),
        }
    }

    /// The table that a line belongs to.
    fn table(&mut self, at: usize) -> Parsed<&mut Table<'t>> {
        let named = self
            .tables
            .last()
            .is_some_and(|table| table.open || table.name.is_none());
        if !named && self.option.is_none() {
            return fault(
                at,
                "nothing says which table this belongs to: set `table`, or capture with the tables' names",
            );
        }
        if !named {
            self.tables.push(Table {
                name: None,
                lines: at..at,
                open: false,
                chains: IndexMap::new(),
                targets: Vec::new(),
            });
        }
        match self.tables.last_mut() {
            Some(table) => Ok(table),
            None => fault(at, "no table"),
        }
    }

    /// A line of `-S` or of a save.
    fn spec(&mut self, line: Range<usize>) -> Parsed<()> {
        let text = self.text;
        let table = self.table(line.start)?;
        table.lines.end = line.end;
        match spec::line(text, &line)? {
            spec::Line::Chain { name, policy, counters } => {
                let chain = table.chain(text, name, &line);
                if std::mem::replace(&mut chain.declared, true) {
                    return fault(line.start, "a chain that stands in this table before");
                }
                (chain.policy, chain.counters) = (policy, counters);
            }
            spec::Line::Rule { chain, target } => {
                table.chain(text, chain, &line).rules.push(line);
                table.targets.extend(target);
            }
        }
        Ok(())
    }

    /// `Chain NAME (...)`, the first line of a chain's section in a listing.
    fn section(&mut self, line: Range<usize>) -> Parsed<()> {
        let text = self.text;
        let head = listing::head(text, &line)?;
        let table = self.table(line.start)?;
        table.lines.end = line.end;
        let chain = table.chain(text, head.name, &line);
        if std::mem::replace(&mut chain.declared, true) {
            return fault(line.start, "a chain that stands in this listing before");
        }
        (chain.policy, chain.counters, chain.references) = (head.policy, head.counters, head.references);
        Ok(())
    }

    /// A line below the first of a section: the names of the columns, or a rule.
    fn row(&mut self, line: Range<usize>, whole: Range<usize>) -> Parsed<()> {
        let text = self.text;
        let other = || fault(line.start, "this is no line of a packet filter's listing");
        let Some(table) = self.tables.last_mut() else {
            return other();
        };
        let open = table.chains.values_mut().next_back();
        let Some(chain) = open.filter(|chain| chain.references.is_some() || chain.policy.is_some()) else {
            return other();
        };
        let Some(columns) = &chain.columns else {
            let Some(columns) = Columns::new(text, &line) else {
                return other();
            };
            chain.columns = Some(columns);
            chain.lines.end = line.end;
            table.lines.end = line.end;
            return Ok(());
        };
        let rule = columns.rule(text, &whole)?;
        table.targets.extend(rule.target());
        chain.rules.push(whole.start..line.end);
        chain.lines.end = line.end;
        table.lines.end = line.end;
        Ok(())
    }

    fn emit(&mut self, build: &mut Builder) -> Parsed<()> {
        build.open_object(0);
        for table in &mut self.tables {
            table.count(self.text);
            match &table.name {
                Some(name) => build.key(slice(self.text, name), Some(span(name))),
                None => build.key(self.option.unwrap_or_default(), None),
            }
            build.open_object(table.lines.start);
            for chain in table.chains.values() {
                chain.emit(self.text, build)?;
            }
            build.close(table.lines.end);
        }
        build.close(self.text.len());
        Ok(())
    }
}

impl<'t> Table<'t> {
    /// The chain with this name, known or new from this line on.
    fn chain(&mut self, text: &'t str, name: Range<usize>, line: &Range<usize>) -> &mut Chain {
        self.chains.entry(slice(text, &name)).or_insert_with(|| Chain {
            name,
            lines: line.clone(),
            policy: None,
            counters: None,
            references: None,
            counted: 0,
            columns: None,
            rules: Vec::new(),
            declared: false,
        })
    }

    /// Counts how many rules lead to each chain.
    fn count(&mut self, text: &str) {
        for target in &self.targets {
            let chain = self.chains.get_mut(slice(text, target));
            if let Some(chain) = chain {
                chain.counted += 1;
            }
        }
    }
}

impl Chain {
    fn emit(&self, text: &str, build: &mut Builder) -> Parsed<()> {
        build.key(slice(text, &self.name), Some(span(&self.name)));
        build.open_object(self.lines.start);
        if let Some(policy) = &self.policy {
            build.key("policy", None);
            build.cell(span(policy));
        }
        if let Some((packets, bytes)) = &self.counters {
            build.key("packets", None);
            build.cell(span(packets));
            build.key("bytes", None);
            build.cell(span(bytes));
        }
        build.key("references", None);
        match &self.references {
            Some(listed) => build.number(span(listed)),
            None => build.computed_number(self.counted.to_string(), span(&self.name)),
        }
        if let Some(header) = self.columns.as_ref().and_then(Columns::without_interfaces) {
            build.key("hides", None);
            build.open_array(header.start);
            build.computed_string("in_interface", span(header));
            build.computed_string("out_interface", span(header));
            build.close(header.end);
        }
        let end = self.lines.end;
        build.key("rules", None);
        build.open_array(self.rules.first().map_or(end, |rule| rule.start));
        for line in &self.rules {
            room(build, line.start)?;
            self.rule(text, line)?.emit(text, &self.name, build)?;
        }
        build.close(self.rules.last().map_or(end, |rule| rule.end));
        build.close(end);
        Ok(())
    }

    fn rule<'t>(&self, text: &'t str, line: &Range<usize>) -> Parsed<Rule<'t>> {
        match &self.columns {
            Some(columns) => columns.rule(text, line),
            None => spec::rule(text, line),
        }
    }
}

#[cfg(test)]
mod tests;
