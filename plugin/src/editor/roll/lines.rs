//! Lines across the piano roll, with their names below it: the playhead, and the commit line.

use antiphon_engine::session::{ShownPlan, Snapshot};
use egui::{Align2, CornerRadius, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::{CHORDS, Keyboard, NAMES, NUMBERS, Roll, paint, roles, style};

/// Half the width of the playhead's tip, in points.
pub(super) const TIP: f32 = 6.0;

impl Roll {
    /// The commit line, up to which the plan will be played as shown.
    pub(super) fn commit(&self, painter: &Painter, plan: Option<&ShownPlan>) {
        let Some(shown) = plan.filter(|shown| !shown.playing) else { return };
        let x = self.x(shown.commit.0 as f64);
        if x <= self.playhead_x || !self.music.x_range().contains(x) {
            return;
        }
        let x = painter.round_to_pixel_center(x);
        let line = [pos2(x, self.rect.top() + NUMBERS - 7.0), pos2(x, self.music.bottom() + 4.0)];
        painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, self.palette.faded(0.75)), 4.0, 3.0));
        let diamond = |d: f32, y: f32| vec![pos2(x, y - d), pos2(x + d, y), pos2(x, y + d), pos2(x - d, y)];
        painter.add(Shape::convex_polygon(diamond(4.0, line[0].y), paint(self.palette.ink), Stroke::NONE));
        self.line_name(painter, x + 5.0, Align2::LEFT_CENTER, "may still change from here");
    }

    /// The playhead.
    pub(super) fn playhead(&self, painter: &Painter) {
        let (x, ink) = (self.playhead_x, paint(self.palette.ink));
        let top = self.rect.top() + NUMBERS;
        painter.vline(x, top - 4.0..=self.music.bottom() + 4.0, Stroke::new(2.0, ink));
        let tip: [Pos2; 3] = [pos2(x - TIP, top - 14.0), pos2(x + TIP, top - 14.0), pos2(x, top - 3.0)];
        painter.add(Shape::convex_polygon(tip.to_vec(), ink, Stroke::NONE));
        self.line_name(painter, x - 5.0, Align2::RIGHT_CENTER, "now");
    }

    /// Names of the roles in view with their colours, at the right of the row under the notes.
    pub(super) fn legend(&self, painter: &Painter, snapshot: &Snapshot) {
        let y = self.music.bottom() + NAMES / 2.0;
        let mut right = self.music.right() - 6.0;
        for role in roles(snapshot).into_iter().rev() {
            let font = FontId::proportional(11.0);
            let name = painter.text(pos2(right, y), Align2::RIGHT_CENTER, role.name(), font, paint(self.palette.soft));
            let chip = Rect::from_center_size(pos2(name.left() - 9.0, y), vec2(9.0, 9.0));
            painter.rect_filled(chip, 2, paint(self.palette.role(role)));
            right = chip.left() - 10.0;
        }
    }

    /// The edge of the roll: heavy and named while the window has the keyboard.
    pub(super) fn frame(&self, painter: &Painter, keyboard: Keyboard) {
        let radius = CornerRadius::same(style::RADIUS);
        if !keyboard.is_here {
            painter.rect_stroke(self.rect, radius, self.palette.hairline(0.3), StrokeKind::Inside);
            return;
        }
        let action = paint(self.palette.action);
        painter.rect_stroke(self.rect, radius, Stroke::new(2.0, action), StrokeKind::Inside);
        let place = pos2(self.rect.left() + 6.0, self.music.bottom() + NAMES / 2.0);
        painter.text(place, Align2::LEFT_CENTER, "keys: here", FontId::proportional(11.0), action);
    }

    fn line_name(&self, painter: &Painter, x: f32, align: Align2, name: &str) {
        let y = self.music.bottom() + NAMES / 2.0;
        painter.text(pos2(x, y), align, name, FontId::proportional(11.0), paint(self.palette.soft));
    }

    /// Upper edge of the chord lane.
    pub(super) fn chords_top(&self) -> f32 {
        self.music.top() - CHORDS
    }
}
