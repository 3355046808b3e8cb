//! Lines across the piano roll, with their names below it: the playhead, and the commit line.

use antiphon_engine::music::{Role, Tick};
use antiphon_engine::session::Snapshot;
use egui::{Align2, CornerRadius, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, pos2};

use super::{CHORDS, Keyboard, NAMES, NUMBERS, Roll, legend, paint, style};
use crate::editor::swap::Swap;

/// Half the width of the playhead's tip, in points.
pub(super) const TIP: f32 = 6.0;
/// Height of the brackets of the loop, in points.
const LOOP_BRACKET: f32 = 8.0;

impl Roll {
    /// The row under the notes: the commit line with its name, and the legend. The name is short where both would not fit; if even that has no room, the legend
    /// gives way: a line without a name says nothing. Returns the role that begins to be dragged.
    pub(super) fn foot(&self, ui: &Ui, painter: &Painter, snapshot: &Snapshot) -> Option<Role> {
        let legend = self.legend(painter, snapshot);
        let room = self.music.right() - 6.0 - legend.width;
        let named = match Swap::of(snapshot) {
            Some(swap) => self.swap(painter, swap, room),
            None => self.commit(painter, snapshot, room),
        };
        let drawn = legend.draw(painter, pos2(self.music.right() - 6.0, self.velocities.bottom() + NAMES / 2.0), named + 10.0);
        legend::dragged(ui, snapshot, &drawn)
    }

    /// Left end of the row that the name of the playhead leaves free. Where the playhead is out of view, the whole row is.
    fn free_from(&self) -> f32 {
        if self.music.x_range().contains(self.playhead_x) { self.playhead_x } else { self.music.left() }
    }

    /// The name of the line at which another variation takes over. Returns its right edge, which is left of `room`.
    fn swap(&self, painter: &Painter, swap: Swap<'_>, room: f32) -> f32 {
        let x = self.x(swap.at.0 as f64);
        if x <= self.playhead_x || !self.music.x_range().contains(x) {
            return self.free_from();
        }
        let name = swap.to.name();
        let state = if swap.plan.is_some() { "" } else { ", which is being made" };
        let names = [format!("{name} starts here{state}"), format!("{name} starts here"), name.into()];
        self.first_name(painter, x, &names, room).unwrap_or(x)
    }

    /// The commit line, up to which the plan will be played as shown. Returns the right edge of the names of the lines, which is left of `room`.
    fn commit(&self, painter: &Painter, snapshot: &Snapshot, room: f32) -> f32 {
        let free_from = self.free_from();
        let Some(line) = self.may_change_from(snapshot) else { return free_from };
        let x = self.x(line.0 as f64);
        if x <= self.playhead_x || !self.music.x_range().contains(x) {
            return free_from;
        }
        let x = painter.round_to_pixel_center(x);
        let names = match snapshot.play_from {
            Some(_) => ["may change until it starts, if you play on", "may change if you play on", "may change"],
            None => ["from here on: may change if you play on", "may change if you play on", "may change"],
        };
        let Some(right) = self.first_name(painter, x, &names, room) else { return x };
        // The line of the flag serves as its line, too.
        if self.silent_before != Some(line) {
            let line = [pos2(x, self.music.top()), pos2(x, self.velocities.bottom() + 4.0)];
            painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, self.palette.faded(0.75)), 4.0, 3.0));
        }
        right
    }

    /// First tick at which what is shown may change. `None` while a phrase plays or one of the history is shown: these stay as they are.
    pub(super) fn may_change_from(&self, snapshot: &Snapshot) -> Option<Tick> {
        let shown = snapshot.plan.as_ref().filter(|shown| !shown.playing && self.is_plan)?;
        Some(self.silent_before.unwrap_or(shown.commit).max(shown.commit).max(shown.plan.brief.start))
    }

    /// Draws the first of the names, from the longest to the shortest, that has room right of a line, left of the legend; the shortest also in its place. Returns its
    /// right edge; `None` if there is no room for any.
    fn first_name(&self, painter: &Painter, x: f32, names: &[impl AsRef<str>], legend: f32) -> Option<f32> {
        let width = |text: &str| painter.layout_no_wrap(text.to_owned(), FontId::proportional(11.0), paint(self.palette.soft)).size().x;
        let fits = |name: &&str, right: f32| x + 5.0 + width(name) + 10.0 < right;
        let mut all = names.iter().map(AsRef::as_ref);
        let shortest = names.last().map(AsRef::as_ref).filter(|name| fits(name, self.music.right()));
        let name = all.find(|name| fits(name, legend)).or(shortest)?;
        Some(self.line_name(painter, x + 5.0, Align2::LEFT_CENTER, name).right())
    }

    /// The playhead.
    pub(super) fn playhead(&self, painter: &Painter) {
        let (x, ink) = (self.playhead_x, paint(self.palette.ink));
        if !self.music.x_range().contains(x) {
            return;
        }
        let top = self.rect.top() + NUMBERS;
        painter.vline(x, top - 4.0..=self.velocities.bottom() + 4.0, Stroke::new(2.0, ink));
        let tip: [Pos2; 3] = [pos2(x - TIP, top - 14.0), pos2(x + TIP, top - 14.0), pos2(x, top - 3.0)];
        painter.add(Shape::convex_polygon(tip.to_vec(), ink, Stroke::NONE));
        self.line_name(painter, x - 5.0, Align2::RIGHT_CENTER, "now");
    }

    /// The host's loop: brackets at the bar numbers, joined by a line, wherever its bars are in view.
    pub(super) fn song_loop(&self, painter: &Painter, snapshot: &Snapshot) {
        let Some((first, after)) = snapshot.song_loop else { return };
        let painter = painter.with_clip_rect(Rect::from_x_y_ranges(self.music.x_range(), self.rect.y_range()));
        let (top, stroke) = (self.rect.top() + 2.5, Stroke::new(2.0, paint(self.palette.soft)));
        for shown in snapshot.bars_between(self.first_tick(), self.last_tick()).filter(|shown| (first..after).contains(&shown.number)) {
            let [left, right] = [shown.bar.start, shown.bar.end()].map(|tick| self.x(tick.0 as f64));
            painter.hline(left..=right, top, stroke);
            if shown.number == first {
                let place = pos2(right - 6.0, self.rect.top() + NUMBERS / 2.0);
                painter.text(place, Align2::RIGHT_CENTER, "loop", FontId::proportional(11.0), paint(self.palette.soft));
            }
            // A bracket opens at the first bar, and closes at the last.
            if shown.number == first {
                painter.vline(left + 1.0, top - 1.0..=top + LOOP_BRACKET, stroke);
            }
            if shown.number == after - 1 {
                painter.vline(right - 1.0, top - 1.0..=top + LOOP_BRACKET, stroke);
            }
        }
    }

    /// The edge of the roll: heavy and named while the window has the keyboard.
    pub(super) fn frame(&self, painter: &Painter, keyboard: Keyboard) {
        let radius = CornerRadius::same(style::RADIUS);
        if !keyboard.is_here {
            painter.rect_stroke(self.rect, radius, self.palette.hairline(0.3), StrokeKind::Inside);
            return;
        }
        let action = paint(self.palette.action);
        painter.rect_stroke(self.rect, radius, Stroke::new(2.0, action), StrokeKind::Inside);
        let place = pos2(self.rect.left() + 6.0, self.velocities.bottom() + NAMES / 2.0);
        painter.text(place, Align2::LEFT_CENTER, "keyboard: here", FontId::proportional(11.0), action);
    }

    fn line_name(&self, painter: &Painter, x: f32, align: Align2, name: &str) -> Rect {
        let y = self.velocities.bottom() + NAMES / 2.0;
        painter.text(pos2(x, y), align, name, FontId::proportional(11.0), paint(self.palette.soft))
    }

    /// Upper edge of the chord lane.
    pub(super) fn chords_top(&self) -> f32 {
        self.music.top() - CHORDS
    }
}
