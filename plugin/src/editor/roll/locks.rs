//! Locks in the piano roll: their marks, and the clicks that set and remove them.

use antiphon_engine::music::Note;
use antiphon_engine::session::{Command, LockTarget, Snapshot};
use egui::{Painter, Pos2, Rect, Stroke, StrokeKind, pos2, vec2};

use super::{CHORDS, NUMBERS, Roll, paint};

/// Width of a closed lock, in points.
const LOCK: f32 = 7.0;

impl Roll {
    /// A closed lock at the start of every locked note, and beside the number of every locked bar.
    pub(super) fn locks(&self, painter: &Painter, snapshot: &Snapshot) {
        let Some(shown) = &snapshot.plan else { return };
        let is_ahead = |note: &&Note| note.onset.0 as f64 >= self.playhead;
        for note in shown.plan.notes().iter().filter(is_ahead).filter(|note| snapshot.locks.holds(note)) {
            let Some(area) = self.area(note) else { continue };
            painter.rect_stroke(area.expand(1.0), 0, Stroke::new(1.5, paint(self.palette.ink)), StrokeKind::Outside);
            self.lock(painter, area.left_center() + vec2(LOCK / 2.0 + 1.0, 0.0));
        }
        for bar in snapshot.bars_between(self.first_tick(), self.last_tick()).filter(|shown| snapshot.locks.holds_bar(shown.bar.start)) {
            let right = self.x(bar.bar.end().0 as f64).min(self.music.right());
            self.lock(painter, pos2(right - LOCK, self.rect.top() + NUMBERS / 2.0));
        }
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
        let is_ahead = |note: &&Note| note.onset.0 as f64 >= self.playhead;
        // Of notes that lie over each other the one drawn last.
        let note = plan.notes().iter().filter(is_ahead).rfind(|note| self.is_at(note, pointer))?;
        Some(toggle(snapshot.locks.holds(note), LockTarget::of(note)))
    }
}
