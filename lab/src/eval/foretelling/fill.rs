//! Bars of a gap, from both sides of it.

use antiphon_engine::codec::{BarRows, NoteClasses};
use std::sync::Arc;

use antiphon_engine::codec::skipped_bars;
use antiphon_engine::decode::{Constraints, DecodeError, Decoder, Draw, FAR_SIDE_BARS, Prompt, PromptBar, Sampling};

use super::score::{COPIES, COPY_TELLERS, Score, count_copies};
use super::tally::Tally;
use super::{HEARD_BARS, LIKELIEST, back_to, frame, listener, places, tell_pitches};
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

    /// The prompt of the gap; `far` bars behind it are in it at most.
    fn prompt(&self, far: usize) -> Prompt {
        let shared = |bars: &[BarRows]| bars.iter().map(|bar| Arc::new(PromptBar::from(bar.clone()))).collect();
        let behind = &self.whole[self.first + self.bars..];
        let far_side = shared(&behind[..far.min(behind.len())]);
        Prompt::of_bars(shared(&self.whole[..self.first]), self.inside().iter().map(frame).collect(), far_side, Constraints::default())
    }

    /// What the model makes of it; it has read nothing yet.
    fn foretell(&self, decoder: &mut Decoder, scores: &mut [Score]) -> Result<(), DecodeError> {
        let [likeliest, played, past, ..] = scores else { return Ok(()) };
        let line = self.inside().first().map_or(0, |bar| bar.index);
        let without_far_side = self.prompt(0);
        decoder.prefill(&without_far_side)?;
        self.count(past, &self.made(decoder, &without_far_side, LIKELIEST)?);
        decoder.prefill(&without_far_side)?;
        self.tell(decoder, &without_far_side, past)?;
        back_to(decoder, line)?;

        let prompt = self.prompt(usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX));
        decoder.prefill(&prompt)?;
        for (score, sampling) in [(&mut *likeliest, LIKELIEST), (played, Sampling::default())] {
            self.count(score, &self.made(decoder, &prompt, sampling)?);
            decoder.rewind(line, 0)?;
        }
        self.tell(decoder, &prompt, likeliest)
    }

    /// What the model makes, bar after bar.
    fn made(&self, decoder: &mut Decoder, prompt: &Prompt, sampling: Sampling) -> Result<Vec<Vec<NoteClasses>>, DecodeError> {
        decoder.set_sampling(sampling);
        let bars = (0..self.bars).map(|place| {
            decoder.open_gap_bar(prompt, place, Draw::FIRST)?;
            Ok(decoder.generate_bar()?.notes)
        });
        bars.collect()
    }

    fn count(&self, score: &mut Score, made: &[Vec<NoteClasses>]) {
        self.inside().iter().zip(made).for_each(|(bar, made)| score.count_bar(made, &bar.notes));
    }

    /// Counts the pitches, given the true notes before.
    fn tell(&self, decoder: &mut Decoder, prompt: &Prompt, score: &mut Score) -> Result<(), DecodeError> {
        for (place, bar) in self.inside().iter().enumerate() {
            decoder.open_gap_bar(prompt, place, Draw::FIRST)?;
            tell_pitches(decoder, &bar.notes, score)?;
            decoder.end_bar()?;
        }
        Ok(())
    }
}
