//! A MIDI file encoded as bars of classes.

use std::collections::HashMap;
use std::path::Path;

use antiphon_engine::codec::vocabulary::{Field, ON_GRID};
use antiphon_engine::codec::{BarRows, EncodeReport, NoteClasses, encode, label, label_chords};
use antiphon_engine::music::analysis::velocities_are_flat;
use antiphon_engine::music::{Bar, Clip, Note, Tick, smf};

/// Smallest share of off-grid notes in a performed piece. Fewer are tuplets or grace notes in a quantised piece.
const PERFORMED_SHARE: f64 = 0.02;

/// Largest share of one offset among the off-grid notes of a performed piece. Played offsets scatter; a single offset is a rhythm that the grid
/// lacks.
const SCATTERED_SHARE: f64 = 0.4;

/// Bit of `piece_flags`: no loss on velocity.
const FLAT_VELOCITY: u8 = 1;

/// Bit of `piece_flags`: timing is performed. Without it there is no loss on offset.
const PERFORMED_TIMING: u8 = 2;

/// An encoded piece, from its first bar with a note to its last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    /// Bars with measured conditioning.
    pub(crate) bars: Vec<BarRows>,
    /// Part of each note, in the order of the notes; 255 stands for that part and all beyond.
    pub(crate) parts: Vec<u8>,
    /// What the codec had to change or drop.
    pub(crate) report: EncodeReport,
    /// Duplicate notes (same part, onset and pitch) that the MIDI reader has removed.
    pub(crate) read_duplicates: u64,
    /// Whether the velocities carry no dynamics: one velocity, or an accent pattern.
    pub(crate) flat_velocity: bool,
    /// Whether the timing is performed, not quantised.
    pub(crate) performed_timing: bool,
}

impl Piece {
    /// Reads and encodes a MIDI file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let import = smf::read_file(path)?;
        let mut piece = Self::from_clip(&import.clip).ok_or_else(|| anyhow::anyhow!("{}: no notes", path.display()))?;
        piece.read_duplicates = import.report.duplicates;
        Ok(piece)
    }

    /// Encodes a clip; `None` without notes.
    pub(crate) fn from_clip(clip: &Clip) -> Option<Self> {
        let notes: Vec<Note> = clip.parts.iter().flat_map(|part| &part.notes).copied().collect();
        let part_of = (0..).zip(&clip.parts).flat_map(|(number, part)| part.notes.iter().map(move |_| number));
        let part_of: Vec<u8> = part_of.map(|number: usize| u8::try_from(number).unwrap_or(u8::MAX)).collect();

        let first = clip.metres.bar_at(clip.first_onset()?);
        let until = clip.last_onset()? + Tick(1);
        let bars: Vec<Bar> = (first.index..).map(|index| clip.metres.bar(index)).take_while(|bar| bar.start < until).collect();
        let mut encoded = encode(&notes, &bars, None);
        let start = first.start + trim(&mut encoded.bars);
        label(&mut encoded.bars, start, &clip.tempos);
        Some(Self {
            flat_velocity: is_flat(&encoded.bars),
            performed_timing: is_performed(&encoded.bars),
            parts: encoded.sources.iter().map(|source| part_of[*source]).collect(),
            bars: encoded.bars,
            report: encoded.report,
            read_duplicates: 0,
        })
    }

    /// The piece with the chords of its bars: what training conditions on, and generation does not know.
    pub(crate) fn with_chords(mut self) -> Self {
        label_chords(&mut self.bars);
        self
    }

    /// Whether this field is part of sums and losses in this piece.
    pub(crate) fn counts(&self, field: Field) -> bool {
        match field {
            Field::Velocity => !self.flat_velocity,
            Field::Offset => self.performed_timing,
            _ => true,
        }
    }

    /// Number of notes.
    pub(crate) fn notes(&self) -> usize {
        self.bars.iter().map(|bar| bar.notes.len()).sum()
    }

    /// Value for the array `piece_flags`.
    pub(crate) fn flags(&self) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        flag(self.flat_velocity, FLAT_VELOCITY) | flag(self.performed_timing, PERFORMED_TIMING)
    }
}

/// Removes empty bars at both ends, which remain when a long bar is split. Returns the total length removed at the beginning.
fn trim(bars: &mut Vec<BarRows>) -> Tick {
    while bars.last().is_some_and(|bar| bar.notes.is_empty()) {
        bars.pop();
    }
    let empty = bars.iter().take_while(|bar| bar.notes.is_empty()).count();
    let length = bars.drain(..empty).map(|bar| Tick(bar.ticks.into())).fold(Tick::ZERO, Tick::saturating_add);
    for (index, bar) in (0..).zip(bars) {
        bar.index = index;
    }
    length
}

/// Whether the velocities carry no dynamics.
fn is_flat(bars: &[BarRows]) -> bool {
    velocities_are_flat(bars.iter().flat_map(|bar| &bar.notes).map(|note| note.velocity))
}

/// Whether the offsets come from a performance.
fn is_performed(bars: &[BarRows]) -> bool {
    let mut counts = histogram(bars, |note| note.offset);
    let notes = counts.values().sum();
    counts.remove(&ON_GRID);
    let off_grid = counts.values().sum();
    share(off_grid, notes) >= PERFORMED_SHARE && share(largest(&counts), off_grid) <= SCATTERED_SHARE
}

/// Number of notes by class of a field.
fn histogram(bars: &[BarRows], class: fn(&NoteClasses) -> u8) -> HashMap<u8, usize> {
    let mut counts = HashMap::new();
    for note in bars.iter().flat_map(|bar| &bar.notes) {
        *counts.entry(class(note)).or_default() += 1;
    }
    counts
}

/// Largest count.
fn largest(counts: &HashMap<u8, usize>) -> usize {
    counts.values().copied().max().unwrap_or(0)
}

/// `part / whole`; 0 if `whole` is 0.
#[expect(clippy::cast_precision_loss, reason = "notes are counted far below 2^52")]
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Metre, MetreMap, Part, Role, Tempo, TempoMap};

    use super::*;

    fn note(onset: i64, velocity: u8, offset: i8) -> Note {
        Note { onset: Tick(onset), offset, duration: Tick(12), pitch: 60, velocity, role: Role::Keys }
    }

    fn piece(parts: &[&[Note]]) -> Option<Piece> {
        let parts = parts.iter().map(|notes| Part { notes: notes.to_vec(), ..Part::default() });
        Piece::from_clip(&Clip { parts: parts.collect(), end: Tick(96 * 20), ..Clip::default() })
    }

    #[test]
    fn piece_spans_the_bars_from_the_first_note_to_the_last() {
        let piece = piece(&[&[], &[note(200, 80, 0)], &[note(220, 80, 0), note(480, 80, 0)]]).unwrap();
        assert_eq!(piece.bars.iter().map(|bar| bar.notes.len()).collect::<Vec<_>>(), [2, 0, 0, 1]);
        assert_eq!(piece.bars.iter().map(|bar| bar.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(piece.parts, [1, 2, 2]);
        assert_eq!(piece.bars[0].fields.density, 1);
    }

    #[test]
    fn long_bar_keeps_only_its_pieces_with_notes() {
        let bar = Metre::new(40, 4).unwrap();
        let clip = Clip {
            parts: vec![Part { notes: vec![note(400, 80, 0)], ..Part::default() }],
            metres: MetreMap::new([(Tick::ZERO, bar)]),
            tempos: TempoMap::new([(Tick(384), Tempo::from_bpm(30.0).unwrap())]),
            end: bar.bar_length(),
        };
        let bars = Piece::from_clip(&clip).unwrap().bars;
        assert_eq!(bars.iter().map(|bar| (bar.index, bar.ticks, bar.notes[0].tick())).collect::<Vec<_>>(), [(0, 384, Tick(16))]);
        assert_eq!(bars[0].fields.tempo, 1);
    }

    #[test]
    fn clip_without_notes_is_no_piece() {
        assert!(piece(&[]).is_none());
        assert!(piece(&[&[], &[]]).is_none());
    }

    /// Flags of a piece of a hundred notes with these velocities and offsets.
    fn flags(velocity: fn(u8) -> u8, offset: fn(u8) -> i8) -> u8 {
        let notes: Vec<Note> = (0..100).map(|n| note(i64::from(n) * 12, velocity(n), offset(n))).collect();
        piece(&[&notes]).unwrap().flags()
    }

    #[test]
    fn single_velocity_or_accent_pattern_is_flat_and_dynamics_are_not() {
        assert_eq!(flags(|_| 80, |_| 0), FLAT_VELOCITY);
        assert_eq!(flags(|n| if n % 4 == 0 { 100 } else { 80 }, |_| 0), FLAT_VELOCITY);
        assert_eq!(flags(|n| if n < 95 { 80 } else { n }, |_| 0), FLAT_VELOCITY);
        assert_eq!(flags(|n| 40 + n / 2, |_| 0), 0);
    }

    #[test]
    fn scattered_offsets_are_performed_and_tuplets_are_not() {
        let scattered = |n: u8| (n % 8).cast_signed() - 4;
        assert_eq!(flags(|n| n, scattered), PERFORMED_TIMING);
        assert_eq!(flags(|n| n, |n| if n % 20 == 0 { (n / 20).cast_signed() - 2 } else { 0 }), PERFORMED_TIMING);
        assert_eq!(flags(|n| n, |n| if n % 2 == 0 { -4 } else { 0 }), 0);
        assert_eq!(flags(|n| n, |n| i8::from(n == 50)), 0);
    }
}
