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
/// for the channel of the track it is written in; banks and programmes count for their channel in every track of the port, so that a track may set up the
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
            self.report.later_programmes += u64::try_from(later.len()).unwrap_or(u64::MAX);
            part.programme = in_force.map(|patch| patch.programme);
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
    use super::super::fixtures::{chunk, file, header};
    use super::super::{Ignored, Place};
    use super::*;
    use crate::music::{Bank, Patch, Role};

    /// One quarter on middle C at 24 ticks a quarter.
    const QUARTER: &[u8] = &[0, 0x90, 60, 80, 24, 0x80, 60, 0];

    fn refused(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    /// (onset, end, pitch, channel) of every note.
    fn spans(clip: &Clip) -> Vec<(i64, i64, u8, u8)> {
        let of_part = |part: &Part| part.notes.iter().map(|n| (n.onset.0, n.end().0, n.pitch, part.channel)).collect::<Vec<_>>();
        clip.parts.iter().flat_map(of_part).collect()
    }

    #[test]
    fn type_0_file_splits_into_one_part_per_channel() {
        // Running status throughout; a note-on without velocity ends a note.
        let drums = [0, 0xFF, 3, 4, b'S', b'o', b'n', b'g', 0, 0xC2, 33, 0, 0x99, 36, 100, 0, 38, 90, 0, 0x92, 40, 80, 12, 40, 0];
        let end = [12, 0x99, 36, 0, 0, 38, 0];
        let import = read(&file(0, 24, &[&[&drums[..], &end].concat()])).unwrap();
        assert_eq!(spans(&import.clip), [(0, 12, 40, 2), (0, 24, 36, 9), (0, 24, 38, 9)]);
        assert_eq!(
            import.clip.parts.iter().map(|part| (&*part.name, part.programme)).collect::<Vec<_>>(),
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

    #[test]
    fn more_than_128_notes_may_be_held_but_not_for_ever() {
        let strike: Vec<u8> = (0..128u8).flat_map(|key| [0, 0x90, key, 80, 0, 0x91, key, 80]).collect();
        let release: Vec<u8> = (0..128u8).flat_map(|key| [0, 0x80, key, 0, 0, 0x81, key, 0]).collect();
        let import = read(&file(0, 24, &[&[&strike[..], &[24, 0xB0, 7, 100], &release].concat()])).unwrap();
        assert_eq!((import.report.notes, import.report.unclosed.count), (256, 0));
        assert!(import.clip.notes().iter().all(|note| note.duration == Tick(24)));
        assert_eq!(
            refused(&file(0, 24, &[&strike])),
            "256 notes are struck and never end, the first at byte 22; more than 128 is damage: export the file again"
        );
        let import = read(&file(0, 24, &[&strike[..4 * 128]])).unwrap();
        assert_eq!((import.report.notes, import.report.unclosed.count), (128, 128), "a few are closed where the track ends");
    }

    #[test]
    fn metres_of_no_beats_and_tempi_of_zero_are_refused_with_their_byte() {
        let metres = [0, 0xFF, 0x58, 4, 3, 2, 24, 8, 72, 0xFF, 0x58, 4, 0, 0, 24, 8];
        let tempos = [0, 0xFF, 0x51, 3, 0x0B, 0x71, 0xB0, 24, 0xFF, 0x51, 3, 0, 0, 0];
        let message = refused(&file(1, 24, &[QUARTER, &metres]));
        assert!(message.starts_with("track 2 sets a metre of no beats (0/n) at byte 50;"), "{message}");
        let message = refused(&file(1, 24, &[&tempos]));
        assert!(message.starts_with("track 1 sets a tempo of zero at byte 29;"), "{message}");
    }

    #[test]
    fn metres_that_are_too_fine_leave_the_one_before() {
        let metres = [0, 0xFF, 0x58, 4, 3, 2, 24, 8, 72, 0xFF, 0x58, 4, 4, 6, 24, 8, 0, 0xFF, 0x58, 4, 4, 200, 24, 8];
        let import = read(&file(1, 24, &[&metres, QUARTER])).unwrap();
        assert_eq!(import.clip.metres, MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]));
        assert_eq!((import.report.bad_metres.count, import.report.bad_metres.first), (2, Some(Place { byte: 30, file_tick: 72 })));
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
            clip.parts.iter().map(|part| part.programme).collect::<Vec<_>>(),
            [Some(40), Some(33), Some(6)],
            "the third sets itself up"
        );
        let bank = |coarse| Bank { coarse, fine: None };
        assert_eq!(clip.parts.iter().map(|part| part.setup.bank).collect::<Vec<_>>(), [bank(Some(8)), bank(None), bank(Some(8))]);
        assert_eq!(clip.parts[1].setup.changes, [(Tick(24), Patch { bank: bank(None), programme: 35 })]);
        let back = read(&super::super::write(&clip).unwrap()).unwrap().clip;
        assert_eq!(back, clip);
    }

    #[test]
    fn equal_channels_of_two_ports_stay_two_instruments() {
        let port = |port: u8, programme: u8| [&[0, 0xFF, 0x21, 1, port, 0, 0xC0, programme], QUARTER].concat();
        let clip = read(&file(1, 24, &[&port(0, 4), &port(1, 32)])).unwrap().clip;
        assert_eq!(
            clip.parts.iter().map(|part| (part.setup.port, part.programme)).collect::<Vec<_>>(),
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

    #[test]
    fn file_cut_anywhere_is_refused() {
        let whole = file(1, 24, &[QUARTER, QUARTER, &[0, 0xFF, 3, 2, b'a', b'b']]);
        for length in 0..whole.len() {
            refused(&whole[..length]);
        }
        assert!(refused(&whole[..50]).contains("track 2 of 3 at byte 34 needs 20 bytes, 16 are left"));
    }

    #[test]
    fn damaged_event_is_refused_with_its_byte() {
        // A data byte where no status was; a name longer than its track; a time that never ends.
        for damage in [&[0, 0xFF, 3, 100][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]] {
            let message = refused(&file(1, 24, &[&[QUARTER, &[0, 0xFF, 1, 0], damage].concat()]));
            assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 34"), "{message}");
        }
        let message = refused(&file(1, 24, &[&[0, 0xFF, 1, 0, 0, 60, 80]]));
        assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 26"), "{message}");
    }

    #[test]
    fn running_status_across_other_events_is_read_and_reported() {
        let song = [&[0, 0x90, 60, 80, 24, 60, 0, 0, 0xFF, 1, 2, b'l', b'a', 0, 62, 80, 12, 0xF0, 1, 0xF7, 12, 62, 0][..]].concat();
        let import = read(&file(0, 24, &[&song])).unwrap();
        assert_eq!(spans(&import.clip), [(0, 24, 60, 0), (24, 48, 62, 0)]);
        let Ignored { count, first } = import.report.carried_status;
        assert_eq!((count, first), (2, Some(Place { byte: 35, file_tick: 24 })));
        assert!(import.report.repaired()[0].contains("2 (first at byte 35, file tick 24)"), "{:?}", import.report.repaired());
    }

    #[test]
    fn system_messages_are_skipped_and_reported() {
        let song = [0, 0x90, 60, 80, 12, 0xF8, 0, 0xFE, 0, 0xF3, 5, 0, 0xF1, 1, 12, 60, 0];
        let import = read(&file(0, 24, &[&song])).unwrap();
        assert_eq!((spans(&import.clip), import.report.system_messages.count), (vec![(0, 24, 60, 0)], 4));
        assert!(import.report.repaired()[0].starts_with("system messages"), "{:?}", import.report.repaired());
    }

    #[test]
    fn tracks_missing_in_the_header_count_are_read_and_reported() {
        for announced in [0, 1] {
            let mut bytes = file(1, 24, &[QUARTER, QUARTER, QUARTER]);
            bytes[11] = announced;
            // Another chunk in between is none the header counts.
            bytes.splice(34..34, chunk(b"odd ", b"?"));
            let import = read(&bytes).unwrap();
            assert_eq!((import.clip.parts.len(), import.report.unannounced_tracks), (3, 3 - usize::from(announced)));
            let repair = format!("tracks announced by the header: {announced}, tracks in the file, all read: 3");
            assert_eq!(import.report.repaired(), [repair]);
            assert!(refused(&bytes[..bytes.len() - 1]).contains("cut short: track 3"));
        }
    }

    #[test]
    fn bytes_after_the_end_are_counted() {
        let track = [QUARTER, &[0, 0xFF, 0x2F, 0, 1, 2, 3]].concat();
        let bytes = [header(0, 1, 24), chunk(b"odd ", b"?"), chunk(b"MTrk", &track), b"junk".to_vec()].concat();
        let report = read(&bytes).unwrap().report;
        assert_eq!((report.trailing_bytes, report.endless_tracks), (7, 0));
        let endless = read(&[header(0, 1, 24), chunk(b"MTrk", QUARTER)].concat()).unwrap().report;
        assert_eq!((endless.trailing_bytes, endless.endless_tracks), (0, 1));
    }

    #[test]
    fn ten_million_events_are_refused_where_the_limit_is_reached() {
        let events: Vec<u8> = [0, 0x90, 60, 80].into_iter().chain([0, 60, 0, 0, 60, 80].repeat(5_000_000)).collect();
        assert!(refused(&file(0, 24, &[&events])).contains("more than 4000000 events: the limit is reached in track 1 at byte 12000023"));
        assert!(refused(&vec![0; 64 << 20 | 1]).contains("67108865 bytes"));
    }

    #[test]
    fn absurd_pause_is_refused() {
        let message = refused(&file(0, 24, &[&[0xFF, 0xFF, 0xFF, 0x7F, 0x90, 60, 80]]));
        assert!(message.contains("longer than 200000 quarter notes: track 1, byte 22"), "{message}");
    }

    #[test]
    fn errors_of_files_name_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.mid");
        assert!(read_file(&path).unwrap_err().to_string().contains("broken.mid"));
        std::fs::write(&path, b"MThd").unwrap();
        assert!(read_file(&path).unwrap_err().to_string().contains("broken.mid: the file is cut short"));
    }
}
