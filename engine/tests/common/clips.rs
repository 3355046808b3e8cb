//! Small pieces of our own, made by code.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Part, Role, Tempo, TempoMap, Tick};

/// A part of one instrument.
fn part(name: &str, channel: u8, program: u8, notes: Vec<Note>) -> Part {
    Part { name: name.into(), channel, program: Some(program), notes, ..Part::default() }
}

fn note(onset: i64, duration: i64, pitch: u8, velocity: u8) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity, role: Role::Other }
}

/// The note, played this far from the grid.
fn played(note: Note, index: usize) -> Note {
    const OFFSETS: [i8; 8] = [0, -1, 1, 2, -2, 3, -4, -3];
    Note { offset: OFFSETS[index % OFFSETS.len()], ..note }
}

fn metre(numerator: u8, denominator: u8) -> Metre {
    Metre::new(numerator, denominator).unwrap()
}

/// Melody, bass and drums in 4/4, played: the band calls, a bar of silence, the band answers.
pub(crate) fn answer() -> Clip {
    let call: [(i64, i64, u8); 7] = [(0, 24, 69), (24, 12, 72), (36, 12, 74), (48, 36, 76), (84, 12, 74), (96, 48, 72), (156, 36, 67)];
    let tune =
        [0, 288].iter().flat_map(|start| call.map(|(onset, length, pitch)| (start + onset, length, pitch + u8::from(*start > 0) * 2)));
    let melody: Vec<Note> =
        (0..).zip(tune).map(|(n, (onset, length, pitch))| played(note(onset + 96, length, pitch, 70 + 7 * (n % 8)), n.into())).collect();
    let beats = [96, 120, 168, 192, 216, 264, 384, 408, 456, 480, 504, 552];
    let roots = [45, 45, 52, 48, 48, 43, 47, 47, 54, 50, 50, 45];
    let bass: Vec<Note> = (2..).zip(beats.iter().zip(roots)).map(|(n, (onset, pitch))| played(note(*onset, 20, pitch, 88), n)).collect();
    let eighths = (8..24).chain(32..48).map(|eighth: u8| (i64::from(eighth) * 12, eighth));
    let drums = eighths.flat_map(|(onset, eighth)| {
        let kick_or_snare = if eighth % 4 == 0 {
            Some(36)
        } else if eighth % 4 == 2 {
            Some(38)
        } else {
            None
        };
        let hat = played(note(onset, 6, 42, if eighth % 2 == 0 { 80 } else { 54 }), usize::from(eighth));
        kick_or_snare.map(|pitch| played(note(onset, 6, pitch, 100), usize::from(eighth))).into_iter().chain([hat])
    });
    Clip {
        parts: vec![part("Melody", 0, 65, melody), part("Bass", 1, 33, bass), part("Drums", 9, 0, drums.collect())],
        metres: MetreMap::default(),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(96.0).unwrap())]),
        end: Tick(576),
    }
}

/// Two hands through 3/4, 7/8, a bar of 17/4 (longer than a row can address) and 2/2, with held basses and a slower end.
pub(crate) fn changes() -> Clip {
    let metres = MetreMap::new([(Tick::ZERO, metre(3, 4)), (Tick(144), metre(7, 8)), (Tick(312), metre(17, 4)), (Tick(720), metre(2, 2))]);
    let scale = [60, 62, 63, 65, 67, 68, 71, 72];
    let right = (0..60usize).map(|n| note(72 + 12 * i64::try_from(n).unwrap(), 12, scale[(n * 3 + n / 8) % 8], 80));
    let left = [(72, 72, 48), (144, 84, 44), (228, 84, 43), (312, 408, 36), (312, 200, 43), (720, 96, 48), (720, 96, 36)];
    let left = left.map(|(onset, length, pitch)| note(onset, length, pitch, 80)).to_vec();
    Clip {
        parts: vec![part("Right hand", 0, 0, right.collect()), part("Left hand", 1, 0, left)],
        metres,
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(132.0).unwrap()), (Tick(720), Tempo::from_bpm(58.0).unwrap())]),
        end: Tick(816),
    }
}

/// Four voices in 4/4, with unisons and a loud second line.
pub(crate) fn hymn() -> Clip {
    let chords: [[u8; 4]; 16] = [
        [67, 64, 60, 48],
        [69, 65, 60, 53],
        [71, 67, 62, 55],
        [72, 67, 64, 60],
        [72, 69, 64, 57],
        [71, 68, 64, 52],
        [69, 69, 60, 57],
        [67, 62, 59, 55],
        [65, 62, 57, 50],
        [64, 60, 55, 48],
        [65, 60, 57, 53],
        [67, 60, 60, 52],
        [69, 65, 60, 53],
        [67, 65, 62, 55],
        [67, 65, 59, 55],
        [67, 64, 60, 48],
    ];
    let voice = |index: usize| -> Vec<Note> {
        let tones = chords.iter().zip(0u8..);
        tones.map(|(chord, beat)| note(24 * i64::from(beat), 24, chord[index], if beat < 8 { 62 } else { 96 })).collect()
    };
    let names = ["Soprano", "Alto", "Tenor", "Bass"];
    Clip {
        parts: (0u8..).zip(names).map(|(index, name)| part(name, index, 52, voice(index.into()))).collect(),
        metres: MetreMap::default(),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(80.0).unwrap())]),
        end: Tick(384),
    }
}
