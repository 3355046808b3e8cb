//! A card: music as a small roll with a title, to be chosen, dragged out or saved.

use egui::{Align2, Button, CursorIcon, FontId, Key, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::palette::{Palette, paint};
use super::roll::mini::MiniRoll;
use super::style;

/// Height of a card's title, in points.
const TITLE: f32 = 20.0;
/// Height from which a card has a roll, in points.
const WITH_ROLL: f32 = 56.0;
/// Left edge of the title, behind the grip.
const GRIP: f32 = 18.0;

/// What the player did with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CardAction {
    /// Chose it by a click or a key.
    Choose,
    /// Started to drag it.
    Drag,
    /// Asked for a file under a name.
    SaveAs,
    /// Pressed Delete while it had the focus.
    Delete,
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
    /// Whether it is the one shown.
    pub(super) is_shown: bool,
    /// One sentence on what a click does.
    pub(super) tip: &'a str,
}

impl Card<'_> {
    /// Draws the card, with further items for its menu. Returns what was done with it.
    pub(super) fn show(&self, ui: &mut Ui, size: Vec2, menu: impl FnOnce(&mut Ui)) -> Option<CardAction> {
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
        self.title(&painter, area, palette);
        if let Some(music) = self.music.as_ref().filter(|_| area.height() >= WITH_ROLL) {
            let inside = Rect::from_min_max(area.min + vec2(6.0, TITLE + 2.0), area.max - vec2(6.0, 6.0));
            music.draw(&painter.with_clip_rect(inside), inside, palette);
        }
        let tip = if has_music {
            format!("{} Drag it onto a track or into a folder; right-click to save it", self.tip)
        } else {
            self.tip.to_owned()
        };
        let response = response.on_hover_text(tip).on_hover_cursor(if has_music { CursorIcon::Grab } else { CursorIcon::Default });
        let mut action = None;
        response.context_menu(|ui| {
            let save = ui.add_enabled(has_music, Button::new(format!("Save {} as...", self.name)));
            if save.clicked() {
                action = Some(CardAction::SaveAs);
                ui.close();
            }
            menu(ui);
        });
        let is_pressed =
            |command: bool, key| response.has_focus() && ui.input(|input| input.modifiers.command == command && input.key_pressed(key));
        if is_pressed(false, Key::Delete) {
            action = Some(CardAction::Delete);
        } else if has_music && is_pressed(true, Key::S) {
            action = Some(CardAction::SaveAs);
        } else if has_music && response.drag_started() {
            action = Some(CardAction::Drag);
        } else if response.clicked() {
            action = Some(CardAction::Choose);
        }
        action
    }

    fn title(&self, painter: &Painter, area: Rect, palette: &Palette) {
        let y = area.top() + TITLE / 2.0 + 2.0;
        if self.music.is_some() {
            for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)] {
                let dot = pos2(area.left() + 7.0 + 4.0 * column as f32, y + 4.0 * (row as f32 - 1.0));
                painter.circle_filled(dot, 1.2, palette.faded(0.5));
            }
        }
        let ink = paint(if self.music.is_some() { palette.ink } else { palette.soft });
        let title = painter.text(pos2(area.left() + GRIP, y), Align2::LEFT_CENTER, &self.title, FontId::proportional(13.0), ink);
        let font = FontId::proportional(11.0);
        let width = painter.layout_no_wrap(self.note.clone(), font.clone(), ink).size().x;
        // The note gives way to the title.
        if title.right() + width + 12.0 < area.right() {
            painter.text(pos2(area.right() - 7.0, y), Align2::RIGHT_CENTER, &self.note, font, paint(palette.soft));
        }
    }
}
