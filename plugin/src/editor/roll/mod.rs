//! The piano roll: played notes, playhead and plan.
//!
//! The playhead stays in place and the music scrolls under it, so that the plan is always in the same place, until one scrolls ([`View`]). Drums have a lane each below
//! the pitches, as in the command line's pictures.

mod bars;
mod chords;
mod count_in;
mod empty;
mod fill;
mod flags;
mod form;
mod ground;
mod hover;
mod keyboard;
mod legend;
mod lines;
mod locks;
pub(super) mod mini;
mod notes;
mod preview;
mod range;
#[cfg(test)]
mod tests;
mod velocity;
mod view;

use std::ops::Range;

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::{ChordChart, InfillRange, PlayerMemory};
use antiphon_roll::{Keys, Rows};
use egui::{Rect, Sense, Ui, WidgetInfo, vec2};

pub(super) use self::preview::Preview;
use self::range::Dragged;
pub(super) use self::range::Marking;
pub(super) use self::view::View;
use super::model::Now;
use super::palette::{Palette, paint};
use super::play_time::Flags;
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
/// Least height of a note with the gaps above and below it, in points: in lower rows notes overlap, so that each has an outline and a shape.
const LEAST_NOTE: f32 = 6.5;
/// Bars shown left of the playhead.
const BARS_BEFORE: f64 = 2.5;
/// Bars shown beyond the horizon: the one that the playhead is in, since the horizon counts from its end, and the flag of the end.
const BARS_BEYOND: f64 = 1.1;

/// What the musician has set for bars: how many are planned ahead, those of Infill and how they are marked, the selected ones, and chords.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'a> {
    /// Bars that are planned ahead.
    pub(super) horizon_bars: u8,
    /// The marked bars; shown in Infill, and while they are being marked.
    pub(super) range: InfillRange,
    pub(super) marking: Marking,
    /// Selected bars, from the first bar line to the last.
    pub(super) selection: Option<&'a Range<Tick>>,
    /// Whether the plan is shown, which can be changed, and not a phrase of the history or a swap.
    pub(super) is_plan: bool,
    /// Where Antiphon starts and ends.
    pub(super) flags: Flags,
    /// Beats until it starts, while they are counted.
    pub(super) beats_left: Option<u32>,
    /// The phrase of the card under the pointer.
    pub(super) preview: Option<&'a Preview<'a>>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    /// Marked these bars for Infill.
    Marked(InfillRange),
    /// Clicked the chord of this bar to come, by its number in the song.
    Chord(i64),
    /// Clicked something with this command.
    Clicked(Command),
    /// Selected bars.
    Selected(Range<Tick>),
    /// Began to drag the selected bars out.
    DraggedOut,
    /// Began to drag one role of the plan out, by its name in the legend.
    DraggedRole(Role),
}

/// Draws the roll into the available space, with a context menu; nothing if that is too small. Returns what was done in it, once.
pub(super) fn show(
    ui: &mut Ui,
    snapshot: &Snapshot,
    now: &Now,
    marks: Marks<'_>,
    keyboard: Keyboard,
    view: &mut View,
    menu: impl FnOnce(&mut Ui),
) -> Option<Done> {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Canvas, true, "Piano roll"));
    if rect.width() < 2.0 * GUTTER || rect.height() < 2.0 * (NUMBERS + CHORDS + NAMES) {
        return None;
    }
    let painter = ui.painter_at(rect);
    let is_infill = marks.marking == Marking::Plain;
    let frame = Frame {
        horizon_bars: marks.horizon_bars,
        silent_before: marks.flags.silent_before,
        headroom: if is_infill { fill::LANE } else { 0.0 },
        is_plan: marks.is_plan,
        preview: marks.preview,
    };
    let roll = Roll::new(rect, snapshot, now, frame, view, Palette::of(ui.ctx()));
    view.navigate(ui, &roll, snapshot);
    roll.ground(&painter, snapshot);
    let (numbers, over_numbers) = roll.numbers(ui, snapshot, marks);
    let dragged = over_numbers.or_else(|| if is_infill { roll.handles(ui, snapshot, marks.range) } else { None });
    let response = response | numbers;
    let marked = if let Some(Dragged::Mark(range, _)) = &dragged { Some(*range) } else { None };
    let selecting = if let Some(Dragged::Select(bars)) = &dragged { Some(bars) } else { None };
    if let Some(bars) = selecting.or(marks.selection) {
        roll.selected(&painter, bars);
    }
    let marked = marked.or(is_infill.then_some(marks.range));
    if let Some(range) = marked {
        roll.marked(&painter, snapshot, range);
    }
    roll.names(&painter);
    let padlock = roll.bars(ui, &painter, snapshot, &marks.flags);
    roll.song_loop(&painter, snapshot);
    roll.chords(&painter, snapshot, marks, response.hover_pos());
    if let Some(range) = marked {
        roll.lanes(&painter, snapshot, range);
    }
    roll.spans(&painter, snapshot, &marks.flags);
    roll.flags(&painter, snapshot, &marks.flags);
    let music = painter.with_clip_rect(roll.music);
    roll.notes(&music, snapshot, marks.preview.is_some());
    marks.preview.into_iter().for_each(|preview| roll.preview(&music, preview));
    roll.velocities(&painter, snapshot);
    roll.locks(&painter, snapshot);
    // The bar numbers lie over the roll, so its response is not hovered there.
    let pointer = ui.input(|input| input.pointer.hover_pos()).filter(|pointer| rect.contains(*pointer));
    let clicked = response.interact_pointer_pos().filter(|_| response.clicked());
    // The count stands in place of the name of the lane.
    let named = if marks.beats_left.is_none() { roll.chords_name(ui, &painter, snapshot) } else { None };
    let chord = clicked.and_then(|pointer| roll.chord_at(pointer, snapshot)).or(named);
    let clicked = clicked.or_else(|| pointer.filter(|_| keyboard.locks)).and_then(|pointer| roll.lock_at(pointer, snapshot));
    response.context_menu(menu);
    let to_lock = response.hover_pos().and_then(|pointer| roll.note_to_lock(pointer, snapshot));
    if let Some(note) = to_lock {
        roll.note_padlock(&music, note, snapshot);
    }
    if let Some(text) = response.hover_pos().and_then(|pointer| roll.description_at(pointer, snapshot, marks, to_lock)) {
        response.on_hover_text_at_pointer(text);
    }
    let dragged_role = roll.foot(ui, &painter, snapshot);
    roll.playhead(&painter);
    marks.preview.into_iter().for_each(|preview| roll.preview_name(ui, &painter, preview));
    if let Some(beats) = marks.beats_left {
        let corner = Rect::from_min_max(rect.min, roll.music.left_top());
        count_in::show(&painter, corner.shrink(2.0), beats, roll.palette);
    }
    if snapshot.played.is_empty() && snapshot.plan.is_none() {
        roll.invitation(&painter, snapshot);
    }
    view.follow_button(ui, rect);
    roll.frame(&painter, keyboard);
    match dragged {
        Some(Dragged::Mark(range, true)) => Some(Done::Marked(range)),
        Some(Dragged::Select(bars)) => Some(Done::Selected(bars)),
        Some(Dragged::Out) => Some(Done::DraggedOut),
        _ => dragged_role.map(Done::DraggedRole).or(chord.map(Done::Chord)).or(padlock.or(clicked).map(Done::Clicked)),
    }
}

/// What the geometry of a frame depends on besides the music.
#[derive(Debug, Clone, Copy)]
struct Frame<'a> {
    /// Bars that are planned ahead.
    horizon_bars: u8,
    /// Planned notes before this tick will not sound.
    silent_before: Option<Tick>,
    /// Height over the notes that is kept free, in points.
    headroom: f32,
    /// Whether the plan is shown, which can be locked, and not a phrase of the history.
    is_plan: bool,
    /// The phrase of the card under the pointer, which needs rows.
    preview: Option<&'a Preview<'a>>,
}

/// Geometry of one frame.
struct Roll {
    /// The whole area.
    rect: Rect,
    /// The area with notes.
    music: Rect,
    /// The lane of velocities under it; empty where the roll is too low.
    velocities: Rect,
    /// Playhead position, in ticks.
    playhead: f64,
    /// Playhead position, in points; out of view if one has scrolled.
    playhead_x: f32,
    /// Tick at the left edge of the notes.
    left_tick: f64,
    /// Points per tick.
    per_tick: f64,
    /// Planned notes before this tick will not sound, and are not shown.
    silent_before: Option<Tick>,
    /// Whether what is ahead can be locked.
    is_plan: bool,
    rows: Rows,
    palette: &'static Palette,
}

impl Roll {
    fn new(rect: Rect, snapshot: &Snapshot, now: &Now, frame: Frame<'_>, view: &View, palette: &'static Palette) -> Self {
        let Frame { horizon_bars, silent_before, headroom, is_plan, preview } = frame;
        let inside = Rect::from_min_max(rect.min + vec2(GUTTER, NUMBERS + CHORDS), rect.max - vec2(1.0, NAMES));
        let (music, velocities) = inside.split_top_bottom_at_y(inside.bottom() - velocity::height(rect.height()));
        let playhead = now.playhead.0;
        let bar = snapshot.bar_at(now.playhead.tick()).bar.metre.bar_length().0 as f64;
        let before = BARS_BEFORE * bar;
        let ahead = (f64::from(horizon_bars) + BARS_BEYOND) * bar;
        let fitting = f64::from(music.width().max(1.0)) / (before + ahead);
        let per_tick = fitting * view.zoom();
        let left_tick = view.left().unwrap_or(playhead - before * fitting / per_tick);
        let playhead_x = music.left() + narrow((playhead - left_tick) * per_tick);
        let rows = Rows::default();
        let mut roll = Self { rect, music, velocities, playhead, playhead_x, left_tick, per_tick, silent_before, is_plan, rows, palette };
        let (from, to) = (roll.first_tick(), roll.last_tick());
        let is_in_view = |note: &Note| note.onset < to && note.end() > from;
        let keys = match preview {
            None => Keys::of(shown(snapshot).filter(|note| is_in_view(note))),
            Some(preview) => {
                let both: Vec<Note> = shown(snapshot).copied().chain(preview.notes()).filter(is_in_view).collect();
                Keys::of(&both)
            }
        };
        let keys = keys.or_middle();
        let keys = view.pitches().map_or_else(|| keys.clone(), |(high, low)| keys.clone().with_pitches(high, low));
        roll.rows = Rows::filling(keys, music.top() + headroom, music.bottom(), LANE, LANES_GAP);
        roll
    }

    fn x(&self, tick: f64) -> f32 {
        self.music.left() + narrow((tick - self.left_tick) * self.per_tick)
    }

    fn tick_at(&self, x: f32) -> Tick {
        let tick = self.left_tick + f64::from(x - self.music.left()) / self.per_tick;
        #[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
        Tick(tick.floor() as i64)
    }

    fn first_tick(&self) -> Tick {
        self.tick_at(self.music.left())
    }

    fn last_tick(&self) -> Tick {
        self.tick_at(self.music.right()) + Tick(1)
    }

    /// Left edge of what is to come, in view.
    fn coming_from(&self) -> f32 {
        self.playhead_x.clamp(self.music.left(), self.music.right())
    }

    /// Whether a planned note will not sound, since Play would begin after it.
    fn is_silent(&self, note: &Note) -> bool {
        self.silent_before.is_some_and(|line| note.onset < line)
    }

    /// Rectangle of a note, if it is in view.
    fn area(&self, note: &Note) -> Option<Rect> {
        let start = note.onset.0 as f64 + f64::from(note.offset) / 8.0;
        // A held key extends to the playhead.
        let end = if note.end() == Tick::MAX { self.playhead.max(start) } else { note.end().0 as f64 };
        let left = self.x(start);
        let right = (self.x(end) - 1.0).max(left + 2.5);
        let is_in_view = right >= self.music.left() && left <= self.music.right();
        if !is_in_view {
            return None;
        }
        let (top, height) = self.rows.place(note)?;
        let (middle, half) = (top + height / 2.0, height.max(LEAST_NOTE) / 2.0 - 0.5);
        Some(Rect::from_x_y_ranges(left..=right, middle - half..=middle + half))
    }
}

/// All notes shown: played, planned, withheld, and of the song to come.
fn shown(snapshot: &Snapshot) -> impl Iterator<Item = &Note> {
    let planned = snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
    snapshot.played.iter().chain(planned).chain(&snapshot.song_ahead).chain(snapshot.withheld.iter().map(|withheld| &withheld.note))
}

/// Roles of notes, in canonical order.
fn roles<'a>(notes: impl Iterator<Item = &'a Note>) -> impl Iterator<Item = Role> {
    let mut is_there = [false; Role::ALL.len()];
    notes.for_each(|note| is_there[usize::from(note.role.class())] = true);
    Role::ALL.into_iter().filter(move |role| is_there[usize::from(role.class())])
}

/// Coordinates in egui's precision.
#[allow(clippy::cast_possible_truncation, reason = "no window is so wide that a tenth of a point gets lost")]
const fn narrow(points: f64) -> f32 {
    points as f32
}
