//! What a continuation takes over from the clip it continues: its first bar line, its parts.

use super::recent::recent_from;
use super::{Clip, Note, Part, Tick, distribute};

/// The bar line on which a continuation starts: the first at or after the end of the last note. `None` if there is no note.
///
/// Where a note is still held, the clip's own end counts.
#[must_use]
pub fn start(context: &Clip) -> Option<Tick> {
    let sounding = context.last_sounding()?;
    let last = if sounding == Tick::MAX { context.end.max(context.last_onset()? + Tick(1)) } else { sounding };
    Some(context.metres.bar_line_from(last))
}

/// The clip of `bars` bars that continues `context` from `start` on with `notes`, whose tick 0 is `start`.
///
/// Bar lines, tempi and parts are the context's. A note goes to the part that plays its role ([`distribute`]); of several to the one whose notes
/// of the last `recent_bars` bars lie nearest. Every note ends inside the clip, and before the same key is struck again in its part.
#[must_use]
pub fn continued(context: &Clip, start: Tick, bars: u32, notes: &[Note], recent_bars: u32) -> Clip {
    let first_bar = context.metres.bar_at(start).index;
    let end = context.metres.bar(first_bar.saturating_add(bars)).start;
    let from = recent_from(context, start, recent_bars);
    let ensemble: Vec<Part> = context.parts.iter().map(|part| since(part, from)).collect();
    let mut clip = context.slice(start, end);
    let inside = notes.iter().filter(|note| note.onset < clip.end);
    let cut: Vec<Note> = inside.map(|note| Note { duration: note.duration.min(clip.end - note.onset), ..*note }).collect();
    clip.parts = distribute(&ensemble, &cut);
    for part in &mut clip.parts {
        release_before_repeat(&mut part.notes);
    }
    clip
}

/// A part with its notes since `from`, or with all of them if it has been silent since.
fn since(part: &Part, from: Tick) -> Part {
    let recent = &part.notes[part.notes.partition_point(|note| note.onset < from)..];
    let notes = if recent.is_empty() { part.notes.clone() } else { recent.to_vec() };
    Part { notes, name: part.name.clone(), ..*part }
}

/// Puts notes into canonical order and ends each at the latest where its key is struck again; of two at the same time the longer stays.
fn release_before_repeat(notes: &mut Vec<Note>) {
    // By key, then time, longest first: what `dedup` drops is the shorter of two.
    notes.sort_by_key(|note| (note.pitch, note.onset, std::cmp::Reverse(note.duration)));
    notes.dedup_by_key(|note| (note.pitch, note.onset));
    for index in 1..notes.len() {
        let next = notes[index];
        let note = &mut notes[index - 1];
        if note.pitch == next.pitch {
            note.duration = note.duration.min(next.onset - note.onset);
        }
    }
    notes.sort_by_key(Note::order);
}

#[cfg(test)]
mod tests {
    use super::super::{Metre, MetreMap, Role, Tempo, TempoMap};
    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    fn part(name: &str, channel: u8, notes: Vec<Note>) -> Part {
        Part { name: name.into(), channel, programme: Some(40), notes }
    }

    /// Two bars of 3/4 by two violins and a bass, with a slower tempo in the second.
    fn trio() -> Clip {
        Clip {
            parts: vec![
                part("Violin I", 0, vec![note(0, 48, 79, Role::Strings), note(72, 70, 83, Role::Strings)]),
                part("Violin II", 1, vec![note(0, 48, 62, Role::Strings), note(72, 48, 66, Role::Strings)]),
                part("Bass", 2, vec![note(0, 72, 43, Role::Bass)]),
            ],
            metres: MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]),
            tempos: TempoMap::new([(Tick(72), Tempo::from_bpm(80.0).unwrap())]),
            end: Tick(216),
        }
    }

    #[test]
    fn a_continuation_starts_on_the_bar_line_after_the_last_note() {
        assert_eq!(start(&trio()), Some(Tick(144)));
        let mut clip = trio();
        clip.parts[2].notes.push(note(72, 72, 43, Role::Bass));
        assert_eq!(start(&clip), Some(Tick(144)), "a note that ends on the bar line does not need another bar");
        clip.parts[2].notes[1].duration = Tick(73);
        assert_eq!(start(&clip), Some(Tick(216)));
        clip.parts[2].notes[1].duration = Tick::MAX;
        assert_eq!(start(&clip), Some(Tick(216)), "a held note ends with the clip");
        assert_eq!(start(&Clip::default()), None);
    }

    #[test]
    fn notes_go_to_the_part_of_their_role_that_is_nearest() {
        let notes =
            [note(0, 24, 84, Role::Strings), note(0, 24, 64, Role::Strings), note(0, 24, 43, Role::Bass), note(24, 24, 73, Role::Strings)];
        let clip = continued(&trio(), Tick(144), 2, &notes, 8);
        assert_eq!(clip.end, Tick(144));
        assert_eq!(clip.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["Violin I", "Violin II", "Bass"]);
        let pitches = |index: usize| clip.parts[index].notes.iter().map(|note| note.pitch).collect::<Vec<_>>();
        assert_eq!([pitches(0), pitches(1), pitches(2)], [vec![84, 73], vec![64], vec![43]]);
        assert_eq!(clip.tempos.at(Tick::ZERO), Tempo::from_bpm(80.0).unwrap());
        assert_eq!(clip.metres.at(Tick::ZERO), Metre::new(3, 4).unwrap());
    }

    #[test]
    fn where_a_part_lies_is_what_it_played_of_late() {
        let mut clip = trio();
        // The second violin has climbed above the first.
        clip.parts[1].notes[1].pitch = 90;
        let notes = [note(0, 24, 88, Role::Strings), note(24, 24, 81, Role::Strings)];
        let sizes =
            |recent_bars| continued(&clip, Tick(144), 1, &notes, recent_bars).parts.iter().map(|part| part.notes.len()).collect::<Vec<_>>();
        assert_eq!(sizes(1), [1, 1, 0]);
        assert_eq!(sizes(2), [2, 0, 0]);
    }

    #[test]
    fn notes_end_inside_and_before_their_key_is_struck_again() {
        let notes =
            [note(0, 100, 43, Role::Bass), note(24, 24, 43, Role::Bass), note(60, 100, 43, Role::Bass), note(72, 10, 43, Role::Bass)];
        let clip = continued(&trio(), Tick(144), 1, &notes, 8);
        let spans: Vec<_> = clip.parts[2].notes.iter().map(|note| (note.onset.0, note.end().0)).collect();
        assert_eq!(spans, [(0, 24), (24, 48), (60, 72)], "and what starts after the end is left out");
    }
}
