//! Note-ons and note-offs of one channel of one track, paired into notes, and lengthened by the sustain pedal.

use std::collections::VecDeque;

use super::report::{ImportReport, Place};

/// A note in the file's own ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawNote {
    /// Place of its note-on.
    pub(super) start: u64,
    /// Where the key goes up.
    pub(super) released: u64,
    /// Where it is silent: later than `released` where the pedal holds it.
    pub(super) end: u64,
    /// MIDI key.
    pub(super) key: u8,
    /// Velocity of the note-on, at least 1.
    pub(super) velocity: u8,
    /// Channel of the note-on, 0 to 15.
    pub(super) channel: u8,
    /// Its note-on, counted in the events of the track.
    pub(super) on: usize,
    /// Its note-off, counted likewise; `None` where it has none of its own.
    pub(super) off: Option<usize>,
}

/// Something that happens to notes.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// The event's number in its track.
    event: usize,
    place: Place,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    On {
        key: u8,
        velocity: u8,
    },
    Off {
        key: u8,
    },
    /// All keys go up.
    ReleaseKeys,
    PedalDown,
    PedalUp,
}

/// Notes and settings read of one channel in one track.
#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    /// Channel number, 0 to 15.
    pub(super) number: u8,
    /// Pitch bends on it.
    pub(super) bends: usize,
    /// The programs that it is set to.
    pub(super) programs: Vec<u8>,
    steps: Vec<Step>,
    pedal: bool,
    notes: usize,
}

impl Channel {
    pub(super) fn new(number: u8) -> Self {
        Self { number, ..Self::default() }
    }

    /// Whether a key goes down on it.
    pub(super) fn has_notes(&self) -> bool {
        self.notes > 0
    }

    /// A key goes down.
    pub(super) fn note_on(&mut self, key: u8, velocity: u8, event: usize, place: Place) {
        self.notes += 1;
        self.steps.push(Step { event, place, what: What::On { key, velocity } });
    }

    /// A key goes up.
    pub(super) fn note_off(&mut self, key: u8, event: usize, place: Place) {
        self.steps.push(Step { event, place, what: What::Off { key } });
    }

    /// A controller moves: sustain pedal (64), all sound off (120), reset (121), all notes off (123). Others do not concern notes.
    pub(super) fn controller(&mut self, number: u8, value: u8, event: usize, place: Place) {
        let mut step = |what| self.steps.push(Step { event, place, what });
        if matches!(number, 120 | 123) {
            step(What::ReleaseKeys);
        }
        match number {
            64 if value >= 64 && !self.pedal => {
                step(What::PedalDown);
                self.pedal = true;
            }
            // A pedal that is up has nothing to release: files repeat controllers by the thousand.
            64 | 120 | 121 if (number != 64 || value < 64) && self.pedal => {
                step(What::PedalUp);
                self.pedal = false;
            }
            _ => {}
        }
    }

    /// The channel's notes, in the order of their note-ons. What still sounds ends with the track, at `end`.
    pub(super) fn finish(self, end: u64, report: &mut ImportReport) -> Vec<RawNote> {
        let mut by_key: Vec<Vec<usize>> = vec![Vec::new(); 128];
        for (index, step) in self.steps.iter().enumerate() {
            match step.what {
                What::On { key, .. } | What::Off { key } => by_key[usize::from(key)].push(index),
                What::ReleaseKeys => by_key.iter_mut().filter(|steps| !steps.is_empty()).for_each(|steps| steps.push(index)),
                What::PedalDown | What::PedalUp => {}
            }
        }
        let pedals: Vec<(usize, bool)> =
            self.steps.iter().enumerate().filter_map(|(index, step)| step.what.pedal().map(|down| (index, down))).collect();
        let mut notes = Vec::with_capacity(self.notes);
        for steps in &by_key {
            for stretch in steps.split_inclusive(|&index| self.steps[index].what == What::ReleaseKeys) {
                notes.extend(self.pair(stretch, report).into_iter().map(|pair| self.note(pair, steps, &pedals, end, report)));
            }
        }
        notes.sort_by_key(|note| note.on);
        notes
    }

    /// Pairs the steps of one key up to the release of all keys, if there is one.
    ///
    /// The same key may be struck again before its note-off: the first note-off ends the first of the notes. Where note-offs are missing, the notes without
    /// one are those after which the key never again comes to rest, so one that is lost leaves all later notes as they are.
    fn pair(&self, stretch: &[usize], report: &mut ImportReport) -> Vec<Pair> {
        let mut open: Vec<usize> = Vec::new();
        for &index in stretch {
            match self.steps[index].what {
                What::On { .. } => open.push(index),
                What::Off { .. } if open.pop().is_none() => report.stray_note_offs.add(self.steps[index].place),
                _ => {}
            }
        }
        let lost = open;
        let release = stretch.last().copied().filter(|&index| self.steps[index].what == What::ReleaseKeys);
        let mut held: VecDeque<Pair> = VecDeque::new();
        let mut pairs = Vec::new();
        for (place, &index) in stretch.iter().enumerate() {
            match self.steps[index].what {
                What::On { key, velocity } if lost.binary_search(&index).is_ok() => {
                    let again = stretch[place + 1..].iter().copied().find(|&later| self.steps[later].what.is_on());
                    pairs.push(Pair { on: index, key, velocity, up: again.or(release) });
                    if again.is_some() || release.is_none() {
                        report.unclosed.add(self.steps[index].place);
                    }
                }
                What::On { key, velocity } => held.push_back(Pair { on: index, key, velocity, up: None }),
                What::Off { .. } => pairs.extend(held.pop_front().map(|pair| Pair { up: Some(index), ..pair })),
                _ => {}
            }
        }
        pairs
    }

    /// The note of a pair, held by the pedal until that goes up or the key is struck again: a string is struck again, not twice.
    fn note(&self, pair: Pair, of_key: &[usize], pedals: &[(usize, bool)], end: u64, report: &mut ImportReport) -> RawNote {
        let (on, Pair { key, velocity, .. }) = (self.steps[pair.on], pair);
        let released = pair.up.map_or(end, |up| self.steps[up].place.file_tick);
        let off = pair.up.filter(|&up| matches!(self.steps[up].what, What::Off { .. })).map(|up| self.steps[up].event);
        let start = on.place.file_tick;
        let mut note = RawNote { start, released, end: released, key, velocity, channel: self.number, on: on.event, off };
        let Some(up) = pair.up.filter(|&up| !self.steps[up].what.is_on()) else { return note };
        let next_pedal = pedals.partition_point(|&(index, _)| index < up);
        if next_pedal == 0 || !pedals[next_pedal - 1].1 {
            return note;
        }
        report.pedalled += 1;
        let strike = of_key[of_key.partition_point(|&index| index <= up)..].iter().find(|&&index| self.steps[index].what.is_on());
        let stops = strike.copied().into_iter().chain(pedals.get(next_pedal).map(|&(index, _)| index));
        // A pedal that is left down when the track ends holds nothing: it would make every note as long as the rest of the track.
        note.end = stops.min().map_or(note.end, |index| self.steps[index].place.file_tick);
        note
    }
}

impl What {
    fn is_on(self) -> bool {
        matches!(self, Self::On { .. })
    }

    /// Whether the pedal goes down or up; `None` for everything else.
    fn pedal(self) -> Option<bool> {
        match self {
            Self::PedalDown => Some(true),
            Self::PedalUp => Some(false),
            _ => None,
        }
    }
}

/// Events of a note: its note-on, and the event that releases the key, if there is one before the end of the track.
#[derive(Debug, Clone, Copy)]
struct Pair {
    on: usize,
    key: u8,
    velocity: u8,
    up: Option<usize>,
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
        for (event, &(tick, what, number, value)) in events.iter().enumerate() {
            match what {
                '+' => channel.note_on(number, value, event, at(tick)),
                '-' => channel.note_off(number, event, at(tick)),
                _ => channel.controller(number, value, event, at(tick)),
            }
        }
        let mut notes: Vec<_> = channel.finish(end, &mut report).iter().map(|note| (note.start, note.end, note.key)).collect();
        notes.sort_unstable();
        (notes, report)
    }

    #[test]
    fn first_note_off_ends_the_first_of_overlapping_notes() {
        let (notes, report) = play(&[(0, '+', 60, 80), (10, '+', 60, 80), (20, '-', 60, 0), (30, '-', 60, 0), (40, '-', 60, 0)], 50);
        assert_eq!(notes, [(0, 20, 60), (10, 30, 60)]);
        assert_eq!(report.stray_note_offs.first, Some(at(40)));
    }

    #[test]
    fn lost_note_off_spoils_no_other_note_of_its_key() {
        let beats = (1..5).flat_map(|beat| [(10 * beat, '+', 60, 80), (10 * beat + 5, '-', 60, 0)]);
        let events: Vec<_> = [(0, '+', 60, 80)].into_iter().chain(beats).collect();
        let (notes, report) = play(&events, 100);
        assert_eq!(notes, [(0, 10, 60), (10, 15, 60), (20, 25, 60), (30, 35, 60), (40, 45, 60)]);
        assert_eq!((report.unclosed.count, report.unclosed.first), (1, Some(at(0))));
        // Lost in the middle, and before all keys are released.
        let (notes, _) = play(&[&events[1..3], &events[3..4], &events[5..], &[(90, 'c', 123, 0)]].concat(), 100);
        assert_eq!(notes, [(10, 15, 60), (20, 30, 60), (30, 35, 60), (40, 45, 60)]);
    }

    #[test]
    fn pedal_holds_until_it_is_up_or_the_key_is_struck_again() {
        let pressed = [(0, 'c', 64, 64), (0, '+', 60, 80), (0, '+', 64, 80), (5, '-', 60, 0), (6, '-', 64, 0), (10, '+', 60, 80)];
        let released = [(12, '-', 60, 0), (20, 'c', 64, 63), (30, '+', 62, 80), (31, '-', 62, 0)];
        let (notes, report) = play(&[&pressed[..], &released[..]].concat(), 50);
        assert_eq!(notes, [(0, 10, 60), (0, 20, 64), (10, 20, 60), (30, 31, 62)]);
        assert_eq!(report.pedalled, 3);
    }

    #[test]
    fn pedalled_note_keeps_the_time_of_its_own_release() {
        let mut channel = Channel::new(3);
        channel.controller(64, 127, 0, at(0));
        channel.note_on(60, 80, 1, at(0));
        channel.note_off(60, 2, at(5));
        channel.controller(64, 0, 3, at(20));
        let expected = RawNote { start: 0, released: 5, end: 20, key: 60, velocity: 80, channel: 3, on: 1, off: Some(2) };
        assert_eq!(channel.finish(50, &mut ImportReport::default()), [expected]);
    }

    #[test]
    fn key_that_is_down_when_the_pedal_goes_up_sounds_on() {
        let (notes, _) = play(&[(0, 'c', 64, 127), (1, '+', 60, 80), (5, 'c', 64, 0), (9, '-', 60, 0)], 50);
        assert_eq!(notes, [(1, 9, 60)]);
    }

    #[test]
    fn note_that_still_sounds_ends_with_the_track() {
        let (notes, report) = play(&[(0, '+', 60, 80), (3, '+', 61, 80), (4, 'c', 64, 127), (5, '-', 61, 0)], 50);
        assert_eq!(notes, [(0, 50, 60), (3, 5, 61)], "a pedal left down holds nothing");
        assert_eq!((report.unclosed.count, report.unclosed.first), (1, Some(at(0))));
    }

    #[test]
    fn all_notes_off_and_all_sound_off_release_every_key() {
        let (notes, report) = play(&[(0, '+', 60, 80), (0, '+', 61, 80), (7, 'c', 123, 0)], 50);
        assert_eq!((notes, report.unclosed.count), (vec![(0, 7, 60), (0, 7, 61)], 0));
        let (notes, _) = play(&[(0, 'c', 64, 127), (0, '+', 60, 80), (7, 'c', 120, 0)], 50);
        assert_eq!(notes, [(0, 7, 60)]);
        let (notes, _) = play(&[(0, 'c', 64, 127), (0, '+', 60, 80), (7, 'c', 123, 0), (9, 'c', 121, 0)], 50);
        assert_eq!(notes, [(0, 9, 60)], "the pedal still holds what all notes off lets go");
    }

    #[test]
    fn keys_held_many_times_are_released_one_by_one() {
        let strikes = (0..128u8).flat_map(|key| [(u64::from(key), '+', key, 80), (200 + u64::from(key), '+', key, 80)]);
        let releases = (0..128u8).flat_map(|key| [(400, '-', key, 0), (500, '-', key, 0)]);
        let (notes, report) = play(&strikes.chain(releases).collect::<Vec<_>>(), 600);
        assert_eq!((notes.len(), report.unclosed.count), (256, 0));
        assert!(notes.iter().all(|&(start, end, _)| end == if start < 200 { 400 } else { 500 }));
    }
}
