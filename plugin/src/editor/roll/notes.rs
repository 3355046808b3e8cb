//! Notes of the piano roll: played, planned and withheld. The shape of a note names the family of its role, besides the colour.

use antiphon_engine::music::{Note, Role};
use antiphon_engine::session::Snapshot;
use antiphon_roll::legend::Colour;
use egui::emath::GuiRounding;
use egui::{CornerRadius, Mesh, Painter, Rect, Shape, Stroke, StrokeKind, pos2};

use super::{Roll, paint};

/// Whose a note is and, if it is planned, whether it may still change. The player's are solid, Antiphon's hollow, also once they have sounded;
/// those that the song is expected to bring are solid and pale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Song,
    Player,
    Settled,
    Open,
}

/// Height of a note from which the outline of a settled one is broad, in points.
const BROAD_FROM: f32 = 7.0;

/// Shape of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Chords and drums.
    Round,
    /// Tunes.
    Pointed,
    /// Basses.
    Heavy,
}

impl Form {
    const fn of(role: Role) -> Self {
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

impl Roll {
    /// Draws all notes in view.
    pub(super) fn notes(&self, painter: &Painter, snapshot: &Snapshot) {
        for note in &snapshot.song_ahead {
            self.note(painter, note, Look::Song);
        }
        for note in &snapshot.played {
            self.note(painter, note, if snapshot.is_by_antiphon(note) { Look::Settled } else { Look::Player });
        }
        for note in self.planned(snapshot) {
            let is_settled = snapshot.plan.as_ref().is_some_and(|shown| shown.playing || note.onset < shown.commit);
            self.note(painter, note, if is_settled { Look::Settled } else { Look::Open });
        }
        for withheld in &snapshot.withheld {
            self.withheld(painter, &withheld.note);
        }
    }

    /// Notes that sounded or may sound: played, and planned.
    pub(super) fn sounding<'a>(&self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a Note> + use<'a> {
        snapshot.played.iter().chain(self.planned(snapshot))
    }

    /// Notes of the plan that may still sound. Those the playhead has passed in a plan that is not playing were never played, and those before the
    /// bar line at which Play would begin never will be.
    fn planned<'a>(&self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a Note> + use<'a> {
        let (playhead, silent_before) = (self.playhead, self.silent_before);
        snapshot.plan.iter().flat_map(move |shown| {
            let passed = move |note: &&Note| {
                !shown.playing && (note.onset.0 as f64) < playhead || silent_before.is_some_and(|line| note.onset < line)
            };
            let sounds = |note: &&Note| !snapshot.withheld.iter().any(|withheld| withheld.note == **note);
            shown.plan.notes().iter().filter(move |note| !passed(note)).filter(sounds)
        })
    }

    /// A planned note that is withheld: outline with hatching.
    fn withheld(&self, painter: &Painter, note: &Note) {
        let Some(area) = self.area(note) else { return };
        let stroke = Stroke::new(1.0, paint(self.palette.rim(note.role, false)));
        painter.rect_stroke(area, CornerRadius::ZERO, stroke, StrokeKind::Inside);
        // 45 degree lines from edge to edge, as far apart as the note is high.
        let mut x = area.left();
        while x < area.right() {
            let right = (x + area.height()).min(area.right());
            painter.line_segment([pos2(x, area.bottom()), pos2(right, area.bottom() - (right - x))], stroke);
            x += area.height().max(3.0);
        }
    }

    fn note(&self, painter: &Painter, note: &Note, look: Look) {
        let Some(area) = self.area(note) else { return };
        let (colour, ground) = (self.palette.role(note.role), self.palette.coming);
        // Velocity is shown as opacity.
        let loudness = 0.4 + 0.6 * f32::from(note.velocity) / 127.0;
        let (fill, rim) = match look {
            Look::Song => (colour.over(ground, 0.3), colour.over(ground, 0.3)),
            Look::Player => (colour.over(ground, loudness), self.palette.own_rim(note.role)),
            Look::Settled => (colour.over(ground, 0.06 + 0.18 * loudness), self.palette.rim(note.role, true)),
            Look::Open => (colour.over(ground, 0.06 + 0.18 * loudness), self.palette.rim(note.role, false)),
        };
        // A broad outline would fill a low note.
        let width = if look == Look::Settled && area.height() >= BROAD_FROM { 1.5 } else { 1.0 };
        draw(painter, area, Form::of(note.role), fill, Stroke::new(width, paint(rim)));
    }
}

fn draw(painter: &Painter, area: Rect, form: Form, fill: Colour, stroke: Stroke) {
    match form {
        // A point needs room for itself.
        Form::Pointed if area.width() > area.height() => {
            // The stroke lies on the edge: half of its width further in it covers whole pixels, as that of a rectangle does.
            let area = area.round_to_pixels(painter.pixels_per_point()).shrink(0.5);
            let (neck, tip) = (area.right() - area.height() / 2.0, pos2(area.right(), area.center().y));
            let corners = [area.left_top(), pos2(neck, area.top()), tip, pos2(neck, area.bottom()), area.left_bottom()];
            painter.add(Shape::convex_polygon(corners.to_vec(), paint(fill), stroke));
        }
        Form::Heavy => heavy(painter, area, fill, stroke),
        Form::Round | Form::Pointed if area.height() < BROAD_FROM => {
            // Cut corners look round at this size, and take two thirds of the points.
            let area = area.round_to_pixels(painter.pixels_per_point()).shrink(stroke.width / 2.0);
            let cut = (area.height() / 4.0).min(area.width() / 2.0);
            let [left, right] = [area.left(), area.right()].map(|x| [pos2(x, area.top() + cut), pos2(x, area.bottom() - cut)]);
            let [top, bottom] = [area.top(), area.bottom()].map(|y| [pos2(area.left() + cut, y), pos2(area.right() - cut, y)]);
            let corners = vec![left[1], left[0], top[0], top[1], right[0], right[1], bottom[1], bottom[0]];
            painter.add(Shape::convex_polygon(corners, paint(fill), stroke));
        }
        Form::Round | Form::Pointed => {
            let corners = CornerRadius::from(((area.height() + 1.0) / 3.0).min(3.0));
            painter.rect(area, corners, paint(fill), stroke, StrokeKind::Inside);
        }
    }
}

/// A note with right angles, on whole pixels. Without smoothed edges it has a quarter of the points.
fn heavy(painter: &Painter, area: Rect, fill: Colour, stroke: Stroke) {
    let pixels = painter.pixels_per_point();
    let area = area.round_to_pixels(pixels);
    let [outline, edge] =
        [stroke.width, (area.height() / 3.0).clamp(1.5, 3.0)].map(|width| width.round_to_pixels(pixels).max(1.0 / pixels));
    let mut note = Mesh::default();
    note.add_colored_rect(area, stroke.color);
    let inside = area.shrink(outline).with_max_y(area.bottom() - edge.max(outline));
    if inside.is_positive() {
        note.add_colored_rect(inside, paint(fill));
    }
    painter.add(Shape::mesh(note));
}
