//! Prediction of the bars of a gap from the real bars on both sides of it.

use antiphon_engine::codec::{BarRows, NoteClasses, skipped_bars};
use antiphon_engine::decode::{Constraints, DecodeError, Decoder, Draw, FAR_SIDE_BARS, Prompt, Sampling};

use super::metrics::{COPY_DISTANCES, COPY_PREDICTORS, Metrics, count_copies};
use super::tally::Tally;
use super::{MIN_CONTEXT_BARS, NEAR_GREEDY, count_pitch_ranks, empty_bar, evenly_spaced, new_decoder, reopen_bar};
use crate::corpus::Piece;
use crate::eval::model::{EvalModel, with_metre_only};

/// Report names: the model near greedy, the model with default sampling, the model near greedy without the far side (or without the other parts), and
/// the copies.
pub(super) fn predictors() -> Vec<&'static str> {
    ["likeliest", "played", "past"].into_iter().chain(COPY_PREDICTORS).collect()
}

/// Predicts `gaps` gaps of a piece, evenly spaced, of `bars` bars each.
pub(super) fn predict(piece: &Piece, gaps: usize, bars: usize, seed: u64, model: &EvalModel) -> Result<Tally, DecodeError> {
    let places = evenly_spaced(MIN_CONTEXT_BARS..(piece.bars.len() + 1).saturating_sub(bars + MIN_CONTEXT_BARS), gaps);
    let mut tally = Tally { bars: places.len() * bars, ..Tally::new(predictors().len()) };
    for first in places {
        let skipped = skipped_bars(u32::try_from(first).unwrap_or(u32::MAX));
        let renumbered = |bar: &BarRows| BarRows { index: bar.index - skipped, ..with_metre_only(bar) };
        let all: Vec<BarRows> = piece.bars[usize::try_from(skipped).unwrap_or(0)..].iter().map(renumbered).collect();
        let gap = Gap { all: &all, first: first - usize::try_from(skipped).unwrap_or(0), bars };
        let mut decoder = new_decoder(model, seed)?;
        gap.predict(&mut decoder, &mut tally.predictors)?;
        for (place, bar) in gap.inside().iter().enumerate() {
            // A copy predictor that fills the gap bar by bar repeats the last `back` bars before it.
            let copies = COPY_DISTANCES.map(|back| piece.bars[first - back + place % back].notes.as_slice());
            count_copies(&mut tally.predictors[3..], copies, &bar.notes);
        }
    }
    Ok(tally)
}

/// A gap in a run of bars.
struct Gap<'a> {
    /// Bars before the gap, in it and after it, numbered from 0.
    all: &'a [BarRows],
    /// Index into `all` of the first bar of the gap; at least [`MIN_CONTEXT_BARS`].
    first: usize,
    /// Length of the gap in bars.
    bars: usize,
}

impl Gap<'_> {
    fn inside(&self) -> &[BarRows] {
        &self.all[self.first..self.first + self.bars]
    }

    /// The prompt of the gap, with at most `far` bars after it: no control is set but what its bars are asked to repeat.
    fn prompt(&self, far: usize) -> Prompt {
        let after = &self.all[self.first + self.bars..];
        let gap = self.inside().iter().map(empty_bar).collect();
        let prompt = Prompt::filled(self.all[..self.first].to_vec(), gap, after[..far.min(after.len())].to_vec(), None);
        Prompt { constraints: Constraints::default(), ..prompt }
    }

    /// Counts the model's predictions of the gap. The decoder is empty.
    fn predict(&self, decoder: &mut Decoder, predictors: &mut [Metrics]) -> Result<(), DecodeError> {
        let [near_greedy, sampled, past_only, ..] = predictors else { return Ok(()) };
        let first_bar = self.inside().first().map_or(0, |bar| bar.index);
        let past = self.prompt(0);
        decoder.prefill(&past)?;
        self.count_bars(past_only, &self.generate(decoder, &past, NEAR_GREEDY)?);
        decoder.prefill(&past)?;
        self.count_pitches(decoder, &past, past_only)?;
        reopen_bar(decoder, first_bar)?;

        let prompt = self.prompt(usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX));
        decoder.prefill(&prompt)?;
        for (metrics, sampling) in [(&mut *near_greedy, NEAR_GREEDY), (sampled, Sampling::default())] {
            self.count_bars(metrics, &self.generate(decoder, &prompt, sampling)?);
            decoder.rewind(first_bar, 0)?;
        }
        self.count_pitches(decoder, &prompt, near_greedy)
    }

    /// Generates all bars of the gap, each from the generated ones before it.
    fn generate(&self, decoder: &mut Decoder, prompt: &Prompt, sampling: Sampling) -> Result<Vec<Vec<NoteClasses>>, DecodeError> {
        decoder.set_sampling(sampling);
        let bars = (0..self.bars).map(|place| {
            decoder.open_gap_bar(prompt, place, Draw::FIRST)?;
            Ok(decoder.generate_bar()?.notes)
        });
        bars.collect()
    }

    fn count_bars(&self, metrics: &mut Metrics, generated: &[Vec<NoteClasses>]) {
        self.inside().iter().zip(generated).for_each(|(bar, generated)| metrics.count_bar(generated, &bar.notes));
    }

    /// Appends the real bars of the gap and counts the rank of every pitch (teacher forcing).
    fn count_pitches(&self, decoder: &mut Decoder, prompt: &Prompt, metrics: &mut Metrics) -> Result<(), DecodeError> {
        for (place, bar) in self.inside().iter().enumerate() {
            decoder.open_gap_bar(prompt, place, Draw::FIRST)?;
            count_pitch_ranks(decoder, &bar.notes, metrics)?;
            decoder.end_bar()?;
        }
        Ok(())
    }
}
