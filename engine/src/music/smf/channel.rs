//! Note-ons and note-offs of one channel of one track, paired into notes; the sustain pedal folded in.

use std::collections::VecDeque;

use super::report::{ImportReport, Place};

/// A note in the file's own ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawNote {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) key: u8,
    pub(super) velocity: u8,
}

/// A key that went down.
#[derive(Debug, Clone, Copy)]
struct Struck {
    place: Place,
    velocity: u8,
}

/// What sounds on one key.
#[derive(Debug, Clone, Default)]
struct Key {
    /// Keys down, oldest first. The same key may be struck again before its note-off: the first note-off ends the first of them.
    held: VecDeque<Struck>,
    /// Keys up, but the pedal lets them sound.
    sustained: Vec<Struck>,
}

/// The state of a channel while its track is read.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) programme: Option<u8>,
    pub(super) notes: Vec<RawNote>,
    pedal: bool,
    /// One per MIDI key; empty until the first note.
    keys: Vec<Key>,
}

impl Channel {
    /// A key goes down. What the pedal held of the same key ends: a string is struck anew, not twice.
    pub(super) fn note_on(&mut self, key: u8, velocity: u8, place: Place) {
        if self.keys.is_empty() {
            self.keys.resize_with(128, Key::default);
        }
        self.end_sustained(key, place.file_tick);
        self.keys[usize::from(key)].held.push_back(Struck { place, velocity });
    }

    /// A key goes up.
    pub(super) fn note_off(&mut self, key: u8, place: Place, report: &mut ImportReport) {
        let Some((state, struck)) =
            self.keys.get_mut(usize::from(key)).and_then(|state| state.held.pop_front().map(|struck| (state, struck)))
        else {
            report.stray_note_offs.add(place);
            return;
        };
        if self.pedal {
            report.pedalled += 1;
            state.sustained.push(struck);
        } else {
            self.finish(key, struck, place.file_tick);
        }
    }

    /// A controller moves: sustain pedal (64), all sound off (120), reset (121), all notes off (123). Others do not concern notes.
    pub(super) fn controller(&mut self, number: u8, value: u8, place: Place, report: &mut ImportReport) {
        match number {
            64 if value >= 64 => self.pedal = true,
            64 | 121 => self.release_pedal(place.file_tick),
            120 => {
                self.release_keys(place, report);
                self.release_pedal(place.file_tick);
            }
            123 => self.release_keys(place, report),
            _ => {}
        }
    }

    /// The track ends, and with it what still sounds.
    pub(super) fn finish_all(&mut self, file_tick: u64, report: &mut ImportReport) {
        for key in 0..u8::try_from(self.keys.len()).unwrap_or(128) {
            self.end_sustained(key, file_tick);
            while let Some(struck) = self.keys[usize::from(key)].held.pop_front() {
                report.unclosed.add(struck.place);
                self.finish(key, struck, file_tick);
            }
        }
    }

    fn release_pedal(&mut self, file_tick: u64) {
        // A pedal that is up has nothing to release: files repeat controllers by the thousand.
        if !std::mem::take(&mut self.pedal) {
            return;
        }
        for key in 0..u8::try_from(self.keys.len()).unwrap_or(128) {
            self.end_sustained(key, file_tick);
        }
    }

    fn release_keys(&mut self, place: Place, report: &mut ImportReport) {
        for key in 0..u8::try_from(self.keys.len()).unwrap_or(128) {
            while !self.keys[usize::from(key)].held.is_empty() {
                self.note_off(key, place, report);
            }
        }
    }

    fn end_sustained(&mut self, key: u8, file_tick: u64) {
        for struck in std::mem::take(&mut self.keys[usize::from(key)].sustained) {
            self.finish(key, struck, file_tick);
        }
    }

    fn finish(&mut self, key: u8, struck: Struck, end: u64) {
        self.notes.push(RawNote { start: struck.place.file_tick, end, key, velocity: struck.velocity });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(file_tick: u64) -> Place {
        Place { byte: 0, file_tick }
    }

    /// Plays (tick, what, number, value) and returns (start, end, key) of the notes, with the report.
    fn play(events: &[(u64, char, u8, u8)], end: u64) -> (Vec<(u64, u64, u8)>, ImportReport) {
        let (mut channel, mut report) = (Channel::default(), ImportReport::default());
        for &(tick, what, number, value) in events {
            match what {
                '+' => channel.note_on(number, value, at(tick)),
                '-' => channel.note_off(number, at(tick), &mut report),
                _ => channel.controller(number, value, at(tick), &mut report),
            }
        }
        channel.finish_all(end, &mut report);
        let mut notes: Vec<_> = channel.notes.iter().map(|note| (note.start, note.end, note.key)).collect();
        notes.sort_unstable();
        (notes, report)
    }

    #[test]
    fn the_first_note_off_ends_the_first_of_overlapping_notes() {
        let (notes, report) = play(&[(0, '+', 60, 80), (10, '+', 60, 80), (20, '-', 60, 0), (30, '-', 60, 0), (40, '-', 60, 0)], 50);
        assert_eq!(notes, [(0, 20, 60), (10, 30, 60)]);
        assert_eq!(report.stray_note_offs.first, Some(at(40)));
    }

    #[test]
    fn the_pedal_holds_until_it_is_up_or_the_key_is_struck_again() {
        let pressed = [(0, 'c', 64, 64), (0, '+', 60, 80), (0, '+', 64, 80), (5, '-', 60, 0), (6, '-', 64, 0), (10, '+', 60, 80)];
        let released = [(12, '-', 60, 0), (20, 'c', 64, 63), (30, '+', 62, 80), (31, '-', 62, 0)];
        let (notes, report) = play(&[&pressed[..], &released[..]].concat(), 50);
        assert_eq!(notes, [(0, 10, 60), (0, 20, 64), (10, 20, 60), (30, 31, 62)]);
        assert_eq!(report.pedalled, 3);
    }

    #[test]
    fn a_key_that_is_down_when_the_pedal_goes_up_sounds_on() {
        let (notes, _) = play(&[(0, 'c', 64, 127), (1, '+', 60, 80), (5, 'c', 64, 0), (9, '-', 60, 0)], 50);
        assert_eq!(notes, [(1, 9, 60)]);
    }

    #[test]
    fn what_still_sounds_ends_with_the_track() {
        let (notes, report) = play(&[(0, '+', 60, 80), (3, '+', 61, 80), (4, 'c', 64, 127), (5, '-', 61, 0)], 50);
        assert_eq!(notes, [(0, 50, 60), (3, 50, 61)]);
        assert_eq!((report.unclosed.count, report.unclosed.first), (1, Some(at(0))));
    }

    #[test]
    fn all_notes_off_and_all_sound_off_release_every_key() {
        let (notes, _) = play(&[(0, '+', 60, 80), (0, '+', 61, 80), (7, 'c', 123, 0)], 50);
        assert_eq!(notes, [(0, 7, 60), (0, 7, 61)]);
        let (notes, _) = play(&[(0, 'c', 64, 127), (0, '+', 60, 80), (7, 'c', 120, 0)], 50);
        assert_eq!(notes, [(0, 7, 60)]);
    }

    #[test]
    fn every_key_may_be_held_many_times() {
        let events: Vec<_> = (0..128u8).flat_map(|key| [(u64::from(key), '+', key, 80), (200 + u64::from(key), '+', key, 80)]).collect();
        let (notes, report) = play(&events, 500);
        assert_eq!((notes.len(), report.unclosed.count), (256, 256));
        assert!(notes.iter().all(|&(_, end, _)| end == 500));
    }
}
