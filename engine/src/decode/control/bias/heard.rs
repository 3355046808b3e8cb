//! Harmony of the others: lowers pitches that clash with what they have just played, or fit their key badly.

use super::cost::PitchBias;
use super::key::{KeyBias, RequestedKey};
use crate::music::analysis::KeySignature;
use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};

/// Cost in nats of a pitch that clashes with all that sounded.
const CLASH: f64 = 1.0;
/// Intervals in semitones that clash: seconds, the tritone, sevenths.
const CLASHING: [u8; 5] = [1, 2, 6, 10, 11];
/// Weight of the heard key, relative to a requested one: the player may be about to leave it.
const KEY_WEIGHT: f64 = 0.5;
/// Time before now that is heard: a beat.
const BEAT: Tick = Tick(TICKS_PER_QUARTER);

/// What others, beside whom a role plays, have just played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct HeardHarmony {
    /// Key of the music; `None` if unknown, or if no key is wanted.
    key: Option<KeySignature>,
    /// Share of each pitch class in what sounded in the last beat, in percent; all zero after silence.
    shares: [u8; 12],
}

impl HeardHarmony {
    /// Harmony of the beat before `now`, without a key. Drums have none.
    #[must_use]
    pub fn before(now: Tick, notes: &[Note]) -> Self {
        let from = now - BEAT;
        let sounding = notes.iter().filter(|note| note.role != Role::Drums && note.onset < now && note.end() > from);
        let mut ticks = [0; 12];
        for note in sounding {
            ticks[usize::from(note.pitch % 12)] += (note.end().min(now) - note.onset.max(from)).0;
        }
        let sum = ticks.iter().sum::<i64>().max(1);
        Self { key: None, shares: ticks.map(|ticks| u8::try_from(100 * ticks / sum).unwrap_or(100)) }
    }

    /// The same in a key.
    #[must_use]
    pub const fn in_key(self, key: Option<KeySignature>) -> Self {
        Self { key, ..self }
    }
}

/// Bias towards what has been heard.
pub(super) struct HeardBias {
    shares: [u8; 12],
    key: Option<KeyBias>,
}

impl HeardBias {
    /// `has_key`: whether a key is requested, which replaces the heard one.
    pub(super) fn new(heard: HeardHarmony, has_key: bool) -> Self {
        let key = heard.key.filter(|_| !has_key).map(|key| KeyBias::new(RequestedKey::of(key)));
        Self { shares: heard.shares, key }
    }
}

impl PitchBias for HeardBias {
    fn cost(&self, pitch: u8) -> f64 {
        let clashing: f64 = CLASHING.iter().map(|interval| f64::from(self.shares[usize::from((pitch + interval) % 12)])).sum();
        let key = self.key.as_ref().map_or(0.0, |key| key.cost(pitch));
        CLASH * clashing / 100.0 + KEY_WEIGHT * key
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Tables, note};
    use super::super::{KEYS, RequestedControls};
    use super::*;
    use crate::music::analysis::ScaleMode;

    fn sounds(role: Role, onset: i64, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    /// Pitch biases for notes on one octave.
    fn biases(heard: HeardHarmony) -> Vec<f32> {
        let tables = Tables::with(RequestedControls { heard: Some(heard), ..RequestedControls::default() }, &[note(0, 60, 23)], Some(24));
        assert!(tables.pitch[KEYS..].iter().all(|value| *value == 0.0), "drums have no harmony");
        tables.pitch[60..72].to_vec()
    }

    #[test]
    fn notes_of_the_last_beat_count_by_how_long_they_sounded_in_it() {
        let notes = [
            sounds(Role::Keys, 0, 24, 60),
            sounds(Role::Keys, 0, 36, 64),
            sounds(Role::Keys, 24, 48, 67),
            sounds(Role::Drums, 24, 24, 38),
            sounds(Role::Keys, 48, 24, 70),
        ];
        let heard = HeardHarmony::before(Tick(48), &notes);
        let shares: Vec<(usize, u8)> = heard.shares.into_iter().enumerate().filter(|(_, share)| *share > 0).collect();
        assert_eq!(shares, [(4, 33), (7, 66)], "C has ended, B flat has not begun");
        assert_eq!(HeardHarmony::before(Tick(96), &notes[..2]), HeardHarmony::default());
    }

    #[test]
    fn tones_of_the_heard_chord_cost_less_than_their_neighbours() {
        let c_major = [60, 64, 67].map(|pitch| sounds(Role::Keys, 0, 24, pitch));
        let biases = biases(HeardHarmony::before(Tick(24), &c_major));
        let of = |classes: &[usize]| classes.iter().map(|class| biases[*class]).fold(f32::MAX, f32::min);
        assert_eq!([0, 4, 7].map(|class| biases[class]), [0.0; 3]);
        assert!([1, 2, 6, 10, 11].iter().all(|class| biases[*class] < -0.3), "{biases:?}");
        assert!(of(&[0, 4, 7, 9]) > -0.4, "A is in a chord with them");
    }

    #[test]
    fn heard_key_weighs_half_of_a_requested_one_and_yields_to_it() {
        let key = KeySignature::new(0, ScaleMode::Major).unwrap();
        let heard = biases(HeardHarmony::default().in_key(Some(key)));
        let requested = RequestedControls { key: Some(RequestedKey::of(key)), ..RequestedControls::default() };
        let both = RequestedControls { heard: Some(HeardHarmony::default().in_key(Some(key))), ..requested };
        let [requested, both] =
            [requested, both].map(|controls| Tables::with(controls, &[note(0, 60, 23)], Some(24)).pitch[60..72].to_vec());
        assert_eq!(requested.iter().map(|value| value / 2.0).collect::<Vec<_>>(), heard);
        assert_eq!(requested, both);
    }
}
