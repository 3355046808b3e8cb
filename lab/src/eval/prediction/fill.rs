//! Prediction of the bars of a gap from the real bars on both sides of it.

use antiphon_engine::codec::{BarRows, NoteClasses};
use antiphon_engine::decode::{DecodeError, Decoder, FAR_SIDE_BARS, Sampling, Step, skipped_bars};

use super::metrics::{COPY_DISTANCES, COPY_PREDICTORS, Metrics, count_copies};
use super::tally::Tally;
use super::{MIN_CONTEXT_BARS, NEAR_GREEDY, count_pitch_ranks, evenly_spaced, new_decoder, reopen_bar};
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

    /// Counts the model's predictions of the gap. The decoder is at its first bar.
    fn predict(&self, decoder: &mut Decoder, predictors: &mut [Metrics]) -> Result<(), DecodeError> {
        let [near_greedy, sampled, past_only, ..] = predictors else { return Ok(()) };
        self.all[..self.first].iter().try_for_each(|bar| decoder.append_bar(bar))?;
        let first_bar = self.inside().first().map_or(0, |bar| bar.index);
        self.count_bars(past_only, &self.generate(decoder, NEAR_GREEDY)?);
        decoder.rewind(first_bar, 0)?;
        self.count_pitches(decoder, past_only)?;
        reopen_bar(decoder, first_bar)?;

        decoder.leave_gap(u32::try_from(self.bars).unwrap_or(u32::MAX))?;
        let far = usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX);
        self.all[self.first + self.bars..].iter().take(far).try_for_each(|bar| decoder.append_bar(bar))?;
        decoder.fill()?;
        for (metrics, sampling) in [(&mut *near_greedy, NEAR_GREEDY), (sampled, Sampling::default())] {
            self.count_bars(metrics, &self.generate(decoder, sampling)?);
            decoder.rewind(first_bar, 0)?;
        }
        self.count_pitches(decoder, near_greedy)
    }

    /// Generates all bars of the gap, each from the generated ones before it.
    fn generate(&self, decoder: &mut Decoder, sampling: Sampling) -> Result<Vec<Vec<NoteClasses>>, DecodeError> {
        decoder.set_sampling(sampling);
        let bars = self.inside().iter().map(|bar| {
            if decoder.open().is_none() {
                decoder.begin_bar(bar.ticks, bar.fields)?;
            }
            while let Step::Note(_) = decoder.sample()? {}
            Ok(decoder.end_bar()?.notes)
        });
        bars.collect()
    }

    fn count_bars(&self, metrics: &mut Metrics, generated: &[Vec<NoteClasses>]) {
        self.inside().iter().zip(generated).for_each(|(bar, generated)| metrics.count_bar(generated, &bar.notes));
    }

    /// Appends the real bars of the gap and counts the rank of every pitch (teacher forcing).
    fn count_pitches(&self, decoder: &mut Decoder, metrics: &mut Metrics) -> Result<(), DecodeError> {
        for bar in self.inside() {
            if decoder.open().is_none() {
                decoder.begin_bar(bar.ticks, bar.fields)?;
            }
            count_pitch_ranks(decoder, &bar.notes, metrics)?;
            decoder.end_bar()?;
        }
        Ok(())
    }
}
