//! Notes of the piano roll: played, planned and withheld.

use antiphon_engine::music::{Note, Role};
use antiphon_engine::session::Snapshot;
use antiphon_roll::legend::Colour;
use egui::{CornerRadius, Painter, Stroke, StrokeKind, pos2};

use super::form::{BROAD_FROM, Drawing, Form};
use super::{Palette, Roll, paint};

/// Share of a role's colour in the body of the player's notes, and in that of Antiphon's: the least, and what velocity adds. So far apart that the two
/// differ in the lowest rows, too.
const SOLID: [f32; 2] = [0.55, 0.45];
const HOLLOW: [f32; 2] = [0.02, 0.12];

/// Colour of the body of a note of this role and velocity.
fn body([least, more]: [f32; 2], role: Role, velocity: u8, palette: &Palette) -> Colour {
    palette.role(role).over(palette.coming, least + more * f32::from(velocity) / 127.0)
}

/// Whose a note is and, if it is planned, whether it may still change. The player's are solid, Antiphon's hollow, also once they have sounded;
/// those that the song is expected to bring are solid and pale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Song,
    Player,
    Settled,
    Open,
    /// Planned, under the outlines of another phrase.
    Faint,
}

impl Roll {
    /// Draws all notes in view; the plan faint if another phrase is drawn over it.
    pub(super) fn notes(&self, painter: &Painter, snapshot: &Snapshot, is_faint: bool) {
        let mut drawing = Drawing::new(painter);
        for note in &snapshot.song_ahead {
            self.note(&mut drawing, note, Look::Song);
        }
        for (note, is_by_antiphon) in snapshot.played_by() {
            self.note(&mut drawing, note, if is_by_antiphon { Look::Settled } else { Look::Player });
        }
        for note in self.planned(snapshot) {
            let is_settled = snapshot.plan.as_ref().is_some_and(|shown| shown.playing || note.onset < shown.commit);
            let look = match is_settled {
                _ if is_faint => Look::Faint,
                true => Look::Settled,
                false => Look::Open,
            };
            self.note(&mut drawing, note, look);
        }
        drawing.finish();
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

    fn note(&self, drawing: &mut Drawing<'_>, note: &Note, look: Look) {
        let Some(area) = self.area(note) else { return };
        let (colour, ground) = (self.palette.role(note.role), self.palette.coming);
        // Velocity is shown as opacity.
        let body = |shares| body(shares, note.role, note.velocity, self.palette);
        // A broad or a dark outline would fill a low note that is hollow.
        let is_low = area.height() < BROAD_FROM;
        let (fill, rim) = match look {
            Look::Faint => (colour.over(ground, 0.12), colour.over(ground, 0.35)),
            Look::Song => (colour.over(ground, 0.3), colour.over(ground, 0.3)),
            Look::Player => (body(SOLID), self.palette.own_rim(note.role)),
            Look::Settled => (body(HOLLOW), self.palette.rim(note.role, !is_low)),
            Look::Open => (body(HOLLOW), self.palette.rim(note.role, false)),
        };
        let width = if look == Look::Settled && !is_low { 1.5 } else { 1.0 };
        drawing.note(area, Form::of(note.role), paint(fill), Stroke::new(width, paint(rim)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softest_note_of_the_player_is_farther_from_antiphons_loudest_than_from_its_own() {
        let apart = |one: Colour, other: Colour| {
            let pairs = one.channels().into_iter().zip(other.channels());
            pairs.map(|(one, other)| u32::from(one.abs_diff(other))).sum::<u32>()
        };
        for palette in [Palette::LIGHT, Palette::DARK] {
            for role in Role::ALL {
                let [softest, loudest] = [1, 127].map(|velocity| body(SOLID, role, velocity, &palette));
                let hollow = body(HOLLOW, role, 127, &palette);
                assert!(apart(softest, hollow) > 100, "{role:?}: {}", apart(softest, hollow));
                assert!(apart(loudest, hollow) > apart(loudest, softest), "{role:?}");
            }
        }
    }
}
