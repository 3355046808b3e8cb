//! A file's bytes with some of its notes replaced.

use std::collections::HashSet;

use midly::{MetaMessage, TrackEventKind};

use super::MidiError;
use super::chunks::{Header, midi_range};
use super::events::{Event, Events, Kind};
use super::placing::{Placed, Plan, plan};
use super::source::Source;
use crate::music::{Clip, Part};

/// Longest delta time of one event.
const LONGEST_DELTA: u64 = 0x0FFF_FFFF;

/// Status byte of meta events.
const META: u8 = 0xFF;

const END_OF_TRACK: [u8; 3] = [META, 0x2F, 0];

/// Velocity of note-offs: the middle, the neutral value.
const RELEASE_VELOCITY: u8 = 64;

/// A file that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file.
    pub bytes: Vec<u8>,
    /// New notes that are not in it: a note that stays holds their key, or one of equal pitch starts with them.
    pub left_out: usize,
}

/// See [`Source::edited`].
pub(super) fn edited(source: &Source, kept: &Clip, whole: &Clip) -> Result<Edited, MidiError> {
    let range = midi_range(&source.bytes)?;
    let plan = plan(source, kept, whole)?;
    if plan.removed.is_empty() && plan.placed.is_empty() {
        return Ok(Edited { bytes: source.bytes[range].to_vec(), left_out: plan.left_out });
    }
    let header = Header::read(&source.bytes, range.start)?;
    let new: Vec<Vec<Addition>> = new_parts(source, whole, &plan);
    // A type 0 file has one track: new notes join it.
    let joins = header.format == 0 && source.tracks.len() == 1;
    let mut bytes = source.bytes[range.start..header.end].to_vec();
    let mut at = header.end;
    for (index, track) in source.tracks.iter().enumerate() {
        // Chunks of other kinds in between.
        bytes.extend(&source.bytes[at..track.content.start - 8]);
        at = track.content.end;
        let content = &source.bytes[track.content.clone()];
        let mut additions = additions(source, &plan, index);
        if joins {
            // Its name is the song's: a further one would be a second name of that.
            additions.extend(new.iter().flatten().filter(|addition| addition.body[0] != META).cloned());
        }
        let none = HashSet::new();
        let removed = plan.removed.get(&index).unwrap_or(&none);
        let content = if removed.is_empty() && additions.is_empty() { content.to_vec() } else { rebuilt(content, removed, additions) };
        push_track(&mut bytes, &content)?;
    }
    let mut tracks = source.tracks.len();
    if !joins {
        let mut end = Vec::new();
        push_length(&mut end, source.grid.file_tick(whole.end).min(LONGEST_DELTA));
        end.extend(END_OF_TRACK);
        tracks += new.len();
        for additions in new {
            push_track(&mut bytes, &rebuilt(&end, &HashSet::new(), additions))?;
        }
    }
    bytes.extend(&source.bytes[at..range.end]);
    let count = u16::try_from(tracks).map_err(|_| MidiError::Unwritable { what: format!("{tracks} tracks") })?;
    bytes[10..12].copy_from_slice(&count.to_be_bytes());
    Ok(Edited { bytes, left_out: plan.left_out })
}

/// The events of each part that the file lacks.
fn new_parts(source: &Source, whole: &Clip, plan: &Plan) -> Vec<Vec<Addition>> {
    let first = source.parts.len();
    let parts = whole.parts.iter().enumerate().skip(first).zip(&plan.new_channels);
    let events = |((index, part), &channel): ((usize, &Part), &u8)| {
        let mut name = vec![META, 0x03];
        push_length(&mut name, u64::try_from(part.name.len()).unwrap_or(0));
        name.extend(part.name.as_bytes());
        let program = part.program.map(|program| vec![0xC0 | channel, program & 0x7F]);
        let set_up = [name].into_iter().chain(program).map(|body| Addition { file_tick: 0, rank: Rank::Before, body });
        set_up.chain(note_events(plan.placed.iter().filter(|note| note.part == index))).collect()
    };
    parts.map(events).collect()
}

/// Events that come into a track.
fn additions(source: &Source, plan: &Plan, track: usize) -> Vec<Addition> {
    let here = plan.placed.iter().filter(|note| source.parts.get(note.part).is_some_and(|part| part.track == track));
    note_events(here)
}

/// Note-ons and note-offs, note after note.
fn note_events<'a>(notes: impl Iterator<Item = &'a Placed>) -> Vec<Addition> {
    let mut notes: Vec<&Placed> = notes.collect();
    notes.sort_by_key(|note| (note.on, note.channel, note.key));
    let events = |note: &Placed| {
        let Placed { channel, key, velocity, on, off, .. } = *note;
        let centre = note.is_bent.then(|| Addition { file_tick: on, rank: Rank::After, body: vec![0xE0 | channel, 0, 64] });
        let on = Addition { file_tick: on, rank: Rank::After, body: vec![0x90 | channel, key, velocity] };
        let off = Addition { file_tick: off, rank: Rank::Before, body: vec![0x80 | channel, key, RELEASE_VELOCITY] };
        centre.into_iter().chain([on, off])
    };
    notes.into_iter().flat_map(events).collect()
}

/// An event that comes into a track, with its status byte.
#[derive(Debug, Clone)]
struct Addition {
    file_tick: u64,
    rank: Rank,
    body: Vec<u8>,
}

/// Order of events at one tick: note-offs, old events, note-ons, the end of the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Before,
    Standing,
    After,
    EndOfTrack,
}

/// A track's content without the events in `removed`, counted from 0, and with the additions. All other events keep their time and their bytes; a status byte is
/// written out where the event that it was taken from is gone.
fn rebuilt(content: &[u8], removed: &HashSet<usize>, additions: Vec<Addition>) -> Vec<u8> {
    let last_addition = additions.iter().map(|addition| addition.file_tick).max().unwrap_or(0);
    let mut events = Events::new(content);
    // Time, order at that time, status byte that is in force, bytes.
    let mut items: Vec<(u64, Rank, Option<u8>, Vec<u8>)> = Vec::new();
    let mut closed = false;
    let mut last = 0;
    for (index, event) in events.by_ref().map_while(Result::ok).enumerate() {
        last = last.max(event.file_tick);
        closed = is_end(&event);
        if closed {
            items.push((event.file_tick.max(last_addition), Rank::EndOfTrack, None, event.body.to_vec()));
            break;
        }
        if !removed.contains(&index) {
            items.push((event.file_tick, Rank::Standing, event.channel_status(), event.body.to_vec()));
        }
    }
    if !closed {
        items.push((last.max(last_addition), Rank::EndOfTrack, None, END_OF_TRACK.to_vec()));
    }
    items.extend(additions.into_iter().map(|Addition { file_tick, rank, body }| (file_tick, rank, Some(body[0]), body)));
    // The sort is stable: events with an equal key stay in their order.
    items.sort_by_key(|&(file_tick, rank, ..)| (file_tick, rank));
    let mut bytes = Vec::with_capacity(content.len());
    let (mut before, mut running) = (0, None);
    for (file_tick, _, status, body) in items {
        let mut delta = file_tick - before;
        before = file_tick;
        while delta > LONGEST_DELTA {
            // An empty text, because the event in so long a pause is gone.
            push_length(&mut bytes, LONGEST_DELTA);
            bytes.extend([META, 0x01, 0]);
            delta -= LONGEST_DELTA;
            running = None;
        }
        push_length(&mut bytes, delta);
        if body.first().is_some_and(|byte| *byte < 0x80) && running != status {
            bytes.extend(status);
        }
        running = status;
        bytes.extend(body);
    }
    let unread = events.unread();
    bytes.extend(&content[content.len() - unread..]);
    bytes
}

fn is_end(event: &Event<'_>) -> bool {
    matches!(event.kind, Kind::Standard(TrackEventKind::Meta(MetaMessage::EndOfTrack)))
}

/// A length of variable size: seven bits a byte, the last without its top bit.
fn push_length(bytes: &mut Vec<u8>, length: u64) {
    let groups = (1..4).take_while(|group| length >> (7 * group) > 0).count();
    for group in (0..=groups).rev() {
        let bits = u8::try_from(length >> (7 * group) & 0x7F).unwrap_or(0x7F);
        bytes.push(if group > 0 { bits | 0x80 } else { bits });
    }
}

fn push_track(bytes: &mut Vec<u8>, content: &[u8]) -> Result<(), MidiError> {
    let length = u32::try_from(content.len()).map_err(|_| MidiError::Unwritable { what: "a track of more than 4 GB".to_owned() })?;
    bytes.extend(b"MTrk");
    bytes.extend(length.to_be_bytes());
    bytes.extend(content);
    Ok(())
}
