//! Cost of the plug-in to its host: `cargo bench -p antiphon-tests --bench hosting`, optionally with `-- --bundle FILE` of a bundle's
//! library.
//!
//! Three parts, each in processes of its own, with the library loaded as hosts load it: load time, memory per further instance, and
//! audio-thread time per block. The only assertion is that the audio thread does not allocate.

mod allocations;
mod block;
mod loading;
mod memory;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::smf;
use antiphon_tests::{RollingTransport, Timed, library, machine, playback};
use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};

/// Sample rate in hertz.
const RATE: f64 = 48_000.0;
/// Quarters per minute.
const TEMPO: f64 = 120.0;
/// Samples per bar of 4/4.
const BAR: u64 = 96_000;
/// Bars of the demo clip that the player repeats.
const CLIP_BARS: u32 = 8;

/// Cost of the plug-in to its host.
#[derive(Parser)]
struct Arguments {
    /// The library to load: a bundle's file that hosts load; by default the one built with this program
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// How long each configuration is played when blocks are timed, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Run one part instead of all
    #[arg(long)]
    part: Option<Part>,
    /// Load the library once in this format and print the times: used by the part `loading`
    #[arg(long, hide = true)]
    once: Option<loading::Format>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Loading,
    Memory,
    Block,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os(RUNTIME_VARIABLE).is_none() && arguments.bundle.is_none() {
        eprintln!("error: name ONNX Runtime with {RUNTIME_VARIABLE}, or a bundle, which has it beside it");
        return ExitCode::from(2);
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let library = match &arguments.bundle {
        // The plug-in looks for its runtime beside the path it was loaded from.
        Some(path) => path.canonicalize().with_context(|| path.display().to_string())?,
        None => library::path(),
    };
    if let Some(format) = arguments.once {
        return loading::once(&library, format);
    }
    match arguments.part {
        Some(Part::Loading) => loading::report(&library),
        Some(Part::Memory) => memory::report(&library),
        Some(Part::Block) => block::report(&library, arguments.seconds),
        None => {
            println!("{}; load average {}", library.display(), machine::load_average());
            // Each in its own process, so that none inherits memory from another.
            for part in Part::value_variants() {
                let name = part.to_possible_value().context("no part is hidden")?;
                let mut again = Command::new(std::env::current_exe()?);
                again.arg("--bundle").arg(&library).args(["--seconds", &arguments.seconds.to_string(), "--part", name.get_name()]);
                ensure!(again.status()?.success(), "part {} failed", name.get_name());
            }
            println!("\nload average {}", machine::load_average());
            Ok(())
        }
    }
}

/// The demo clip as messages of one keyboard player, timed from its start.
fn played(song: &RollingTransport) -> Result<Vec<Timed>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/pop.mid");
    let clip = smf::read_file(&path).context("the demo clip")?.clip;
    Ok(playback::to_messages(&clip, song, playback::bar_line(song, CLIP_BARS)))
}

/// The messages of the repeated clip that fall into a block, timed from the start of the block.
fn inside(clip: &[Timed], from: u64, frames: u32) -> Vec<Timed> {
    let round = u64::from(CLIP_BARS) * BAR;
    let (from, frames) = (from % round, u64::from(frames));
    let first = clip.partition_point(|timed| timed.sample < from);
    let within = clip[first..].iter().take_while(|timed| timed.sample < from + frames);
    within.map(|timed| Timed { sample: timed.sample - from, ..*timed }).collect()
}
