//! Why a bundle cannot be opened.

use std::io;

use super::limits::Exceeded;
use super::manifest::ManifestError;
use super::name::printable;

/// Why a bundle cannot be opened or checked. Names are as the user gave them; messages show them harmless.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Nothing is there under that name, or it may not be read.
    #[error("cannot open the bundle `{}`: {source}", printable(.name))]
    Unreadable {
        /// The path as given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something is there, but neither a folder nor an archive.
    #[error("`{}` {what}", printable(.name))]
    NotABundle {
        /// The path as given.
        name: String,
        /// What it is instead, as a predicate: `is empty`.
        what: String,
    },
    /// An archive whose bytes are not what they were.
    #[error("the archive `{}` is damaged: {message}", printable(.name))]
    Damaged {
        /// The path as given.
        name: String,
        /// What gives it away.
        message: String,
    },
    /// It holds more than a bundle may.
    #[error("`{}` is too large: {exceeded}", printable(.name))]
    TooLarge {
        /// The path as given.
        name: String,
        /// The bound that it breaks.
        exceeded: Exceeded,
    },
    /// Its manifest cannot be understood.
    #[error("the manifest of `{}` cannot be used: {source}", printable(.name))]
    Manifest {
        /// The path as given.
        name: String,
        /// What is wrong, and where.
        source: ManifestError,
    },
    /// There is no manifest to check it against.
    #[error("`{}` has no manifest to check it against", printable(.name))]
    NoManifest {
        /// The path as given.
        name: String,
    },
}

impl BundleError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            BundleError::Unreadable { .. } => {
                "give the path of a folder that holds captured evidence, or of an archive of one"
            }
            BundleError::NotABundle { .. } => {
                "give the folder that holds the captured files, or a .tar, .tar.gz, .tar.zst or .zip of it"
            }
            BundleError::Damaged { .. } => "fetch it again, and compare its size and checksum with the original's",
            BundleError::TooLarge { exceeded, .. } => match exceeded {
                Exceeded::Members(_) => "is this the folder or archive with the evidence, or one far above it?",
                Exceeded::Unpacked(_) | Exceeded::Ratio(_) => {
                    "if you trust it, unpack it yourself and give the folder; only what is asked for is read there"
                }
                Exceeded::Memory(_) => "uncompress it to a plain .tar, or unpack it: those are read in place",
            },
            BundleError::Manifest { .. } => {
                "correct casebook.json, or take it away: without it the files are found by their names alone"
            }
            BundleError::NoManifest { .. } => "only bundles that casebook captured have one",
        }
    }
}
