//! Feel: how planned notes are played, as a deviation from the notes of the plan. The plan itself, which becomes context, stays as it is.

use super::Swung;
use crate::music::{Note, OFFSETS_PER_TICK, Tick};

/// Grid in ticks that notes are quantised to: sixteenths, and triplets of eighths and sixteenths.
const STRAIGHT: i64 = 6;
const TRIPLET: i64 = 4;

/// How planned notes are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feel {
    /// Share of the performed timing, in percent: 0 is quantised, 100 as planned.
    pub performed: u8,
    /// How far the loudness follows the player, in percent: 0 is as planned, 100 as loud as the player on average.
    pub loudness: u8,
    /// How far off-beats are moved to where the player plays them, in percent: 0 is as planned.
    pub swing: u8,
}

impl Default for Feel {
    fn default() -> Self {
        Self { performed: 100, loudness: 0, swing: 0 }
    }
}

/// Mean velocities of the player and of the planned bar that a note belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Of the player's recent notes.
    pub player: f64,
    /// Of the planned notes of the bar.
    pub bar: f64,
}

/// Deviation of a note as it is played from the note as it was planned.
///
/// ```
/// use antiphon_engine::music::{Note, Role, Tick};
/// use antiphon_engine::plan::{Deviation, Feel};
///
/// // A tick and a quarter after the second sixteenth.
/// let note = Note { onset: Tick(7), offset: 2, duration: Tick(5), pitch: 60, velocity: 80, role: Role::Keys };
/// let deviation = |performed| Feel { performed, ..Feel::default() }.deviation(&note, Tick(0), None, None);
/// assert_eq!(deviation(100), Deviation::default());
/// assert_eq!(deviation(0).eighths, -10);
/// assert_eq!(deviation(50).eighths, -5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Deviation {
    /// In eighths of a tick; negative is earlier.
    pub eighths: i8,
    /// Added to the velocity, which stays within 1 to 127.
    pub velocity: i8,
}

impl Deviation {
    /// Velocity of a note played so, 1 to 127: a note-on with velocity 0 is a note-off.
    #[must_use]
    pub fn played_velocity(self, note: &Note) -> u8 {
        note.velocity.saturating_add_signed(self.velocity).clamp(1, 127)
    }

    /// The note as it is played.
    #[must_use]
    pub fn played(self, note: &Note) -> Note {
        let start = note.onset.0 * OFFSETS_PER_TICK + i64::from(note.offset) + i64::from(self.eighths);
        let onset = (start + OFFSETS_PER_TICK / 2).div_euclid(OFFSETS_PER_TICK);
        // -4 to 3: the rest of that division.
        let offset = i8::try_from(start - onset * OFFSETS_PER_TICK).unwrap_or(0);
        Note { onset: Tick(onset), offset, velocity: self.played_velocity(note), ..*note }
    }
}

impl Feel {
    /// Deviation of a note of the bar that begins at `line`. Without a loudness, as before the player's first note, the velocity stays; `swung` is given if the
    /// note is on an off-beat of the player's.
    #[must_use]
    pub fn deviation(self, note: &Note, line: Tick, loudness: Option<Loudness>, swung: Option<Swung>) -> Deviation {
        Deviation { eighths: self.timing(note, line, swung), velocity: loudness.map_or(0, |loudness| self.velocity(note, loudness)) }
    }

    fn timing(self, note: &Note, line: Tick, swung: Option<Swung>) -> i8 {
        let from_grid = OFFSETS_PER_TICK * off_grid(note.onset - line) + i64::from(note.offset);
        let quantised = -percent(from_grid, 100 - self.performed.min(100));
        // Where the note would be on the player's off-beat, less where it would be without.
        let moved = swung.map_or(0, |Swung { shift, spread }| shift - percent(spread, 100 - self.performed.min(100)) - quantised);
        i8::try_from(quantised + percent(moved, self.swing.min(100))).unwrap_or(0)
    }

    fn velocity(self, note: &Note, loudness: Loudness) -> i8 {
        if loudness.bar <= 0.0 {
            return 0;
        }
        let share = f64::from(self.loudness.min(100)) / 100.0;
        let change = f64::from(note.velocity) * share * (loudness.player / loudness.bar - 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
        let change = change.round().clamp(-126.0, 126.0) as i8;
        change
    }
}

/// A share of a value, rounded to the nearest, halves away from 0.
fn percent(value: i64, share: u8) -> i64 {
    (2 * value.abs() * i64::from(share) + 99) / 200 * value.signum()
}

/// Ticks from the nearest point of the grid, of two equally near ones the straight one.
fn off_grid(ticks: Tick) -> i64 {
    let from = |grid: i64| (ticks.0 + grid / 2).rem_euclid(grid) - grid / 2;
    let (straight, triplet) = (from(STRAIGHT), from(TRIPLET));
    if triplet.abs() < straight.abs() { triplet } else { straight }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    fn note(onset: i64, offset: i8, velocity: u8) -> Note {
        Note { onset: Tick(onset), offset, duration: Tick(6), pitch: 60, velocity, role: Role::Keys }
    }

    #[test]
    fn played_note_has_the_time_and_velocity_of_its_deviation() {
        let played = Deviation { eighths: -6, velocity: 100 }.played(&note(100, 1, 80));
        assert_eq!(played, note(99, 3, 127));
        assert_eq!(Deviation::default().played(&note(100, -4, 80)), note(100, -4, 80));
    }

    #[test]
    fn quantised_notes_lie_on_sixteenths_or_triplets() {
        let line = Tick(96);
        for onset in 96..192 {
            for offset in -4..4 {
                let note = note(onset, offset, 80);
                let at = |performed| {
                    let Deviation { eighths, .. } = Feel { performed, ..Feel::default() }.deviation(&note, line, None, None);
                    8 * (onset - 96) + i64::from(offset) + i64::from(eighths)
                };
                assert!(at(0) % 8 == 0 && (at(0) % 48 == 0 || at(0) % 32 == 0), "{onset} {offset}: {}", at(0));
                assert!((at(0) - at(100)).abs() <= 8 * 2 + 4, "{onset} {offset}");
                let (low, high) = (at(0).min(at(100)), at(0).max(at(100)));
                assert!((low..=high).contains(&at(50)) && (at(50) * 2 - low - high).abs() <= 1, "half way");
            }
        }
    }

    #[test]
    fn full_feel_leaves_every_note_as_planned() {
        assert!((0..48).all(|onset| Feel::default().deviation(&note(onset, -3, 80), Tick::ZERO, None, None) == Deviation::default()));
    }

    #[test]
    fn swung_note_is_played_on_the_players_off_beat_with_the_share_that_is_set() {
        // On the off-beat of eighths, a little early; the player's is a third of a beat later.
        let (note, swung) = (note(12, -2, 80), Some(Swung { shift: 32, spread: -2 }));
        let eighths = |performed, swing| Feel { performed, swing, ..Feel::default() }.deviation(&note, Tick::ZERO, None, swung).eighths;
        assert_eq!([eighths(100, 0), eighths(100, 50), eighths(100, 100)], [0, 16, 32]);
        assert_eq!([eighths(0, 0), eighths(0, 100)], [2, 34], "a quantised chord is struck together");
        assert_eq!(Feel { swing: 100, ..Feel::default() }.deviation(&note, Tick::ZERO, None, None), Deviation::default());
    }

    #[test]
    fn loudness_moves_towards_the_player_and_keeps_accents() {
        let loudness = Some(Loudness { player: 50.0, bar: 100.0 });
        let played = |loudness_follow, velocity| {
            let feel = Feel { loudness: loudness_follow, ..Feel::default() };
            let note = note(0, 0, velocity);
            feel.deviation(&note, Tick::ZERO, loudness, None).played_velocity(&note)
        };
        assert_eq!([played(100, 80), played(100, 120)], [40, 60]);
        assert_eq!([played(50, 80), played(0, 80)], [60, 80]);
        let louder = Feel { loudness: 100, ..Feel::default() };
        let note = note(0, 0, 100);
        let loudest = louder.deviation(&note, Tick::ZERO, Some(Loudness { player: 120.0, bar: 40.0 }), None);
        assert_eq!(loudest.played_velocity(&note), 127);
        assert_eq!(louder.deviation(&note, Tick::ZERO, Some(Loudness { player: 1.0, bar: 0.0 }), None), Deviation::default());
    }
}
