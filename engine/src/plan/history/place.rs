//! Place of a suggestion in the song: what is needed to move it to another bar line, or to export it.

use serde::{Deserialize, Serialize};

use super::super::phrase::is_believed;
use crate::music::{MetreMap, Tempo, Tick};

/// Place of a suggestion in the song.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of the bar in which it starts, in the host's count: the first is 1, a count-in has 0 and less.
    pub bar: i64,
    /// That bar's line, on the clock that the plan counts on.
    pub line: Tick,
    /// The bars from that line on.
    #[serde(with = "metres")]
    pub metres: MetreMap,
    /// Tempo at that bar.
    #[serde(with = "tempo")]
    pub tempo: Tempo,
    /// First tick that was played, on the same clock: what the plan has before it did not sound, and is no part of the phrase. `None` if it was not played, or
    /// by a version that did not write it: then all of it is the phrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub played_from: Option<Tick>,
}

impl Place {
    /// Whether the numbers can be a place; those of a damaged project may be anything.
    pub(super) fn is_sound(&self) -> bool {
        is_believed(self.line) && is_believed(Tick(self.bar)) && self.played_from.is_none_or(is_believed)
    }
}

/// A list of changes: tick, beats, beat's note value.
mod metres {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, MetreMap, Serialize, Tick, is_believed};
    use crate::music::Metre;

    pub(super) fn serialize<S: Serializer>(metres: &MetreMap, serializer: S) -> Result<S::Ok, S::Error> {
        let changes: Vec<_> = metres.changes().iter().map(|(tick, metre)| (tick.0, metre.numerator(), metre.denominator())).collect();
        changes.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MetreMap, D::Error> {
        let changes = Vec::<(i64, u8, u8)>::deserialize(deserializer)?;
        let read = |(tick, numerator, denominator)| {
            let metre = Metre::new(numerator, denominator).filter(|_| tick >= 0 && is_believed(Tick(tick)));
            metre.map(|metre| (Tick(tick), metre)).ok_or_else(|| D::Error::custom(format!("no metre: {numerator}/{denominator} at {tick}")))
        };
        Ok(MetreMap::new(changes.into_iter().map(read).collect::<Result<Vec<_>, _>>()?))
    }
}

/// Microseconds per quarter, as Standard MIDI Files write it.
mod tempo {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, Tempo};

    pub(super) fn serialize<S: Serializer>(tempo: &Tempo, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(tempo.micros_per_quarter())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tempo, D::Error> {
        let micros = u32::deserialize(deserializer)?;
        Tempo::new(micros).ok_or_else(|| D::Error::custom(format!("no tempo: {micros} microseconds a quarter")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Metre;

    #[test]
    fn place_round_trips_through_a_project_file() {
        let metre = |numerator, denominator| Metre::new(numerator, denominator).unwrap();
        let metres = MetreMap::new([(Tick(0), metre(7, 8)), (Tick(50), metre(3, 4))]);
        let place = Place { bar: -3, line: Tick(960), metres, tempo: Tempo::from_bpm(133.0).unwrap(), played_from: None };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(text, r#"{"bar":-3,"line":960,"metres":[[0,7,8],[50,3,4]],"tempo":451128}"#);
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
        let played = Place { played_from: Some(Tick(972)), ..place };
        let text = serde_json::to_string(&played).unwrap();
        assert!(text.ends_with(r#""tempo":451128,"played_from":972}"#), "{text}");
        assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), played);
    }
}
