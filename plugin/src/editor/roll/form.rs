//! Shapes of notes: the shape names the family of the role, besides the colour.

use antiphon_engine::music::Role;
use egui::emath::GuiRounding;
use egui::{Color32, CornerRadius, Mesh, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

/// Height of a note from which it has smoothed edges and, if it is settled, a broad outline, in points.
pub(super) const BROAD_FROM: f32 = 7.0;

/// Shape of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Chords and drums.
    Round,
    /// Tunes.
    Pointed,
    /// Basses.
    Heavy,
}

impl Form {
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Melody | Role::Lead | Role::Arp | Role::Winds | Role::Brass => Self::Pointed,
            Role::Bass | Role::LowStrings => Self::Heavy,
            Role::Chords
            | Role::Drums
            | Role::Pad
            | Role::Strings
            | Role::Keys
            | Role::LeftHand
            | Role::Guitar
            | Role::Organ
            | Role::Other => Self::Round,
        }
    }
}

/// Notes that are being drawn, later ones over earlier ones.
///
/// Low notes, of which there can be thousands in view, and notes with right angles have no smoothed edges and lie on whole pixels: consecutive ones are one
/// mesh, with a third of the points that smoothed outlines take.
pub(super) struct Drawing<'a> {
    painter: &'a Painter,
    mesh: Mesh,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(painter: &'a Painter) -> Self {
        Self { painter, mesh: Mesh::default() }
    }

    /// Draws a note over those before it.
    pub(super) fn note(&mut self, area: Rect, form: Form, fill: Color32, stroke: Stroke) {
        // A point needs room for itself.
        let form = if form == Form::Pointed && area.width() <= area.height() { Form::Round } else { form };
        match form {
            Form::Heavy => self.heavy(area, fill, stroke),
            Form::Pointed if area.height() < BROAD_FROM => self.low(area, fill, stroke, pointed),
            Form::Round if area.height() < BROAD_FROM => self.low(area, fill, stroke, |area, outline| {
                // Cut corners look round at this size; in the outline they are cut by as much less as it is broad.
                let cut = (area.height() + 2.0 * outline) / 4.0 - 0.6 * outline;
                cut_corners(area, cut.min(area.width() / 2.0))
            }),
            Form::Pointed => {
                // The stroke lies on the edge: half of its width further in it covers whole pixels, as that of a rectangle does.
                let area = area.round_to_pixels(self.painter.pixels_per_point()).shrink(0.5);
                self.shape(Shape::convex_polygon(pointed(area, 0.0).to_vec(), fill, stroke));
            }
            Form::Round => {
                self.finish();
                let corners = CornerRadius::from(((area.height() + 1.0) / 3.0).min(3.0));
                self.painter.rect(area, corners, fill, stroke, StrokeKind::Inside);
            }
        }
    }

    /// Draws what has been collected.
    pub(super) fn finish(&mut self) {
        if !self.mesh.is_empty() {
            self.painter.add(Shape::mesh(std::mem::take(&mut self.mesh)));
        }
    }

    fn shape(&mut self, shape: Shape) {
        self.finish();
        self.painter.add(shape);
    }

    /// A low note: the polygon of its area in the colour of the outline, and in it that of what the outline leaves. `corners` gives the polygon of an area that
    /// lies so far inside the note's.
    fn low<const CORNERS: usize>(&mut self, area: Rect, fill: Color32, stroke: Stroke, corners: impl Fn(Rect, f32) -> [Pos2; CORNERS]) {
        let (area, outline) = self.on_pixels(area, stroke.width);
        self.polygon(&corners(area, 0.0), stroke.color);
        let inside = area.shrink(outline);
        if inside.is_positive() {
            self.polygon(&corners(inside, outline), fill);
        }
    }

    /// A note with right angles and a heavy lower edge.
    fn heavy(&mut self, area: Rect, fill: Color32, stroke: Stroke) {
        let edge = (area.height() / 3.0).clamp(1.5, 3.0).round_to_pixels(self.painter.pixels_per_point());
        let (area, outline) = self.on_pixels(area, stroke.width);
        self.mesh.add_colored_rect(area, stroke.color);
        let inside = area.shrink(outline).with_max_y(area.bottom() - edge.max(outline));
        if inside.is_positive() {
            self.mesh.add_colored_rect(inside, fill);
        }
    }

    /// An area on whole pixels, and the width of its outline, one pixel at least.
    fn on_pixels(&self, area: Rect, outline: f32) -> (Rect, f32) {
        let pixels = self.painter.pixels_per_point();
        (area.round_to_pixels(pixels), outline.round_to_pixels(pixels).max(1.0 / pixels))
    }

    /// A convex polygon, as triangles from its first corner.
    fn polygon(&mut self, corners: &[Pos2], colour: Color32) {
        let first = u32::try_from(self.mesh.vertices.len()).unwrap_or(u32::MAX);
        for (vertex, corner) in (first..).zip(corners) {
            self.mesh.colored_vertex(*corner, colour);
            if vertex >= first + 2 {
                self.mesh.add_triangle(first, vertex - 1, vertex);
            }
        }
    }
}

/// Corners of a note that ends in a point of 45 degrees, in an area that lies so far inside of its own.
fn pointed(area: Rect, inside: f32) -> [Pos2; 5] {
    // The point is further in than the edges.
    let area = area.with_max_x(area.right() - 0.4 * inside);
    let neck = (area.right() - area.height() / 2.0).max(area.left());
    let tip = pos2(area.right(), area.center().y);
    [area.left_top(), pos2(neck, area.top()), tip, pos2(neck, area.bottom()), area.left_bottom()]
}

/// Corners of a rectangle whose own are cut.
fn cut_corners(area: Rect, cut: f32) -> [Pos2; 8] {
    let (across, down) = (vec2(cut, 0.0), vec2(0.0, cut));
    let [left_top, right_top, right_bottom, left_bottom] = [area.left_top(), area.right_top(), area.right_bottom(), area.left_bottom()];
    [
        left_top + down,
        left_top + across,
        right_top - across,
        right_top + down,
        right_bottom - down,
        right_bottom - across,
        left_bottom + across,
        left_bottom - down,
    ]
}
