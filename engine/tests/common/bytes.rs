//! MIDI files made byte by byte, also in forms that our writer does not produce, and their contents as `midly` reads them.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use midly::{MidiMessage, Smf, TrackEventKind};

/// A file of type 0 or 1 with these tracks, each with its end-of-track event.
pub(crate) fn file(format: u8, division: u16, tracks: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(tracks.len()).unwrap().to_be_bytes();
    let head = [&b"MThd\0\0\0\x06\0"[..], &[format], &count, &division.to_be_bytes()].concat();
    let chunks = tracks.iter().flat_map(|track| [&b"MTrk"[..], &u32::try_from(track.len()).unwrap().to_be_bytes(), track].concat());
    head.into_iter().chain(chunks).collect()
}

/// Events by their time, the end of the track behind them: at `end`, or with the last event if that is later.
pub(crate) fn track(end: u32, mut events: Vec<(u32, Vec<u8>)>) -> Vec<u8> {
    events.sort_by_key(|event| event.0);
    let last = events.last().map_or(0, |event| event.0);
    events.push((end.max(last), vec![0xFF, 0x2F, 0]));
    let mut before = 0;
    let mut bytes = Vec::new();
    for (time, event) in events {
        let delta = time - before;
        before = time;
        for group in (0..4).rev() {
            let rest = delta >> (7 * group);
            if rest > 0 || group == 0 {
                bytes.push(u8::try_from(rest & 0x7F).unwrap() | if group > 0 { 0x80 } else { 0 });
            }
        }
        bytes.extend(event);
    }
    bytes
}

/// Note-on and note-off.
pub(crate) fn note(start: u32, end: u32, channel: u8, key: u8) -> [(u32, Vec<u8>); 2] {
    [(start, vec![0x90 | channel, key, 80]), (end, vec![0x80 | channel, key, 64])]
}

/// A meta event.
pub(crate) fn meta(time: u32, kind: u8, data: &[u8]) -> (u32, Vec<u8>) {
    (time, [&[0xFF, kind, u8::try_from(data.len()).unwrap()], data].concat())
}

/// A track: (time, event as Rust prints it) of everything that is no note, and the notes as (start, end, channel, key); the end of one that is
/// never let go is `u32::MAX`.
pub(crate) type ParsedTrack = (Vec<(u32, String)>, Vec<(u32, u32, u8, u8)>);

/// The tracks of a file.
pub(crate) fn parsed(bytes: &[u8]) -> Vec<ParsedTrack> {
    let smf = Smf::parse(bytes).unwrap_or_else(|error| panic!("{error}"));
    let track = |events: &Vec<midly::TrackEvent<'_>>| {
        let (mut at, mut others, mut notes, mut held) = (0, Vec::new(), Vec::new(), Vec::new());
        for event in events {
            at += event.delta.as_int();
            match event.kind {
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, vel } } if vel > 0 => {
                    held.push((at, channel.as_int(), key.as_int()));
                }
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } } => {
                    let on = held.iter().position(|&(_, c, k)| (c, k) == (channel.as_int(), key.as_int()));
                    notes.extend(on.map(|on| held.remove(on)).map(|(start, c, k)| (start, at, c, k)));
                }
                other => others.push((at, format!("{other:?}"))),
            }
        }
        notes.extend(held.into_iter().map(|(start, channel, key)| (start, u32::MAX, channel, key)));
        notes.sort_unstable();
        (others, notes)
    };
    smf.tracks.iter().map(track).collect()
}
