//! Placement of an edit: the notes of a file to remove, and the file ticks, channels and keys of new ones.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::source::{PartSource, Source, SourceNote};
use super::{MAX_QUARTERS, MidiError};
use crate::music::{Clip, DRUM_CHANNEL, Note, Part, Tick};

/// A new note in file ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Placed {
    pub(super) port: u8,
    pub(super) channel: u8,
    pub(super) key: u8,
    pub(super) on: u64,
    /// Later than `on`.
    pub(super) off: u64,
    pub(super) velocity: u8,
    /// The part of the clip that it belongs to.
    pub(super) part: usize,
    /// Whether its channel is bent note by note, so that it begins with the bend in the middle.
    pub(super) is_bent: bool,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Events that go, by track, counted from 0.
    pub(super) removed: HashMap<usize, HashSet<usize>>,
    /// New notes, in any order.
    pub(super) placed: Vec<Placed>,
    /// New notes that were left out: a note that stays holds their key.
    pub(super) left_out: usize,
    /// The channels of parts that the file lacks, in the order of those parts.
    pub(super) new_channels: Vec<u8>,
}

/// Changes to `source` after which it has the notes of `whole`, of which it keeps `kept`.
pub(super) fn plan(source: &Source, kept: &Clip, whole: &Clip) -> Result<Plan, MidiError> {
    let mut plan = Plan::default();
    let mut standing = Standing::new();
    for (index, part) in source.parts.iter().enumerate() {
        let stays: HashSet<(Tick, u8)> = kept.parts.get(index).map(names).unwrap_or_default();
        for note in &part.notes {
            if stays.contains(&(note.onset, note.raw.key)) {
                let raw = note.raw;
                standing.entry((part.port, raw.channel, raw.key)).or_default().push((raw.start, raw.released));
            } else {
                let events = plan.removed.entry(part.track).or_default();
                events.insert(note.raw.on);
                events.extend(note.raw.off);
            }
        }
    }
    plan.new_channels = new_channels(source, whole);
    let mut placed = Vec::new();
    for (index, part) in whole.parts.iter().enumerate() {
        let old = kept.parts.get(index).map(names).unwrap_or_default();
        let new = part.notes.iter().filter(|note| !old.contains(&(note.onset, note.pitch)));
        let notes = new.map(|note| span(source, note, whole.end)).collect::<Result<Vec<_>, _>>()?;
        placed.extend(match source.parts.get(index) {
            Some(from) => voiced(index, from, notes),
            None => on_channel(index, 0, plan.new_channels[index - source.parts.len()], notes),
        });
    }
    plan.left_out = placed.len();
    plan.placed = fitted(placed, &standing);
    plan.left_out -= plan.placed.len();
    Ok(plan)
}

/// What names the notes of a part.
fn names(part: &Part) -> HashSet<(Tick, u8)> {
    part.notes.iter().map(|note| (note.onset, note.pitch)).collect()
}

/// Where notes that stay hold a key, in file ticks: by port, channel and key.
type Standing = HashMap<(u8, u8, u8), Vec<(u64, u64)>>;

/// A note's start and end in file ticks, its key and velocity.
type Span = (u64, u64, u8, u8);

fn span(source: &Source, note: &Note, clip_end: Tick) -> Result<Span, MidiError> {
    let end = if note.end() == Tick::MAX { clip_end.max(note.onset + Tick(1)) } else { note.end() };
    if end > Tick::quarters(MAX_QUARTERS) {
        return Err(MidiError::TooLong { place: format!("a new note ends at quarter {}", end.0 / crate::music::TICKS_PER_QUARTER) });
    }
    let on = source.grid.played(note.onset, note.offset);
    Ok((on, source.grid.file_tick(end).max(on + 1), note.pitch.min(127), note.velocity.clamp(1, 127)))
}

fn on_channel(part: usize, port: u8, channel: u8, notes: Vec<Span>) -> Vec<Placed> {
    let placed = |(on, off, key, velocity)| Placed { port, channel, key, on, off, velocity, part, is_bent: false };
    notes.into_iter().map(placed).collect()
}

/// The new notes of a part on the channels that it has. Where every voice has one of its own, a note takes the one that has been free longest.
fn voiced(part: usize, from: &PartSource, mut notes: Vec<Span>) -> Vec<Placed> {
    let channels: BTreeSet<u8> = from.notes.iter().map(|note| note.raw.channel).collect();
    if channels.len() < 2 {
        return on_channel(part, from.port, from.channel, notes);
    }
    notes.sort_unstable();
    let mut taken: HashMap<u8, Vec<(u64, u64)>> = HashMap::new();
    for SourceNote { raw, .. } in &from.notes {
        taken.entry(raw.channel).or_default().push((raw.start, raw.released));
    }
    let mut placed = Vec::with_capacity(notes.len());
    for (on, off, key, velocity) in notes {
        let is_free = |channel: &&u8| taken.get(channel).is_none_or(|spans| spans.iter().all(|&(start, end)| off <= start || end <= on));
        let last = |channel: &&u8| taken.get(channel).and_then(|spans| spans.iter().map(|span| span.1).filter(|&end| end <= on).max());
        let channel = channels.iter().filter(is_free).min_by_key(last).copied().unwrap_or(from.channel);
        taken.entry(channel).or_default().push((on, off));
        placed.push(Placed { port: from.port, channel, key, on, off, velocity, part, is_bent: from.is_bent });
    }
    placed
}

/// New notes that each strike a free key, and release it before it is struck again.
fn fitted(mut placed: Vec<Placed>, standing: &Standing) -> Vec<Placed> {
    // By key, then time, longest first: what goes is the shorter of two.
    placed.sort_by_key(|note| (note.port, note.channel, note.key, note.on, std::cmp::Reverse(note.off)));
    placed.dedup_by_key(|note| (note.port, note.channel, note.key, note.on));
    let none = Vec::new();
    placed.retain_mut(|note| {
        let others = standing.get(&(note.port, note.channel, note.key)).unwrap_or(&none);
        let next = others.iter().map(|other| other.0).filter(|&start| start > note.on).min();
        note.off = next.map_or(note.off, |next| note.off.min(next));
        !others.iter().any(|&(start, end)| start <= note.on && note.on < end.max(start + 1))
    });
    for index in 1..placed.len() {
        let next = placed[index];
        let note = &mut placed[index - 1];
        if (note.port, note.channel, note.key) == (next.port, next.channel, next.key) {
            note.off = note.off.min(next.on);
        }
    }
    placed
}

/// The channels of the parts that the file lacks: that of the part, unless the file has notes on it.
fn new_channels(source: &Source, whole: &Clip) -> Vec<u8> {
    let mut used: BTreeSet<u8> = source.parts.iter().flat_map(|part| &part.notes).map(|note| note.raw.channel).collect();
    let mut channels = Vec::new();
    for part in whole.parts.iter().skip(source.parts.len()) {
        let free = (0..16).find(|channel| *channel != DRUM_CHANNEL && !used.contains(channel));
        let channel =
            if part.channel == DRUM_CHANNEL || !used.contains(&part.channel) { part.channel } else { free.unwrap_or(part.channel) };
        used.insert(channel);
        channels.push(channel);
    }
    channels
}
