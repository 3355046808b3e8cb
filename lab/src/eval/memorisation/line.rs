//! Melodic lines, and the steps by which they are compared.
//!
//! A line is the highest note at every onset, of one part, or of one role where several parts share it. Drums have none. Onsets are first quantised
//! to sixteenths or eighth triplets, so that a performance matches its notated; notes that coincide then are one onset.

use std::collections::{BTreeMap, BTreeSet};

use antiphon_engine::codec::BarRows;
use antiphon_engine::music::{Role, TICKS_PER_QUARTER};

use crate::corpus::Piece;

/// Grid within a beat, in ticks: sixteenths and eighth triplets. Ties round down.
const GRID: [i64; 7] = [0, 6, 8, 12, 16, 18, TICKS_PER_QUARTER];

/// Largest time between onsets, in ticks: two bars of 4/4. Longer rests count as this.
const LONGEST_GAP: i64 = 8 * TICKS_PER_QUARTER;

/// Transition from one note of a line to the next: interval and time between onsets. Invariant to transposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Step(u32);

impl Step {
    /// Separator between lines; equal to no step.
    pub(super) const BREAK: Self = Self(u32::MAX);

    fn between(from: LineNote, to: LineNote) -> Self {
        let interval = i64::from(to.pitch) - i64::from(from.pitch) + 128;
        let gap = (to.tick - from.tick).clamp(0, LONGEST_GAP);
        // The interval is below 256, the time below 1,024.
        Self(u32::try_from(interval * 1024 + gap).unwrap_or(u32::MAX - 1))
    }

    /// The symbol in the automaton's alphabet.
    pub(super) fn symbol(self) -> u32 {
        self.0
    }
}

/// A note of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineNote {
    /// Quantised onset in ticks from the start of the piece.
    tick: i64,
    /// Bar, counted from 0.
    pub(super) bar: u32,
    /// MIDI key.
    pitch: u8,
}

/// Part or role that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Voice {
    role: u8,
    /// Part, counted from 0; `None` for the line of a role that several parts share.
    part: Option<u8>,
}

impl Voice {
    /// Name in reports, such as "melody (part 2)".
    pub(super) fn name(self) -> String {
        let role = Role::from_class(self.role).unwrap_or(Role::Other).name();
        match self.part {
            Some(part) => format!("{role} (part {})", u16::from(part) + 1),
            None => format!("{role} (all parts)"),
        }
    }
}

/// A line of a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Part or role.
    pub(super) voice: Voice,
    /// In time order, one per onset.
    pub(super) notes: Vec<LineNote>,
}

impl Line {
    /// Transitions between consecutive notes.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.notes.windows(2).map(|pair| Step::between(pair[0], pair[1]))
    }
}

/// Lines of a piece with at least two notes, those of parts before those of roles.
pub(super) fn lines(piece: &Piece) -> Vec<Line> {
    let mut notes = Vec::with_capacity(piece.notes());
    let mut parts = piece.parts.iter();
    let mut start = 0;
    for (bar, number) in piece.bars.iter().zip(0..) {
        notes.extend(bar.notes.iter().map(|note| {
            let tick = start + i64::from(note.beat) * TICKS_PER_QUARTER + quantised(note.sub);
            (Voice { role: note.role, part: parts.next().copied() }, LineNote { tick, bar: number, pitch: note.pitch })
        }));
        start += i64::from(bar.ticks);
    }
    notes.retain(|(voice, _)| voice.role != Role::Drums.class());

    let mut parts_by_role: BTreeMap<u8, BTreeSet<Option<u8>>> = BTreeMap::new();
    let mut lines: BTreeMap<Voice, Line> = BTreeMap::new();
    for (voice, _) in &notes {
        parts_by_role.entry(voice.role).or_default().insert(voice.part);
    }
    for (voice, note) in notes {
        let shared = parts_by_role.get(&voice.role).is_some_and(|parts| parts.len() > 1);
        for voice in [Some(voice), shared.then_some(Voice { part: None, ..voice })].into_iter().flatten() {
            add(&mut lines.entry(voice).or_insert(Line { voice, notes: Vec::new() }).notes, note);
        }
    }
    let mut lines: Vec<Line> = lines.into_values().filter(|line| line.notes.len() > 1).collect();
    lines.sort_by_key(|line| (line.voice.part.is_none(), line.voice));
    lines
}

/// Appends a note that does not start before the last one; of notes at one onset the highest is kept.
fn add(line: &mut Vec<LineNote>, note: LineNote) {
    match line.last_mut() {
        Some(last) if last.tick >= note.tick => last.pitch = last.pitch.max(note.pitch),
        _ => line.push(note),
    }
}

/// Ticks from the beat, rounded to the [`GRID`].
fn quantised(sub: u8) -> i64 {
    let sub = i64::from(sub);
    GRID.into_iter().min_by_key(|place| (place - sub).abs()).unwrap_or(sub)
}

/// Bars `from..to` of a piece, as a piece.
pub(super) fn excerpt(piece: &Piece, from: usize, to: usize) -> Piece {
    let notes = |bars: &[BarRows]| bars.iter().map(|bar| bar.notes.len()).sum::<usize>();
    let bars = &piece.bars[from..to];
    let before = notes(&piece.bars[..from]);
    Piece { bars: bars.to_vec(), parts: piece.parts[before..before + notes(bars)].to_vec(), ..Piece::default() }
}

#[cfg(test)]
pub(super) mod tests {
    use antiphon_engine::codec::NoteClasses;

    use super::*;

    /// Beat, ticks from the beat, role, key and part.
    type TestNote = (u8, u8, Role, u8, u8);

    /// A piece of 4/4 bars.
    pub(in crate::eval::memorisation) fn piece(bars: &[&[TestNote]]) -> Piece {
        let note = |&(beat, sub, role, pitch, _): &TestNote| NoteClasses {
            beat,
            sub,
            role: role.class(),
            pitch,
            duration: 20,
            velocity: 20,
            offset: 4,
        };
        let bar = |(notes, index): (&&[TestNote], u32)| BarRows {
            index,
            ticks: 96,
            notes: notes.iter().map(note).collect(),
            ..BarRows::default()
        };
        let parts = bars.iter().flat_map(|bar| bar.iter().map(|note| note.4)).collect();
        Piece { bars: bars.iter().zip(0..).map(bar).collect(), parts, ..Piece::default() }
    }

    #[test]
    fn line_is_the_highest_note_at_every_onset_of_a_part() {
        use Role::{Bass, Drums, Keys};
        let piece = piece(&[
            &[(0, 0, Bass, 36, 1), (0, 0, Drums, 164, 2), (0, 0, Keys, 60, 0), (0, 0, Keys, 64, 0), (1, 0, Keys, 62, 0)],
            &[(0, 0, Keys, 67, 0), (2, 0, Bass, 43, 1)],
        ]);
        let lines = lines(&piece);
        assert_eq!(lines.iter().map(|line| line.voice.name()).collect::<Vec<_>>(), ["bass (part 2)", "keys (part 1)"]);
        assert_eq!(
            lines[1].notes.iter().map(|note| (note.tick, note.bar, note.pitch)).collect::<Vec<_>>(),
            [(0, 0, 64), (24, 0, 62), (96, 1, 67)]
        );
    }

    #[test]
    fn parts_of_one_role_also_have_a_common_line() {
        use Role::Strings;
        let piece = piece(&[&[(0, 0, Strings, 60, 1), (0, 0, Strings, 67, 0), (1, 0, Strings, 64, 1), (2, 0, Strings, 69, 0)]]);
        let lines = lines(&piece);
        let pitches = |line: &Line| line.notes.iter().map(|note| note.pitch).collect::<Vec<_>>();
        assert_eq!(
            lines.iter().map(|line| line.voice.name()).collect::<Vec<_>>(),
            ["strings (part 1)", "strings (part 2)", "strings (all parts)"]
        );
        assert_eq!(lines.iter().map(pitches).collect::<Vec<_>>(), [vec![67, 69], vec![60, 64], vec![67, 64, 69]]);
    }

    #[test]
    fn step_is_invariant_to_transposition_and_small_timing_differences() {
        use Role::Melody;
        let steps = |notes: &[TestNote]| lines(&piece(&[notes]))[0].steps().collect::<Vec<_>>();
        let notated = steps(&[(0, 0, Melody, 60, 0), (0, 12, Melody, 64, 0), (1, 0, Melody, 62, 0)]);
        assert_eq!(steps(&[(1, 1, Melody, 50, 0), (1, 11, Melody, 54, 0), (1, 23, Melody, 52, 0)]), notated);
        assert_ne!(steps(&[(0, 0, Melody, 60, 0), (0, 18, Melody, 64, 0), (1, 0, Melody, 62, 0)]), notated);
        assert_ne!(steps(&[(0, 0, Melody, 60, 0), (0, 12, Melody, 63, 0), (1, 0, Melody, 62, 0)]), notated);
        assert!(notated.iter().all(|step| *step < Step::BREAK));
    }

    #[test]
    fn excerpt_keeps_the_parts_of_its_notes() {
        use Role::Melody;
        let notes: Vec<_> = (0..4).map(|part| [(0, 0, Melody, 60 + part, part), (1, 0, Melody, 70, part)]).collect();
        let bars: Vec<&[_]> = notes.iter().map(<[_; 2]>::as_slice).collect();
        let excerpt = excerpt(&piece(&bars), 1, 3);
        assert_eq!((excerpt.bars.len(), excerpt.bars[0].notes[0].pitch, excerpt.parts.as_slice()), (2, 61, [1, 1, 2, 2].as_slice()));
    }
}
