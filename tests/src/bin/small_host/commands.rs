//! The commands.

use std::path::{Path, PathBuf};

use antiphon_tests::{Block, Class, Setup, Transport, modules};
use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use crate::hosts::Format;

/// File name of ONNX Runtime.
const RUNTIME: &str = if cfg!(windows) { "onnxruntime.dll" } else { "libonnxruntime.so" };

/// A host driven from outside.
#[derive(Parser)]
#[command(name = "small_host", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The library to load.
#[derive(clap::Args)]
struct Plugin {
    /// Format to load it as
    #[arg(value_enum)]
    format: Format,
    /// The file that hosts load
    library: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// List the classes, without making an instance
    Scan(Plugin),
    /// Make this many instances, process with each, and remove them
    Instances {
        #[command(flatten)]
        plugin: Plugin,
        #[arg(long, default_value_t = 50)]
        count: usize,
    },
    /// Count the calls of the heap in `process` while a player plays and the plan is played
    #[cfg(windows)]
    Allocations {
        #[command(flatten)]
        plugin: Plugin,
        /// The Standard MIDI File to play
        #[arg(long)]
        clip: PathBuf,
    },
    /// Load the state in a file, and save it again to another
    State {
        #[command(flatten)]
        plugin: Plugin,
        #[arg(long = "in")]
        load: Option<PathBuf>,
        #[arg(long = "out")]
        save: PathBuf,
    },
    /// Show the editor beside a window that takes files, until the standard input ends
    #[cfg(windows)]
    Editor {
        #[command(flatten)]
        plugin: Plugin,
        /// The Standard MIDI File to play
        #[arg(long)]
        clip: PathBuf,
    },
}

pub(crate) fn run() -> Result<()> {
    match Cli::parse().command {
        Command::Scan(Plugin { format, library }) => scan(format, &library),
        Command::Instances { plugin: Plugin { format, library }, count } => instances(format, &library, count),
        #[cfg(windows)]
        Command::Allocations { plugin: Plugin { format, library }, clip } => crate::allocations::count(format, &library, &clip),
        Command::State { plugin: Plugin { format, library }, load, save } => state(format, &library, load.as_deref(), &save),
        #[cfg(windows)]
        Command::Editor { plugin: Plugin { format, library }, clip } => crate::editor::run(format, &library, &clip),
    }
}

fn scan(format: Format, library: &Path) -> Result<()> {
    for class in format.classes(library)? {
        println!("class {class}");
    }
    println!("runtime loaded {}", modules::is_loaded(Path::new(RUNTIME)));
    println!("unloaded {}", !modules::is_loaded(library));
    Ok(())
}

fn instances(format: Format, library: &Path, count: usize) -> Result<()> {
    let mut hosts = Vec::new();
    for number in 0..count {
        let class = Class::ALL[number % Class::ALL.len()];
        hosts.push(format.host(library, class, Setup::default())?);
    }
    for host in &mut hosts {
        let sent = host.process(&Block { frames: 512, ..Block::default() });
        ensure!(sent.audio.iter().flatten().all(|sample| sample.is_finite()), "an instance left its output unwritten");
    }
    println!("processed {}", hosts.len());
    drop(hosts);
    println!("unloaded {}", !modules::is_loaded(library));
    Ok(())
}

/// Parameters that differ from their defaults in a state made here.
const CHANGED: [(&str, f64); 3] = [("Bars ahead", 1.0), ("Adventurousness", 0.75), ("Thru", 0.0)];

fn state(format: Format, library: &Path, load: Option<&Path>, save: &Path) -> Result<()> {
    let mut host = format.host(library, Class::Instrument, Setup::default())?;
    match load {
        Some(path) => {
            let chunk = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            ensure!(host.load(&chunk), "the plug-in refuses the state");
        }
        None => CHANGED.iter().for_each(|(name, value)| host.set(name, *value)),
    }
    host.process(&Block { frames: 64, transport: Some(Transport::default()), ..Block::default() });
    for (name, _) in CHANGED {
        println!("{name} {}", host.get(name));
    }
    std::fs::write(save, host.save()).with_context(|| format!("writing {}", save.display()))
}
