//! Tables of one row, for the tests of biases.

use super::RequestedControls;
use crate::codec::vocabulary::{Field, TOTAL_CLASSES, next};
use crate::codec::{BarFields, NoteClasses, Place};
use crate::decode::control::row::fixtures::with_row;
use crate::model::SamplingInputs;
use crate::music::Role;

const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const ROLES: usize = Field::Role.classes();
const TYPES: usize = Field::Type.classes();

/// Sum of the biases of one row, without masks.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode::control) struct Tables {
    pub(in crate::decode::control) pitch: Vec<f32>,
    pub(in crate::decode::control) duration: Vec<f32>,
    pub(in crate::decode::control) kind: Vec<f32>,
    pub(in crate::decode::control) beat: Vec<f32>,
    pub(in crate::decode::control) sub: Vec<f32>,
    pub(in crate::decode::control) role: Vec<f32>,
}

/// A note of the melody.
pub(super) fn note(tick: u8, pitch: u8, duration: u8) -> NoteClasses {
    NoteClasses { beat: tick / 24, sub: tick % 24, role: Role::Melody.class(), pitch, duration, velocity: 20, offset: 4 }
}

impl Tables {
    /// What `add` adds to empty tables.
    pub(in crate::decode::control) fn of(add: impl FnOnce(&mut SamplingInputs<'_>)) -> Self {
        let mut others = [Field::Velocity, Field::Offset].map(|field| vec![0.0; field.classes()]);
        let [velocity, offset] = &mut others;
        let (mut temperature, mut log_min_p, mut noise) = ([1.0; 8], [0.0; 8], vec![0.0; TOTAL_CLASSES]);
        let mut pitch_top = 256;
        let mut tables = Self {
            pitch: vec![0.0; Field::Pitch.classes()],
            duration: vec![0.0; Field::Duration.classes()],
            kind: vec![0.0; 2 * TYPES],
            beat: vec![0.0; 2 * BEATS],
            sub: vec![0.0; 2 * BEATS * SUBS],
            role: vec![0.0; 4 * ROLES],
        };
        add(&mut SamplingInputs {
            temperature: &mut temperature,
            log_min_p: &mut log_min_p,
            noise: &mut noise,
            pitch: &mut tables.pitch,
            duration: &mut tables.duration,
            velocity,
            offset,
            pitch_top: &mut pitch_top,
            kind: &mut tables.kind,
            beat: &mut tables.beat,
            sub: &mut tables.sub,
            role: &mut tables.role,
        });
        tables
    }

    /// Tables of requested controls after the notes `before` of a bar of common time, at a target of this tick or at the bar's start.
    pub(super) fn with(requested: RequestedControls, before: &[NoteClasses], target: Option<u8>) -> Self {
        let target = target.map(|tick| Place { beat: tick / 24, sub: tick % 24, role: Role::Melody.class() });
        with_row(BarFields::default(), before, target, |row| Self::of(|inputs| requested.add(inputs, row, None)))
    }

    pub(super) fn are_zero(&self) -> bool {
        [&self.pitch, &self.duration, &self.kind, &self.beat, &self.sub, &self.role]
            .iter()
            .all(|table| table.iter().all(|value| *value == 0.0))
    }

    /// MIDI key with the largest bias.
    pub(super) fn likeliest_pitch(&self) -> usize {
        (0..super::KEYS).max_by(|&one, &other| self.pitch[one].total_cmp(&self.pitch[other])).unwrap()
    }

    /// Bias of a next note at this tick less that of the bar's end, in nats.
    pub(super) fn onset(&self, tick: usize) -> f32 {
        self.kind[0] + self.beat[tick / SUBS] + self.sub[tick] - self.kind[usize::from(next::ENDBAR)]
    }
}
