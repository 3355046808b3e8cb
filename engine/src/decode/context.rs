//! How much of a long piece is heard.

/// Bars of context that are heard at most: twice as far as fine/coarse attention sees row by row.
pub const CONTEXT_BARS: u32 = 64;

/// Bars behind a gap that are heard at most: as many as models are trained with.
pub const FAR_SIDE_BARS: u32 = 16;

/// The model counts bars modulo 16 from the first one with a note. Context is cut so that its count stays right.
const PHASE_BARS: u32 = 16;

/// How many of the first bars of a piece are left out, so that the last [`CONTEXT_BARS`] at most are heard.
#[must_use]
pub fn skipped_bars(bars: u32) -> u32 {
    bars.saturating_sub(CONTEXT_BARS).next_multiple_of(PHASE_BARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pieces_are_heard_whole_and_long_ones_from_a_sixteenth_bar_on() {
        for bars in 0..=CONTEXT_BARS {
            assert_eq!(skipped_bars(bars), 0);
        }
        for bars in [65, 80, 81, 100, 100_000] {
            let heard = bars - skipped_bars(bars);
            assert!((CONTEXT_BARS - 15..=CONTEXT_BARS).contains(&heard), "{heard} of {bars}");
            assert_eq!(skipped_bars(bars) % 16, 0);
        }
    }
}
