//! Timing in turns: a bar of Antiphon's model, as many notes of a shape.

use std::sync::Arc;
use std::time::Instant;

use antiphon_cli::policy::memory;
use antiphon_cli::synthetic::{NOTES, bar, decode_bar};
use antiphon_engine::cache::policy;
use antiphon_engine::codec::prefix_rows;
use antiphon_engine::decode::Decoder;
use antiphon_engine::model::{Model, Runtime};
use anyhow::{Context, Result};

use super::graph::Storage;
use super::peer::Peer;
use super::shapes::Shape;

/// Notes of each of the two in a turn.
pub(super) const NOTES_PER_TURN: usize = NOTES as usize;

/// Antiphon's model behind its context.
pub(super) struct Ours {
    model: Arc<Model>,
    decoder: Decoder,
    context: u32,
    /// Rows that the last note attended to.
    rows: usize,
}

/// A shape beside Antiphon's model.
pub(super) struct Comparison {
    pub(super) shape: Shape,
    pub(super) storage: Storage,
    /// Weights in the graphs.
    pub(super) weights: usize,
    /// Rows that a note attends to in the first network.
    pub(super) rows: usize,
    /// Milliseconds per note of the shape, median of the turns.
    pub(super) ms: f64,
    /// Milliseconds per note of Antiphon's model in the same turns.
    pub(super) ours_ms: f64,
    /// Median of the turns' ratios: how many notes of Antiphon's model in the time of one.
    pub(super) ratio: f64,
}

impl Ours {
    /// The model after a context of so many bars.
    pub(super) fn new(model: Arc<Model>, context: u32) -> Result<Self> {
        let policy = policy("fine_coarse", &model.info().fine_bars)?;
        let options = memory(&*policy);
        let mut decoder = Decoder::with_options(Arc::clone(&model), policy, &prefix_rows(0, &[]), options)?;
        while decoder.bar() < context {
            decoder.append_bar(&bar(decoder.bar()))?;
        }
        Ok(Self { model, decoder, context, rows: 0 })
    }

    /// Name of the model.
    pub(super) fn name(&self) -> &str {
        &self.model.info().name
    }

    /// Rows that the last note attended to.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Decodes a bar after the context; returns milliseconds per note.
    fn turn(&mut self) -> Result<f64> {
        if self.decoder.bar() > self.context {
            self.decoder.rewind(self.context - 1, usize::MAX)?;
            self.decoder.end_bar()?;
        }
        let start = Instant::now();
        self.rows = decode_bar(&mut self.decoder)?;
        Ok(ms_per_note(start))
    }
}

impl Comparison {
    /// Notes per second of a time per note.
    pub(super) fn per_second(ms: f64) -> f64 {
        1e3 / ms
    }
}

/// Measures a shape in `rounds` turns, after one that does not count.
pub(super) fn compare(
    runtime: &Runtime,
    ours: &mut Ours,
    shape: &Shape,
    storage: Storage,
    notes: usize,
    rounds: u16,
) -> Result<Comparison> {
    let built = Peer::new(runtime, shape, storage);
    let mut peer = built.with_context(|| format!("the shape {} was not built", shape.name))?;
    let (mut own, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    for round in 0..=rounds {
        let ours_ms = ours.turn()?;
        peer.rewind(notes);
        rows = peer.rows();
        let start = Instant::now();
        for _ in 0..NOTES_PER_TURN {
            peer.note()?;
        }
        let ms = ms_per_note(start);
        if round > 0 {
            own.push(ours_ms);
            theirs.push(ms);
            ratios.push(ms / ours_ms);
        }
    }
    let weights = peer.weights();
    Ok(Comparison { shape: *shape, storage, weights, rows, ms: median(theirs), ours_ms: median(own), ratio: median(ratios) })
}

fn ms_per_note(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3 / f64::from(NOTES)
}

/// The middle value; of an even number, the upper one of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_value() {
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 4.0));
        assert!(median(Vec::new()).is_nan());
    }
}
