//! Rulebooks: read from YAML as written ([`spec`]), with every problem located.

#[macro_use]
pub mod decode;
pub mod load;
pub mod spec;
pub mod text;
pub mod yaml;
