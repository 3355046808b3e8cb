//! Prompts: context, gap, far side, conditioning and constraints of a generation. One place builds them from notes, metres and controls (`build.rs`); [`Decoder::prefill`] reads them.
//!
//! [`Decoder::prefill`]: super::Decoder::prefill

mod build;
mod likely_repeat;

use std::sync::Arc;

pub use self::build::{Upcoming, default_constraints};
use super::{Constraints, Draw};
use crate::codec::{BarFields, BarRows, NoteClasses};
use crate::music::Tick;
use crate::music::analysis::{Chord, KeySignature};

/// Most bars read after a gap: as many as models are trained with.
pub const FAR_SIDE_BARS: u32 = 16;

/// A bar of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PromptBar {
    /// Bar with its own notes: in the context all of them, in the gap those known so far.
    pub bar: BarRows,
    /// Given notes of the whole bar: those of the accompanied roles, or those kept in a gap.
    pub given: Vec<NoteClasses>,
}

/// Input of a generation. Bars of context, gap and far side follow each other by their indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Finished bars before the gap.
    pub context: Vec<Arc<PromptBar>>,
    /// Bars to be generated, with their known notes.
    pub gap: Vec<PromptBar>,
    /// Bars after the gap; none unless it is filled so that it leads into them.
    pub far_side: Vec<Arc<PromptBar>>,
    /// Conditioning of each bar of the gap.
    pub conditioning: Vec<BarFields>,
    /// Constraints of the generated notes. Ticks count from the first bar line of the context.
    pub constraints: Constraints,
    /// Earlier music of the player, from which the memory of the context is extended.
    pub remembered: Remembered,
}

/// Earlier music of a player. Its rows are entries of the model's memory, older than those of the context; nothing else of it is seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// Phrases, each a sequence of its own from bar 0 on, the latest last.
    pub phrases: Vec<Arc<Vec<PromptBar>>>,
    /// Weight in percent: 50 is as the context's own rows.
    pub amount: u8,
}

/// Added to the similarity of remembered rows at 100 percent. Beyond it predictions of music that is not the remembered music suffer.
const NEAREST: f32 = 0.1;
/// Subtracted near 0 percent, where hardly any weight is left.
const FARTHEST: f32 = 0.3;

impl Remembered {
    /// Added to the cosine similarity of a row to each remembered one.
    #[must_use]
    pub fn nearer(&self) -> f32 {
        let from_middle = (f32::from(self.amount.min(100)) - 50.0) / 50.0;
        if from_middle > 0.0 { from_middle * NEAREST } else { from_middle * FARTHEST }
    }
}

/// Bars that do not follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bar {found} was given where bar {expected} follows; give the bars in between, too")]
pub struct BarOrder {
    /// Index of the bar that would follow.
    pub expected: u32,
    /// Index of the bar that came.
    pub found: u32,
}

impl From<BarRows> for PromptBar {
    fn from(bar: BarRows) -> Self {
        Self { bar, given: Vec::new() }
    }
}

impl Prompt {
    /// A prompt of bars in class form, conditioned on their own fields.
    #[must_use]
    pub fn of_bars(context: Vec<Arc<PromptBar>>, gap: Vec<PromptBar>, far_side: Vec<Arc<PromptBar>>, constraints: Constraints) -> Self {
        let conditioning = gap.iter().map(|bar| bar.bar.fields).collect();
        Self { context, gap, far_side, conditioning, constraints, remembered: Remembered::default() }
    }

    /// A context without bars to be generated.
    #[must_use]
    pub fn of_context(context: Vec<Arc<PromptBar>>) -> Self {
        Self::of_bars(context, Vec::new(), Vec::new(), Constraints::default())
    }

    /// Checks that the bars follow each other.
    ///
    /// # Errors
    /// [`BarOrder`] with the first that does not.
    pub fn check(&self) -> Result<(), BarOrder> {
        let context = self.context.iter().map(|bar| bar.bar.index);
        let mut indices = context.chain(self.gap.iter().map(|bar| bar.bar.index)).chain(self.far_side.iter().map(|bar| bar.bar.index));
        let Some(mut last) = indices.next() else { return Ok(()) };
        for found in indices {
            let expected = last.saturating_add(1);
            if found != expected {
                return Err(BarOrder { expected, found });
            }
            last = found;
        }
        Ok(())
    }

    /// Index of the first bar of all; 0 of no bars.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.context.first().map(|bar| bar.bar.index).or(self.gap.first().map(|bar| bar.bar.index)).unwrap_or(0)
    }

    /// Index of the bar after the context.
    #[must_use]
    pub fn seam(&self) -> u32 {
        self.context.last().map_or_else(|| self.first(), |bar| bar.bar.index.saturating_add(1))
    }

    /// A bar of the context.
    pub(super) fn context_bar(&self, index: u32) -> Option<&Arc<PromptBar>> {
        let first = self.context.first()?.bar.index;
        self.context.get(usize::try_from(index.checked_sub(first)?).ok()?)
    }

    /// Bar number `place` of the gap with its conditioning, of a draw.
    #[must_use]
    pub fn gap_bar(&self, place: usize, draw: Draw) -> Option<PromptBar> {
        let PromptBar { bar, given } = self.gap.get(place)?;
        let fields = draw.conditioning(self.conditioning.get(place).copied().unwrap_or(bar.fields));
        Some(PromptBar { bar: BarRows { fields, ..bar.clone() }, given: given.clone() })
    }

    /// Changes the conditioning of the bars of the gap.
    pub fn condition(&mut self, condition: impl Fn(BarFields) -> BarFields) {
        self.conditioning.iter_mut().for_each(|fields| *fields = condition(*fields));
    }

    /// Conditions bar number `place` of the gap on a chord, from its first beat on.
    pub fn choose_chord(&mut self, place: usize, chord: Chord) {
        if let Some(fields) = self.conditioning.get_mut(place) {
            fields.chords = [Some(chord); 2];
        }
    }

    /// Key that the first bar of the gap is conditioned on.
    #[must_use]
    pub fn key(&self) -> Option<KeySignature> {
        self.conditioning.first().and_then(|fields| KeySignature::from_value(fields.key))
    }

    /// Bars of context, gap and far side.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.context.len() + self.gap.len() + self.far_side.len()
    }

    /// Tick at which the gap begins.
    #[must_use]
    pub fn start(&self) -> Tick {
        Tick(self.context.iter().map(|bar| i64::from(bar.bar.ticks)).sum())
    }

    /// Tick at which the gap ends.
    #[must_use]
    pub fn end(&self) -> Tick {
        self.start() + Tick(self.gap.iter().map(|bar| i64::from(bar.bar.ticks)).sum())
    }

    /// Moves the first `bars` bars of the gap to the context: they are finished.
    pub fn know(&mut self, bars: usize) {
        let known = (0..bars).filter_map(|place| self.gap_bar(place, Draw::FIRST)).map(Arc::new).collect::<Vec<_>>();
        self.gap.drain(..known.len());
        self.conditioning.drain(..known.len());
        self.context.extend(known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(from: u32, to: u32) -> Vec<PromptBar> {
        (from..to).map(|index| BarRows { index, ticks: 96, ..BarRows::default() }.into()).collect()
    }

    fn prompt(context: Vec<PromptBar>, gap: Vec<PromptBar>) -> Prompt {
        Prompt::of_bars(context.into_iter().map(Arc::new).collect(), gap, Vec::new(), Constraints::default())
    }

    #[test]
    fn bars_out_of_order_are_refused_with_their_index() {
        assert_eq!(prompt(bars(3, 5), bars(5, 7)).check(), Ok(()));
        assert_eq!(prompt(bars(3, 5), bars(6, 7)).check(), Err(BarOrder { expected: 5, found: 6 }));
        assert_eq!(prompt(Vec::new(), Vec::new()).check(), Ok(()));
    }

    #[test]
    fn known_bars_of_the_gap_join_the_context_with_their_conditioning() {
        let mut prompt = prompt(bars(0, 2), bars(2, 5));
        prompt.condition(|fields| BarFields { density: 3, ..fields });
        prompt.know(2);
        assert_eq!((prompt.context.len(), prompt.gap.len(), prompt.conditioning.len(), prompt.seam()), (4, 1, 1, 4));
        assert_eq!(prompt.context[3].bar.fields.density, 3);
        assert_eq!((prompt.start(), prompt.end()), (Tick(4 * 96), Tick(5 * 96)));
    }
}
