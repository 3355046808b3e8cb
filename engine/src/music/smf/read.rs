//! Bytes to clip.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use midly::{MetaMessage, MidiMessage, TrackEventKind};

use super::channel::{Channel, RawNote};
use super::chunks::{Chunk, Header, midi_range};
use super::events::{Events, Kind, Unreadable};
use super::grid::Grid;
use super::one_player::{Track, is_bent_by_note, is_one_player};
use super::patches::{Choice, Patches};
use super::report::{Ignored, ImportReport, Place};
use super::source::{PartSource, Source, SourceNote, TrackSource};
use super::{MAX_EVENTS, MAX_FILE_BYTES, MAX_UNENDED, MidiError};
use crate::music::{Clip, LATE_RELEASE, Metre, MetreMap, Note, Part, Role, Setup, Tempo, TempoMap, Tick, roles};

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

/// What was read, and where in the bytes it stands.
pub(super) struct ReadParts {
    pub(super) clip: Clip,
    pub(super) report: ImportReport,
    pub(super) tracks: Vec<TrackSource>,
    /// Where each part of the clip comes from.
    pub(super) parts: Vec<PartSource>,
    /// Ticks per quarter note.
    pub(super) grid: Grid,
}

/// Reads a file and keeps where its notes stand.
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
            // What follows the announced tracks may be anything, but a track among it is one that the header forgot.
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
struct Reader {
    grid: Grid,
    parts: Vec<Part>,
    sources: Vec<PartSource>,
    tracks: Vec<TrackSource>,
    patches: Patches,
    metres: Vec<(Tick, Metre)>,
    tempos: Vec<(Tick, Tempo)>,
    /// Where the tracks end that say how long the piece is, in file ticks: those with notes, and those that end apart from their last event.
    ends: Vec<u64>,
    /// Where the last track ends.
    end: u64,
    report: ImportReport,
}

/// A track in the making.
#[derive(Default)]
struct TrackReader {
    /// By port and number, in the order of their first event.
    channels: Vec<(Option<u8>, Channel)>,
    /// The port from here on, where one was named.
    port: Option<u8>,
    name: Option<Vec<u8>>,
    /// The channel that the next meta events belong to.
    prefix: Option<u8>,
    /// The last channel that was so named: our own empty parts are.
    announced: Option<(Option<u8>, u8)>,
    /// Names of single channels.
    names: Vec<(u8, Vec<u8>)>,
}

impl TrackReader {
    fn channel(&mut self, number: u8) -> &mut Channel {
        let index = self.channels.iter().position(|(port, channel)| *port == self.port && channel.number == number);
        let index = index.unwrap_or_else(|| {
            self.channels.push((self.port, Channel::new(number)));
            self.channels.len() - 1
        });
        &mut self.channels[index].1
    }
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

    /// Reads one track whose content begins at byte `origin`.
    fn read_track(&mut self, track: usize, content: &[u8], origin: usize) -> Result<(), MidiError> {
        let mut events = Events::new(content);
        let mut reader = TrackReader::default();
        let (mut file_tick, mut last_event) = (0, 0);
        let mut closed = false;
        let mut index = 0;
        while !closed {
            let Some(event) = events.next() else { break };
            let event = event.map_err(|Unreadable(at)| MidiError::Damaged { track, byte: origin + at })?;
            let byte = origin + event.at;
            self.report.events += 1;
            if self.report.events > MAX_EVENTS {
                return Err(MidiError::TooManyEvents { track, byte });
            }
            last_event = file_tick;
            file_tick = event.file_tick;
            if file_tick > self.grid.longest() {
                return Err(MidiError::TooLong { place: format!("track {track}, byte {byte}") });
            }
            let place = Place { byte, file_tick };
            match event.kind {
                Kind::Standard(TrackEventKind::Meta(MetaMessage::EndOfTrack)) => closed = true,
                Kind::Standard(kind) => self.read_event(&mut reader, kind, index, place)?,
                Kind::CarriedStatus(kind) => {
                    self.report.carried_status.add(place);
                    self.read_event(&mut reader, kind, index, place)?;
                }
                Kind::System => self.report.system_messages.add(place),
            }
            index += 1;
        }
        self.report.tracks += 1;
        self.report.endless_tracks += u64::from(!closed);
        self.report.trailing_bytes += events.unread();
        self.tracks.push(TrackSource { content: origin..origin + content.len() });
        let has_notes = reader.channels.iter().any(|(_, channel)| channel.has_notes());
        if has_notes || closed && file_tick > last_event {
            self.ends.push(file_tick);
        }
        self.end = self.end.max(file_tick);
        self.finish_track(reader, file_tick);
        match self.report.unclosed {
            Ignored { count, first: Some(Place { byte, .. }) } if count > MAX_UNENDED => Err(MidiError::Unended { count, byte }),
            _ => Ok(()),
        }
    }

    /// Reads an event of the track that is numbered `self.tracks.len()`.
    fn read_event(&mut self, reader: &mut TrackReader, kind: TrackEventKind<'_>, index: usize, place: Place) -> Result<(), MidiError> {
        match kind {
            TrackEventKind::Midi { channel, message } => {
                reader.prefix = None;
                let port = reader.port.unwrap_or(0);
                let channel = reader.channel(channel.as_int());
                self.read_message(channel, port, message, index, place);
            }
            TrackEventKind::Meta(MetaMessage::TrackName(bytes) | MetaMessage::InstrumentName(bytes)) if reader.prefix.is_some() => {
                reader.names.extend(reader.prefix.map(|channel| (channel, bytes.to_vec())));
            }
            TrackEventKind::Meta(MetaMessage::TrackName(bytes)) => reader.name = reader.name.take().or_else(|| Some(bytes.to_vec())),
            TrackEventKind::Meta(MetaMessage::MidiPort(port)) => reader.port = Some(port.as_int()),
            TrackEventKind::Meta(MetaMessage::MidiChannel(channel)) => {
                reader.prefix = Some(channel.as_int());
                reader.announced = Some((reader.port, channel.as_int()));
            }
            TrackEventKind::Meta(meta) => self.read_meta(&meta, place)?,
            TrackEventKind::SysEx(_) | TrackEventKind::Escape(_) => reader.prefix = None,
        }
        Ok(())
    }

    fn read_message(&mut self, channel: &mut Channel, port: u8, message: MidiMessage, index: usize, place: Place) {
        let mut choose = |choice| self.patches.add(self.tracks.len(), port, channel.number, place.file_tick, choice);
        match message {
            // A note-on without velocity is a note-off: the standard's way to save status bytes.
            MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => channel.note_on(key.as_int(), vel.as_int(), index, place),
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => channel.note_off(key.as_int(), index, place),
            MidiMessage::Controller { controller, value } => {
                match controller.as_int() {
                    0 => choose(Choice::BankCoarse(value.as_int())),
                    32 => choose(Choice::BankFine(value.as_int())),
                    _ => {}
                }
                channel.controller(controller.as_int(), value.as_int(), index, place);
            }
            MidiMessage::ProgramChange { program } => {
                choose(Choice::Programme(program.as_int()));
                channel.programmes.push(program.as_int());
            }
            MidiMessage::PitchBend { .. } => channel.bends += 1,
            MidiMessage::Aftertouch { .. } | MidiMessage::ChannelAftertouch { .. } => {}
        }
    }

    fn read_meta(&mut self, meta: &MetaMessage<'_>, place: Place) -> Result<(), MidiError> {
        let (byte, track) = (place.byte, self.tracks.len() + 1);
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

    /// Makes the parts of the track that was read last.
    fn finish_track(&mut self, mut reader: TrackReader, end: u64) {
        if let Some((port, number)) = reader.announced {
            reader.port = port;
            reader.channel(number);
        }
        let TrackReader { mut channels, name, announced, names, .. } = reader;
        channels.sort_by_key(|(port, channel)| (*port, channel.number));
        let read = channels.into_iter().map(|(port, channel)| (port, channel.clone(), channel.finish(end, &mut self.report)));
        // A channel that only sets itself up is no part, unless the track says so by name of the channel: our own empty parts do.
        let read: Vec<_> = read.filter(|(port, channel, notes)| !notes.is_empty() || announced == Some((*port, channel.number))).collect();
        let track = if self.report.format == 0 { Track::Whole } else { Track::OfMany };
        // The name of a track that holds several instruments is the song's.
        let is_band = track == Track::Whole && read.len() > 1;
        for player in players(read, track) {
            let own = names.iter().find(|(channel, _)| *channel == player.channel).map(|(_, name)| name);
            let name = own.or(name.as_ref().filter(|_| player.is_whole_track || !is_band)).cloned().unwrap_or_default();
            self.add_part(player, name);
        }
    }

    fn add_part(&mut self, player: Player, name: Vec<u8>) {
        let Player { port, channel, notes, is_bent, .. } = player;
        let (text, name_bytes) = match String::from_utf8(name) {
            Ok(text) => (text, None),
            Err(error) => (latin_1(error.as_bytes()), Some(error.into_bytes())),
        };
        let placed: Vec<SourceNote> =
            notes.iter().map(|&raw| SourceNote { onset: self.grid.onset(raw.start).0, raw }).collect();
        let notes = self.quantise(&notes);
        self.parts.push(Part { name: text, channel, programme: None, setup: Setup { port, name_bytes, ..Setup::default() }, notes });
        self.sources.push(PartSource { track: self.tracks.len() - 1, port: port.unwrap_or(0), channel, is_bent, notes: placed });
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

    fn finish(mut self) -> ReadParts {
        let playing: HashSet<(usize, u8, u8)> = self.parts.iter().zip(&self.sources).map(|(part, source)| (source.track, source.port, part.channel)).collect();
        for (part, source) in self.parts.iter_mut().zip(&self.sources) {
            let first = source.notes.iter().map(|note| note.raw.start).min().unwrap_or(0);
            let plays = |track| playing.contains(&(track, source.port, part.channel));
            let mut in_force = None;
            let mut later = Vec::new();
            for (file_tick, patch) in self.patches.of(source.track, source.port, part.channel, plays) {
                if in_force.is_none() || file_tick <= first {
                    in_force = Some(patch);
                } else if later.last().map(|&(_, patch)| patch).or(in_force) != Some(patch) {
                    later.push((self.grid.tick(file_tick), patch));
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

/// Where a clip ends whose tracks end at `ends`, as far as they say how long it is, and at `last` altogether.
fn end_of(clip: &Clip, ends: &[u64], last: u64, grid: Grid) -> Tick {
    let Some(closing) = clip.closing_bar_line() else {
        let end = ends.iter().max().copied().unwrap_or(last);
        return clip.metres.bar_line_from(grid.tick(end));
    };
    let stated = ends.iter().filter_map(|&end| {
        let end = grid.tick(end);
        let bar = clip.metres.bar_at(end);
        // An end inside a bar is the exporting program's: it says nothing about bars.
        if end - bar.start <= LATE_RELEASE { Some(bar.start) } else { (bar.end() - end <= LATE_RELEASE).then(|| bar.end()) }
    });
    stated.max().map_or(closing, |end| end.max(closing))
}

/// One instrument of a track.
struct Player {
    port: Option<u8>,
    channel: u8,
    notes: Vec<RawNote>,
    /// Whether all notes of the track are its own.
    is_whole_track: bool,
    /// Whether each of its notes has its own pitch bend.
    is_bent: bool,
}

/// The players of a track: one for each port and channel, or one altogether if its channels are one player's voices.
fn players(read: Vec<(Option<u8>, Channel, Vec<RawNote>)>, track: Track) -> Vec<Player> {
    let is_only = read.len() == 1;
    let port = read.first().and_then(|(port, ..)| *port);
    let one_port = read.iter().all(|(other, ..)| *other == port);
    let channels: Vec<_> = read.iter().map(|(_, channel, notes)| (channel.clone(), notes.clone())).collect();
    if one_port && is_one_player(track, &channels) {
        let pitched = channels.iter().map(|(channel, _)| channel.number).find(|&number| number != crate::music::DRUM_CHANNEL);
        let mut notes: Vec<RawNote> = channels.iter().flat_map(|(_, notes)| notes).copied().collect();
        notes.sort_by_key(|note| note.on);
        let is_bent = is_bent_by_note(&channels);
        return vec![Player { port, channel: pitched.unwrap_or(0), notes, is_whole_track: true, is_bent }];
    }
    read.into_iter().map(|(port, channel, notes)| Player { port, channel: channel.number, notes, is_whole_track: is_only, is_bent: false }).collect()
}

/// A name that is not UTF-8, as Latin-1: every byte is a letter there.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{chunk, file, header};
    use super::*;
    use crate::music::{Bank, Patch};

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
            [("", Some(33)), ("", None)],
            "the name of the track is the song's"
        );
        assert_eq!(import.clip.parts[1].notes[0].role, Role::Drums);
        assert_eq!(import.clip.parts[0].notes[0].role, Role::Bass);
        assert!(import.report.repaired().is_empty());
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

    /// A name event at tick 0.
    fn named(name: &[u8]) -> Vec<u8> {
        [&[0, 0xFF, 3, u8::try_from(name.len()).unwrap()], name].concat()
    }

    #[test]
    fn names_that_are_not_utf_8_are_read_as_latin_1_and_written_as_they_were() {
        let shift_jis = b"\x83s\x83A\x83m";
        let bytes = file(1, 24, &[&[&named("Baſso".as_bytes()), QUARTER].concat(), &[&named(b"Fl\xF6te"), QUARTER].concat(), &[&named(shift_jis), QUARTER].concat()]);
        let clip = read(&bytes).unwrap().clip;
        assert_eq!(clip.parts[..2].iter().map(|part| &*part.name).collect::<Vec<_>>(), ["Baſso", "Flöte"]);
        assert_eq!(clip.parts[0].setup.name_bytes, None);
        let written = super::super::write(&clip).unwrap();
        for name in ["Baſso".as_bytes(), b"Fl\xF6te", shift_jis] {
            assert!(written.windows(name.len()).any(|window| window == name), "{name:?}");
        }
    }

    #[test]
    fn a_single_instrument_of_a_type_0_file_keeps_its_name_and_several_take_their_own() {
        assert_eq!(read(&file(0, 24, &[&[&named(b"Piano"), QUARTER].concat()])).unwrap().clip.parts[0].name, "Piano");
        let prefixed = [&named(b"The Old Bridge")[..], &[0, 0xFF, 0x20, 1, 1], &named(b"Bass"), &[0, 0xC1, 33], QUARTER, &[0, 0x91, 40, 80, 24, 40, 0]].concat();
        let clip = read(&file(0, 24, &[&prefixed])).unwrap().clip;
        assert_eq!(clip.parts.iter().map(|part| &*part.name).collect::<Vec<_>>(), ["", "Bass"]);
        let type_1 = read(&file(1, 24, &[&prefixed])).unwrap().clip;
        assert_eq!(type_1.parts[0].name, "The Old Bridge", "in a type 1 file a track is an instrument");
    }

    #[test]
    fn a_track_that_only_sets_up_gives_the_others_their_sounds() {
        let set_up = [0, 0xB0, 0, 8, 0, 0xC0, 40, 0, 0xC1, 33, 24, 0xC1, 35];
        let bass = [0, 0x91, 40, 80, 24, 40, 0];
        let own = [0, 0xC0, 6, 0, 0x90, 60, 80, 24, 60, 0];
        let clip = read(&file(1, 24, &[&set_up, QUARTER, &bass, &own])).unwrap().clip;
        assert_eq!(clip.parts.iter().map(|part| part.programme).collect::<Vec<_>>(), [Some(40), Some(33), Some(6)], "the third sets itself up");
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
        assert_eq!(clip.parts.iter().map(|part| (part.setup.port, part.programme)).collect::<Vec<_>>(), [(Some(0), Some(4)), (Some(1), Some(32))]);
        let one_track = [&port(0, 4)[..], &port(1, 32)].concat();
        assert_eq!(read(&file(0, 24, &[&one_track])).unwrap().clip.parts.len(), 2);
        assert_eq!(read(&super::super::write(&clip).unwrap()).unwrap().clip, clip);
    }

    /// Four quarters, each on the next of the channels, with a bend before each.
    fn by_voice(channels: [u8; 4]) -> Vec<u8> {
        channels.iter().flat_map(|c| [0, 0xE0 | c, 5, 64, 0, 0x90 | c, 60 + c, 80, 24, 0x80 | c, 60 + c, 0]).collect()
    }

    #[test]
    fn an_mpe_track_is_one_player_also_on_the_drum_channel() {
        for format in [0, 1] {
            let clip = read(&file(format, 24, &[&[&named(b"Seaboard")[..], &by_voice([7, 8, 9, 10])].concat()])).unwrap().clip;
            assert_eq!(clip.parts.len(), 1, "type {format}");
            assert_eq!((&*clip.parts[0].name, clip.parts[0].channel, clip.note_count()), ("Seaboard", 7, 4));
            assert!(clip.notes().iter().all(|note| note.role != Role::Drums));
        }
    }

    #[test]
    fn an_end_of_track_after_a_rest_is_the_clip_s_end_and_a_late_tempo_is_not() {
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
        assert_eq!(end(&[closed(&[&metre], 0), closed(&[QUARTER], 12)]), Tick(24), "an end inside a bar says nothing about bars");
        assert_eq!(end(&[closed(&[&metre], 0), closed(&[&[0, 0x90, 60, 80, 30, 60, 0]], 0)]), Tick(24), "a sixteenth late");
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
        // A data byte where no status was; a name longer than its track; a time that never ends.
        for damage in [&[0, 0xFF, 3, 100][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]] {
            let message = refused(&file(1, 24, &[&[QUARTER, &[0, 0xFF, 1, 0], damage].concat()]));
            assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 34"), "{message}");
        }
        let message = refused(&file(1, 24, &[&[0, 0xFF, 1, 0, 0, 60, 80]]));
        assert!(message.contains("track 1 is damaged: no MIDI event can be read at byte 26"), "{message}");
    }

    #[test]
    fn running_status_across_other_events_is_read_and_said() {
        let song = [&[0, 0x90, 60, 80, 24, 60, 0, 0, 0xFF, 1, 2, b'l', b'a', 0, 62, 80, 12, 0xF0, 1, 0xF7, 12, 62, 0][..]].concat();
        let import = read(&file(0, 24, &[&song])).unwrap();
        assert_eq!(spans(&import.clip), [(0, 24, 60, 0), (24, 48, 62, 0)]);
        let Ignored { count, first } = import.report.carried_status;
        assert_eq!((count, first), (2, Some(Place { byte: 35, file_tick: 24 })));
        assert!(import.report.repaired()[0].contains("2 (first at byte 35, file tick 24)"), "{:?}", import.report.repaired());
    }

    #[test]
    fn system_messages_are_passed_over_and_said() {
        let song = [0, 0x90, 60, 80, 12, 0xF8, 0, 0xFE, 0, 0xF3, 5, 0, 0xF1, 1, 12, 60, 0];
        let import = read(&file(0, 24, &[&song])).unwrap();
        assert_eq!((spans(&import.clip), import.report.system_messages.count), (vec![(0, 24, 60, 0)], 4));
        assert!(import.report.repaired()[0].starts_with("system messages"), "{:?}", import.report.repaired());
    }

    #[test]
    fn tracks_that_the_header_forgets_are_read_and_said() {
        for announced in [0, 1] {
            let mut bytes = file(1, 24, &[QUARTER, QUARTER, QUARTER]);
            bytes[11] = announced;
            // Another chunk in between is none the header counts.
            bytes.splice(34..34, chunk(b"odd ", b"?"));
            let import = read(&bytes).unwrap();
            assert_eq!((import.clip.parts.len(), import.report.unannounced_tracks), (3, 3 - usize::from(announced)));
            let says = format!("the header announces {announced} tracks, the file has 3: all of them were read");
            assert_eq!(import.report.repaired(), [says]);
            assert!(refused(&bytes[..bytes.len() - 1]).contains("cut short: track 3"));
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
