//! Pickups that a file does not name: music that begins before its first full bar, in a file whose bars count from its first tick.

use super::{Clip, MetreMap, Note, Role, Tick};

/// Fewest bars of a piece whose notes can show where its bar lines are.
const FEWEST_BARS: i64 = 4;

/// How much heavier the bar lines behind a pickup must be than those that the file draws.
const HEAVIER: i64 = 2;

/// The lowest notes, by rank of pitch, are the bass: one in this many.
const BASS_SHARE: usize = 3;

/// The length of the pickup that the notes show; `None` if the file's bars fit, or if it cannot be determined.
///
/// A pickup is a number of beats. Behind it start, bar after bar, at least twice as much sound and twice as much bass as on the bar lines that the file draws, more
/// than on any other beat; and no bass sounds before the first of them. Drums do not count. A file that changes its metre draws its bar lines on purpose, and is
/// believed.
#[must_use]
pub fn shown(clip: &Clip) -> Option<Tick> {
    let [(_, metre)] = *clip.metres.changes() else { return None };
    let bar = metre.bar_length();
    let beats = i64::from(metre.numerator());
    let beat = Tick(bar.0 / beats);
    let notes: Vec<Note> = clip.notes().into_iter().filter(|note| note.role != Role::Drums).collect();
    if beats < 2 || clip.last_onset()?.0 < FEWEST_BARS * bar.0 {
        return None;
    }
    let mut pitches: Vec<u8> = notes.iter().map(|note| note.pitch).collect();
    pitches.sort_unstable();
    let lowest = *pitches.get(pitches.len() / BASS_SHARE)?;
    let bass: Vec<Note> = notes.iter().filter(|note| note.pitch <= lowest).copied().collect();
    let (all, low) = (weights(&notes, bar, beat), weights(&bass, bar, beat));
    let heaviest = (0..all.len()).max_by_key(|&index| (all[index], std::cmp::Reverse(index)))?;
    let is_bar_line = low.iter().enumerate().all(|(index, weight)| index == heaviest || *weight < low[heaviest])
        && all[heaviest] >= HEAVIER * all[0]
        && low[heaviest] >= HEAVIER * low[0];
    let length = Tick(beat.0 * i64::try_from(heaviest).ok()?);
    let begins_before = clip.first_onset()? < length && bass.iter().all(|note| note.onset >= length);
    (heaviest > 0 && is_bar_line && begins_before).then_some(length)
}

/// How much sound starts on each beat of the bar, in ticks; of a note at most a bar.
fn weights(notes: &[Note], bar: Tick, beat: Tick) -> Vec<i64> {
    let mut weights = vec![0; usize::try_from(bar.0 / beat.0).unwrap_or(1)];
    for note in notes {
        let place = note.onset.0.rem_euclid(bar.0);
        if place % beat.0 == 0
            && let Some(weight) = usize::try_from(place / beat.0).ok().and_then(|index| weights.get_mut(index))
        {
            *weight += note.duration.min(bar).0;
        }
    }
    weights
}

/// The same bar lines with a pickup before the first: its bar ends after `length`, and full bars follow. Later changes of metre stay where they are.
#[must_use]
pub fn metres_with(metres: &MetreMap, length: Tick) -> MetreMap {
    let first = metres.at(Tick::ZERO);
    let later = metres.changes().iter().filter(|(tick, _)| *tick > length).copied();
    MetreMap::new([(Tick::ZERO, first), (length, first)].into_iter().chain(later))
}

#[cfg(test)]
mod tests {
    use super::super::{Metre, Part};
    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role: Role::Keys }
    }

    /// A tune in quarters from tick 0 on, and chords of a bar from `first` on.
    fn song(first: i64, bar: i64) -> Clip {
        let tune = (0..40).map(|beat| note(24 * beat, 22, 72 + u8::try_from(beat % 5).unwrap())).collect();
        let chords = (0..8).flat_map(|n| [48, 52, 55].map(|pitch| note(first + bar * n, bar - 4, pitch))).collect();
        let part = |notes| Part { notes, ..Part::default() };
        Clip { parts: vec![part(tune), part(chords)], end: Tick(960), ..Clip::default() }
    }

    #[test]
    fn pickup_is_shown_where_bass_and_chords_begin_their_bars_later() {
        assert_eq!(shown(&song(24, 96)), Some(Tick(24)));
        assert_eq!(shown(&song(72, 96)), Some(Tick(72)));
        assert_eq!(shown(&song(0, 96)), None);
        let metres = MetreMap::new([(Tick::ZERO, Metre::new(6, 8).unwrap())]);
        assert_eq!(shown(&Clip { metres, ..song(12, 72) }), Some(Tick(12)), "beats of 6/8 are eighths");
    }

    #[test]
    fn pickup_is_not_shown_by_off_beats_drums_or_where_the_metre_changes() {
        let mut clip = song(24, 96);
        let bass = (0..10).map(|n| note(96 * n, 40, 36)).collect();
        clip.parts.push(Part { notes: bass, ..Part::default() });
        assert_eq!(shown(&clip), None);
        let mut drums = song(24, 96);
        drums.parts.iter_mut().flat_map(|part| &mut part.notes).for_each(|note| note.role = Role::Drums);
        assert_eq!(shown(&drums), None, "drums have no bass");
        let metres = MetreMap::new([(Tick(96), Metre::new(3, 4).unwrap())]);
        assert_eq!(shown(&Clip { metres, ..song(24, 96) }), None, "a file that draws bar lines of its own is believed");
    }

    #[test]
    fn bars_behind_a_pickup_are_whole() {
        let metres = metres_with(&MetreMap::new([(Tick(216), Metre::new(3, 4).unwrap())]), Tick(24));
        let lines: Vec<i64> = metres.bars(Tick(300)).map(|bar| bar.start.0).collect();
        assert_eq!(lines, [0, 24, 120, 216, 288]);
    }
}
