//! The four variations of the plan: their states, what they were before, and the buttons that go back to one and that unlock.

use std::sync::Arc;

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Plan, PlayMode, Variation};
use antiphon_engine::session::{Command, Snapshot};
use egui::{Button, RichText, Ui};

use super::model::EditorModel;
use super::play_time::place;
use super::roll::Preview;
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

/// The plan that the session would keep: of phrases that play one after the other the last.
pub(super) fn current(snapshot: &Snapshot) -> Option<&Plan> {
    snapshot.variations.plans[snapshot.variations.shown.index()].as_ref()
}

/// What a card says in place of music: what a click does, and from where the variation then plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) lines: Vec<String>,
    /// The place from which it plays, while a phrase plays.
    pub(super) from: Option<String>,
}

/// The variations as they were when they were there last: while others are made their cards show these, faint.
#[derive(Default)]
pub(super) struct Before {
    seen: Option<Arc<Snapshot>>,
    plans: [Option<Plan>; Variation::ALL.len()],
}

impl Before {
    /// Takes over what a new snapshot has; nothing if it is the one of the last frame.
    pub(super) fn update(&mut self, live: &Arc<Snapshot>) {
        if self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, live)) {
            return;
        }
        self.seen = Some(Arc::clone(live));
        if live.plan.is_none() {
            self.plans = [const { None }; 4];
            return;
        }
        let place = |plan: &Plan| (plan.id(), plan.brief.start, plan.ready());
        for (before, plan) in self.plans.iter_mut().zip(&live.variations.plans) {
            if let Some(plan) = plan
                && before.as_ref().map(place) != Some(place(plan))
            {
                *before = Some(plan.clone());
            }
        }
    }

    /// A variation as it was.
    pub(super) fn plan(&self, variation: Variation) -> Option<&Plan> {
        self.plans[variation.index()].as_ref()
    }
}

/// What a card without music says. `was_there` is whether it shows what the variation was.
pub(super) fn says(variation: Variation, snapshot: &Snapshot, mode: PlayMode, was_there: bool) -> Option<Says> {
    let state = State::of(variation, snapshot);
    let from = snapshot.variations.takeover.as_ref().map(|takeover| place(snapshot, takeover.at));
    let lines: Vec<String> = match (state, &from) {
        (State::Awaited, Some(from)) => vec![format!("Making {}…", variation.name()), format!("from {from}")],
        (State::Awaited, None) => vec![format!("Making {}…", variation.name())],
        (State::Missing, Some(from)) => {
            let (new, name) = (if was_there { "new " } else { "" }, variation.name());
            vec![format!("Click for a {new}{name}"), format!("from {from}")]
        }
        (State::Missing, None) if snapshot.plan.is_some() => match mode {
            PlayMode::Suggest | PlayMode::Answer | PlayMode::Trade => vec!["Click to make it".into()],
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
            (Self::Shown, Some((to, at))) => format!("it plays until {to} starts at {at}; a click lets it play on"),
            (Self::Shown, None) if is_playing(snapshot) => "it plays".into(),
            (Self::Shown, None) => "it is chosen".into(),
            (Self::Awaited, Some((_, at))) => format!("it is being made, and starts at {at}"),
            (Self::Awaited, None) => "it is being made".into(),
            (Self::Missing, _) if is_playing(snapshot) => {
                let (shown, takeover) = (snapshot.variations.shown.name(), snapshot.variations.takeover.as_ref());
                let at = takeover.map_or_else(|| "within two beats".into(), |takeover| format!("at {}", place(snapshot, takeover.at)));
                format!("a click makes it, with new notes; it starts {at}, until then {shown} plays on, and Back to {shown} takes it back")
            }
            (Self::Missing, _) => "click to make it; it is also made when you pause for a beat".into(),
            (Self::Ready, _) => "click to choose it".into(),
        }
    }
}

/// What is shown of the card under the pointer in the roll: a variation that is ready and not chosen, or one as it was. `None` for the chosen one, which
/// the roll shows anyway unless it has a phrase of the history.
pub(super) fn preview<'a>(
    variation: Variation,
    snapshot: &'a Snapshot,
    before: &'a Before,
    silent_before: Option<Tick>,
    is_recalled: bool,
) -> Option<Preview<'a>> {
    let state = State::of(variation, snapshot);
    let takeover = snapshot.variations.takeover.as_ref().map(|takeover| takeover.at);
    let name = variation.name();
    let (plan, from, name) = match (state, plan(variation, snapshot)) {
        (State::Shown, Some(plan)) if is_recalled => (plan, silent_before, format!("{name}: click its card to go back to it")),
        (State::Shown, _) => return None,
        (State::Awaited, Some(_)) => return None,
        (_, Some(plan)) => (plan, silent_before, format!("{name}: click its card to choose it")),
        (State::Awaited, None) => (before.plan(variation)?, takeover.or(silent_before), format!("{name} as it was; it is being made")),
        (_, None) => {
            let from = takeover.map_or_else(String::new, |at| format!(" from {}", place(snapshot, at)));
            (before.plan(variation)?, takeover.or(silent_before), format!("{name} as it was; a click makes a new one{from}"))
        }
    };
    Some(Preview { notes: plan.notes(), by: Tick::ZERO, from: from.unwrap_or(Tick(i64::MIN)), name })
}

/// What the button Another says: which variation it chooses. The word alone where there is one plan at a time.
pub(super) fn another(snapshot: &Snapshot, mode: PlayMode) -> String {
    if snapshot.plan.is_none() || mode == PlayMode::Accompany {
        return "Another".into();
    }
    let variations = &snapshot.variations;
    match variations.awaited.unwrap_or(variations.shown).next() {
        Some(next) => format!("Another: {}", next.name()),
        None => "Four more".into(),
    }
}

/// What the cards are for, over them.
pub(super) fn caption(snapshot: &Snapshot) -> String {
    match Swap::of(snapshot) {
        Some(swap) => format!("Now: {} plays, then {}", swap.from.name(), swap.to.name()),
        None if is_playing(snapshot) => format!("Now: {} plays; click another to change to it", snapshot.variations.shown.name()),
        None => "Now: click one to choose it".into(),
    }
}

/// The button that lets the phrase that plays play on, while another is to start. Nothing otherwise; after D there are four new ones, and no way back to A.
pub(super) fn back(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot) {
    let Some(swap) = Swap::of(snapshot).filter(|swap| swap.from != swap.to) else { return };
    let (from, to) = (swap.from.name(), swap.to.name());
    let button = ui.add(Button::new(RichText::new(format!("Back to {from}")).size(12.0)));
    if button.on_hover_text(format!("{to} does not start, and {from} plays on")).clicked() {
        model.command(Command::Variation(swap.from));
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
    use antiphon_engine::music::{Note, Role};
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
        let words = |snapshot: &Snapshot, mode| says(Variation::C, snapshot, mode, false).map(|says| says.lines.join(" "));
        let plays = Some("Click for a C from bar 3, beat 3".to_owned());
        assert_eq!(words(&playing(None, None), PlayMode::Suggest), plays);
        assert_eq!(words(&playing(Some(Variation::B), None), PlayMode::Suggest), plays);
        let again = says(Variation::C, &playing(None, None), PlayMode::Suggest, true).unwrap();
        assert_eq!(again.lines, ["Click for a new C", "from bar 3, beat 3"]);
        let waiting = Snapshot { plan: Some(sample(0, 384, &[])), ..Snapshot::default() };
        assert_eq!(words(&waiting, PlayMode::Suggest), Some("Click to make it".into()));
        assert_eq!(words(&waiting, PlayMode::Accompany), None);
        assert_eq!(says(Variation::A, &waiting, PlayMode::Suggest, false), None, "it is shown");
    }

    #[test]
    fn another_and_the_caption_say_which_variation_is_next() {
        let said = |snapshot: &Snapshot| (another(snapshot, PlayMode::Suggest), caption(snapshot));
        let waiting = Snapshot { plan: Some(sample(0, 384, &[])), ..Snapshot::default() };
        assert_eq!(said(&waiting), ("Another: B".into(), "Now: click one to choose it".into()));
        assert_eq!(said(&playing(None, None)), ("Another: B".into(), "Now: A plays; click another to change to it".into()));
        assert_eq!(said(&playing(Some(Variation::C), None)), ("Another: D".into(), "Now: A plays, then C".into()));
        let last = playing(Some(Variation::D), None);
        assert_eq!((another(&last, PlayMode::Suggest), another(&last, PlayMode::Accompany)), ("Four more".into(), "Another".into()));
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
        assert_eq!(says(Variation::B, &early, PlayMode::Suggest, true).unwrap().lines, ["Making B…", "from bar 3, beat 3"]);
        let unasked = playing(None, None);
        assert_eq!((foot(Variation::A, &unasked), State::Shown.word(&unasked)), (None, "plays"));
    }

    /// A plan of one note of this pitch.
    fn of_pitch(pitch: u8) -> Plan {
        let note = Note { onset: Tick(250), offset: 0, duration: Tick(12), pitch, velocity: 80, role: Role::Keys };
        sample(0, 384, &[note]).plan
    }

    #[test]
    fn variation_that_is_made_again_shows_what_it_was_until_the_plan_is_gone() {
        let with =
            |plans| Arc::new(Snapshot { variations: ShownVariations { plans, ..ShownVariations::default() }, ..playing(None, None) });
        let mut before = Before::default();
        before.update(&with([None, Some(of_pitch(60)), None, None]));
        before.update(&with([const { None }; 4]));
        let pitch = |before: &Before| before.plan(Variation::B).map(|plan| plan.notes()[0].pitch);
        assert_eq!((pitch(&before), before.plan(Variation::C)), (Some(60), None));
        let mut later = of_pitch(62);
        later.brief.start = Tick(1);
        before.update(&with([None, Some(later), None, None]));
        assert_eq!(pitch(&before), Some(62));
        before.update(&Arc::new(Snapshot::default()));
        assert_eq!(pitch(&before), None);
    }

    #[test]
    fn preview_says_what_a_click_does_and_shows_what_would_sound() {
        let mut before = Before::default();
        let plans = [None, Some(of_pitch(60)), None, None];
        let variations = ShownVariations { plans, ..ShownVariations::default() };
        let ready = Arc::new(Snapshot { variations, plan: Some(sample(0, 384, &[])), ..Snapshot::default() });
        before.update(&ready);
        let seen = |snapshot: &Snapshot, variation| {
            let found = preview(variation, snapshot, &before, Some(Tick(96)), false);
            found.map(|found| (found.name, found.from.0, found.notes.len()))
        };
        assert_eq!(seen(&ready, Variation::B), Some(("B: click its card to choose it".into(), 96, 1)));
        assert_eq!((seen(&ready, Variation::A), seen(&ready, Variation::C)), (None, None), "the roll shows A, and there is no C");
        let back = preview(Variation::A, &ready, &before, None, true).map(|found| found.name);
        assert_eq!(back.as_deref(), Some("A: click its card to go back to it"), "the roll shows a phrase of the history");
        let plays = playing(None, None);
        assert_eq!(seen(&plays, Variation::B), Some(("B as it was; a click makes a new one from bar 3, beat 3".into(), 240, 1)));
        let swap = playing(Some(Variation::B), None);
        assert_eq!(seen(&swap, Variation::B), Some(("B as it was; it is being made".into(), 240, 1)));
    }
}
