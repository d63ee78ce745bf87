//! YAML text to a tree in which every node knows its place.

use super::text::Text;
use crate::diagnostic::Place;

/// A node of a YAML document.
#[derive(Debug, Clone)]
pub struct Yaml {
    /// The node as written
    pub place: Place,
    /// What to point at when the node as a whole is meant: its key, else its first line
    pub head: Place,
    /// What it is
    pub value: Node,
}

/// What a YAML node is.
#[derive(Debug, Clone)]
pub enum Node {
    /// Nothing is written
    Null,
    /// A scalar of any style
    Scalar(Text),
    /// A sequence
    Sequence(Vec<Yaml>),
    /// A mapping, in the order of the file
    Mapping(Vec<(Text, Yaml)>),
}
