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
    /// The row under the notes: the commit line with its name, and the legend. The name is short, or left out, where both would not fit. Returns
    /// the role that begins to be dragged.
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
        self.first_name(painter, x, &[format!("{name} starts here{state}"), format!("{name} starts here"), name.into()], room)
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
        // The line of the flag serves as its line, too.
        if self.silent_before != Some(line) {
            let line = [pos2(x, self.rect.top() + NUMBERS - 7.0), pos2(x, self.velocities.bottom() + 4.0)];
            painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, self.palette.faded(0.75)), 4.0, 3.0));
            let diamond = |d: f32, y: f32| vec![pos2(x, y - d), pos2(x + d, y), pos2(x, y + d), pos2(x - d, y)];
            painter.add(Shape::convex_polygon(diamond(4.0, line[0].y), paint(self.palette.ink), Stroke::NONE));
        }
        let names = match snapshot.play_from {
            Some(_) => &["may change until it starts, if you play on", "may change if you play on"][..],
            None => &["from here on: may change if you play on", "may change if you play on"],
        };
        self.first_name(painter, x, names, room)
    }

    /// First tick at which what is shown may change. `None` while a phrase plays or one of the history is shown: these stay as they are.
    pub(super) fn may_change_from(&self, snapshot: &Snapshot) -> Option<Tick> {
        let shown = snapshot.plan.as_ref().filter(|shown| !shown.playing && self.is_plan)?;
        Some(self.silent_before.unwrap_or(shown.commit).max(shown.commit).max(shown.plan.brief.start))
    }

    /// Draws the first of the names that has room right of a line, if one has. Returns its right edge.
    fn first_name(&self, painter: &Painter, x: f32, names: &[impl AsRef<str>], room: f32) -> f32 {
        let width = |text: &str| painter.layout_no_wrap(text.to_owned(), FontId::proportional(11.0), paint(self.palette.soft)).size().x;
        let name = names.iter().map(AsRef::as_ref).find(|name| x + 5.0 + width(name) + 10.0 < room);
        name.map_or(x, |name| self.line_name(painter, x + 5.0, Align2::LEFT_CENTER, name).right())
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
