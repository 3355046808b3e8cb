//! Any rows decode, are labelled and aligned; what they decode to encodes canonically, and canonical rows come back as they were.

#![no_main]

use antiphon_engine::codec::{BarEnd, BarFields, BarRows, NoteClasses, align, decode, encode, label};
use antiphon_engine::music::{Bar, Metre, TempoMap, Tick};
use libfuzzer_sys::fuzz_target;

/// Bytes to a bar: two for the length, then seven a note.
fn bar(index: u32, bytes: &[u8]) -> BarRows {
    let (length, notes) = bytes.split_at(bytes.len().min(2));
    let ticks = length.iter().fold(0, |ticks, byte| ticks << 8 | u16::from(*byte));
    let note = |classes: &[u8; 7]| {
        let [beat, sub, role, pitch, duration, velocity, offset] = *classes;
        NoteClasses { beat, sub, role, pitch, duration, velocity, offset }
    };
    let fields = BarFields { metre: 1, ..BarFields::default() };
    BarRows { index, ticks, fields, notes: notes.as_chunks().0.iter().map(note).collect() }
}

fuzz_target!(|bytes: &[u8]| {
    // 37 bytes make a bar of five notes.
    let rows: Vec<BarRows> = (0..).zip(bytes.chunks(37)).map(|(index, bytes)| bar(index, bytes)).collect();
    let mut start = Tick::ZERO;
    let bars: Vec<Bar> = rows
        .iter()
        .map(|row| {
            let bar = Bar { index: row.index, start, length: Tick(row.ticks.into()), metre: Metre::COMMON };
            start = bar.end();
            bar
        })
        .collect();

    let notes = decode(&rows, Tick::ZERO);
    let encoded = encode(&notes, &bars, None);
    assert!(encoded.bars.iter().all(BarRows::is_canonical));
    assert_eq!(encoded.report.notes + encoded.report.duplicates + encoded.report.outside, notes.len());
    if rows.iter().all(BarRows::is_canonical) {
        assert_eq!(encoded.bars, rows);
    }

    let mut labelled = rows;
    label(&mut labelled, Tick::ZERO, &TempoMap::default());
    for bar in &labelled {
        let (aligned, targets) = align(bar, BarEnd::Piece);
        assert_eq!(aligned.len(), targets.len());
        assert_eq!(aligned.len(), if bar.notes.is_empty() { 2 } else { bar.notes.len() + 3 });
    }
});
