//! Rulebooks: read from YAML as written ([`spec`]), with every problem located, and compiled ([`model`]).

#[macro_use]
pub mod decode;
pub mod compile;
pub mod load;
pub mod model;
mod retrace;
pub mod spec;
pub mod text;
pub mod yaml;
