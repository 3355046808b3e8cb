//! Parameters of Infill: which bars of the song are filled.

use std::sync::Arc;

use antiphon_engine::plan::InfillRange;
use nice_plug::prelude::*;

use super::text::number;

/// Largest number of a bar.
const LAST_BAR: i32 = 999;
/// Most bars that are filled.
const MOST_BARS: i32 = 8;

/// Bars of the song that are filled.
#[derive(Params)]
pub struct InfillParams {
    /// Number of the first one in the song.
    #[id = "infill_from"]
    pub from: IntParam,
    /// How many they are.
    #[id = "infill_bars"]
    pub bars: IntParam,
}

impl Default for InfillParams {
    fn default() -> Self {
        Self {
            from: IntParam::new("Infill from", 5, IntRange::Linear { min: 1, max: LAST_BAR })
                .with_value_to_string(Arc::new(|bar| format!("Bar {bar}")))
                .with_string_to_value(Arc::new(number)),
            bars: IntParam::new("Infill bars", 1, IntRange::Linear { min: 1, max: MOST_BARS })
                .with_value_to_string(Arc::new(super::bars))
                .with_string_to_value(Arc::new(number)),
        }
    }
}

impl InfillParams {
    /// The marked bars.
    pub(crate) fn range(&self) -> InfillRange {
        // The ranges limit them to 1 to 999 and 1 to 8.
        let (from, bars) = (u16::try_from(self.from.value()), u8::try_from(self.bars.value()));
        InfillRange { from: from.unwrap_or(1), bars: bars.unwrap_or(1) }
    }
}
