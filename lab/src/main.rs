//! `antiphon-lab`: the rows that the model is trained on, and how well it does.

mod baselines;
mod corpus;
mod eval;
mod tensors;

use std::process::ExitCode;

use antiphon_cli::console;
use clap::{Parser, Subcommand};

/// Prepares the music that Antiphon's model is trained on, and measures the model on music that it has not seen.
///
/// Every command writes its result to standard output, as text or, with --json, as one JSON object; progress and errors go to standard error.
/// Exit code 0: done. 1: done, and `eval --copy-check` has found what it looks for. 2: nothing was written; the message says what is wrong, where, and what
/// to do.
#[derive(Parser)]
#[command(name = "antiphon-lab", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Corpus(corpus::Args),
    Eval(Box<eval::Args>),
}

fn main() -> ExitCode {
    console::run("antiphon-lab", || match Cli::parse().command {
        Command::Corpus(args) => corpus::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Eval(args) => eval::run(&args),
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
