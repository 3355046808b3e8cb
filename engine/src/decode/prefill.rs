//! Prefill: running the known bars of a prompt through the model, so that their keys and values are in the cache.

use std::sync::Arc;

use super::{DecodeError, Decoder, Draw, OpenBar, Prompt, PromptBar, Step};
use crate::cache::RewindTooFar;
use crate::codec::{BarEnd, BarRows, GivenOrder, OwnRoles, first_read_bar};
use crate::model::OutputRows;

/// Outcome of a step of prefill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefill {
    /// One bar nearer.
    Nearer,
    /// The whole context is in the cache, and no other bar.
    Done,
}

/// A prompt with a far side, as far as a decoder has read it: bars before the gap can no longer change.
#[derive(Debug)]
pub(super) struct FarSide {
    context: Vec<Arc<PromptBar>>,
    /// Bars of the gap.
    gap: usize,
    bars: Vec<Arc<PromptBar>>,
    /// Number of them that were read.
    read: usize,
}

impl FarSide {
    fn of(prompt: &Prompt) -> Self {
        Self { context: prompt.context.clone(), gap: prompt.gap.len(), bars: prompt.far_side.clone(), read: 0 }
    }

    fn is_of(&self, prompt: &Prompt) -> bool {
        (&self.context, self.gap, &self.bars) == (&prompt.context, prompt.gap.len(), &prompt.far_side)
    }
}

impl Decoder {
    /// Fills the cache with exactly the context of a prompt, and its far side if it has one; its first gap bar comes next, under its constraints. Bars already in
    /// the cache are kept, bars that differ are rolled back.
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] if a bar that differs is too long ago, or if the decoder has the far side of another prompt or has generated bars before it: a new
    /// decoder can read the prompt. [`DecodeError`].
    pub fn prefill(&mut self, prompt: &Prompt) -> Result<(), DecodeError> {
        self.prefill_with(prompt, || {})
    }

    /// [`prefill`](Self::prefill) that calls `progress` after every bar.
    ///
    /// # Errors
    /// As of [`prefill`](Self::prefill).
    pub fn prefill_with(&mut self, prompt: &Prompt, progress: impl Fn()) -> Result<(), DecodeError> {
        if !self.reopen_gap(prompt) {
            while self.prefill_step(prompt)? == Prefill::Nearer {
                progress();
            }
        }
        self.set_constraints(prompt.constraints.clone());
        Ok(())
    }

    /// One step of [`prefill`](Self::prefill) towards a cache that holds exactly the context and the far side: rolls back bars that differ, or appends one bar. A
    /// prompt without bars needs no step.
    ///
    /// # Errors
    /// As of [`prefill`](Self::prefill).
    pub fn prefill_step(&mut self, prompt: &Prompt) -> Result<Prefill, DecodeError> {
        if prompt.bars() == 0 {
            return Ok(Prefill::Done);
        }
        if self.far_side.is_some() {
            return self.far_side_step(prompt);
        }
        if self.is_empty() {
            self.base = first_read_bar(prompt.first(), prompt.seam());
        }
        let next = self.base + self.bar();
        if next < prompt.first() {
            return Err(DecodeError::Rewind(RewindTooFar { bar: prompt.first(), oldest: next }));
        }
        if let Some(bar) = self.first_difference(prompt) {
            self.roll_back(bar)?;
            return Ok(Prefill::Nearer);
        }
        if self.open().is_some() {
            self.roll_back(next)?;
            return Ok(Prefill::Nearer);
        }
        let Some(bar) = prompt.context_bar(next) else { return self.leave_gap_of(prompt) };
        self.append_prompt_bar(bar)?;
        Ok(Prefill::Nearer)
    }

    /// Whether the cache holds the whole context of a prompt without a far side, with or without bars after it.
    #[must_use]
    pub fn holds_context(&self, prompt: &Prompt) -> bool {
        let differs = || self.first_difference(prompt).is_some_and(|bar| bar < prompt.seam());
        self.far_side.is_none() && !self.is_empty() && self.next_bar() >= prompt.seam() && !differs()
    }

    /// Index, in prompts, of the bar after the last finished one.
    #[must_use]
    pub fn next_bar(&self) -> u32 {
        self.base + self.bar()
    }

    /// Begins the far side of a prompt whose context has been read, if it has one.
    fn leave_gap_of(&mut self, prompt: &Prompt) -> Result<Prefill, DecodeError> {
        if prompt.far_side.is_empty() {
            return Ok(Prefill::Done);
        }
        self.leave_gap(u32::try_from(prompt.gap.len()).unwrap_or(u32::MAX))?;
        self.far_side = Some(FarSide::of(prompt));
        Ok(Prefill::Nearer)
    }

    /// One step behind a gap.
    fn far_side_step(&mut self, prompt: &Prompt) -> Result<Prefill, DecodeError> {
        let next = self.base + self.bar();
        let Some(far_side) = self.far_side.as_mut().filter(|far_side| far_side.is_of(prompt)) else {
            return Err(DecodeError::Rewind(RewindTooFar { bar: prompt.first(), oldest: next }));
        };
        if let Some(bar) = far_side.bars.get(far_side.read).map(Arc::clone) {
            far_side.read += 1;
            self.append_prompt_bar(&bar)?;
            return Ok(Prefill::Nearer);
        }
        if self.cache.is_beyond() {
            self.fill()?;
            return Ok(Prefill::Done);
        }
        if next == prompt.seam() && self.open().is_none() {
            return Ok(Prefill::Done);
        }
        // Bars of the gap were generated, or one is open.
        Err(DecodeError::Rewind(RewindTooFar { bar: prompt.seam(), oldest: next }))
    }

    /// Opens bar number `place` of the prompt's gap with its known notes; if it is open again after a rollback, sets its conditioning.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn open_gap_bar(&mut self, prompt: &Prompt, place: usize, draw: Draw) -> Result<(), DecodeError> {
        let Some(PromptBar { bar, given }) = prompt.gap_bar(place, draw) else { return Err(DecodeError::NoOpenBar) };
        if self.open().is_some() {
            return self.recondition(bar.fields);
        }
        self.open_bar(BarRows { index: self.bar(), notes: Vec::new(), ..bar.clone() }, &given, GivenOrder::First)?;
        self.push(&bar.notes)
    }

    /// Samples the rest of the open bar and ends it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn generate_bar(&mut self) -> Result<BarRows, DecodeError> {
        while let Step::Note(_) = self.sample()? {}
        self.end_bar()
    }

    /// Goes back to the first bar of the gap and leaves it open without notes, if the cache holds the context and bars generated after it; returns whether it did.
    fn reopen_gap(&mut self, prompt: &Prompt) -> bool {
        let Some(PromptBar { bar, given }) = prompt.gap.first().filter(|_| prompt.far_side.is_empty()) else { return false };
        let is_past_seam = self.first_difference(prompt).map_or_else(|| self.open().is_some(), |index| index == prompt.seam());
        let Some(seam) = prompt.seam().checked_sub(self.base).filter(|seam| is_past_seam && *seam <= self.bar()) else { return false };
        let fits = |open: &OpenBar| (open.bar.index, open.bar.ticks, &open.given) == (seam, bar.ticks, given);
        bar.notes.is_empty() && self.rewind(seam, 0).is_ok() && self.open().is_some_and(fits)
    }

    /// Whether no bar was read or generated yet.
    fn is_empty(&self) -> bool {
        self.bar() == 0 && self.open().is_none()
    }

    /// Index of the first bar in the cache that differs from the context.
    pub(super) fn first_difference(&self, prompt: &Prompt) -> Option<u32> {
        let own = self.accompanied.layout().own;
        let held = self.finished.iter().map(|finished| (self.base + finished.bar.index, finished));
        held.filter(|(index, _)| *index >= prompt.first()).find_map(|(index, finished)| {
            let same = prompt.context_bar(index).is_some_and(|wanted| {
                let PromptBar { bar, given } = &**wanted;
                if own == OwnRoles::ALL {
                    return finished.holds(bar, given);
                }
                let (bar, given) = own.partition_given(bar, given);
                finished.holds(&BarRows { fields: own.conditioning(bar.fields), ..bar }, &given)
            });
            (!same).then_some(index)
        })
    }

    /// Rolls back bar `index` and the bars after it.
    fn roll_back(&mut self, index: u32) -> Result<(), DecodeError> {
        if index <= self.base {
            return Err(DecodeError::Rewind(RewindTooFar { bar: index, oldest: self.base }));
        }
        self.take_from(index).map(drop)
    }

    fn append_prompt_bar(&mut self, bar: &PromptBar) -> Result<(), DecodeError> {
        let fields = self.accompanied.layout().own.conditioning(bar.bar.fields);
        let own = BarRows { index: bar.bar.index - self.base, fields, ..bar.bar.clone() };
        self.append(&own, &bar.given, BarEnd::Bar, OutputRows::Last, |_, _| {})
    }
}
