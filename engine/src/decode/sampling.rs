//! Sampling parameters: temperature, min-p, and how little a continuation echoes the piece.

use super::control::Repetition;
use crate::model::MASKED;

/// First rows of a bar, given ones aside, without min-p: those that choose its first two notes and the place of the third.
///
/// In a passage that repeats itself the model is nearly sure of every note, and min-p would leave no alternative for ever. So the model alone decides at the
/// beginning of a bar whether it continues the repetition, and a bar that has begun so is generated to its end. After a loop no row has min-p.
const OPENING_ROWS: usize = 3;

/// Factor on min-p (the product at most 1) of a bar conditioned to repeat another, and share by which its temperature is lowered: it repeats note for note
/// unless the model is undecided.
const REPEAT_STRICTNESS: f32 = 34.0;
const REPEAT_COOLNESS: f32 = 0.55;

/// min-p of the knob at its lowest.
const SAFE_MIN_P: f32 = 0.055;
/// Distance of the knob at its highest.
const WILD_DISTANCE: f32 = 0.1;
/// Factor on min-p of a bar that continues the piece and repeats no other. Between and beside other notes a bar has them to go by, and is worse with it.
const CONTINUATION_MIN_P: f32 = 0.25;
/// Power of min-p by which a requested repeat is strict in a gap, where every bar has one: the next bars of a loop come back unchanged only if that is asked for,
/// by the knob at its lowest.
const GAP_STRICTNESS: i32 = 6;
/// Nats added to the logits of the bar that is to be repeated, where that is strict; and in a gap.
const COPY: f32 = 12.0;
const GAP_COPY: f32 = 3.0;

/// Factor on the temperature of a bar in which something new is due.
const DUE_HEAT: f32 = 1.4;

/// What a bar is generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// It continues the bars before it.
    Continuation,
    /// It has notes of other parts beside it.
    Accompaniment,
    /// There are bars after it.
    Infill,
}

/// Temperature and min-p, the same for every field, and the distance to what the piece has already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Divides the logits: below 1 the likely gets likelier. 0.05 to 5.
    pub temperature: f32,
    /// Classes less likely than this share of the likeliest are masked (Nguyen et al. 2024), except at the start of a bar. 0 to 1; 0 is off.
    pub min_p: f32,
    /// Subtracted from the cosine similarity of a row to the rows of the same sequence that the memory holds, in bars that continue it and are not to repeat
    /// another: the memory has learnt from real music, and echoes what the model has generated itself as if it were. 0 to 2; 0 is the model's own memory.
    pub distance: f32,
}

impl Sampling {
    /// The model's own distribution.
    pub const PLAIN: Self = Self { temperature: 1.0, min_p: 0.0, distance: 0.0 };

    /// The musical knob, 0 (safe) to 1 (wild); values outside are clamped. Higher is hotter, lets rarer notes through, and echoes the piece less.
    #[must_use]
    pub fn from_adventurousness(amount: f32) -> Self {
        let amount = if amount.is_nan() { 0.5 } else { amount.clamp(0.0, 1.0) };
        Self { temperature: 0.82 + 0.4 * amount, min_p: SAFE_MIN_P * (1.0 - amount), distance: WILD_DISTANCE * amount }
    }

    /// Parameters of a row by its index, given rows aside, in a bar with this repetition.
    pub(super) fn at_row(self, index: usize, repetition: Repetition, task: Task) -> Self {
        let (distance, share) = if task == Task::Continuation { (self.distance, CONTINUATION_MIN_P) } else { (0.0, 1.0) };
        let (temperature, strict) = (self.temperature, self.strictness(task));
        match repetition {
            Repetition::Repeat => Self { temperature: temperature * (1.0 - strict * REPEAT_COOLNESS), min_p: strict, distance: 0.0 },
            Repetition::AfterLoop => Self { temperature, min_p: 0.0, distance },
            Repetition::Due => Self { temperature: temperature * DUE_HEAT, min_p: 0.0, distance },
            Repetition::Free if index < OPENING_ROWS => Self { temperature, min_p: 0.0, distance },
            Repetition::Free => Self { temperature, min_p: self.min_p * share, distance },
        }
    }

    /// Strictness of a requested repeat, 0 to 1; it falls with adventurousness, and faster in a gap.
    fn strictness(self, task: Task) -> f32 {
        let is_infill = task == Task::Infill;
        let strict = if is_infill { (self.min_p / SAFE_MIN_P).powi(GAP_STRICTNESS) } else { self.min_p * REPEAT_STRICTNESS };
        strict.clamp(0.0, 1.0)
    }

    /// Nats added to the logits of the bar that a requested repeat repeats.
    pub(super) fn copy_bias(self, task: Task) -> f32 {
        self.strictness(task) * if task == Task::Infill { GAP_COPY } else { COPY }
    }

    /// Divisor of the logits: the temperature, clamped to its range.
    pub(super) fn divisor(self) -> f32 {
        if self.temperature.is_nan() { 1.0 } else { self.temperature.clamp(0.05, 5.0) }
    }

    /// ln min-p; [`MASKED`] is off.
    pub(super) fn log_min_p(self) -> f32 {
        if self.min_p > 0.0 { self.min_p.min(1.0).ln() } else { MASKED }
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self::from_adventurousness(0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knob_rises() {
        let steps: Vec<Sampling> = [0.0, 0.25, 0.5, 1.0].map(Sampling::from_adventurousness).into();
        assert!(steps.windows(2).all(|pair| pair[0].temperature < pair[1].temperature && pair[0].min_p > pair[1].min_p));
        assert!(steps.windows(2).all(|pair| pair[0].distance < pair[1].distance));
        assert_eq!(Sampling::from_adventurousness(9.0), Sampling::from_adventurousness(1.0));
        assert_eq!(Sampling::from_adventurousness(f32::NAN), Sampling::default());
    }

    #[test]
    fn opening_rows_have_no_min_p() {
        let sampling = Sampling::default();
        assert_eq!(
            [(0, Repetition::Free), (2, Repetition::Free), (9, Repetition::AfterLoop)]
                .map(|(index, repetition)| sampling.at_row(index, repetition, Task::Continuation).log_min_p()),
            [MASKED; 3]
        );
        assert_eq!(sampling.at_row(3, Repetition::Free, Task::Continuation), Sampling { min_p: sampling.min_p / 4.0, ..sampling });
    }

    #[test]
    fn only_a_continuation_keeps_away_from_what_the_piece_has() {
        let sampling = Sampling::default();
        for task in [Task::Accompaniment, Task::Infill] {
            assert_eq!(sampling.at_row(3, Repetition::Free, task), Sampling { distance: 0.0, ..sampling });
        }
        assert!(sampling.distance > 0.0 && Sampling::from_adventurousness(0.0).distance == 0.0);
    }

    #[test]
    fn requested_repeat_is_strict_from_its_first_row_unless_adventurous() {
        let at = |amount: f32| {
            let sampling = Sampling::from_adventurousness(amount);
            sampling.at_row(0, Repetition::Repeat, Task::Continuation)
        };
        assert!(at(0.5).min_p > 0.8 && at(0.5).temperature < 0.6);
        assert!(at(0.0).min_p >= 1.0);
        assert_eq!(at(1.0), Sampling { distance: 0.0, ..Sampling::from_adventurousness(1.0) });
        assert_eq!([0.0, 0.5, 1.0].map(|amount| at(amount).distance), [0.0; 3], "the bar that it repeats is in the memory");
        assert_eq!(Sampling::PLAIN.at_row(0, Repetition::Repeat, Task::Continuation), Sampling::PLAIN);
        assert_eq!(Sampling::from_adventurousness(1.0).copy_bias(Task::Continuation), 0.0);
    }

    #[test]
    fn requested_repeat_in_a_gap_is_strict_only_at_the_lowest_adventurousness() {
        let strictness = |amount: f32| Sampling::from_adventurousness(amount).strictness(Task::Infill);
        assert!(strictness(0.0) > 0.99 && (0.01..0.1).contains(&strictness(0.5)));
        assert_eq!((strictness(1.0), Sampling::PLAIN.strictness(Task::Infill)), (0.0, 0.0));
        let sampling = Sampling::default();
        assert!(sampling.copy_bias(Task::Infill) < 0.5 && sampling.copy_bias(Task::Continuation) > 7.0);
    }

    #[test]
    fn bar_in_which_something_new_is_due_has_the_highest_temperature() {
        let sampling = Sampling::default();
        let of = |repetition| sampling.at_row(9, repetition, Task::Continuation);
        assert!(of(Repetition::Due).temperature > of(Repetition::AfterLoop).temperature);
        assert_eq!((of(Repetition::Due).min_p, of(Repetition::AfterLoop).min_p), (0.0, 0.0));
    }

    #[test]
    fn values_out_of_range_are_clamped() {
        for (temperature, min_p) in [(0.0, -1.0), (f32::NAN, f32::NAN), (f32::INFINITY, 7.0), (-1.0, 0.0)] {
            let sampling = Sampling { temperature, min_p, ..Sampling::PLAIN };
            assert!((0.05..=5.0).contains(&sampling.divisor()) && sampling.log_min_p() <= 0.0);
        }
    }
}
