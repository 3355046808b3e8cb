//! Clip to bytes.

use std::path::Path;

use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};

use super::{MAX_QUARTERS, MidiError};
use crate::files::write_whole;
use crate::music::{Clip, Metre, Note, OFFSETS_PER_TICK, Part, Patch, TICKS_PER_QUARTER, Tick};

/// Ticks per quarter note of written files: a tick of the grid is 40 of them, an eighth of it 5.
const DIVISION: u16 = 960;
const FILE_TICKS_PER_TICK: i64 = DIVISION as i64 / TICKS_PER_QUARTER;
const FILE_TICKS_PER_OFFSET: i64 = FILE_TICKS_PER_TICK / OFFSETS_PER_TICK;

/// Writes a file whole or not at all; an older file of that name is replaced. Every error names it.
///
/// # Errors
/// As [`write()`], or the error of the file system.
pub fn write_file(clip: &Clip, path: &Path) -> Result<(), MidiError> {
    let bytes = write(clip).map_err(|error| MidiError::InFile { path: path.to_owned(), error: Box::new(error) })?;
    write_whole(path, &bytes).map_err(|error| MidiError::Io { path: path.to_owned(), error })
}

/// A type 1 file of the clip: a track of metres and tempi, then one for each part, also for parts without notes.
///
/// Onsets are written as performed (grid and offset), at 0 if that is before the start; ends are written on the grid. Notes still held end
/// with the clip. Roles are not written: reading assigns them again from channel, program and name.
///
/// # Errors
/// [`MidiError::TooLong`] beyond [`MAX_QUARTERS`], [`MidiError::Unwritable`] for more parts or longer names than the format can count.
pub fn write(clip: &Clip) -> Result<Vec<u8>, MidiError> {
    let mut tracks = vec![conductor(clip)?];
    for part in &clip.parts {
        tracks.push(track(part, clip.end)?);
    }
    let smf = Smf { header: Header::new(Format::Parallel, Timing::Metrical(u15::new(DIVISION))), tracks };
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).map_err(|error| MidiError::Unwritable { what: error.to_string() })?;
    Ok(bytes)
}

/// What happens at one file tick. The order is that in which it is written: what ends goes before what begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    NoteOff,
    Other,
    NoteOn,
}

/// The events of a track with their times.
#[derive(Default)]
struct Track<'a> {
    events: Vec<(u64, Step, TrackEventKind<'a>)>,
}

impl<'a> Track<'a> {
    fn add(&mut self, file_tick: i64, step: Step, kind: TrackEventKind<'a>) -> Result<(), MidiError> {
        if file_tick > MAX_QUARTERS * i64::from(DIVISION) {
            return Err(MidiError::TooLong { place: format!("the clip has an event at quarter {}", file_tick / i64::from(DIVISION)) });
        }
        self.events.push((u64::try_from(file_tick).unwrap_or(0), step, kind));
        Ok(())
    }

    /// A bank, as far as it is named, and a program of it.
    fn choose(&mut self, file_tick: i64, channel: u4, patch: Patch) -> Result<(), MidiError> {
        let select = |number, value: Option<u8>| value.map(|value| (u7::new(number), u7::new(value & 0x7F)));
        let bank = [select(0, patch.bank.coarse), select(32, patch.bank.fine)].into_iter().flatten();
        let bank = bank.map(|(controller, value)| MidiMessage::Controller { controller, value });
        for message in bank.chain([MidiMessage::ProgramChange { program: u7::new(patch.program & 0x7F) }]) {
            // Before the notes that sound with it, and behind those that have ended.
            let step = if file_tick == 0 { Step::NoteOff } else { Step::Other };
            self.add(file_tick, step, TrackEventKind::Midi { channel, message })?;
        }
        Ok(())
    }

    /// From times to the distances between them.
    fn into_events(mut self, end: Tick) -> Result<Vec<TrackEvent<'a>>, MidiError> {
        // The sort is stable: of equal times, notes keep the canonical order and metres and tempi that of their maps.
        self.events.sort_by_key(|&(file_tick, step, _)| (file_tick, step));
        let last = self.events.last().map_or(0, |event| event.0);
        self.add(file_ticks(end).max(i64::try_from(last).unwrap_or(i64::MAX)), Step::Other, TrackEventKind::Meta(MetaMessage::EndOfTrack))?;
        let mut before = 0;
        let events = self.events.into_iter().map(|(file_tick, _, kind)| {
            let distance = u32::try_from(file_tick - before).unwrap_or(u32::MAX);
            before = file_tick;
            // Fits: the longest piece is shorter than the longest distance.
            TrackEvent { delta: u28::new(distance), kind }
        });
        Ok(events.collect())
    }
}

const fn file_ticks(tick: Tick) -> i64 {
    tick.0.saturating_mul(FILE_TICKS_PER_TICK)
}

fn conductor(clip: &Clip) -> Result<Vec<TrackEvent<'static>>, MidiError> {
    let mut track = Track::default();
    for &(tick, metre) in clip.metres.changes() {
        track.add(file_ticks(tick), Step::Other, TrackEventKind::Meta(time_signature(metre)))?;
    }
    for &(tick, tempo) in clip.tempos.changes() {
        // A tempo is at most 24 bits wide.
        let micros = u24::new(tempo.micros_per_quarter());
        track.add(file_ticks(tick), Step::Other, TrackEventKind::Meta(MetaMessage::Tempo(micros)))?;
    }
    track.into_events(clip.end)
}

/// The metronome clicks on the metre's beats: 24 MIDI clocks a quarter note.
fn time_signature(metre: Metre) -> MetaMessage<'static> {
    let denominator = metre.denominator();
    let power = u8::try_from(denominator.trailing_zeros()).unwrap_or(2);
    MetaMessage::TimeSignature(metre.numerator(), power, 96 / denominator, 8)
}

fn track(part: &Part, clip_end: Tick) -> Result<Vec<TrackEvent<'_>>, MidiError> {
    let channel = u4::new(part.channel & 0x0F);
    let mut track = Track::default();
    let name = part.setup.name_bytes.as_deref().unwrap_or(part.name.as_bytes());
    track.add(0, Step::NoteOff, TrackEventKind::Meta(MetaMessage::TrackName(name)))?;
    if let Some(port) = part.setup.port {
        track.add(0, Step::NoteOff, TrackEventKind::Meta(MetaMessage::MidiPort(u7::new(port & 0x7F))))?;
    }
    // States the channel of a part without notes.
    track.add(0, Step::NoteOff, TrackEventKind::Meta(MetaMessage::MidiChannel(channel)))?;
    if let Some(program) = part.program {
        track.choose(0, channel, Patch { bank: part.setup.bank, program })?;
    }
    for &(tick, patch) in &part.setup.changes {
        track.choose(file_ticks(tick), channel, patch)?;
    }
    for note in &part.notes {
        let (on, off) = span(note, clip_end);
        let (key, vel) = (u7::new(note.pitch.min(127)), u7::new(note.velocity.clamp(1, 127)));
        track.add(on, Step::NoteOn, TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, vel } })?;
        let message = MidiMessage::NoteOff { key, vel: u7::new(64) };
        track.add(off, Step::NoteOff, TrackEventKind::Midi { channel, message })?;
    }
    track.into_events(clip_end)
}

/// Where a note starts and ends in file ticks.
fn span(note: &Note, clip_end: Tick) -> (i64, i64) {
    let end = if note.end() == Tick::MAX { clip_end.max(note.onset + Tick(1)) } else { note.end() };
    let played = file_ticks(note.onset).saturating_add(i64::from(note.offset) * FILE_TICKS_PER_OFFSET);
    (played.max(0), file_ticks(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read;
    use super::*;
    use crate::music::{DRUM_CHANNEL, MetreMap, Role, Tempo, TempoMap, roles};

    fn note(onset: i64, offset: i8, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset, duration: Tick(duration), pitch, velocity: 80, role: Role::Other }
    }

    fn any_metre() -> impl Strategy<Value = Metre> {
        let metres =
            [(2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (3, 8), (5, 8), (6, 8), (7, 8), (9, 8), (12, 8), (2, 2), (3, 2), (11, 16), (5, 32)];
        prop::sample::select(metres.to_vec()).prop_map(|(numerator, denominator)| Metre::new(numerator, denominator).unwrap())
    }

    /// Metre changes some bars apart, some of them cutting a bar short.
    fn any_metres() -> impl Strategy<Value = MetreMap> {
        prop::collection::vec((any_metre(), 1i64..5, prop::sample::select(&[0i64, 0, 0, 7][..])), 0..8).prop_map(|changes| {
            let mut at = Tick::ZERO;
            MetreMap::new(changes.into_iter().map(|(metre, bars, short)| {
                let start = at;
                at += Tick((metre.bar_length().0 * bars - short).max(1));
                (start, metre)
            }))
        })
    }

    /// Notes of one part. A later note on the same key never ends before an earlier one: two such notes of one channel are indistinguishable.
    fn any_notes() -> impl Strategy<Value = Vec<Note>> {
        prop::collection::vec((0i64..2000, -4i8..=3, 1i64..300, 0u8..128, 1u8..128), 0..60).prop_map(|drawn| {
            let mut notes: Vec<_> = drawn
                .into_iter()
                .map(|(onset, offset, length, key, vel)| Note { velocity: vel, ..note(onset, offset, length, key) })
                .collect();
            notes.sort_by_key(Note::order);
            notes.dedup_by_key(|note| note.order());
            let mut last_end = [Tick::ZERO; 128];
            for note in &mut notes {
                let last = &mut last_end[usize::from(note.pitch)];
                note.duration = note.duration.max(*last - note.onset);
                note.offset = if note.onset == Tick::ZERO { note.offset.max(0) } else { note.offset };
                *last = note.end();
            }
            notes
        })
    }

    fn any_clip() -> impl Strategy<Value = Clip> {
        let part = ("[a-zA-Zäß ]{0,12}", 0u8..16, prop::option::of(0u8..128), any_notes())
            .prop_map(|(name, channel, program, notes)| Part { name, channel, program, notes, ..Part::default() });
        let tempos = prop::collection::vec((0i64..3000, 1u32..=Tempo::SLOWEST), 0..6)
            .prop_map(|changes| TempoMap::new(changes.into_iter().map(|(tick, micros)| (Tick(tick), Tempo::new(micros).unwrap()))));
        (prop::collection::vec(part, 0..5), any_metres(), tempos, 0u32..40).prop_map(|(mut parts, metres, tempos, bars)| {
            roles::assign(&mut parts);
            let mut clip = Clip { parts, metres, tempos, end: Tick::ZERO };
            let changes = clip.metres.changes().last().map(|c| c.0).max(clip.tempos.changes().last().map(|c| c.0)).unwrap_or_default();
            let last = clip.last_sounding().unwrap_or_default().max(changes);
            clip.end = clip.metres.bar_line_from(last).max(clip.metres.bar(bars).start);
            clip
        })
    }

    proptest! {
        #[test]
        fn music_on_the_grid_comes_back_as_it_was(clip in any_clip()) {
            let import = read(&write(&clip).unwrap()).unwrap();
            prop_assert_eq!(&import.clip, &clip);
            prop_assert!(import.report.repaired().is_empty());
            prop_assert_eq!(import.report.lengthened + import.report.offset_clamped, 0);
        }
    }

    #[test]
    fn held_notes_end_with_the_clip_and_early_ones_at_its_start() {
        let notes = vec![note(0, -4, 24, 60), Note { duration: Tick::MAX, ..note(48, 0, 1, 62) }];
        let clip = Clip { parts: vec![Part { notes, ..Part::default() }], end: Tick(96), ..Clip::default() };
        let back = read(&write(&clip).unwrap()).unwrap().clip;
        let spans: Vec<_> = back.notes().iter().map(|note| (note.onset.0, note.offset, note.end().0)).collect();
        assert_eq!(spans, [(0, 0, 24), (48, 0, 96)]);
    }

    #[test]
    fn parts_without_notes_keep_their_place() {
        let drums = Part { name: "Drums".into(), channel: DRUM_CHANNEL, ..Part::default() };
        let keys = Part { name: "Keys".into(), program: Some(4), ..Part::default() };
        let clip = Clip { parts: vec![drums, keys], end: Tick(96), ..Clip::default() };
        assert_eq!(read(&write(&clip).unwrap()).unwrap().clip, clip);
    }

    #[test]
    fn clip_beyond_the_longest_piece_is_refused() {
        let part = Part { notes: vec![note(MAX_QUARTERS * TICKS_PER_QUARTER, 0, 1, 60)], ..Part::default() };
        let error = write(&Clip { parts: vec![part], ..Clip::default() }).unwrap_err();
        assert!(error.to_string().contains("200000 quarter notes"), "{error}");
    }

    #[test]
    fn refused_clip_leaves_the_older_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        let mut clip = Clip { end: Tick(96), ..Clip::default() };
        write_file(&clip, &path).unwrap();
        let before = std::fs::read(&path).unwrap();
        clip.end = Tick::MAX;
        let error = write_file(&clip, &path).unwrap_err();
        assert!(error.to_string().contains("a.mid"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
