//! A card: music as a small roll with a title, to be chosen, dragged out or saved.

use std::f32::consts::TAU;

use egui::{
    Align2, Button, Color32, CursorIcon, FontId, Key, Painter, Pos2, Rect, Response, RichText, Role, Sense, Shape, Stroke, StrokeKind,
    Tooltip, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::palette::{Palette, paint};
use super::roll::mini::MiniRoll;
use super::style;

/// Height of a card's title, in points.
const TITLE: f32 = 20.0;
/// Height from which a card has a roll, in points.
const WITH_ROLL: f32 = 56.0;
/// Width and height of the sign that plays, in points.
const SIGN: f32 = 24.0;
/// Height of the lowest line under a card's roll, and of one over it, in points.
const FOOT: f32 = 17.0;
const OVER_FOOT: f32 = 12.0;
/// Distance of the lines in place of a roll, in points.
const LINE: f32 = 15.0;
/// How to take the shown card into the song.
const DRAG: &str = "drag to a track";
/// Width and size of the text of a card's tooltip, in points: on one line there is room for it below the card, where it covers no control.
const TOOLTIP: (f32, f32) = (760.0, 12.0);
/// Radius of the band of the headphones, in points.
const BAND: f32 = 5.5;
/// What the sign that listens does, behind the name of the card.
const LISTEN: &str =
    "with the preview sound, or with the instrument behind Antiphon, from the next bar; at once while the transport stands.";
/// Left edge of the title, behind the grip.
const GRIP: f32 = 18.0;

/// What the player did with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CardAction {
    /// Chose it by a click or a key.
    Choose,
    /// Asked to hear it.
    Listen,
    /// Asked that it ends.
    Stop,
    /// Asked for its music as a file.
    Export(Export),
    /// Pressed Delete while it had the focus.
    Delete,
}

/// How a card's music becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Export {
    /// It is dragged.
    Drag,
    /// Under a name.
    SaveAs,
    /// One file per role, under a name.
    SaveRoles,
    /// The path of a new file.
    CopyPath,
}

/// What was done with a card in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) action: Option<CardAction>,
    /// Whether the pointer is over it, and carries nothing.
    pub(super) is_pointed: bool,
}

/// The sign in a card's upper right corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Headphones: plays it.
    Listen,
    /// The outline of a square, while it waits for its bar line: takes that back.
    Cancel,
    /// A square, while it plays: ends it.
    Stop,
}

/// Contents of a card.
pub(super) struct Card<'a> {
    /// Name for screen readers and tests, without "Drag".
    pub(super) name: &'a str,
    /// At the left of the first line.
    pub(super) title: String,
    /// At its right.
    pub(super) note: String,
    /// The music; `None` while there is none.
    pub(super) music: Option<MiniRoll<'a>>,
    /// What its music was before, faint, while there is none.
    pub(super) before: Option<MiniRoll<'a>>,
    /// What it says in place of music, line by line.
    pub(super) says: Vec<String>,
    /// What stands under its roll; of the shown one over the line on how to take it into the song.
    pub(super) foot: Option<String>,
    /// Names of the bars that are dragged out and saved.
    pub(super) bars: Option<String>,
    /// Whether it has a star.
    pub(super) is_kept: bool,
    /// Whether it is the one shown.
    pub(super) is_shown: bool,
    /// What becomes of it, if it is the one shown: "Play starts this".
    pub(super) chosen: Option<String>,
    /// The sign that lets one listen to it; `None` if it has none.
    pub(super) sign: Option<Sign>,
    /// One sentence on what a click does. Asked for while the pointer is over it.
    pub(super) tip: &'a dyn Fn() -> String,
}

impl Card<'_> {
    /// Draws the card, with further items for its menu. Returns what was done with it.
    pub(super) fn show(&self, ui: &mut Ui, size: Vec2, menu: impl FnOnce(&mut Ui)) -> Done {
        let palette = Palette::of(ui.ctx());
        let has_music = self.music.is_some();
        let (area, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), self.is_shown, self.name));
        let painter = ui.painter_at(area);
        let outline = if response.has_focus() || self.is_shown {
            Stroke::new(2.0, paint(palette.action))
        } else {
            palette.hairline(if response.hovered() { 0.45 } else { 0.22 })
        };
        painter.rect(area, style::RADIUS, paint(palette.coming), outline, StrokeKind::Inside);
        let sign = self.sign.filter(|_| has_music);
        let is_pressed_sign = sign.is_some_and(|sign| self.sign(ui, area, &response, sign).clicked());
        let is_said = self.title(&painter, area, palette);
        if area.height() >= WITH_ROLL {
            match &self.music {
                Some(music) => self.roll(&painter, area, music, !is_said, palette),
                None => self.words(&painter, area, palette),
            }
        }
        let cursor = if has_music { CursorIcon::Grab } else { CursorIcon::Default };
        let response = response.on_hover_cursor(cursor);
        Tooltip::for_enabled(&response).width(TOOLTIP.0).gap(1.0).show(|ui| {
            let tip = (self.tip)();
            let what = self.bars.as_deref().unwrap_or("it");
            let drag = if has_music { format!(" Drag {what} onto a track or into a folder; right-click to save") } else { String::new() };
            ui.label(RichText::new(tip + &drag).size(TOOLTIP.1));
        });
        let mut action = None;
        response.context_menu(|ui| {
            let has_roles = self.music.as_ref().is_some_and(MiniRoll::has_roles);
            for (name, is_possible, asked) in [
                (format!("Save {} as...", self.name), has_music, Export::SaveAs),
                ("Save one file per role...".to_owned(), has_roles, Export::SaveRoles),
                ("Copy the path of a new file".to_owned(), has_music, Export::CopyPath),
            ] {
                if ui.add_enabled(is_possible, Button::new(name)).clicked() {
                    action = Some(CardAction::Export(asked));
                    ui.close();
                }
            }
            menu(ui);
        });
        let is_pressed =
            |command: bool, key| response.has_focus() && ui.input(|input| input.modifiers.command == command && input.key_pressed(key));
        if let Some(sign) = sign.filter(|_| is_pressed_sign) {
            action = Some(if sign == Sign::Listen { CardAction::Listen } else { CardAction::Stop });
        } else if is_pressed(false, Key::Delete) {
            action = Some(CardAction::Delete);
        } else if has_music && is_pressed(true, Key::S) {
            action = Some(CardAction::Export(Export::SaveAs));
        } else if has_music && response.drag_started() {
            action = Some(CardAction::Export(Export::Drag));
        } else if response.clicked() {
            action = Some(CardAction::Choose);
        }
        Done { action, is_pointed: response.hovered() && !response.dragged() }
    }

    /// Draws the music with the lines under it: what there is to say, and for the shown card how to take it into the song.
    fn roll(&self, painter: &Painter, area: Rect, music: &MiniRoll<'_>, says_chosen: bool, palette: &Palette) {
        let room = area.width() - 12.0;
        let width = |text: &str| painter.layout_no_wrap(text.to_owned(), FontId::proportional(11.0), paint(palette.soft)).size().x;
        let hints = self.bars.iter().map(|bars| DRAG.replacen("drag", &format!("drag {bars}"), 1));
        let mut hints = hints.chain([DRAG.into()]).filter(|_| self.is_shown);
        let hint = hints.find(|hint| width(hint) <= room);
        let word = self.foot.clone().or_else(|| self.chosen.clone().filter(|_| says_chosen));
        let mut bottom = area.bottom();
        for line in hint.into_iter().chain(word) {
            let (height, middle) = if bottom == area.bottom() { (FOOT, FOOT / 2.0) } else { (OVER_FOOT, OVER_FOOT / 2.0 - 1.0) };
            let ink = if self.is_shown { palette.action } else { palette.soft };
            painter.text(pos2(area.center().x, bottom - middle), Align2::CENTER_CENTER, line, FontId::proportional(11.0), paint(ink));
            bottom -= height;
        }
        let inside = Rect::from_min_max(area.min + vec2(6.0, TITLE + 2.0), pos2(area.right() - 6.0, bottom.min(area.bottom() - 6.0)));
        music.draw(&painter.with_clip_rect(inside), inside, palette, false);
    }

    /// Draws what it says in place of music, under what it was before.
    fn words(&self, painter: &Painter, area: Rect, palette: &Palette) {
        let lines = self.says.len() as f32;
        let mut y = (area.top() + TITLE + area.bottom()) / 2.0 - LINE * (lines - 1.0) / 2.0;
        if let Some(before) = &self.before {
            y = area.bottom() - FOOT / 2.0 - LINE * (lines - 1.0);
            let inside = Rect::from_min_max(area.min + vec2(6.0, TITLE + 2.0), pos2(area.right() - 6.0, y - LINE / 2.0));
            before.draw(&painter.with_clip_rect(inside), inside, palette, true);
        }
        for line in &self.says {
            painter.text(pos2(area.center().x, y), Align2::CENTER_CENTER, line, FontId::proportional(12.0), paint(palette.soft));
            y += LINE;
        }
    }

    /// Draws the sign at the right of the title: not the triangle of Play, which plays what is chosen, whatever card one looks at.
    fn sign(&self, ui: &Ui, area: Rect, card: &Response, sign: Sign) -> Response {
        let place = Rect::from_min_size(pos2(area.right() - SIGN, area.top()), vec2(SIGN, SIGN));
        let (tip, name) = match sign {
            Sign::Listen => (format!("Listen to {} {LISTEN}", self.short_name()), format!("Listen to {}", self.name)),
            Sign::Cancel => ("Takes Play back: it does not start.".to_owned(), format!("Cancel {}", self.name)),
            Sign::Stop => ("Stops it: what sounds ends within a beat.".to_owned(), format!("Stop {}", self.name)),
        };
        // Not in the order of Tab: Enter on the card and Space do the same.
        let response = ui.interact(place, card.id.with("listen"), Sense::CLICK);
        // Below the card, as its own.
        let column = Rect::from_x_y_ranges(place.x_range(), area.y_range());
        Tooltip::for_enabled(&response.clone().with_new_rect(column)).width(TOOLTIP.0).gap(1.0).show(|ui| {
            ui.label(RichText::new(tip).size(TOOLTIP.1));
        });
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.as_str()));
        let palette = Palette::of(ui.ctx());
        let ink = paint(if response.hovered() || sign != Sign::Listen { palette.playing } else { palette.soft });
        let square = Rect::from_center_size(place.center(), Vec2::splat(9.0));
        match sign {
            Sign::Listen => headphones(ui.painter(), place.center(), ink),
            Sign::Cancel => _ = ui.painter().rect_stroke(square, 1, Stroke::new(1.5, ink), StrokeKind::Inside),
            Sign::Stop => _ = ui.painter().rect_filled(square, 1, ink),
        }
        response
    }

    /// "A" of "Variation A".
    fn short_name(&self) -> &str {
        self.name.strip_prefix("Variation ").unwrap_or(self.name)
    }

    /// Draws the first line. Returns whether it says what becomes of the card.
    fn title(&self, painter: &Painter, area: Rect, palette: &Palette) -> bool {
        let y = area.top() + TITLE / 2.0 + 2.0;
        if self.music.is_some() {
            for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)] {
                let dot = pos2(area.left() + 7.0 + 4.0 * column as f32, y + 4.0 * (row as f32 - 1.0));
                painter.circle_filled(dot, 1.2, palette.faded(0.5));
            }
        }
        let ink = paint(if self.music.is_some() { palette.ink } else { palette.soft });
        let title = painter.text(pos2(area.left() + GRIP, y), Align2::LEFT_CENTER, &self.title, FontId::proportional(13.0), ink);
        if self.is_kept {
            star(painter, pos2(title.right() + 11.0, y), paint(palette.ink), true);
        }
        let left = title.right() + if self.is_kept { 20.0 } else { 5.0 };
        let right = if self.sign.is_some() && self.music.is_some() { area.right() - SIGN } else { area.right() - 7.0 };
        // What becomes of it comes before what its bars are. A card without a roll says here, too, that it can be dragged.
        let chosen = self.chosen.as_deref().filter(|_| self.is_shown);
        let drags = self.is_shown && self.music.is_some() && area.height() < WITH_ROLL;
        let drag = drags.then_some(DRAG);
        let both = chosen.zip(drag).map(|(chosen, drag)| format!("{chosen}; {drag}"));
        let font = FontId::proportional(11.0);
        let notes =
            [(both.as_deref(), palette.action), (chosen, palette.action), (drag, palette.action), (Some(self.note.as_str()), palette.soft)];
        for (note, colour) in notes {
            let Some(note) = note else { continue };
            let galley = painter.layout_no_wrap(note.to_owned(), font.clone(), paint(colour));
            // The note gives way to the title.
            if left + galley.size().x < right {
                let place = Align2::RIGHT_CENTER.anchor_size(pos2(right, y), galley.size());
                painter.galley(place.min, galley, paint(colour));
                return chosen.is_some_and(|chosen| note.starts_with(chosen));
            }
        }
        false
    }
}

/// Headphones: a band over two cups.
fn headphones(painter: &Painter, centre: Pos2, ink: Color32) {
    let middle = centre + vec2(0.0, 1.0);
    let band = (0..=8).map(|step| middle + BAND * Vec2::angled(TAU / 2.0 + TAU / 2.0 * step as f32 / 8.0)).collect();
    painter.add(Shape::line(band, Stroke::new(1.4, ink)));
    for side in [-1.0, 1.0] {
        let cup = Rect::from_center_size(middle + vec2(side * (BAND - 0.5), 2.5), vec2(3.2, 5.5));
        painter.rect_filled(cup, 1.5, ink);
    }
}

/// A star with five points, filled or as an outline: a triangle for each, on a pentagon.
pub(super) fn star(painter: &Painter, centre: Pos2, colour: Color32, is_filled: bool) {
    let corner = |place: u8, radius: f32| centre + radius * Vec2::angled(TAU * f32::from(place) / 10.0 - TAU / 4.0);
    if !is_filled {
        let corners = (0..10).map(|place| corner(place, if place % 2 == 0 { 6.0 } else { 2.6 })).collect();
        painter.add(Shape::closed_line(corners, Stroke::new(1.0, colour)));
        return;
    }
    let point = |place: u8| vec![corner(place, 6.0), corner((place + 1) % 10, 2.6), corner((place + 9) % 10, 2.6)];
    for place in [0, 2, 4, 6, 8] {
        painter.add(Shape::convex_polygon(point(place), colour, Stroke::NONE));
    }
    painter.add(Shape::convex_polygon([1, 3, 5, 7, 9].map(|place| corner(place, 2.8)).to_vec(), colour, Stroke::NONE));
}
