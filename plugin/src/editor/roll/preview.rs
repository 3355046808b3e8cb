//! The phrase of the card under the pointer, as outlines over the plan: to be compared with it before a click. Nothing is chosen by it.

use antiphon_engine::music::{Note, Tick};
use egui::{Align2, CornerRadius, FontId, Painter, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Roll, paint};
use crate::editor::style;

/// Width of an outline, in points.
const OUTLINE: f32 = 1.5;
/// Distance of the name from the edges of what is to come, in points.
const MARGIN: f32 = 6.0;

/// A phrase to be shown as outlines.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::editor) struct Preview<'a> {
    /// In order of time.
    pub(in crate::editor) notes: &'a [Note],
    /// Ticks by which it is moved.
    pub(in crate::editor) by: Tick,
    /// Tick before which it is not shown: it would not sound.
    pub(in crate::editor) from: Tick,
    /// What it is, and what a click does.
    pub(in crate::editor) name: String,
}

impl Preview<'_> {
    /// Its notes where they would sound.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.notes.iter().map(|note| Note { onset: note.onset + self.by, ..*note }).filter(|note| note.onset >= self.from)
    }
}

impl Roll {
    /// Draws the outlines, over the notes.
    pub(super) fn preview(&self, painter: &Painter, preview: &Preview<'_>) {
        for note in preview.notes() {
            let Some(area) = self.area(&note) else { continue };
            let stroke = Stroke::new(OUTLINE, paint(self.palette.own_rim(note.role)));
            painter.rect_stroke(area, CornerRadius::same(2), stroke, StrokeKind::Outside);
        }
    }

    /// Draws the name on a ground of its own, at the top of what is to come.
    pub(super) fn preview_name(&self, ui: &Ui, painter: &Painter, preview: &Preview<'_>) {
        let ink = paint(self.palette.action);
        let name = painter.layout_no_wrap(preview.name.clone(), FontId::proportional(12.0), ink);
        let right = (self.coming_from() + MARGIN + name.size().x + 2.0 * MARGIN).min(self.music.right() - MARGIN);
        let ground = Rect::from_min_size(
            pos2(right - name.size().x - 2.0 * MARGIN, self.music.top() + MARGIN),
            name.size() + vec2(2.0 * MARGIN, 6.0),
        );
        painter.rect(ground, style::RADIUS, paint(self.palette.coming), Stroke::new(1.0, ink), StrokeKind::Inside);
        painter.galley(Align2::CENTER_CENTER.anchor_size(ground.center(), name.size()).min, name, ink);
        let response = ui.interact(ground, ui.scope_id().with("preview"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, preview.name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;

    use super::*;

    #[test]
    fn phrase_is_shown_where_it_would_sound() {
        let note = |onset| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch: 60, velocity: 80, role: Role::Keys };
        let notes = [note(0), note(24), note(96)];
        let onsets = |by, from| {
            let preview = Preview { notes: &notes, by: Tick(by), from: Tick(from), name: String::new() };
            preview.notes().map(|note| note.onset.0).collect::<Vec<_>>()
        };
        assert_eq!(onsets(0, 0), [0, 24, 96]);
        assert_eq!(onsets(192, 200), [216, 288]);
    }
}
