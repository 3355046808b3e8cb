//! A small roll without names, for cards: bar lines and notes.

use antiphon_engine::music::{Note, Tick};
use antiphon_roll::{Keys, Rows};
use egui::emath::GuiRounding;
use egui::{Mesh, Painter, Rect, Shape};

use super::super::palette::{Palette, paint};
use super::narrow;

/// Height of a drum lane, in points.
const LANE: f32 = 3.0;
/// Share of a role's colour in notes that are not there any more.
const FAINT: f32 = 0.35;

/// Music of a card. Its bars need not be those of the song.
pub(in crate::editor) struct MiniRoll<'a> {
    /// In order of time.
    pub(in crate::editor) notes: &'a [Note],
    /// First tick shown.
    pub(in crate::editor) from: Tick,
    /// Tick after the last one shown.
    pub(in crate::editor) until: Tick,
    /// Bar lines.
    pub(in crate::editor) lines: &'a [Tick],
}

impl MiniRoll<'_> {
    /// Whether there are notes of more than one role.
    pub(in crate::editor) fn has_roles(&self) -> bool {
        self.notes.first().is_some_and(|first| self.notes.iter().any(|note| note.role != first.role))
    }

    /// Draws it into an area; faint if it is not there any more.
    pub(in crate::editor) fn draw(&self, painter: &Painter, area: Rect, palette: &Palette, is_faint: bool) {
        if area.width() <= 0.0 || area.height() <= 0.0 {
            return;
        }
        let length = (self.until - self.from).0.max(1) as f64;
        let x = |tick: Tick| area.left() + narrow((tick - self.from).0 as f64 / length * f64::from(area.width()));
        for &line in self.lines.iter().filter(|line| (self.from..self.until).contains(line)) {
            painter.vline(x(line), area.y_range(), palette.hairline(0.16));
        }
        let first = self.notes.partition_point(|note| note.onset < self.from);
        let after = self.notes.partition_point(|note| note.onset < self.until);
        let notes = &self.notes[first..after.max(first)];
        let rows = Rows::filling(Keys::of(notes).or_middle(), area.top(), area.bottom(), LANE, 1.0);
        // One mesh for all notes, without smoothed edges: as shapes of their own they take as long as those of the roll.
        let (mut blocks, pixels) = (Mesh::default(), painter.pixels_per_point());
        for note in notes {
            let Some((top, height)) = rows.place(note) else { continue };
            let right = x(note.end().min(self.until)).max(x(note.onset) + 1.5);
            let block = Rect::from_x_y_ranges(x(note.onset)..=right, top..=top + height.max(1.5));
            let colour = palette.role(note.role);
            let colour = if is_faint { colour.over(palette.coming, FAINT) } else { colour };
            blocks.add_colored_rect(block.round_to_pixels(pixels), paint(colour));
        }
        painter.add(Shape::mesh(blocks));
    }
}
