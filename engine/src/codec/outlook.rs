//! The conditioning of bars to come where nothing is asked for.

use super::row::BarFields;

/// Bars of the phrase that the bars to come are conditioned on.
const PHRASE_BARS: usize = 8;

/// Conditioning of the bar `ahead` bars after the next one, if nothing is asked of it: that of the bar one phrase before, and the last key found. Metre, tempo
/// and mood are unset.
///
/// So the form of what was played goes on: where it is busy and where it is thin, which bars are new and which repeat others. `heard` are the finished bars in
/// order; while they are fewer than a phrase, the latest four, two or one of them stand for it. A bar in which no note starts has no conditioning to hand on: a
/// bar unset in every field is as likely as not to stay empty, and so would all that follow. The nearest bar with notes before it stands in, else the nearest after it.
#[must_use]
pub fn outlook(heard: &[BarFields], ahead: usize) -> BarFields {
    let phrase = (0..=PHRASE_BARS.ilog2()).rev().map(|power| 1 << power).find(|&bars| bars <= heard.len());
    let Some(phrase) = phrase else { return BarFields::default() };
    let (before, after) = heard.split_at(heard.len() - phrase + ahead % phrase + 1);
    let sounds = |bar: &&BarFields| bar.density > 0;
    let like = before.iter().rev().find(sounds).or_else(|| after.iter().find(sounds)).copied().unwrap_or_default();
    let key = heard.iter().rev().map(|bar| bar.key).find(|key| *key > 0).unwrap_or(0);
    BarFields { metre: 0, tempo: 0, key, mood: 0, ..like }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(density: u8) -> BarFields {
        BarFields { metre: 3, tempo: 4, key: density + 10, density, register: 5, span: 6, voices: 7, mood: 8, repeats: 9 - density }
    }

    #[test]
    fn the_phrase_goes_on_bar_by_bar() {
        let heard: Vec<BarFields> = [9, 1, 2, 3, 4, 5, 6, 7, 8].map(|density| bar(density % 9 + 1)).into();
        let told: Vec<u8> = (0..10).map(|ahead| outlook(&heard, ahead).density).collect();
        assert_eq!(told, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3]);
        let next = outlook(&heard, 0);
        assert_eq!(next, BarFields { key: 19, density: 2, register: 5, span: 6, voices: 7, repeats: 7, ..BarFields::default() });
    }

    #[test]
    fn a_short_past_stands_for_a_phrase() {
        let heard = [bar(1), bar(2), bar(3)];
        assert_eq!([0, 1, 2].map(|ahead| outlook(&heard, ahead).density), [2, 3, 2]);
        assert_eq!(outlook(&heard[..1], 5).density, 1);
        assert_eq!(outlook(&[], 0), BarFields::default());
    }

    #[test]
    fn bar_without_notes_takes_the_conditioning_of_its_neighbour() {
        let rest = BarFields { metre: 3, tempo: 4, ..BarFields::default() };
        let heard = [rest, bar(2), bar(3), rest, rest, bar(4), rest, rest];
        let told: Vec<u8> = (0..8).map(|ahead| outlook(&heard, ahead).density).collect();
        assert_eq!(told, [2, 2, 3, 3, 3, 4, 4, 4]);
        assert_eq!(outlook(&heard, 0).key, 14, "the key is that of the last bar that has one");
        // A last chord that rings for longer than a phrase.
        let ringing: Vec<BarFields> = [bar(5)].into_iter().chain([rest; 9]).collect();
        assert!((0..8).all(|ahead| outlook(&ringing, ahead).density == 5));
        assert_eq!(outlook(&[rest; 4], 1), BarFields::default());
    }
}
