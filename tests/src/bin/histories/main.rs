//! Random histories: transport, tempo, metre, loops, blocks, parameters, notes, controllers, states and life cycle are thrown at the plug-in through its CLAP
//! and VST3 entries, and every block is checked.
//!
//! A history follows from its seed. They run in child processes, since an allocation in `process()` ends the process. A failing history is shortened and
//! printed with its seed.

mod generate;
mod planning;
mod run;
mod script;
mod shrink;
mod song;
mod step;
mod watched;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Parser;

use antiphon_tests::checker::Counts;
use planning::Engine;
use run::Violation;
use step::History;

/// Steps of the longest history.
const STEPS: usize = 40;

/// Runs random histories of the plug-in, and checks every block.
#[derive(Debug, Parser)]
struct Args {
    /// Number of histories
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Seed of the first; the others follow
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What generates the plans
    #[arg(long, value_enum, default_value = "scripted")]
    engine: Engine,
    /// Most steps of a history
    #[arg(long, default_value_t = STEPS)]
    steps: usize,
    /// Processes at a time
    #[arg(long, default_value_t = 1)]
    jobs: u64,
    /// Runs the one history of a file instead, as printed for a failing one
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Runs on this process, for the one that started it
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match (&args.history, args.child) {
        (Some(_), _) => one(&args),
        (None, true) => child(&args),
        (None, false) => parent(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(2)
    })
}

/// Runs the history of a file; `-` is standard input.
fn one(args: &Args) -> Result<ExitCode> {
    let path = args.history.as_deref().context("no history")?;
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    }
    let history: History = serde_json::from_str(&text).with_context(|| format!("{}: no history", path.display()))?;
    Ok(match run::run(&history, args.engine) {
        Ok(counts) => {
            println!("{}", serde_json::to_string(&counts)?);
            ExitCode::SUCCESS
        }
        Err(violation) => {
            println!("{}", serde_json::to_string(&violation)?);
            ExitCode::FAILURE
        }
    })
}

/// Runs histories until one fails. Prints each seed before it begins, and at the end the counts or the violation.
fn child(args: &Args) -> Result<ExitCode> {
    let mut counts = Counts::default();
    let mut out = std::io::stdout().lock();
    for seed in args.seed..args.seed + args.count {
        writeln!(out, "{seed}")?;
        out.flush()?;
        match run::run(&generate::history(seed, args.steps, args.engine), args.engine) {
            Ok(more) => counts += more,
            Err(violation) => {
                writeln!(out, "{}", serde_json::to_string(&violation)?)?;
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    writeln!(out, "{}", serde_json::to_string(&counts)?)?;
    Ok(ExitCode::SUCCESS)
}

/// How the histories of a child ended.
enum Ended {
    Well(Counts),
    /// The seed of the failing history, and the fault.
    Badly(u64, String),
}

/// Starts children and prints the sum of what they did, or the first failing history, shortened.
fn parent(args: &Args) -> Result<ExitCode> {
    let jobs = args.jobs.clamp(1, args.count.max(1));
    let share = args.count.div_ceil(jobs);
    let ended: Vec<Result<Ended>> = std::thread::scope(|scope| {
        let children: Vec<_> = (0..jobs)
            .map(|job| (args.seed + job * share, share.min(args.count.saturating_sub(job * share))))
            .map(|(seed, count)| scope.spawn(move || run_child(args, seed, count)))
            .collect();
        children.into_iter().map(|child| child.join().unwrap_or_else(|_| bail!("a thread of this program panicked"))).collect()
    });
    let mut counts = Counts::default();
    for ended in ended {
        match ended? {
            Ended::Well(more) => counts += more,
            Ended::Badly(seed, fault) => return report(args, seed, &fault),
        }
    }
    println!("{}", serde_json::json!({ "histories": args.count, "counts": counts }));
    Ok(ExitCode::SUCCESS)
}

fn run_child(args: &Args, seed: u64, count: u64) -> Result<Ended> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--child", "--seed", &seed.to_string(), "--count", &count.to_string(), "--steps", &args.steps.to_string()]);
    command.args(["--engine", engine_name(args.engine)]).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let (mut last_seed, mut last_line) = (seed, String::new());
    for line in BufReader::new(child.stdout.take().context("piped")?).lines() {
        let line = line?;
        match line.parse() {
            Ok(seed) => last_seed = seed,
            Err(_) => last_line = line,
        }
    }
    let status = child.wait()?;
    Ok(match status.code() {
        Some(0) => Ended::Well(serde_json::from_str(&last_line)?),
        Some(1) => {
            let Violation { step, fault } = serde_json::from_str(&last_line)?;
            Ended::Badly(last_seed, format!("step {step}: {fault}"))
        }
        _ => Ended::Badly(last_seed, format!("the process ended ({status}): an allocation in process(), or a panic; see above")),
    })
}

const fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Scripted => "scripted",
        Engine::Real => "real",
    }
}

/// Prints a failing history, shortened.
fn report(args: &Args, seed: u64, fault: &str) -> Result<ExitCode> {
    let whole = generate::history(seed, args.steps, args.engine);
    let all = whole.steps.len();
    let history = shrink::shrink(whole, |history| still_fails(args.engine, history));
    eprintln!("Seed {seed}: {fault}");
    eprintln!("Shortened from {all} steps to {}: {}", history.steps.len(), failure_of(args.engine, &history));
    let History { format, is_note_fx, sample_rate, tempo, .. } = &history;
    eprintln!("{format:?}, note effect: {is_note_fx}, {sample_rate} Hz, {tempo:.1} quarters per minute");
    history.steps.iter().enumerate().for_each(|(number, step)| eprintln!("{number:4} {step:?}"));
    let path = std::env::temp_dir().join(format!("antiphon-history-{seed}.json"));
    std::fs::write(&path, serde_json::to_string(&history)?)?;
    eprintln!("Run it again: cargo xtask histories --history {}", path.display());
    Ok(ExitCode::FAILURE)
}

/// Whether a history fails, in a process of its own.
fn still_fails(engine: Engine, history: &History) -> bool {
    !run_alone(engine, history, Stdio::null()).is_some_and(|(success, _)| success)
}

/// The fault of a history.
fn failure_of(engine: Engine, history: &History) -> String {
    run_alone(engine, history, Stdio::inherit()).map_or_else(String::new, |(_, said)| said)
}

fn run_alone(engine: Engine, history: &History, stderr: Stdio) -> Option<(bool, String)> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.args(["--history", "-", "--engine", engine_name(engine)]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn().ok()?;
    child.stdin.take()?.write_all(serde_json::to_string(history).ok()?.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}
