//! The program: parse arguments, run, print the error, exit.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use casebook::cli::Cli;
use casebook::commands::{self, Exit, Failure};
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = std::panic::catch_unwind(AssertUnwindSafe(|| run(cli)));
    match exit {
        Ok(Ok(exit)) => ExitCode::from(exit as u8),
        // Whoever reads the output has gone: that is no failure of ours.
        Ok(Err(Failure::Output(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(Exit::Clean as u8)
        }
        Ok(Err(failure)) => {
            // Where even standard error is closed, the exit code is all that is left.
            let _ = commands::tell(&failure);
            ExitCode::from(failure.exit() as u8)
        }
        Err(_) => {
            let _ = writeln!(
                io::stderr(),
                "casebook has a bug: please report the lines above, with what you ran"
            );
            ExitCode::from(70)
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    // This thread works along, instead of waiting for one more that does.
    let threads = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
    threads.map_err(|error| {
        let help = "allow this user more processes, or set RAYON_NUM_THREADS=1";
        Failure::usage(format!("no thread can be started: {error}"), help)
    })?;
    commands::dispatch(cli)
}
