//! The four variations of the plan: their states, and the button that unlocks.

use antiphon_engine::plan::{Plan, PlayMode, Variation};
use antiphon_engine::session::{Command, Snapshot};
use egui::{Button, RichText, Ui};

use super::model::EditorModel;
use super::play_time::place;
use super::shortcuts::{Action, hint};
use super::swap::Swap;

/// The plan of a variation, as far as it is there. An awaited one is there once it is complete.
pub(super) fn plan(variation: Variation, snapshot: &Snapshot) -> Option<&Plan> {
    let variations = &snapshot.variations;
    let shown = snapshot.plan.as_ref().map(|shown| &shown.plan).filter(|_| variations.shown == variation);
    let ready = shown.or(variations.plans[variation.index()].as_ref());
    let coming = Swap::of(snapshot).filter(|swap| swap.to == variation).and_then(|swap| swap.plan);
    ready.or(coming.filter(|plan| plan.is_complete()))
}

/// What a card says in place of music: what a click does, and from where the variation then plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) lines: Vec<String>,
    /// The place from which it plays, while a phrase plays.
    pub(super) from: Option<String>,
}

/// What a card without music says.
pub(super) fn says(variation: Variation, snapshot: &Snapshot, mode: PlayMode) -> Option<Says> {
    let state = State::of(variation, snapshot);
    let from = snapshot.variations.takeover.as_ref().map(|takeover| place(snapshot, takeover.at));
    let lines: Vec<String> = match (state, &from) {
        (State::Awaited, Some(from)) => vec!["Takes over".into(), format!("from {from}")],
        (State::Awaited, None) => vec![format!("Making {}…", variation.name())],
        (State::Missing, Some(from)) => vec!["Click to make it;".into(), "it takes over from".into(), from.clone()],
        (State::Missing, None) if snapshot.plan.is_some() => match mode {
            PlayMode::Suggest | PlayMode::Answer | PlayMode::Trade => vec!["Click to make it,".into(), "or pause for a beat".into()],
            PlayMode::Infill => vec!["Click to make it;".into(), "it then fills the bars".into()],
            PlayMode::Accompany => return None,
        },
        _ => return None,
    };
    Some(Says { lines, from })
}

/// What stands under the music of a card: of the phrase that plays until when, of an awaited one from when.
pub(super) fn foot(variation: Variation, snapshot: &Snapshot) -> Option<String> {
    let swap = Swap::of(snapshot)?;
    let at = place(snapshot, swap.at);
    if swap.from == variation { Some(format!("until {at}")) } else { (swap.to == variation).then(|| format!("from {at}")) }
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
    pub(super) fn of(variation: Variation, snapshot: &Snapshot) -> Self {
        let variations = &snapshot.variations;
        if variations.shown == variation && snapshot.plan.is_some() {
            Self::Shown
        } else if variations.awaited == Some(variation) {
            Self::Awaited
        } else if variations.is_ready(variation) {
            Self::Ready
        } else {
            Self::Missing
        }
    }

    /// In a word; empty where the music says enough.
    pub(super) fn word(self, snapshot: &Snapshot) -> &'static str {
        match self {
            Self::Shown if is_playing(snapshot) => "plays",
            Self::Awaited if Swap::of(snapshot).is_some() => "next",
            Self::Shown | Self::Ready | Self::Missing | Self::Awaited => "",
        }
    }

    /// What it means and what a click does.
    pub(super) fn sentence(self, snapshot: &Snapshot) -> String {
        let swap = Swap::of(snapshot).map(|swap| (swap.to.name(), place(snapshot, swap.at)));
        match (self, swap) {
            (Self::Shown, Some((to, at))) => format!("it plays until {to} takes over at {at}; a click lets it play on"),
            (Self::Shown, None) if is_playing(snapshot) => "it plays".into(),
            (Self::Shown, None) => "it is chosen".into(),
            (Self::Awaited, Some((_, at))) => format!("it is being made, and takes over at {at}"),
            (Self::Awaited, None) => "it is being made".into(),
            (Self::Missing, _) if is_playing(snapshot) => "click to make it; it takes over within two beats".into(),
            (Self::Missing, _) => "click to make it; it is also made when you pause for a beat".into(),
            (Self::Ready, _) => "click to choose it".into(),
        }
    }
}

fn is_playing(snapshot: &Snapshot) -> bool {
    snapshot.plan.as_ref().is_some_and(|shown| shown.playing)
}

/// The button that removes all locks. Nothing without a lock.
pub(super) fn unlock(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot) {
    if snapshot.locks.is_empty() {
        return;
    }
    let button = ui.add(Button::new(RichText::new("Unlock all").size(12.0)));
    if button.on_hover_text(format!("Removes all locks of notes and bars{}", hint(Action::UnlockAll))).clicked() {
        model.command(Command::UnlockAll);
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Tick;
    use antiphon_engine::session::{ShownVariations, Takeover};

    use super::*;
    use crate::editor::samples::plan as sample;

    #[test]
    fn variation_is_missing_until_it_is_ready_and_awaited_once_it_is_chosen() {
        let ready = Some(sample(96, 192, &[]).plan);
        let plans = [ready.clone(), ready, None, None];
        let variations = ShownVariations { shown: Variation::B, awaited: Some(Variation::D), plans, takeover: None };
        let snapshot = Snapshot { variations, plan: Some(sample(96, 192, &[])), ..Snapshot::default() };
        let states = Variation::ALL.map(|variation| State::of(variation, &snapshot));
        assert_eq!(states, [State::Ready, State::Shown, State::Missing, State::Awaited]);
    }

    /// A phrase that plays as A, from which another one takes over in bar 3.
    fn playing(awaited: Option<Variation>, coming: Option<Plan>) -> Snapshot {
        let mut shown = sample(0, 384, &[]);
        shown.playing = true;
        let takeover = Some(Takeover { at: Tick(240), plan: coming });
        Snapshot {
            plan: Some(shown),
            variations: ShownVariations { awaited, takeover, ..ShownVariations::default() },
            ..Snapshot::default()
        }
    }

    #[test]
    fn card_of_a_variation_that_is_not_made_says_that_it_is_made_first_and_then_plays() {
        let words = |snapshot: &Snapshot, mode| says(Variation::C, snapshot, mode).map(|says| says.lines.join(" "));
        let plays = Some("Click to make it; it takes over from bar 3, beat 3".to_owned());
        assert_eq!(words(&playing(None, None), PlayMode::Suggest), plays);
        assert_eq!(words(&playing(Some(Variation::B), None), PlayMode::Suggest), plays);
        let waiting = Snapshot { plan: Some(sample(0, 384, &[])), ..Snapshot::default() };
        assert_eq!(words(&waiting, PlayMode::Suggest), Some("Click to make it, or pause for a beat".into()));
        assert_eq!(words(&waiting, PlayMode::Accompany), None);
        assert_eq!(says(Variation::A, &waiting, PlayMode::Suggest), None, "it is shown");
    }

    #[test]
    fn cards_of_a_swap_say_until_when_the_one_plays_and_from_when_the_other() {
        let swap = playing(Some(Variation::B), Some(sample(240, 480, &[]).plan));
        let card = |variation| {
            let state = State::of(variation, &swap);
            (state.word(&swap), plan(variation, &swap).is_some(), foot(variation, &swap))
        };
        assert_eq!(card(Variation::A), ("plays", true, Some("until bar 3, beat 3".into())));
        assert_eq!(card(Variation::B), ("next", true, Some("from bar 3, beat 3".into())));
        assert_eq!(card(Variation::C), ("", false, None));
        let early = playing(Some(Variation::B), None);
        assert_eq!(says(Variation::B, &early, PlayMode::Suggest).unwrap().lines, ["Takes over", "from bar 3, beat 3"]);
        let unasked = playing(None, None);
        assert_eq!((foot(Variation::A, &unasked), State::Shown.word(&unasked)), (None, "plays"));
    }
}
