//! Locks in the piano roll: their marks, and the clicks that set and remove them.

use antiphon_engine::music::Note;
use antiphon_engine::session::{Command, LockTarget, Snapshot};
use egui::{Painter, Pos2, Rect, Stroke, StrokeKind, vec2};

use super::{CHORDS, Roll, paint};

/// Width of a closed lock, in points.
pub(super) const LOCK: f32 = 7.0;
/// Least width of a note that has a closed lock at its start, in points: it must still be seen.
const WITH_LOCK: f32 = 5.0 * LOCK;

impl Roll {
    /// A heavy outline around every locked note, and a closed lock at the start of those that are long enough. A locked bar has one beside its number
    /// instead ([`Roll::bars`]).
    pub(super) fn locks(&self, painter: &Painter, snapshot: &Snapshot) {
        let Some(shown) = &snapshot.plan else { return };
        for note in shown.plan.notes().iter().filter(|note| self.may_sound(note)).filter(|note| snapshot.locks.holds(note)) {
            let Some(area) = self.area(note) else { continue };
            painter.rect_stroke(area.expand(1.0), 0, Stroke::new(1.5, paint(self.palette.ink)), StrokeKind::Outside);
            // A locked bar has one lock for all of its notes; in a short note there is no room for one.
            let is_alone = !snapshot.locks.holds_bar(snapshot.bar_at(note.onset).bar.start);
            if is_alone && area.width() > WITH_LOCK {
                self.lock(painter, area.left_center() + vec2(LOCK / 2.0 + 1.0, 0.0));
            }
        }
    }

    /// Whether a planned note is still ahead, and in what Play would play.
    fn may_sound(&self, note: &Note) -> bool {
        note.onset.0 as f64 >= self.playhead && !self.is_silent(note)
    }

    pub(super) fn lock(&self, painter: &Painter, centre: Pos2) {
        let [ground, ink] = [self.palette.coming, self.palette.ink].map(paint);
        let body = Rect::from_center_size(centre + vec2(0.0, 1.5), vec2(LOCK, LOCK * 0.7));
        let shackle = Rect::from_center_size(centre - vec2(0.0, 2.0), vec2(LOCK * 0.6, LOCK * 0.7));
        painter.rect_filled(body.union(shackle).expand(1.0), 1, ground);
        painter.rect_stroke(shackle, 2, Stroke::new(1.2, ink), StrokeKind::Inside);
        painter.rect_filled(body, 1, ink);
    }

    /// The command of a click: on a planned note or on the number of a planned bar, locks or unlocks it. What has passed is not locked.
    pub(super) fn lock_at(&self, pointer: Pos2, snapshot: &Snapshot) -> Option<Command> {
        let plan = &snapshot.plan.as_ref()?.plan;
        let toggle = |is_locked, target| if is_locked { Command::Unlock(target) } else { Command::Lock(target) };
        if pointer.y < self.music.top() - CHORDS {
            let bar = snapshot.bar_at(self.tick_at(pointer.x)).bar;
            let is_planned = plan.brief.start < bar.end() && bar.end() <= plan.ready() && bar.end().0 as f64 > self.playhead;
            return is_planned.then(|| toggle(snapshot.locks.holds_bar(bar.start), LockTarget::Bar { start: bar.start }));
        }
        // Of notes that lie over each other the one drawn last.
        let note = plan.notes().iter().filter(|note| self.may_sound(note)).rfind(|note| self.is_at(note, pointer))?;
        Some(toggle(snapshot.locks.holds(note), LockTarget::of(note)))
    }
}
