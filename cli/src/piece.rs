//! The MIDI file that a command works on: read from a file or standard input, with its repairs reported, and its bars counted after a pickup.

use std::io::Read;
use std::path::Path;

use antiphon_engine::music::smf::{MAX_FILE_BYTES, Source};
use antiphon_engine::music::{Clip, Metre, Tick, pickup};
use anyhow::{Context, Result, ensure};

use antiphon_cli::console::remark;
use antiphon_cli::output::is_standard;

/// How the bars of a file are counted.
#[derive(clap::Args)]
pub(crate) struct Opening {
    /// Length of a pickup before the first full bar, in beats, for instance 1 or 0.5; 0 for none
    ///
    /// By default a pickup that the file does not mark is detected from its notes, where chords and bass show it. The pickup is bar 1.
    #[arg(long, value_name = "BEATS", value_parser = beats)]
    pickup: Option<f64>,
}

/// A file that was read.
pub(crate) struct Piece {
    /// With its bytes, to be edited.
    pub(crate) source: Source,
    /// Its music, with bar lines behind its pickup.
    pub(crate) clip: Clip,
}

/// How messages name a file.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Reads a MIDI file, and reports its repairs.
pub(crate) fn read(path: &Path, opening: &Opening) -> Result<Piece> {
    let piece = read_unreported(path, opening)?;
    for repaired in piece.source.report().repaired() {
        remark(&format!("{}: {repaired}", name(path)));
    }
    Ok(piece)
}

/// Reads a MIDI file for a command that reports repairs itself.
pub(crate) fn read_unreported(path: &Path, opening: &Opening) -> Result<Piece> {
    let source = if is_standard(path) { read_standard_input()? } else { Source::read_file(path)? };
    let mut clip = source.clip().clone();
    let metre = clip.metres.at(Tick::ZERO);
    let length = match opening.pickup {
        Some(beats) => length(beats, metre)?,
        None => pickup::shown(&clip).inspect(|length| remark(&format!("{}: {}", name(path), found(*length, metre)))),
    };
    if let Some(length) = length {
        clip.metres = pickup::metres_with(&clip.metres, length);
        clip.end = clip.metres.bar_line_from(clip.closing_bar_line().unwrap_or(clip.end));
    }
    Ok(Piece { source, clip })
}

fn read_standard_input() -> Result<Source> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).context("standard input: cannot be read")?;
    Source::read(bytes).context("standard input")
}

/// Reads a number of beats.
fn beats(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|beats: &f64| (0.0..=256.0).contains(beats))
        .ok_or_else(|| "it must be a number of beats, for instance 1 or 0.5".into())
}

/// A pickup of so many beats; `None` of none.
fn length(beats: f64, metre: Metre) -> Result<Option<Tick>> {
    let bar = metre.bar_length();
    let ticks = beats * f64::from(u32::try_from(bar.0)?) / f64::from(metre.numerator());
    ensure!(ticks < f64::from(u32::try_from(bar.0)?), "--pickup: {beats} beats fill a bar of {metre}; a pickup is shorter");
    ensure!(
        ticks.fract().abs() < f64::EPSILON,
        "--pickup: {beats} beats of {metre} fall between the ticks of the grid, 24 per quarter note"
    );
    #[allow(clippy::cast_possible_truncation, reason = "whole, and shorter than a bar")]
    let length = Tick(ticks as i64);
    Ok((length > Tick::ZERO).then_some(length))
}

fn found(length: Tick, metre: Metre) -> String {
    let beats = length.0 * i64::from(metre.numerator()) / metre.bar_length().0;
    let beats = if beats == 1 { "1 beat".to_owned() } else { format!("{beats} beats") };
    format!("detected a pickup of {beats}, counted as bar 1; use --pickup 0 to count bars from the first tick")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickup_in_beats_is_shorter_than_a_bar_and_on_the_grid() {
        assert_eq!(length(1.0, Metre::COMMON).unwrap(), Some(Tick(24)));
        assert_eq!(length(0.5, Metre::COMMON).unwrap(), Some(Tick(12)));
        assert_eq!(length(2.0, Metre::new(6, 8).unwrap()).unwrap(), Some(Tick(24)));
        assert_eq!(length(0.0, Metre::COMMON).unwrap(), None);
        assert!(length(4.0, Metre::COMMON).unwrap_err().to_string().contains("--pickup: 4 beats fill a bar of 4/4"));
        assert!(length(0.01, Metre::COMMON).unwrap_err().to_string().contains("--pickup"));
        assert!(beats("-1").is_err() && beats("soon").is_err());
    }
}
