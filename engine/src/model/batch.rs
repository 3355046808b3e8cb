//! Tensors for runs of the graph over a fixed number of rows: allocated and bound once, filled for every run.

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::{MemoryTensors, Model, graph::query_name};
use crate::codec::{
    Row, Targets,
    vocabulary::{FIELDS, Field, TOTAL_CLASSES},
};

/// K and V of one layer, `[1, heads, capacity, head width]` each. Bound as past and as present, so that the graph appends in place.
#[derive(Debug)]
pub struct KeyValue {
    /// K, rotated.
    pub key: Tensor<f32>,
    /// V.
    pub value: Tensor<f32>,
}

/// Added to a logit: forbids the class. As a logarithm of min-p: no lower bound.
pub const MASKED: f32 = -1e9;

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
    pairs: usize,
    /// Columns of a row that the model reads.
    width: usize,
    columns: Tensor<i64>,
    summary_rows: Tensor<i64>,
    summary_mix: Tensor<f32>,
    cos_q: Tensor<f32>,
    sin_q: Tensor<f32>,
    cos_k: Tensor<f32>,
    sin_k: Tensor<f32>,
    seqlens_k: Tensor<i32>,
    total_length: Tensor<i32>,
    output_rows: Tensor<i64>,
    force: Tensor<i64>,
    sampling: SamplingTensors,
    choice: Tensor<i64>,
    nll: Tensor<f32>,
    best: Tensor<i64>,
    hidden: Tensor<f32>,
    /// Q by layer, if [bound](Batch::bind_queries).
    queries: Vec<Tensor<f32>>,
    /// Memory keys of the rows, if the model has a memory.
    memory_key: Option<Tensor<f32>>,
}

/// Sampling inputs: one set for all rows of a batch (M = 1 in docs/model-interface.md).
#[derive(Debug)]
struct SamplingTensors {
    temperature: Tensor<f32>,
    log_min_p: Tensor<f32>,
    noise: Tensor<f32>,
    mask_pitch: Tensor<f32>,
    mask_duration: Tensor<f32>,
    mask_velocity: Tensor<f32>,
    mask_offset: Tensor<f32>,
    pitch_top: Tensor<i64>,
    mask_type: Tensor<f32>,
    mask_beat: Tensor<f32>,
    mask_sub: Tensor<f32>,
    mask_role: Tensor<f32>,
}

/// Sampling inputs as slices, to be filled. Masks are added to logits: 0 allows, [`MASKED`] forbids. For type, beat, sub and role the first index is
/// 1 if the pitch just chosen has reached `pitch_top`.
#[derive(Debug)]
pub struct SamplingInputs<'a> {
    /// Per field; above 0.
    pub temperature: &'a mut [f32],
    /// Natural logarithm of min-p per field; [`MASKED`] is off.
    pub log_min_p: &'a mut [f32],
    /// Gumbel noise for the classes of all fields, concatenated in chain order.
    pub noise: &'a mut [f32],
    /// `[256]`
    pub pitch: &'a mut [f32],
    /// `[64]`
    pub duration: &'a mut [f32],
    /// `[32]`
    pub velocity: &'a mut [f32],
    /// `[8]`
    pub offset: &'a mut [f32],
    /// Class of the pitch at or above which no further note fits at this onset and role.
    pub pitch_top: &'a mut i64,
    /// `[2, 3]`
    pub kind: &'a mut [f32],
    /// `[2, 16]`
    pub beat: &'a mut [f32],
    /// `[2, 16, 24]`: the second index is the beat just chosen.
    pub sub: &'a mut [f32],
    /// `[2, 2, 16]`: the second index is 1 if beat and sub just chosen equal the target's.
    pub role: &'a mut [f32],
}

impl Batch {
    /// Tensors for runs of `rows` rows, at least 1, over the cache `layers`. All inputs are zero: no summary, no forced classes, no masks, no noise.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn new(model: &Model, rows: usize, output_rows: OutputRows, layers: &mut [KeyValue]) -> ort::Result<Self> {
        let first_output = if output_rows == OutputRows::All { 0 } else { rows - 1 };
        let outputs = rows - first_output;
        let allocator = Allocator::default();
        let pairs = model.info().rotary.pairs();
        let width = model.info().columns;
        let floats = |shape: &[usize]| Tensor::<f32>::new(&allocator, dims(shape));
        let integers = |shape: &[usize]| Tensor::<i64>::new(&allocator, dims(shape));
        let mut batch = Self {
            binding: model.session().create_binding()?,
            rows,
            first_output,
            pairs,
            width,
            columns: integers(&[rows, width])?,
            summary_rows: integers(&[1, width])?,
            summary_mix: floats(&[rows, 1])?,
            cos_q: floats(&[rows, pairs])?,
            sin_q: floats(&[rows, pairs])?,
            cos_k: floats(&[rows, pairs])?,
            sin_k: floats(&[rows, pairs])?,
            seqlens_k: Tensor::new(&allocator, [1_i64])?,
            total_length: Tensor::new(&allocator, [1_i64])?,
            output_rows: integers(&[outputs])?,
            force: integers(&[outputs, FIELDS])?,
            sampling: SamplingTensors::new(&allocator)?,
            choice: integers(&[outputs, FIELDS])?,
            nll: floats(&[outputs, FIELDS])?,
            best: integers(&[outputs, FIELDS])?,
            hidden: floats(&[rows, model.info().width])?,
            queries: Vec::new(),
            memory_key: None,
        };
        data(&mut batch.force).fill(-1);
        let mut positions = integers(&[1, rows])?;
        for (position, index) in data(&mut positions).iter_mut().zip(0..) {
            *position = index;
        }
        for (row, index) in data(&mut batch.output_rows).iter_mut().zip(i64::try_from(first_output).unwrap_or(i64::MAX)..) {
            *row = index;
        }
        batch.bind(&positions)?;
        batch.bind_cache(layers)?;
        Ok(batch)
    }

    fn bind(&mut self, positions: &Tensor<i64>) -> ort::Result<()> {
        let binding = &mut self.binding;
        binding.bind_input("positions", positions)?;
        for (name, tensor) in
            [("rows", &self.columns), ("summary_rows", &self.summary_rows), ("asked", &self.output_rows), ("force", &self.force)]
        {
            binding.bind_input(name, tensor)?;
        }
        let rotations = [("cos_q", &self.cos_q), ("sin_q", &self.sin_q), ("cos_k", &self.cos_k), ("sin_k", &self.sin_k)];
        for (name, tensor) in rotations.into_iter().chain([("summary_mix", &self.summary_mix)]) {
            binding.bind_input(name, tensor)?;
        }
        binding.bind_input("seqlens_k", &self.seqlens_k)?;
        binding.bind_input("total_length", &self.total_length)?;
        self.sampling.bind(binding)?;
        binding.bind_output("choice", &mut self.choice)?;
        binding.bind_output("nll", &mut self.nll)?;
        binding.bind_output("best", &mut self.best)?;
        binding.bind_output("hidden", &mut self.hidden)
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
        let allocator = Allocator::default();
        for layer in 0..model.info().layers {
            let mut tensor = Tensor::new(&allocator, dims(&[1, self.rows, model.info().width]))?;
            self.binding.bind_output(query_name(layer), &mut tensor)?;
            self.queries.push(tensor);
        }
        Ok(())
    }

    /// Binds the memory of the piece, and makes runs output the memory keys of their rows. Needed if the model has a memory; later changes of
    /// `memory` take effect without binding again.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn bind_memory(&mut self, model: &Model, memory: &MemoryTensors) -> ort::Result<()> {
        memory.bind(&mut self.binding)?;
        if self.memory_key.is_none() {
            let mut key = Tensor::new(&Allocator::default(), dims(&[self.rows, model.info().memory]))?;
            self.binding.bind_output("memory_key", &mut key)?;
            self.memory_key = Some(key);
        }
        Ok(())
    }

    /// Memory keys of all rows, concatenated; empty if the model has no memory.
    #[must_use]
    pub fn memory_keys(&self) -> &[f32] {
        self.memory_key.as_ref().map_or(&[], |keys| keys.extract_tensor().1)
    }

    /// Sets row `index`. `force` has the class to take for each field, or -1 to sample it; it is ignored for a row without outputs.
    ///
    /// # Panics
    /// If `index` is not below the batch's number of rows.
    pub fn set_row(&mut self, model: &Model, index: usize, row: &Row, force: &Targets) {
        write_columns(&mut data(&mut self.columns)[index * self.width..][..self.width], row);
        let rotary = &model.info().rotary;
        let at = index * self.pairs..(index + 1) * self.pairs;
        rotary.cos_sin(row.query, &mut data(&mut self.cos_q)[at.clone()], &mut data(&mut self.sin_q)[at.clone()]);
        rotary.cos_sin(row.key, &mut data(&mut self.cos_k)[at.clone()], &mut data(&mut self.sin_k)[at]);
        if let Some(output) = index.checked_sub(self.first_output) {
            for (to, from) in data(&mut self.force)[output * FIELDS..][..FIELDS].iter_mut().zip(force) {
                *to = i64::from(*from);
            }
        }
    }

    /// Makes row 0 the summary of `rows`; none if empty.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate or bind.
    pub fn set_summary(&mut self, rows: &[Row]) -> ort::Result<()> {
        let summarised = rows.len().max(1);
        if summarised != data(&mut self.summary_rows).len() / self.width {
            let allocator = Allocator::default();
            self.summary_rows = Tensor::new(&allocator, dims(&[summarised, self.width]))?;
            self.summary_mix = Tensor::new(&allocator, dims(&[self.rows, summarised]))?;
            self.binding.bind_input("summary_rows", &self.summary_rows)?;
            self.binding.bind_input("summary_mix", &self.summary_mix)?;
        }
        data(&mut self.summary_rows).fill(0);
        for (to, row) in data(&mut self.summary_rows).chunks_exact_mut(self.width).zip(rows) {
            write_columns(to, row);
        }
        let share = u16::try_from(rows.len()).ok().filter(|&n| n > 0).map_or(0.0, |n| 1.0 / f32::from(n));
        data(&mut self.summary_mix)[..summarised].fill(share);
        Ok(())
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
        fields(&self.choice, index - self.first_output)
    }

    /// Negative log-likelihood in nats of each class chosen in row `index`, at temperature 1 and without masks.
    ///
    /// # Panics
    /// If that row has no outputs.
    #[must_use]
    pub fn nll(&self, index: usize) -> [f32; FIELDS] {
        fields(&self.nll, index - self.first_output)
    }

    /// Most likely class of each field of row `index`, given the classes chosen before it in the chain.
    ///
    /// # Panics
    /// If that row has no outputs.
    #[must_use]
    pub fn best(&self, index: usize) -> [i64; FIELDS] {
        fields(&self.best, index - self.first_output)
    }

    /// Last hidden states of all rows, concatenated.
    #[must_use]
    pub fn hidden(&self) -> &[f32] {
        self.hidden.extract_tensor().1
    }
}

impl Batch {
    /// Rotated queries, by row, then by layer. Empty unless [bound](Self::bind_queries).
    pub fn queries(&self) -> impl Iterator<Item = &[f32]> {
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

impl SamplingTensors {
    fn new(allocator: &Allocator) -> ort::Result<Self> {
        let floats = |shape: &[usize]| Tensor::<f32>::new(allocator, dims(shape));
        let mask = |field: Field| floats(&[1, field.classes()]);
        let (beats, subs) = (Field::Beat.classes(), Field::Sub.classes());
        let mut tensors = Self {
            temperature: floats(&[FIELDS])?,
            log_min_p: floats(&[FIELDS])?,
            noise: floats(&[1, TOTAL_CLASSES])?,
            mask_pitch: mask(Field::Pitch)?,
            mask_duration: mask(Field::Duration)?,
            mask_velocity: mask(Field::Velocity)?,
            mask_offset: mask(Field::Offset)?,
            pitch_top: Tensor::new(allocator, [1_i64])?,
            mask_type: floats(&[1, 2, Field::Type.classes()])?,
            mask_beat: floats(&[1, 2, beats])?,
            mask_sub: floats(&[1, 2, beats, subs])?,
            mask_role: floats(&[1, 2, 2, Field::Role.classes()])?,
        };
        data(&mut tensors.temperature).fill(1.0);
        data(&mut tensors.log_min_p).fill(MASKED);
        data(&mut tensors.pitch_top).fill(256);
        Ok(tensors)
    }

    fn bind(&self, binding: &mut IoBinding) -> ort::Result<()> {
        let floats = [
            ("temperature", &self.temperature),
            ("log_min_p", &self.log_min_p),
            ("noise", &self.noise),
            ("mask_pitch", &self.mask_pitch),
            ("mask_duration", &self.mask_duration),
            ("mask_velocity", &self.mask_velocity),
            ("mask_offset", &self.mask_offset),
            ("mask_type", &self.mask_type),
            ("mask_beat", &self.mask_beat),
            ("mask_sub", &self.mask_sub),
            ("mask_role", &self.mask_role),
        ];
        for (name, tensor) in floats {
            binding.bind_input(name, tensor)?;
        }
        binding.bind_input("pitch_top", &self.pitch_top)
    }

    fn slices(&mut self) -> SamplingInputs<'_> {
        SamplingInputs {
            temperature: data(&mut self.temperature),
            log_min_p: data(&mut self.log_min_p),
            noise: data(&mut self.noise),
            pitch: data(&mut self.mask_pitch),
            duration: data(&mut self.mask_duration),
            velocity: data(&mut self.mask_velocity),
            offset: data(&mut self.mask_offset),
            pitch_top: &mut data(&mut self.pitch_top)[0],
            kind: data(&mut self.mask_type),
            beat: data(&mut self.mask_beat),
            sub: data(&mut self.mask_sub),
            role: data(&mut self.mask_role),
        }
    }
}

pub(super) fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect()
}

pub(super) fn data<T: ort::value::PrimitiveTensorElementType + std::fmt::Debug>(tensor: &mut Tensor<T>) -> &mut [T] {
    tensor.extract_tensor_mut().1
}

fn fields<T: ort::value::PrimitiveTensorElementType + Copy + Default + std::fmt::Debug>(tensor: &Tensor<T>, index: usize) -> [T; FIELDS] {
    let mut fields = [T::default(); FIELDS];
    fields.copy_from_slice(&tensor.extract_tensor().1[index * FIELDS..][..FIELDS]);
    fields
}

fn write_columns(to: &mut [i64], row: &Row) {
    for (to, &column) in to.iter_mut().zip(&row.columns) {
        *to = i64::from(column);
    }
}
