//! Drum parts that are not on channel 10: known by the keys they strike.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::super::{Note, Part, Tick};

/// Fewest notes that show a drum kit.
const LEAST_NOTES: usize = 8;

/// General MIDI percussion keys of a drum kit: from the acoustic bass drum to the second ride cymbal.
const KIT: RangeInclusive<u8> = 35..=59;
const KICKS: [u8; 2] = [35, 36];
/// Side stick, snare, clap, electric snare.
const SNARES: [u8; 4] = [37, 38, 39, 40];
/// Hi-hats, crashes, rides, splash, china.
const CYMBALS: [u8; 10] = [42, 44, 46, 49, 51, 52, 53, 55, 57, 59];
/// Bass drum, snares and hi-hats, the most used of a kit: they are a whole tone apart.
const WHOLE_TONES: [u8; 6] = [36, 38, 40, 42, 44, 46];
/// The toms, between them.
const TOMS: [u8; 6] = [41, 43, 45, 47, 48, 50];

/// Least shares of all notes, in percent: on keys of the kit; on kick, snare and cymbals; on each of these three.
const ON_KIT: usize = 95;
const ON_CORE: usize = 70;
const ON_KICK: usize = 3;
const ON_SNARE: usize = 3;
const ON_CYMBALS: usize = 5;

/// Least share of the whole tones among the notes on whole tones and toms, in percent. Music in a key needs the steps between them.
const ON_WHOLE_TONES: usize = 85;

/// Fewest keys of the whole tones that are struck.
const LEAST_WHOLE_TONES: usize = 2;

/// Least share of the strikes of kick or snare that a cymbal doubles, in percent, no more than [`TOGETHER`] apart. A bass line plays one note at a time.
const DOUBLED: usize = 10;
const TOGETHER: Tick = Tick(1);

/// Whether the part's notes are those of a drum kit: nearly all on a kit's keys, with kick, snare and cymbals, some of them struck together, and in the low octave
/// on a whole-tone scale.
pub(super) fn is_played_by(part: &Part) -> bool {
    let on = |keys: &[u8]| part.notes.iter().filter(|note| keys.contains(&note.pitch)).count();
    let all = part.notes.len();
    let is_share = |notes: usize, of: usize, percent: usize| notes * 100 >= of * percent;
    let on_kit = part.notes.iter().filter(|note| KIT.contains(&note.pitch)).count();
    let (kicks, snares, cymbals) = (on(&KICKS), on(&SNARES), on(&CYMBALS));
    let (whole_tones, toms) = (on(&WHOLE_TONES), on(&TOMS));
    all >= LEAST_NOTES
        && is_share(on_kit, all, ON_KIT)
        && is_share(kicks + snares + cymbals, all, ON_CORE)
        && is_share(kicks, all, ON_KICK)
        && is_share(snares, all, ON_SNARE)
        && is_share(cymbals, all, ON_CYMBALS)
        && is_share(whole_tones, whole_tones + toms, ON_WHOLE_TONES)
        && WHOLE_TONES.iter().filter(|key| on(&[**key]) > 0).count() >= LEAST_WHOLE_TONES
        && are_doubled(&part.notes)
}

/// Whether cymbals double enough of the strikes of kick and snare.
fn are_doubled(notes: &[Note]) -> bool {
    let onsets =
        |wanted: &dyn Fn(u8) -> bool| -> BTreeSet<Tick> { notes.iter().filter(|note| wanted(note.pitch)).map(|note| note.onset).collect() };
    let drums = onsets(&|key| KICKS.contains(&key) || SNARES.contains(&key));
    let cymbals = onsets(&|key| CYMBALS.contains(&key));
    let doubled = drums.iter().filter(|&&onset| cymbals.range(onset - TOGETHER..=onset + TOGETHER).next().is_some()).count();
    doubled * 100 >= drums.len() * DOUBLED
}

#[cfg(test)]
mod tests {
    use super::super::super::Role;
    use super::*;

    /// Notes of these keys, an eighth apart; keys of one group start together.
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
    fn kick_snare_and_cymbals_that_sound_together_are_a_kit() {
        assert!(is_played_by(&repeated(&[&[36, 42], &[42], &[38, 42], &[42]], 4)));
        let ride: [&[u8]; 8] = [&[35, 51], &[51, 44], &[51], &[40, 51], &[36, 49], &[38], &[51, 44], &[48]];
        let with_open_hat = [&ride[..7], &[&[46]]].concat();
        assert!(is_played_by(&part(&[&with_open_hat[..], &ride].concat())), "a tom now and then");
    }

    #[test]
    fn cymbals_that_come_a_tick_late_are_a_kit() {
        let mut beat = repeated(&[&[36, 42], &[42], &[38, 42], &[42]], 4);
        beat.notes.iter_mut().filter(|note| note.pitch == 42).for_each(|note| note.onset += Tick(1));
        assert!(is_played_by(&beat));
        beat.notes.iter_mut().filter(|note| note.pitch == 42).for_each(|note| note.onset += Tick(2));
        assert!(!is_played_by(&beat), "nothing is struck together any more");
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
        assert!(!is_played_by(&repeated(&[&[36, 42], &[38, 42]], 1)), "too few to decide");
        assert!(!is_played_by(&Part::default()));
    }

    #[test]
    fn power_chords_of_a_guitar_are_no_kit() {
        // Fifths on D, C, B, E and A, in eighths.
        let riff: [&[u8]; 8] = [&[38, 45], &[38, 45], &[36, 43], &[38, 45], &[35, 42], &[35, 42], &[40, 47], &[45, 52]];
        assert!(!is_played_by(&repeated(&riff, 4)));
        // On B, D flat, E flat and F sharp: all on keys of kick, snare and cymbals but for the steps between.
        let flats: [&[u8]; 4] = [&[35, 42], &[37, 44], &[39, 46], &[42, 49]];
        assert!(!is_played_by(&repeated(&[&flats[..], &[&[41, 48], &[36, 43]]].concat(), 4)));
    }
}
