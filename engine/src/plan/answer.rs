//! Answer: when Antiphon takes over from a player who pauses.

use super::MusicalTime;
use crate::music::{Metre, TICKS_PER_QUARTER, Tick};

/// Silence of the player after which Antiphon answers. A beat is a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AnswerAfter {
    /// One beat.
    Beat,
    /// Two beats.
    #[default]
    TwoBeats,
    /// One bar of the current metre.
    Bar,
    /// Two bars of the current metre.
    TwoBars,
}

impl AnswerAfter {
    /// Its length in ticks, in bars of this metre.
    #[must_use]
    pub fn length(self, metre: Metre) -> Tick {
        let bar = metre.bar_length().0;
        Tick(match self {
            Self::Beat => TICKS_PER_QUARTER,
            Self::TwoBeats => 2 * TICKS_PER_QUARTER,
            Self::Bar => bar,
            Self::TwoBars => 2 * bar,
        })
    }
}

/// State of the mode: whether the player has played since Antiphon's last phrase, and whether Play asks for one.
///
/// ```
/// use antiphon_engine::music::Tick;
/// use antiphon_engine::plan::{Answer, MusicalTime};
///
/// let mut answer = Answer::default();
/// let takes_over = |answer: &Answer, next| answer.takes_over(Some(MusicalTime(20.0)), Tick(next), Tick(48));
/// assert!(!takes_over(&answer, 96), "the player has not played yet");
/// answer.player_plays();
/// assert!(!takes_over(&answer, 48), "28 ticks of silence by then");
/// assert!(takes_over(&answer, 72), "52 ticks");
/// answer.begin();
/// assert!(!takes_over(&answer, 192), "one phrase, until the player has played again");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// The player has played since the last phrase began.
    is_unanswered: bool,
    /// Play was pressed, and no phrase has begun since.
    is_requested: bool,
}

impl Answer {
    /// The player strikes a key.
    pub const fn player_plays(&mut self) {
        self.is_unanswered = true;
    }

    /// Play: the next phrase begins without waiting for silence.
    pub const fn request(&mut self) {
        self.is_requested = true;
    }

    /// A phrase has begun.
    pub const fn begin(&mut self) {
        *self = Self { is_unanswered: false, is_requested: false };
    }

    /// Whether Play was pressed, and no phrase has begun since.
    #[must_use]
    pub const fn is_requested(&self) -> bool {
        self.is_requested
    }

    /// Whether a phrase is to come: the player has played since the last one, or Play was pressed.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.is_unanswered || self.is_requested
    }

    /// Whether a phrase begins at the `next` planning tick, if the player stays silent until then. `silent_since` is the last time a key was
    /// released, `None` while one is held; `wait` is the silence that must have passed by then.
    #[must_use]
    pub fn takes_over(&self, silent_since: Option<MusicalTime>, next: Tick, wait: Tick) -> bool {
        self.is_requested || self.is_unanswered && silent_since.is_some_and(|since| since.0 <= MusicalTime::from(next - wait).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_after_lasts_beats_or_bars_of_the_metre() {
        let lengths =
            |metre| [AnswerAfter::Beat, AnswerAfter::TwoBeats, AnswerAfter::Bar, AnswerAfter::TwoBars].map(|after| after.length(metre).0);
        assert_eq!(lengths(Metre::COMMON), [24, 48, 96, 192]);
        assert_eq!(lengths(Metre::new(7, 8).unwrap()), [24, 48, 84, 168]);
        assert_eq!(AnswerAfter::default(), AnswerAfter::TwoBeats);
    }

    #[test]
    fn takeover_waits_for_the_whole_silence_and_not_while_a_key_is_held() {
        let mut answer = Answer::default();
        answer.player_plays();
        let at = |since| answer.takes_over(since, Tick(96), Tick(48));
        assert!(at(Some(MusicalTime(48.0))) && at(Some(MusicalTime(10.0))));
        assert!(!at(Some(MusicalTime(48.1))) && !at(None));
    }

    #[test]
    fn play_takes_over_at_once_and_for_one_phrase() {
        let mut answer = Answer::default();
        answer.request();
        assert!(answer.is_requested() && answer.takes_over(None, Tick(24), Tick(48)), "even while a key is held");
        answer.begin();
        assert!(!answer.is_requested() && !answer.takes_over(Some(MusicalTime(0.0)), Tick(240), Tick(48)));
    }

    #[test]
    fn player_who_returns_is_answered_again() {
        let mut answer = Answer::default();
        answer.player_plays();
        answer.begin();
        answer.player_plays();
        assert!(answer.takes_over(Some(MusicalTime(0.0)), Tick(48), Tick(48)));
    }
}
