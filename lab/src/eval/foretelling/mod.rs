//! `antiphon-lab eval --next-bar`, `--fill`, `--accompany`: how much of real bars the model foretells from what it is told, beside copies of earlier bars.

mod accompany;
mod fill;
mod next_bar;
mod score;
mod tally;

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, GapError};
use antiphon_engine::codec::{BarRows, NoteClasses, prefix_rows};
use antiphon_engine::decode::{DecodeError, Decoder, PromptBar, Sampling, Step};
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde_json::{Value, json};

use self::score::{COPIES, Score, TOP};
use self::tally::{Sheet, Tally};
use super::model::CACHE_BYTES;
use super::pieces::{self, ChosenFile, ReadPieces};
use super::playing::Player;
use super::progress_bar;
use super::report::Skipped;
use crate::corpus::Piece;

/// Bars that are heard before the first is foretold; also the farthest that is copied from.
const HEARD_BARS: usize = COPIES[COPIES.len() - 1];

/// The coldest sampling there is: what is likeliest, one choice after another.
const LIKELIEST: Sampling = Sampling { temperature: 0.05, min_p: 0.0 };

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Do not score the model on DIR in bits: let it foretell N bars of each piece, spread evenly, each from the true past
    ///
    /// The model knows the notes before and the metre. Onset F1 counts onsets of a role in the bar, note F1 those with the right pitch as well. pitch_top1 is
    /// the share of pitches that were the likeliest, given the true notes before and the true onset and role, pitch_top5 of those among the five likeliest.
    /// Tellers are the model at its likeliest, the model as it plays by default, and copies of the bar 1, 2, 4 and 8 back; of a chord the copy foretells the
    /// pitches in their order. copy_best is the best of the four for each bar and measure, chosen by who knows the outcome; its pitch_top5 counts a pitch that
    /// any of them has there. No piece is foretold before its ninth bar.
    ///
    /// With --json: tellers {likeliest, played, copy_1, copy_2, copy_4, copy_8, copy_best: {onset_f1, note_f1, pitch_top1, pitch_top5}}, means over sources;
    /// sources {name: {pieces, bars, tellers}}; model, policy, seed, skipped. The model's pitches stand at likeliest; what a teller does not say is null.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls"],
        value_parser = clap::value_parser!(u32).range(1..))]
    next_bar: Option<u32>,

    /// The same for N gaps in each piece: the model fills --gap-bars bars, and knows what follows them, too
    ///
    /// It hears up to 64 bars before and 16 after; a gap has at least 8 bars on either side. A further teller, past, is the same model at its likeliest when it
    /// knows the bars before only. Copies repeat the last 1, 2, 4 or 8 bars before the gap. With --json as for --next-bar, and gap_bars.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls", "next_bar"],
        value_parser = clap::value_parser!(u32).range(1..))]
    fill: Option<u32>,

    /// How many bars are filled at once
    #[arg(long, value_name = "B", default_value_t = 4, requires = "fill", value_parser = clap::value_parser!(u32).range(1..=8))]
    gap_bars: u32,

    /// The same for N bars of each piece of two roles or more: one role, each in its turn, is foretold from what the others play
    ///
    /// clip: the others' notes of the bar are known. live: they have been heard up to a beat of the bar, drawn by --seed, as has the role itself; what comes
    /// from there on is foretold. Past is the same model at its likeliest when it knows the bars before only. With --json: clip and live, each as for
    /// --next-bar with the further teller.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls", "next_bar", "fill"],
        value_parser = clap::value_parser!(u32).range(1..))]
    accompany: Option<u32>,
}

/// What is foretold, and how much of it in each piece.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    NextBar { bars: usize },
    Fill { gaps: usize, bars: usize },
    Accompany { bars: usize },
}

impl Options {
    /// What is asked for, if anything.
    pub(super) fn task(&self) -> Option<Task> {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let next_bar = self.next_bar.map(|bars| Task::NextBar { bars: count(bars) });
        let fill = self.fill.map(|gaps| Task::Fill { gaps: count(gaps), bars: count(self.gap_bars) });
        next_bar.or(fill).or(self.accompany.map(|bars| Task::Accompany { bars: count(bars) }))
    }
}

impl Task {
    /// Its tables, by name, and who foretells in them.
    fn tables(self) -> Vec<(&'static str, Vec<&'static str>)> {
        match self {
            Self::NextBar { .. } => vec![("", next_bar::tellers())],
            Self::Fill { .. } => vec![("", fill::tellers())],
            Self::Accompany { .. } => vec![("clip", fill::tellers()), ("live", fill::tellers())],
        }
    }

    /// A tally for each table.
    fn foretell(self, piece: &Piece, seed: u64, player: &Player) -> Result<Vec<Tally>, DecodeError> {
        match self {
            Self::NextBar { bars } => Ok(vec![next_bar::foretell(piece, bars, seed, player)?]),
            Self::Fill { gaps, bars } => Ok(vec![fill::foretell(piece, gaps, bars, seed, player)?]),
            Self::Accompany { bars } => accompany::foretell(piece, bars, seed, player),
        }
    }
}

/// Foretells bars of these files, and prints how well.
pub(super) fn run(task: Task, seed: u64, files: Vec<ChosenFile>, dir: &Path, player: &Player, json: bool) -> Result<()> {
    let can_fill = !matches!(task, Task::Fill { .. }) || player.policy.fills();
    ensure!(can_fill, "--policy: {}", GapError::Policy { policy: player.policy.name() });
    let ReadPieces { files, pieces, skipped } = pieces::read(files, dir, &progress_bar("files"))?;
    let progress = progress_bar("pieces");
    progress.set_length(u64::try_from(pieces.len())?);
    let tell = |(file, piece): (&ChosenFile, &Piece)| -> Result<Vec<Tally>> {
        let tallies = task.foretell(piece, seed, player);
        progress.inc(1);
        tallies.with_context(|| format!("{}: the model cannot be run on it; try another --model or --onnxruntime", file.path))
    };
    let tallies: Vec<Vec<Tally>> = files.par_iter().zip(&pieces).map(tell).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let sheet = |(table, (name, tellers)): (usize, (&'static str, Vec<&'static str>))| {
        let pieces = files.iter().zip(&tallies).map(|(file, tallies)| (file.source.as_str(), &tallies[table]));
        (name, Sheet::new(tellers, pieces))
    };
    let sheets: Vec<(&str, Sheet)> = task.tables().into_iter().enumerate().map(sheet).collect();
    let mut out = io::stdout().lock();
    if json {
        let mut report = json!({});
        for (name, sheet) in &sheets {
            if name.is_empty() {
                report = sheet.json();
            } else {
                report[*name] = sheet.json();
            }
        }
        if let Task::Fill { bars, .. } = task {
            report["gap_bars"] = json!(bars);
        }
        let described: [(&str, Value); 4] = [
            ("model", json!(player.model.info().name)),
            ("policy", json!(player.policy.name())),
            ("seed", json!(seed)),
            ("skipped", json!(skipped)),
        ];
        described.into_iter().for_each(|(key, value)| report[key] = value);
        writeln!(out, "{report}")?;
    } else {
        for (name, sheet) in &sheets {
            let title = if name.is_empty() { String::new() } else { format!("{name} ") };
            sheet.print(&title, &mut out)?;
        }
        skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))?;
    }
    Ok(())
}

/// So many places, spread evenly over those there are.
fn places(room: Range<usize>, count: usize) -> Vec<usize> {
    let left = room.end.saturating_sub(room.start);
    let count = count.min(left);
    (0..count).map(|place| room.start + place * left / count).collect()
}

/// A decoder that is told neither style nor ensemble, with memory for more than any bar sees.
fn listener(player: &Player, seed: u64) -> Result<Decoder, DecodeError> {
    let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
    let mut decoder = Decoder::with_options(Arc::clone(&player.model), Arc::clone(&player.policy), &prefix_rows(0, &[]), options)?;
    decoder.set_seed(seed);
    Ok(decoder)
}

/// A bar of a prompt of which nothing is known but its frame.
fn frame(bar: &BarRows) -> PromptBar {
    BarRows { notes: Vec::new(), ..bar.clone() }.into()
}

/// What the model adds to the open bar, which is as it was after.
fn sampled(decoder: &mut Decoder, sampling: Sampling) -> Result<Vec<NoteClasses>, DecodeError> {
    decoder.set_sampling(sampling);
    let known = decoder.open().map_or(0, |open| open.bar().notes.len());
    while let Step::Note(_) = decoder.sample()? {}
    let notes = decoder.open().map(|open| open.bar().notes[known..].to_vec()).unwrap_or_default();
    decoder.truncate(known)?;
    Ok(notes)
}

/// Adds true notes to the open bar, and counts how likely the model found each one's pitch.
fn tell_pitches(decoder: &mut Decoder, notes: &[NoteClasses], score: &mut Score) -> Result<(), DecodeError> {
    for note in notes {
        score.count_rank(decoder.likelier_pitches(note, TOP)?);
        decoder.push(&[*note])?;
    }
    Ok(())
}

/// Takes back what was begun or made from a bar on, which is not the first: it comes next again.
fn back_to(decoder: &mut Decoder, bar: u32) -> Result<(), DecodeError> {
    decoder.rewind(bar - 1, usize::MAX)?;
    decoder.end_bar()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread_evenly() {
        assert_eq!(places(8..18, 5), [8, 10, 12, 14, 16]);
        assert_eq!(places(8..10, 5), [8, 9]);
        assert_eq!(places(8..8, 5), Vec::<usize>::new());
        let too_short = Range { start: 8, end: 0 };
        assert_eq!(places(too_short, 5), Vec::<usize>::new());
    }
}
