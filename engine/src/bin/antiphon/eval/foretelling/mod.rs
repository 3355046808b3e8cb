//! `antiphon eval --next-bar`: how much of the next bar the model foretells from the true past, beside copies of earlier bars.

mod score;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::cache::CacheOptions;
use antiphon_engine::codec::vocabulary::Field;
use antiphon_engine::codec::{BarEnd, NoteClasses, prefix_rows};
use antiphon_engine::decode::{DecodeError, Decoder, Sampling, Step};
use anyhow::{Context, Result};
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use self::score::{NAMES, Score, named};
use super::model::{CACHE_BYTES, known};
use super::percentile::mean as mean_of;
use super::pieces::{self, ChosenFile, ReadPieces};
use super::playing::Player;
use super::progress_bar;
use super::report::Skipped;
use crate::corpus::Piece;

/// Bars that are heard before the first is foretold; also the farthest that is copied from.
const HEARD_BARS: usize = 8;

/// How far back the copies are.
const COPIES: [usize; 4] = [1, 2, 4, HEARD_BARS];

/// The coldest sampling there is: what is likeliest, one choice after another.
const LIKELIEST: Sampling = Sampling { temperature: 0.05, min_p: 0.0 };

/// Who foretells: the model at its likeliest, the model as it plays by default, and the copies.
const TELLERS: [&str; 6] = ["likeliest", "played", "copy_1", "copy_2", "copy_4", "copy_8"];

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Do not score the model on DIR in bits: let it foretell N bars of each piece, spread evenly, each from the true past
    ///
    /// The model knows the notes before and the metre. Onset F1 counts onsets of a role in the bar, note F1 those with the right pitch as well; pitch_top1 is
    /// the share of pitches that were the likeliest, given the true notes before and the true onset and role. Tellers are the model at its likeliest, the
    /// model as it plays by default, and copies of the bar 1, 2, 4 and 8 back; of a chord the copy foretells the pitches in their order. No piece is
    /// foretold before its ninth bar.
    ///
    /// With --json: tellers {likeliest, played, copy_1, copy_2, copy_4, copy_8: {onset_f1, note_f1, pitch_top1}}, means over sources; sources {name: {pieces,
    /// bars, tellers}}; model, policy, seed, skipped. The model's pitch_top1 stands at likeliest; at played it is null.
    #[arg(long, value_name = "N", requires = "dir", conflicts_with_all = ["generate", "measure", "controls"],
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) next_bar: Option<u32>,
}

/// What all tellers foretold of some bars.
#[derive(Debug, Clone, Default)]
struct Tally {
    pieces: usize,
    bars: usize,
    scores: [Score; TELLERS.len()],
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.bars += other.bars;
        self.scores.iter_mut().zip(&other.scores).for_each(|(sum, more)| *sum += *more);
    }

    fn shares(&self) -> Vec<[Option<f64>; NAMES.len()]> {
        self.scores.iter().map(Score::shares).collect()
    }
}

/// Foretells bars of these files, and prints how well.
pub(super) fn run(bars: u32, seed: u64, files: Vec<ChosenFile>, dir: &Path, player: &Player, json: bool) -> Result<()> {
    let ReadPieces { files, pieces, skipped } = pieces::read(files, dir, &progress_bar("files"))?;
    let progress = progress_bar("pieces");
    progress.set_length(u64::try_from(pieces.len())?);
    let tell = |(file, piece): (&ChosenFile, &Piece)| -> Result<Tally> {
        let tally = foretell(piece, usize::try_from(bars)?, seed, player);
        progress.inc(1);
        tally.with_context(|| format!("{}: the model cannot be run on it; try another --model or --onnxruntime", file.path))
    };
    let tallies: Vec<Tally> = files.par_iter().zip(&pieces).map(tell).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
    for (file, tally) in files.iter().zip(&tallies).filter(|(_, tally)| tally.bars > 0) {
        sources.entry(file.source.clone()).or_default().add(tally);
    }
    let mut out = io::stdout().lock();
    if json {
        let mut report = report(&sources);
        report["model"] = json!(player.model.info().name);
        report["policy"] = json!(player.policy.name());
        report["seed"] = json!(seed);
        report["skipped"] = json!(skipped);
        writeln!(out, "{report}")?;
    } else {
        print(&sources, &skipped, &mut out)?;
    }
    Ok(())
}

/// The bars of a piece that are foretold: so many, spread evenly over those that have enough before them.
fn places(piece: &Piece, bars: usize) -> Vec<usize> {
    let Range { start, end } = HEARD_BARS..piece.bars.len();
    let left = end.saturating_sub(start);
    let bars = bars.min(left);
    (0..bars).map(|place| start + place * left / bars).collect()
}

fn foretell(piece: &Piece, bars: usize, seed: u64, player: &Player) -> Result<Tally, DecodeError> {
    let places = places(piece, bars);
    let mut tally = Tally { pieces: 1, bars: places.len(), ..Tally::default() };
    let Some(last) = places.last() else { return Ok(tally) };
    let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
    let mut decoder = Decoder::with_options(Arc::clone(&player.model), Arc::clone(&player.policy), &prefix_rows(0, &[]), options)?;
    decoder.set_seed(seed);
    for (index, bar) in piece.bars[..=*last].iter().enumerate() {
        let bar = known(bar);
        if !places.contains(&index) {
            decoder.append_bar(&bar)?;
            continue;
        }
        let scored = decoder.score_bar(&bar, BarEnd::Bar)?;
        for row in scored.rows.iter().filter(|row| row.targets[Field::Pitch as usize] >= 0) {
            tally.scores[0].count_pitch(i64::from(row.targets[Field::Pitch as usize]) == row.best[Field::Pitch as usize]);
        }
        decoder.rewind(bar.index, 0)?;
        for (score, sampling) in tally.scores.iter_mut().zip([LIKELIEST, Sampling::default()]) {
            score.count_bar(&sampled(&mut decoder, sampling)?, &bar.notes);
        }
        decoder.push(&bar.notes)?;
        decoder.end_bar()?;
        for (score, back) in tally.scores[2..].iter_mut().zip(COPIES) {
            let earlier = &piece.bars[index - back].notes;
            score.count_bar(earlier, &bar.notes);
            score.count_copied_pitches(earlier, &bar.notes);
        }
    }
    Ok(tally)
}

/// What the model makes of the open bar, which has no note before and after.
fn sampled(decoder: &mut Decoder, sampling: Sampling) -> Result<Vec<NoteClasses>, DecodeError> {
    decoder.set_sampling(sampling);
    while let Step::Note(_) = decoder.sample()? {}
    let notes = decoder.open().map(|open| open.bar().notes.clone()).unwrap_or_default();
    decoder.truncate(0)?;
    Ok(notes)
}

/// Means over sources, and the sources.
fn report(sources: &BTreeMap<String, Tally>) -> Value {
    let tellers = |shares: Vec<[Option<f64>; NAMES.len()]>| {
        TELLERS.iter().zip(shares).map(|(teller, shares)| ((*teller).to_owned(), named(shares))).collect::<Map<_, _>>()
    };
    let source = |tally: &Tally| json!({ "pieces": tally.pieces, "bars": tally.bars, "tellers": tellers(tally.shares()) });
    json!({
        "tellers": tellers(means(sources)),
        "sources": sources.iter().map(|(name, tally)| (name.clone(), source(tally))).collect::<Map<_, _>>(),
    })
}

/// Means over the sources that have a share.
fn means(sources: &BTreeMap<String, Tally>) -> Vec<[Option<f64>; NAMES.len()]> {
    let shares: Vec<_> = sources.values().map(Tally::shares).collect();
    let mean = |teller: usize, share: usize| {
        let values: Vec<f64> = shares.iter().filter_map(|shares| shares[teller][share]).collect();
        mean_of(&values)
    };
    (0..TELLERS.len()).map(|teller| std::array::from_fn(|share| mean(teller, share))).collect()
}

fn print(sources: &BTreeMap<String, Tally>, skipped: &[Skipped], out: &mut impl Write) -> io::Result<()> {
    for (share, name) in NAMES.iter().enumerate() {
        write!(out, "{name:24} {:>7}", "bars")?;
        TELLERS.iter().try_for_each(|teller| write!(out, " {teller:>9}"))?;
        writeln!(out)?;
        let mut row = |name: &str, bars: String, shares: &[[Option<f64>; NAMES.len()]]| {
            write!(out, "{name:24} {bars:>7}")?;
            let cell = |shares: &[Option<f64>; NAMES.len()]| shares[share].map_or("-".to_owned(), |share| format!("{share:.3}"));
            shares.iter().try_for_each(|shares| write!(out, " {:>9}", cell(shares)))?;
            writeln!(out)
        };
        sources.iter().try_for_each(|(name, tally)| row(name, tally.bars.to_string(), &tally.shares()))?;
        row("all, by source", String::new(), &means(sources))?;
        writeln!(out)?;
    }
    skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))
}

#[cfg(test)]
mod tests {
    use antiphon_engine::codec::BarRows;

    use super::*;

    #[test]
    fn bars_are_spread_evenly_over_those_with_a_past() {
        let piece = |bars: usize| Piece { bars: vec![BarRows::default(); bars], ..Piece::default() };
        assert_eq!(places(&piece(18), 5), [8, 10, 12, 14, 16]);
        assert_eq!(places(&piece(10), 5), [8, 9]);
        assert_eq!(places(&piece(8), 5), Vec::<usize>::new());
    }

    #[test]
    fn every_source_weighs_the_same() {
        let tally = |right: usize, wrong: usize| {
            let mut tally = Tally { pieces: 1, bars: 1, ..Tally::default() };
            (0..right + wrong).for_each(|index| tally.scores[2].count_pitch(index < right));
            tally
        };
        let sources = BTreeMap::from([("a".to_owned(), tally(1, 0)), ("b".to_owned(), tally(0, 99))]);
        let report = report(&sources);
        assert_eq!(
            (&report["tellers"]["copy_1"]["pitch_top1"], &report["sources"]["b"]["tellers"]["copy_1"]["pitch_top1"]),
            (&json!(0.5), &json!(0.0))
        );
        assert!(report["tellers"]["played"]["pitch_top1"].is_null());
    }
}
