//! Bytes to clip.

use std::path::Path;

use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::channel::{Channel, RawNote};
use super::report::{ImportReport, Place};
use super::{MAX_EVENTS, MAX_FILE_BYTES, MAX_QUARTERS, MidiError};
use crate::music::{
    Clip, DRUM_CHANNEL, Metre, MetreMap, Note, OFFSETS_PER_TICK, Part, Role, TICKS_PER_QUARTER, Tempo, TempoMap, Tick, roles,
};

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

/// A chunk of the file: four letters and a length.
struct Chunk<'a> {
    id: [u8; 4],
    content: &'a [u8],
    /// The byte after it.
    end: usize,
}

impl<'a> Chunk<'a> {
    fn read(bytes: &'a [u8], at: usize, what: impl Fn() -> String) -> Result<Self, MidiError> {
        let rest = &bytes[at..];
        let cut_short = |needed| MidiError::CutShort { what: what(), byte: at, needed, left: rest.len() };
        let (head, rest) = rest.split_first_chunk::<8>().ok_or_else(|| cut_short(8))?;
        let [i, d, e, n, length @ ..] = *head;
        let length = u32::from_be_bytes(length);
        let content = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or_else(|| cut_short(8 + u64::from(length)))?;
        Ok(Self { id: [i, d, e, n], content, end: at + 8 + content.len() })
    }
}

/// What the header chunk says.
struct Header {
    format: u8,
    tracks: u16,
    /// Ticks per quarter note.
    division: u16,
    /// The byte after it.
    end: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, MidiError> {
        if bytes.is_empty() {
            return Err(MidiError::Empty);
        }
        if !bytes.starts_with(b"MThd") {
            return Err(MidiError::NotMidi { begins: bytes[..bytes.len().min(8)].escape_ascii().to_string() });
        }
        let chunk = Chunk::read(bytes, 0, || "the header".to_owned())?;
        let Some(&[f0, f1, t0, t1, d0, d1]) = chunk.content.first_chunk::<6>() else {
            return Err(MidiError::Header { what: format!("it is {} bytes long instead of 6", chunk.content.len()), byte: 4 });
        };
        let format = match u16::from_be_bytes([f0, f1]) {
            0 => 0,
            1 => 1,
            2 => return Err(MidiError::Patterns),
            other => return Err(MidiError::Header { what: format!("type {other} does not exist"), byte: 8 }),
        };
        let tracks = u16::from_be_bytes([t0, t1]);
        if tracks == 0 {
            return Err(MidiError::Header { what: "it announces no tracks".to_owned(), byte: 10 });
        }
        // A track is at least 8 bytes: a count beyond that needs no further look.
        let room = (bytes.len() - chunk.end) / 8;
        if usize::from(tracks) > room {
            let what =
                format!("it announces {tracks} tracks, and the file has room for {room}: the count is wrong or the file is cut short");
            return Err(MidiError::Header { what, byte: 10 });
        }
        if d0 >= 0x80 {
            return Err(MidiError::Smpte);
        }
        let division = u16::from_be_bytes([d0, d1]);
        if division == 0 {
            return Err(MidiError::Header { what: "it gives a quarter note 0 ticks".to_owned(), byte: 12 });
        }
        Ok(Self { format, tracks, division, end: chunk.end })
    }
}

/// From the file's ticks to ours.
#[derive(Debug, Clone, Copy)]
struct Grid {
    division: u16,
}

impl Grid {
    /// The nearest tick, halves up.
    fn tick(self, file_tick: u64) -> Tick {
        let division = i64::from(self.division);
        Tick((self.scaled(file_tick) * 2 + division).div_euclid(2 * division))
    }

    /// The nearest tick, what is left in eighths of a tick, and whether that had to be clamped: half a tick late is 4 eighths, the last step is 3.
    fn onset(self, file_tick: u64) -> (Tick, i8, bool) {
        let division = i64::from(self.division);
        let tick = self.tick(file_tick);
        let rest = self.scaled(file_tick) - tick.0 * division;
        let eighths = (rest * OFFSETS_PER_TICK * 2 + division).div_euclid(2 * division);
        let offset = i8::try_from(eighths.clamp(-4, 3)).unwrap_or(0);
        (tick, offset, eighths > 3)
    }

    /// Our ticks times the division. In range: no file tick is beyond [`MAX_QUARTERS`].
    fn scaled(self, file_tick: u64) -> i64 {
        i64::try_from(file_tick).unwrap_or(i64::MAX / TICKS_PER_QUARTER / 4) * TICKS_PER_QUARTER
    }

    /// The last file tick that is read.
    fn longest(self) -> u64 {
        MAX_QUARTERS.unsigned_abs() * u64::from(self.division)
    }
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
            let event = event.map_err(|error| MidiError::Damaged { track, byte, reason: error.kind().message() })?;
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
                TrackEventKind::Meta(meta) => self.read_meta(&meta, place),
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
        Ok(())
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

    fn read_meta(&mut self, meta: &MetaMessage<'_>, place: Place) {
        match *meta {
            MetaMessage::Tempo(micros) => match Tempo::new(micros.as_int()) {
                Some(tempo) => self.tempos.push((self.grid.tick(place.file_tick), tempo)),
                None => self.report.bad_tempos.add(place),
            },
            MetaMessage::TimeSignature(numerator, power, ..) => {
                match 1u8.checked_shl(u32::from(power)).and_then(|denominator| Metre::new(numerator, denominator)) {
                    Some(metre) => self.metres.push((self.grid.tick(place.file_tick), metre)),
                    None => self.report.bad_metres.add(place),
                }
            }
            _ => {}
        }
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
        debug_assert!(clip.parts.iter().all(|part| part.notes.iter().all(|n| (n.role == Role::Drums) == (part.channel == DRUM_CHANNEL))));
        Import { clip, report: self.report }
    }
}

/// A name: UTF-8, or else Latin-1, which every byte is.
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().copied().map(char::from).collect())
}
