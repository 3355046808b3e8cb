//! The piano roll: what was played, the playhead, and the plan ahead of it.
//!
//! The playhead stands still and the music moves under it, so that what comes next is always at the same place. Drums have a lane each below
//! the pitches, as in the command line's pictures.

use std::collections::BTreeSet;

use antiphon_engine::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use antiphon_roll::legend::{self, AFTER, BEFORE, Colour, INK, PAPER};
use antiphon_roll::{Keys, Rows};
use egui::{Align2, CornerRadius, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::model::Now;
use super::style::{self, paint};
use antiphon_engine::session::{ShownPlan, Snapshot, WithheldNote};

/// Room at the left for the names of keys and drums.
const GUTTER: f32 = 74.0;
/// Room above for the bar numbers.
const NUMBERS: f32 = 24.0;
/// A drum's lane.
const LANE: f32 = 13.0;
/// Between the pitches and the drums.
const LANES_GAP: f32 = 6.0;
/// Bars to the left of the playhead.
const BARS_BEFORE: f64 = 2.5;
/// Of a bar, beyond the horizon.
const BARS_BEYOND: f64 = 0.35;
/// Notes that are lower than this have no rim, in points.
const LEAST_RIMMED: f32 = 4.5;
/// Half the width of the playhead's tip.
const TIP: f32 = 6.0;
/// A bar number needs this much room, in points.
const NUMBER_EVERY: f32 = 34.0;

/// Draws it into all the room that is left; where that is too little, nothing.
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
    if snapshot.played.is_empty() && snapshot.plan.is_none() {
        let ahead = Rect::from_x_y_ranges(roll.playhead_x..=roll.music.right(), roll.music.y_range());
        let font = FontId::proportional(16.0);
        painter.text(ahead.center(), Align2::CENTER_BOTTOM, "Play something.", font.clone(), style::faint_ink());
        painter.text(ahead.center(), Align2::CENTER_TOP, "What could come next appears here.", font, style::faint_ink());
    }
    painter.rect_stroke(rect, CornerRadius::same(style::RADIUS), style::hairline(0.3), StrokeKind::Inside);
}

/// Where things are.
struct Roll {
    /// Everything.
    rect: Rect,
    /// Where notes are.
    music: Rect,
    /// The playhead, in ticks.
    playhead: f64,
    /// Its place.
    playhead_x: f32,
    /// Points.
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

    /// The ground, shaded where the keyboard is black; what has not been yet is lighter.
    fn ground(&self, painter: &Painter, snapshot: &Snapshot) {
        painter.rect_filled(self.rect, CornerRadius::same(style::RADIUS), paint(PAPER));
        let right_of_playhead = Rect::from_min_max(pos2(self.playhead_x, self.music.top()), self.music.max);
        painter.rect_filled(self.music, 0, paint(BEFORE));
        painter.rect_filled(right_of_playhead, 0, paint(AFTER));
        if let Some(plan) = &snapshot.plan {
            // Between the playhead and the commit line nothing changes any more.
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

    /// The names of the C's and of the drums.
    fn names(&self, painter: &Painter) {
        let right = self.music.left() - 8.0;
        let font = |height: f32| FontId::proportional(height.clamp(9.0, 12.0));
        for key in self.rows.pitched().filter(|key| key % 12 == 0) {
            let Some((top, height)) = self.rows.place_key(key) else { continue };
            // The line lies under the C, where a keyboard has it.
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

    /// Bar lines, beats, numbers, and metres where they change.
    fn bars(&self, painter: &Painter, snapshot: &Snapshot) {
        let (from, to) = (self.first_tick(), self.last_tick());
        let font = FontId::proportional(12.0);
        let mut before = snapshot.bar_at(snapshot.bar_at(from).bar.start - Tick(1)).bar.metre;
        let mut free_from = f32::NEG_INFINITY;
        for shown in snapshot.bars_between(from, to) {
            let (bar, x) = (shown.bar, self.x(shown.bar.start.0 as f64));
            let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
            // Beats closer than this are a grey, not a grid.
            if self.per_tick * beat as f64 > 7.0 {
                for tick in (1..).map(|nth| bar.start + Tick(nth * beat)).take_while(|tick| *tick < bar.end()) {
                    self.line(painter, self.x(tick.0 as f64), style::hairline(0.09));
                }
            }
            self.line(painter, x, style::hairline(0.42));
            // Beside the playhead's tip.
            let beside = if (x - self.playhead_x).abs() < TIP { TIP + 4.0 } else { 4.0 };
            let (left, y) = (x.max(self.music.left()) + beside, self.rect.top() + NUMBERS / 2.0);
            // A bar that began out of view has its number at the edge, if it does not crowd the next one.
            let has_room = x >= self.music.left() || self.x(bar.end().0 as f64) > left + NUMBER_EVERY;
            // Where no bar is known, nothing lies before the first.
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

    fn notes(&self, painter: &Painter, snapshot: &Snapshot) {
        for note in &snapshot.played {
            self.note(painter, note, Look::Settled);
        }
        if let Some(shown) = &snapshot.plan {
            // What the playhead has passed of a plan that is not playing was never heard.
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

    /// A planned note that is left out: its outline, crossed out.
    fn withheld(&self, painter: &Painter, note: &Note) {
        let Some(area) = self.area(note) else { return };
        let stroke = Stroke::new(1.0, paint(legend::colour(note.role).over(AFTER, 0.9)));
        painter.rect_stroke(area, CornerRadius::ZERO, stroke, StrokeKind::Inside);
        // Strokes from edge to edge at 45 degrees, as far apart as the note is high.
        let mut x = area.left();
        while x < area.right() {
            let right = (x + area.height()).min(area.right());
            painter.line_segment([pos2(x, area.bottom()), pos2(right, area.bottom() - (right - x))], stroke);
            x += area.height().max(3.0);
        }
    }

    /// The planned note at a place that is left out.
    fn withheld_at<'a>(&self, pointer: Pos2, snapshot: &'a Snapshot) -> Option<&'a WithheldNote> {
        // A note of a few points is easier to hit with some air around it.
        let hit = |withheld: &&WithheldNote| self.area(&withheld.note).is_some_and(|area| area.expand(2.0).contains(pointer));
        snapshot.withheld.iter().find(hit)
    }

    /// Where a note is drawn, if it is in view.
    fn area(&self, note: &Note) -> Option<Rect> {
        let (top, height) = self.rows.place(note)?;
        let start = note.onset.0 as f64 + f64::from(note.offset) / 8.0;
        // A key that is held grows with the playhead.
        let end = if note.end() == Tick::MAX { self.playhead.max(start) } else { note.end().0 as f64 };
        let left = self.x(start);
        let right = (self.x(end) - 1.0).max(left + 2.5);
        let is_in_view = right >= self.music.left() && left <= self.music.right();
        is_in_view.then(|| Rect::from_x_y_ranges(left..=right, top + 0.5..=top + height - 0.5))
    }

    fn note(&self, painter: &Painter, note: &Note, look: Look) {
        let Some(area) = self.area(note) else { return };
        let colour = legend::colour(note.role);
        // Soft notes are pale.
        let loudness = 0.4 + 0.6 * f32::from(note.velocity) / 127.0;
        let (fill, rim) = match look {
            Look::Settled => (colour.over(AFTER, loudness), INK.over(colour, 0.35)),
            Look::Open => (colour.over(AFTER, 0.18 + 0.22 * loudness), colour.over(AFTER, 0.9)),
        };
        // Of its row half a point is left free above and below.
        let height = area.height() + 1.0;
        if height < LEAST_RIMMED {
            // A rim would be all there is.
            let fill = if look == Look::Open { fill.over(rim, 0.6) } else { fill };
            painter.rect_filled(area, 0, paint(fill));
        } else {
            let corners = CornerRadius::from((height / 3.0).min(3.0));
            painter.rect(area, corners, paint(fill), Stroke::new(1.0, paint(rim)), StrokeKind::Inside);
        }
    }

    /// The line up to which the plan will sound as shown.
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

/// Whether a note may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Settled,
    Open,
}

/// Everything that is shown.
fn shown(snapshot: &Snapshot) -> impl Iterator<Item = &Note> {
    let planned = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
    snapshot.played.iter().chain(planned).chain(snapshot.withheld.iter().map(|withheld| &withheld.note))
}

/// The roles of what is shown, in canonical order.
pub(super) fn roles(snapshot: &Snapshot) -> BTreeSet<Role> {
    shown(snapshot).map(|note| note.role).collect()
}

/// A role's colour.
pub(super) const fn colour(role: Role) -> Colour {
    legend::colour(role)
}

/// Points as egui counts them.
#[allow(clippy::cast_possible_truncation, reason = "no window is so wide that a tenth of a point gets lost")]
const fn narrow(points: f64) -> f32 {
    points as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Moment, Motion};
    use crate::editor::samples::plan;
    use antiphon_engine::session::Withheld;

    fn note(onset: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role }
    }

    fn roll(snapshot: &Snapshot, playhead: f64) -> Roll {
        let now = Now { playhead: Moment(playhead), tempo: 120.0, motion: Motion::Host };
        Roll::new(Rect::from_min_size(pos2(10.0, 20.0), vec2(800.0, 400.0)), snapshot, &now, 4)
    }

    #[test]
    fn the_playhead_stands_still_and_the_horizon_is_in_view() {
        let snapshot = Snapshot::default();
        let (start, later) = (roll(&snapshot, 0.0), roll(&snapshot, 1000.5));
        assert_eq!(start.playhead_x, later.playhead_x);
        assert!((later.x(1000.5) - later.playhead_x).abs() < 1e-3);
        assert!(later.x(1000.5 + 4.0 * 96.0) < later.music.right());
        assert!(later.x(1000.5 - 2.0 * 96.0) > later.music.left());
        assert!(later.first_tick().0 < 1000 - 192 && later.last_tick().0 > 1000 + 384);
    }

    #[test]
    fn every_note_in_view_has_a_row_inside_the_roll() {
        let notes: Vec<_> = [0, 60, 127]
            .map(|pitch| note(96, pitch, Role::Keys))
            .into_iter()
            .chain((35..=81).map(|key| note(96, key, Role::Drums)))
            .collect();
        for played in [&notes[..], &notes[..1], &notes[2..3], &notes[3..]] {
            let snapshot = Snapshot { played: played.to_vec(), ..Snapshot::default() };
            let roll = roll(&snapshot, 100.0);
            for note in played {
                let (top, height) = roll.rows.place(note).unwrap();
                assert!(height > 0.0 && top >= roll.music.top() - 0.01 && top + height <= roll.music.bottom() + 0.01, "{note:?}");
            }
        }
    }

    #[test]
    fn what_is_out_of_view_takes_no_room() {
        let far = note(96 * 100, 127, Role::Keys);
        let with = |played: Vec<Note>| roll(&Snapshot { played, ..Snapshot::default() }, 100.0).rows;
        assert_eq!(with(vec![note(96, 60, Role::Keys), far]), with(vec![note(96, 60, Role::Keys)]));
    }

    #[test]
    fn withheld_note_is_found_where_it_is_drawn_with_its_reason() {
        let notes = [note(100, 60, Role::Keys), note(130, 60, Role::Keys)];
        let shown = ShownPlan { playing: true, ..plan(96, 192, &notes) };
        let withheld = vec![WithheldNote { note: notes[1], reason: Withheld::KeyHeld }];
        let snapshot = Snapshot { plan: Some(shown), withheld, ..Snapshot::default() };
        let roll = roll(&snapshot, 96.0);
        let reason_at = |note: &Note| roll.withheld_at(roll.area(note).unwrap().center(), &snapshot).map(|withheld| withheld.reason);
        assert_eq!(notes.each_ref().map(reason_at), [None, Some(Withheld::KeyHeld)]);
        assert!(roll.withheld_at(roll.music.left_top(), &snapshot).is_none());
    }

    #[test]
    fn the_roles_are_those_of_both_sides() {
        let shown = plan(96, 192, &[note(100, 40, Role::Bass)]);
        let snapshot = Snapshot { played: vec![note(0, 60, Role::Keys)], plan: Some(shown), ..Snapshot::default() };
        assert_eq!(roles(&snapshot).into_iter().collect::<Vec<_>>(), [Role::Bass, Role::Keys]);
    }
}
