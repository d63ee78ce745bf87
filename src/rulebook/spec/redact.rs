//! Secrets: what is taken out of evidence before it is kept or shown.

use super::FormatVersion;
use crate::rulebook::decode::OneOrMany;
use crate::rulebook::text::Text;

spec! {
    /// What is secret, beside what casebook takes for a secret by itself
    pub struct RedactSpec as "redaction" {
        /// Names whose values are secrets: of members, keys, variables, options and headers; in any spelling, and as the end of a longer name
        pub names: OneOrMany<Text>,
        /// Regular expressions of secrets; of one with a group `secret` only that is taken out
        pub patterns: OneOrMany<Text>,
        /// JSONPaths into JSON and YAML: what they match is secret, with all below
        pub paths: OneOrMany<Text>,
        /// Regular expressions of whole values that are no secrets, whatever their name
        pub except: OneOrMany<Text>,
    }
}

spec! {
    /// A file that says what is secret
    pub struct RedactFileSpec as "redaction file" {
        /// Version of this format: 1
        pub casebook: FormatVersion,
        /// What is secret
        pub redact: RedactSpec,
    }
}
