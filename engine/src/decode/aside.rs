//! Bars set aside: the latest finished ones make room for others, and come back as they were.

use super::decoder::Finished;
use super::memory::MemoryTail;
use super::{DecodeError, Decoder, Prompt};
use crate::cache::Tail;
use crate::codec::RecallTail;
use crate::music::Tick;

/// Latest finished bars of a sequence, with all that later bars read of them.
#[derive(Debug)]
pub(super) struct Bars {
    tail: Tail,
    finished: Vec<Finished>,
    recall: RecallTail,
    memory: MemoryTail,
    /// The bar line after them.
    line: Tick,
}

impl Bars {
    /// Whether they come after a bar of the sequence.
    pub(super) const fn begins_after(&self, bar: u32) -> bool {
        bar < self.tail.first()
    }
}

impl Decoder {
    /// Sets the bars aside that are not those of the prompt's context, so that others can be generated after that context, until [`put_back`](Self::put_back).
    /// Bars that were set aside before stay so, and those of now are dropped. Nothing is set aside that the memory limit has no room for twice: the bars that
    /// are generated meanwhile may take as much.
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] as of [`prefill`](Self::prefill); nothing has changed then.
    pub fn set_aside(&mut self, prompt: &Prompt) -> Result<(), DecodeError> {
        let next = self.next_bar();
        let first = self.first_difference(prompt).unwrap_or(next);
        if self.far_side.is_some() || first <= self.base || first < prompt.first() {
            return Ok(());
        }
        let bars = self.take_from(first)?;
        if self.aside.is_none() && first < next && self.cache.has_room_for(2 * bars.tail.bytes()) {
            self.aside = Some(bars);
        }
        Ok(())
    }

    /// Puts the bars back that were set aside, in place of all that came after them. Without effect if none are, or if a bar before them has been rolled back.
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] if there are too many bars in their place; the bars that were set aside are dropped then.
    pub fn put_back(&mut self) -> Result<(), DecodeError> {
        let Some(Bars { tail, finished, recall, memory, line }) = self.aside.take() else { return Ok(()) };
        self.take_from(self.base + tail.first())?;
        self.cache.put_back(tail);
        self.finished.extend(finished);
        self.recall.put_back(recall);
        if let Some(own) = &mut self.memory {
            own.put_back(memory);
        }
        self.line = line;
        Ok(())
    }

    /// Takes out bar `index` of prompts and the later ones, the open one included; it comes next.
    pub(super) fn take_from(&mut self, index: u32) -> Result<Bars, DecodeError> {
        let bar = index - self.base;
        let tail = self.cache.split_off(bar).map_err(DecodeError::Rewind)?;
        if self.aside.as_ref().is_some_and(|aside| aside.begins_after(bar)) {
            self.aside = None;
        }
        // Of an open bar the line is its bar line: it is not part of what is taken out.
        let after = self.line;
        self.open = None;
        let at = self.finished.partition_point(|finished| finished.bar.index < bar);
        let finished: Vec<Finished> = self.finished.drain(at..).collect();
        self.line = finished.first().map_or(after, |finished| finished.line);
        let recall = self.recall.split_off(bar);
        let memory = self.memory.as_mut().map(|memory| memory.split_off(bar)).unwrap_or_default();
        Ok(Bars { tail, finished, recall, memory, line: after })
    }

    /// Bytes of the bars that are set aside.
    pub(super) fn aside_bytes(&self) -> usize {
        self.aside.as_ref().map_or(0, |aside| aside.tail.bytes())
    }
}
