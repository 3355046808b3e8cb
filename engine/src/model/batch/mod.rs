//! Tensors for runs of the graph over a fixed number of rows: allocated and bound once, filled for every run.

mod outputs;
mod rows;
mod sampling;

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

pub use self::sampling::{MASKED, SamplingInputs};
use self::{outputs::OutputTensors, rows::RowTensors, sampling::SamplingTensors};
use super::{MemoryTensors, Model};
use crate::codec::{Row, Targets, vocabulary::FIELDS};

/// K and V of one layer, `[1, heads, capacity, head width]` each. Bound as past and as present, so that the graph appends in place.
#[derive(Debug)]
pub struct KeyValue {
    /// K, rotated.
    pub key: Tensor<f32>,
    /// V.
    pub value: Tensor<f32>,
}

/// Rows of a run for which the output heads are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputRows {
    /// All rows.
    All,
    /// The last row. The others only extend the K/V cache, which is cheaper.
    Last,
}

/// Tensors and binding of runs with a fixed number of rows. The binding outlives none of its tensors: they are owned here or reference-counted.
#[derive(Debug)]
pub struct Batch {
    binding: IoBinding,
    rows: usize,
    /// First row with outputs; all later ones have them too.
    first_output: usize,
    inputs: RowTensors,
    /// Rows in the cache after the run, less 1.
    seqlens_k: Tensor<i32>,
    /// Rows in the cache after the run.
    total_length: Tensor<i32>,
    sampling: SamplingTensors,
    outputs: OutputTensors,
}

impl Batch {
    /// Tensors for runs of `rows` rows, at least 1, over the cache `layers`. All inputs are zero: no summary, no forced classes, no masks, no noise.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn new(model: &Model, rows: usize, output_rows: OutputRows, layers: &mut [KeyValue]) -> ort::Result<Self> {
        let first_output = if output_rows == OutputRows::All { 0 } else { rows - 1 };
        let allocator = Allocator::default();
        let mut batch = Self {
            binding: model.session().create_binding()?,
            rows,
            first_output,
            inputs: RowTensors::new(model, rows, first_output)?,
            seqlens_k: Tensor::new(&allocator, [1_i64])?,
            total_length: Tensor::new(&allocator, [1_i64])?,
            sampling: SamplingTensors::new(&allocator)?,
            outputs: OutputTensors::new(model, rows, rows - first_output)?,
        };
        batch.bind()?;
        batch.bind_cache(layers)?;
        Ok(batch)
    }

    fn bind(&mut self) -> ort::Result<()> {
        let binding = &mut self.binding;
        self.inputs.bind(binding)?;
        binding.bind_input("seqlens_k", &self.seqlens_k)?;
        binding.bind_input("total_length", &self.total_length)?;
        self.sampling.bind(binding)?;
        self.outputs.bind(binding)
    }

    /// Binds the cache again, after a reallocation of its buffer.
    ///
    /// # Errors
    /// If ONNX Runtime cannot bind.
    pub fn bind_cache(&mut self, layers: &mut [KeyValue]) -> ort::Result<()> {
        for (index, layer) in layers.iter_mut().enumerate() {
            self.binding.bind_input(format!("past_key_{index}"), &layer.key)?;
            self.binding.bind_input(format!("past_value_{index}"), &layer.value)?;
            self.binding.bind_output(format!("present_key_{index}"), &mut layer.key)?;
            self.binding.bind_output(format!("present_value_{index}"), &mut layer.value)?;
        }
        Ok(())
    }

    /// Makes runs output the queries of their rows.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind, or the graph has no [query outputs](Model::gives_queries).
    pub fn bind_queries(&mut self, model: &Model) -> ort::Result<()> {
        self.outputs.bind_queries(model, &mut self.binding)
    }

    /// Binds the memory of the piece, and makes runs output the memory keys of their rows. Needed if the model has a memory; later changes of
    /// `memory` take effect without binding again.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn bind_memory(&mut self, model: &Model, memory: &MemoryTensors) -> ort::Result<()> {
        memory.bind(&mut self.binding)?;
        self.outputs.bind_memory_keys(model, &mut self.binding)
    }

    /// Sets row `index`. `force` has the class to take for each field, or -1 to sample it; it is ignored for a row without outputs.
    ///
    /// # Panics
    /// If `index` is not below the batch's number of rows.
    pub fn set_row(&mut self, model: &Model, index: usize, row: &Row, force: &Targets) {
        self.inputs.set(model, index, row, force);
    }

    /// Makes row 0 the summary of `rows`; none if empty.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn set_summary(&mut self, rows: &[Row]) -> ort::Result<()> {
        self.inputs.set_summary(rows, &mut self.binding)
    }

    /// The sampling inputs.
    pub fn sampling(&mut self) -> SamplingInputs<'_> {
        self.sampling.slices()
    }

    /// Runs all rows after `past` rows of the cache.
    ///
    /// # Errors
    /// If ONNX Runtime fails. The first `past` rows of the cache are unchanged then.
    pub fn run(&mut self, model: &Model, past: usize) -> ort::Result<()> {
        let total = i32::try_from(past + self.rows).map_err(|_| ort::Error::new("more than 2^31 rows in the cache"))?;
        data(&mut self.seqlens_k)[0] = total - 1;
        data(&mut self.total_length)[0] = total;
        model.run(&mut self.binding)
    }

    /// Class of each field of row `index`, forced or sampled.
    ///
    /// # Panics
    /// If that row has no outputs.
    #[must_use]
    pub fn choice(&self, index: usize) -> [i64; FIELDS] {
        self.outputs.choice(index - self.first_output)
    }

    /// Negative log-likelihood in nats of each class chosen in row `index`, at temperature 1 and without masks.
    ///
    /// # Panics
    /// If that row has no outputs.
    #[must_use]
    pub fn nll(&self, index: usize) -> [f32; FIELDS] {
        self.outputs.nll(index - self.first_output)
    }

    /// Most likely class of each field of row `index`, given the classes chosen before it in the chain.
    ///
    /// # Panics
    /// If that row has no outputs.
    #[must_use]
    pub fn best(&self, index: usize) -> [i64; FIELDS] {
        self.outputs.best(index - self.first_output)
    }

    /// Last hidden states of all rows, concatenated.
    #[must_use]
    pub fn hidden(&self) -> &[f32] {
        self.outputs.hidden()
    }

    /// Memory keys of all rows, concatenated; empty if the model has no memory.
    #[must_use]
    pub fn memory_keys(&self) -> &[f32] {
        self.outputs.memory_keys()
    }

    /// Rotated queries, by row, then by layer. Empty unless [bound](Self::bind_queries).
    pub fn queries(&self) -> impl Iterator<Item = &[f32]> {
        self.outputs.queries()
    }
}

pub(super) fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect()
}

pub(super) fn data<T: ort::value::PrimitiveTensorElementType + std::fmt::Debug>(tensor: &mut Tensor<T>) -> &mut [T] {
    tensor.extract_tensor_mut().1
}
