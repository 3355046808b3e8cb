//! Parameters of the window: its colours and its scale. Hosts save them but do not automate them.

use std::sync::Arc;

use nice_plug::prelude::*;

use super::text;

/// Colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Dark text on a light ground.
    #[default]
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// Steps of the scale, in per cent.
const SCALES: [i32; 7] = [100, 125, 150, 175, 200, 250, 300];

/// How the window looks.
#[derive(Params)]
pub struct WindowParams {
    /// Its colours.
    #[id = "look"]
    pub look: IntParam,
    /// Step of its scale, on top of the host's or the screen's.
    #[id = "window_scale"]
    pub scale: IntParam,
}

impl Default for WindowParams {
    fn default() -> Self {
        // The window changes only where the user lets go, so a range of few steps is enough.
        let scale = IntParam::new("Window scale", 0, IntRange::Linear { min: 0, max: 6 })
            .with_value_to_string(Arc::new(|step| format!("{} %", per_cent(step))))
            .with_string_to_value(Arc::new(|text| text::number(text).and_then(step_of)));
        Self { look: text::steps("Look", &["Light", "Dark"]).non_automatable(), scale: scale.non_automatable() }
    }
}

/// Scale at a step, in per cent.
fn per_cent(step: i32) -> i32 {
    usize::try_from(step).ok().and_then(|step| SCALES.get(step)).copied().unwrap_or(SCALES[0])
}

/// The step with the nearest scale to this one, in per cent.
fn step_of(wanted: i32) -> Option<i32> {
    (0i32..).zip(SCALES).min_by_key(|(_, scale)| scale.abs_diff(wanted)).map(|(step, _)| step)
}

impl WindowParams {
    /// Scale of the window on top of the host's or the screen's, 1 to 3.
    pub fn scale(&self) -> f64 {
        f64::from(per_cent(self.scale.value())) / 100.0
    }

    /// The colours that were chosen.
    pub fn look(&self) -> Look {
        if self.look.value() == 0 { Look::Light } else { Look::Dark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_is_the_step_nearest_to_what_is_typed() {
        let params = WindowParams::default();
        for (text, scale) in [("100 %", 0), ("150", 2), ("180 %", 3), ("1000", 6), ("5", 0)] {
            let normalised = params.scale.string_to_normalized_value(text).unwrap();
            assert_eq!(params.scale.preview_plain(normalised), scale, "{text}");
        }
        assert!((params.scale() - 1.0).abs() < f64::EPSILON);
    }
}
