//! Drum parts that are not on channel 10: known by the keys they strike.

use std::collections::BTreeSet;

use super::super::{Note, Part, Tick};

/// Fewest notes that show a drum kit.
const LEAST_NOTES: usize = 8;

/// General MIDI percussion keys of a drum kit: from the acoustic bass drum to the second ride cymbal.
const KIT: std::ops::RangeInclusive<u8> = 35..=59;
const KICKS: [u8; 2] = [35, 36];
/// Side stick, snare, clap, electric snare.
const SNARES: [u8; 4] = [37, 38, 39, 40];
/// Hi-hats, crashes, rides, splash, china.
const CYMBALS: [u8; 10] = [42, 44, 46, 49, 51, 52, 53, 55, 57, 59];

/// Most keys of a kit that one part strikes. A bass or a left hand in the same register uses more.
const MOST_KEYS: usize = 14;

/// Shares, in percent: notes on keys of the kit; notes on kick, snare and cymbals; notes on cymbals; strikes of kick or snare that a cymbal doubles.
const OF_KIT: usize = 95;
const OF_CORE: usize = 70;
const OF_CYMBALS: usize = 20;
const DOUBLED: usize = 25;

/// Whether the part's notes are those of a drum kit: nearly all on a kit's keys, with kick, snare and cymbals, and the cymbals struck together with the drums.
/// The last is what a bass line in the same register never does.
pub(super) fn is_played_by(part: &Part) -> bool {
    let keys: BTreeSet<u8> = part.notes.iter().map(|note| note.pitch).collect();
    let any_of = |wanted: &[u8]| wanted.iter().any(|key| keys.contains(key));
    if part.notes.len() < LEAST_NOTES || keys.len() > MOST_KEYS || !any_of(&KICKS) || !any_of(&SNARES) {
        return false;
    }
    let is_drum = |note: &Note| KICKS.contains(&note.pitch) || SNARES.contains(&note.pitch);
    let is_cymbal = |note: &Note| CYMBALS.contains(&note.pitch);
    let share = |wanted: &dyn Fn(&Note) -> bool, percent: usize| {
        part.notes.iter().filter(|note| wanted(note)).count() * 100 >= part.notes.len() * percent
    };
    let onsets = |wanted: &dyn Fn(&Note) -> bool| -> BTreeSet<Tick> {
        part.notes.iter().filter(|note| wanted(note)).map(|note| note.onset).collect()
    };
    let (drums, cymbals) = (onsets(&is_drum), onsets(&is_cymbal));
    share(&|note| KIT.contains(&note.pitch), OF_KIT)
        && share(&|note| is_drum(note) || is_cymbal(note), OF_CORE)
        && share(&is_cymbal, OF_CYMBALS)
        && drums.intersection(&cymbals).count() * 100 >= drums.len() * DOUBLED
}

#[cfg(test)]
mod tests {
    use super::super::super::Role;
    use super::*;

    /// Notes of these keys, an eighth apart; keys that stand together start together.
    fn part(keys: &[&[u8]]) -> Part {
        let note = |(index, &pitch): (i64, &u8)| Note {
            onset: Tick(12 * index),
            offset: 0,
            duration: Tick(6),
            pitch,
            velocity: 90,
            role: Role::Other,
        };
        let notes = (0..).zip(keys).flat_map(|(index, keys)| keys.iter().map(move |key| (index, key))).map(note);
        Part { notes: notes.collect(), ..Part::default() }
    }

    /// The same bars `times` over.
    fn repeated(bar: &[&[u8]], times: usize) -> Part {
        part(&bar.repeat(times))
    }

    #[test]
    fn kick_snare_and_hats_that_sound_together_are_a_kit() {
        assert!(is_played_by(&repeated(&[&[36, 42], &[42], &[38, 42], &[42]], 4)));
        assert!(is_played_by(&repeated(&[&[35, 51], &[51, 44], &[51], &[40, 51], &[36, 49], &[48], &[45], &[41]], 2)));
    }

    #[test]
    fn pitched_parts_in_the_same_register_are_no_kit() {
        let walking_bass: Vec<&[u8]> = vec![&[36], &[38], &[40], &[42], &[43], &[42], &[40], &[38], &[46], &[44], &[42], &[36]];
        assert!(!is_played_by(&part(&walking_bass)), "one note at a time");
        assert!(!is_played_by(&repeated(&[&[36, 48], &[43], &[38, 50], &[45]], 4)), "octaves of a left hand");
        assert!(
            !is_played_by(&repeated(&[&[36, 43, 52], &[42, 46, 51], &[38, 45, 54], &[40, 47, 56]], 8)),
            "block chords strike too few drums"
        );
        assert!(!is_played_by(&repeated(&[&[36, 42], &[38, 42]], 1)), "too few to tell");
        assert!(!is_played_by(&Part::default()));
    }
}
