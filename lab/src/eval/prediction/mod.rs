//! `antiphon-lab eval --next-bar`, `--fill`, `--accompany`: generates bars of real pieces from their real context, and compares them with the real
//! bars, beside copies of earlier bars.

mod accompany;
mod fill;
mod metrics;
mod next_bar;
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

use self::metrics::{COPY_DISTANCES, Metrics, TOP_K};
use self::tally::{Table, Tally};
use super::model::{CACHE_BYTES, EvalModel};
use super::pieces::{self, ChosenFile, ReadPieces};

use super::progress_bar;
use super::report::Skipped;
use crate::corpus::Piece;

/// Fewest bars before a predicted one: the longest distance of a copy.
const MIN_CONTEXT_BARS: usize = COPY_DISTANCES[COPY_DISTANCES.len() - 1];

/// Sampling that is greedy but for near ties.
const NEAR_GREEDY: Sampling = Sampling { temperature: 0.05, ..Sampling::PLAIN };

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Measure the prediction of bars instead of bits per note: N bars of each piece, evenly spaced, each generated from the real bars before it
    ///
    /// The model gets the notes before and the metre. onset_f1 compares onsets and roles within the bar, note_f1 pitches too. pitch_top1 is the share
    /// of pitches that the model ranked first, given the real notes before and the real onset and role; pitch_top5 the share among the first five.
    /// The predictors are the model near greedy (likeliest), the model with default sampling (played), and copies of the bar 1, 2, 4 and 8 back; in a
    /// chord the n-th pitch is compared with the copy's n-th. copy_best is an oracle: the best of the four copies for each bar and metric; its
    /// pitch_top5 counts a pitch that any of them has there. The first bar predicted is at least the ninth.
    ///
    /// With --json: tellers {likeliest, played, copy_1, copy_2, copy_4, copy_8, copy_best: {onset_f1, note_f1, pitch_top1, pitch_top5}}, means over
    /// sources; sources {name: {pieces, bars, tellers}}; model, policy, seed, skipped. The model's pitch metrics are under likeliest; a metric that a
    /// predictor does not have is null.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls"],
        value_parser = clap::value_parser!(u32).range(1..))]
    next_bar: Option<u32>,

    /// The same for N gaps in each piece: the model fills --gap-bars bars from the real bars on both sides
    ///
    /// The context is up to 64 bars before and 16 after; the bars of the gap are asked to repeat what the bars around it repeat, as in `antiphon fill`.
    /// A gap has at least 8 bars on either side. A further predictor, past, is the model near greedy with the bars before the gap only. Copies repeat the last 1, 2, 4 or 8 bars before the gap. With --json as for --next-bar, and gap_bars.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls", "next_bar"],
        value_parser = clap::value_parser!(u32).range(1..))]
    fill: Option<u32>,

    /// Length of a gap in bars
    #[arg(long, value_name = "B", default_value_t = 4, requires = "fill", value_parser = clap::value_parser!(u32).range(1..=8))]
    gap_bars: u32,

    /// The same for N bars of each piece with two roles or more: one role of the bar, in rotation, is predicted from the others
    ///
    /// clip: the notes of the other roles are given for the whole bar. live: the notes of all roles are given up to a beat of the bar, drawn by
    /// --seed; the rest is predicted. The predictor past is the model near greedy with the bars before only. With --json: clip and live, each as for
    /// --next-bar with the further predictor.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls", "next_bar", "fill"],
        value_parser = clap::value_parser!(u32).range(1..))]
    accompany: Option<u32>,
}

/// What is predicted, and how much of it in each piece.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    NextBar { bars: usize },
    Fill { gaps: usize, bars: usize },
    Accompany { bars: usize },
}

impl Options {
    /// The task that the options select.
    pub(super) fn task(&self) -> Option<Task> {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let next_bar = self.next_bar.map(|bars| Task::NextBar { bars: count(bars) });
        let fill = self.fill.map(|gaps| Task::Fill { gaps: count(gaps), bars: count(self.gap_bars) });
        next_bar.or(fill).or(self.accompany.map(|bars| Task::Accompany { bars: count(bars) }))
    }
}

impl Task {
    /// Tables of the report: name (empty for the only one), and predictors.
    fn tables(self) -> Vec<(&'static str, Vec<&'static str>)> {
        match self {
            Self::NextBar { .. } => vec![("", next_bar::predictors())],
            Self::Fill { .. } => vec![("", fill::predictors())],
            Self::Accompany { .. } => vec![("clip", fill::predictors()), ("live", fill::predictors())],
        }
    }

    /// Predicts bars of a piece; a tally for each table.
    fn predict(self, piece: &Piece, seed: u64, model: &EvalModel) -> Result<Vec<Tally>, DecodeError> {
        match self {
            Self::NextBar { bars } => Ok(vec![next_bar::predict(piece, bars, seed, model)?]),
            Self::Fill { gaps, bars } => Ok(vec![fill::predict(piece, gaps, bars, seed, model)?]),
            Self::Accompany { bars } => accompany::predict(piece, bars, seed, model),
        }
    }
}

/// Predicts bars of these files, and prints the metrics.
pub(super) fn run(task: Task, seed: u64, files: Vec<ChosenFile>, dir: &Path, model: &EvalModel, json: bool) -> Result<()> {
    let can_fill = !matches!(task, Task::Fill { .. }) || model.policy.fills();
    ensure!(can_fill, "--policy: {}", GapError::Policy { policy: model.policy.name() });
    let ReadPieces { files, pieces, skipped } = pieces::read(files, dir, &progress_bar("files"))?;
    let progress = progress_bar("pieces");
    progress.set_length(u64::try_from(pieces.len())?);
    let predict_piece = |(file, piece): (&ChosenFile, &Piece)| -> Result<Vec<Tally>> {
        let tallies = task.predict(piece, seed, model);
        progress.inc(1);
        tallies.with_context(|| format!("{}: the model cannot be run on it; try another --model or --onnxruntime", file.path))
    };
    let tallies: Vec<Vec<Tally>> = files.par_iter().zip(&pieces).map(predict_piece).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let table = |(table, (name, predictors)): (usize, (&'static str, Vec<&'static str>))| {
        let pieces = files.iter().zip(&tallies).map(|(file, tallies)| (file.source.as_str(), &tallies[table]));
        (name, Table::new(predictors, pieces))
    };
    let tables: Vec<(&str, Table)> = task.tables().into_iter().enumerate().map(table).collect();
    let mut out = io::stdout().lock();
    if json {
        let mut report = json!({});
        for (name, table) in &tables {
            if name.is_empty() {
                report = table.json();
            } else {
                report[*name] = table.json();
            }
        }
        if let Task::Fill { bars, .. } = task {
            report["gap_bars"] = json!(bars);
        }
        let described: [(&str, Value); 4] = [
            ("model", json!(model.model.info().name)),
            ("policy", json!(model.policy.name())),
            ("seed", json!(seed)),
            ("skipped", json!(skipped)),
        ];
        described.into_iter().for_each(|(key, value)| report[key] = value);
        writeln!(out, "{report}")?;
    } else {
        for (name, table) in &tables {
            let title = if name.is_empty() { String::new() } else { format!("{name} ") };
            table.print(&title, &mut out)?;
        }
        skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))?;
    }
    Ok(())
}

/// `count` indices, evenly spaced over `range`; all of them if it has fewer.
fn evenly_spaced(range: Range<usize>, count: usize) -> Vec<usize> {
    let left = range.end.saturating_sub(range.start);
    let count = count.min(left);
    (0..count).map(|place| range.start + place * left / count).collect()
}

/// A decoder without style and ensemble in its prefix.
fn new_decoder(model: &EvalModel, seed: u64) -> Result<Decoder, DecodeError> {
    let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
    let mut decoder = Decoder::with_options(Arc::clone(&model.model), Arc::clone(&model.policy), &prefix_rows(0, &[]), options)?;
    decoder.set_seed(seed);
    Ok(decoder)
}

/// A bar to be generated: the length and conditioning of a real one.
fn empty_bar(bar: &BarRows) -> PromptBar {
    BarRows { notes: Vec::new(), ..bar.clone() }.into()
}

/// Generates the rest of the open bar, then removes it again.
fn generate_bar(decoder: &mut Decoder, sampling: Sampling) -> Result<Vec<NoteClasses>, DecodeError> {
    decoder.set_sampling(sampling);
    let before = decoder.open().map_or(0, |open| open.bar().notes.len());
    while let Step::Note(_) = decoder.sample()? {}
    let notes = decoder.open().map(|open| open.bar().notes[before..].to_vec()).unwrap_or_default();
    decoder.truncate(before)?;
    Ok(notes)
}

/// Appends the real notes to the open bar one by one, and counts the rank of each pitch given the notes before it (teacher forcing).
fn count_pitch_ranks(decoder: &mut Decoder, notes: &[NoteClasses], metrics: &mut Metrics) -> Result<(), DecodeError> {
    for note in notes {
        metrics.count_rank(decoder.likelier_pitches(note, TOP_K)?);
        decoder.push(&[*note])?;
    }
    Ok(())
}

/// Rewinds to the start of a bar, which is not the first: it can then be begun or appended again.
fn reopen_bar(decoder: &mut Decoder, bar: u32) -> Result<(), DecodeError> {
    decoder.rewind(bar - 1, usize::MAX)?;
    decoder.end_bar()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_spaced_indices_start_at_the_range_and_never_repeat() {
        assert_eq!(evenly_spaced(8..18, 5), [8, 10, 12, 14, 16]);
        assert_eq!(evenly_spaced(8..10, 5), [8, 9]);
        assert_eq!(evenly_spaced(8..8, 5), Vec::<usize>::new());
        let too_short = Range { start: 8, end: 0 };
        assert_eq!(evenly_spaced(too_short, 5), Vec::<usize>::new());
    }
}
