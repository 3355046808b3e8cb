//! The caret that says that a text can be changed by a click.

use egui::{Color32, Painter, Pos2, Shape, Stroke, vec2};

/// Half its width, in points.
pub(super) const HALF: f32 = 3.5;

/// Draws it.
pub(super) fn draw(painter: &Painter, centre: Pos2, ink: Color32) {
    let corners = [vec2(-HALF, -2.0), vec2(HALF, -2.0), vec2(0.0, 2.5)].map(|corner| centre + corner);
    painter.add(Shape::convex_polygon(corners.to_vec(), ink, Stroke::NONE));
}
