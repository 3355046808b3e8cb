//! The commands.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use antiphon_engine::music::smf;
use antiphon_tests::win32::{allocations, modules};
use antiphon_tests::{Block, Class, Host, Lengths, RollingTransport, Setup, Transport, playback};
use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use crate::editor;
use crate::hosts::Format;

/// File name of ONNX Runtime.
const RUNTIME: &str = "onnxruntime.dll";
/// Sample rate of the runs, in hertz.
const SAMPLE_RATE: f64 = 48_000.0;
/// Time for the plug-in to load its model and plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// A host on Windows, driven from outside.
#[derive(Parser)]
#[command(name = "windows_host", max_term_width = 100)]
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
        Command::Allocations { plugin: Plugin { format, library }, clip } => count_allocations(format, &library, &clip),
        Command::State { plugin: Plugin { format, library }, load, save } => state(format, &library, load.as_deref(), &save),
        Command::Editor { plugin: Plugin { format, library }, clip } => editor::run(format, &library, &clip),
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

/// Plays a clip, presses Play, and plays on, in real time; counts what each block allocates.
fn count_allocations(format: Format, library: &Path, clip: &Path) -> Result<()> {
    let clip = smf::read_file(clip)?.clip;
    let mut host = format.host(library, Class::Instrument, Setup { sample_rate: SAMPLE_RATE, ..Setup::default() })?;
    allocations::watch(library)?;
    // The count works: making another instance allocates.
    let made = allocations::count(|| drop(format.host(library, Class::NoteFx, Setup::default())));
    println!("allocations of an instance {made}");
    let mut roll = RollingTransport::new(120.0, SAMPLE_RATE);
    let seam = playback::bar_line(&roll, 2);
    let until = roll.sample_of(seam.0 as f64);
    let messages = playback::to_messages(&clip, &roll, seam);
    let mut counted = Counting { host: &mut *host, calls: 0, blocks: 0 };
    let began = Instant::now();
    let paced = |played: u64, _| {
        let due = began + Duration::from_secs_f64(played as f64 / SAMPLE_RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    };
    let heard = roll.play(&mut counted, Lengths::Fixed(512), &messages, until, paced);
    counted.set("Play", 1.0);
    // A slow machine plans later; the plan sounds from the next bar on.
    let mut sounded = 0;
    while sounded == 0 && began.elapsed() < PATIENCE {
        let next = roll.played + 24_000;
        sounded = roll.play(&mut counted, Lengths::Fixed(512), &[], next, paced).len();
    }
    ensure!(!heard.is_empty() && sounded > 0, "nothing was passed on, or no plan sounded: {} and {sounded}", heard.len());
    println!("blocks {}", counted.blocks);
    println!("allocations in process {}", counted.calls);
    Ok(())
}

/// A host whose blocks are counted.
struct Counting<'a> {
    host: &'a mut dyn Host,
    /// Calls of the heap in all blocks.
    calls: u64,
    blocks: u64,
}

impl Host for Counting<'_> {
    fn process(&mut self, block: &Block<'_>) -> antiphon_tests::Outcome {
        let mut outcome = None;
        // What the host allocates goes through its own table of imports.
        self.calls += allocations::count(|| outcome = Some(self.host.process(block)));
        self.blocks += 1;
        outcome.expect("`count` ran it")
    }

    fn set(&mut self, name: &str, normalised: f64) {
        self.host.set(name, normalised);
    }

    fn get(&mut self, name: &str) -> f64 {
        self.host.get(name)
    }

    fn save(&mut self) -> Vec<u8> {
        self.host.save()
    }

    fn load(&mut self, chunk: &[u8]) -> bool {
        self.host.load(chunk)
    }

    fn write_back(&mut self) {
        self.host.write_back();
    }

    fn reset(&mut self) {
        self.host.reset();
    }

    fn reactivate(&mut self) {
        self.host.reactivate();
    }
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
