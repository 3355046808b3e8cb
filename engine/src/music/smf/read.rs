//! Bytes to clip.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use super::chunks::{Chunk, Header, midi_range};
use super::grid::Grid;
use super::patches::Patches;
use super::report::ImportReport;
use super::source::{PartSource, Source, TrackSource};
use super::{MAX_FILE_BYTES, MidiError};
use crate::music::{Clip, LATE_RELEASE, Metre, MetreMap, Part, Tempo, TempoMap, Tick, roles};

/// Result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The music on the grid. It may be without notes; the caller decides whether that is an error.
    pub clip: Clip,
    /// Adjustments.
    pub report: ImportReport,
}

/// Reads a file; every error names it.
///
/// # Errors
/// As [`read`], or the error of the file system.
pub fn read_file(path: &Path) -> Result<Import, MidiError> {
    Ok(Source::read_file(path)?.into_import())
}

/// Reads a Standard MIDI File.
///
/// Onsets go to the nearest tick of the grid, halves up, and keep the rest in eighths of a tick. Ends go to the nearest tick too, at least one tick
/// after the onset: so notes that touch in the file touch on the grid. Names that are not UTF-8 are taken as Latin-1, and keep their bytes. The pedal counts
/// for the channel of the track it is written in; banks and programs count for their channel in every track of the port, so that a track may set up the
/// others.
///
/// # Errors
/// [`MidiError`], with the byte, for everything that is no sound file of type 0 or 1 or goes beyond the limits of this module.
pub fn read(bytes: &[u8]) -> Result<Import, MidiError> {
    read_parts(bytes).map(|read| Import { clip: read.clip, report: read.report })
}

/// The bytes of a file, which may be a pipe: no more than are read at all.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, MidiError> {
    let io = |error| MidiError::Io { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(io)?;
    Ok(bytes)
}

/// Clip that was read, and the places of its notes in the bytes.
pub(super) struct ReadParts {
    pub(super) clip: Clip,
    pub(super) report: ImportReport,
    pub(super) tracks: Vec<TrackSource>,
    /// Where each part of the clip comes from.
    pub(super) parts: Vec<PartSource>,
    /// Ticks per quarter note.
    pub(super) grid: Grid,
}

/// Reads a file and keeps the places of its notes.
pub(super) fn read_parts(bytes: &[u8]) -> Result<ReadParts, MidiError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > MAX_FILE_BYTES {
        return Err(MidiError::TooLarge { bytes: size });
    }
    let range = midi_range(bytes)?;
    let bytes = &bytes[..range.end];
    let header = Header::read(bytes, range.start)?;
    let mut reader = Reader::new(&header);
    let mut at = header.end;
    loop {
        let track = reader.tracks.len() + 1;
        let announced = track <= usize::from(header.tracks);
        let what = || format!("track {track} of {}", header.tracks.max(u16::try_from(track).unwrap_or(u16::MAX)));
        if at == bytes.len() && announced {
            return Err(MidiError::CutShort { what: what(), byte: at, needed: 8, left: 0 });
        }
        let chunk = match Chunk::read(bytes, at, what) {
            // Any bytes may follow the announced tracks, but a track among them is one missing in the header's count.
            Err(_) if !announced && !bytes[at..].starts_with(b"MTrk") => break,
            chunk => chunk?,
        };
        if chunk.id == *b"MTrk" {
            reader.read_track(track, chunk.content, at + 8)?;
            reader.report.unannounced_tracks += usize::from(!announced);
        } else if !announced && !holds_track(bytes, chunk.end) {
            break;
        }
        at = chunk.end;
    }
    if reader.tracks.is_empty() {
        return Err(MidiError::Header { what: "it announces no tracks, and there are none".to_owned(), byte: range.start + 10 });
    }
    reader.report.trailing_bytes += bytes.len() - at;
    Ok(reader.finish())
}

/// Whether another track follows among the chunks from `at` on.
fn holds_track(bytes: &[u8], mut at: usize) -> bool {
    while let Ok(chunk) = Chunk::read(bytes, at, String::new) {
        if chunk.id == *b"MTrk" {
            return true;
        }
        at = chunk.end;
    }
    false
}

/// The clip in the making.
pub(super) struct Reader {
    pub(super) grid: Grid,
    pub(super) parts: Vec<Part>,
    pub(super) sources: Vec<PartSource>,
    pub(super) tracks: Vec<TrackSource>,
    pub(super) patches: Patches,
    pub(super) metres: Vec<(Tick, Metre)>,
    pub(super) tempos: Vec<(Tick, Tempo)>,
    /// Ends of the tracks that determine the length of the piece, in file ticks: those with notes, and those that end apart from their last event.
    pub(super) ends: Vec<u64>,
    /// Where the last track ends.
    pub(super) end: u64,
    pub(super) report: ImportReport,
}

impl Reader {
    fn new(header: &Header) -> Self {
        Self {
            grid: Grid { division: header.division },
            parts: Vec::new(),
            sources: Vec::new(),
            tracks: Vec::new(),
            patches: Patches::default(),
            metres: Vec::new(),
            tempos: Vec::new(),
            ends: Vec::new(),
            end: 0,
            report: ImportReport { format: header.format, division: header.division, ..ImportReport::default() },
        }
    }

    fn finish(mut self) -> ReadParts {
        let playing: HashSet<(usize, u8, u8)> =
            self.parts.iter().zip(&self.sources).map(|(part, source)| (source.track, source.port, part.channel)).collect();
        for (part, source) in self.parts.iter_mut().zip(&self.sources) {
            let first = part.notes.first().map_or(Tick::ZERO, |note| note.onset);
            let plays = |track| playing.contains(&(track, source.port, part.channel));
            let mut in_force = None;
            let mut later = Vec::new();
            for (file_tick, patch) in self.patches.of(source.track, source.port, part.channel, plays) {
                let tick = self.grid.tick(file_tick);
                if in_force.is_none() || tick <= first {
                    in_force = Some(patch);
                } else if later.last().map(|&(_, patch)| patch).or(in_force) != Some(patch) {
                    later.push((tick, patch));
                }
            }
            self.report.later_programs += u64::try_from(later.len()).unwrap_or(u64::MAX);
            part.program = in_force.map(|patch| patch.program);
            part.setup.bank = in_force.map(|patch| patch.bank).unwrap_or_default();
            part.setup.changes = later;
        }
        roles::assign(&mut self.parts);
        let mut clip = Clip { parts: self.parts, metres: MetreMap::new(self.metres), tempos: TempoMap::new(self.tempos), end: Tick::ZERO };
        clip.end = end_of(&clip, &self.ends, self.end, self.grid);
        self.report.notes = clip.note_count();
        ReadParts { clip, report: self.report, tracks: self.tracks, parts: self.sources, grid: self.grid }
    }
}

/// End of a clip; `ends` are those of the tracks that determine its length, `last` that of all tracks.
fn end_of(clip: &Clip, ends: &[u64], last: u64, grid: Grid) -> Tick {
    let Some(closing) = clip.closing_bar_line() else {
        let end = ends.iter().max().copied().unwrap_or(last);
        return clip.metres.bar_line_from(grid.tick(end));
    };
    let stated = ends.iter().filter_map(|&end| {
        let end = grid.tick(end);
        let bar = clip.metres.bar_at(end);
        // An end inside a bar depends on the exporting program and is ignored.
        if end - bar.start <= LATE_RELEASE { Some(bar.start) } else { (bar.end() - end <= LATE_RELEASE).then(|| bar.end()) }
    });
    stated.max().map_or(closing, |end| end.max(closing))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{QUARTER, chunk, file, header, spans};
    use super::*;
    use crate::music::{Bank, Patch, Role};

    #[test]
    fn type_0_file_splits_into_one_part_per_channel() {
        // Running status throughout; a note-on without velocity ends a note.
        let drums = [0, 0xFF, 3, 4, b'S', b'o', b'n', b'g', 0, 0xC2, 33, 0, 0x99, 36, 100, 0, 38, 90, 0, 0x92, 40, 80, 12, 40, 0];
        let end = [12, 0x99, 36, 0, 0, 38, 0];
        let import = read(&file(0, 24, &[&[&drums[..], &end].concat()])).unwrap();
        assert_eq!(spans(&import.clip), [(0, 12, 40, 2), (0, 24, 36, 9), (0, 24, 38, 9)]);
        assert_eq!(
            import.clip.parts.iter().map(|part| (&*part.name, part.program)).collect::<Vec<_>>(),
            [("", Some(33)), ("", None)],
            "the name of the track is the song's"
        );
        assert_eq!(import.clip.parts[1].notes[0].role, Role::Drums);
        assert_eq!(import.clip.parts[0].notes[0].role, Role::Bass);
        assert!(import.report.repaired().is_empty());
    }

    #[test]
    fn end_of_a_clip_is_the_bar_line_after_everything() {
        // The track ends at tick 48, inside the first bar.
        assert_eq!(read(&file(1, 24, &[QUARTER])).unwrap().clip.end, Tick(96));
        let metre = [0, 0xFF, 0x58, 4, 2, 2, 24, 8];
        assert_eq!(read(&file(1, 24, &[&metre, QUARTER])).unwrap().clip.end, Tick(48));
    }

    #[test]
    fn file_with_only_drums_or_without_notes_is_read() {
        let drums = [0, 0x99, 36, 100, 24, 0x89, 36, 0];
        assert!(read(&file(0, 24, &[&drums])).unwrap().clip.notes().iter().all(|note| note.role == Role::Drums));
        let silent = read(&file(1, 480, &[&[], &[0, 0xC0, 5]])).unwrap();
        assert!(silent.clip.is_silent() && silent.clip.parts.is_empty());
    }

    #[test]
    fn note_shorter_than_a_tick_lasts_one() {
        let import = read(&file(1, 480, &[&[0, 0x90, 60, 80, 3, 60, 0]])).unwrap();
        assert_eq!((spans(&import.clip), import.report.lengthened), (vec![(0, 1, 60, 0)], 1));
    }

    #[test]
    fn duplicates_leave_the_longest() {
        let import = read(&file(1, 24, &[&[0, 0x90, 60, 80, 0, 60, 90, 12, 60, 0, 12, 60, 0]])).unwrap();
        assert_eq!((spans(&import.clip), import.report.duplicates), (vec![(0, 24, 60, 0)], 1));
        assert_eq!(import.clip.parts[0].notes[0].velocity, 90);
    }

    /// A name event at tick 0.
    fn named(name: &[u8]) -> Vec<u8> {
        [&[0, 0xFF, 3, u8::try_from(name.len()).unwrap()], name].concat()
    }

    #[test]
    fn names_that_are_not_utf_8_are_read_as_latin_1_and_written_as_they_were() {
        let shift_jis = b"\x83s\x83A\x83m";
        let bytes = file(
            1,
            24,
            &[
                &[&named("Baſso".as_bytes()), QUARTER].concat(),
                &[&named(b"Fl\xF6te"), QUARTER].concat(),
                &[&named(shift_jis), QUARTER].concat(),
            ],
        );
        let clip = read(&bytes).unwrap().clip;
        assert_eq!(clip.parts[..2].iter().map(|part| &*part.name).collect::<Vec<_>>(), ["Baſso", "Flöte"]);
        assert_eq!(clip.parts[0].setup.name_bytes, None);
        let written = super::super::write(&clip).unwrap();
        for name in ["Baſso".as_bytes(), b"Fl\xF6te", shift_jis] {
            assert!(written.windows(name.len()).any(|window| window == name), "{name:?}");
        }
    }

    #[test]
    fn single_instrument_of_a_type_0_file_keeps_its_name_and_several_take_their_own() {
        assert_eq!(read(&file(0, 24, &[&[&named(b"Piano"), QUARTER].concat()])).unwrap().clip.parts[0].name, "Piano");
        let prefixed = [
            &named(b"The Old Bridge")[..],
            &[0, 0xFF, 0x20, 1, 1],
            &named(b"Bass"),
            &[0, 0xC1, 33],
            QUARTER,
            &[0, 0x91, 40, 80, 24, 40, 0],
        ]
        .concat();
        let clip = read(&file(0, 24, &[&prefixed])).unwrap().clip;
        assert_eq!(clip.parts.iter().map(|part| &*part.name).collect::<Vec<_>>(), ["", "Bass"]);
        let type_1 = read(&file(1, 24, &[&prefixed])).unwrap().clip;
        assert_eq!(type_1.parts[0].name, "The Old Bridge", "in a type 1 file a track is an instrument");
    }

    #[test]
    fn set_up_track_gives_the_others_their_sounds() {
        let set_up = [0, 0xB0, 0, 8, 0, 0xC0, 40, 0, 0xC1, 33, 24, 0xC1, 35];
        let bass = [0, 0x91, 40, 80, 24, 40, 0];
        let own = [0, 0xC0, 6, 0, 0x90, 60, 80, 24, 60, 0];
        let clip = read(&file(1, 24, &[&set_up, QUARTER, &bass, &own])).unwrap().clip;
        assert_eq!(
            clip.parts.iter().map(|part| part.program).collect::<Vec<_>>(),
            [Some(40), Some(33), Some(6)],
            "the third sets itself up"
        );
        let bank = |coarse| Bank { coarse, fine: None };
        assert_eq!(clip.parts.iter().map(|part| part.setup.bank).collect::<Vec<_>>(), [bank(Some(8)), bank(None), bank(Some(8))]);
        assert_eq!(clip.parts[1].setup.changes, [(Tick(24), Patch { bank: bank(None), program: 35 })]);
        let back = read(&super::super::write(&clip).unwrap()).unwrap().clip;
        assert_eq!(back, clip);
    }

    #[test]
    fn equal_channels_of_two_ports_stay_two_instruments() {
        let port = |port: u8, program: u8| [&[0, 0xFF, 0x21, 1, port, 0, 0xC0, program], QUARTER].concat();
        let clip = read(&file(1, 24, &[&port(0, 4), &port(1, 32)])).unwrap().clip;
        assert_eq!(
            clip.parts.iter().map(|part| (part.setup.port, part.program)).collect::<Vec<_>>(),
            [(Some(0), Some(4)), (Some(1), Some(32))]
        );
        let one_track = [&port(0, 4)[..], &port(1, 32)].concat();
        assert_eq!(read(&file(0, 24, &[&one_track])).unwrap().clip.parts.len(), 2);
        assert_eq!(read(&super::super::write(&clip).unwrap()).unwrap().clip, clip);
    }

    /// Four quarters, each on the next of the channels, with a bend before each.
    fn by_voice(channels: [u8; 4]) -> Vec<u8> {
        channels.iter().flat_map(|c| [0, 0xE0 | c, 5, 64, 0, 0x90 | c, 60 + c, 80, 24, 0x80 | c, 60 + c, 0]).collect()
    }

    #[test]
    fn mpe_track_is_one_player_also_on_the_drum_channel() {
        for format in [0, 1] {
            let clip = read(&file(format, 24, &[&[&named(b"Seaboard")[..], &by_voice([7, 8, 9, 10])].concat()])).unwrap().clip;
            assert_eq!(clip.parts.len(), 1, "type {format}");
            assert_eq!((&*clip.parts[0].name, clip.parts[0].channel, clip.note_count()), ("Seaboard", 7, 4));
            assert!(clip.notes().iter().all(|note| note.role != Role::Drums));
        }
    }

    #[test]
    fn end_of_track_after_a_rest_is_the_end_of_the_clip_and_a_late_tempo_is_not() {
        // Bars of a quarter: a track may end in bar 3, or the tempo change there.
        let metre = [0, 0xFF, 0x58, 4, 1, 2, 24, 8];
        let tempo = [48, 0xFF, 0x51, 3, 7, 0xA1, 0x20];
        let whole = |tracks: &[Vec<u8>]| {
            let chunks = tracks.iter().flat_map(|track| chunk(b"MTrk", track));
            header(1, u16::try_from(tracks.len()).unwrap(), 24).into_iter().chain(chunks).collect::<Vec<_>>()
        };
        let closed = |events: &[&[u8]], rest: u8| [&events.concat()[..], &[rest, 0xFF, 0x2F, 0]].concat();
        let end = |tracks: &[Vec<u8>]| read(&whole(tracks)).unwrap().clip.end;
        assert_eq!(end(&[closed(&[&metre], 0), closed(&[QUARTER], 24)]), Tick(48));
        assert_eq!(end(&[closed(&[&metre], 72), closed(&[QUARTER], 0)]), Tick(72));
        assert_eq!(end(&[closed(&[&metre, &tempo], 0), closed(&[QUARTER], 0)]), Tick(24));
        assert_eq!(end(&[closed(&[&metre], 0), closed(&[QUARTER], 12)]), Tick(24), "an end inside a bar is ignored");
        assert_eq!(end(&[closed(&[&metre], 0), closed(&[&[0, 0x90, 60, 80, 30, 60, 0]], 0)]), Tick(24), "a sixteenth late");
    }
}
