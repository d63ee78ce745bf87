//! JSONPath (RFC 9535): queries over the tape.
//!
//! The grammar is `jsonpath-rust`'s. Before it, `lex` bounds the nesting and finds mistakes while their place is
//! still known; after it, `compile` checks the types of functions and makes a `plan` that `eval` runs over a
//! document.

mod compare;
mod compile;
mod eval;
mod lex;
mod pattern;
mod plan;
mod write;

use std::sync::{Arc, OnceLock};

use crate::document::{Document, NodeId};
use plan::Plan;

/// A query, ready to run over any document.
#[derive(Debug, Clone)]
pub struct Path(Arc<Query>);

#[derive(Debug)]
struct Query {
    text: String,
    plan: OnceLock<Result<Plan, PathError>>,
}

/// Two paths are equal that select the same by the same means, however they are spelled.
impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.plan() == other.plan()
    }
}

/// Why a text is no JSONPath.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text, as far as known.
    pub offset: Option<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

impl PathError {
    fn new(message: impl Into<String>, offset: usize) -> Self {
        Self {
            message: message.into(),
            offset: Some(offset),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Path {
    /// Reads a query: RFC 9535 and nothing beyond it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = Self::deferred(text);
        path.plan().as_ref().map_err(PathError::clone)?;
        Ok(path)
    }

    /// A query that is known to be right, to be read when it is first run. One that is not right after all selects nothing.
    pub fn deferred(text: &str) -> Self {
        Self(Arc::new(Query {
            text: text.to_owned(),
            plan: OnceLock::new(),
        }))
    }

    fn plan(&self) -> &Result<Plan, PathError> {
        self.0.plan.get_or_init(|| compile::compile(&self.0.text))
    }

    /// Why it is no query after all.
    pub fn problem(&self) -> Option<&PathError> {
        self.plan().as_ref().err()
    }

    /// The query as it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The nodes that the query selects, in the order of RFC 9535; `$` is `root`.
    ///
    /// Of members with one name in one object only the last exists for a query.
    pub fn select(&self, doc: &Document, root: NodeId) -> Vec<NodeId> {
        self.select_within(doc, root, u64::MAX).unwrap_or_default()
    }

    /// As [`Path::select`], but gives up (`None`) after so many steps: a step is a node looked at. Queries with
    /// several `..`, or with filters that search the whole document again, can take very many.
    pub fn select_within(&self, doc: &Document, root: NodeId, max_steps: u64) -> Option<Vec<NodeId>> {
        match self.plan() {
            Ok(plan) => eval::select(plan, doc, root, max_steps),
            Err(_) => Some(Vec::new()),
        }
    }

    /// Whether the query selects anything; stops at the first node.
    pub fn exists(&self, doc: &Document, root: NodeId) -> bool {
        self.plan().as_ref().is_ok_and(|plan| eval::exists(plan, doc, root))
    }

    /// Regular expressions in the query that cannot be read, with the reason: they match nothing (RFC 9535, 2.4.6).
    pub fn bad_patterns(&self) -> Vec<(String, String)> {
        self.plan().as_ref().map(Plan::bad_patterns).unwrap_or_default()
    }
}
