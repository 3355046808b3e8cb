//! The row of a mode, between the title and the piano roll: the parameters that it alone has, as chips, and whose turn it is in Trade.

use antiphon_engine::music::Role;
use antiphon_engine::plan::{AnswerAfter, PlayMode, Side, TradeBars};
use antiphon_engine::session::{RoleControls, ShownTurn, Snapshot};
use egui::{Align, Button, FontId, Label, Layout, Response, RichText, Ui, Vec2, WidgetInfo, vec2};

use super::controls::change;
use super::model::{Change, EditorModel};
use super::palette::{Palette, paint};
use super::style::GAP;
use super::words::count;

/// What stands in the row of Infill.
const MARK_BARS: &str = "Drag over the bar numbers to mark the bars that are filled.";
const SONG_AHEAD: &str = "The pale song ahead is what this track played when it passed last, or a MIDI file that you opened.";
/// Height of the row, in points; with the count of Trade it is higher.
const HEIGHT: f32 = 30.0;
const WITH_COUNT: f32 = 40.0;
/// Size of the count, in points.
const COUNT: f32 = 30.0;
/// Least width and height of a chip, in points.
const CHIP: Vec2 = vec2(34.0, 24.0);
/// Roles with a chip, the most frequent first. The others are in a menu unless they are on.
const FREQUENT: [Role; 7] = [Role::Bass, Role::Drums, Role::Chords, Role::Keys, Role::Pad, Role::Lead, Role::Strings];
/// Number of those that a narrow window has chips for.
const NARROW: usize = 4;
/// Ids of the parameters of the three roles.
const ROLES: [&str; 3] = ["output_role", "output_role_2", "output_role_3"];

/// Height of the row in a mode, in points; `None` without one.
pub(super) fn height(mode: PlayMode) -> Option<f32> {
    match mode {
        PlayMode::Answer | PlayMode::Accompany | PlayMode::Infill => Some(HEIGHT),
        PlayMode::Trade => Some(WITH_COUNT),
        PlayMode::Suggest => None,
    }
}

/// Draws the row.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot, is_narrow: bool) {
    let values = model.values();
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = GAP / 2.0;
        match values.plan.mode {
            PlayMode::Answer => answer(ui, model, values.turns.answer_after),
            PlayMode::Trade => {
                trade(ui, model, values.turns.trade_bars);
                ui.add_space(GAP * 2.0);
                snapshot.turn.iter().for_each(|turn| turn_of(ui, turn));
            }
            PlayMode::Accompany => roles(ui, model, values.roles, is_narrow),
            PlayMode::Infill => infill(ui),
            PlayMode::Suggest => {}
        }
    });
}

fn answer(ui: &mut Ui, model: &mut impl EditorModel, current: AnswerAfter) {
    caption(ui, "Answers once you have paused for");
    let steps =
        [(AnswerAfter::Beat, "1 beat"), (AnswerAfter::TwoBeats, "2 beats"), (AnswerAfter::Bar, "1 bar"), (AnswerAfter::TwoBars, "2 bars")];
    for (step, text) in steps {
        let tip = format!("Antiphon answers once all keys have been up for {text}.");
        if chip(ui, text, &format!("Answer after {text}"), step == current).on_hover_text(tip).clicked() && step != current {
            set(model, "answer_after", text);
        }
    }
}

/// How the bars are marked, and where the song ahead of the playhead comes from.
fn infill(ui: &mut Ui) {
    let text = RichText::new(format!("{MARK_BARS} {SONG_AHEAD}")).size(12.0).weak();
    ui.add(Label::new(text).truncate());
}

fn trade(ui: &mut Ui, model: &mut impl EditorModel, current: TradeBars) {
    caption(ui, "Bars each");
    for step in [TradeBars::One, TradeBars::Two, TradeBars::Four, TradeBars::Eight] {
        let (number, bars) = (step.count().to_string(), count(step.count().into(), "bar"));
        let tip = format!("You have {bars}, then Antiphon has {bars}; the count begins again, with you, at the next bar line.");
        if chip(ui, &number, &format!("Trade {bars}"), step == current).on_hover_text(tip).clicked() && step != current {
            set(model, "trade_bars", &bars);
        }
    }
}

/// Whose turn it is, and how much of it is left, large.
fn turn_of(ui: &mut Ui, turn: &ShownTurn) {
    let palette = Palette::of(ui.ctx());
    let colour = paint(if turn.side == Side::Antiphon { palette.playing } else { palette.ink });
    let (text, room) = (words(turn), ui.available_width());
    let width = |size: f32| ui.painter().layout_no_wrap(text.clone(), FontId::proportional(size), colour).size().x;
    let size = (COUNT * room / width(COUNT).max(1.0)).min(COUNT);
    ui.add(Label::new(RichText::new(text).size(size).color(colour)).extend());
}

/// The count in words: bars and beats, and in the last bar the beats alone.
fn words(turn: &ShownTurn) -> String {
    let count = |number: u32, unit| count(usize::try_from(number).unwrap_or(usize::MAX), unit);
    let whose = match turn.side {
        Side::Player => "You",
        Side::Antiphon => "Antiphon",
    };
    let beats = count(turn.beats_left, "beat");
    match turn.bars_left {
        0 => format!("{whose}: {beats} left"),
        bars => format!("{whose}: {}, {beats} left", count(bars, "bar")),
    }
}

/// Roles of the plan, as its three parameters have them. An automatic one depends on what the player plays.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    is_auto: bool,
    roles: Vec<Role>,
}

impl Chosen {
    fn of(controls: RoleControls) -> Self {
        let mut roles: Vec<Role> = Vec::new();
        for role in std::iter::once(controls.output).chain(controls.further).flatten() {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        Self { is_auto: controls.output.is_none(), roles }
    }

    /// Whether there is room for another role: a single automatic one gives way.
    fn has_room(&self) -> bool {
        self.roles.len() < ROLES.len()
    }

    /// The roles after a click on one of them.
    fn toggled(mut self, role: Role) -> Self {
        if let Some(place) = self.roles.iter().position(|other| *other == role) {
            self.roles.remove(place);
            self.is_auto |= self.roles.is_empty();
        } else if self.has_room() {
            // Beside an automatic role there is room for two.
            self.is_auto &= !self.roles.is_empty() && self.roles.len() + 1 < ROLES.len();
            self.roles.push(role);
        }
        self
    }

    /// Texts of the three parameters.
    fn texts(&self) -> [String; 3] {
        let mut roles = self.roles.iter().map(|role| name(*role));
        let first = if self.is_auto { None } else { roles.next() };
        let [second, third] = [roles.next(), roles.next()].map(|text| text.unwrap_or_else(|| "None".into()));
        [first.unwrap_or_else(|| "Auto".into()), second, third]
    }
}

fn roles(ui: &mut Ui, model: &mut impl EditorModel, controls: RoleControls, is_narrow: bool) {
    let chosen = Chosen::of(controls);
    caption(ui, "Plays");
    let auto = chip(ui, "Auto", "Role: Auto", chosen.is_auto);
    let tip = "Antiphon chooses the role: a bass to your keys, keys to your bass or drums.";
    if auto.on_hover_text(tip).clicked() && (!chosen.is_auto || !chosen.roles.is_empty()) {
        // One that is on beside others goes off.
        let other = if chosen.is_auto { Chosen { is_auto: false, ..chosen.clone() } } else { Chosen { is_auto: true, roles: Vec::new() } };
        apply(model, controls, &other);
    }
    let frequent = &FREQUENT[..if is_narrow { NARROW } else { FREQUENT.len() }];
    let others = chosen.roles.iter().filter(|role| !frequent.contains(role));
    for role in frequent.iter().chain(others).copied().collect::<Vec<_>>() {
        let (is_on, text) = (chosen.roles.contains(&role), name(role));
        let is_possible = is_on || chosen.has_room();
        let response = ui.add_enabled_ui(is_possible, |ui| chip(ui, &text, &format!("Role: {text}"), is_on)).inner;
        let tip = if is_on {
            format!("Takes {} out of what Antiphon plays.", role.name())
        } else {
            format!("Adds {} to what Antiphon plays; three roles at most.", role.name())
        };
        let response = response.on_hover_text(tip).on_disabled_hover_text("Three roles at most: switch one off first.");
        if response.clicked() {
            apply(model, controls, &chosen.clone().toggled(role));
        }
    }
    let menu = ui.menu_button(RichText::new("Other roles").size(12.0), |ui| {
        for role in Role::ALL.into_iter().filter(|role| !frequent.contains(role) && !chosen.roles.contains(role)) {
            if ui.add_enabled(chosen.has_room(), Button::new(name(role))).clicked() {
                apply(model, controls, &chosen.clone().toggled(role));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text("Lists the roles that have no chip here.");
}

/// Sets the parameters that differ, each in a gesture of its own.
fn apply(model: &mut impl EditorModel, controls: RoleControls, chosen: &Chosen) {
    let now = [controls.output, controls.further[0], controls.further[1]];
    for ((id, text), role) in ROLES.into_iter().zip(chosen.texts()).zip(now) {
        let shown = role.map_or_else(|| if id == ROLES[0] { "Auto".to_owned() } else { "None".to_owned() }, name);
        if text != shown {
            set(model, id, &text);
        }
    }
}

/// Name of a role, as its parameters spell it.
fn name(role: Role) -> String {
    super::words::sentence(role.name())
}

fn caption(ui: &mut Ui, text: &str) {
    let soft = paint(Palette::of(ui.ctx()).soft);
    ui.label(RichText::new(text).size(12.0).color(soft));
    ui.add_space(GAP / 2.0);
}

/// A chip: on, filled and with a heavy edge, or off. `label` is its name for screen readers.
fn chip(ui: &mut Ui, text: &str, label: &str, is_on: bool) -> Response {
    let palette = Palette::of(ui.ctx());
    let edge = if is_on { egui::Stroke::new(1.5, paint(palette.action)) } else { palette.hairline(0.3) };
    let fill = paint(if is_on { palette.selected() } else { palette.coming });
    ui.spacing_mut().button_padding = vec2(8.0, 2.0);
    let button = Button::new(RichText::new(text).size(12.0)).min_size(CHIP).corner_radius(12).fill(fill).stroke(edge);
    let response = ui.add(button);
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, true, is_on, label));
    response
}

/// Sets a parameter to the value of a text.
fn set(model: &mut impl EditorModel, id: &'static str, text: &str) {
    if let Some(value) = model.read(id, text) {
        change(model, Change::Parameter(id, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(is_auto: bool, roles: &[Role]) -> Chosen {
        Chosen { is_auto, roles: roles.to_vec() }
    }

    #[test]
    fn count_names_the_side_the_bars_and_the_beats() {
        let words = |side, bars_left, beats_left| words(&ShownTurn { side, bars_left, beats_left });
        assert_eq!(words(Side::Player, 3, 4), "You: 3 bars, 4 beats left");
        assert_eq!(words(Side::Antiphon, 1, 1), "Antiphon: 1 bar, 1 beat left");
        assert_eq!(words(Side::Player, 0, 2), "You: 2 beats left");
    }

    #[test]
    fn role_takes_the_place_of_an_automatic_one_and_the_next_ones_come_beside_it() {
        let one = chosen(true, &[]).toggled(Role::Bass);
        assert_eq!(one, chosen(false, &[Role::Bass]));
        let three = one.toggled(Role::Drums).toggled(Role::Pad);
        assert_eq!(three.texts(), ["Bass", "Drums", "Pad"]);
        assert!(!three.has_room());
        assert_eq!(three.clone().toggled(Role::Keys), three, "three at most");
    }

    #[test]
    fn last_role_that_is_switched_off_leaves_the_automatic_one() {
        let none = chosen(false, &[Role::Bass]).toggled(Role::Bass);
        assert_eq!(none.texts(), ["Auto", "None", "None"]);
        assert_eq!(chosen(false, &[Role::Bass, Role::Drums]).toggled(Role::Bass).texts(), ["Drums", "None", "None"]);
    }

    #[test]
    fn automatic_role_beside_others_stays_while_there_is_room() {
        let auto = chosen(true, &[Role::Drums]);
        assert_eq!(auto.texts(), ["Auto", "Drums", "None"]);
        let two = auto.toggled(Role::Bass);
        assert_eq!(two.texts(), ["Auto", "Drums", "Bass"]);
        assert_eq!(two.toggled(Role::Pad).texts(), ["Drums", "Bass", "Pad"]);
    }

    #[test]
    fn role_that_is_set_twice_is_one() {
        let controls = RoleControls { input: None, output: Some(Role::Bass), further: [Some(Role::Bass), Some(Role::Drums)] };
        assert_eq!(Chosen::of(controls), chosen(false, &[Role::Bass, Role::Drums]));
    }
}
