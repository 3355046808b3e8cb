//! The rows of the finished bars that are remembered, whatever the cache still holds of them.

use std::collections::VecDeque;

use crate::{
    cache::REWIND_BARS,
    codec::Targets,
    model::{MemoryTensors, STORED},
};

/// Rows that are remembered at most: the latest. It bounds the cost of a note.
const MOST_ENTRIES: usize = 2048;

/// A finished bar.
#[derive(Debug)]
struct Bar {
    /// Its number in the music.
    index: u32,
    /// Keys of its rows, one after the other.
    keys: Vec<f32>,
    /// What was true in each.
    targets: Vec<Targets>,
}

impl Bar {
    /// Whether a row has a class that can be remembered.
    fn counts(targets: &Targets) -> bool {
        STORED.iter().any(|&field| targets[field as usize] >= 0)
    }

    fn entries(&self) -> usize {
        self.targets.iter().filter(|targets| Self::counts(targets)).count()
    }
}

/// The memory of one sequence. Bars become part of it whole, when they are finished.
#[derive(Debug)]
pub(super) struct Memory {
    /// Width of a key.
    width: usize,
    /// In the order of the sequence, the latest last.
    bars: VecDeque<Bar>,
    /// Keys of the open bar's rows so far.
    open: Vec<f32>,
    tensors: MemoryTensors,
    /// Whether the tensors are not yet of these bars.
    stale: bool,
}

impl Memory {
    /// An empty memory for keys of some width.
    pub(super) fn new(width: usize) -> ort::Result<Self> {
        let (bars, open, tensors) = (VecDeque::new(), Vec::new(), MemoryTensors::new(width, 1)?);
        Ok(Self { width, bars, open, tensors, stale: false })
    }

    /// What batches are bound to.
    pub(super) fn tensors(&self) -> &MemoryTensors {
        &self.tensors
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let row = self.width * size_of::<f32>() + size_of::<Targets>();
        let rows: usize = self.bars.iter().map(|bar| bar.targets.len()).sum();
        let entry = self.width * size_of::<f32>() + STORED.len() * size_of::<i64>() + size_of::<f32>();
        rows * row + self.tensors.capacity() * entry
    }

    /// Begins a bar: lays out what it remembers. True if the tensors are new ones, to be bound.
    pub(super) fn begin_bar(&mut self) -> ort::Result<bool> {
        self.open.clear();
        if !std::mem::take(&mut self.stale) {
            return Ok(false);
        }
        let mut entries = 0;
        let remembered = self.bars.iter().rev().take_while(|bar| {
            entries += bar.entries();
            entries <= MOST_ENTRIES
        });
        let first = self.bars.len() - remembered.count();
        let count: usize = self.bars.range(first..).map(Bar::entries).sum();
        let grows = count > self.tensors.capacity();
        if grows {
            self.tensors = MemoryTensors::new(self.width, count)?;
        }
        let width = self.width;
        let rows = self.bars.range(first..).flat_map(|bar| bar.keys.chunks_exact(width).zip(&bar.targets));
        self.tensors.fill(rows.filter(|(_, targets)| Bar::counts(targets)));
        Ok(grows)
    }

    /// Takes the keys of rows that a run has appended.
    pub(super) fn appended(&mut self, keys: &[f32]) {
        self.open.extend_from_slice(keys);
    }

    /// Keeps the open bar's first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.open.truncate(rows * self.width);
    }

    /// Ends the open bar, in whose rows `targets` were true.
    pub(super) fn finish(&mut self, index: u32, targets: Vec<Targets>) {
        debug_assert_eq!(self.open.len(), targets.len() * self.width, "a key for each row of bar {index}");
        self.bars.push_back(Bar { index, keys: std::mem::take(&mut self.open), targets });
        self.stale = true;
        // The latest bars can be opened again, and what they remember must still be there then.
        let held = usize::try_from(REWIND_BARS).unwrap_or(usize::MAX);
        let reach = |bars: &VecDeque<Bar>| bars.range(1.min(bars.len())..bars.len().saturating_sub(held).max(1)).map(Bar::entries).sum::<usize>();
        while self.bars.len() > held + 1 && reach(&self.bars) >= MOST_ENTRIES {
            self.bars.pop_front();
        }
    }

    /// Opens a finished bar again with its first `rows` rows; it and what followed it are no longer remembered. True as of [`begin_bar`](Self::begin_bar).
    pub(super) fn reopen(&mut self, index: u32, rows: usize) -> ort::Result<bool> {
        let mut own = Vec::new();
        while let Some(bar) = self.bars.pop_back() {
            self.stale = true;
            if bar.index == index {
                own = bar.keys;
                break;
            }
        }
        let grows = self.begin_bar()?;
        self.open = own;
        self.truncate(rows);
        Ok(grows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::vocabulary::FIELDS;

    const WIDTH: usize = 2;

    fn target(class: i16) -> Targets {
        let mut targets = [-1; FIELDS];
        targets[STORED[0] as usize] = class;
        targets
    }

    /// A bar of so many rows, the first of which is a given note's.
    fn play(memory: &mut Memory, index: u32, rows: usize) {
        memory.begin_bar().unwrap();
        memory.appended(&vec![1.0; rows * WIDTH]);
        let targets = (0..rows).map(|row| if row == 0 { [-1; FIELDS] } else { target(3) }).collect();
        memory.finish(index, targets);
    }

    fn remembered(memory: &mut Memory) -> usize {
        memory.stale = true;
        memory.begin_bar().unwrap();
        let mut entries = 0;
        memory.bars.iter().rev().map(Bar::entries).take_while(|&count| { entries += count; entries <= MOST_ENTRIES }).sum()
    }

    #[test]
    fn whole_bars_are_remembered_up_to_the_bound() {
        let mut memory = Memory::new(WIDTH).unwrap();
        for bar in 0..60 {
            play(&mut memory, bar, 101);
        }
        assert_eq!(remembered(&mut memory), 2000);
        assert!(memory.bars.len() < 40, "{} bars are kept", memory.bars.len());
        assert!(memory.tensors.capacity() >= 2000);
    }

    #[test]
    fn rewinding_leaves_what_was_remembered_before() {
        let mut memory = Memory::new(WIDTH).unwrap();
        for bar in 0..30 {
            play(&mut memory, bar, 101);
        }
        for bar in 30..42 {
            play(&mut memory, bar, 301);
        }
        memory.reopen(30, 4).unwrap();
        assert_eq!(memory.open.len(), 4 * WIDTH);
        assert_eq!(memory.bars.back().map(|bar| bar.index), Some(29));
        assert_eq!(remembered(&mut memory), 2000, "as if the last twelve bars had never been");
    }

    #[test]
    fn rows_without_a_class_are_no_entries() {
        let mut memory = Memory::new(WIDTH).unwrap();
        play(&mut memory, 0, 5);
        assert_eq!(remembered(&mut memory), 4);
    }
}
