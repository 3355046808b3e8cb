//! `rows/` of the output folder: the clips of each prompt in the model's classes, with what the model makes of them. A judge learns from it
//! (`models/training/judge.py`).
//!
//! Real and generated music go through the same encoder, so that nothing but the music tells them apart: a file has finer velocities and durations than the
//! model can play.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use antiphon_engine::cache::CacheOptions;
use antiphon_engine::codec::vocabulary::FIELDS;
use antiphon_engine::codec::{BarEnd, BarRows, NoteClasses, encode, label, prefix_rows};
use antiphon_engine::decode::{DecodeError, Decoder, Prompt};
use antiphon_engine::files::write_whole;
use antiphon_engine::music::{Bar, Clip, Tick};
use anyhow::{Context, Result};
use serde::Serialize;

use super::folder::Entry;
use super::prompts::EvalPrompt;
use crate::eval::model::{CACHE_BYTES, EvalModel, with_metre_only};

/// Name of the sub-folder.
const FOLDER: &str = "rows";

/// The clips of one prompt.
#[derive(Serialize)]
struct Rows {
    source: String,
    piece: String,
    prompt: Vec<BarJson>,
    real: ScoredClip,
    /// In the order of their seeds.
    generated: Vec<ScoredClip>,
}

/// A continuation.
#[derive(Serialize)]
struct ScoredClip {
    bars: Vec<BarJson>,
    /// Negative log-likelihood of its notes and bar ends, by field, in nats: given the prompt, with the metre as the only conditioning.
    nats: Vec<f64>,
    /// Last hidden state of the model, mean over the rows of the clip.
    hidden: Vec<f64>,
}

/// A bar as classes.
#[derive(Serialize)]
struct BarJson {
    /// Length in ticks.
    ticks: u16,
    /// Key, density, register, span, voices, mood and repeats, measured with the bars before it.
    fields: [u8; 7],
    /// Beat, sub, role, pitch, duration, velocity and offset of each note.
    notes: Vec<[u8; 7]>,
}

impl From<&BarRows> for BarJson {
    fn from(bar: &BarRows) -> Self {
        let BarRows { ticks, fields, notes, .. } = bar;
        let note = |note: &NoteClasses| [note.beat, note.sub, note.role, note.pitch, note.duration, note.velocity, note.offset];
        Self {
            ticks: *ticks,
            fields: [fields.key, fields.density, fields.register, fields.span, fields.voices, fields.mood, fields.repeats],
            notes: notes.iter().map(note).collect(),
        }
    }
}

/// Writes the rows of a prompt, its real continuation and the generated ones.
pub(super) fn write(folder: &Path, entry: &Entry, prompt: &EvalPrompt, generated: &[Clip], model: &EvalModel) -> Result<()> {
    let context = bars(&prompt.context);
    let mut scorer = Scorer { model, context: &context, decoder: None };
    let mut scored = |clip: &Clip| -> Result<ScoredClip, DecodeError> {
        let mut whole = context.clone();
        whole.extend(bars(clip));
        (0..).zip(&mut whole).for_each(|(index, bar)| bar.index = index);
        label(&mut whole, Tick::ZERO, &prompt.context.tempos);
        scorer.score(&whole[context.len()..])
    };
    let named = || prompt.path.clone();
    let rows = Rows {
        source: prompt.source.clone(),
        piece: prompt.path.clone(),
        real: scored(&prompt.real).with_context(named)?,
        generated: generated.iter().map(scored).collect::<Result<_, _>>().with_context(named)?,
        prompt: context.iter().map(BarJson::from).collect(),
    };
    let rows_folder = folder.join(FOLDER);
    let path = rows_folder.join(&entry.name).with_extension("json");
    let unwritable = || format!("{}: cannot be written; check --out and the free space", path.display());
    fs::create_dir_all(&rows_folder).with_context(unwritable)?;
    write_whole(&path, &serde_json::to_vec(&rows)?).with_context(unwritable)
}

/// The bars of a clip, empty ones included, with their conditioning.
fn bars(clip: &Clip) -> Vec<BarRows> {
    let lines: Vec<Bar> = clip.metres.bars(clip.end).collect();
    let mut bars = encode(&clip.notes(), &lines, None).bars;
    label(&mut bars, Tick::ZERO, &clip.tempos);
    bars
}

/// The model, and a decoder that has read the context.
struct Scorer<'a> {
    model: &'a EvalModel,
    context: &'a [BarRows],
    decoder: Option<Decoder>,
}

impl Scorer<'_> {
    fn score(&mut self, clip: &[BarRows]) -> Result<ScoredClip, DecodeError> {
        let mut decoder = self.prefilled()?;
        let (mut nats, mut hidden, mut rows) = (vec![0.0; FIELDS], Vec::new(), 0_u32);
        for bar in clip {
            let score = decoder.score_bar(&with_metre_only(bar), &[], BarEnd::Bar)?;
            for row in &score.rows {
                let predicted = nats.iter_mut().zip(row.targets).zip(row.nll).filter(|((_, target), _)| *target >= 0);
                predicted.for_each(|((sum, _), nll)| *sum += f64::from(nll));
            }
            let width = score.hidden.len() / score.rows.len().max(1);
            hidden.resize(width, 0.0);
            for state in score.hidden.chunks_exact(width.max(1)) {
                hidden.iter_mut().zip(state).for_each(|(sum, value)| *sum += f64::from(*value));
                rows += 1;
            }
        }
        hidden.iter_mut().for_each(|sum| *sum /= f64::from(rows.max(1)));
        self.decoder = Some(decoder);
        Ok(ScoredClip { bars: clip.iter().map(BarJson::from).collect(), nats, hidden })
    }

    /// A decoder that has read the context and no more: the last one rolled back or, where it cannot be, a new one.
    fn prefilled(&mut self) -> Result<Decoder, DecodeError> {
        let prompt = Prompt::of_context(self.context.iter().map(|bar| Arc::new(with_metre_only(bar).into())).collect());
        if let Some(mut decoder) = self.decoder.take()
            && decoder.prefill(&prompt).is_ok()
        {
            return Ok(decoder);
        }
        let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
        let mut decoder =
            Decoder::with_options(Arc::clone(&self.model.model), Arc::clone(&self.model.policy), &prefix_rows(0, &[]), options)?;
        decoder.prefill(&prompt)?;
        Ok(decoder)
    }
}
