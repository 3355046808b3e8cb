//! Encoding of notes as classes, and decoding.
//!
//! Notes that the vocabulary cannot represent are changed by these rules, and counted in an [`EncodeReport`]:
//! * a pitch above 127 becomes 127; a velocity of 0 becomes 1 and one above 127 becomes 127; an offset is clamped to -4..=3;
//!   a duration is clamped to 1 tick..the longest class, unless the note is still held ([`Tick::MAX`]), which is [`OPEN`];
//! * of notes with the same onset, role and pitch the longest is kept (the loudest of equally long ones, then the first given);
//! * a note that starts outside the bars, or at or after the cut, is left out.
//!
//! Durations and velocities are then rounded to their class; that is counted for durations only.

use std::collections::BTreeMap;

use super::encode_report::EncodeReport;
use super::row::{BarFields, BarRows, NoteClasses};
use super::vocabulary::{DURATIONS, MAX_BAR_TICKS, ON_GRID, OPEN, duration_class, duration_ticks, metre_value};
use crate::music::{Bar, Note, OFFSETS_PER_TICK, Role, TICKS_PER_QUARTER, Tick};

/// Highest MIDI data byte.
const MIDI_MAX: u8 = 127;

/// Offset of drum pitches.
const DRUM_PITCHES: u8 = 128;

/// MIDI velocities per class.
const VELOCITY_STEP: u8 = 4;

/// Notes as classes, by bar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// One for each bar given, or several for a bar longer than [`MAX_BAR_TICKS`]; indices count from 0.
    pub bars: Vec<BarRows>,
    /// Index into the given notes, for each note of `bars` in order.
    pub sources: Vec<usize>,
    /// Changes, and notes left out.
    pub report: EncodeReport,
}

/// Encodes notes by the rules of this module. Notes may be in any order; bars must be consecutive.
///
/// With a `cut`, only notes that start before it are encoded, and those that sound across it are [`OPEN`]: the notes known at that tick. Of the
/// conditioning only the metre is set; [`label`](super::label) sets the rest.
///
/// ```
/// use antiphon_engine::codec::{OPEN, encode};
/// use antiphon_engine::music::{Bar, Metre, Note, Role, Tick};
///
/// let bar = Bar { index: 0, start: Tick(0), length: Tick(96), metre: Metre::COMMON };
/// let note = |onset, duration| Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch: 60, velocity: 80, role: Role::Keys };
/// // At tick 48 the second note has not ended and the third has not started.
/// let encoded = encode(&[note(0, 24), note(24, 48), note(60, 12)], &[bar], Some(Tick(48)));
/// let durations: Vec<u8> = encoded.bars[0].notes.iter().map(|note| note.duration).collect();
/// assert_eq!(durations, [23, OPEN]);
/// assert_eq!(encoded.report.outside, 1);
/// ```
#[must_use]
pub fn encode(notes: &[Note], bars: &[Bar], cut: Option<Tick>) -> Encoded {
    let mut report = EncodeReport::default();
    let (starts, mut rows) = empty_bars(bars);
    let end = bars.last().map_or(Tick::ZERO, Bar::end);
    let end = cut.map_or(end, |cut| cut.min(end));

    // The map's key order is the canonical order; bars are found from the onset afterwards.
    let mut chosen: BTreeMap<(Tick, Role, u8), usize> = BTreeMap::new();
    for (index, note) in notes.iter().enumerate() {
        if starts.first().is_none_or(|first| note.onset < *first) || note.onset >= end {
            report.outside += 1;
            continue;
        }
        let entry = chosen.entry((note.onset, note.role, note.pitch.min(MIDI_MAX))).or_insert(index);
        if *entry != index {
            report.duplicates += 1;
            let rival = &notes[*entry];
            if (note.duration, note.velocity) > (rival.duration, rival.velocity) {
                *entry = index;
            }
        }
    }

    let mut sources = Vec::with_capacity(chosen.len());
    for index in chosen.into_values() {
        let note = &notes[index];
        // The first start is not after the onset, so there is a bar before the partition point.
        let bar = starts.partition_point(|start| *start <= note.onset) - 1;
        let open = note.duration == Tick::MAX || cut.is_some_and(|cut| note.end() > cut);
        rows[bar].notes.push(classes(note, starts[bar], open, &mut report));
        sources.push(index);
    }
    report.notes = sources.len();
    Encoded { bars: rows, sources, report }
}

/// Start and rows of each bar: as given, but split every [`MAX_BAR_TICKS`].
fn empty_bars(bars: &[Bar]) -> (Vec<Tick>, Vec<BarRows>) {
    let mut starts = Vec::with_capacity(bars.len());
    let mut rows = Vec::with_capacity(bars.len());
    for bar in bars {
        let fields = BarFields { metre: metre_value(bar.metre), ..BarFields::default() };
        let mut done = 0;
        while done < bar.length.0 {
            let length = (bar.length.0 - done).min(MAX_BAR_TICKS);
            starts.push(bar.start + Tick(done));
            rows.push(BarRows { index: index_of(rows.len()), ticks: narrow(length), fields, notes: Vec::new() });
            done += length;
        }
    }
    (starts, rows)
}

/// Classes of a note in the bar that starts at `start`.
fn classes(note: &Note, start: Tick, open: bool, report: &mut EncodeReport) -> NoteClasses {
    let mut clamp = |value: i64, low: i64, high: i64, count: fn(&mut EncodeReport) -> &mut usize| {
        let clamped = value.clamp(low, high);
        *count(report) += usize::from(clamped != value);
        clamped
    };
    let pitch = clamp(note.pitch.into(), 0, MIDI_MAX.into(), |r| &mut r.clamped_pitches);
    let velocity = clamp(note.velocity.into(), 1, MIDI_MAX.into(), |r| &mut r.clamped_velocities);
    let low = -i64::from(ON_GRID);
    let offset = clamp(note.offset.into(), low, low + OFFSETS_PER_TICK - 1, |r| &mut r.clamped_offsets);
    let duration = if open {
        OPEN
    } else {
        let longest = DURATIONS[DURATIONS.len() - 1].into();
        duration_class(Tick(clamp(note.duration.0, 1, longest, |r| &mut r.clamped_durations)))
    };
    report.off_grid += usize::from(offset != 0);
    report.open += usize::from(open);
    report.rounded_durations += usize::from(!open && duration_ticks(duration) != Some(note.duration));

    let tick = note.onset.0 - start.0;
    let drums = if note.role == Role::Drums { DRUM_PITCHES } else { 0 };
    NoteClasses {
        beat: narrow(tick / TICKS_PER_QUARTER),
        sub: narrow(tick % TICKS_PER_QUARTER),
        role: note.role.class(),
        pitch: narrow::<u8>(pitch) + drums,
        duration,
        velocity: narrow::<u8>(velocity) / VELOCITY_STEP,
        offset: narrow(offset + i64::from(ON_GRID)),
    }
}

/// Decodes bars, in the order of the rows. The first bar starts at `start`, each further one where the one before it ends.
///
/// A class decodes to its middle velocity (4 class + 2) and its listed duration; [`OPEN`] to [`Tick::MAX`], still held. Encoding the result gives the
/// same rows if they are [canonical](BarRows::is_canonical).
#[must_use]
pub fn decode(bars: &[BarRows], start: Tick) -> Vec<Note> {
    let mut notes = Vec::with_capacity(bars.iter().map(|bar| bar.notes.len()).sum());
    let mut start = start;
    for bar in bars {
        notes.extend(bar.notes.iter().map(|classes| classes.note(start)));
        start += Tick(bar.ticks.into());
    }
    notes
}

impl NoteClasses {
    /// The note with these classes, in the bar that starts at `start`. A class beyond its field's range is read as the last one.
    #[must_use]
    pub fn note(&self, start: Tick) -> Note {
        let offset = self.offset.min(7).cast_signed() - ON_GRID.cast_signed();
        Note {
            onset: start + self.tick(),
            offset,
            duration: duration_ticks(self.duration).unwrap_or(Tick::MAX),
            pitch: self.pitch & MIDI_MAX,
            velocity: self.velocity.min(MIDI_MAX / VELOCITY_STEP) * VELOCITY_STEP + VELOCITY_STEP / 2,
            role: Role::from_class(self.role).unwrap_or(Role::Other),
        }
    }

    /// Whether every class is in its field's range, and the pitch is a drum's exactly if the role is.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        i64::from(self.sub) < TICKS_PER_QUARTER
            && self.duration <= OPEN
            && self.velocity <= MIDI_MAX / VELOCITY_STEP
            && i64::from(self.offset) < OFFSETS_PER_TICK
            && Role::from_class(self.role).is_some_and(|role| (role == Role::Drums) == (self.pitch >= DRUM_PITCHES))
    }
}

impl BarRows {
    /// Whether `encode` could have written the bar: 1 to 384 ticks, valid notes inside it, strictly ascending by onset, role and pitch.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let order = |note: &NoteClasses| (note.tick(), note.role, note.pitch);
        (1..=MAX_BAR_TICKS).contains(&i64::from(self.ticks))
            && self.notes.iter().all(|note| note.is_valid() && note.tick() < Tick(self.ticks.into()))
            && self.notes.windows(2).all(|pair| order(&pair[0]) < order(&pair[1]))
    }
}

/// Narrows a value that is in range by construction: clamped, or the remainder of a division.
fn narrow<T: TryFrom<i64>>(value: i64) -> T {
    T::try_from(value).unwrap_or_else(|_| unreachable!("{value} was brought into range"))
}

/// Index of a bar; memory ends before 2^32 bars.
fn index_of(bars: usize) -> u32 {
    u32::try_from(bars).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::music::Metre;

    fn bar(index: u32, start: i64, length: i64) -> Bar {
        Bar { index, start: Tick(start), length: Tick(length), metre: Metre::COMMON }
    }

    fn note(onset: i64, pitch: u8, duration: i64, velocity: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity, role: Role::Keys }
    }

    /// Bars of these lengths, from tick 0 on.
    fn bars_of(lengths: &[i64]) -> Vec<Bar> {
        let mut start = 0;
        (0..)
            .zip(lengths)
            .map(|(index, &length)| {
                let bar = bar(index, start, length);
                start += length;
                bar
            })
            .collect()
    }

    #[test]
    fn values_out_of_range_are_clamped_and_counted() {
        let high = note(0, 200, 24, 66);
        let zero_velocity = note(1, 60, 0, 0);
        let late = Note { offset: 9, ..note(2, 60, 10_000, 255) };
        let encoded = encode(&[high, zero_velocity, late], &[bar(0, 0, 96)], None);
        let EncodeReport { clamped_pitches, clamped_velocities, clamped_offsets, clamped_durations, notes, .. } = encoded.report;
        assert_eq!((notes, clamped_pitches, clamped_velocities, clamped_offsets, clamped_durations), (3, 1, 2, 1, 2));
        let decoded = decode(&encoded.bars, Tick::ZERO);
        assert_eq!(decoded[0].pitch, 127);
        assert_eq!((decoded[1].velocity, decoded[1].duration), (2, Tick(1)));
        assert_eq!((decoded[2].velocity, decoded[2].duration, decoded[2].offset), (126, Tick(768), 3));
    }

    #[test]
    fn duplicates_leave_the_longest_then_the_loudest() {
        let notes = [note(0, 60, 12, 90), note(0, 60, 24, 62), note(0, 60, 24, 70), note(0, 61, 6, 62)];
        let encoded = encode(&notes, &[bar(0, 0, 96)], None);
        assert_eq!(encoded.sources, [2, 3]);
        assert_eq!((encoded.report.notes, encoded.report.duplicates), (2, 2));
    }

    #[test]
    fn notes_across_the_cut_are_open_and_later_ones_are_left_out() {
        let notes = [note(0, 60, 48, 62), note(0, 62, 49, 62), note(47, 64, 1, 62), note(48, 65, 1, 62)];
        let encoded = encode(&notes, &[bar(0, 0, 96)], Some(Tick(48)));
        let durations: Vec<u8> = encoded.bars[0].notes.iter().map(|note| note.duration).collect();
        assert_eq!(durations, [duration_class(Tick(48)), OPEN, 0]);
        assert_eq!((encoded.report.open, encoded.report.outside), (1, 1));
    }

    #[test]
    fn held_notes_are_open_without_a_cut() {
        let held = Note { duration: Tick::MAX, ..note(0, 60, 0, 62) };
        let encoded = encode(&[held], &[bar(0, 0, 96)], None);
        assert_eq!(encoded.bars[0].notes[0].duration, OPEN);
        assert_eq!((encoded.report.clamped(), encoded.report.rounded_durations), (0, 0));
        assert_eq!(decode(&encoded.bars, Tick::ZERO), [held]);
    }

    #[test]
    fn long_bars_are_split_and_notes_keep_their_onsets() {
        let bars = bars_of(&[1000, 96]);
        let notes = [note(0, 60, 24, 62), note(384, 60, 24, 62), note(999, 60, 24, 62), note(1000, 60, 24, 62)];
        let encoded = encode(&notes, &bars, None);
        assert_eq!(encoded.bars.iter().map(|bar| bar.ticks).collect::<Vec<_>>(), [384, 384, 232, 96]);
        assert_eq!(encoded.bars.iter().map(|bar| bar.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(decode(&encoded.bars, Tick::ZERO), notes);
    }

    #[test]
    fn notes_outside_the_bars_are_counted() {
        let notes = [note(-1, 60, 24, 62), note(95, 60, 24, 62), note(96, 60, 24, 62), note(192, 60, 24, 62)];
        assert_eq!(encode(&notes, &[bar(1, 96, 96)], None).report.outside, 3);
        assert_eq!(encode(&notes, &[], None).report.outside, 4);
    }

    /// Lengths of bars, some of them longer than [`MAX_BAR_TICKS`].
    fn lengths() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec(1i64..900, 1..6)
    }

    /// Notes with the velocities and durations of classes.
    fn exact_notes() -> impl Strategy<Value = Vec<Note>> {
        let length = prop_oneof![9 => (0usize..63).prop_map(|class| Tick(DURATIONS[class].into())), 1 => Just(Tick::MAX)];
        let note = (0i64..4000, -4i8..4, length, 0u8..128, 0u8..32, 0usize..16);
        prop::collection::vec(note, 0..80).prop_map(|notes| {
            notes
                .into_iter()
                .map(|(onset, offset, duration, pitch, class, role)| {
                    let velocity = class * VELOCITY_STEP + VELOCITY_STEP / 2;
                    Note { onset: Tick(onset), offset, duration, pitch, velocity, role: Role::ALL[role] }
                })
                .collect()
        })
    }

    /// Notes with any values.
    fn any_notes() -> impl Strategy<Value = Vec<Note>> {
        let note = (-100i64..4000, any::<i8>(), any::<i64>(), any::<u8>(), any::<u8>(), 0usize..16);
        prop::collection::vec(note, 0..80).prop_map(|notes| {
            notes
                .into_iter()
                .map(|(onset, offset, duration, pitch, velocity, role)| Note {
                    onset: Tick(onset),
                    offset,
                    duration: Tick(duration),
                    pitch,
                    velocity,
                    role: Role::ALL[role],
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn representable_notes_survive_a_round_trip(notes in exact_notes(), lengths in lengths()) {
            let bars = bars_of(&lengths);
            let end = bars.last().map_or(Tick::ZERO, Bar::end);
            let mut expected: Vec<Note> = notes.iter().copied().filter(|note| note.onset < end).collect();
            expected.sort_by_key(|note| (note.order(), std::cmp::Reverse((note.duration, note.velocity))));
            expected.dedup_by_key(|note| note.order());

            let encoded = encode(&notes, &bars, None);
            let decoded = decode(&encoded.bars, Tick::ZERO);
            // Among equally long and loud duplicates the offset is the first one's: only the sorted fields are compared.
            let decided = |note: &Note| (note.order(), note.duration, note.velocity);
            prop_assert_eq!(decoded.iter().map(decided).collect::<Vec<_>>(), expected.iter().map(decided).collect::<Vec<_>>());
            prop_assert_eq!(&decoded, &encoded.sources.iter().map(|&source| notes[source]).collect::<Vec<_>>());
            prop_assert_eq!(encoded.report.rounded_durations + encoded.report.clamped(), 0);
            prop_assert_eq!(encoded.report.notes + encoded.report.duplicates + encoded.report.outside, notes.len());
        }

        #[test]
        fn encoded_bars_are_canonical_and_survive_a_round_trip(notes in any_notes(), lengths in lengths(), cut in prop::option::of(0i64..4000)) {
            let encoded = encode(&notes, &bars_of(&lengths), cut.map(Tick));
            prop_assert!(encoded.bars.iter().all(BarRows::is_canonical));

            let written: Vec<i64> = encoded.bars.iter().map(|bar| bar.ticks.into()).collect();
            let again = encode(&decode(&encoded.bars, Tick::ZERO), &bars_of(&written), None);
            prop_assert_eq!(again.bars, encoded.bars);
        }
    }
}
