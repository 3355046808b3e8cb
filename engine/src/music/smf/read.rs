//! Bytes to clip.

use std::path::Path;

use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::channel::{Channel, RawNote};
use super::chunks::{Chunk, Header};
use super::grid::Grid;
use super::report::{Ignored, ImportReport, Place};
use super::{MAX_EVENTS, MAX_FILE_BYTES, MAX_UNENDED, MidiError};
use crate::music::{Clip, Metre, MetreMap, Note, Part, Role, Tempo, TempoMap, Tick, roles};

/// What a file became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The music on the grid. It may be without a note: whether that is an error is the caller's to say.
    pub clip: Clip,
    /// What was adjusted.
    pub report: ImportReport,
}

/// Reads a file; every error names it.
///
/// # Errors
/// As [`read`], or what the file system says.
pub fn read_file(path: &Path) -> Result<Import, MidiError> {
    let io = |error| MidiError::Io { path: path.to_owned(), error };
    let in_file = |error| MidiError::InFile { path: path.to_owned(), error: Box::new(error) };
    let bytes = std::fs::metadata(path).map_err(io)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(in_file(MidiError::TooLarge { bytes }));
    }
    read(&std::fs::read(path).map_err(io)?).map_err(in_file)
}

/// Reads a Standard MIDI File.
///
/// Onsets go to the nearest tick of the grid, halves up, and keep the rest in eighths of a tick. Ends go to the nearest tick too, at least one tick
/// after the onset: so notes that touch in the file touch on the grid. Names that are not UTF-8 are taken as Latin-1. The pedal counts for the
/// channel of the track it is written in. Reading streams: memory is bounded by the notes kept.
///
/// # Errors
/// [`MidiError`], with the byte, for everything that is no sound file of type 0 or 1 or goes beyond the limits of this module.
pub fn read(bytes: &[u8]) -> Result<Import, MidiError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > MAX_FILE_BYTES {
        return Err(MidiError::TooLarge { bytes: size });
    }
    let header = Header::read(bytes)?;
    let mut import = Reader {
        grid: Grid { division: header.division },
        parts: Vec::new(),
        metres: Vec::new(),
        tempos: Vec::new(),
        end: 0,
        report: ImportReport { format: header.format, division: header.division, ..ImportReport::default() },
    };
    let mut at = header.end;
    while import.report.tracks < usize::from(header.tracks) {
        let track = import.report.tracks + 1;
        if at == bytes.len() {
            let what = format!("track {track} of {}", header.tracks);
            return Err(MidiError::CutShort { what, byte: at, needed: 8, left: 0 });
        }
        let chunk = Chunk::read(bytes, at, || format!("track {track} of {}", header.tracks))?;
        if chunk.id == *b"MTrk" {
            import.read_track(track, chunk.content, at + 8)?;
            import.report.tracks += 1;
        }
        at = chunk.end;
    }
    import.report.trailing_bytes += bytes.len() - at;
    Ok(import.finish())
}

/// The clip in the making.
struct Reader {
    grid: Grid,
    parts: Vec<Part>,
    metres: Vec<(Tick, Metre)>,
    tempos: Vec<(Tick, Tempo)>,
    /// Where the last track ends, in file ticks.
    end: u64,
    report: ImportReport,
}

impl Reader {
    /// Reads one track whose content begins at byte `origin`.
    fn read_track(&mut self, track: usize, content: &[u8], origin: usize) -> Result<(), MidiError> {
        let mut events = EventIter::new(content);
        let mut channels: [Option<Channel>; 16] = Default::default();
        let mut name = None;
        let mut announced = None;
        let mut file_tick = 0;
        let mut closed = false;
        while !closed {
            let byte = origin + content.len() - events.unread().len();
            let Some(event) = events.next() else { break };
            let event = event.map_err(|_| MidiError::Damaged { track, byte })?;
            self.report.events += 1;
            if self.report.events > MAX_EVENTS {
                return Err(MidiError::TooManyEvents { track, byte });
            }
            file_tick += u64::from(event.delta.as_int());
            if file_tick > self.grid.longest() {
                return Err(MidiError::TooLong { place: format!("track {track}, byte {byte}") });
            }
            let place = Place { byte, file_tick };
            match event.kind {
                TrackEventKind::Midi { channel, message } => {
                    let channel = channels[usize::from(channel.as_int())].get_or_insert_default();
                    self.read_message(channel, message, place);
                }
                TrackEventKind::Meta(MetaMessage::TrackName(bytes)) => name = name.or_else(|| Some(text(bytes))),
                TrackEventKind::Meta(MetaMessage::MidiChannel(channel)) => announced = Some(channel),
                TrackEventKind::Meta(MetaMessage::EndOfTrack) => closed = true,
                TrackEventKind::Meta(meta) => self.read_meta(&meta, track, place)?,
                TrackEventKind::SysEx(_) | TrackEventKind::Escape(_) => {}
            }
        }
        self.report.endless_tracks += u64::from(!closed);
        self.report.trailing_bytes += events.unread().len();
        self.end = self.end.max(file_tick);
        if let Some(channel) = announced {
            channels[usize::from(channel.as_int())].get_or_insert_default();
        }
        let name = name.unwrap_or_default();
        for (number, channel) in (0u8..).zip(channels) {
            let Some(mut channel) = channel else { continue };
            channel.finish_all(file_tick, &mut self.report);
            // A channel that only sets itself up is no part, unless the track says so by name of the channel: our own empty parts do.
            if !channel.notes.is_empty() || announced.is_some_and(|announced| announced == number) {
                let notes = self.quantise(&channel.notes);
                self.parts.push(Part { name: name.clone(), channel: number, programme: channel.programme, notes });
            }
        }
        match self.report.unclosed {
            Ignored { count, first: Some(Place { byte, .. }) } if count > MAX_UNENDED => Err(MidiError::Unended { count, byte }),
            _ => Ok(()),
        }
    }

    fn read_message(&mut self, channel: &mut Channel, message: MidiMessage, place: Place) {
        match message {
            // A note-on without velocity is a note-off: the standard's way to save status bytes.
            MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => channel.note_on(key.as_int(), vel.as_int(), place),
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => channel.note_off(key.as_int(), place, &mut self.report),
            MidiMessage::Controller { controller, value } => {
                channel.controller(controller.as_int(), value.as_int(), place, &mut self.report);
            }
            MidiMessage::ProgramChange { program } => {
                let standing = *channel.programme.get_or_insert(program.as_int());
                self.report.later_programmes += u64::from(standing != program.as_int());
            }
            MidiMessage::Aftertouch { .. } | MidiMessage::ChannelAftertouch { .. } | MidiMessage::PitchBend { .. } => {}
        }
    }

    fn read_meta(&mut self, meta: &MetaMessage<'_>, track: usize, place: Place) -> Result<(), MidiError> {
        let byte = place.byte;
        match *meta {
            MetaMessage::Tempo(micros) => {
                let tempo = Tempo::new(micros.as_int()).ok_or(MidiError::Tempo { track, byte })?;
                self.tempos.push((self.grid.tick(place.file_tick), tempo));
            }
            MetaMessage::TimeSignature(0, ..) => return Err(MidiError::Metre { track, byte }),
            MetaMessage::TimeSignature(numerator, power, ..) => {
                match 1u8.checked_shl(u32::from(power)).and_then(|denominator| Metre::new(numerator, denominator)) {
                    Some(metre) => self.metres.push((self.grid.tick(place.file_tick), metre)),
                    None => self.report.bad_metres.add(place),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes on the grid, in canonical order, one for each onset and pitch. Their role comes later: it needs all parts.
    fn quantise(&mut self, raw: &[RawNote]) -> Vec<Note> {
        let mut notes: Vec<_> = raw
            .iter()
            .map(|raw| {
                let (onset, offset, clamped) = self.grid.onset(raw.start);
                let length = self.grid.tick(raw.end) - onset;
                self.report.off_grid += u64::from(offset != 0);
                self.report.offset_clamped += u64::from(clamped);
                self.report.lengthened += u64::from(length < Tick(1));
                Note { onset, offset, duration: length.max(Tick(1)), pitch: raw.key, velocity: raw.velocity, role: Role::Other }
            })
            .collect();
        // Of notes that differ in nothing but their length the longest comes first, and stays.
        notes.sort_by_key(|note| (note.order(), std::cmp::Reverse(note.duration)));
        let read = notes.len();
        notes.dedup_by_key(|note| note.order());
        self.report.duplicates += u64::try_from(read - notes.len()).unwrap_or(u64::MAX);
        notes
    }

    fn finish(mut self) -> Import {
        roles::assign(&mut self.parts);
        let mut clip = Clip { parts: self.parts, metres: MetreMap::new(self.metres), tempos: TempoMap::new(self.tempos), end: Tick::ZERO };
        let last = clip.last_sounding().unwrap_or_default().max(self.grid.tick(self.end));
        clip.end = clip.metres.bar_line_from(last);
        self.report.notes = clip.note_count();
        Import { clip, report: self.report }
    }
}

/// A name: UTF-8, or else Latin-1, which every byte is.
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{chunk, file, header};
    use super::*;

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
    fn a_type_0_file_splits_into_one_part_a_channel() {
        // Running status throughout; a note-on without velocity ends a note.
        let drums = [0, 0xFF, 3, 4, b'S', b'o', b'n', b'g', 0, 0xC2, 33, 0, 0x99, 36, 100, 0, 38, 90, 0, 0x92, 40, 80, 12, 40, 0];
        let end = [12, 0x99, 36, 0, 0, 38, 0];
        let import = read(&file(0, 24, &[&[&drums[..], &end].concat()])).unwrap();
        assert_eq!(spans(&import.clip), [(0, 12, 40, 2), (0, 24, 36, 9), (0, 24, 38, 9)]);
        assert_eq!(
            import.clip.parts.iter().map(|part| (&*part.name, part.programme)).collect::<Vec<_>>(),
            [("Song", Some(33)), ("Song", None)]
        );
        assert_eq!(import.clip.parts[1].notes[0].role, Role::Drums);
        assert_eq!(import.clip.parts[0].notes[0].role, Role::Bass);
        assert!(import.report.mended().is_empty());
    }

    #[test]
    fn the_end_is_the_bar_line_after_everything() {
        // The track ends at tick 48, inside the first bar.
        assert_eq!(read(&file(1, 24, &[QUARTER])).unwrap().clip.end, Tick(96));
        let metre = [0, 0xFF, 0x58, 4, 2, 2, 24, 8];
        assert_eq!(read(&file(1, 24, &[&metre, QUARTER])).unwrap().clip.end, Tick(48));
    }

    #[test]
    fn only_drums_and_no_notes_are_read() {
        let drums = [0, 0x99, 36, 100, 24, 0x89, 36, 0];
        assert!(read(&file(0, 24, &[&drums])).unwrap().clip.notes().iter().all(|note| note.role == Role::Drums));
        let silent = read(&file(1, 480, &[&[], &[0, 0xC0, 5]])).unwrap();
        assert!(silent.clip.is_silent() && silent.clip.parts.is_empty());
    }

    #[test]
    fn a_note_shorter_than_a_tick_lasts_one() {
        let import = read(&file(1, 480, &[&[0, 0x90, 60, 80, 3, 60, 0]])).unwrap();
        assert_eq!((spans(&import.clip), import.report.lengthened), (vec![(0, 1, 60, 0)], 1));
    }

    #[test]
    fn of_duplicates_the_longest_stays() {
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

    #[test]
    fn names_are_utf_8_or_latin_1() {
        assert_eq!(text("Baſso".as_bytes()), "Baſso");
        assert_eq!(text(b"Fl\xF6te"), "Flöte");
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let whole = file(1, 24, &[QUARTER, QUARTER, &[0, 0xFF, 3, 2, b'a', b'b']]);
        for length in 0..whole.len() {
            refused(&whole[..length]);
        }
        assert!(refused(&whole[..50]).contains("track 2 of 3 at byte 34 needs 20 bytes, 16 are left"));
    }

    #[test]
    fn a_damaged_event_is_refused_with_its_byte() {
        // A data byte where a status should be; a name longer than its track; a system message; a time that never ends.
        let damages: [&[u8]; 4] = [&[0, 60, 80], &[0, 0xFF, 3, 100], &[0, 0xF4], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]];
        for damage in damages {
            let message = refused(&file(1, 24, &[&[QUARTER, &[0, 0xFF, 1, 0], damage].concat()]));
            assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 34"), "{message}");
        }
    }

    #[test]
    fn what_follows_the_end_is_counted() {
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
    fn an_absurd_pause_is_refused() {
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
