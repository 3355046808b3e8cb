//! Phase of bars, and length of the context of a prompt.
//!
//! The model counts bars modulo [`PHASE_BARS`] from the first bar of its context. A context that is cut keeps that count, so it is cut by whole phases.

/// Bars until the phase repeats.
pub const PHASE_BARS: u32 = 16;

/// Most bars of context of a continuation: twice the reach of fine attention.
pub const CONTEXT_BARS: u32 = 64;

/// Phase of a bar, 0 to 15.
#[must_use]
pub const fn phase(index: u32) -> u32 {
    index % PHASE_BARS
}

/// Number of bars at the beginning of a piece left out of a context of at most [`CONTEXT_BARS`].
#[must_use]
pub fn skipped_bars(bars: u32) -> u32 {
    bars.saturating_sub(CONTEXT_BARS).next_multiple_of(PHASE_BARS)
}

/// First bar that a decoder reads of a piece known from bar `oldest` to `end`, exclusive: at least [`CONTEXT_BARS`] before the end, at the start of a phase if
/// there is one.
#[must_use]
pub fn first_read_bar(oldest: u32, end: u32) -> u32 {
    let wanted = end.saturating_sub(CONTEXT_BARS).max(oldest);
    let (below, above) = (wanted - phase(wanted), oldest.next_multiple_of(PHASE_BARS));
    if below >= oldest {
        below
    } else if above <= wanted {
        above
    } else {
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pieces_are_read_whole_and_long_ones_from_the_start_of_a_phase() {
        for bars in 0..=CONTEXT_BARS {
            assert_eq!(skipped_bars(bars), 0);
        }
        for bars in [65, 80, 81, 100, 100_000] {
            let read = bars - skipped_bars(bars);
            assert!((CONTEXT_BARS - (PHASE_BARS - 1)..=CONTEXT_BARS).contains(&read), "{read} of {bars}");
            assert_eq!(phase(skipped_bars(bars)), 0);
        }
    }

    #[test]
    fn long_piece_is_read_from_its_last_bars_on() {
        assert_eq!(first_read_bar(0, 0), 0);
        assert_eq!(first_read_bar(0, 63), 0);
        assert_eq!(first_read_bar(0, 79), 0);
        assert_eq!(first_read_bar(0, 80), 16);
        assert_eq!(first_read_bar(72, 200), 128);
        // The kept bars begin inside of a phase.
        assert_eq!(first_read_bar(72, 100), 72);
        assert_eq!(first_read_bar(72, 140), 72);
        assert_eq!(first_read_bar(72, 144), 80);
    }
}
