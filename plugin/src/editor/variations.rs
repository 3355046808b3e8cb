//! The four variations of the plan: their states, and the button that unlocks.

use antiphon_engine::plan::{Plan, Variation};
use antiphon_engine::session::{Command, ShownVariations, Snapshot};
use egui::{Button, RichText, Ui};

use super::model::EditorModel;
use super::play_time::place;
use super::shortcuts::{Action, hint};

/// A variation with the plan that it is, as far as it is there. Until one that was asked for takes over, what plays is the one before.
pub(super) fn plan(variation: Variation, snapshot: &Snapshot) -> Option<&Plan> {
    let variations = &snapshot.variations;
    let is_shown = variations.shown == variation && !is_coming(variation, variations);
    let shown = snapshot.plan.as_ref().filter(|_| is_shown).map(|shown| &shown.plan);
    shown.or(variations.plans[variation.index()].as_ref())
}

/// Whether a variation was asked for that takes over from the phrase that plays.
fn is_coming(variation: Variation, variations: &ShownVariations) -> bool {
    variations.shown == variation && variations.takeover.is_some_and(|takeover| takeover.is_asked)
}

/// What a card without music says while a phrase plays: from where the variation plays, or would after a click.
pub(super) fn takeover(variation: Variation, snapshot: &Snapshot) -> Option<[String; 2]> {
    let takeover = snapshot.variations.takeover?;
    let from = format!("from {}", place(snapshot, takeover.at));
    match State::of(variation, &snapshot.variations) {
        State::Awaited => Some(["takes over".into(), from]),
        State::Missing => Some(["a click plays it".into(), from]),
        State::Shown | State::Ready => None,
    }
}

/// What a variation can do when it is clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Shown,
    Ready,
    Awaited,
    Missing,
}

impl State {
    pub(super) fn of(variation: Variation, variations: &ShownVariations) -> Self {
        if variations.awaited == Some(variation) || is_coming(variation, variations) {
            Self::Awaited
        } else if variations.shown == variation {
            Self::Shown
        } else if variations.is_ready(variation) {
            Self::Ready
        } else {
            Self::Missing
        }
    }

    /// In a word; empty where the music says enough.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Ready => "",
            Self::Awaited => "coming",
            Self::Missing => "not yet made",
        }
    }

    /// What it means and what a click does.
    pub(super) fn sentence(self, snapshot: &Snapshot) -> &'static str {
        let plays = snapshot.plan.as_ref().is_some_and(|shown| shown.playing);
        match self {
            Self::Shown => "it is shown",
            Self::Ready if plays => "click, and it takes over at the next beat but one",
            Self::Ready => "click to show it",
            Self::Awaited => "it is being made",
            Self::Missing if plays => "click, and it takes over at the next beat but one",
            Self::Missing => "it is made when you pause, or when you click",
        }
    }
}

/// The button that removes all locks. Nothing without a lock.
pub(super) fn unlock(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot) {
    if snapshot.locks.is_empty() {
        return;
    }
    let button = ui.add(Button::new(RichText::new("Unlock all").size(12.0)));
    if button.on_hover_text(format!("Remove all locks of notes and bars{}", hint(Action::UnlockAll))).clicked() {
        model.command(Command::UnlockAll);
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Tick;
    use antiphon_engine::session::Takeover;

    use super::*;
    use crate::editor::samples::plan;

    #[test]
    fn variation_is_missing_until_it_is_ready_and_awaited_once_it_is_chosen() {
        let ready = Some(plan(96, 192, &[]).plan);
        let plans = [ready.clone(), ready, None, None];
        let variations = ShownVariations { shown: Variation::B, awaited: Some(Variation::D), plans, takeover: None };
        let states = Variation::ALL.map(|variation| State::of(variation, &variations));
        assert_eq!(states, [State::Ready, State::Shown, State::Missing, State::Awaited]);
    }

    #[test]
    fn cards_say_from_where_a_variation_takes_over_from_the_phrase_that_plays() {
        let with = |at, is_asked| {
            let variations = ShownVariations { takeover: Some(Takeover { at: Tick(at), is_asked }), ..ShownVariations::default() };
            let snapshot = Snapshot { plan: Some(plan(0, 384, &[])), variations, ..Snapshot::default() };
            let says = |variation| takeover(variation, &snapshot).map(|[what, from]| format!("{what} {from}"));
            (says(Variation::A), says(Variation::B), super::plan(Variation::A, &snapshot).is_some())
        };
        assert_eq!(with(192, false), (None, Some("a click plays it from bar 3".into()), true));
        let asked = with(240, true);
        assert_eq!(asked, (Some("takes over from bar 3, beat 3".into()), Some("a click plays it from bar 3, beat 3".into()), false));
    }
}
