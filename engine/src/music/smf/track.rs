//! One track: its events to parts of the clip.

use midly::{MetaMessage, MidiMessage, TrackEventKind};

use super::channel::{Channel, RawNote};
use super::events::{Events, Kind, Unreadable};
use super::one_player::{Track, is_bent_by_note, is_one_player};
use super::patches::Choice;
use super::read::Reader;
use super::report::{Ignored, Place};
use super::source::{PartSource, SourceNote, TrackSource};
use super::{MAX_EVENTS, MAX_UNENDED, MidiError};
use crate::music::{DRUM_CHANNEL, Metre, Note, Part, Role, Setup, Tempo, Tick};

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
    /// Reads one track whose content begins at byte `origin`.
    pub(super) fn read_track(&mut self, track: usize, content: &[u8], origin: usize) -> Result<(), MidiError> {
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
                choose(Choice::Program(program.as_int()));
                channel.programs.push(program.as_int());
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
        // A channel that only sets itself up is no part, unless the track names the channel: our own empty parts do.
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
        let placed = notes.iter().map(|&raw| SourceNote { onset: self.grid.onset(raw.start).0, raw }).collect();
        let notes = self.quantise(&notes);
        self.parts.push(Part { name: text, channel, program: None, setup: Setup { port, name_bytes, ..Setup::default() }, notes });
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
        let pitched = channels.iter().map(|(channel, _)| channel.number).find(|&number| number != DRUM_CHANNEL);
        let mut notes: Vec<RawNote> = channels.iter().flat_map(|(_, notes)| notes).copied().collect();
        end_where_struck_again(&mut notes);
        let is_bent = is_bent_by_note(&channels);
        return vec![Player { port, channel: pitched.unwrap_or(0), notes, is_whole_track: true, is_bent }];
    }
    read.into_iter()
        .map(|(port, channel, notes)| Player { port, channel: channel.number, notes, is_whole_track: is_only, is_bent: false })
        .collect()
}

/// Puts one player's notes into order, and ends each where its key is struck again, on whichever channel.
fn end_where_struck_again(notes: &mut [RawNote]) {
    notes.sort_by_key(|note| (note.key, note.start));
    for index in 1..notes.len() {
        let next = notes[index];
        let note = &mut notes[index - 1];
        if note.key == next.key && note.start < next.start {
            note.end = note.end.min(next.start);
        }
    }
    notes.sort_by_key(|note| note.on);
}

/// A name that is not UTF-8, as Latin-1: every byte is a letter there.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
