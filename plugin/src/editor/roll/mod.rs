//! The piano roll: played notes, playhead and plan.
//!
//! The playhead stays in place and the music scrolls under it, so that the plan is always in the same place. Drums have a lane each below
//! the pitches, as in the command line's pictures.

mod bars;
mod chords;
mod ground;
mod hover;
mod keyboard;
mod lines;
mod locks;
pub(super) mod mini;
mod notes;
mod range;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeSet;

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::{ChordChart, InfillRange, PlayerMemory};
use antiphon_roll::{Keys, Rows};
use egui::{Align2, FontId, Rect, Sense, Ui, WidgetInfo, vec2};

pub(super) use self::range::Marking;
use super::model::Now;
use super::palette::{Palette, paint};
use super::style;
use antiphon_engine::session::{Command, Snapshot};

/// Width of the column with key and drum names, in points.
const GUTTER: f32 = 74.0;
/// Height of the row with bar numbers, in points.
const NUMBERS: f32 = 24.0;
/// Height of the lane with chords, in points.
const CHORDS: f32 = 20.0;
/// Height of the row with the names of the lines, in points.
const NAMES: f32 = 16.0;
/// Height of a drum lane, in points.
const LANE: f32 = 13.0;
/// Gap between pitches and drum lanes, in points.
const LANES_GAP: f32 = 6.0;
/// Bars shown left of the playhead.
const BARS_BEFORE: f64 = 2.5;
/// Bars shown beyond the horizon.
const BARS_BEYOND: f64 = 0.35;

/// What the musician has set for bars: those of Infill and how they are marked, and chords.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'a> {
    /// The marked bars; shown in Infill, and while they are being marked.
    pub(super) range: InfillRange,
    pub(super) marking: Marking,
    /// Chosen chords.
    pub(super) chart: &'a ChordChart,
    /// What is remembered of the player.
    pub(super) memory: &'a PlayerMemory,
}

/// The keyboard, as far as it concerns the roll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyboard {
    /// Whether the window has taken it from the host.
    pub(super) is_here: bool,
    /// Whether the key that locks what is under the pointer was pressed.
    pub(super) locks: bool,
}

/// What the player did in the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Marked these bars for Infill.
    Marked(InfillRange),
    /// Clicked the chord of this bar to come, by its number in the song.
    Chord(i64),
    /// Clicked something with this command.
    Clicked(Command),
}

/// Draws the roll into the available space; nothing if that is too small. Returns what was done in it, once.
pub(super) fn show(ui: &mut Ui, snapshot: &Snapshot, now: &Now, horizon_bars: u8, marks: Marks<'_>, keyboard: Keyboard) -> Option<Done> {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Canvas, true, "Piano roll"));
    if rect.width() < 2.0 * GUTTER || rect.height() < 2.0 * (NUMBERS + CHORDS + NAMES) {
        return None;
    }
    let painter = ui.painter_at(rect);
    let roll = Roll::new(rect, snapshot, now, horizon_bars, Palette::of(ui.ctx()));
    roll.ground(&painter, snapshot);
    let marked = roll.mark(ui, snapshot, marks.marking);
    if let Some(range) = marked.map(|(range, _)| range).or((marks.marking == Marking::Plain).then_some(marks.range)) {
        roll.marked(&painter, snapshot, range);
    }
    roll.names(&painter);
    roll.bars(&painter, snapshot);
    roll.chords(&painter, snapshot, marks.chart);
    let music = painter.with_clip_rect(roll.music);
    roll.notes(&music, snapshot);
    roll.locks(&painter, snapshot);
    // The bar numbers lie over the roll, so its response is not hovered there.
    let pointer = ui.input(|input| input.pointer.hover_pos()).filter(|pointer| rect.contains(*pointer));
    let clicked = response.interact_pointer_pos().filter(|_| response.clicked());
    let chord = clicked.and_then(|pointer| roll.chord_at(pointer, snapshot));
    let clicked = clicked.or_else(|| pointer.filter(|_| keyboard.locks)).and_then(|pointer| roll.lock_at(pointer, snapshot));
    if let Some(text) = response.hover_pos().and_then(|pointer| roll.description_at(pointer, snapshot, marks)) {
        response.on_hover_text_at_pointer(text);
    }
    roll.legend(&painter, snapshot);
    roll.commit(&painter, snapshot.plan.as_ref());
    roll.playhead(&painter);
    if let Some(turn) = &snapshot.turn {
        turn::show(&music, roll.music, turn, roll.palette);
    }
    if snapshot.played.is_empty() && snapshot.plan.is_none() {
        let ahead = Rect::from_x_y_ranges(roll.playhead_x..=roll.music.right(), roll.music.y_range());
        let soft = paint(roll.palette.soft);
        painter.text(ahead.center(), Align2::CENTER_BOTTOM, "Play something.", FontId::proportional(16.0), soft);
        painter.text(ahead.center(), Align2::CENTER_TOP, "What could come next appears here.", FontId::proportional(16.0), soft);
    }
    roll.frame(&painter, keyboard);
    let marked = marked.filter(|(_, is_over)| *is_over).map(|(range, _)| Done::Marked(range));
    marked.or(chord.map(Done::Chord)).or(clicked.map(Done::Clicked))
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
    palette: &'static Palette,
}

impl Roll {
    fn new(rect: Rect, snapshot: &Snapshot, now: &Now, horizon_bars: u8, palette: &'static Palette) -> Self {
        let music = Rect::from_min_max(rect.min + vec2(GUTTER, NUMBERS + CHORDS), rect.max - vec2(1.0, NAMES));
        let playhead = now.playhead.0;
        let bar = snapshot.bar_at(now.playhead.tick()).bar.metre.bar_length().0 as f64;
        let before = BARS_BEFORE * bar;
        let ahead = (f64::from(horizon_bars) + BARS_BEYOND) * bar;
        let per_tick = f64::from(music.width().max(1.0)) / (before + ahead);
        let playhead_x = music.left() + narrow(before * per_tick);
        let mut roll = Self { rect, music, playhead, playhead_x, per_tick, rows: Rows::default(), palette };
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
}

/// All notes shown: played, planned and withheld.
fn shown(snapshot: &Snapshot) -> impl Iterator<Item = &Note> {
    let planned = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
    snapshot.played.iter().chain(planned).chain(snapshot.withheld.iter().map(|withheld| &withheld.note))
}

/// Roles of all notes shown, in canonical order.
fn roles(snapshot: &Snapshot) -> BTreeSet<Role> {
    shown(snapshot).map(|note| note.role).collect()
}

/// Coordinates in egui's precision.
#[allow(clippy::cast_possible_truncation, reason = "no window is so wide that a tenth of a point gets lost")]
const fn narrow(points: f64) -> f32 {
    points as f32
}
