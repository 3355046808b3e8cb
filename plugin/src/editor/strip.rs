//! The strip under the commands: what was played, the four variations of the plan, and the history, as cards to choose and to drag out.

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Entry, EntryId, History, PlayMode, Step, Variation};
use antiphon_engine::session::{Command, Snapshot};
use egui::{Align, Align2, FontId, Layout, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2, pos2, vec2};
use raw_window_handle::HasWindowHandle;

use super::card::{Card, CardAction, Done, Export, Sign};
use super::controls::{learn, learning};
use super::excerpt::{self, Excerpt, Players, Source};
use super::export::Exporter;
use super::heard::Heard;
use super::history;
use super::history_cards;
use super::model::{EditorModel, Now};
use super::palette::{Palette, paint};
use super::play_time::Sound;
use super::roll::Preview;
use super::roll::mini::MiniRoll;
use super::shortcuts::{Action, hint};
use super::status;
use super::style;
use super::variations::{self, Before, State};
use crate::triggers::Button;

/// Height of the strip, in points; less in a low window, where cards have no roll.
pub(super) const HEIGHT: f32 = 104.0;
pub(super) const LOW: f32 = 30.0;
/// Height of the row over the cards with their captions, in points.
pub(super) const CAPTIONS: f32 = 24.0;
/// Window height below which the strip is low, in points.
pub(super) const LOW_BELOW: f32 = 480.0;
/// Narrowest card, in points.
const LEAST: f32 = 60.0;
/// Widest card, in points.
const WIDEST: f32 = 134.0;
/// Size of the captions, in points.
const CAPTION: f32 = 12.0;
/// Least width of the part with the history, in points.
const LEAST_HISTORY: f32 = 90.0;
/// By how much the shown card of a low window is wider, for what it says beside its title, in points.
const HINT: f32 = 126.0;
/// Between the variations and the history, in points: a line divides them.
const DIVIDER: f32 = 8.0;
/// Bars shown of what was played, at most.
const PLAYED_BARS: usize = 4;

/// What the strip shows and acts on.
pub(super) struct Strip<'a> {
    /// The session's own.
    pub(super) live: &'a Snapshot,
    /// Clock state.
    pub(super) now: &'a Now,
    /// Tick before which no planned note will sound.
    pub(super) silent_before: Option<Tick>,
    /// All suggestions so far.
    pub(super) history: &'a History,
    /// Those that have a card, newest first.
    pub(super) entries: &'a [&'a Entry],
    /// What becomes of the phrase that is shown, unless it plays: "Play starts this".
    pub(super) chosen: Option<&'a str>,
    /// The variations as they were.
    pub(super) before: &'a Before,
    /// Whether the plan sounds.
    pub(super) sound: Sound,
}

/// A card under the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointed {
    Variation(Variation),
    Entry(EntryId),
}

/// Sizes of the cards, in points.
#[derive(Clone, Copy)]
struct Sizes {
    card: Vec2,
    /// Whether there is no room for rolls.
    is_low: bool,
}

impl Sizes {
    /// Whether the card is the shown one of a low window: beside a short title it says how to take it into the song.
    const fn has_hint(self, is_shown: bool) -> bool {
        self.is_low && is_shown
    }

    fn of(self, is_shown: bool) -> Vec2 {
        if self.has_hint(is_shown) { self.card + vec2(HINT, 0.0) } else { self.card }
    }
}

impl Strip<'_> {
    /// Draws the cards and carries out what is done with them. Returns the one under the pointer whose phrase the roll can show.
    pub(super) fn show(
        &self,
        ui: &mut Ui,
        model: &mut impl EditorModel,
        exporter: &mut Exporter,
        window: &dyn HasWindowHandle,
    ) -> Option<Pointed> {
        let height = ui.available_height();
        let is_low = height < HEIGHT / 2.0;
        let card = vec2(card_width(ui.available_width(), is_low), height.max(0.0));
        let size = Sizes { card, is_low };
        let mut pointed = None;
        ui.horizontal_top(|ui| {
            self.played(ui, exporter, size, window);
            let mode = model.values().plan.mode;
            for variation in Variation::ALL.into_iter().filter(|variation| has_card(*variation, mode, self.live)) {
                if self.variation(ui, model, exporter, variation, size, window) {
                    pointed = Some(Pointed::Variation(variation));
                }
            }
            if self.history.entries().is_empty() {
                return;
            }
            let palette = Palette::of(ui.ctx());
            let (divider, _) = ui.allocate_exact_size(vec2(DIVIDER - style::GAP / 2.0, height), Sense::hover());
            ui.painter().vline(divider.center().x - style::GAP / 2.0, divider.y_range(), palette.hairline(0.42));
            ScrollArea::horizontal().auto_shrink([false, true]).show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    for entry in self.entries {
                        if self.entry(ui, model, exporter, entry, size, window) {
                            pointed = Some(Pointed::Entry(entry.id()));
                        }
                    }
                });
            });
        });
        pointed
    }

    /// The phrase of the card under the pointer, for the roll. `None` for the one that the roll shows.
    pub(super) fn preview(&self, pointed: Pointed) -> Option<Preview<'_>> {
        match pointed {
            Pointed::Variation(variation) => {
                variations::preview(variation, self.live, self.before, self.silent_before, self.history.recalled().is_some())
            }
            Pointed::Entry(id) => {
                let entry =
                    self.entries.iter().find(|entry| entry.id() == id && self.history.recalled().is_none_or(|shown| shown.id() != id))?;
                Some(history::preview(entry, self.history, self.live, self.now))
            }
        }
    }

    /// Draws the captions over the cards: what is to be chosen now, and what was suggested earlier, with the buttons of the
    /// history, which `history` draws.
    pub(super) fn captions(&self, ui: &mut Ui, mode: PlayMode, has_history: bool, history: impl FnOnce(&mut Ui)) {
        let row = ui.available_rect_before_wrap();
        let step = card_width(row.width(), false) + style::GAP;
        let cards = Variation::ALL.into_iter().filter(|variation| has_card(*variation, mode, self.live)).count();
        let palette = Palette::of(ui.ctx());
        let has_choice = cards > 1 && self.live.plan.is_some();
        let now = if has_choice { variations::caption(self.live) } else { "Now".into() };
        let place = pos2(row.left() + step, row.center().y);
        ui.painter().text(place, Align2::LEFT_CENTER, now, FontId::proportional(CAPTION), paint(palette.soft));
        if !has_history {
            return;
        }
        let earlier = row.left() + step * (1.0 + cards as f32) + DIVIDER;
        // Over their cards; farther left where they would not fit.
        let id = ui.scope_id().with("buttons");
        let wide = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or_default();
        let place = row.with_min_x(earlier.min(row.right() - wide).max(row.left()));
        if place.left() >= earlier {
            let divider = earlier - DIVIDER / 2.0 - style::GAP / 2.0 - 2.0;
            ui.painter().vline(divider, row.y_range(), palette.hairline(0.42));
        }
        let drawn = ui.scope_builder(UiBuilder::new().max_rect(place).layout(Layout::left_to_right(Align::Center)), |ui| {
            ui.spacing_mut().item_spacing.x = style::GAP / 2.0;
            ui.label(RichText::new("Earlier").size(CAPTION).color(paint(palette.soft)));
            history(ui);
        });
        let drawn = drawn.response.rect.width();
        if (drawn - wide).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(id, drawn));
            ui.ctx().request_discard("width of the buttons of the history");
        }
    }

    fn played(&self, ui: &mut Ui, exporter: &mut Exporter, size: Sizes, window: &dyn HasWindowHandle) {
        let until = self.live.bar_at(self.now.playhead.tick()).bar.end();
        let from = (1..PLAYED_BARS).fold(until - Tick(1), |tick, _| self.live.bar_at(tick).bar.start - Tick(1));
        let from = self.live.bar_at(from).bar.start;
        let lines = lines(self.live, from, until);
        let music = MiniRoll { notes: &self.live.played, from, until, lines: &lines };
        let first = self.live.played.first();
        let bars = excerpt::bars_of_played(self.live, self.now);
        let card = Card {
            name: "played",
            title: "Played".into(),
            note: bars.clone().unwrap_or_default(),
            bars,
            music: first.map(|_| music),
            before: None,
            says: Vec::new(),
            foot: first.map(|_| Players::of(self.live).notes().into()),
            is_kept: false,
            is_shown: false,
            chosen: None,
            sign: None,
            tip: &|| match first {
                Some(_) => {
                    format!("All that has sounded: {}; each part has tracks of its own in the file.", Players::of(self.live).notes())
                }
                None => "Nothing has been played yet".into(),
            },
        };
        let Done { action, .. } = card.show(ui, size.card, |_| {});
        export(ui, exporter, action, window, || Excerpt::of_played(self.live, self.now));
    }

    /// Draws the card of a variation. Returns whether the pointer is over it.
    fn variation(
        &self,
        ui: &mut Ui,
        model: &mut impl EditorModel,
        exporter: &mut Exporter,
        variation: Variation,
        size: Sizes,
        window: &dyn HasWindowHandle,
    ) -> bool {
        let pressed = Button::of(variation);
        if model.triggers().waiting() == Some(pressed) {
            learning(ui, model.triggers());
            return false;
        }
        let state = State::of(variation, self.live);
        let plan = variations::plan(variation, self.live).map(|plan| Heard::from(plan, self.silent_before));
        let before = self.before.plan(variation).filter(|_| plan.is_none()).map(|plan| Heard::from(plan, self.silent_before));
        let lines_before = before.map_or_else(Vec::new, |plan| lines(self.live, plan.start(), plan.end()));
        let lines = plan.map_or_else(Vec::new, |plan| lines(self.live, plan.start(), plan.end()));
        let learnt = model.triggers().of(pressed).map_or_else(String::new, |trigger| format!(" ({trigger})"));
        let is_shown = state == State::Shown && plan.is_some() && self.history.recalled().is_none();
        let plays = state == State::Shown && self.live.plan.as_ref().is_some_and(|shown| shown.playing);
        let sign = match self.sound {
            Sound::Plays if plays => Sign::Stop,
            Sound::Waits if plays || is_shown && self.live.play_from.is_some() => Sign::Cancel,
            _ => Sign::Listen,
        };
        let word = if status::is_missing(&self.live.status) { "" } else { state.word(self.live) };
        let mode = model.values().plan.mode;
        // Its letter would say that there are others.
        let is_only = mode == PlayMode::Accompany;
        let says = variations::says(variation, self.live, mode, before.is_some()).filter(|_| !status::is_missing(&self.live.status));
        let title = match says.as_ref().and_then(|says| says.from.as_deref()) {
            _ if is_only => "Plan".into(),
            // Without room under the title, as short as it is in it.
            _ if size.is_low && state == State::Missing && self.live.plan.is_some() => format!("Make {}", variation.name()),
            Some(from) if size.is_low => format!("{} from {}", variation.name(), from.replace(", beat ", ".")),
            _ => format!("{} {word}", variation.name()).trim_end().to_owned(),
        };
        let bars = plan.and_then(|plan| excerpt::bars_of_plan(plan, self.live, self.now));
        let (name, source) = if is_only { ("plan", Source::Plan) } else { (pressed.name(), Source::Variation(variation)) };
        let tip = || match is_only {
            true => "It is made again on every beat; Another changes it.".to_owned(),
            false => format!("{name}{learnt}{}: {}.", hint(Action::Press(pressed)), state.sentence(self.live)),
        };
        let card = Card {
            name,
            title,
            note: bars.clone().unwrap_or_default(),
            bars,
            music: plan.map(|plan| music(plan, &lines)),
            before: before.map(|plan| music(plan, &lines_before)),
            says: says.map_or_else(Vec::new, |says| says.lines),
            foot: variations::foot(variation, self.live),
            is_kept: false,
            is_shown,
            chosen: self.chosen.filter(|_| is_shown).map(str::to_owned),
            sign: Some(sign),
            tip: &tip,
        };
        let Done { action, is_pointed } = card.show(ui, size.of(is_shown), |ui| learn(ui, model.triggers(), pressed));
        if action == Some(CardAction::Stop) {
            model.command(Command::Stop);
        }
        if matches!(action, Some(CardAction::Choose | CardAction::Listen)) && self.live.plan.is_some() {
            let returns = state == State::Shown && self.history.recalled().is_some() && self.live.variations.awaited.is_none();
            model.command(if returns { Command::Step(Step::Now) } else { Command::Variation(variation) });
            // In place of a phrase that plays a variation takes over by itself.
            let plays = returns || self.live.plan.as_ref().is_some_and(|shown| !shown.playing);
            if action == Some(CardAction::Listen) && plays {
                model.command(Command::Play);
            }
        }
        export(ui, exporter, action, window, || Excerpt::of_plan(source, plan?, self.live, self.now));
        is_pointed
    }

    /// Draws the card of a suggestion. Returns whether the pointer is over it.
    fn entry(
        &self,
        ui: &mut Ui,
        model: &mut impl EditorModel,
        exporter: &mut Exporter,
        entry: &Entry,
        size: Sizes,
        window: &dyn HasWindowHandle,
    ) -> bool {
        // A full history has 256 cards, of which two or three are in view.
        let is_shown = self.history.recalled().is_some_and(|recalled| recalled.id() == entry.id());
        let area = size.of(is_shown);
        if !ui.is_rect_visible(Rect::from_min_size(ui.cursor().min, area)) {
            ui.allocate_exact_size(area, Sense::hover());
            return false;
        }
        let (plan, place) = (entry.plan(), entry.place());
        let lines: Vec<Tick> = place.metres.bars(plan.ready() - place.line).map(|bar| bar.start + place.line).collect();
        let number = history::number(self.history, entry);
        let bars = history::was(entry);
        let kept = if entry.is_starred() { "kept, " } else { "" };
        let goes_next = self.history.goes_next().is_some_and(|next| next.id() == entry.id());
        let note = if goes_next { "removed next" } else { history_cards::became(entry.reason()) };
        let card = Card {
            name: &format!("suggestion {number}, of bar {}{}", place.bar, if entry.is_starred() { ", kept" } else { "" }),
            title: format!("#{number}"),
            note: if size.is_low { bars.clone() } else { note.into() },
            before: None,
            says: Vec::new(),
            foot: Some(format!("{kept}{bars}")),
            // Where it was stands over this; it starts elsewhere now.
            bars: None,
            is_kept: entry.is_starred(),
            music: Some(music(Heard::of(entry), &lines)),
            is_shown,
            chosen: self.chosen.filter(|_| is_shown).map(str::to_owned),
            sign: Some(if is_shown && self.live.play_from.is_some() { Sign::Cancel } else { Sign::Listen }),
            tip: &|| format!("Suggestion {number} of the history. {}", history_cards::description(entry)),
        };
        let Done { action, is_pointed } =
            ui.push_id(entry.id(), |ui| card.show(ui, area, |ui| history_cards::menu(ui, model, entry))).inner;
        match action {
            Some(CardAction::Choose) => model.command(Command::Step(Step::To(entry.id()))),
            Some(CardAction::Listen) => {
                model.command(Command::Step(Step::To(entry.id())));
                model.command(Command::Play);
            }
            Some(CardAction::Stop) => model.command(Command::Stop),
            Some(CardAction::Delete) => model.command(Command::Remove(entry.id())),
            _ => {}
        }
        export(ui, exporter, action, window, || Excerpt::of_entry(entry));
        is_pointed
    }
}

/// Width of a card in a strip of this width, in points. In a low one the shown card is wider, and the others give way.
fn card_width(strip: f32, is_low: bool) -> f32 {
    let hint = if is_low { HINT } else { 0.0 };
    ((strip - LEAST_HISTORY - DIVIDER - hint) / 5.0 - style::GAP).clamp(LEAST, WIDEST)
}

/// Whether a variation has a card. Accompany plans each beat for itself and has one at a time.
fn has_card(variation: Variation, mode: PlayMode, snapshot: &Snapshot) -> bool {
    mode != PlayMode::Accompany || variation == snapshot.variations.shown
}

fn music<'a>(heard: Heard<'a>, lines: &'a [Tick]) -> MiniRoll<'a> {
    MiniRoll { notes: heard.notes(), from: heard.start(), until: heard.end().max(heard.start() + Tick(1)), lines }
}

/// Bar lines between two ticks.
fn lines(snapshot: &Snapshot, from: Tick, until: Tick) -> Vec<Tick> {
    snapshot.bars_between(from, until).map(|shown| shown.bar.start).collect()
}

/// Carries out what is done with a card whose excerpt `excerpt` makes.
fn export(
    ui: &Ui,
    exporter: &mut Exporter,
    action: Option<CardAction>,
    window: &dyn HasWindowHandle,
    excerpt: impl FnOnce() -> Option<Excerpt>,
) {
    let Some(CardAction::Export(how)) = action else { return };
    let Some(excerpt) = excerpt() else { return };
    match how {
        Export::Drag => exporter.drag(&excerpt, window),
        Export::SaveAs => exporter.save_as(&excerpt),
        Export::SaveRoles => exporter.save_roles(&excerpt),
        Export::CopyPath => exporter.copy_path(&excerpt, ui.ctx()),
    }
}
