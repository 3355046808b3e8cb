//! Where a piece changes its key. Bar by bar the best key flickers between neighbours that share all notes but one; a listener stays in a key until another is clearer
//! for long enough.

use super::key::{KeySignature, PitchProfile, windows_of_bars};

/// Cost of a change of key, as a sum over bars of the new key's gain in correlation: a key that is better by 0.1 has to hold for five bars.
const CHANGE_COST: f64 = 0.5;

/// The key of each bar along the most plausible path: the one with the highest sum of correlations ([`windows_of_bars`]) less `CHANGE_COST` for each change (A. J.
/// Viterbi's algorithm). Bars without a detectable key have the one before them; `None` before the first that has one.
#[must_use]
pub fn keys_of_bars(bars: &[PitchProfile]) -> Vec<Option<KeySignature>> {
    let keys: Vec<KeySignature> = KeySignature::all().collect();
    let windows = windows_of_bars(bars);
    let first = windows.iter().position(|window| window.key().is_some()).unwrap_or(windows.len());
    let mut sums = vec![0.0; keys.len()];
    // For each bar, and each key in it, the key of the bar before, as an index into `keys`.
    let mut came_from: Vec<Vec<usize>> = Vec::new();
    for window in &windows[first..] {
        let best = highest(&sums);
        let from: Vec<usize> = (0..keys.len()).map(|key| if sums[key] >= sums[best] - CHANGE_COST { key } else { best }).collect();
        sums = from
            .iter()
            .enumerate()
            .map(|(key, &from)| sums[from] - if from == key { 0.0 } else { CHANGE_COST } + window.fit(keys[key]).unwrap_or(0.0))
            .collect();
        came_from.push(from);
    }
    let mut path = vec![None; windows.len()];
    let mut key = highest(&sums);
    for (bar, from) in path[first..].iter_mut().zip(&came_from).rev() {
        *bar = Some(keys[key]);
        key = from[key];
    }
    path
}

/// Index of the highest value, the first of equal ones; 0 of none.
fn highest(values: &[f64]) -> usize {
    (0..values.len()).reduce(|best, next| if values[next] > values[best] { next } else { best }).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::ScaleMode;
    use super::*;
    use crate::music::{Note, Role, Tick};

    fn bar(pitches: &[u8]) -> PitchProfile {
        let note = |&pitch: &u8| Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Melody };
        PitchProfile::new(&pitches.iter().map(note).collect::<Vec<_>>())
    }

    fn key(tonic: u8, mode: ScaleMode) -> Option<KeySignature> {
        KeySignature::new(tonic, mode)
    }

    /// Tonic, subdominant, dominant seventh, tonic, on C.
    const CADENCE: [u8; 13] = [60, 64, 67, 65, 69, 72, 67, 71, 74, 77, 60, 64, 67];

    #[test]
    fn few_bars_towards_the_relative_minor_do_not_change_the_key() {
        let relative = [69, 72, 76, 69, 72, 76, 74, 76, 69];
        let bars: Vec<PitchProfile> = (0..32).map(|n| if (11..16).contains(&n) { bar(&relative) } else { bar(&CADENCE) }).collect();
        let flickers = windows_of_bars(&bars).iter().any(|window| window.key() == key(9, ScaleMode::Minor));
        assert!(flickers, "the best key of single bars is another here and there");
        assert_eq!(keys_of_bars(&bars), vec![key(0, ScaleMode::Major); 32]);
    }

    #[test]
    fn modulation_that_lasts_is_a_change_near_its_bar() {
        let bars: Vec<PitchProfile> = (0..24).map(|n| bar(&CADENCE.map(|pitch| pitch + if n < 12 { 0 } else { 7 }))).collect();
        let keys = keys_of_bars(&bars);
        let change = keys.iter().position(|found| *found != key(0, ScaleMode::Major)).unwrap();
        assert!((10..=14).contains(&change), "{change}");
        assert!(keys[change..].iter().all(|found| *found == key(7, ScaleMode::Major)));
    }

    #[test]
    fn bars_without_a_key_take_over_the_one_before() {
        let silence = PitchProfile::default();
        let bars = [vec![silence; 6], vec![bar(&CADENCE); 4], vec![silence; 12]].concat();
        let keys = keys_of_bars(&bars);
        // The window of a bar reaches four bars on.
        assert_eq!((&keys[..2], &keys[2..]), (&[None, None][..], &[key(0, ScaleMode::Major); 20][..]));
        assert!(keys_of_bars(&[silence; 3]).iter().all(Option::is_none) && keys_of_bars(&[]).is_empty());
    }
}
