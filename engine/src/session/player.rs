//! The player's notes. The sustain pedal is folded into their durations.

use crate::decode::MOST_NOTES;
use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use crate::plan::MidiKey;

use super::history_writer::Ending;
use crate::plan::MusicalTime;

/// A note that sounds.
#[derive(Debug, Clone, Copy)]
struct Sounding {
    key: MidiKey,
    /// Duration unknown: [`Tick::MAX`].
    note: Note,
    /// Whether the key is up and the sustain pedal holds the note.
    sustained: bool,
}

/// Maximum of notes recorded per quarter: what the engine generates at most in a bar of 4/4, and more than ten fingers play. A flood of notes
/// would keep the model busy for minutes.
const MOST_PER_QUARTER: usize = MOST_NOTES / 4;

/// Notes of the player so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Player {
    sounding: Vec<Sounding>,
    finished: Vec<Note>,
    /// The channels whose sustain pedal is down, a bit each.
    pedals: u16,
    /// Quarter of the last note, and the number of notes recorded in it.
    quarter: (i64, usize),
    /// When the last key went up; `None` while one is down, and before the first note.
    silent_since: Option<MusicalTime>,
}

/// Result of a note-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strike {
    /// Recorded.
    Taken,
    /// Left out: too many notes in this quarter.
    LeftOut,
}

impl Player {
    /// A key goes down. One that sounds starts again.
    pub(super) fn strike(&mut self, key: MidiKey, velocity: u8, role: Role, at: MusicalTime) -> Strike {
        self.end(at, |sounding| sounding.key == key);
        self.silent_since = None;
        let (onset, offset) = at.nearest();
        let quarter = onset.0.div_euclid(TICKS_PER_QUARTER);
        let taken = if quarter == self.quarter.0 { self.quarter.1 } else { 0 };
        if taken == MOST_PER_QUARTER {
            return Strike::LeftOut;
        }
        self.quarter = (quarter, taken + 1);
        let note = Note { onset, offset, duration: Tick::MAX, pitch: key.pitch(), velocity, role };
        self.sounding.push(Sounding { key, note, sustained: false });
        Strike::Taken
    }

    /// When the last key went up, whatever the pedal holds; `None` while a key is down, and before the first note.
    pub(super) const fn silent_since(&self) -> Option<MusicalTime> {
        self.silent_since
    }

    /// Whether no key has been down since this tick, whatever the pedal holds.
    pub(super) fn is_silent_since(&self, tick: Tick) -> bool {
        let is_up = self.sounding.iter().all(|sounding| sounding.sustained);
        is_up && self.silent_since.is_none_or(|since| since.0 <= MusicalTime::from(tick).0)
    }

    /// Whether a key is down, whatever the pedal holds.
    pub(super) fn holds(&self, key: MidiKey) -> bool {
        self.sounding.iter().any(|sounding| sounding.key == key && !sounding.sustained)
    }

    /// A key goes up.
    pub(super) fn let_go(&mut self, key: MidiKey, at: MusicalTime) {
        if self.pedals >> key.channel() & 1 == 1 {
            self.sounding.iter_mut().filter(|sounding| sounding.key == key).for_each(|sounding| sounding.sustained = true);
        } else {
            self.end(at, |sounding| sounding.key == key);
        }
        self.fall_silent(at);
    }

    /// Begins the player's silence, unless a key is down or it has begun before.
    fn fall_silent(&mut self, at: MusicalTime) {
        if self.silent_since.is_none() && self.sounding.iter().all(|sounding| sounding.sustained) {
            self.silent_since = Some(at);
        }
    }

    /// The sustain pedal of a channel, 0 to 15, goes down or up.
    pub(super) fn pedal(&mut self, channel: u8, pressed: bool, at: MusicalTime) {
        let bit = 1u16.checked_shl(channel.into()).unwrap_or(0);
        if pressed {
            self.pedals |= bit;
        } else {
            self.pedals &= !bit;
            self.end(at, |sounding| sounding.sustained && sounding.key.channel() == channel);
        }
    }

    /// Releases all keys and pedals: input was lost.
    pub(super) fn release(&mut self, at: MusicalTime) {
        self.pedals = 0;
        self.end(at, |_| true);
        self.fall_silent(at);
    }

    /// End of the last phrase; `None` before the first note.
    pub(super) fn ending(&self) -> Option<Ending> {
        let onset = self.notes().map(|note| note.onset).max()?;
        let last = self.finished.iter().map(Note::end).max();
        Some(Ending { onset, silent_since: last.filter(|_| self.sounding.is_empty()) })
    }

    /// Notes that start before this are not needed any more, once they have ended.
    pub(super) fn forget_before(&mut self, line: Tick) {
        self.finished.retain(|note| note.onset >= line);
    }

    /// The notes, in no order; those that sound are [`Tick::MAX`] long.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.finished.iter().copied().chain(self.sounding.iter().map(|sounding| sounding.note))
    }

    fn end(&mut self, at: MusicalTime, ends: impl Fn(&Sounding) -> bool) {
        let end = at.nearest().0;
        let ended = self.sounding.extract_if(.., |sounding| ends(sounding)).map(|sounding| sounding.note);
        self.finished.extend(ended.map(|note| Note { duration: (end - note.onset).max(Tick(1)), ..note }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MidiKey = MidiKey::new(2, 60).unwrap();

    fn lengths(player: &Player) -> Vec<(i64, i64)> {
        player.notes().map(|note| (note.onset.0, note.duration.0)).collect()
    }

    #[test]
    fn sustain_pedal_extends_released_notes() {
        let mut player = Player::default();
        player.pedal(2, true, MusicalTime(0.0));
        player.strike(KEY, 90, Role::Keys, MusicalTime(1.0));
        player.let_go(KEY, MusicalTime(5.0));
        assert_eq!(lengths(&player), [(1, i64::MAX)]);
        player.pedal(3, false, MusicalTime(8.0));
        player.pedal(2, false, MusicalTime(9.0));
        assert_eq!(lengths(&player), [(1, 8)]);
    }

    #[test]
    fn flood_of_notes_is_recorded_up_to_the_maximum_of_each_quarter() {
        let mut player = Player::default();
        let mut left_out = 0;
        // A key down and up 333 times a tick, for two quarters.
        for index in 0..16_000 {
            let at = MusicalTime(f64::from(index) * 48.0 / 16_000.0);
            let key = MidiKey::new(0, u8::try_from(index % 128).unwrap()).unwrap();
            left_out += usize::from(player.strike(key, 90, Role::Keys, at) == Strike::LeftOut);
            player.let_go(key, at);
        }
        // The last half tick belongs to the third quarter.
        assert_eq!((player.notes().count(), left_out), (3 * MOST_PER_QUARTER, 16_000 - 3 * MOST_PER_QUARTER));
        assert_eq!(player.strike(KEY, 90, Role::Keys, MusicalTime(96.0)), Strike::Taken);
        assert!(player.holds(KEY));
    }

    #[test]
    fn ending_is_silent_after_the_last_release() {
        let mut player = Player::default();
        assert_eq!(player.ending(), None);
        player.strike(KEY, 90, Role::Keys, MusicalTime(1.0));
        assert_eq!(player.ending(), Some(Ending { onset: Tick(1), silent_since: None }));
        player.let_go(KEY, MusicalTime(5.0));
        assert_eq!(player.ending(), Some(Ending { onset: Tick(1), silent_since: Some(Tick(5)) }));
    }

    #[test]
    fn silence_begins_when_the_last_key_goes_up_whatever_the_pedal_holds() {
        let (mut player, other) = (Player::default(), MidiKey::new(2, 64).unwrap());
        player.pedal(2, true, MusicalTime(0.0));
        player.strike(KEY, 90, Role::Keys, MusicalTime(1.0));
        player.strike(other, 90, Role::Keys, MusicalTime(1.0));
        player.let_go(KEY, MusicalTime(5.0));
        assert_eq!(player.silent_since(), None, "a key is down");
        player.let_go(other, MusicalTime(6.5));
        player.let_go(other, MusicalTime(7.0));
        player.pedal(2, false, MusicalTime(9.0));
        assert_eq!(player.silent_since(), Some(MusicalTime(6.5)));
        assert!(player.is_silent_since(Tick(7)) && !player.is_silent_since(Tick(6)) && Player::default().is_silent_since(Tick(0)));
        player.strike(KEY, 90, Role::Keys, MusicalTime(10.0));
        assert_eq!(player.silent_since(), None);
        assert!(!player.is_silent_since(Tick(100)));
        player.release(MusicalTime(11.0));
        assert_eq!(player.silent_since(), Some(MusicalTime(11.0)));
    }

    #[test]
    fn key_struck_again_ends_its_note_and_starts_another() {
        let mut player = Player::default();
        player.strike(KEY, 90, Role::Keys, MusicalTime(1.0));
        player.strike(KEY, 90, Role::Keys, MusicalTime(4.0));
        player.release(MusicalTime(4.1));
        assert_eq!(lengths(&player), [(1, 3), (4, 1)]);
        player.forget_before(Tick(2));
        assert_eq!(lengths(&player), [(4, 1)]);
    }
}
