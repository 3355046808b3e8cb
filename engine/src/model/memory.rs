//! Memory of the piece: keys and classes of rows of earlier bars, as graph inputs (docs/model-interface.md, "The memory").

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::batch::{data, dims};
use crate::codec::{Targets, vocabulary::Field};

/// Fields stored with each entry, in the order of the graph.
pub const REMEMBERED: [Field; 3] = [Field::Pitch, Field::Duration, Field::Velocity];

/// Mask of an entry. Added to the cosine similarity of its key and a row's, which makes it 0 or less.
const PRESENT: f32 = -1.0;

/// Mask of an unused slot: its weight becomes 0.
const ABSENT: f32 = -1e4;

/// Granularity of the capacity, in entries.
const STEP: usize = 256;

/// Tensors of the entries, bound to every batch of a decoder. The capacity may exceed the number of entries.
#[derive(Debug)]
pub struct MemoryTensors {
    width: usize,
    capacity: usize,
    keys: Tensor<f32>,
    /// `[fields, capacity]`
    classes: Tensor<i64>,
    mask: Tensor<f32>,
}

impl MemoryTensors {
    /// Empty tensors for keys of `width` elements, with room for `entries`.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn new(width: usize, entries: usize) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let capacity = entries.max(1).next_multiple_of(STEP);
        let mut tensors = Self {
            width,
            capacity,
            keys: Tensor::new(&allocator, dims(&[capacity, width]))?,
            classes: Tensor::new(&allocator, dims(&[REMEMBERED.len(), capacity]))?,
            mask: Tensor::new(&allocator, dims(&[1, capacity]))?,
        };
        data(&mut tensors.keys).fill(0.0);
        data(&mut tensors.classes).fill(0);
        data(&mut tensors.mask).fill(ABSENT);
        Ok(tensors)
    }

    /// Largest number of entries.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Replaces all entries: key and true classes of each row, and what is added to its similarity. Entries beyond the [capacity](Self::capacity) are dropped.
    pub fn fill<'a>(&mut self, entries: impl Iterator<Item = (&'a [f32], &'a Targets, f32)>) {
        let (width, capacity) = (self.width, self.capacity);
        let keys = data(&mut self.keys);
        let classes = data(&mut self.classes);
        let mask = data(&mut self.mask);
        mask.fill(ABSENT);
        for (entry, (key, targets, nearer)) in entries.take(capacity).enumerate() {
            keys[entry * width..][..width].copy_from_slice(key);
            mask[entry] = PRESENT + nearer;
            for (plane, field) in REMEMBERED.into_iter().enumerate() {
                classes[plane * capacity + entry] = targets[field as usize].max(0).into();
            }
        }
    }

    /// Replaces what is added to the similarity of the entries from number `first` on.
    pub fn shift(&mut self, first: usize, nearer: f32) {
        let entries = data(&mut self.mask).iter_mut().skip(first).take_while(|mask| **mask > ABSENT);
        entries.for_each(|mask| *mask = PRESENT + nearer);
    }

    /// Binds them as inputs.
    pub(super) fn bind(&self, binding: &mut IoBinding) -> ort::Result<()> {
        binding.bind_input("memory_keys", &self.keys)?;
        binding.bind_input("memory_classes", &self.classes)?;
        binding.bind_input("memory_mask", &self.mask)
    }
}
