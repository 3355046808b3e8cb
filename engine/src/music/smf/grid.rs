//! From the file's ticks to the grid.

use super::MAX_QUARTERS;
use crate::music::{OFFSETS_PER_TICK, TICKS_PER_QUARTER, Tick};

/// From the file's ticks to ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Ticks per quarter note of the file, at least 1.
    pub(super) division: u16,
}

impl Grid {
    /// The nearest tick, halves up.
    pub(super) fn tick(self, file_tick: u64) -> Tick {
        let division = i64::from(self.division);
        Tick((self.scaled(file_tick) * 2 + division).div_euclid(2 * division))
    }

    /// Nearest tick, the remainder in eighths of a tick, and whether that was clamped: half a tick late is 4 eighths, the last step is 3.
    pub(super) fn onset(self, file_tick: u64) -> (Tick, i8, bool) {
        let division = i64::from(self.division);
        let tick = self.tick(file_tick);
        let rest = self.scaled(file_tick) - tick.0 * division;
        let eighths = (rest * OFFSETS_PER_TICK * 2 + division).div_euclid(2 * division);
        let offset = i8::try_from(eighths.clamp(-4, 3)).unwrap_or(0);
        (tick, offset, eighths > 3)
    }

    /// Nearest file tick of a grid tick; 0 for ticks before 0.
    pub(super) fn file_tick(self, tick: Tick) -> u64 {
        self.played(tick, 0)
    }

    /// File tick of a note that starts `offset` eighths of a tick after `onset`; 0 before the start.
    pub(super) fn played(self, onset: Tick, offset: i8) -> u64 {
        const PER_QUARTER: i128 = (TICKS_PER_QUARTER * OFFSETS_PER_TICK) as i128;
        let eighths = i128::from(onset.0) * i128::from(OFFSETS_PER_TICK) + i128::from(offset);
        let file_tick = (eighths * i128::from(self.division) * 2 + PER_QUARTER).div_euclid(2 * PER_QUARTER);
        u64::try_from(file_tick.max(0)).unwrap_or(u64::MAX)
    }

    /// Our ticks times the division. In range: no file tick is beyond [`MAX_QUARTERS`].
    fn scaled(self, file_tick: u64) -> i64 {
        i64::try_from(file_tick).unwrap_or(i64::MAX / TICKS_PER_QUARTER / 4) * TICKS_PER_QUARTER
    }

    /// The last file tick that is read.
    pub(super) fn longest(self) -> u64 {
        MAX_QUARTERS.unsigned_abs() * u64::from(self.division)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_positions_have_their_place_in_the_file_and_come_back() {
        let grid = Grid { division: 960 };
        assert_eq!((grid.file_tick(Tick(3)), grid.played(Tick(3), -4), grid.played(Tick(0), -4)), (120, 100, 0));
        for division in [96, 120, 384, 480, 0x7FFF] {
            let grid = Grid { division };
            for tick in 0..500 {
                assert_eq!(grid.tick(grid.file_tick(Tick(tick))), Tick(tick), "{division}");
            }
        }
    }

    #[test]
    fn onsets_go_to_the_nearest_tick_and_keep_the_rest() {
        let grid = Grid { division: 480 };
        assert_eq!([0, 9, 10, 20, 29].map(|tick| grid.tick(tick).0), [0, 0, 1, 1, 1]);
        assert_eq!(grid.onset(5), (Tick(0), 2, false));
        assert_eq!(grid.onset(10), (Tick(1), -4, false));
        assert_eq!(grid.onset(9), (Tick(0), 3, true));
        assert_eq!(Grid { division: 7 }.onset(7), (Tick(24), 0, false));
        assert_eq!(Grid { division: 0x7FFF }.onset(u64::from(u16::MAX >> 1) * 5), (Tick(120), 0, false));
    }
}
