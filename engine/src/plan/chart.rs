//! Chords that the player has chosen for bars of the song.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use crate::music::analysis::Chord;

/// Longest progression, in bars.
pub const PROGRESSION_BARS: usize = 64;

/// Chords by the numbers of their bars in the song: those of single bars, and a progression that is repeated from its first bar on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChordChart {
    /// Single bars. A bar without a chord is free, also within the progression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    bars: BTreeMap<i64, Option<Chord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progression: Option<Progression>,
}

/// Chords of a bar each, from a bar on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progression {
    from: i64,
    chords: Vec<Chord>,
}

/// A word that is no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgressionError {
    /// The word.
    #[error("{0:?} is no chord that Antiphon knows: write for instance C, Am, F#dim, Gsus4, G7, Fmaj7, Dm7, Bm7b5, Caug")]
    Unknown(String),
    /// More bars than [`PROGRESSION_BARS`].
    #[error("a progression has at most {PROGRESSION_BARS} bars")]
    TooLong,
    /// No chord at all.
    #[error("write a chord for each bar, such as Am F C G")]
    Empty,
}

impl ChordChart {
    /// The chord of a bar of the song; `None` leaves it to the model.
    ///
    /// ```
    /// use antiphon_engine::plan::ChordChart;
    ///
    /// let mut chart = ChordChart::default();
    /// chart.repeat(9, "Am F C G").expect("four chords");
    /// let name = |bar| chart.at(bar).map(|chord| chord.to_string());
    /// assert_eq!((name(8), name(9).as_deref(), name(14).as_deref()), (None, Some("Am"), Some("F")));
    /// ```
    #[must_use]
    pub fn at(&self, bar: i64) -> Option<Chord> {
        if let Some(chosen) = self.bars.get(&bar) {
            return *chosen;
        }
        let Progression { from, chords } = self.progression.as_ref()?;
        let place = usize::try_from(bar.checked_sub(*from)?).ok()?.checked_rem(chords.len())?;
        chords.get(place).copied()
    }

    /// Chooses the chord of one bar, or leaves the bar to the model.
    pub fn choose(&mut self, bar: i64, chord: Option<Chord>) {
        self.bars.remove(&bar);
        if self.at(bar) != chord {
            self.bars.insert(bar, chord);
        }
    }

    /// Repeats a progression, a chord for each bar, from this bar on; takes the place of the progression before and of the bars chosen from there on.
    ///
    /// # Errors
    /// If a word of it is no chord. Nothing has changed then.
    pub fn repeat(&mut self, from: i64, text: &str) -> Result<(), ProgressionError> {
        let words = text.split(|letter: char| letter.is_whitespace() || ['|', ',', '-'].contains(&letter)).filter(|word| !word.is_empty());
        let chords = words
            .map(|word| Chord::named(word).ok_or_else(|| ProgressionError::Unknown(word.to_owned())))
            .collect::<Result<Vec<_>, _>>()?;
        if chords.is_empty() {
            return Err(ProgressionError::Empty);
        }
        if chords.len() > PROGRESSION_BARS {
            return Err(ProgressionError::TooLong);
        }
        self.bars.retain(|bar, _| *bar < from);
        self.progression = Some(Progression { from, chords });
        Ok(())
    }

    /// The progression as it was typed; empty without one.
    #[must_use]
    pub fn progression(&self) -> String {
        let chords = self.progression.iter().flat_map(|progression| &progression.chords);
        chords.map(Chord::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Leaves all bars to the model.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether no chord was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bars.is_empty() && self.progression.is_none()
    }

    /// A number between 0 and 1 that differs, as good as always, between charts; 0 for an empty one. The same on every machine and in every run.
    #[must_use]
    pub fn fingerprint(&self) -> f32 {
        if self.is_empty() {
            return 0.0;
        }
        let add = |print: Fingerprint, bar: i64, chord: Option<Chord>| {
            print.with_bytes(&bar.to_le_bytes()).with_bytes(chord.map_or_else(String::new, |chord| chord.to_string()).as_bytes())
        };
        let single = self.bars.iter().fold(Fingerprint::SILENCE, |print, (bar, chord)| add(print, *bar, *chord));
        let chords = self.progression.iter().flat_map(|Progression { from, chords }| chords.iter().map(|chord| (*from, Some(*chord))));
        let print = chords.fold(single.with_bytes(b"|"), |print, (bar, chord)| add(print, bar, chord));
        // Sixteen bits are exact as an `f32`.
        let bits = u16::try_from(print.0 >> 48).unwrap_or(u16::MAX);
        (f32::from(bits) + 1.0) / 65_536.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(chart: &ChordChart, bar: i64) -> Option<String> {
        chart.at(bar).map(|chord| chord.to_string())
    }

    #[test]
    fn progression_is_repeated_from_its_first_bar_on_and_single_bars_go_before_it() {
        let mut chart = ChordChart::default();
        chart.repeat(5, "Am | F, C - G7").unwrap();
        assert_eq!(chart.progression(), "Am F C G7");
        assert_eq!(
            [4, 5, 8, 9, 10].map(|bar| name(&chart, bar)),
            [None, Some("Am".into()), Some("G7".into()), Some("Am".into()), Some("F".into())]
        );
        chart.choose(9, Chord::named("Dm7"));
        chart.choose(10, None);
        chart.choose(2, Chord::named("Bb"));
        assert_eq!([2, 9, 10, 13].map(|bar| name(&chart, bar)), [Some("Bb".into()), Some("Dm7".into()), None, Some("Am".into())]);
        chart.choose(9, Chord::named("Am"));
        assert_eq!(chart.bars.len(), 2, "a choice that is that of the progression is none");
        chart.repeat(5, "C").unwrap();
        assert_eq!([2, 9, 10].map(|bar| name(&chart, bar)), [Some("Bb".into()), Some("C".into()), Some("C".into())]);
        chart.clear();
        assert!(chart.is_empty());
    }

    #[test]
    fn word_that_is_no_chord_is_named_and_changes_nothing() {
        let mut chart = ChordChart::default();
        chart.repeat(1, "C").unwrap();
        let before = chart.clone();
        assert_eq!(chart.repeat(1, "Am H7"), Err(ProgressionError::Unknown("H7".into())));
        assert_eq!(chart.repeat(1, " | "), Err(ProgressionError::Empty));
        assert_eq!(chart.repeat(1, &"C ".repeat(65)), Err(ProgressionError::TooLong));
        assert_eq!(chart, before);
    }

    #[test]
    fn chart_is_read_as_it_was_written_and_extreme_bars_are_no_error() {
        let mut chart = ChordChart::default();
        chart.repeat(i64::MAX, "Am F").unwrap();
        chart.choose(i64::MIN, Chord::named("Gsus4"));
        chart.choose(3, None);
        chart.choose(4, Chord::named("C"));
        let text = serde_json::to_string(&chart).unwrap();
        assert!(text.contains("\"Gsus4\"") && text.contains("\"Am\""), "{text}");
        assert_eq!(serde_json::from_str::<ChordChart>(&text).unwrap(), chart);
        assert_eq!((name(&chart, i64::MIN + 1), name(&chart, i64::MAX)), (None, Some("Am".into())));
        assert!(serde_json::from_str::<ChordChart>(r#"{"bars":{"1":"H"}}"#).is_err());
        assert_eq!(serde_json::from_str::<ChordChart>(r#"{"progression":{"from":1,"chords":[]}}"#).unwrap().at(1), None);
    }

    #[test]
    fn fingerprint_tells_charts_apart() {
        let mut chart = ChordChart::default();
        assert_eq!(chart.fingerprint().to_bits(), 0.0f32.to_bits());
        let prints: std::collections::BTreeSet<u32> = (1..40)
            .map(|bar| {
                chart.choose(bar, Chord::named("Am"));
                chart.fingerprint().to_bits()
            })
            .collect();
        assert_eq!(prints.len(), 39);
    }
}
