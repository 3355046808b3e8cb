//! Row inputs of a batch: columns, positions, forced classes and the summary.

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::{data, dims};
use crate::{
    codec::{Row, Targets, vocabulary::FIELDS},
    model::Model,
};

/// Tensors that hold the rows of a run.
#[derive(Debug)]
pub(super) struct RowTensors {
    rows: usize,
    /// First row with outputs; all later ones have them too.
    first_output: usize,
    /// Rotary pairs of a head.
    pairs: usize,
    /// Columns of a row that the model reads.
    width: usize,
    columns: Tensor<i64>,
    rotation: RotationTensors,
    /// Index of each row with outputs.
    output_rows: Tensor<i64>,
    /// Class to take for each field, or -1, by row with outputs.
    force: Tensor<i64>,
    summary_rows: Tensor<i64>,
    /// Share of each summarised row in row 0; zeros if none.
    summary_mix: Tensor<f32>,
}

/// Cosine and sine of each pair's angle, by row: for Q at the position a row predicts, for K at its own.
#[derive(Debug)]
struct RotationTensors {
    cos_q: Tensor<f32>,
    sin_q: Tensor<f32>,
    cos_k: Tensor<f32>,
    sin_k: Tensor<f32>,
}

impl RowTensors {
    /// Tensors of `rows` rows, of which those from `first_output` on have outputs. No forced classes, no summary.
    pub(super) fn new(model: &Model, rows: usize, first_output: usize) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let (pairs, width) = (model.info().rotary.pairs(), model.info().columns);
        let outputs = rows - first_output;
        let floats = |shape: &[usize]| Tensor::<f32>::new(&allocator, dims(shape));
        let integers = |shape: &[usize]| Tensor::<i64>::new(&allocator, dims(shape));
        let angles = || floats(&[rows, pairs]);
        let mut tensors = Self {
            rows,
            first_output,
            pairs,
            width,
            columns: integers(&[rows, width])?,
            rotation: RotationTensors { cos_q: angles()?, sin_q: angles()?, cos_k: angles()?, sin_k: angles()? },
            output_rows: integers(&[outputs])?,
            force: integers(&[outputs, FIELDS])?,
            summary_rows: integers(&[1, width])?,
            summary_mix: floats(&[rows, 1])?,
        };
        data(&mut tensors.force).fill(-1);
        for (row, index) in data(&mut tensors.output_rows).iter_mut().zip(i64::try_from(first_output).unwrap_or(i64::MAX)..) {
            *row = index;
        }
        Ok(tensors)
    }

    pub(super) fn bind(&self, binding: &mut IoBinding) -> ort::Result<()> {
        let mut positions = Tensor::<i64>::new(&Allocator::default(), dims(&[1, self.rows]))?;
        for (position, index) in data(&mut positions).iter_mut().zip(0..) {
            *position = index;
        }
        binding.bind_input("positions", &positions)?;
        for (name, tensor) in [("rows", &self.columns), ("asked", &self.output_rows), ("force", &self.force)] {
            binding.bind_input(name, tensor)?;
        }
        let RotationTensors { cos_q, sin_q, cos_k, sin_k } = &self.rotation;
        for (name, tensor) in [("cos_q", cos_q), ("sin_q", sin_q), ("cos_k", cos_k), ("sin_k", sin_k)] {
            binding.bind_input(name, tensor)?;
        }
        self.bind_summary(binding)
    }

    fn bind_summary(&self, binding: &mut IoBinding) -> ort::Result<()> {
        binding.bind_input("summary_rows", &self.summary_rows)?;
        binding.bind_input("summary_mix", &self.summary_mix)
    }

    /// Sets row `index` and, if it has outputs, its forced classes.
    pub(super) fn set(&mut self, model: &Model, index: usize, row: &Row, force: &Targets) {
        write_columns(&mut data(&mut self.columns)[index * self.width..][..self.width], row);
        let rotary = &model.info().rotary;
        let at = index * self.pairs..(index + 1) * self.pairs;
        let RotationTensors { cos_q, sin_q, cos_k, sin_k } = &mut self.rotation;
        rotary.cos_sin(row.query, &mut data(cos_q)[at.clone()], &mut data(sin_q)[at.clone()]);
        rotary.cos_sin(row.key, &mut data(cos_k)[at.clone()], &mut data(sin_k)[at]);
        if let Some(output) = index.checked_sub(self.first_output) {
            for (to, from) in data(&mut self.force)[output * FIELDS..][..FIELDS].iter_mut().zip(force) {
                *to = i64::from(*from);
            }
        }
    }

    /// Makes row 0 the summary of `rows`; none if empty.
    pub(super) fn set_summary(&mut self, rows: &[Row], binding: &mut IoBinding) -> ort::Result<()> {
        let summarised = rows.len().max(1);
        if summarised != data(&mut self.summary_rows).len() / self.width {
            let allocator = Allocator::default();
            self.summary_rows = Tensor::new(&allocator, dims(&[summarised, self.width]))?;
            self.summary_mix = Tensor::new(&allocator, dims(&[self.rows, summarised]))?;
            self.bind_summary(binding)?;
        }
        data(&mut self.summary_rows).fill(0);
        for (to, row) in data(&mut self.summary_rows).chunks_exact_mut(self.width).zip(rows) {
            write_columns(to, row);
        }
        let share = u16::try_from(rows.len()).ok().filter(|&n| n > 0).map_or(0.0, |n| 1.0 / f32::from(n));
        data(&mut self.summary_mix)[..summarised].fill(share);
        Ok(())
    }
}

fn write_columns(to: &mut [i64], row: &Row) {
    for (to, &column) in to.iter_mut().zip(&row.columns) {
        *to = i64::from(column);
    }
}
