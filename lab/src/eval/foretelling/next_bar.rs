//! The next bar, from the true past.

use antiphon_engine::decode::{DecodeError, Sampling};

use super::score::{COPIES, COPY_TELLERS, count_copies};
use super::tally::Tally;
use super::{HEARD_BARS, LIKELIEST, listener, places, sampled, tell_pitches};
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
    for (index, bar) in piece.bars[..=*last].iter().enumerate() {
        let bar = known(bar);
        if !places.contains(&index) {
            decoder.append_bar(&bar)?;
            continue;
        }
        decoder.begin_bar(bar.ticks, bar.fields)?;
        for (score, sampling) in tally.scores.iter_mut().zip([LIKELIEST, Sampling::default()]) {
            score.count_bar(&sampled(&mut decoder, sampling)?, &bar.notes);
        }
        tell_pitches(&mut decoder, &bar.notes, &mut tally.scores[0])?;
        decoder.end_bar()?;
        count_copies(&mut tally.scores[2..], COPIES.map(|back| piece.bars[index - back].notes.as_slice()), &bar.notes);
    }
    Ok(tally)
}
