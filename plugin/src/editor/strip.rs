//! The strip under the commands: what was played, the plan, and the history, as cards to choose and to drag out.

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Entry, History, Plan, Reason, Step};
use antiphon_engine::session::{Command, Snapshot};
use egui::{ScrollArea, Ui, Vec2, vec2};
use raw_window_handle::HasWindowHandle;

use super::card::{Card, CardAction};
use super::excerpt::{Excerpt, Source};
use super::export::Exporter;
use super::model::{EditorModel, Now};
use super::roll::mini::MiniRoll;
use super::style;

/// Height of the strip, in points; less in a low window, where cards have no roll.
pub(super) const HEIGHT: f32 = 104.0;
pub(super) const LOW: f32 = 30.0;
/// Window height below which the strip is low, in points.
pub(super) const LOW_BELOW: f32 = 480.0;
/// Narrowest card, in points.
const LEAST: f32 = 60.0;
/// Widest card, in points.
const WIDEST: f32 = 150.0;
/// Least width of the part with the history, in points.
const LEAST_HISTORY: f32 = 90.0;
/// Bars shown of what was played, at most.
const PLAYED_BARS: usize = 4;

/// What the strip shows and acts on.
pub(super) struct Strip<'a> {
    /// The session's own.
    pub(super) live: &'a Snapshot,
    /// Clock state.
    pub(super) now: &'a Now,
    /// All suggestions so far.
    pub(super) history: &'a History,
}

impl Strip<'_> {
    /// Draws the cards and carries out what is done with them.
    pub(super) fn show(&self, ui: &mut Ui, model: &mut impl EditorModel, exporter: &mut Exporter, window: &dyn HasWindowHandle) {
        let height = ui.available_height();
        let entries = self.history.entries();
        let width = (ui.available_width() - LEAST_HISTORY) / 2.0 - style::GAP;
        let size = vec2(width.clamp(LEAST, WIDEST), height.max(0.0));
        ui.horizontal_top(|ui| {
            self.played(ui, exporter, size, window);
            self.plan(ui, model, exporter, size, window);
            if entries.is_empty() {
                return;
            }
            ScrollArea::horizontal().auto_shrink([false, true]).show(ui, |ui| {
                ui.horizontal_top(|ui| entries.iter().rev().for_each(|entry| self.entry(ui, model, exporter, entry, size, window)));
            });
        });
    }

    fn played(&self, ui: &mut Ui, exporter: &mut Exporter, size: Vec2, window: &dyn HasWindowHandle) {
        let excerpt = Excerpt::of(Source::Played, self.live, self.now);
        let until = self.live.bar_at(self.now.playhead.tick()).bar.end();
        let from = (1..PLAYED_BARS).fold(until - Tick(1), |tick, _| self.live.bar_at(tick).bar.start - Tick(1));
        let from = self.live.bar_at(from).bar.start;
        let lines = lines(self.live, from, until);
        let music = MiniRoll { notes: &self.live.played, from, until, lines: &lines };
        let card = Card {
            name: "played",
            title: "Played".into(),
            note: excerpt.as_ref().map_or_else(String::new, |excerpt| count(excerpt.bars, "bar")),
            music: excerpt.is_some().then_some(music),
            is_shown: false,
            tip: if excerpt.is_some() { "Everything that sounded: your notes and those of plans." } else { "Nothing was played yet" },
        };
        let (action, _) = card.show(ui, size);
        export(exporter, action, excerpt.as_ref(), window);
    }

    fn plan(&self, ui: &mut Ui, model: &mut impl EditorModel, exporter: &mut Exporter, size: Vec2, window: &dyn HasWindowHandle) {
        let shown = self.live.plan.as_ref();
        let excerpt = shown.and_then(|_| Excerpt::of(Source::Plan, self.live, self.now));
        let lines = shown.map_or_else(Vec::new, |shown| lines(self.live, shown.plan.brief.start, shown.plan.brief.end));
        let card = Card {
            name: "plan",
            title: "Plan".into(),
            note: shown.map_or_else(String::new, |shown| count(shown.plan.notes().len(), "note")),
            music: shown.map(|shown| of_plan(&shown.plan, &lines)),
            is_shown: shown.is_some() && self.history.recalled().is_none(),
            tip: if shown.is_some() { "The plan." } else { "There is no plan yet" },
        };
        let (action, _) = card.show(ui, size);
        if action == Some(CardAction::Choose) && self.history.recalled().is_some() {
            model.command(Command::Step(Step::Now));
        }
        export(exporter, action, excerpt.as_ref(), window);
    }

    fn entry(
        &self,
        ui: &mut Ui,
        model: &mut impl EditorModel,
        exporter: &mut Exporter,
        entry: &Entry,
        size: Vec2,
        window: &dyn HasWindowHandle,
    ) {
        let (plan, place) = (entry.plan(), entry.place());
        let lines: Vec<Tick> = place.metres.bars(plan.ready() - place.line).map(|bar| bar.start + place.line).collect();
        let star = if entry.is_starred() { ", kept" } else { "" };
        let card = Card {
            name: &format!("suggestion of bar {}", place.bar),
            title: format!("Bar {}{star}", place.bar),
            note: count(plan.notes().len(), "note"),
            music: Some(of_plan(plan, &lines)),
            is_shown: self.history.recalled().is_some_and(|recalled| recalled.id() == entry.id()),
            tip: reason(entry.reason()),
        };
        let (action, _) = ui.push_id(entry.id(), |ui| card.show(ui, size)).inner;
        if action == Some(CardAction::Choose) {
            model.command(Command::Step(Step::To(entry.id())));
        }
        export(exporter, action, Excerpt::of_entry(entry).as_ref(), window);
    }
}

fn of_plan<'a>(plan: &'a Plan, lines: &'a [Tick]) -> MiniRoll<'a> {
    MiniRoll { notes: plan.notes(), from: plan.brief.start, until: plan.brief.end.max(plan.brief.start + Tick(1)), lines }
}

/// Bar lines between two ticks.
fn lines(snapshot: &Snapshot, from: Tick, until: Tick) -> Vec<Tick> {
    snapshot.bars_between(from, until).map(|shown| shown.bar.start).collect()
}

fn export(exporter: &mut Exporter, action: Option<CardAction>, excerpt: Option<&Excerpt>, window: &dyn HasWindowHandle) {
    let Some(excerpt) = excerpt else { return };
    match action {
        Some(CardAction::Drag) => exporter.drag(excerpt, window),
        Some(CardAction::SaveAs) => exporter.save_as(excerpt),
        Some(CardAction::Choose) | None => {}
    }
}

fn count(number: usize, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Played => "It was played. Click to show it again.",
        Reason::Kept => "You kept it. Click to show it again.",
        Reason::Rerolled => "You asked for another in its place. Click to show it again.",
        Reason::PhraseEnd => "It was shown at the end of your phrase. Click to show it again.",
    }
}
