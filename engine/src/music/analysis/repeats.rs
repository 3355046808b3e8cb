//! Repeats: which earlier bar a bar is like.
//!
//! Bars are compared as sets of notes: (onset in the bar, role, key). Lengths, velocities and timing do not count, and a transposed bar is another one.
//! The measure is that of Museformer's statistics of real music (B. Yu et al., "Museformer: Transformer with Fine- and Coarse-Grained Attention for
//! Music Generation", 2022): what two bars share of all that is in either.

use std::borrow::Borrow;

use crate::music::{Note, Role, Tick};

/// Distances in bars at which a repeat is searched for, in this order: the most frequent ones, which the model sees row by row.
pub const REPEAT_BARS: [usize; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Bars at least so similar are repeats: one note of ten may be another.
pub const REPEAT_SIMILARITY: f64 = 0.8;

/// Value of a bar that is like none of [`REPEAT_BARS`] before it. The next values are those, in order.
pub const NEW_BAR: u8 = 1;

/// The notes of a bar as they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BarPattern {
    /// Onset from the bar line, role, key; ascending, one of each.
    notes: Vec<(Tick, Role, u8)>,
}

impl BarPattern {
    /// The pattern of the notes of the bar that starts at `start`.
    #[must_use]
    pub fn new(start: Tick, notes: &[Note]) -> Self {
        let mut notes: Vec<_> = notes.iter().map(|note| (note.onset - start, note.role, note.pitch)).collect();
        notes.sort_unstable();
        notes.dedup();
        Self { notes }
    }

    /// Number of notes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether there is no note.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Number of notes that both bars have.
    #[must_use]
    pub fn shared(&self, other: &Self) -> usize {
        self.notes.iter().filter(|note| other.notes.binary_search(note).is_ok()).count()
    }

    /// Intersection over union of the notes, 0 to 1; 0 for two empty bars.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        let both = self.shared(other);
        let either = self.len() + other.len() - both;
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        if either == 0 { 0.0 } else { number(both) / number(either) }
    }
}

/// For each of these consecutive bars its value in the model's repeats column: [`NEW_BAR`], or 2 to 9 for the first of [`REPEAT_BARS`] that it repeats;
/// 0, unset, for a bar without notes.
#[must_use]
pub fn repeats_of_bars(bars: &[impl Borrow<BarPattern>]) -> Vec<u8> {
    let bars: Vec<&BarPattern> = bars.iter().map(Borrow::borrow).collect();
    let value = |bar: usize| {
        let repeated = (NEW_BAR + 1..).zip(REPEAT_BARS).find(|&(_, back)| {
            let earlier = bar.checked_sub(back).map(|earlier| bars[earlier]);
            earlier.is_some_and(|earlier| bars[bar].similarity(earlier) >= REPEAT_SIMILARITY)
        });
        match repeated {
            _ if bars[bar].is_empty() => 0,
            Some((value, _)) => value,
            None => NEW_BAR,
        }
    };
    (0..bars.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar of ten notes in eighths, the first ones these.
    fn bar(start: i64, keys: &[u8]) -> Vec<Note> {
        let keys = keys.iter().copied().chain([60, 61, 62, 63, 64, 65, 66, 67, 68, 69]).take(10);
        let note =
            |(index, pitch)| Note { onset: Tick(start + index), offset: 0, duration: Tick(9), pitch, velocity: 80, role: Role::Keys };
        (0i64..).step_by(9).zip(keys).map(note).collect()
    }

    fn pattern(keys: &[u8]) -> BarPattern {
        BarPattern::new(Tick(960), &bar(960, keys))
    }

    #[test]
    fn one_note_of_ten_may_differ_and_two_may_not() {
        let (plain, one, two) = (pattern(&[40, 41]), pattern(&[40, 51]), pattern(&[50, 51]));
        assert_eq!(plain.similarity(&one), 9.0 / 11.0);
        assert_eq!(plain.similarity(&two), 8.0 / 12.0);
        assert_eq!(repeats_of_bars(&[plain.clone(), one]), [1, 2]);
        assert_eq!(repeats_of_bars(&[plain, two]), [1, 1]);
    }

    #[test]
    fn lengths_loudness_and_the_place_in_the_piece_do_not_count_but_the_key_and_the_role_do() {
        let first = bar(0, &[]);
        let other: Vec<Note> = bar(96, &[]).iter().map(|note| Note { duration: Tick(3), velocity: 9, offset: 2, ..*note }).collect();
        assert_eq!(BarPattern::new(Tick::ZERO, &first).similarity(&BarPattern::new(Tick(96), &other)), 1.0);
        let higher: Vec<Note> = first.iter().map(|note| Note { pitch: note.pitch + 20, ..*note }).collect();
        let sung: Vec<Note> = first.iter().map(|note| Note { role: Role::Melody, ..*note }).collect();
        for changed in [higher, sung] {
            assert_eq!(BarPattern::new(Tick::ZERO, &first).similarity(&BarPattern::new(Tick::ZERO, &changed)), 0.0);
        }
    }

    #[test]
    fn each_distance_has_its_value_and_the_nearest_is_chosen() {
        let mut bars: Vec<BarPattern> = (0..40u8).map(|index| pattern(&[index; 10])).collect();
        for (value, back) in (2..).zip(REPEAT_BARS) {
            let mut bars = bars.clone();
            bars[39] = bars[39 - back].clone();
            assert_eq!(repeats_of_bars(&bars)[39], value);
        }
        // Three bars back is not looked at.
        bars[39] = bars[36].clone();
        assert_eq!(repeats_of_bars(&bars)[39], NEW_BAR);
        bars[31] = bars[36].clone();
        bars[35] = bars[36].clone();
        assert_eq!(repeats_of_bars(&bars)[39], 4, "four bars back comes before eight");
    }

    #[test]
    fn empty_bar_repeats_nothing() {
        let empty = BarPattern::default();
        assert_eq!(repeats_of_bars(&[empty.clone(), empty, pattern(&[])]), [0, 0, 1]);
    }
}
