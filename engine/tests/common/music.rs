//! Random bars for tests, deterministic in the seed.

#![allow(dead_code, reason = "each test file uses a part of it")]

use antiphon_engine::codec::{BarFields, BarRows, NoteClasses};
use antiphon_engine::music::analysis::{Chord, ChordKind};

/// Random number generator (SplitMix64: Steele, Lea and Flood 2014), so that tests need no crate for it.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from 0 to `sides - 1`.
    pub(crate) fn roll(&mut self, sides: u8) -> u8 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        u8::try_from((z ^ z >> 31) % u64::from(sides)).expect("below sides")
    }
}

/// A chord, or none.
fn chord(dice: &mut Dice) -> Option<Chord> {
    let (root, kind) = (dice.roll(12), usize::from(dice.roll(10)));
    ChordKind::ALL.get(kind).map(|&kind| Chord { root, kind })
}

/// A bar of at most `most` notes, with random conditioning and classes.
pub(crate) fn bar(dice: &mut Dice, index: u32, most: u8) -> BarRows {
    let beats = 2 + dice.roll(3);
    let mut notes: Vec<NoteClasses> = (0..dice.roll(most + 1))
        .map(|_| {
            let drums = dice.roll(5) == 0;
            NoteClasses {
                beat: dice.roll(beats),
                sub: [0, 6, 8, 12, 16, 18, 23][usize::from(dice.roll(7))],
                role: if drums { 3 } else { [0, 1, 2, 4, 9, 15][usize::from(dice.roll(6))] },
                pitch: if drums { 128 + 35 + dice.roll(20) } else { 30 + dice.roll(60) },
                duration: dice.roll(64),
                velocity: dice.roll(32),
                offset: dice.roll(8),
            }
        })
        .collect();
    notes.sort_by_key(|note| (note.tick(), note.role, note.pitch));
    notes.dedup_by_key(|note| (note.tick(), note.role, note.pitch));
    // In one bar of three, by other dice, so that the rest of the music does not depend on them.
    let mut of_chords = Dice(u64::from(index));
    let fields = BarFields {
        metre: 1 + dice.roll(23),
        tempo: dice.roll(9),
        key: dice.roll(25),
        density: dice.roll(9),
        register: dice.roll(9),
        span: dice.roll(9),
        voices: dice.roll(9),
        mood: dice.roll(10),
        repeats: dice.roll(10),
        chords: if index % 3 == 1 { [chord(&mut of_chords), chord(&mut of_chords)] } else { [None; 2] },
    };
    BarRows { index, ticks: u16::from(beats) * 24, fields, notes }
}

/// `bars` bars of at most `most` notes each, some of them empty.
pub(crate) fn piece(seed: u64, bars: u32, most: u8) -> Vec<BarRows> {
    let mut dice = Dice(seed);
    (0..bars).map(|index| bar(&mut dice, index, most)).collect()
}
