//! `casebook verify`: compare a bundle with its manifest.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::bundle::{self, Bundle, Verification};
use crate::cli::LimitArgs;

use super::progress::Progress;
use super::{Exit, Failure};

/// Compare a bundle with its manifest, and name every item that is not as it was captured
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Bundle: a folder, or a .tar, .tar.gz, .tar.zst or .zip of one
    #[arg(value_name = "BUNDLE")]
    pub bundle: PathBuf,
    /// Limits
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Runs the command.
///
/// # Errors
/// A bundle that cannot be opened, or that has no manifest.
pub fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let failed = |error: bundle::BundleError| Failure::usage(error.to_string(), error.help());
    let progress = Progress::new(0, "items");
    progress.at(&args.bundle.to_string_lossy());
    let bundle = Bundle::open(&args.bundle, &args.limits.limits()).map_err(failed)?;
    progress.more(bundle.manifest().map_or(0, |manifest| manifest.items.len()));
    let found = bundle::verify(&bundle, &|| progress.done()).map_err(failed)?;
    drop(progress);
    write!(io::stdout().lock(), "{}", text(&found))?;
    Ok(if found.holds() { Exit::Clean } else { Exit::Findings })
}

/// What was found: a line for each item that is worth one, and a line of counts.
fn text(found: &Verification) -> String {
    let changed = found
        .changed
        .iter()
        .map(|(path, how)| (path, format!("changed: {how}")));
    let missing = found.missing.iter().map(|path| (path, "missing".to_owned()));
    let unlisted = found
        .unlisted
        .iter()
        .map(|path| (path, "not in the manifest".to_owned()));
    let unchecked = found
        .unchecked
        .iter()
        .map(|path| (path, "the manifest has no checksum of it".to_owned()));
    let truncated = found.truncated.iter().map(|path| (path, "truncated".to_owned()));
    let lines = changed.chain(missing).chain(unlisted).chain(unchecked).chain(truncated);
    let mut text: String = lines
        .map(|(path, what)| format!("{}: {what}\n", bundle::printable(path)))
        .collect();
    if !found.complete {
        text.push_str("the capture did not come to its end, or the archive is cut off\n");
    }
    text.push_str(&format!(
        "{} items listed: {} intact, {} not gathered, {} changed, {} missing, {} unchecked; {} not listed\n",
        found.listed,
        found.intact,
        found.not_gathered,
        found.changed.len(),
        found.missing.len(),
        found.unchecked.len(),
        found.unlisted.len()
    ));
    text
}
