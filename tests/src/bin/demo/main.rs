//! The plug-in in a host, from end to end: loads a bundle, plays it a clip at the pace of the music, presses Play, and writes down what it
//! answered. `cargo xtask demo` builds the bundle and runs this.

#[cfg(target_os = "linux")]
mod camera;
mod performance;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_engine::files::write_whole;
use antiphon_engine::music::{Clip, Tick, continuation, smf};
use antiphon_roll::picture::Picture;
use antiphon_tests::{ClapHost, Class, Render, Setup};
use anyhow::{Context, Result, ensure};
use clap::Parser;

use performance::{Performance, Wish};
use report::Counts;

/// Hertz.
const SAMPLE_RATE: f64 = 48_000.0;
/// Set where the display is ours already.
const INSIDE: &str = "ANTIPHON_DEMO_INSIDE";
/// Names ONNX Runtime. The bundle has to find its own.
const RUNTIME: &str = "ANTIPHON_ONNXRUNTIME";
/// The screen of our own display, in pixels. The pointer stands in its middle: outside the window.
#[cfg(target_os = "linux")]
const SCREEN: (u32, u32) = (2400, 1400);

/// Loads a bundle of Antiphon in a host, plays it a clip, presses Play, and writes what it answered.
#[derive(Parser)]
#[command(max_term_width = 100)]
struct Args {
    /// The CLAP to load: the file that hosts load
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The Standard MIDI File that is played to it, in the tempo and metre it begins with
    #[arg(long, value_name = "FILE")]
    clip: PathBuf,
    /// How many bars of the clip are played
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    heard: u32,
    /// How many bars it plans and plays
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=8))]
    bars: u32,
    /// The same seed gives the same notes, 1 to 999
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=999))]
    seed: u32,
    /// The folder that the results go to
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Use an X server that shows nothing (Xvfb), although there is a display
    #[arg(long)]
    headless: bool,
    /// Leave the editor closed, and do without its picture
    #[arg(long)]
    no_editor: bool,
    /// Render offline: as fast as the plug-in answers, which the host waits for
    #[arg(long)]
    offline: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if std::env::var_os(INSIDE).is_some() { perform(&args) } else { go_inside(&args) }
}

/// Runs this program again, with a display to draw on and with no runtime but the bundle's.
fn go_inside(args: &Args) -> Result<()> {
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
    ensure!(status.success(), "the demo failed; its own message stands above");
    Ok(())
}

/// What is written, and what it is.
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

/// One performance, and what is known of it.
struct Played {
    result: Performance,
    /// Whether there is a picture of the editor.
    photographed: Result<()>,
    counts: Counts,
}

/// Loads the bundle, plays, and lets it go.
fn play(args: &Args, clip: &Clip, heard: u32, files: &Files, render: Render) -> Result<Played> {
    let setup = Setup { sample_rate: SAMPLE_RATE, longest_block: performance::FRAMES, render };
    let host = ClapHost::bundled(&args.bundle, Class::Instrument, setup)?;
    let wish = Wish { heard, bars: args.bars, seed: args.seed, sample_rate: SAMPLE_RATE, render };
    #[cfg(target_os = "linux")]
    let (result, photographed) = if args.no_editor {
        (performance::play(host, clip, &wish, |_| ())?, Ok(()))
    } else {
        camera::filmed(host, clip, &wish, &files.editor)?
    };
    #[cfg(not(target_os = "linux"))]
    let (result, photographed) = (performance::play(host, clip, &wish, |_| ())?, Ok(()));
    Ok(Played { result, photographed, counts: report::read()? })
}

fn perform(args: &Args) -> Result<()> {
    let clip = smf::read_file(&args.clip)?.clip;
    let heard = args.heard.min(clip.metres.bars(clip.end).map(|bar| bar.index + 1).max().unwrap_or(1));
    std::fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let files = Files::within(&args.out);
    let render = if args.offline { Render::Offline } else { Render::RealTime };
    let mut played = play(args, &clip, heard, &files, render)?;
    if played.result.suggestion.note_count() == 0 && render == Render::RealTime {
        println!("\nThis machine is too slow, or too busy, to plan at the pace of the music: nothing came in time.\n{}", played.counts);
        println!("Once more as an offline render, which waits for the plug-in:");
        played = play(args, &clip, heard, &files, Render::Offline)?;
    }
    let Played { result, photographed, counts } = played;

    write(args, &files, &result)?;
    let Performance { context, suggestion, .. } = &result;
    println!(
        "\nAntiphon heard {} notes in {heard} bars of {}, and answered with {} notes in {} bars, from bar {} on.",
        context.note_count(),
        args.clip.display(),
        suggestion.note_count(),
        args.bars,
        heard + 1
    );
    println!("{counts}");
    println!("  suggestion         {}", files.suggestion.display());
    println!("  heard, then played {}", files.song.display());
    println!("  piano roll         {}", files.roll.display());
    if !args.no_editor && files.editor.is_file() {
        println!("  the editor         {}", files.editor.display());
    }
    photographed?;
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

/// Where the suggestion starts.
fn seam(context: &Clip) -> Tick {
    continuation::start(context).unwrap_or(context.end).max(context.end)
}
