//! Swing of a player: where in the beat the off-beats are played, and how far a planned note is from there.
//!
//! Times are in eighths of a tick from the start of a quarter, which is counted from its bar line.

use std::collections::{BTreeMap, BTreeSet};

use crate::music::{Note, OFFSETS_PER_TICK, TICKS_PER_QUARTER, Tick};

/// A quarter.
const BEAT: i64 = TICKS_PER_QUARTER * OFFSETS_PER_TICK;
/// Within this of a beat a note is on it: a swung sixteenth is nearer to the next beat than a straight one.
const ON_BEAT: i64 = 4 * OFFSETS_PER_TICK;
/// Largest distance of notes that are struck together.
const TOGETHER: i64 = 2 * OFFSETS_PER_TICK;
/// Range of the off-beat of eighths, from straight less a little to dotted.
const EIGHTH: std::ops::RangeInclusive<i64> = 10 * OFFSETS_PER_TICK..=18 * OFFSETS_PER_TICK;
/// Distance from a note of an eighth triplet within which a note is one.
const TRIPLET: i64 = OFFSETS_PER_TICK;
/// Fewest beats that show where an off-beat is.
const LEAST: usize = 8;
/// Largest distance between the quartiles of an off-beat: a player whose notes are farther apart has no swing of his own.
const SPREAD: i64 = 3 * OFFSETS_PER_TICK;

/// Off-beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OffBeat {
    /// The second of four sixteenths.
    Second,
    /// The second of two eighths.
    Eighth,
    /// The fourth of four sixteenths.
    Fourth,
}

/// Where a player's off-beats are; nothing of those that were played too rarely, or all over the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swing {
    second: Option<i64>,
    eighth: Option<i64>,
    fourth: Option<i64>,
}

/// A planned note on an off-beat, in eighths of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swung {
    /// From the planned off-beat to the player's.
    pub shift: i64,
    /// From the planned off-beat to the note: notes of a chord are not struck at the same time.
    pub spread: i64,
}

impl Swing {
    /// Measures the player's notes, each with its bar line: medians over the beats that have one off-beat of eighths or three of sixteenths.
    #[must_use]
    pub fn measure<'a>(notes: impl IntoIterator<Item = (Tick, &'a Note)>) -> Self {
        let mut beats: BTreeMap<(Tick, i64), Vec<i64>> = BTreeMap::new();
        for (line, note) in notes {
            let start = start_of(note, line);
            beats.entry((line, start.div_euclid(BEAT))).or_default().push(start.rem_euclid(BEAT));
        }
        let mut places: BTreeMap<OffBeat, Vec<i64>> = BTreeMap::new();
        for starts in beats.into_values() {
            match off_beats(starts)[..] {
                [only] if EIGHTH.contains(&only) => places.entry(OffBeat::Eighth).or_default().push(only),
                [second, _, fourth] => {
                    places.entry(OffBeat::Second).or_default().push(second);
                    places.entry(OffBeat::Fourth).or_default().push(fourth);
                }
                _ => {}
            }
        }
        let place = |off_beat| places.get(&off_beat).and_then(|places| median(places.clone()));
        Self { second: place(OffBeat::Second), eighth: place(OffBeat::Eighth), fourth: place(OffBeat::Fourth) }
    }

    /// How far a note, planned in a bar that begins at `line`, is from the player's off-beat; `together` are the notes of its plan, itself among them. `None` on
    /// a beat, in a triplet, and where the player has shown no off-beat.
    #[must_use]
    pub fn of(self, note: &Note, line: Tick, together: &[Note]) -> Option<Swung> {
        let start = start_of(note, line);
        let beat = start.div_euclid(BEAT);
        let first = together.partition_point(|other| other.onset < note.onset - Tick(TICKS_PER_QUARTER));
        let near = together[first..].iter().take_while(|other| other.onset <= note.onset + Tick(TICKS_PER_QUARTER));
        let same =
            near.filter(|other| other.role == note.role).map(|other| start_of(other, line)).filter(|start| start.div_euclid(BEAT) == beat);
        let places = off_beats(same.map(|start| start.rem_euclid(BEAT)).collect());
        let start = start.rem_euclid(BEAT);
        let (index, place) = places.iter().copied().enumerate().find(|(_, place)| (place - start).abs() <= TOGETHER)?;
        let player = match kind(&places, index)? {
            OffBeat::Second => self.second,
            OffBeat::Eighth => self.eighth,
            OffBeat::Fourth => self.fourth,
        };
        player.map(|player| Swung { shift: player - place, spread: start - place })
    }
}

/// Which off-beat number `index` of a beat's off-beats is.
fn kind(places: &[i64], index: usize) -> Option<OffBeat> {
    let is_triplet = |place: &i64| [BEAT / 3, 2 * BEAT / 3].iter().any(|triplet| (triplet - place).abs() <= TRIPLET);
    match places.len() {
        3 => [Some(OffBeat::Second), None, Some(OffBeat::Fourth)][index],
        2 if places.iter().all(is_triplet) => None,
        1 | 2 if EIGHTH.contains(&places[index]) => Some(OffBeat::Eighth),
        1 | 2 if places[index] < *EIGHTH.start() => Some(OffBeat::Second),
        1 | 2 => Some(OffBeat::Fourth),
        _ => None,
    }
}

fn start_of(note: &Note, line: Tick) -> i64 {
    (note.onset - line).0 * OFFSETS_PER_TICK + i64::from(note.offset)
}

/// Mean times of the strokes of a beat that are not on a beat.
fn off_beats(starts: Vec<i64>) -> Vec<i64> {
    let inner: BTreeSet<i64> = starts.into_iter().filter(|start| (ON_BEAT..=BEAT - ON_BEAT).contains(start)).collect();
    let mut strokes: Vec<Vec<i64>> = Vec::new();
    for start in inner {
        match strokes.last_mut().filter(|stroke| start - stroke[0] <= TOGETHER) {
            Some(stroke) => stroke.push(start),
            None => strokes.push(vec![start]),
        }
    }
    let mean = |stroke: Vec<i64>| stroke.iter().sum::<i64>() / i64::try_from(stroke.len()).unwrap_or(1);
    strokes.into_iter().map(mean).collect()
}

/// Median of enough places that are close to each other.
fn median(mut places: Vec<i64>) -> Option<i64> {
    places.sort_unstable();
    let quarter = places.len() / 4;
    let is_steady = places.len() >= LEAST && places[places.len() - 1 - quarter] - places[quarter] <= SPREAD;
    is_steady.then(|| places[places.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    const LINE: Tick = Tick(96);

    /// A note so many eighths of a tick after the bar line.
    fn note(start: i64) -> Note {
        let onset = (start + 4).div_euclid(8);
        let offset = i8::try_from(start - onset * 8).unwrap();
        Note { onset: LINE + Tick(onset), offset, duration: Tick(5), pitch: 60, velocity: 80, role: Role::Keys }
    }

    /// Beats with strokes at these eighths of a tick.
    fn beats(count: i64, strokes: impl Fn(i64) -> Vec<i64>) -> Vec<Note> {
        (0..count).flat_map(|beat| strokes(beat).into_iter().map(move |start| note(beat * BEAT + start))).collect()
    }

    fn measured(notes: &[Note]) -> Swing {
        Swing::measure(notes.iter().map(|note| (LINE, note)))
    }

    #[test]
    fn swung_eighths_are_measured_by_their_median() {
        let swung = beats(9, |beat| vec![0, if beat == 4 { 90 } else { 120 + beat % 3 }]);
        assert_eq!(measured(&swung), Swing { eighth: Some(121), ..Swing::default() });
    }

    #[test]
    fn few_or_scattered_off_beats_are_no_swing() {
        assert_eq!(measured(&beats(7, |_| vec![0, 120])), Swing::default());
        assert_eq!(measured(&beats(12, |beat| vec![0, 84 + 5 * beat])), Swing::default());
        assert_eq!(measured(&beats(12, |_| vec![0, 64, 128])), Swing::default(), "triplets are no off-beats");
    }

    #[test]
    fn swung_sixteenths_are_measured_at_both_places() {
        let swung = beats(8, |_| vec![2, 60, 97, 155]);
        assert_eq!(measured(&swung), Swing { second: Some(60), fourth: Some(155), eighth: None });
    }

    #[test]
    fn planned_off_beat_goes_to_the_players_whether_it_was_swung_or_not() {
        let swing = Swing { eighth: Some(124), ..Swing::default() };
        for planned in [92, 96, 128, 136] {
            let plan = [note(0), note(planned), note(BEAT)];
            assert_eq!(swing.of(&plan[1], LINE, &plan), Some(Swung { shift: 124 - planned, spread: 0 }), "at {planned}");
            assert_eq!([0, 2].map(|beat| swing.of(&plan[beat], LINE, &plan)), [None; 2], "beats stay");
        }
    }

    #[test]
    fn planned_triplets_and_unknown_off_beats_stay() {
        let swing = Swing { eighth: Some(124), ..Swing::default() };
        let triplet = [note(0), note(64), note(128)];
        assert_eq!(swing.of(&triplet[2], LINE, &triplet), None);
        let sixteenth = [note(48)];
        assert_eq!(swing.of(&sixteenth[0], LINE, &sixteenth), None);
    }

    #[test]
    fn planned_chord_on_an_off_beat_keeps_its_spread() {
        let swing = Swing { eighth: Some(120), ..Swing::default() };
        let chord = [note(94), note(98)];
        let swung = chord.map(|note| swing.of(&note, LINE, &chord));
        assert_eq!(swung, [-2, 2].map(|spread| Some(Swung { shift: 24, spread })));
    }
}
