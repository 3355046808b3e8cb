//! The requested chord: which one, and how many notes on a quarter are its tones.

use antiphon_engine::codec::{self, BarRows};
use antiphon_engine::music::analysis::{Chord, ChordKind, KeySignature, ScaleMode};
use antiphon_engine::music::{Role, TICKS_PER_QUARTER, Tick};
use fastrand::Rng;

use super::Hits;

/// Triads of a major key without the diminished one, and of a minor key: semitones above the tonic, and their kind.
const MAJOR: [(u8, ChordKind); 6] = [
    (0, ChordKind::Major),
    (2, ChordKind::Minor),
    (4, ChordKind::Minor),
    (5, ChordKind::Major),
    (7, ChordKind::Major),
    (9, ChordKind::Minor),
];
const MINOR: [(u8, ChordKind); 6] = [
    (0, ChordKind::Minor),
    (3, ChordKind::Major),
    (5, ChordKind::Minor),
    (7, ChordKind::Major),
    (8, ChordKind::Major),
    (10, ChordKind::Major),
];

/// One of the common triads of a key; of C major where there is none.
pub(super) fn drawn(rng: &mut Rng, key: Option<KeySignature>) -> Chord {
    let (tonic, triads) = match key {
        Some(key) if key.mode() == ScaleMode::Minor => (key.tonic(), MINOR),
        key => (key.map_or(0, KeySignature::tonic), MAJOR),
    };
    let (degree, kind) = triads[rng.usize(..triads.len())];
    Chord { root: (tonic + degree) % 12, kind }
}

/// Notes but drums that start on a quarter: those that are tones of the chord, among all.
pub(super) fn on_beats(bars: &[BarRows], chord: Chord) -> Hits {
    let mut hits = Hits::default();
    for bar in bars {
        let notes = codec::decode(std::slice::from_ref(bar), Tick::ZERO);
        let on_beats = notes.iter().filter(|note| note.role != Role::Drums && note.onset.0 % TICKS_PER_QUARTER == 0);
        let tones: Vec<bool> = on_beats.map(|note| chord.scale().contains(note.pitch)).collect();
        hits += Hits { hits: tones.iter().filter(|is_tone| **is_tone).count(), of: tones.len() };
    }
    hits
}

#[cfg(test)]
mod tests {
    use antiphon_engine::codec::{BarFields, NoteClasses};

    use super::*;

    #[test]
    fn only_pitched_notes_on_quarters_count() {
        let note =
            |sub: u8, role: Role, pitch: u8| NoteClasses { beat: 1, sub, role: role.class(), pitch, duration: 5, velocity: 20, offset: 4 };
        let notes = vec![note(0, Role::Keys, 60), note(0, Role::Keys, 62), note(0, Role::Drums, 164), note(12, Role::Keys, 66)];
        let bar = BarRows { index: 0, ticks: 96, fields: BarFields::default(), notes };
        let c_major = Chord { root: 0, kind: ChordKind::Major };
        assert_eq!(on_beats(&[bar.clone(), bar], c_major), Hits { hits: 2, of: 4 });
    }

    #[test]
    fn drawn_chord_is_a_triad_of_the_key() {
        let scale = |key: Option<KeySignature>| {
            (0..50)
                .flat_map(|seed| drawn(&mut Rng::with_seed(seed), key).tones().collect::<Vec<_>>())
                .collect::<std::collections::BTreeSet<u8>>()
        };
        assert_eq!(scale(KeySignature::new(0, ScaleMode::Major)), scale(None));
        assert_eq!(scale(None), [0, 2, 4, 5, 7, 9, 11].into());
        assert_eq!(scale(KeySignature::new(9, ScaleMode::Minor)), [0, 2, 4, 5, 7, 8, 9, 11].into());
    }
}
