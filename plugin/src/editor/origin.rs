//! Where a planned note comes from, as far as it can be heard: what it agrees with in the music so far and in what is remembered.

use antiphon_engine::music::analysis::Chord;
use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::PlayerMemory;
use antiphon_engine::session::{ShownBar, Snapshot};

use super::words::count;

/// Notes of a figure.
const FIGURE: usize = 3;
/// Difference of onsets that counts as none.
const NEAR: i64 = 1;
/// Notes that a bar has to share with an earlier one before it repeats it.
const LEAST_SHARED: usize = 2;

/// What a planned note agrees with, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// At least half of the bar's notes of this role are at the same place in this bar of the song, this one among them.
    Bar(i64),
    /// The note and the two before it are a figure that ended in this bar of the song, so many semitones lower.
    Figure {
        /// Number of the bar.
        bar: i64,
        /// Semitones from there to here.
        semitones: i16,
    },
    /// The note and the two before it are a figure of a remembered phrase, on any key.
    Habit,
    /// It is a tone of this chord, chosen or sounding at its onset.
    ChordTone(Chord),
}

impl Origin {
    /// In a musician's words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Bar(bar) => format!("as in bar {bar}"),
            Self::Figure { bar, semitones: 0 } => format!("a figure of bar {bar}"),
            Self::Figure { bar, semitones } => {
                let side = if semitones > 0 { "higher" } else { "lower" };
                format!("the figure of bar {bar}, {} {side}", count(usize::from(semitones.unsigned_abs()), "semitone"))
            }
            Self::Habit => "your habit: the figure is in a phrase of yours that is remembered".into(),
            Self::ChordTone(chord) => format!("chord tone of {chord}"),
        }
    }
}

/// Origins of a note of the plan, the strongest first; none if it agrees with nothing. `memory` is what is remembered of the player, `chosen` the chord that was
/// chosen for the note's bar. Computed for the one note that is pointed at.
pub(crate) fn origins(snapshot: &Snapshot, note: &Note, memory: &PlayerMemory, chosen: Option<Chord>) -> Vec<Origin> {
    let Some(plan) = snapshot.plan.as_ref().map(|shown| &shown.plan).filter(|plan| plan.notes().contains(note)) else { return Vec::new() };
    let of_role = |notes: &[Note]| notes.iter().filter(|other| other.role == note.role).copied().collect::<Vec<_>>();
    let (planned, before) = (of_role(plan.notes()), of_role(&snapshot.played));
    let mut origins = Vec::new();
    let repeated = repeated(snapshot, note, &planned, &before);
    origins.extend(repeated.map(Origin::Bar));
    if let Some(figure) = figure(note, &planned, &before).filter(|_| note.role != Role::Drums) {
        let earlier: Vec<Note> = before.iter().filter(|other| other.onset < figure[0].onset).copied().collect();
        if let Some((last, semitones)) = find(&figure, &earlier).filter(|_| repeated.is_none()) {
            origins.push(Origin::Figure { bar: snapshot.bar_at(last).number, semitones });
        }
        if memory.phrases().iter().any(|phrase| find(&figure, &of_role(phrase.notes())).is_some()) {
            origins.push(Origin::Habit);
        }
    }
    let sounding = snapshot.planned_chords.iter().find(|chord| (chord.from..chord.until).contains(&note.onset)).map(|chord| chord.chord);
    let is_tone = |chord: &Chord| note.role != Role::Drums && chord.scale().contains(note.pitch);
    origins.extend(chosen.or(sounding).filter(is_tone).map(Origin::ChordTone));
    origins
}

/// Number of the earlier bar that the note's bar repeats: that with the most notes of the role in the same places, of several the latest.
fn repeated(snapshot: &Snapshot, note: &Note, planned: &[Note], before: &[Note]) -> Option<i64> {
    let here = snapshot.bar_at(note.onset);
    let of_bar = |notes: &[Note], bar: &ShownBar| {
        notes.iter().filter(|note| (bar.bar.start..bar.bar.end()).contains(&note.onset)).copied().collect::<Vec<_>>()
    };
    let now = of_bar(planned, &here);
    let shared = |bar: &ShownBar| {
        let then = of_bar(before, bar);
        let moved = here.bar.start - bar.bar.start;
        let is_there = |note: &&Note| then.iter().any(|other| is_same(other, note, moved));
        let count = now.iter().filter(is_there).count();
        (count >= LEAST_SHARED && 2 * count >= now.len() && is_there(&note)).then_some(count)
    };
    let earlier = snapshot.bars.iter().filter(|bar| bar.bar.end() <= here.bar.start);
    let counted = earlier.filter_map(|bar| Some((shared(bar)?, bar)));
    counted.max_by_key(|(count, bar)| (*count, bar.bar.start)).map(|(_, bar)| bar.number)
}

/// Whether a note is another one so many ticks later.
fn is_same(earlier: &Note, later: &Note, moved: Tick) -> bool {
    earlier.pitch == later.pitch && (earlier.onset + moved - later.onset).0.abs() <= NEAR
}

/// The note and those before it of the same role, in the plan or played.
fn figure(note: &Note, planned: &[Note], before: &[Note]) -> Option<[Note; FIGURE]> {
    let start = planned.first()?.onset;
    let all: Vec<Note> = before.iter().filter(|note| note.onset < start).chain(planned).copied().collect();
    let at = all.iter().rposition(|other| other == note)?;
    all.get((at + 1).checked_sub(FIGURE)?..=at)?.try_into().ok()
}

/// Onset of the last note of the latest occurrence of a figure, on any key but in its rhythm, and the semitones from there to here. Three equal notes are none.
fn find(figure: &[Note; FIGURE], notes: &[Note]) -> Option<(Tick, i16)> {
    if figure.iter().all(|note| note.pitch == figure[0].pitch) {
        return None;
    }
    let semitones = |from: &[Note], place: usize| i16::from(figure[place].pitch) - i16::from(from[place].pitch);
    let is_figure = |from: &&[Note]| {
        (1..FIGURE).all(|place| {
            let step = |notes: &[Note]| (notes[place].onset - notes[place - 1].onset).0;
            semitones(from, place) == semitones(from, 0) && (step(from) - step(figure)).abs() <= NEAR
        })
    };
    notes.windows(FIGURE).rev().find(is_figure).map(|from| (from[FIGURE - 1].onset, semitones(from, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_engine::music::analysis::ChordKind;
    use antiphon_engine::plan::Phrase;

    use crate::editor::samples::{bar, plan};

    const BAR: i64 = 96;

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(20), pitch, velocity: 80, role: Role::Keys }
    }

    /// Three bars that were played, and a plan of the fourth.
    fn snapshot(played: &[Note], planned: &[Note]) -> Snapshot {
        let bars = (1..=3).map(|number| bar(number, (number - 1) * BAR, BAR, 4)).collect();
        Snapshot { bars, played: played.to_vec(), ..Snapshot::default() }.with_plan(plan(3 * BAR, 4 * BAR, planned))
    }

    fn of(snapshot: &Snapshot, planned: &Note) -> Vec<Origin> {
        origins(snapshot, planned, &PlayerMemory::default(), None)
    }

    #[test]
    fn note_of_a_bar_that_repeats_another_names_the_one_it_shares_most_with() {
        let tune =
            |bar: i64, pitches: [u8; 4]| (0..).zip(pitches).map(|(beat, pitch)| note(bar * BAR + beat * 24, pitch)).collect::<Vec<_>>();
        let played = [tune(0, [60, 62, 64, 67]), tune(1, [72, 71, 69, 65]), tune(2, [60, 62, 59, 57])].concat();
        let planned = tune(3, [60, 62, 64, 66]);
        let snapshot = snapshot(&played, &planned);
        assert_eq!(of(&snapshot, &planned[0])[0], Origin::Bar(1));
        assert!(!of(&snapshot, &planned[3]).iter().any(|origin| matches!(origin, Origin::Bar(_))), "bar 1 has another note there");
        assert_eq!(of(&snapshot, &note(0, 60)), [], "it is not planned");
    }

    #[test]
    fn figure_on_another_key_is_recognised_and_one_of_memory_is_a_habit() {
        let figure = |onset: i64, key: u8| [note(onset, key), note(onset + 12, key + 2), note(onset + 36, key + 4)];
        let planned = figure(3 * BAR + 24, 67);
        let played = figure(BAR + 6, 60);
        let both = snapshot(&played, &planned);
        assert_eq!(of(&both, &planned[2]), [Origin::Figure { bar: 2, semitones: 7 }]);
        let mut memory = PlayerMemory::default();
        memory.learn(Phrase::new(&[bar(1, 0, BAR, 4).bar], &[figure(0, 50).as_slice(), &[note(48, 50)]].concat()).unwrap());
        let alone = snapshot(&[note(0, 40)], &planned);
        assert_eq!(origins(&alone, &planned[2], &memory, None), [Origin::Habit]);
        assert_eq!(origins(&alone, &planned[1], &memory, None), [], "a figure has three notes");
    }

    #[test]
    fn chord_tone_is_one_of_the_chosen_chord_or_of_what_sounds() {
        let planned = [note(3 * BAR, 60), note(3 * BAR, 64), note(3 * BAR, 67)].map(|note| Note { duration: Tick(BAR), ..note });
        let snapshot = snapshot(&[], &planned);
        let c = Chord { root: 0, kind: ChordKind::Major };
        assert_eq!(of(&snapshot, &planned[1]), [Origin::ChordTone(c)]);
        let e_minor = Chord { root: 4, kind: ChordKind::Minor };
        let with = |note| origins(&snapshot, note, &PlayerMemory::default(), Some(e_minor));
        assert_eq!((with(&planned[1]), with(&planned[0])), (vec![Origin::ChordTone(e_minor)], vec![]));
    }
}
