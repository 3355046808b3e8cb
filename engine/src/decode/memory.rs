//! Memory of the piece: rows of finished bars that predict a note, kept independently of the pages of the cache.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{
    cache::REWIND_BARS,
    codec::Targets,
    model::{Batch, MemoryTensors, Model, REMEMBERED},
};

/// Upper bound of entries, the latest rows; it bounds the cost of a note.
const MOST_ENTRIES: usize = 2048;

/// A finished bar.
#[derive(Debug)]
struct Bar {
    /// Its index in the sequence.
    index: u32,
    /// Memory keys of its rows, concatenated; length rows times `Store::width`.
    keys: Vec<f32>,
    /// Targets of each row.
    targets: Vec<Targets>,
}

impl Bar {
    /// Whether a row has a note as its target: only such rows are entries.
    fn counts(targets: &Targets) -> bool {
        REMEMBERED.iter().all(|&field| targets[field as usize] >= 0)
    }

    /// Its entries: key and targets of each.
    fn rows(&self, width: usize) -> impl Iterator<Item = (&[f32], &Targets)> {
        self.keys.chunks_exact(width).zip(&self.targets).filter(|(_, targets)| Self::counts(targets))
    }

    fn entries(&self) -> usize {
        self.targets.iter().filter(|targets| Self::counts(targets)).count()
    }
}

/// Entries of other sequences, which a sequence can have as its [earlier](super::Decoder::set_earlier) ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries {
    /// Memory keys, concatenated.
    keys: Vec<f32>,
    /// Targets of each.
    targets: Vec<Targets>,
}

impl Entries {
    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The entries of these, then those of `other`.
    #[must_use]
    pub fn followed_by(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self.targets.extend(other.targets);
        self
    }

    fn rows(&self, width: usize) -> impl Iterator<Item = (&[f32], &Targets)> {
        self.keys.chunks_exact(width).zip(&self.targets)
    }
}

/// Candidate rows of one sequence. Bars are added whole, when they are finished.
#[derive(Debug, Default)]
struct Store {
    /// Width of a key.
    width: usize,
    /// In the order of the sequence, the latest last.
    bars: VecDeque<Bar>,
    /// Keys of the open bar's rows so far.
    open: Vec<f32>,
}

impl Store {
    /// Keeps the open bar's first `rows` rows.
    fn truncate(&mut self, rows: usize) {
        self.open.truncate(rows * self.width);
    }

    /// Ends the open bar; `targets` has one element per row.
    fn finish(&mut self, index: u32, targets: Vec<Targets>) {
        debug_assert_eq!(self.open.len(), targets.len() * self.width, "a key for each row of bar {index}");
        self.bars.push_back(Bar { index, keys: std::mem::take(&mut self.open), targets });
        // The latest bars can be opened again, so the entries that they use are kept as well.
        let held = usize::try_from(REWIND_BARS).unwrap_or(usize::MAX);
        while self.bars.len() > held + 1 {
            let without_first = self.bars.range(1..self.bars.len() - held).map(Bar::entries).sum::<usize>();
            if without_first < MOST_ENTRIES {
                break;
            }
            self.bars.pop_front();
        }
    }

    /// Opens a finished bar again with its first `rows` rows; it and the bars after it leave the store.
    fn reopen(&mut self, index: u32, rows: usize) {
        self.open.clear();
        while let Some(bar) = self.bars.pop_back() {
            if bar.index == index {
                self.open = bar.keys;
                break;
            }
        }
        self.truncate(rows);
    }

    /// Takes out a bar and the later ones.
    fn split_off(&mut self, index: u32) -> VecDeque<Bar> {
        self.open.clear();
        self.bars.split_off(self.bars.partition_point(|bar| bar.index < index))
    }

    /// The latest whole bars that have at most [`MOST_ENTRIES`] entries together.
    fn remembered(&self) -> impl Iterator<Item = &Bar> {
        let mut entries = 0;
        let latest = self.bars.iter().rev().take_while(|bar| {
            entries += bar.entries();
            entries <= MOST_ENTRIES
        });
        let count = latest.count();
        self.bars.range(self.bars.len() - count..)
    }
}

/// The memory of one sequence, and its tensors.
#[derive(Debug)]
pub(super) struct Memory {
    store: Store,
    tensors: MemoryTensors,
    /// Entries of other sequences, before those of the store.
    earlier: Arc<Entries>,
    /// Added to the similarity of a row to each of them.
    nearer: f32,
    /// Entries of other sequences in the tensors.
    others: usize,
    /// Subtracted from the similarity of a row to each entry of the store.
    distance: f32,
    /// Whether the tensors differ from the store.
    stale: bool,
}

impl Memory {
    /// An empty memory; `None` if the model has none.
    pub(super) fn of(model: &Model) -> ort::Result<Option<Self>> {
        let width = model.info().memory;
        if width == 0 {
            return Ok(None);
        }
        let store = Store { width, ..Store::default() };
        Ok(Some(Self {
            store,
            tensors: MemoryTensors::new(width, 1)?,
            earlier: Arc::default(),
            nearer: 0.0,
            others: 0,
            distance: 0.0,
            stale: false,
        }))
    }

    /// Binds the tensors to a batch.
    pub(super) fn bind(&self, model: &Model, batch: &mut Batch) -> ort::Result<()> {
        batch.bind_memory(model, &self.tensors)
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let key = self.store.width * size_of::<f32>();
        let rows: usize = self.store.bars.iter().map(|bar| bar.targets.len()).sum();
        let entry = key + REMEMBERED.len() * size_of::<i64>() + size_of::<f32>();
        (rows + self.earlier.len()) * (key + size_of::<Targets>()) + self.tensors.capacity() * entry
    }

    /// Begins a bar: writes its entries into the tensors. True if the tensors were reallocated and must be bound again.
    pub(super) fn begin_bar(&mut self) -> ort::Result<bool> {
        self.store.open.clear();
        self.write_tensors()
    }

    fn write_tensors(&mut self) -> ort::Result<bool> {
        if !std::mem::take(&mut self.stale) {
            return Ok(false);
        }
        let width = self.store.width;
        let earlier = self.earlier.rows(width);
        let count = self.earlier.len() + self.store.remembered().map(Bar::entries).sum::<usize>();
        let grows = count > self.tensors.capacity();
        if grows {
            self.tensors = MemoryTensors::new(width, count)?;
        }
        self.others = self.earlier.len();
        let (nearer, farther) = (self.nearer, -self.distance);
        let own = self.store.remembered().flat_map(|bar| bar.rows(width)).map(|(key, targets)| (key, targets, farther));
        self.tensors.fill(earlier.map(|(key, targets)| (key, targets, nearer)).chain(own));
        Ok(grows)
    }

    /// Sets the entries of other sequences; in use from the next bar that begins.
    pub(super) fn set_earlier(&mut self, earlier: Arc<Entries>, nearer: f32) {
        (self.earlier, self.nearer) = (earlier, nearer);
        self.stale = true;
    }

    /// Subtracts this from the similarity of a row to the entries of this sequence, from the next run on.
    pub(super) fn keep_away(&mut self, distance: f32) {
        if self.distance.to_bits() != distance.to_bits() {
            self.distance = distance;
            self.tensors.shift(self.others, -distance);
        }
    }

    /// The entries of the finished bars.
    pub(super) fn entries(&self) -> Entries {
        let mut entries = Entries::default();
        for (key, targets) in self.store.remembered().flat_map(|bar| bar.rows(self.store.width)) {
            entries.keys.extend_from_slice(key);
            entries.targets.push(*targets);
        }
        entries
    }

    /// Takes the keys of rows that a run has appended.
    pub(super) fn appended(&mut self, keys: &[f32]) {
        self.store.open.extend_from_slice(keys);
    }

    /// Keeps the open bar's first `rows` rows.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.store.truncate(rows);
    }

    /// Ends the open bar; `targets` has one element per row.
    pub(super) fn finish(&mut self, index: u32, targets: Vec<Targets>) {
        self.store.finish(index, targets);
        self.stale = true;
    }

    /// Takes out a finished bar and the later ones.
    pub(super) fn split_off(&mut self, index: u32) -> MemoryTail {
        self.stale = true;
        MemoryTail(self.store.split_off(index))
    }

    /// Puts back what was taken out: the bars before it are those that were there then.
    pub(super) fn put_back(&mut self, tail: MemoryTail) {
        self.stale = true;
        self.store.bars.extend(tail.0);
    }

    /// Opens a finished bar again with its first `rows` rows; it and the bars after it leave the memory. Returns true as [`begin_bar`](Self::begin_bar).
    pub(super) fn reopen(&mut self, index: u32, rows: usize) -> ort::Result<bool> {
        self.store.reopen(index, rows);
        self.stale = true;
        self.write_tensors()
    }
}

/// Latest bars of a memory.
#[derive(Debug, Default)]
pub(super) struct MemoryTail(VecDeque<Bar>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::vocabulary::FIELDS;

    const WIDTH: usize = 2;

    fn target(class: i16) -> Targets {
        let mut targets = [-1; FIELDS];
        REMEMBERED.into_iter().for_each(|field| targets[field as usize] = class);
        targets
    }

    fn store() -> Store {
        Store { width: WIDTH, ..Store::default() }
    }

    /// A bar of so many rows, the first of which is a given note's.
    fn play(store: &mut Store, index: u32, rows: usize) {
        store.open = vec![1.0; rows * WIDTH];
        let targets = (0..rows).map(|row| if row == 0 { [-1; FIELDS] } else { target(3) }).collect();
        store.finish(index, targets);
    }

    fn entries(store: &Store) -> usize {
        store.remembered().map(Bar::entries).sum()
    }

    #[test]
    fn whole_bars_are_remembered_up_to_the_bound() {
        let mut store = store();
        for bar in 0..60 {
            play(&mut store, bar, 101);
        }
        assert_eq!(entries(&store), MOST_ENTRIES / 100 * 100);
        assert!(store.bars.len() <= MOST_ENTRIES / 100 + 14, "{} bars are kept", store.bars.len());
    }

    #[test]
    fn rewind_keeps_the_entries_of_earlier_bars() {
        let mut store = store();
        for bar in 0..30 {
            play(&mut store, bar, 101);
        }
        let before = entries(&store);
        for bar in 30..42 {
            play(&mut store, bar, 301);
        }
        store.reopen(30, 4);
        assert_eq!(store.open.len(), 4 * WIDTH);
        assert_eq!(store.bars.back().map(|bar| bar.index), Some(29));
        assert_eq!(entries(&store), before, "as if the last twelve bars had never been");
    }

    #[test]
    fn rows_without_content_are_no_entries() {
        let mut store = store();
        play(&mut store, 0, 5);
        assert_eq!(entries(&store), 4);
    }
}
