//! Parsers as written to parsers as run: their patterns compiled, and what is wrong in them located.

use crate::diagnostic::Problem;
use crate::document::{
    IptablesOptions, JsonLinesOptions, KeyValueOptions, LinesOptions, Parser, Pattern, PatternError, TableOptions, json,
};
use crate::rulebook::spec::{LinesSpec, ParserSpec, TableSpec};
use crate::rulebook::text::Text;

use super::Compiler;

impl Compiler {
    pub(super) fn parser(&mut self, spec: &ParserSpec) -> Option<Parser> {
        Some(match spec {
            ParserSpec::Json(options) => Parser::Json(json::Options {
                snake_case_keys: options.keys.is_some(),
            }),
            ParserSpec::JsonLines(options) => Parser::JsonLines(JsonLinesOptions {
                snake_case_keys: options.keys.is_some(),
                mixed: options.mixed.unwrap_or(false),
            }),
            ParserSpec::Yaml(_) => Parser::Yaml,
            ParserSpec::Lines(options) => Parser::Lines(self.lines(options)?),
            ParserSpec::Table(options) => Parser::Table(self.table(options)?),
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

    fn lines(&mut self, spec: &LinesSpec) -> Option<LinesOptions> {
        let record = spec
            .record
            .as_ref()
            .map(|text| self.checked(Pattern::new(text), Some(text)));
        let fields: Vec<_> = spec
            .fields
            .iter()
            .map(|text| self.checked(Pattern::with_groups(text), Some(text)))
            .collect();
        Some(LinesOptions {
            record: record.map_or(Some(None), |pattern| pattern.map(Some))?,
            fields: fields.into_iter().collect::<Option<_>>()?,
        })
    }

    fn table(&mut self, spec: &TableSpec) -> Option<TableOptions> {
        let header = spec
            .header
            .as_ref()
            .map(|text| self.checked(Pattern::new(text), Some(text)));
        Some(TableOptions {
            header: header.map_or(Some(None), |pattern| pattern.map(Some))?,
            columns: spec.columns.iter().map(|column| column.value.clone()).collect(),
        })
    }

    pub(super) fn checked<T>(&mut self, made: Result<T, PatternError>, text: Option<&Text>) -> Option<T> {
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
