//! Files made by hand, byte by byte, for the tests, also in forms that no writer produces.

use crate::music::{Clip, Part};

/// One quarter on middle C at 24 ticks a quarter.
pub(super) const QUARTER: &[u8] = &[0, 0x90, 60, 80, 24, 0x80, 60, 0];

/// (onset, end, pitch, channel) of every note.
pub(super) fn spans(clip: &Clip) -> Vec<(i64, i64, u8, u8)> {
    let of_part = |part: &Part| part.notes.iter().map(|n| (n.onset.0, n.end().0, n.pitch, part.channel)).collect::<Vec<_>>();
    clip.parts.iter().flat_map(of_part).collect()
}

/// A file with this header and these tracks, each closed by an end-of-track event 24 file ticks after its last event.
pub(super) fn file(format: u16, division: u16, tracks: &[&[u8]]) -> Vec<u8> {
    let chunks = tracks.iter().flat_map(|events| chunk(b"MTrk", &[events, &[24, 0xFF, 0x2F, 0][..]].concat()));
    let count = u16::try_from(tracks.len()).unwrap();
    header(format, count, division).into_iter().chain(chunks).collect()
}

pub(super) fn header(format: u16, tracks: u16, division: u16) -> Vec<u8> {
    chunk(b"MThd", &[format.to_be_bytes(), tracks.to_be_bytes(), division.to_be_bytes()].concat())
}

pub(super) fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&id[..], &length, content].concat()
}
