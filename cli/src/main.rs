//! `antiphon`: the engine from the command line.

mod accompaniment;
mod bench;
mod cast;
mod check;
mod continuation;
mod drawing;
mod filling;
mod making;
mod piece;
mod steering;

use std::process::ExitCode;

use antiphon_cli::console;
use clap::{Parser, Subcommand};

/// Continues MIDI files, fills their gaps and plays along with them: the engine of the Antiphon plug-in on the command line.
///
/// Every command writes its result to standard output, as text or, with --json, as one JSON object; progress and errors go to standard error.
/// Exit code 0: done. 2: nothing was written, and a message says what is wrong, where, and what to do.
#[derive(Parser)]
#[command(name = "antiphon", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Continue(continuation::Args),
    Fill(filling::Args),
    Accompany(accompaniment::Args),
    Check(check::Args),
    Bench(bench::Args),
}

fn main() -> ExitCode {
    console::run("antiphon", || {
        match Cli::parse().command {
            Command::Continue(args) => continuation::run(&args),
            Command::Fill(args) => filling::run(&args),
            Command::Accompany(args) => accompaniment::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Bench(args) => bench::run(&args),
        }
        .map(|()| ExitCode::SUCCESS)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn options_fit_each_other() {
        Cli::command().debug_assert();
    }
}
