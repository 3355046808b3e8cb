//! Sampling inputs of a batch: temperature, min-p, noise and masks.

use ort::{memory::Allocator, session::IoBinding, value::Tensor};

use super::{data, dims};
use crate::codec::vocabulary::{FIELDS, Field, TOTAL_CLASSES};

/// Added to a logit: forbids the class. As a logarithm of min-p: no lower bound.
pub const MASKED: f32 = -1e9;

/// Sampling inputs: one set for all rows of a batch (M = 1 in docs/model-interface.md).
#[derive(Debug)]
pub(super) struct SamplingTensors {
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

impl SamplingTensors {
    pub(super) fn new(allocator: &Allocator) -> ort::Result<Self> {
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

    pub(super) fn bind(&self, binding: &mut IoBinding) -> ort::Result<()> {
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

    pub(super) fn slices(&mut self) -> SamplingInputs<'_> {
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
