//! When Antiphon plays: when Play takes effect, when the button stops instead, and whether anything sounds. For the button, the cards, the bar numbers ([`Flags`])
//! and the status line ([`sentences`]).

mod flags;
mod sentences;
#[cfg(test)]
mod tests;

use antiphon_engine::music::{TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::PlayMode;
use antiphon_engine::session::{ControlValues, ShownPlan, Snapshot};

pub(super) use self::flags::{After, Flags};
pub(super) use self::sentences::place;
use super::model::Now;
use super::swap::Swap;
use crate::clock::Motion;
use crate::triggers::Button;

/// A frame's snapshot, as far as it concerns when Antiphon plays.
#[derive(Clone, Copy)]
pub(super) struct PlayTime<'a> {
    /// The session's snapshot, with the phrase of the history if one is shown, and with what will sound if a swap is ahead.
    pub(super) snapshot: &'a Snapshot,
    /// Clock state.
    pub(super) now: &'a Now,
    /// Values of the controls.
    pub(super) values: &'a ControlValues,
    /// Whether a phrase of the history is shown in place of the plan.
    pub(super) is_recalled: bool,
}

/// Whether Antiphon sounds. Button and card look alike in each of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Nothing sounds, and nothing is about to.
    None,
    /// It was started and waits for its place, or plays by itself when it is time.
    Waits,
    /// It sounds.
    Plays,
}

impl PlayTime<'_> {
    fn mode(&self) -> PlayMode {
        self.values.plan.mode
    }

    fn is_ahead(&self, tick: Tick) -> bool {
        tick.0 as f64 > self.now.playhead.0
    }

    /// The plan, if Play has latched it.
    fn playing(&self) -> Option<&ShownPlan> {
        self.snapshot.plan.as_ref().filter(|shown| shown.playing)
    }

    fn is_playing(&self) -> bool {
        self.playing().is_some()
    }

    /// Whether the plan has reached the tick from which it sounds.
    fn is_sounding(&self) -> bool {
        self.playing().is_some_and(|shown| !self.is_ahead(shown.sounds_from))
    }

    /// The next bar line, where Play takes effect if it is pressed now.
    fn next_bar(&self) -> Tick {
        self.snapshot.bar_at(self.now.playhead.tick()).bar.end()
    }

    /// First tick of the fill that Infill has ready and that does not sound yet.
    fn fill_from(&self) -> Option<Tick> {
        let is_ahead = self.mode() == PlayMode::Infill && !self.snapshot.is_stopped && !self.is_recalled && !self.is_playing();
        let shown = self.snapshot.plan.as_ref().filter(|_| is_ahead && self.now.motion != Motion::Stopped)?;
        Some(shown.plan.brief.start).filter(|start| self.is_ahead(*start))
    }

    /// Tick at which a phrase that was started will begin, while nothing sounds. A turn and a fill begin by themselves.
    fn begins_at(&self) -> Option<Tick> {
        self.snapshot.play_from.filter(|from| self.is_ahead(*from) && !self.is_sounding())
    }

    /// Beats of the metre until Antiphon begins, the current one included: after Play was pressed, and before a fill. `None` if it plays, or nothing is awaited.
    pub(super) fn beats_left(&self) -> Option<u32> {
        self.beats_until(self.begins_at().or_else(|| self.fill_from())?)
    }

    /// Beats of the metre until a tick, the current one included; `None` once it has passed.
    fn beats_until(&self, tick: Tick) -> Option<u32> {
        let left = tick.0 as f64 - self.now.playhead.0;
        let denominator = self.snapshot.bar_at(self.now.playhead.tick()).bar.metre.denominator();
        let beats = (left / (TICKS_PER_QUARTER * 4 / i64::from(denominator)) as f64).ceil();
        // More would be a plan that was moved since.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range that is checked")]
        (1.0..=64.0).contains(&beats).then_some(beats as u32)
    }

    /// Whether Antiphon sounds, or waits to.
    pub(super) fn sound(&self) -> Sound {
        match self.pressed() {
            Button::Stop if self.is_sounding() => Sound::Plays,
            Button::Stop => Sound::Waits,
            _ => Sound::None,
        }
    }

    /// Whether a phrase was started and is still ahead.
    fn is_pending(&self) -> bool {
        self.begins_at().is_some()
    }

    /// Which button Play's is now: Stop while Antiphon plays, is about to, or plays by itself when it is time.
    pub(super) fn pressed(&self) -> Button {
        let waits = matches!(self.mode(), PlayMode::Accompany | PlayMode::Infill) && !self.snapshot.is_stopped && !self.is_recalled;
        let has_begun = self.is_playing() || self.is_pending() || waits;
        if self.snapshot.plan.is_some() && self.now.motion != Motion::Stopped && has_begun { Button::Stop } else { Button::Play }
    }

    /// What the button does.
    pub(super) fn button(&self) -> String {
        let from = || format!("Play from bar {}", self.snapshot.bar_at(self.next_bar()).number);
        let within = self.snapshot.joins_at.and_then(|at| self.beats_until(at)).map(sentences::counted);
        match self.mode() {
            _ if self.pressed() == Button::Stop => if self.is_pending() { "Cancel" } else { "Stop" }.into(),
            // The clock starts with it.
            _ if self.snapshot.plan.is_none() || self.now.motion == Motion::Stopped => "Play".into(),
            _ if self.is_recalled => from(),
            PlayMode::Suggest | PlayMode::Trade => from(),
            PlayMode::Answer if !self.snapshot.is_stopped => "Answer now".into(),
            PlayMode::Answer | PlayMode::Accompany => within.map_or_else(|| "Play".into(), |beats| format!("Play in {beats}")),
            PlayMode::Infill => "Play".into(),
        }
    }

    /// What a click on the button does, in a sentence without its full stop.
    pub(super) fn tip(&self) -> &'static str {
        let is_along = self.mode() == PlayMode::Accompany && !self.is_recalled;
        match self.pressed() {
            Button::Stop if self.is_pending() => "Takes Play back: Antiphon does not begin, and is silent until you press Play",
            Button::Stop => "Stops Antiphon: what sounds ends within a beat, and Antiphon is silent until you press Play",
            _ if self.now.motion == Motion::Stopped && is_along => {
                "Starts a clock of Antiphon's own, and Antiphon joins in within two beats"
            }
            _ if self.now.motion == Motion::Stopped => "Starts a clock of Antiphon's own, and Antiphon plays from its next bar",
            _ if self.is_recalled => "Starts the phrase that is chosen, at the next bar",
            _ => match self.mode() {
                PlayMode::Suggest => "Starts the phrase that is chosen, at the next bar",
                PlayMode::Answer => "Answers you within two beats, also while you hold a key",
                PlayMode::Trade => "Gives Antiphon its turn at the next bar",
                PlayMode::Accompany => "Antiphon joins in within two beats, with notes that it makes then",
                PlayMode::Infill => "Antiphon fills the marked bars again",
            },
        }
    }

    /// What becomes of the phrase that is chosen, for its card. `None` without one, and while one plays, which its card says.
    pub(super) fn chosen(&self) -> Option<String> {
        if self.snapshot.plan.is_none() || self.is_playing() && !self.is_pending() {
            return None;
        }
        if let Some(from) = self.begins_at() {
            return Some(format!("starts at {}", place(self.snapshot, from)));
        }
        let waits_for_play = self.snapshot.is_stopped || self.now.motion == Motion::Stopped;
        let words = match self.mode() {
            _ if self.is_recalled => "Play starts this",
            // Every beat brings another plan.
            PlayMode::Accompany if waits_for_play => "Play makes it anew",
            _ if waits_for_play => "Play starts this",
            PlayMode::Suggest => "Play starts this",
            PlayMode::Answer => "answers you next",
            PlayMode::Trade => "plays next",
            PlayMode::Accompany => "plays along",
            PlayMode::Infill => "fills the bars",
        };
        Some(words.into())
    }

    /// The swap that is ahead, unless a phrase of the history is shown.
    fn swap(&self) -> Option<Swap<'_>> {
        Swap::of(self.snapshot).filter(|_| !self.is_recalled)
    }
}
