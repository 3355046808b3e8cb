//! Logit biases: terms added to the logits before sampling, towards the requested controls.
//!
//! A small model follows its conditioning half of the time. So each requested control is also measured on the open bar, and a choice that leads away from
//! it has a cost that grows with the distance; the model samples from the biased logits. Each bias has a file of its own and is a cost in nats of a pitch
//! ([`PitchBias`]) or of a place ([`OnsetBias`]). A new control adds its file, its field in [`RequestedControls`] and its line in one of the two lists here.

mod copy;
mod cost;
mod density;
mod density_limit;
mod ensemble;
mod heard;
mod key;
mod length;
mod note_rate;
mod onset;
mod register;
mod span;
mod step;
#[cfg(test)]
pub(super) mod tables;
mod voices;

pub(super) use copy::add_copy_bias;
pub use density_limit::DensityLimit;
pub use heard::HeardHarmony;
pub use key::RequestedKey;

use self::cost::{OnsetBias, PitchBias, nats};
use self::density::Density;
use self::density_limit::OverLimit;
use self::heard::HeardBias;
use self::key::KeyBias;
use self::register::RegisterBias;
use self::span::Span;
use self::voices::Voices;
use super::roles::RoleSet;
use super::row::RowContext;
use crate::model::SamplingInputs;

/// Pitch classes of the model that are keys; drums follow.
const KEYS: usize = 128;

/// Requested controls that have a logit bias, most of them as steps of the model's columns of the same names, 1 to 8; `None` leaves it to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RequestedControls {
    /// Notes per quarter.
    pub density: Option<u8>,
    /// Mean pitch of all notes but drums.
    pub register: Option<u8>,
    /// From the lowest to the highest of them.
    pub span: Option<u8>,
    /// Most of them that sound at once.
    pub voices: Option<u8>,
    /// Key of all notes but drums.
    pub key: Option<RequestedKey>,
    /// What others have just played, to fit it.
    pub heard: Option<HeardHarmony>,
    /// Duration of notes but drums, in ticks and not in steps.
    pub length: Option<u8>,
    /// Roles of which each bar has a note; none for the model's choice.
    pub ensemble: RoleSet,
    /// Avoidance of what earlier bars had at the same place, in percent.
    pub novelty: u8,
}

impl RequestedControls {
    /// Adds the biases of these controls and, where no density is requested, that of the density limit to a row's tables. Masked classes stay masked.
    pub(super) fn add(self, inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, limit: Option<DensityLimit>) {
        for bias in self.pitch_biases(row) {
            for (pitch, value) in (0u8..).zip(inputs.pitch.iter_mut().take(KEYS)) {
                *value -= nats(bias.cost(pitch));
            }
        }
        if let Some(ticks) = self.length {
            length::add(inputs, row, ticks);
        }
        ensemble::add(inputs, row, self.ensemble);
        copy::add_novelty_bias(inputs, row, self.novelty);
        onset::add(inputs, row, &self.onset_biases(row, limit));
    }

    /// Costs of the target's pitch; drums have none.
    fn pitch_biases(self, row: &RowContext<'_>) -> Vec<Box<dyn PitchBias>> {
        if row.pitched_target().is_none() {
            return Vec::new();
        }
        let register = self.register.map(|step| Box::new(RegisterBias::new(step, row)) as Box<dyn PitchBias>);
        let span = self.span.and_then(|step| Span::new(step, row)).map(|span| Box::new(span) as _);
        let key = self.key.map(|requested| Box::new(KeyBias::new(requested)) as _);
        let heard = self.heard.map(|heard| Box::new(HeardBias::new(heard, self.key.is_some())) as _);
        [register, span, key, heard].into_iter().flatten().collect()
    }

    /// Costs of the place of the next note.
    fn onset_biases(self, row: &RowContext<'_>, limit: Option<DensityLimit>) -> Vec<Box<dyn OnsetBias>> {
        let density = self.density.map(|step| Box::new(Density::new(step, row)) as Box<dyn OnsetBias>);
        let limit = limit.filter(|_| self.density.is_none()).and_then(|limit| OverLimit::new(limit, row)).map(|limit| Box::new(limit) as _);
        let voices = self.voices.map(|step| Box::new(Voices::new(step, row)) as _);
        [density, limit, voices].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::tables::{Tables, note};
    use super::*;

    #[test]
    fn no_requested_control_leaves_the_tables_zero() {
        assert!(Tables::with(RequestedControls::default(), &[note(0, 60, 23)], Some(24)).are_zero());
    }

    #[test]
    fn biases_of_several_controls_add_up() {
        let both = RequestedControls { register: Some(8), span: Some(4), ..RequestedControls::default() };
        let [register, span] = [RequestedControls { span: None, ..both }, RequestedControls { register: None, ..both }];
        let at = |requested| Tables::with(requested, &[note(0, 60, 23)], Some(24)).pitch[90];
        assert!((at(both) - at(register) - at(span)).abs() < 1e-5);
    }
}
