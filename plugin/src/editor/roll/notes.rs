//! Notes of the piano roll: played, planned and withheld. The shape of a note names the family of its role, besides the colour.

use antiphon_engine::music::{Note, Role};
use antiphon_engine::session::Snapshot;
use antiphon_roll::legend::Colour;
use egui::emath::GuiRounding;
use egui::{CornerRadius, Painter, Rect, Shape, Stroke, StrokeKind, pos2};

use super::{Roll, paint};

/// Minimum height at which notes have a border and a shape, in points.
const LEAST_RIMMED: f32 = 4.5;

/// Whether a note may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Settled,
    Open,
}

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
        for note in &snapshot.played {
            self.note(painter, note, Look::Settled);
        }
        if let Some(shown) = &snapshot.plan {
            // Notes the playhead has passed in a plan that is not playing were never played.
            let passed = |note: &&Note| !shown.playing && (note.onset.0 as f64) < self.playhead;
            let sounds = |note: &&Note| !snapshot.withheld.iter().any(|withheld| withheld.note == **note);
            for note in shown.plan.notes().iter().filter(|note| !passed(note)).filter(sounds) {
                let look = if shown.playing || note.onset < shown.commit { Look::Settled } else { Look::Open };
                self.note(painter, note, look);
            }
        }
        for withheld in &snapshot.withheld {
            self.withheld(painter, &withheld.note);
        }
    }

    /// A planned note that is withheld: outline with hatching.
    fn withheld(&self, painter: &Painter, note: &Note) {
        let Some(area) = self.area(note) else { return };
        let stroke = Stroke::new(1.0, paint(self.palette.role(note.role).over(self.palette.coming, 0.9)));
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
            Look::Settled => (colour.over(ground, loudness), self.palette.ink.over(colour, 0.35)),
            Look::Open => (colour.over(ground, 0.18 + 0.22 * loudness), colour.over(ground, 0.9)),
        };
        // Half a point is left free above and below.
        if area.height() + 1.0 < LEAST_RIMMED {
            // A border would cover the note.
            let fill = if look == Look::Open { fill.over(rim, 0.6) } else { fill };
            painter.rect_filled(area, 0, paint(fill));
        } else {
            draw(painter, area, Form::of(note.role), fill, rim);
        }
    }
}

fn draw(painter: &Painter, area: Rect, form: Form, fill: Colour, rim: Colour) {
    let stroke = Stroke::new(1.0, paint(rim));
    match form {
        // A point needs room for itself.
        Form::Pointed if area.width() > area.height() => {
            // The stroke lies on the edge: half of its width further in it covers whole pixels, as that of a rectangle does.
            let area = area.round_to_pixels(painter.pixels_per_point()).shrink(0.5);
            let (neck, tip) = (area.right() - area.height() / 2.0, pos2(area.right(), area.center().y));
            let corners = [area.left_top(), pos2(neck, area.top()), tip, pos2(neck, area.bottom()), area.left_bottom()];
            painter.add(Shape::convex_polygon(corners.to_vec(), paint(fill), stroke));
        }
        Form::Heavy => {
            painter.rect(area, 0, paint(fill), stroke, StrokeKind::Inside);
            let edge = area.with_min_y(area.bottom() - (area.height() / 3.0).clamp(1.5, 3.0));
            painter.rect_filled(edge, 0, paint(rim));
        }
        Form::Round | Form::Pointed => {
            let corners = CornerRadius::from(((area.height() + 1.0) / 3.0).min(3.0));
            painter.rect(area, corners, paint(fill), stroke, StrokeKind::Inside);
        }
    }
}
