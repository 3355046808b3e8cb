//! The next bar, from the true past.

use std::sync::Arc;

use antiphon_engine::decode::{Constraints, DecodeError, Draw, Prompt, Sampling};

use super::score::{COPIES, COPY_TELLERS, count_copies};
use super::tally::Tally;
use super::{HEARD_BARS, LIKELIEST, frame, listener, places, sampled, tell_pitches};
use crate::corpus::Piece;
use crate::eval::model::known;
use crate::eval::playing::Player;

/// The model at its likeliest, the model as it plays by default, and the copies.
pub(super) fn tellers() -> Vec<&'static str> {
    ["likeliest", "played"].into_iter().chain(COPY_TELLERS).collect()
}

/// So many bars of a piece.
pub(super) fn foretell(piece: &Piece, bars: usize, seed: u64, player: &Player) -> Result<Tally, DecodeError> {
    let places = places(HEARD_BARS..piece.bars.len(), bars);
    let mut tally = Tally { bars: places.len(), ..Tally::new(tellers().len()) };
    let Some(last) = places.last() else { return Ok(tally) };
    let mut decoder = listener(player, seed)?;
    let mut context = Vec::new();
    for (index, bar) in piece.bars[..=*last].iter().enumerate() {
        let bar = known(bar);
        if !places.contains(&index) {
            context.push(Arc::new(bar.into()));
            continue;
        }
        let prompt = Prompt::of_bars(context.clone(), vec![frame(&bar)], Vec::new(), Constraints::default());
        decoder.prefill(&prompt)?;
        decoder.open_gap_bar(&prompt, 0, Draw::FIRST)?;
        for (score, sampling) in tally.scores.iter_mut().zip([LIKELIEST, Sampling::default()]) {
            score.count_bar(&sampled(&mut decoder, sampling)?, &bar.notes);
        }
        tell_pitches(&mut decoder, &bar.notes, &mut tally.scores[0])?;
        context.push(Arc::new(decoder.end_bar()?.into()));
        count_copies(&mut tally.scores[2..], COPIES.map(|back| piece.bars[index - back].notes.as_slice()), &bar.notes);
    }
    Ok(tally)
}
