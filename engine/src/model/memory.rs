//! The memory of the piece as the graph takes it: keys and classes of rows of earlier bars (docs/model-interface.md, "The memory").

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::batch::{data, dims};
use crate::codec::{Targets, vocabulary::Field};

/// The fields that are remembered, in the order of the graph.
pub const REMEMBERED: [Field; 3] = [Field::Pitch, Field::Duration, Field::Velocity];

/// Added to the cosine of an entry's key and a row's: what is left is how near they are, 0 or less.
const PRESENT: f32 = -1.0;

/// The same of a place without an entry, whose weight is 0 then.
const ABSENT: f32 = -1e4;

/// Capacities are multiples of this many entries.
const STEP: usize = 256;

/// Tensors of the entries, bound to every batch of a decoder. They may have more room than there are entries.
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
    /// Empty tensors for keys of some width, with room for `entries`.
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

    /// Entries there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes `entries` the only ones: the key and the true classes of each row. Those beyond the [capacity](Self::capacity) are left out.
    pub fn fill<'a>(&mut self, entries: impl Iterator<Item = (&'a [f32], &'a Targets)>) {
        let (width, capacity) = (self.width, self.capacity);
        let keys = data(&mut self.keys);
        let classes = data(&mut self.classes);
        let mask = data(&mut self.mask);
        mask.fill(ABSENT);
        for (entry, (key, targets)) in entries.take(capacity).enumerate() {
            keys[entry * width..][..width].copy_from_slice(key);
            mask[entry] = PRESENT;
            for (plane, field) in REMEMBERED.into_iter().enumerate() {
                classes[plane * capacity + entry] = targets[field as usize].max(0).into();
            }
        }
    }

    /// Makes them the inputs of a binding.
    pub(super) fn bind(&self, binding: &mut IoBinding) -> ort::Result<()> {
        binding.bind_input("memory_keys", &self.keys)?;
        binding.bind_input("memory_classes", &self.classes)?;
        binding.bind_input("memory_mask", &self.mask)
    }
}
