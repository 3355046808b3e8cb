//! The plug-in in a host, end to end: loads a bundle, plays a clip to it in real time, presses Play, and writes the output. `cargo xtask
//! demo` builds the bundle and runs this.

mod performance;
mod report;
#[cfg(target_os = "linux")]
mod screenshot;

use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_engine::files::write_whole;
use antiphon_engine::music::{Clip, Tick, continuation, smf};
use antiphon_roll::picture::Picture;
use antiphon_tests::{ClapHost, Class, Render, Setup};
use anyhow::{Context, Result, ensure};
use clap::Parser;

use performance::{Parameters, Performance};
use report::Counts;

/// Sample rate in hertz.
const SAMPLE_RATE: f64 = 48_000.0;
/// Set in the child process, which has its display.
const INSIDE: &str = "ANTIPHON_DEMO_INSIDE";
/// Variable that names ONNX Runtime. Removed, since the bundle must find its own.
const RUNTIME: &str = "ANTIPHON_ONNXRUNTIME";
/// Size of our own display, in pixels. The pointer starts in the middle, outside the window.
#[cfg(target_os = "linux")]
const SCREEN: (u32, u32) = (2400, 1400);

/// Loads a bundle of Antiphon in a host, plays a clip to it, presses Play, and writes the answer.
#[derive(Parser)]
#[command(max_term_width = 100)]
struct Args {
    /// The CLAP to load: the file that hosts load
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The Standard MIDI File to play, in its initial tempo and metre
    #[arg(long, value_name = "FILE")]
    clip: PathBuf,
    /// Bars of the clip to play
    #[arg(long = "context-bars", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    context_bars: u32,
    /// Bars to plan and play
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=8))]
    bars: u32,
    /// Seed, 1 to 999: the same seed gives the same notes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=999))]
    seed: u32,
    /// Folder for the results
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Use a virtual X server (Xvfb) even if there is a display
    #[arg(long)]
    headless: bool,
    /// Leave the editor closed, and take no screenshot
    #[arg(long)]
    no_editor: bool,
    /// Render offline: as fast as the plug-in answers, with the host waiting for it
    #[arg(long)]
    offline: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if std::env::var_os(INSIDE).is_some() { perform(&args) } else { run_with_display(&args) }
}

/// Runs this program again with a display, and without a runtime other than the bundle's.
fn run_with_display(args: &Args) -> Result<()> {
    let folder = tempfile::tempdir().context("making a folder for the plug-in's report")?;
    let mut program = Command::new(std::env::current_exe().context("finding this program")?);
    program.args(std::env::args_os().skip(1)).env(INSIDE, "1").env_remove(RUNTIME).env(report::VARIABLE, folder.path().join("report"));
    #[cfg(target_os = "linux")]
    let _display = if !args.no_editor && (args.headless || std::env::var_os("DISPLAY").is_none_or(|name| name.is_empty())) {
        let display = antiphon_tests::display::Display::start(SCREEN.0, SCREEN.1)?;
        program.env("DISPLAY", display.name());
        Some(display)
    } else {
        None
    };
    #[cfg(not(target_os = "linux"))]
    let _ = args.headless;
    let status = program.status().context("starting the host")?;
    ensure!(status.success(), "the demo failed; see its message above");
    Ok(())
}

/// Output files.
struct Files {
    suggestion: PathBuf,
    song: PathBuf,
    roll: PathBuf,
    editor: PathBuf,
}

impl Files {
    fn within(folder: &Path) -> Self {
        let [suggestion, song, roll, editor] = ["suggestion.mid", "song.mid", "roll.png", "editor.png"].map(|name| folder.join(name));
        Self { suggestion, song, roll, editor }
    }
}

/// One performance and its results.
struct Played {
    result: Performance,
    /// Whether the screenshot was written.
    picture_written: Result<()>,
    counts: Counts,
}

/// Loads the bundle, plays, and unloads it.
fn play(args: &Args, clip: &Clip, context_bars: u32, files: &Files, render: Render) -> Result<Played> {
    let setup = Setup { sample_rate: SAMPLE_RATE, longest_block: performance::FRAMES, render };
    let host = ClapHost::bundled(&args.bundle, Class::Instrument, setup)?;
    let parameters = Parameters { context_bars, bars: args.bars, seed: args.seed, sample_rate: SAMPLE_RATE, render };
    #[cfg(target_os = "linux")]
    let (result, picture_written) = if args.no_editor {
        (performance::play(host, clip, &parameters, |_| ())?, Ok(()))
    } else {
        screenshot::play_with_editor(host, clip, &parameters, &files.editor)?
    };
    // There is no editor to photograph.
    #[cfg(not(target_os = "linux"))]
    let _ = files;
    #[cfg(not(target_os = "linux"))]
    let (result, picture_written) = (performance::play(host, clip, &parameters, |_| ())?, Ok(()));
    Ok(Played { result, picture_written, counts: report::read()? })
}

fn perform(args: &Args) -> Result<()> {
    let clip = smf::read_file(&args.clip)?.clip;
    let context_bars = args.context_bars.min(clip.metres.bars(clip.end).map(|bar| bar.index + 1).max().unwrap_or(1));
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let files = Files::within(&args.out);
    let render = if args.offline { Render::Offline } else { Render::RealTime };
    let mut played = play(args, &clip, context_bars, &files, render)?;
    if played.result.suggestion.note_count() == 0 && render == Render::RealTime {
        println!("\nThis machine is too slow, or too busy, to plan in real time: no plan was ready in time.\n{}", played.counts);
        println!("Again as an offline render, which waits for the plug-in:");
        played = play(args, &clip, context_bars, &files, Render::Offline)?;
    }
    let Played { result, picture_written, counts } = played;

    write(args, &files, &result)?;
    let Performance { context, suggestion, .. } = &result;
    println!(
        "\nAntiphon received {} notes in {context_bars} bars of {}, and answered with {} notes in {} bars, from bar {} on.",
        context.note_count(),
        args.clip.display(),
        suggestion.note_count(),
        args.bars,
        context_bars + 1
    );
    println!("{counts}");
    println!("  suggestion         {}", files.suggestion.display());
    println!("  clip and answer    {}", files.song.display());
    println!("  piano roll         {}", files.roll.display());
    if !args.no_editor && files.editor.is_file() {
        println!("  the editor         {}", files.editor.display());
    }
    picture_written?;
    ensure!(suggestion.note_count() > 0, "the plug-in played nothing; the editor's picture says why");
    Ok(())
}

/// Writes the suggestion, the whole song, and its picture.
fn write(args: &Args, files: &Files, result: &Performance) -> Result<()> {
    let Performance { context, suggestion, song } = result;
    smf::write_file(suggestion, &files.suggestion)?;
    smf::write_file(song, &files.song)?;
    let title = args.clip.file_name().unwrap_or_default().to_string_lossy();
    let subtitle = format!("{} bars, {} notes as the plug-in played them, seed {}", args.bars, suggestion.note_count(), args.seed);
    let png = Picture { title: &title, subtitle: &subtitle, context, seam: seam(context), continuation: suggestion }.png()?;
    write_whole(&files.roll, &png).with_context(|| format!("writing {}", files.roll.display()))
}

/// Tick at which the suggestion starts.
fn seam(context: &Clip) -> Tick {
    continuation::start(context).unwrap_or(context.end).max(context.end)
}
