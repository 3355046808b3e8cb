//! What bars to come are told to be like where nobody asks for anything.

use super::row::BarFields;

/// Bars of the phrase that the bars to come are told to be like.
const PHRASE_BARS: usize = 8;

/// What the bar `ahead` bars after the next one is told, if nothing is asked of it: what the bar one phrase before was, and the last key heard. Metre, tempo
/// and mood are unset.
///
/// So the form of what was heard goes on: where it is busy and where it rests, which bars are new and which repeat others. `heard` are the finished bars in
/// order; while they are fewer than a phrase, the latest four, two or one of them stand for it.
#[must_use]
pub fn outlook(heard: &[BarFields], ahead: usize) -> BarFields {
    let phrase = (0..=PHRASE_BARS.ilog2()).rev().map(|power| 1 << power).find(|&bars| bars <= heard.len());
    let (Some(phrase), Some(last)) = (phrase, heard.last()) else { return BarFields::default() };
    BarFields { metre: 0, tempo: 0, key: last.key, mood: 0, ..heard[heard.len() - phrase + ahead % phrase] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(density: u8) -> BarFields {
        BarFields { metre: 3, tempo: 4, key: density + 10, density, register: 5, span: 6, voices: 7, mood: 8, repeats: 9 - density }
    }

    #[test]
    fn the_phrase_goes_on_bar_by_bar() {
        let heard: Vec<BarFields> = (1..=9).map(|density| bar(density % 9)).collect();
        let told: Vec<u8> = (0..10).map(|ahead| outlook(&heard, ahead).density).collect();
        assert_eq!(told, [2, 3, 4, 5, 6, 7, 8, 0, 2, 3]);
        let next = outlook(&heard, 0);
        assert_eq!(next, BarFields { key: 10, density: 2, register: 5, span: 6, voices: 7, repeats: 7, ..BarFields::default() });
    }

    #[test]
    fn a_short_past_stands_for_a_phrase() {
        let heard = [bar(1), bar(2), bar(3)];
        assert_eq!([0, 1, 2].map(|ahead| outlook(&heard, ahead).density), [2, 3, 2]);
        assert_eq!(outlook(&heard[..1], 5).density, 1);
        assert_eq!(outlook(&[], 0), BarFields::default());
    }
}
