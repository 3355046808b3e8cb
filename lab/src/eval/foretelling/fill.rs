//! Bars of a gap, from both sides of it.

use antiphon_engine::codec::{BarRows, NoteClasses};
use antiphon_engine::decode::{DecodeError, Decoder, FAR_SIDE_BARS, Sampling, Step, skipped_bars};

use super::score::{COPIES, COPY_TELLERS, Score, count_copies};
use super::tally::Tally;
use super::{HEARD_BARS, LIKELIEST, back_to, listener, places, tell_pitches};
use crate::corpus::Piece;
use crate::eval::model::known;
use crate::eval::playing::Player;

/// The model at its likeliest, the model as it plays by default, the model at its likeliest that knows the past alone, and the copies.
pub(super) fn tellers() -> Vec<&'static str> {
    ["likeliest", "played", "past"].into_iter().chain(COPY_TELLERS).collect()
}

/// So many gaps of a piece, of `bars` bars each.
pub(super) fn foretell(piece: &Piece, gaps: usize, bars: usize, seed: u64, player: &Player) -> Result<Tally, DecodeError> {
    let places = places(HEARD_BARS..(piece.bars.len() + 1).saturating_sub(bars + HEARD_BARS), gaps);
    let mut tally = Tally { bars: places.len() * bars, ..Tally::new(tellers().len()) };
    for first in places {
        let skipped = skipped_bars(u32::try_from(first).unwrap_or(u32::MAX));
        let numbered = |bar: &BarRows| BarRows { index: bar.index - skipped, ..known(bar) };
        let whole: Vec<BarRows> = piece.bars[usize::try_from(skipped).unwrap_or(0)..].iter().map(numbered).collect();
        let first_kept = first - usize::try_from(skipped).unwrap_or(0);
        let gap = Gap { whole: &whole, first: first_kept, bars };
        let mut decoder = listener(player, seed)?;
        gap.foretell(&mut decoder, &mut tally.scores)?;
        for (place, bar) in gap.inside().iter().enumerate() {
            // Who copies bar after bar repeats what stands before the gap.
            let copied = COPIES.map(|back| piece.bars[first - back + place % back].notes.as_slice());
            count_copies(&mut tally.scores[3..], copied, &bar.notes);
        }
    }
    Ok(tally)
}

/// A gap in some bars.
struct Gap<'a> {
    whole: &'a [BarRows],
    first: usize,
    bars: usize,
}

impl Gap<'_> {
    fn inside(&self) -> &[BarRows] {
        &self.whole[self.first..self.first + self.bars]
    }

    /// What the model makes of it; it has heard nothing yet.
    fn foretell(&self, decoder: &mut Decoder, scores: &mut [Score]) -> Result<(), DecodeError> {
        let [likeliest, played, past, ..] = scores else { return Ok(()) };
        self.whole[..self.first].iter().try_for_each(|bar| decoder.append_bar(bar))?;
        let line = self.inside().first().map_or(0, |bar| bar.index);
        self.count(past, &self.made(decoder, LIKELIEST)?);
        decoder.rewind(line, 0)?;
        self.tell(decoder, past)?;
        back_to(decoder, line)?;

        decoder.leave_gap(u32::try_from(self.bars).unwrap_or(u32::MAX))?;
        let far = usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX);
        self.whole[self.first + self.bars..].iter().take(far).try_for_each(|bar| decoder.append_bar(bar))?;
        decoder.fill()?;
        for (score, sampling) in [(&mut *likeliest, LIKELIEST), (played, Sampling::default())] {
            self.count(score, &self.made(decoder, sampling)?);
            decoder.rewind(line, 0)?;
        }
        self.tell(decoder, likeliest)
    }

    /// What the model makes, bar after bar.
    fn made(&self, decoder: &mut Decoder, sampling: Sampling) -> Result<Vec<Vec<NoteClasses>>, DecodeError> {
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

    fn count(&self, score: &mut Score, made: &[Vec<NoteClasses>]) {
        self.inside().iter().zip(made).for_each(|(bar, made)| score.count_bar(made, &bar.notes));
    }

    /// Counts the pitches, given the true notes before.
    fn tell(&self, decoder: &mut Decoder, score: &mut Score) -> Result<(), DecodeError> {
        for bar in self.inside() {
            if decoder.open().is_none() {
                decoder.begin_bar(bar.ticks, bar.fields)?;
            }
            tell_pitches(decoder, &bar.notes, score)?;
            decoder.end_bar()?;
        }
        Ok(())
    }
}
