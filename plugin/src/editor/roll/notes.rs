//! Notes of the piano roll: played, planned and withheld.

use antiphon_engine::music::Note;
use antiphon_engine::session::Snapshot;
use antiphon_roll::legend::{self, AFTER, INK};
use egui::{CornerRadius, Painter, Stroke, StrokeKind, pos2};

use super::Roll;
use crate::editor::style::paint;

/// Minimum height at which notes have a border, in points.
const LEAST_RIMMED: f32 = 4.5;

/// Whether a note may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Settled,
    Open,
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
        let stroke = Stroke::new(1.0, paint(legend::colour(note.role).over(AFTER, 0.9)));
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
        let colour = legend::colour(note.role);
        // Velocity is shown as opacity.
        let loudness = 0.4 + 0.6 * f32::from(note.velocity) / 127.0;
        let (fill, rim) = match look {
            Look::Settled => (colour.over(AFTER, loudness), INK.over(colour, 0.35)),
            Look::Open => (colour.over(AFTER, 0.18 + 0.22 * loudness), colour.over(AFTER, 0.9)),
        };
        // Half a point is left free above and below.
        let height = area.height() + 1.0;
        if height < LEAST_RIMMED {
            // A border would cover the note.
            let fill = if look == Look::Open { fill.over(rim, 0.6) } else { fill };
            painter.rect_filled(area, 0, paint(fill));
        } else {
            let corners = CornerRadius::from((height / 3.0).min(3.0));
            painter.rect(area, corners, paint(fill), Stroke::new(1.0, paint(rim)), StrokeKind::Inside);
        }
    }
}
