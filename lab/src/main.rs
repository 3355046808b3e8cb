//! `antiphon-lab`: prepares the training corpus, evaluates models and compares their speed.

mod baselines;
mod bench;
mod corpus;
mod eval;
mod tensors;

use std::process::ExitCode;

use antiphon_cli::console;
use clap::{Parser, Subcommand};

/// Prepares the corpus that Antiphon's model is trained on, evaluates models on unseen music, and compares their speed.
///
/// Every command writes its result to standard output, as text or, with --json, as one JSON object; progress and errors go to standard error. Exit
/// code 0: done. 1: done, and `eval --copy-check` found a passage longer than in unseen music. 2: nothing was written; the message says what is
/// wrong, where, and what to do.
#[derive(Parser)]
#[command(name = "antiphon-lab", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    Corpus(corpus::Args),
    Eval(Box<eval::Args>),
}

fn main() -> ExitCode {
    console::run("antiphon-lab", || match Cli::parse().command {
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Corpus(args) => corpus::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Eval(args) => eval::run(&args),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
