//! Locks in the piano roll: their marks, the padlocks under the pointer, and the clicks that set and remove them.

use antiphon_engine::music::{Bar, Note, Role};
use antiphon_engine::session::{Command, LockTarget, ShownBar, Snapshot};
use egui::{Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::{CHORDS, NUMBERS, Palette, Roll, paint};

/// Width of a closed lock, in points.
pub(super) const LOCK: f32 = 7.0;
/// Width and height of the area of a bar's padlock that takes a click, in points.
const CLICKED: f32 = 24.0;
/// Least width of a note whose lock under the pointer lies in it and not before it, in points: it must still be seen.
const WITH_LOCK: f32 = 1.7 * LOCK;
/// Width of the bar across the start of a locked note, in points.
const CAP: f32 = 3.0;
/// Height of the hatching over a locked bar, and the distance of its lines, in points.
const HATCHING: f32 = 6.0;

/// Whether a padlock holds, or would if it was clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padlock {
    Closed,
    Open,
}

impl Roll {
    /// A bar across the start of every locked note, and a closed lock before the first of each run: locked notes of a role with no other one of it between them.
    /// A locked bar has hatching over its notes instead, and a lock beside its number ([`Roll::bars`]). Outlines would look like a selection.
    pub(super) fn locks(&self, painter: &Painter, snapshot: &Snapshot) {
        let Some(shown) = snapshot.plan.as_ref().filter(|_| !snapshot.locks.is_empty()) else { return };
        for bar in snapshot.bars_between(self.first_tick(), self.last_tick()).map(|shown| shown.bar) {
            if snapshot.locks.holds_bar(bar.start) {
                self.hatching(painter, bar);
            }
        }
        for (note, is_first) in runs(snapshot, shown.plan.notes().iter().filter(|note| self.may_sound(note))) {
            let Some(area) = self.area(note) else { continue };
            cap(painter, self.palette, area);
            if is_first {
                self.lock(painter, area.left_center() - vec2(LOCK / 2.0 + 2.0, 0.0), Padlock::Closed);
            }
        }
    }

    /// Hatching over the notes of a bar.
    fn hatching(&self, painter: &Painter, bar: Bar) {
        let [left, right] = [bar.start, bar.end()].map(|tick| self.x(tick.0 as f64).clamp(self.music.left(), self.music.right()));
        let strip = Rect::from_x_y_ranges(left..=right, self.music.top()..=self.music.top() + HATCHING);
        let (painter, stroke) = (painter.with_clip_rect(strip), Stroke::new(1.0, paint(self.palette.ink)));
        let mut x = left - HATCHING;
        while x < right {
            painter.line_segment([pos2(x, strip.bottom()), pos2(x + HATCHING, strip.top())], stroke);
            x += HATCHING;
        }
        painter.hline(strip.x_range(), strip.bottom() - 0.5, stroke);
    }

    /// A padlock at the start of the note under the pointer that a click locks or unlocks; before it where the note is short.
    pub(super) fn note_padlock(&self, painter: &Painter, note: &Note, snapshot: &Snapshot) {
        let Some(area) = self.area(note) else { return };
        let padlock = if snapshot.locks.holds(note) { Padlock::Closed } else { Padlock::Open };
        let x = if area.width() > WITH_LOCK { area.left() + LOCK / 2.0 + 1.0 } else { area.left() - LOCK };
        self.lock(painter, pos2(x, area.center().y), padlock);
    }

    /// The padlock of a bar behind its number: closed while the bar is locked, open while the pointer is over the bar's number and a click would lock
    /// it. Returns the command of a click on it.
    pub(super) fn bar_padlock(&self, ui: &Ui, painter: &Painter, centre: Pos2, shown: ShownBar, snapshot: &Snapshot) -> Option<Command> {
        let is_locked = snapshot.locks.holds_bar(shown.bar.start);
        let command = self.bar_lock(shown.bar, snapshot);
        let numbers = self.numbers_of(shown.bar);
        let is_pointed = ui.input(|input| input.pointer.hover_pos()).is_some_and(|pointer| numbers.contains(pointer));
        if is_locked {
            self.lock(painter, centre, Padlock::Closed);
        }
        let command = command.filter(|_| is_pointed)?;
        if !is_locked {
            self.lock(painter, centre, Padlock::Open);
        }
        // Drags that begin on it are not the numbers'.
        let place = Rect::from_center_size(centre, Vec2::splat(CLICKED)).intersect(numbers);
        let response = ui.interact(place, ui.scope_id().with(("padlock", shown.bar.start.0)), Sense::CLICK | Sense::DRAG);
        let (verb, tip) = match is_locked {
            true => ("unlock", "Click to unlock this bar"),
            false => ("lock", "Click to lock this bar: Another and the other variations leave it as it is"),
        };
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Padlock: {verb} bar {}", shown.number)));
        let response = response.on_hover_text(tip).on_hover_cursor(egui::CursorIcon::PointingHand);
        response.clicked().then_some(command)
    }

    /// Whether a planned note is still ahead, and in what Play would play.
    fn may_sound(&self, note: &Note) -> bool {
        note.onset.0 as f64 >= self.playhead && !self.is_silent(note)
    }

    pub(super) fn lock(&self, painter: &Painter, centre: Pos2, padlock: Padlock) {
        draw(painter, self.palette, centre, padlock);
    }

    /// The command of a click: on a planned note or on the number of a planned bar, locks or unlocks it. What has passed is not locked.
    pub(super) fn lock_at(&self, pointer: Pos2, snapshot: &Snapshot) -> Option<Command> {
        if pointer.y < self.music.top() - CHORDS {
            return self.bar_lock(snapshot.bar_at(self.tick_at(pointer.x)).bar, snapshot);
        }
        self.note_to_lock(pointer, snapshot).map(|note| note_lock(note, snapshot))
    }

    /// The planned note under the pointer that a click locks or unlocks: of notes that lie over each other the one drawn last.
    pub(super) fn note_to_lock<'a>(&self, pointer: Pos2, snapshot: &'a Snapshot) -> Option<&'a Note> {
        let plan = &snapshot.plan.as_ref().filter(|_| self.is_plan)?.plan;
        plan.notes().iter().filter(|note| self.may_sound(note)).rfind(|note| self.is_at(note, pointer))
    }

    /// What a click on the number of a bar does; `None` unless the whole bar is planned.
    fn bar_lock(&self, bar: Bar, snapshot: &Snapshot) -> Option<Command> {
        let plan = &snapshot.plan.as_ref().filter(|_| self.is_plan)?.plan;
        let is_planned = plan.brief.start < bar.end() && bar.end() <= plan.ready() && bar.end().0 as f64 > self.playhead;
        is_planned.then(|| toggle(snapshot.locks.holds_bar(bar.start), LockTarget::Bar { start: bar.start }))
    }

    /// The part of the ruler over a bar.
    fn numbers_of(&self, bar: Bar) -> Rect {
        let [left, right] = [bar.start, bar.end()].map(|tick| self.x(tick.0 as f64).clamp(self.music.left(), self.music.right()));
        Rect::from_x_y_ranges(left..=right, self.rect.top()..=self.rect.top() + NUMBERS)
    }
}

/// Locked notes outside of locked bars, each with whether it is the first of its role's run.
fn runs<'a>(snapshot: &'a Snapshot, notes: impl Iterator<Item = &'a Note>) -> impl Iterator<Item = (&'a Note, bool)> {
    let mut in_run: Vec<Role> = Vec::new();
    notes.filter_map(move |note| {
        let known = in_run.iter().position(|role| *role == note.role);
        // A locked bar has its own sign, and ends the run before it.
        let is_locked = snapshot.locks.holds(note) && !snapshot.locks.holds_bar(snapshot.bar_at(note.onset).bar.start);
        match (is_locked, known) {
            (true, None) => in_run.push(note.role),
            (false, Some(place)) => _ = in_run.swap_remove(place),
            _ => {}
        }
        is_locked.then_some((note, known.is_none()))
    })
}

/// What a click on a planned note does.
pub(super) fn note_lock(note: &Note, snapshot: &Snapshot) -> Command {
    toggle(snapshot.locks.holds(note), LockTarget::of(note))
}

fn toggle(is_locked: bool, target: LockTarget) -> Command {
    if is_locked { Command::Unlock(target) } else { Command::Lock(target) }
}

/// Draws the bar across the start of a locked note.
pub(super) fn cap(painter: &Painter, palette: &Palette, note: Rect) {
    let cap = Rect::from_min_size(note.min, vec2(CAP, note.height())).expand2(vec2(0.0, 1.0));
    painter.rect_filled(cap, 1, paint(palette.ink));
}

/// Draws a padlock on a ground of its own.
pub(super) fn draw(painter: &Painter, palette: &Palette, centre: Pos2, padlock: Padlock) {
    let [ground, ink] = [palette.coming, palette.ink].map(paint);
    let body = Rect::from_center_size(centre + vec2(0.0, 1.5), vec2(LOCK, LOCK * 0.7));
    // An open shackle is turned to the right.
    let aside = if padlock == Padlock::Open { LOCK * 0.55 } else { 0.0 };
    let shackle = Rect::from_center_size(centre + vec2(aside, -2.0), vec2(LOCK * 0.6, LOCK * 0.7));
    painter.rect_filled(body.union(shackle).expand(1.0), 1, ground);
    painter.rect_stroke(shackle, 2, Stroke::new(1.2, ink), StrokeKind::Inside);
    match padlock {
        Padlock::Closed => painter.rect_filled(body, 1, ink),
        Padlock::Open => painter.rect(body, 1, ground, Stroke::new(1.0, ink), StrokeKind::Inside),
    };
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Tick;
    use antiphon_engine::session::ShownLocks;

    use super::*;

    #[test]
    fn run_of_locked_notes_has_one_padlock() {
        let note = |onset, pitch, role| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role };
        let bass = |onset| note(onset, 40, Role::Bass);
        let notes = [bass(0), note(0, 60, Role::Keys), bass(24), bass(48), bass(72), bass(96), bass(192)];
        let locked = [0, 2, 4, 5, 6].map(|place| notes[place]).to_vec();
        let snapshot = Snapshot { locks: ShownLocks::new(locked, vec![Tick(96)]), ..Snapshot::default() };
        let found: Vec<_> = runs(&snapshot, notes.iter()).map(|(note, is_first)| (note.onset.0, is_first)).collect();
        // The note at 48 and the locked bar at 96 end a run.
        assert_eq!(found, [(0, true), (24, false), (72, true), (192, true)]);
    }
}
