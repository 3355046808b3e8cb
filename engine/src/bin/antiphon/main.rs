//! `antiphon`: the engine from the command line.

mod accompaniment;
mod baselines;
mod bench;
mod cast;
mod continuation;
mod corpus;
mod drawing;
mod eval;
mod filling;
mod making;
mod model;
mod output;
mod policy;
mod steering;
mod tensors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Listens to MIDI and continues it, fills its gaps, plays along: the engine behind the Antiphon plug-in, from the command line.
///
/// Every command writes its result to standard output, as text or, with --json, as one JSON object; progress and errors go to standard error.
/// Exit code 0: done. 1: done, and `eval --copy-check` has found what it looks for. 2: nothing was written; the message says what is wrong, where, and what
/// to do.
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
    Corpus(corpus::Args),
    Bench(bench::Args),
    Eval(Box<eval::Args>),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Continue(args) => continuation::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Fill(args) => filling::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Accompany(args) => accompaniment::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Corpus(args) => corpus::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Eval(args) => eval::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("antiphon: {}", message(&error));
            ExitCode::from(2)
        }
    }
}

/// The error and its causes, each said once: the library's errors name their cause in their own words already.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message += &format!(": {cause}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn options_fit_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = Err::<(), _>(anyhow!("no such file")).context("song.mid: no such file; check the path").context("continuing failed");
        assert_eq!(message(&error.unwrap_err()), "continuing failed: song.mid: no such file; check the path");
    }
}
