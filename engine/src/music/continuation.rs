//! Continuation of a clip as a clip: first bar line and parts, taken over from the one it continues.

use std::collections::BTreeSet;

use super::recent::recent_from;
use super::{Clip, Note, Part, Role, Tick, distribute, recent_notes};

/// Most bars of rest that a clip may end with and still be continued behind them: a loop often rests in its last bar, an arrangement does not.
const RESTING_BARS: u32 = 4;

/// The bar line on which a continuation starts: the one that the music ends on ([`Clip::closing_bar_line`]) or, where the clip goes on for a few bars of rest, its
/// end. `None` if there is no note.
#[must_use]
pub fn start(context: &Clip) -> Option<Tick> {
    let closing = context.closing_bar_line()?;
    let end = context.metres.bar_line_from(context.end);
    let index = |tick| context.metres.bar_at(tick).index;
    let rests = end > closing && index(end) - index(closing) <= RESTING_BARS;
    Some(if rests { end } else { closing })
}

/// The clip up to `start`: without the notes that start there or later and, where its music ends before, with the tempo that held longest in the last `bars` bars
/// from there on. So a final ritardando is not the tempo of the continuation.
#[must_use]
pub fn context(clip: &Clip, start: Tick, bars: u32) -> Clip {
    let mut context = super::insertion::without(clip, |note| note.onset >= start);
    if context.note_count() == clip.note_count() {
        let tempo = context.tempos.prevailing(recent_from(&context, start, bars)..start);
        context.tempos = context.tempos.held_from(start, tempo);
    }
    context
}

/// The clip of `bars` bars that continues `context` from `start` on with `notes`, whose tick 0 is `start`.
///
/// Bar lines, tempi and parts are the context's, each part with the bank and program that it has at `start`. A note goes to the part that plays its role
/// ([`distribute`]); of several to the one whose notes of the last `recent_bars` bars lie nearest. Every note ends inside the clip, and before the same key is
/// struck again in its part.
#[must_use]
pub fn continued(context: &Clip, start: Tick, bars: u32, notes: &[Note], recent_bars: u32) -> Clip {
    let first_bar = context.metres.bar_at(start).index;
    let end = context.metres.bar(first_bar.saturating_add(bars)).start;
    let from = recent_from(context, start, recent_bars);
    let active: BTreeSet<Role> = recent_notes(context, start, recent_bars).iter().map(|note| note.role).collect();
    let ensemble: Vec<Part> = context.parts.iter().map(|part| since(part, from, &active).set_up_from(start, end)).collect();
    let mut clip = context.slice(start, end);
    let inside = notes.iter().filter(|note| note.onset < clip.end);
    let cut: Vec<Note> = inside.map(|note| Note { duration: note.duration.min(clip.end - note.onset), ..*note }).collect();
    clip.parts = distribute(&ensemble, &cut);
    for part in &mut clip.parts {
        release_before_repeat(&mut part.notes);
    }
    clip
}

/// A part with its notes since `from`, or with all of them if its role, which is none of the `active` ones, has been silent since.
fn since(part: &Part, from: Tick, active: &BTreeSet<Role>) -> Part {
    let recent: Vec<Note> = part.notes.iter().filter(|note| note.end() > from).copied().collect();
    let is_silent = part.notes.first().is_none_or(|note| !active.contains(&note.role));
    part.with_notes(if is_silent { part.notes.clone() } else { recent })
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
    use super::super::{Bank, Metre, MetreMap, Patch, Tempo, TempoMap};
    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    fn part(name: &str, channel: u8, notes: Vec<Note>) -> Part {
        Part { name: name.into(), channel, program: Some(40), notes, ..Part::default() }
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
    fn continuation_without_a_rest_starts_on_the_bar_line_after_the_last_note() {
        let mut clip = Clip { end: Tick(144), ..trio() };
        assert_eq!(start(&clip), Some(Tick(144)));
        clip.parts[2].notes.push(note(72, 72, 43, Role::Bass));
        assert_eq!(start(&clip), Some(Tick(144)), "a note that ends on the bar line does not need another bar");
        clip.parts[2].notes[1].duration = Tick(78);
        assert_eq!(start(&clip), Some(Tick(144)), "nor does a release a sixteenth late");
        clip.parts[2].notes[1].duration = Tick(79);
        assert_eq!(start(&clip), Some(Tick(216)));
        clip.parts[2].notes[1].duration = Tick::MAX;
        assert_eq!(start(&clip), Some(Tick(144)), "a held note ends with the clip");
        assert_eq!(start(&Clip::default()), None);
    }

    #[test]
    fn continuation_of_a_loop_that_rests_starts_behind_its_rest() {
        for (end, wanted) in [(216, 216), (144 + 4 * 72, 144 + 4 * 72), (144 + 5 * 72, 144), (100, 144), (200, 216)] {
            assert_eq!(start(&Clip { end: Tick(end), ..trio() }), Some(Tick(wanted)), "{end}");
        }
    }

    #[test]
    fn context_after_a_ritardando_goes_on_in_the_tempo_that_held() {
        let bpm = |bpm: f64| Tempo::from_bpm(bpm).unwrap();
        let mut clip = Clip { end: Tick(144), ..trio() };
        clip.tempos =
            TempoMap::new([(0, 132.0), (96, 100.0), (120, 60.0), (144, 40.0), (900, 20.0)].map(|(tick, tempo)| (Tick(tick), bpm(tempo))));
        let context = context(&clip, Tick(144), 8);
        assert_eq!(
            context.tempos.changes(),
            TempoMap::new([(0, 132.0), (96, 100.0), (120, 60.0), (144, 132.0)].map(|(t, b)| (Tick(t), bpm(b)))).changes()
        );
        assert_eq!(continued(&context, Tick(144), 2, &[], 8).tempos.changes(), [(Tick::ZERO, bpm(132.0))]);
    }

    #[test]
    fn context_within_a_piece_keeps_its_tempi_and_drops_later_notes() {
        let context = context(&trio(), Tick(72), 8);
        assert_eq!((context.note_count(), &context.tempos), (3, &trio().tempos));
    }

    #[test]
    fn continuation_plays_the_program_that_is_in_force_at_its_start() {
        let mut clip = trio();
        let patch = |program| Patch { bank: Bank { coarse: Some(2), fine: None }, program };
        clip.parts[0].setup.changes = vec![(Tick(96), patch(65)), (Tick(300), patch(66))];
        let part = &continued(&clip, Tick(144), 2, &[], 8).parts[0];
        assert_eq!((part.program, part.setup.bank, &part.setup.changes), (Some(65), patch(65).bank, &Vec::new()));
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
    fn note_goes_to_the_part_whose_last_bars_lie_nearest() {
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
