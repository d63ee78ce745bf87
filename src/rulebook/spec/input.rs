//! Inputs: values that the user may set.

use super::Value;
use crate::rulebook::text::Text;

spec! {
    /// A value that the user may set, as in `--set name=value`
    pub struct InputSpec as "input" {
        /// What the value is for
        pub about: Option<Text>,
        /// Type of the value
        pub is: InputType,
        /// Value where the user sets none; without one, what needs it is not run until it is set
        pub default: Option<Value>,
    }
}

words! {
    /// Type of an input
    pub enum InputType as "type of an input" {
        /// Any text
        Text = "text",
        /// Any number
        Number = "number",
        /// A whole number
        Int = "int",
        /// `true` or `false`
        Bool = "bool",
        /// A version, such as `1.24.9`
        Version = "version",
        /// A span of time, such as `30s` or `5m`
        Duration = "duration",
        /// Texts, set as `a,b,c`
        List = "list",
    }
}
