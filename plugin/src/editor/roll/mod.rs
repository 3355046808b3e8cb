//! The piano roll: played notes, playhead and plan.
//!
//! The playhead stays in place and the music scrolls under it, so that the plan is always in the same place. Drums have a lane each below
//! the pitches, as in the command line's pictures.

mod notes;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeSet;

use antiphon_engine::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use antiphon_roll::legend::{self, AFTER, BEFORE, Colour, INK, PAPER};
use antiphon_roll::{Keys, Rows};
use egui::{Align2, CornerRadius, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::model::Now;
use super::style::{self, paint};
use antiphon_engine::session::{ShownPlan, Snapshot, WithheldNote};

/// Width of the column with key and drum names, in points.
const GUTTER: f32 = 74.0;
/// Height of the row with bar numbers, in points.
const NUMBERS: f32 = 24.0;
/// Height of a drum lane, in points.
const LANE: f32 = 13.0;
/// Gap between pitches and drum lanes, in points.
const LANES_GAP: f32 = 6.0;
/// Bars shown left of the playhead.
const BARS_BEFORE: f64 = 2.5;
/// Bars shown beyond the horizon.
const BARS_BEYOND: f64 = 0.35;
/// Half the width of the playhead's tip, in points.
const TIP: f32 = 6.0;
/// Minimum distance between bar numbers, in points.
const NUMBER_EVERY: f32 = 34.0;

/// Draws the roll into the available space; nothing if that is too small.
pub(super) fn show(ui: &mut Ui, snapshot: &Snapshot, now: &Now, horizon_bars: u8) {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Canvas, true, "Piano roll"));
    if rect.width() < 2.0 * GUTTER || rect.height() < 2.0 * NUMBERS {
        return;
    }
    let painter = ui.painter_at(rect);
    let roll = Roll::new(rect, snapshot, now, horizon_bars);
    roll.ground(&painter, snapshot);
    roll.names(&painter);
    roll.bars(&painter, snapshot);
    let music = painter.with_clip_rect(roll.music);
    roll.notes(&music, snapshot);
    if let Some(withheld) = response.hover_pos().and_then(|pointer| roll.withheld_at(pointer, snapshot)) {
        response.on_hover_text_at_pointer(withheld.reason.sentence());
    }
    roll.commit(&painter, snapshot.plan.as_ref());
    roll.playhead(&painter);
    if let Some(turn) = &snapshot.turn {
        turn::show(&music, roll.music, turn);
    }
    if snapshot.played.is_empty() && snapshot.plan.is_none() {
        let ahead = Rect::from_x_y_ranges(roll.playhead_x..=roll.music.right(), roll.music.y_range());
        let font = FontId::proportional(16.0);
        painter.text(ahead.center(), Align2::CENTER_BOTTOM, "Play something.", font.clone(), style::faint_ink());
        painter.text(ahead.center(), Align2::CENTER_TOP, "What could come next appears here.", font, style::faint_ink());
    }
    painter.rect_stroke(rect, CornerRadius::same(style::RADIUS), style::hairline(0.3), StrokeKind::Inside);
}

/// Geometry of one frame.
struct Roll {
    /// The whole area.
    rect: Rect,
    /// The area with notes.
    music: Rect,
    /// Playhead position, in ticks.
    playhead: f64,
    /// Playhead position, in points.
    playhead_x: f32,
    /// Points per tick.
    per_tick: f64,
    rows: Rows,
}

impl Roll {
    fn new(rect: Rect, snapshot: &Snapshot, now: &Now, horizon_bars: u8) -> Self {
        let music = Rect::from_min_max(rect.min + vec2(GUTTER, NUMBERS), rect.max - vec2(1.0, 1.0));
        let playhead = now.playhead.0;
        let bar = snapshot.bar_at(now.playhead.tick()).bar.metre.bar_length().0 as f64;
        let before = BARS_BEFORE * bar;
        let ahead = (f64::from(horizon_bars) + BARS_BEYOND) * bar;
        let per_tick = f64::from(music.width().max(1.0)) / (before + ahead);
        let playhead_x = music.left() + narrow(before * per_tick);
        let mut roll = Self { rect, music, playhead, playhead_x, per_tick, rows: Rows::default() };
        let (from, to) = (roll.first_tick(), roll.last_tick());
        let keys = Keys::of(shown(snapshot).filter(|note| note.onset < to && note.end() > from)).or_middle();
        roll.rows = Rows::filling(keys, music.top(), music.bottom(), LANE, LANES_GAP);
        roll
    }

    fn x(&self, tick: f64) -> f32 {
        self.playhead_x + narrow((tick - self.playhead) * self.per_tick)
    }

    fn tick_at(&self, x: f32) -> Tick {
        let tick = self.playhead + f64::from(x - self.playhead_x) / self.per_tick;
        #[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
        Tick(tick.floor() as i64)
    }

    fn first_tick(&self) -> Tick {
        self.tick_at(self.music.left())
    }

    fn last_tick(&self) -> Tick {
        self.tick_at(self.music.right()) + Tick(1)
    }

    /// Background: darker rows for black keys, lighter right of the playhead.
    fn ground(&self, painter: &Painter, snapshot: &Snapshot) {
        painter.rect_filled(self.rect, CornerRadius::same(style::RADIUS), paint(PAPER));
        let right_of_playhead = Rect::from_min_max(pos2(self.playhead_x, self.music.top()), self.music.max);
        painter.rect_filled(self.music, 0, paint(BEFORE));
        painter.rect_filled(right_of_playhead, 0, paint(AFTER));
        if let Some(plan) = &snapshot.plan {
            // Between playhead and commit line the plan no longer changes.
            let commit = self.x(plan.commit.0 as f64).clamp(self.playhead_x, self.music.right());
            let settled = Rect::from_min_max(right_of_playhead.min, pos2(commit, self.music.bottom()));
            painter.rect_filled(settled, 0, paint(BEFORE.over(AFTER, 0.45)));
        }
        for key in self.rows.black() {
            if let Some((top, height)) = self.rows.place_key(key) {
                let row = Rect::from_min_size(pos2(self.music.left(), top), vec2(self.music.width(), height));
                painter.rect_filled(row, 0, paint(INK).gamma_multiply(0.045));
            }
        }
        if !self.rows.keys().drums().is_empty() {
            let top = self.rows.drums_top();
            let gap = Rect::from_x_y_ranges(self.music.x_range(), top - LANES_GAP..=top);
            painter.rect_filled(gap, 0, paint(PAPER));
        }
    }

    /// Names of the Cs and of the drums.
    fn names(&self, painter: &Painter) {
        let right = self.music.left() - 8.0;
        let font = |height: f32| FontId::proportional(height.clamp(9.0, 12.0));
        for key in self.rows.pitched().filter(|key| key % 12 == 0) {
            let Some((top, height)) = self.rows.place_key(key) else { continue };
            // Below the C, between B and C, as on a keyboard.
            painter.hline(self.music.x_range(), top + height, style::hairline(0.16));
            let octave = i16::from(key / 12) - 1;
            painter.text(pos2(right, top + height / 2.0), Align2::RIGHT_CENTER, format!("C{octave}"), font(11.5), style::ink());
        }
        for &key in self.rows.keys().drums() {
            let Some((top, height)) = self.rows.place_drum(key) else { continue };
            painter.hline(self.music.x_range(), top + height, style::hairline(0.07));
            let name = legend::percussion(key);
            painter.text(pos2(right, top + height / 2.0), Align2::RIGHT_CENTER, name, font(height - 2.5), style::faint_ink());
        }
    }

    /// Bar lines, beats, bar numbers, and metres where they change.
    fn bars(&self, painter: &Painter, snapshot: &Snapshot) {
        let (from, to) = (self.first_tick(), self.last_tick());
        let font = FontId::proportional(12.0);
        let mut before = snapshot.bar_at(snapshot.bar_at(from).bar.start - Tick(1)).bar.metre;
        let mut free_from = f32::NEG_INFINITY;
        for shown in snapshot.bars_between(from, to) {
            let (bar, x) = (shown.bar, self.x(shown.bar.start.0 as f64));
            let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
            // Beat lines closer than this would merge into grey.
            if self.per_tick * beat as f64 > 7.0 {
                for tick in (1..).map(|nth| bar.start + Tick(nth * beat)).take_while(|tick| *tick < bar.end()) {
                    self.line(painter, self.x(tick.0 as f64), style::hairline(0.09));
                }
            }
            self.line(painter, x, style::hairline(0.42));
            // Keep clear of the playhead's tip.
            let beside = if (x - self.playhead_x).abs() < TIP { TIP + 4.0 } else { 4.0 };
            let (left, y) = (x.max(self.music.left()) + beside, self.rect.top() + NUMBERS / 2.0);
            // The number of a bar that starts out of view is drawn at the edge, unless it collides with the next.
            let has_room = x >= self.music.left() || self.x(bar.end().0 as f64) > left + NUMBER_EVERY;
            // Without known bars, numbers start at 1.
            let is_known = shown.number > 0 || !snapshot.bars.is_empty();
            if has_room && is_known && left >= free_from {
                let number = painter.text(pos2(left, y), Align2::LEFT_CENTER, shown.number, font.clone(), style::ink());
                free_from = left + NUMBER_EVERY;
                if bar.metre != before {
                    let place = pos2(number.right() + 6.0, y);
                    free_from = painter.text(place, Align2::LEFT_CENTER, bar.metre, font.clone(), style::faint_ink()).right() + 8.0;
                }
            }
            before = bar.metre;
        }
    }

    fn line(&self, painter: &Painter, x: f32, stroke: Stroke) {
        if self.music.x_range().contains(x) {
            painter.vline(painter.round_to_pixel_center(x), self.music.y_range(), stroke);
        }
    }

    /// The withheld note under the pointer.
    fn withheld_at<'a>(&self, pointer: Pos2, snapshot: &'a Snapshot) -> Option<&'a WithheldNote> {
        // Two points of tolerance make small notes easier to hit.
        let hit = |withheld: &&WithheldNote| self.area(&withheld.note).is_some_and(|area| area.expand(2.0).contains(pointer));
        snapshot.withheld.iter().find(hit)
    }

    /// Rectangle of a note, if it is in view.
    fn area(&self, note: &Note) -> Option<Rect> {
        let (top, height) = self.rows.place(note)?;
        let start = note.onset.0 as f64 + f64::from(note.offset) / 8.0;
        // A held key extends to the playhead.
        let end = if note.end() == Tick::MAX { self.playhead.max(start) } else { note.end().0 as f64 };
        let left = self.x(start);
        let right = (self.x(end) - 1.0).max(left + 2.5);
        let is_in_view = right >= self.music.left() && left <= self.music.right();
        is_in_view.then(|| Rect::from_x_y_ranges(left..=right, top + 0.5..=top + height - 0.5))
    }

    /// The commit line, up to which the plan will be played as shown.
    fn commit(&self, painter: &Painter, plan: Option<&ShownPlan>) {
        let Some(shown) = plan.filter(|shown| !shown.playing) else { return };
        let x = self.x(shown.commit.0 as f64);
        if x <= self.playhead_x || !self.music.x_range().contains(x) {
            return;
        }
        let x = painter.round_to_pixel_center(x);
        let line = [pos2(x, self.rect.top() + NUMBERS - 7.0), pos2(x, self.music.bottom())];
        painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, paint(INK.over(AFTER, 0.75))), 4.0, 3.0));
        let diamond = |d: f32, y: f32| vec![pos2(x, y - d), pos2(x + d, y), pos2(x, y + d), pos2(x - d, y)];
        painter.add(Shape::convex_polygon(diamond(4.0, line[0].y), style::ink(), Stroke::NONE));
    }

    fn playhead(&self, painter: &Painter) {
        let x = self.playhead_x;
        let top = self.rect.top() + NUMBERS;
        painter.vline(x, top - 4.0..=self.music.bottom(), Stroke::new(2.0, style::ink()));
        let tip: [Pos2; 3] = [pos2(x - TIP, top - 14.0), pos2(x + TIP, top - 14.0), pos2(x, top - 3.0)];
        painter.add(Shape::convex_polygon(tip.to_vec(), style::ink(), Stroke::NONE));
    }
}

/// All notes shown: played, planned and withheld.
fn shown(snapshot: &Snapshot) -> impl Iterator<Item = &Note> {
    let planned = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
    snapshot.played.iter().chain(planned).chain(snapshot.withheld.iter().map(|withheld| &withheld.note))
}

/// Roles of all notes shown, in canonical order.
pub(super) fn roles(snapshot: &Snapshot) -> BTreeSet<Role> {
    shown(snapshot).map(|note| note.role).collect()
}

/// Colour of a role.
pub(super) const fn colour(role: Role) -> Colour {
    legend::colour(role)
}

/// Coordinates in egui's precision.
#[allow(clippy::cast_possible_truncation, reason = "no window is so wide that a tenth of a point gets lost")]
const fn narrow(points: f64) -> f32 {
    points as f32
}
