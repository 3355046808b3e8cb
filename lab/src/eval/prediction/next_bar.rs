//! Prediction of the next bar from the real bars before it.

use std::sync::Arc;

use antiphon_engine::decode::{Constraints, DecodeError, Draw, Prompt, Sampling};

use super::metrics::{COPY_DISTANCES, COPY_PREDICTORS, count_copies};
use super::tally::Tally;
use super::{MIN_CONTEXT_BARS, NEAR_GREEDY, count_pitch_ranks, empty_bar, evenly_spaced, generate_bar, new_decoder};
use crate::corpus::Piece;
use crate::eval::model::{EvalModel, with_metre_only};

/// Report names: the model near greedy, the model with default sampling, and the copies.
pub(super) fn predictors() -> Vec<&'static str> {
    ["likeliest", "played"].into_iter().chain(COPY_PREDICTORS).collect()
}

/// Predicts `bars` bars of a piece, evenly spaced.
pub(super) fn predict(piece: &Piece, bars: usize, seed: u64, model: &EvalModel) -> Result<Tally, DecodeError> {
    let places = evenly_spaced(MIN_CONTEXT_BARS..piece.bars.len(), bars);
    let mut tally = Tally { bars: places.len(), ..Tally::new(predictors().len()) };
    let Some(last) = places.last() else { return Ok(tally) };
    let mut decoder = new_decoder(model, seed)?;
    let mut context = Vec::new();
    for (index, bar) in piece.bars[..=*last].iter().enumerate() {
        let bar = with_metre_only(bar);
        // Prefill at every bar, so that the decoder has seen the whole piece, not only the context of a prompt.
        let prompt = Prompt::of_bars(context.clone(), vec![empty_bar(&bar)], Vec::new(), Constraints::default());
        decoder.prefill(&prompt)?;
        if !places.contains(&index) {
            context.push(Arc::new(bar.into()));
            continue;
        }
        decoder.open_gap_bar(&prompt, 0, Draw::FIRST)?;
        for (metrics, sampling) in tally.predictors.iter_mut().zip([NEAR_GREEDY, Sampling::default()]) {
            metrics.count_bar(&generate_bar(&mut decoder, sampling)?, &bar.notes);
        }
        count_pitch_ranks(&mut decoder, &bar.notes, &mut tally.predictors[0])?;
        context.push(Arc::new(decoder.end_bar()?.into()));
        let copies = COPY_DISTANCES.map(|back| piece.bars[index - back].notes.as_slice());
        count_copies(&mut tally.predictors[2..], copies, &bar.notes);
    }
    Ok(tally)
}
