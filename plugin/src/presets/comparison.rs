//! Two settings to compare, 1 and 2.

use serde::{Deserialize, Serialize};

use super::Settings;

/// A slot for settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Slot {
    /// The first.
    #[default]
    #[serde(rename = "a")]
    One,
    /// The second.
    #[serde(rename = "b")]
    Two,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// Its number.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }
}

/// Which slot is in use, and what the other one holds. The slot in use holds what the parameters are set to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The slot in use.
    pub active: Slot,
    /// Settings of the other slot; `None` until something was put there.
    pub other: Option<Settings>,
}

impl Comparison {
    /// Uses the other slot, and keeps in this one what is set `now`. Returns the settings to apply; an empty slot is a copy.
    #[must_use]
    pub fn switched(self, now: Settings) -> (Self, Settings) {
        let settings = self.other.unwrap_or_else(|| now.clone());
        (Self { active: self.active.other(), other: Some(now) }, settings)
    }

    /// Copies what is set `now` to the other slot.
    #[must_use]
    pub fn copied(self, now: Settings) -> Self {
        Self { other: Some(now), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices(text: &str) -> Settings {
        [("voices".to_owned(), text.to_owned())].into()
    }

    #[test]
    fn slots_keep_what_was_set_in_them() {
        let (in_two, applied) = Comparison::default().switched(voices("1"));
        assert_eq!((in_two.active, &applied), (Slot::Two, &voices("1")), "2 begins as a copy of 1");
        let (in_one, applied) = in_two.switched(voices("2"));
        assert_eq!((in_one.active, applied), (Slot::One, voices("1")));
        let (_, applied) = in_one.copied(voices("3")).switched(voices("3"));
        assert_eq!(applied, voices("3"));
    }
}
