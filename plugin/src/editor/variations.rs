//! The four variations of the plan: their states, and the button that unlocks.

use antiphon_engine::plan::{Plan, Variation};
use antiphon_engine::session::{Command, ShownVariations, Snapshot};
use egui::{Button, RichText, Ui};

use super::model::EditorModel;
use super::shortcuts::{Action, hint};

/// A variation with the plan that it is, as far as it is there.
pub(super) fn plan(variation: Variation, snapshot: &Snapshot) -> Option<&Plan> {
    let variations = &snapshot.variations;
    let shown = snapshot.plan.as_ref().filter(|_| variations.shown == variation).map(|shown| &shown.plan);
    shown.or(variations.plans[variation.index()].as_ref())
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
        if variations.awaited == Some(variation) {
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
            Self::Ready if plays => "click, and it takes over at the next beat",
            Self::Ready => "click to show it",
            Self::Awaited => "it is being made",
            Self::Missing if plays => "click, and it takes over at the next beat",
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
    use super::*;
    use crate::editor::samples::plan;

    #[test]
    fn variation_is_missing_until_it_is_ready_and_awaited_once_it_is_chosen() {
        let ready = Some(plan(96, 192, &[]).plan);
        let variations = ShownVariations { shown: Variation::B, awaited: Some(Variation::D), plans: [ready.clone(), ready, None, None] };
        let states = Variation::ALL.map(|variation| State::of(variation, &variations));
        assert_eq!(states, [State::Ready, State::Shown, State::Missing, State::Awaited]);
    }
}
