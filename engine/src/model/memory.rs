//! The memory of the piece as the graph takes it: keys and classes of rows of earlier bars (docs/model-interface.md, "The memory").

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::batch::{data, dims};
use crate::codec::{Targets, vocabulary::Field};

/// The classes an entry is stored with, in the order of the graph.
pub const STORED: [Field; 6] = [Field::Pitch, Field::Duration, Field::Velocity, Field::Beat, Field::Sub, Field::Role];

/// Capacities are multiples of this many entries.
const STEP: usize = 256;

/// Tensors of the entries, bound to every batch of a decoder. An entry without any class counts for nothing, so they may be larger than what is in them.
#[derive(Debug)]
pub struct MemoryTensors {
    width: usize,
    capacity: usize,
    keys: Tensor<f32>,
    /// `[stored, capacity]`
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
            classes: Tensor::new(&allocator, dims(&[STORED.len(), capacity]))?,
            mask: Tensor::new(&allocator, dims(&[1, capacity]))?,
        };
        data(&mut tensors.keys).fill(0.0);
        data(&mut tensors.classes).fill(-1);
        data(&mut tensors.mask).fill(0.0);
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
        classes.fill(-1);
        for (entry, (key, targets)) in entries.take(capacity).enumerate() {
            keys[entry * width..][..width].copy_from_slice(key);
            for (plane, field) in STORED.into_iter().enumerate() {
                classes[plane * capacity + entry] = targets[field as usize].into();
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
