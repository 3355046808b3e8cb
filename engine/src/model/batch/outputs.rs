//! Outputs of a batch.

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::dims;
use crate::{
    codec::vocabulary::FIELDS,
    model::{Model, graph::query_name},
};

/// Tensors that a run fills. Those of the fields have one entry per row with outputs, the others one per row.
#[derive(Debug)]
pub(super) struct OutputTensors {
    rows: usize,
    choice: Tensor<i64>,
    nll: Tensor<f32>,
    best: Tensor<i64>,
    hidden: Tensor<f32>,
    /// Q by layer; empty unless [bound](Self::bind_queries).
    queries: Vec<Tensor<f32>>,
    /// Memory keys, if the model has a memory.
    memory_key: Option<Tensor<f32>>,
}

impl OutputTensors {
    /// Tensors of `rows` rows, of which `outputs` have outputs, without queries and memory keys.
    pub(super) fn new(model: &Model, rows: usize, outputs: usize) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let shape = dims(&[outputs, FIELDS]);
        Ok(Self {
            rows,
            choice: Tensor::new(&allocator, shape.clone())?,
            nll: Tensor::new(&allocator, shape.clone())?,
            best: Tensor::new(&allocator, shape)?,
            hidden: Tensor::new(&allocator, dims(&[rows, model.info().width]))?,
            queries: Vec::new(),
            memory_key: None,
        })
    }

    pub(super) fn bind(&mut self, binding: &mut IoBinding) -> ort::Result<()> {
        binding.bind_output("choice", &mut self.choice)?;
        binding.bind_output("nll", &mut self.nll)?;
        binding.bind_output("best", &mut self.best)?;
        binding.bind_output("hidden", &mut self.hidden)
    }

    /// Makes runs output the queries of their rows.
    pub(super) fn bind_queries(&mut self, model: &Model, binding: &mut IoBinding) -> ort::Result<()> {
        let allocator = Allocator::default();
        for layer in 0..model.info().layers {
            let mut tensor = Tensor::new(&allocator, dims(&[1, self.rows, model.info().width]))?;
            binding.bind_output(query_name(layer), &mut tensor)?;
            self.queries.push(tensor);
        }
        Ok(())
    }

    /// Makes runs output the memory keys of their rows, if they do not yet.
    pub(super) fn bind_memory_keys(&mut self, model: &Model, binding: &mut IoBinding) -> ort::Result<()> {
        if self.memory_key.is_none() {
            let mut key = Tensor::new(&Allocator::default(), dims(&[self.rows, model.info().memory]))?;
            binding.bind_output("memory_key", &mut key)?;
            self.memory_key = Some(key);
        }
        Ok(())
    }

    /// Class of each field, by row with outputs.
    pub(super) fn choice(&self, output: usize) -> [i64; FIELDS] {
        fields(&self.choice, output)
    }

    /// Negative log-likelihood of each class in nats, by row with outputs.
    pub(super) fn nll(&self, output: usize) -> [f32; FIELDS] {
        fields(&self.nll, output)
    }

    /// Most likely class of each field, by row with outputs.
    pub(super) fn best(&self, output: usize) -> [i64; FIELDS] {
        fields(&self.best, output)
    }

    /// Last hidden states of all rows, concatenated.
    pub(super) fn hidden(&self) -> &[f32] {
        self.hidden.extract_tensor().1
    }

    /// Memory keys of all rows, concatenated; empty if the model has no memory.
    pub(super) fn memory_keys(&self) -> &[f32] {
        self.memory_key.as_ref().map_or(&[], |keys| keys.extract_tensor().1)
    }

    /// Rotated queries, by row, then by layer.
    pub(super) fn queries(&self) -> impl Iterator<Item = &[f32]> {
        let row = move |row: usize| {
            self.queries.iter().map(move |layer| {
                let values = layer.extract_tensor().1;
                let width = values.len() / self.rows;
                &values[row * width..][..width]
            })
        };
        (0..self.rows).flat_map(row)
    }
}

fn fields<T: ort::value::PrimitiveTensorElementType + Copy + Default + std::fmt::Debug>(tensor: &Tensor<T>, index: usize) -> [T; FIELDS] {
    let mut fields = [T::default(); FIELDS];
    fields.copy_from_slice(&tensor.extract_tensor().1[index * FIELDS..][..FIELDS]);
    fields
}
