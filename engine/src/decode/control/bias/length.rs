//! Requested note length: lowers durations by their distance from it.

use super::cost::nats;
use crate::codec::vocabulary::{Field, duration_ticks};
use crate::decode::control::row::RowContext;
use crate::model::SamplingInputs;

/// Cost in nats of a duration twice or half as long as requested, and the largest cost.
const OCTAVE: f64 = 1.6;
const MOST: f64 = 6.0;

/// Adds the costs of durations where `ticks` are requested; drums have no length of their own.
pub(super) fn add(inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, ticks: u8) {
    if row.pitched_target().is_none() {
        return;
    }
    let wanted = f64::from(ticks.max(1)).log2();
    for (class, value) in (0u8..).zip(inputs.duration.iter_mut().take(Field::Duration.classes())) {
        let Some(length) = duration_ticks(class) else { continue };
        let away = ((length.0 as f64).log2() - wanted).abs();
        *value -= nats((OCTAVE * away).min(MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestedControls;
    use super::super::tables::{Tables, note};
    use crate::codec::vocabulary::duration_class;
    use crate::music::Tick;

    #[test]
    fn requested_length_is_the_cheapest_and_others_cost_by_their_ratio() {
        let eighths = RequestedControls { length: Some(12), ..RequestedControls::default() };
        let tables = Tables::with(eighths, &[note(0, 60, 23)], Some(24));
        let at = |ticks: i64| tables.duration[usize::from(duration_class(Tick(ticks)))];
        assert_eq!(at(12), 0.0);
        assert!((at(6) - at(24)).abs() < 1e-5 && at(6) < -1.0 && at(48) < at(24));
        assert!(tables.duration.iter().all(|value| *value >= -6.0));
        assert!(Tables::with(eighths, &[], None).duration.iter().all(|value| *value == 0.0), "no note is sampled at the bar's start");
    }
}
