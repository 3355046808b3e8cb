//! Default conditioning of bars to be generated, where no controls are requested.

use super::row::BarFields;

/// Length in bars of the phrase whose conditioning is continued.
const PHRASE_BARS: usize = 8;

/// Conditioning of the bar `ahead` bars after the next one, if no controls are requested: that of the bar one phrase before it, and the last key
/// found. Metre, tempo, mood and chords are unset.
///
/// So the form of the music continues: which bars are dense and which sparse, which are new and which repeat others. `finished` has the conditioning
/// of the finished bars in order; if they are fewer than a phrase, the latest four, two or one of them are taken for it. A bar in which no note starts is
/// replaced by the nearest bar with notes before it, else after it: a bar that is unset in every field is as likely as not to stay empty, and so
/// would all that follow.
///
/// ```
/// use antiphon_engine::codec::{BarFields, default_conditioning};
///
/// let bar = |density| BarFields { density, tempo: 3, ..BarFields::default() };
/// // Three finished bars are fewer than a phrase of eight: the last two are taken for it. The tempo is not continued.
/// let next: Vec<BarFields> = (0..3).map(|ahead| default_conditioning(&[bar(1), bar(5), bar(7)], ahead)).collect();
/// assert_eq!(next.iter().map(|bar| (bar.density, bar.tempo)).collect::<Vec<_>>(), [(5, 0), (7, 0), (5, 0)]);
/// ```
#[must_use]
pub fn default_conditioning(finished: &[BarFields], ahead: usize) -> BarFields {
    let phrase = (0..=PHRASE_BARS.ilog2()).rev().map(|power| 1 << power).find(|&bars| bars <= finished.len());
    let Some(phrase) = phrase else { return BarFields::default() };
    let (before, after) = finished.split_at(finished.len() - phrase + ahead % phrase + 1);
    let sounds = |bar: &&BarFields| bar.density > 0;
    let like = before.iter().rev().find(sounds).or_else(|| after.iter().find(sounds)).copied().unwrap_or_default();
    let key = finished.iter().rev().map(|bar| bar.key).find(|key| *key > 0).unwrap_or(0);
    BarFields { metre: 0, tempo: 0, key, mood: 0, chords: [None; 2], ..like }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::analysis::Chord;

    fn bar(density: u8) -> BarFields {
        BarFields {
            metre: 3,
            tempo: 4,
            key: density + 10,
            density,
            register: 5,
            span: 6,
            voices: 7,
            mood: 8,
            repeats: 9 - density,
            chords: [Chord::named("G7"); 2],
        }
    }

    #[test]
    fn default_conditioning_continues_the_phrase_bar_by_bar() {
        let finished: Vec<BarFields> = [9, 1, 2, 3, 4, 5, 6, 7, 8].map(|density| bar(density % 9 + 1)).into();
        let densities: Vec<u8> = (0..10).map(|ahead| default_conditioning(&finished, ahead).density).collect();
        assert_eq!(densities, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3]);
        let next = default_conditioning(&finished, 0);
        assert_eq!(next, BarFields { key: 19, density: 2, register: 5, span: 6, voices: 7, repeats: 7, ..BarFields::default() });
    }

    #[test]
    fn context_shorter_than_a_phrase_is_repeated_as_one() {
        let finished = [bar(1), bar(2), bar(3)];
        assert_eq!([0, 1, 2].map(|ahead| default_conditioning(&finished, ahead).density), [2, 3, 2]);
        assert_eq!(default_conditioning(&finished[..1], 5).density, 1);
        assert_eq!(default_conditioning(&[], 0), BarFields::default());
    }

    #[test]
    fn bar_without_notes_gets_the_conditioning_of_its_neighbour() {
        let rest = BarFields { metre: 3, tempo: 4, ..BarFields::default() };
        let finished = [rest, bar(2), bar(3), rest, rest, bar(4), rest, rest];
        let densities: Vec<u8> = (0..8).map(|ahead| default_conditioning(&finished, ahead).density).collect();
        assert_eq!(densities, [2, 2, 3, 3, 3, 4, 4, 4]);
        assert_eq!(default_conditioning(&finished, 0).key, 14, "the key is that of the last bar that has one");
        // A last chord that sounds for longer than a phrase.
        let ringing: Vec<BarFields> = [bar(5)].into_iter().chain([rest; 9]).collect();
        assert!((0..8).all(|ahead| default_conditioning(&ringing, ahead).density == 5));
        assert_eq!(default_conditioning(&[rest; 4], 1), BarFields::default());
    }
}
