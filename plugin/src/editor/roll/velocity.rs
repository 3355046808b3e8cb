//! Lane of velocities under the notes: a stem for each note, as high as it is loud.

use antiphon_engine::music::Note;
use antiphon_engine::session::Snapshot;
use egui::emath::GuiRounding;
use egui::{Align2, FontId, Mesh, Painter, Rect, Shape, pos2};

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
        // One mesh for all stems: as shapes of their own, each with smoothed edges, they take as long as the notes.
        let mut stems = Mesh::default();
        for note in self.sounding(snapshot) {
            self.stem(painter, note, &mut stems);
        }
        painter.with_clip_rect(lane).add(Shape::mesh(stems));
    }

    fn stem(&self, painter: &Painter, note: &Note, stems: &mut Mesh) {
        let (lane, x) = (self.velocities, self.x(note.onset.0 as f64 + f64::from(note.offset) / 8.0));
        if !lane.x_range().contains(x) {
            return;
        }
        let colour = paint(self.palette.rim(note.role, false));
        let top = lane.bottom() - f32::from(note.velocity) / 127.0 * (lane.height() - 2.0 * HEAD - 1.0) - HEAD;
        // Without smoothed edges: on whole pixels.
        let [left, head, top] = [x - 0.5, x - HEAD, top - HEAD].map(|place| place.round_to_pixels(painter.pixels_per_point()));
        stems.add_colored_rect(Rect::from_x_y_ranges(left..=left + 1.0, top..=lane.bottom()), colour);
        stems.add_colored_rect(Rect::from_min_size(pos2(head, top), egui::Vec2::splat(2.0 * HEAD)), colour);
    }
}
