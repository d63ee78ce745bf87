//! Parsers as written to parsers as run: their patterns compiled, and what is wrong in them located.

use crate::diagnostic::Problem;
use crate::document::{
    IptablesOptions, JsonLinesOptions, KeyValueOptions, LinesOptions, Parser, Pattern, PatternError, TableOptions, json,
};
use crate::rulebook::model::RulebookId;
use crate::rulebook::spec::{LinesSpec, ParserSpec, TableSpec};
use crate::rulebook::text::Text;

use super::Compiler;

impl Compiler {
    pub(super) fn parser(&mut self, rulebook: RulebookId, spec: &ParserSpec) -> Option<Parser> {
        Some(match spec {
            ParserSpec::Json(options) => Parser::Json(json::Options {
                snake_case_keys: options.keys.is_some(),
            }),
            ParserSpec::JsonLines(options) => Parser::JsonLines(JsonLinesOptions {
                snake_case_keys: options.keys.is_some(),
                mixed: options.mixed.unwrap_or(false),
            }),
            ParserSpec::Yaml(_) => Parser::Yaml,
            ParserSpec::Lines(options) => Parser::Lines(self.lines(rulebook, options)?),
            ParserSpec::Table(options) => Parser::Table(self.table(rulebook, options)?),
            ParserSpec::KeyValue(options) => {
                let made = KeyValueOptions::new(
                    options.separator.as_ref().map(|text| text.value.as_str()),
                    options.nested.unwrap_or(false),
                );
                Parser::KeyValue(self.checked(made, options.separator.as_ref())?)
            }
            ParserSpec::Prometheus(_) => Parser::Prometheus,
            ParserSpec::Iptables(options) => Parser::Iptables(IptablesOptions {
                table: options.table.as_ref().map(|table| table.value.clone()),
            }),
            ParserSpec::Diff(_) => Parser::Diff,
            ParserSpec::Raw(_) => Parser::Raw,
        })
    }

    fn lines(&mut self, rulebook: RulebookId, spec: &LinesSpec) -> Option<LinesOptions> {
        let record = spec
            .record
            .as_ref()
            .map(|text| self.pattern(rulebook, text, Pattern::new));
        let fields: Vec<_> = spec
            .fields
            .iter()
            .map(|text| self.pattern(rulebook, text, Pattern::with_groups))
            .collect();
        Some(LinesOptions {
            record: record.map_or(Some(None), |pattern| pattern.map(Some))?,
            fields: fields.into_iter().collect::<Option<_>>()?,
        })
    }

    fn table(&mut self, rulebook: RulebookId, spec: &TableSpec) -> Option<TableOptions> {
        let header = spec
            .header
            .as_ref()
            .map(|text| self.pattern(rulebook, text, Pattern::new));
        Some(TableOptions {
            header: header.map_or(Some(None), |pattern| pattern.map(Some))?,
            columns: spec.columns.iter().map(|column| column.value.clone()).collect(),
        })
    }

    /// The pattern that a text is, checked where the rulebook has not been.
    pub(super) fn pattern(
        &mut self,
        rulebook: RulebookId,
        text: &Text,
        check: fn(&str) -> Result<Pattern, PatternError>,
    ) -> Option<Pattern> {
        if self.trusted.contains(&rulebook) {
            return Some(Pattern::trusted(text));
        }
        self.checked(check(text), Some(text))
    }

    fn checked<T>(&mut self, made: Result<T, PatternError>, text: Option<&Text>) -> Option<T> {
        match (made, text) {
            (Ok(made), _) => Some(made),
            (Err(error), Some(text)) => {
                let place = text.place_of(&self.sources, error.range);
                let problem = Problem::error(
                    "bad-regex",
                    place,
                    format!("this is no regular expression: {}", error.message),
                );
                let help = "the syntax is that of RE2; a named group is written `(?<name>...)`";
                self.problems.push(problem.label("here").help(help));
                None
            }
            (Err(_), None) => None,
        }
    }
}
