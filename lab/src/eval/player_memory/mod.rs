//! `antiphon-lab eval --player-memory`: what a memory of the player's earlier music is worth, in several ways to remember it. Pieces of one source stand for the
//! pieces of one player, and so do the later bars of the piece itself: a project holds one piece.

mod ngram;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::cache::CacheOptions;
use antiphon_engine::codec::vocabulary::Field;
use antiphon_engine::codec::{BarEnd, BarRows, prefix_rows};
use antiphon_engine::decode::{BarScore, DecodeError, Decoder, Entries};
use antiphon_engine::music::analysis::KeySignature;
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde_json::json;

use self::ngram::Intervals;
use super::model::{CACHE_BYTES, EvalModel, with_metre_only};
use super::pieces::{self, ChosenFile, ReadPieces};
use super::progress_bar;
use crate::corpus::Piece;

/// Bars of a piece that are predicted, and bars of each earlier piece: a phase of the model.
const BARS: usize = 16;
/// Pieces that are remembered.
const EARLIER: usize = 2;
/// Largest shares of the intervals in the mixture.
const SHARES: [f64; 3] = [0.1, 0.2, 0.4];
/// Added to the similarity of remembered entries.
const NEARER: [f32; 4] = [0.0, 0.05, 0.1, 0.2];
/// Pitch classes that are keys.
const KEYS: i16 = 128;

/// Nats of a way to remember.
type Ways = BTreeMap<String, f64>;

/// Measures the pieces, and prints a table.
pub(super) fn run(files: Vec<ChosenFile>, dir: &Path, model: &EvalModel, json: bool) -> Result<()> {
    let ReadPieces { files, pieces, .. } = pieces::read(files, dir, &progress_bar("files"))?;
    let mut sources: BTreeMap<&str, Vec<&Piece>> = BTreeMap::new();
    for (file, piece) in files.iter().zip(&pieces) {
        sources.entry(&file.source).or_default().push(piece);
    }
    sources.retain(|_, pieces| pieces.len() > EARLIER);
    if sources.len() < 2 {
        bail!("{}: two sources with {} pieces or more are needed; check --sources and --limit-pieces", dir.display(), EARLIER + 1);
    }
    let sources: Vec<(&str, Vec<&Piece>)> = sources.into_iter().collect();
    let mut all = Vec::new();
    for (index, (name, pieces)) in sources.iter().enumerate() {
        let others = &sources[(index + 1) % sources.len()].1;
        let progress = progress_bar("pieces");
        progress.set_length(u64::try_from(pieces.len())?);
        let measured: Vec<(usize, Ways)> = (0..pieces.len())
            .into_par_iter()
            .map(|piece| {
                let after = |pieces: &[&Piece], first: usize| {
                    (first..first + EARLIER).map(|index| opening(pieces[index % pieces.len()])).collect::<Vec<_>>()
                };
                let measured = measure(model, pieces[piece], &after(pieces, piece + 1), &after(others, piece));
                progress.inc(1);
                measured.with_context(|| format!("{name}: the model cannot be run; try another --model or --onnxruntime"))
            })
            .collect::<Result<_>>()?;
        progress.finish_and_clear();
        let notes: usize = measured.iter().map(|(notes, _)| notes).sum();
        let mut ways = Ways::new();
        for (way, nats) in measured.iter().flat_map(|(_, ways)| ways) {
            *ways.entry(way.clone()).or_default() += nats;
        }
        #[allow(clippy::cast_precision_loss, reason = "notes are counted far below 2^53")]
        ways.values_mut().for_each(|nats| *nats /= notes as f64 * std::f64::consts::LN_2);
        all.push((*name, notes, ways));
    }
    print(&all, json)
}

fn print(all: &[(&str, usize, Ways)], json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let sources: BTreeMap<&str, _> =
            all.iter().map(|(name, notes, ways)| (*name, json!({ "notes": notes, "bits_per_note": ways }))).collect();
        writeln!(out, "{}", json!(sources))?;
        return Ok(());
    }
    for way in all.iter().take(1).flat_map(|(_, _, ways)| ways.keys()) {
        let bits: Vec<f64> = all.iter().map(|(_, _, ways)| ways[way]).collect();
        #[allow(clippy::cast_precision_loss, reason = "few sources")]
        let mean = bits.iter().sum::<f64>() / bits.len() as f64;
        let bits: Vec<String> = bits.iter().map(|bits| format!("{bits:8.3}")).collect();
        writeln!(out, "{way:28} {mean:8.3} {}", bits.join(" "))?;
    }
    let names: Vec<String> = all.iter().map(|(name, notes, _)| format!("{name} ({notes} notes)")).collect();
    writeln!(out, "mean, then {}", names.join(", "))?;
    Ok(())
}

/// First bars of a piece.
fn opening(piece: &Piece) -> Vec<BarRows> {
    piece.bars.iter().take(BARS).cloned().collect()
}

/// Notes of a piece's opening, and the nats of each way to remember.
fn measure(model: &EvalModel, piece: &Piece, same: &[Vec<BarRows>], other: &[Vec<BarRows>]) -> Result<(usize, Ways), DecodeError> {
    let target = opening(piece);
    let counts = |score: &BarScore| {
        let nats = |row: &antiphon_engine::decode::RowScore| {
            let fields = Field::ALL.into_iter().filter(|field| row.targets[*field as usize] >= 0 && piece.counts(*field));
            fields.map(|field| f64::from(row.nll[field as usize])).sum::<f64>()
        };
        score.rows.iter().map(nats).sum::<f64>()
    };
    let mut ways = Ways::new();
    let alone = score(model, &[], &target, None)?;
    ways.insert("none".into(), alone.iter().map(counts).sum());
    for share in SHARES {
        ways.insert(format!("ngram {share} none"), mixed(&alone, &target, &[], share, counts));
    }
    let piece = piece.bars.iter().skip(BARS).take(EARLIER * BARS).cloned().collect::<Vec<_>>();
    let piece: Vec<Vec<BarRows>> = piece.chunks(BARS).map(<[BarRows]>::to_vec).collect();
    for (name, material) in [("piece", piece.as_slice()), ("same", same), ("other", other)] {
        for share in SHARES {
            ways.insert(format!("ngram {share} {name}"), mixed(&alone, &target, material, share, counts));
        }
        let transposed: Vec<Vec<BarRows>> = material.iter().map(|bars| transpose(bars, &target)).collect();
        for (kind, material) in [("", material), (" transposed", transposed.as_slice())] {
            let context: Vec<BarRows> = material.iter().flat_map(|bars| whole_phase(bars)).collect();
            ways.insert(format!("context {name}{kind}"), score(model, &context, &target, None)?.iter().map(counts).sum());
            let mut entries = Entries::default();
            for bars in material {
                entries = entries.followed_by(read(model, bars)?.memory_entries());
            }
            let entries = Arc::new(entries);
            for nearer in NEARER {
                let scores = score(model, &[], &target, Some((Arc::clone(&entries), nearer)))?;
                ways.insert(format!("entries +{nearer} {name}{kind}"), scores.iter().map(counts).sum());
            }
        }
    }
    Ok((target.iter().map(|bar| bar.notes.len()).sum(), ways))
}

/// The bars of a phase: silent ones at the end of a shorter piece are not played, so its bars are repeated.
fn whole_phase(bars: &[BarRows]) -> impl Iterator<Item = BarRows> + '_ {
    bars.iter().cycle().take(BARS).cloned()
}

/// A decoder that has read these bars.
fn read(model: &EvalModel, bars: &[BarRows]) -> Result<Decoder, DecodeError> {
    let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
    let mut decoder = Decoder::with_options(Arc::clone(&model.model), Arc::clone(&model.policy), &prefix_rows(0, &[]), options)?;
    for bar in bars {
        decoder.append_bar(&BarRows { index: decoder.bar(), ..with_metre_only(bar) })?;
    }
    Ok(decoder)
}

/// Scores of the target's bars.
fn score(
    model: &EvalModel,
    context: &[BarRows],
    target: &[BarRows],
    earlier: Option<(Arc<Entries>, f32)>,
) -> Result<Vec<BarScore>, DecodeError> {
    let mut decoder = read(model, context)?;
    if let Some((earlier, nearer)) = earlier {
        decoder.set_earlier(earlier, nearer);
    }
    let bars = target.iter().map(|bar| decoder.score_bar(&BarRows { index: decoder.bar(), ..with_metre_only(bar) }, &[], BarEnd::Bar));
    bars.collect()
}

/// Nats of the target's bars with the intervals of the material, and of the target so far, in the mixture.
fn mixed(scores: &[BarScore], target: &[BarRows], material: &[Vec<BarRows>], share: f64, counts: impl Fn(&BarScore) -> f64) -> f64 {
    let mut intervals = Intervals::default();
    material.iter().flatten().flat_map(|bar| &bar.notes).for_each(|note| intervals.learn(note));
    let pitch = Field::Pitch as usize;
    let mut nats = 0.0;
    for (score, bar) in scores.iter().zip(target) {
        nats += counts(score);
        let rows = score.rows.iter().filter(|row| row.targets[pitch] >= 0);
        for (row, note) in rows.zip(&bar.notes) {
            let (probability, confidence) = intervals.predict(note);
            let share = share * confidence;
            let model = f64::from(-row.nll[pitch]).exp();
            nats += model.ln() - ((1.0 - share) * model + share * probability).ln();
            intervals.learn(note);
        }
    }
    nats
}

/// The bars in the key of the target; as they are if a key is unknown. Drums stay.
fn transpose(bars: &[BarRows], target: &[BarRows]) -> Vec<BarRows> {
    let shift = tonic(bars).zip(tonic(target)).map_or(0, |(from, to)| (i16::from(to) - i16::from(from) + 6).rem_euclid(12) - 6);
    let mut bars = bars.to_vec();
    for note in bars.iter_mut().flat_map(|bar| &mut bar.notes).filter(|note| i16::from(note.pitch) < KEYS) {
        let pitch = i16::from(note.pitch) + shift;
        note.pitch = u8::try_from(pitch.clamp(0, KEYS - 1)).unwrap_or(note.pitch);
    }
    for bar in &mut bars {
        bar.notes.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        bar.notes.dedup_by_key(|note| (note.tick(), note.role, note.pitch));
    }
    bars
}

/// Tonic of most bars.
fn tonic(bars: &[BarRows]) -> Option<u8> {
    let mut counts = [0; 12];
    let tonics = bars.iter().filter_map(|bar| KeySignature::from_value(bar.fields.key)).map(KeySignature::tonic);
    tonics.for_each(|tonic| counts[usize::from(tonic)] += 1);
    (0u8..).zip(counts).max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0).map(|(tonic, _)| tonic)
}

#[cfg(test)]
mod tests {
    use super::super::tests::one_note_bars;
    use super::*;
    use antiphon_engine::music::analysis::ScaleMode;

    #[test]
    fn material_is_transposed_to_the_nearest_octave_of_the_key() {
        let in_key = |tonic| {
            let mut bars = opening(&one_note_bars(2));
            bars.iter_mut().for_each(|bar| bar.fields.key = KeySignature::new(tonic, ScaleMode::Major).map_or(0, KeySignature::value));
            bars
        };
        let pitch = |from, to| transpose(&in_key(from), &in_key(to))[0].notes[0].pitch;
        assert_eq!([pitch(0, 5), pitch(0, 7), pitch(3, 3)], [65, 55, 60]);
    }
}
