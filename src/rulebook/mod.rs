//! Rulebooks: read from YAML as written ([`spec`]), with every problem located.

#[macro_use]
pub mod decode;
pub mod load;
mod retrace;
pub mod spec;
pub mod text;
pub mod yaml;
