//! Lane of velocities under the notes: a stem for each note, as high as it is loud.

use antiphon_engine::music::Note;
use antiphon_engine::session::Snapshot;
use egui::{Align2, FontId, Painter, Rect, Stroke, pos2};

use super::{Roll, paint};

/// Height of the lane, in points.
const HEIGHT: f32 = 34.0;
/// Roll height from which there is a lane, in points.
const FROM: f32 = 320.0;
/// Half the width of a stem's head, in points.
const HEAD: f32 = 1.5;

/// Height of the lane in a roll of this height.
pub(super) fn height(roll: f32) -> f32 {
    if roll < FROM { 0.0 } else { HEIGHT }
}

impl Roll {
    /// Draws the lane with its name: a stem at the start of each note that sounded, or that is planned and not withheld.
    pub(super) fn velocities(&self, painter: &Painter, snapshot: &Snapshot) {
        let lane = self.velocities;
        if lane.height() < 1.0 {
            return;
        }
        painter.hline(lane.x_range(), lane.top(), self.palette.hairline(0.16));
        let place = pos2(lane.left() - 8.0, lane.center().y);
        painter.text(place, Align2::RIGHT_CENTER, "velocity", FontId::proportional(11.0), paint(self.palette.soft));
        let painter = painter.with_clip_rect(lane);
        for note in self.sounding(snapshot) {
            self.stem(&painter, note);
        }
    }

    fn stem(&self, painter: &Painter, note: &Note) {
        let (lane, x) = (self.velocities, self.x(note.onset.0 as f64 + f64::from(note.offset) / 8.0));
        if !lane.x_range().contains(x) {
            return;
        }
        let colour = paint(self.palette.rim(note.role, false));
        let top = lane.bottom() - f32::from(note.velocity) / 127.0 * (lane.height() - 2.0 * HEAD - 1.0) - HEAD;
        painter.vline(painter.round_to_pixel_center(x), top..=lane.bottom(), Stroke::new(1.0, colour));
        painter.rect_filled(Rect::from_center_size(pos2(x, top), egui::Vec2::splat(2.0 * HEAD)), 0, colour);
    }
}
