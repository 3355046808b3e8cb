//! The band of the bars that Infill fills: its lane with their name, and the handles at its edges.

use std::ops::Range;

use antiphon_engine::music::Tick;
use antiphon_engine::plan::InfillRange;
use antiphon_engine::session::Snapshot;
use egui::{Align2, CursorIcon, FontId, Painter, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::range::Dragged;
use super::{Roll, paint};
use crate::editor::infill::{Edge, ends, name, resized};
use crate::editor::words::sentence;

/// Height of the lane over the notes, in points.
pub(super) const LANE: f32 = 20.0;
/// Width of a handle, in points.
const HANDLE: f32 = 14.0;
/// Length of an arrow on it, in points.
const ARROW: f32 = 4.5;
/// Width and height of the area that takes a drag, in points.
const GRIP: f32 = 24.0;

/// Marked bars that lie in the roll in one piece. A loop brings them more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Band {
    /// From its first bar line to its last.
    bars: Range<Tick>,
    /// Whether it begins with the first of the marked bars and ends with the last.
    is_whole: [bool; 2],
}

impl Band {
    fn tick(&self, edge: Edge) -> Tick {
        match edge {
            Edge::First => self.bars.start,
            Edge::Last => self.bars.end,
        }
    }
}

impl Roll {
    /// Bands in view.
    fn bands(&self, snapshot: &Snapshot, range: InfillRange) -> Vec<Band> {
        let (first, last) = ends(range);
        let mut bands: Vec<Band> = Vec::new();
        let mut before = None;
        for shown in snapshot.bars_between(self.first_tick(), self.last_tick()).filter(|shown| range.contains(shown.number)) {
            match bands.last_mut() {
                Some(band) if before == Some(shown.number - 1) && band.bars.end == shown.bar.start => {
                    band.bars.end = shown.bar.end();
                    band.is_whole[1] = shown.number == last;
                }
                _ => bands.push(Band { bars: shown.bar.start..shown.bar.end(), is_whole: [shown.number == first, shown.number == last] }),
            }
            before = Some(shown.number);
        }
        bands
    }

    /// Handles at the edges of the marked bars. Returns the bars to which one is being dragged, and whether the drag has ended.
    pub(super) fn handles(&self, ui: &Ui, snapshot: &Snapshot, range: InfillRange) -> Option<Dragged> {
        let mut dragged = None;
        for band in self.bands(snapshot, range) {
            let [left, right] = [band.bars.start, band.bars.end].map(|tick| self.x(tick.0 as f64));
            // In a narrow band each handle has half of it.
            let inside = (GRIP / 2.0).min((right - left) / 2.0);
            for (edge, is_there, zone) in [
                (Edge::First, band.is_whole[0], left - GRIP / 2.0..=left + inside),
                (Edge::Last, band.is_whole[1], right - inside..=right + GRIP / 2.0),
            ] {
                let middle = self.music.top() + LANE / 2.0;
                let zone = Rect::from_x_y_ranges(zone, middle - GRIP / 2.0..=middle + GRIP / 2.0).intersect(self.rect);
                if !is_there || !zone.is_positive() || zone.left() < self.music.left() - GRIP {
                    continue;
                }
                let (name, keys) = match edge {
                    Edge::First => ("First bar of Infill", "Shift+Left and Shift+Right move all bars"),
                    Edge::Last => ("Last bar of Infill", "Shift+Up and Shift+Down do the same"),
                };
                let response = ui.interact(zone, ui.scope_id().with((edge, band.tick(edge).0)), Sense::drag());
                response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
                let response = response.on_hover_text(format!("Drag to set the {}; {keys}", name.to_lowercase()));
                let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
                if (response.dragged() || response.drag_stopped())
                    && let Some(pointer) = ui.input(|input| input.pointer.latest_pos())
                {
                    let by = self.bars_moved(snapshot, range, edge, band.tick(edge), pointer.x);
                    dragged = Some(Dragged::Mark(resized(range, edge, by), response.drag_stopped()));
                }
            }
        }
        dragged
    }

    /// How many bars of the song lie between an edge and the bar line nearest to `x`; negative to the left. A loop ends it.
    fn bars_moved(&self, snapshot: &Snapshot, range: InfillRange, edge: Edge, at: Tick, x: f32) -> i64 {
        let pointed = snapshot.bar_at(self.tick_at(x)).bar;
        let [left, right] = [pointed.start, pointed.end()].map(|line| (self.x(line.0 as f64) - x).abs());
        let line = if left <= right { pointed.start } else { pointed.end() };
        let (first, last) = ends(range);
        let numbers: Vec<i64> = snapshot.bars_between(at.min(line), at.max(line)).map(|shown| shown.number).collect();
        let follow = |numbers: &mut dyn Iterator<Item = i64>, step: i64, from: i64| {
            let expected = std::iter::successors(Some(from), |number| Some(number + step));
            i64::try_from(numbers.zip(expected).take_while(|(number, expected)| number == expected).count()).unwrap_or_default()
        };
        match (edge, line < at) {
            (Edge::First, true) => -follow(&mut numbers.into_iter().rev(), -1, first - 1),
            (Edge::First, false) => follow(&mut numbers.into_iter(), 1, first),
            (Edge::Last, true) => -follow(&mut numbers.into_iter().rev(), -1, last),
            (Edge::Last, false) => follow(&mut numbers.into_iter(), 1, last + 1),
        }
    }

    /// Draws the bands of marked bars, without their lanes.
    pub(super) fn marked(&self, painter: &Painter, snapshot: &Snapshot, range: InfillRange) {
        for band in self.bands(snapshot, range) {
            self.band(painter, &band.bars);
        }
    }

    /// Draws the lanes of the bands, over the lines of the bars: each with its name and its handles.
    pub(super) fn lanes(&self, painter: &Painter, snapshot: &Snapshot, range: InfillRange) {
        for band in self.bands(snapshot, range) {
            let Some(area) = self.in_view(&band.bars) else { continue };
            let lane = area.with_min_y(self.music.top()).with_max_y(self.music.top() + LANE);
            let painter = painter.with_clip_rect(lane);
            painter.rect_filled(lane, 0, paint(self.palette.selected()));
            for (edge, is_there) in [Edge::First, Edge::Last].into_iter().zip(band.is_whole) {
                let x = self.x(band.tick(edge).0 as f64);
                let handle = match edge {
                    Edge::First => x..=x + HANDLE,
                    Edge::Last => x - HANDLE..=x,
                };
                if is_there && self.music.x_range().contains(x) {
                    self.handle(&painter, Rect::from_x_y_ranges(handle, lane.y_range()));
                }
            }
            let is_filled = snapshot.plan.iter().any(|shown| !shown.plan.between(band.bars.start, band.bars.end).is_empty());
            let font = FontId::proportional(11.0);
            let room = lane.width() - 2.0 * (HANDLE + 6.0);
            let texts = names(range, is_filled).into_iter();
            let mut galleys = texts.map(|text| painter.layout_no_wrap(text, font.clone(), paint(self.palette.ink)));
            if let Some(text) = galleys.find(|text| text.size().x <= room) {
                let place = Align2::LEFT_CENTER.anchor_size(pos2(lane.left() + HANDLE + 6.0, lane.center().y), text.size());
                painter.galley(place.min, text, paint(self.palette.ink));
            }
        }
    }

    /// A handle: a tab with arrows to both sides, in which it can be dragged.
    fn handle(&self, painter: &Painter, tab: Rect) {
        painter.rect_filled(tab, 2, paint(self.palette.action));
        for side in [-1.0, 1.0] {
            let base = tab.center() + vec2(side, 0.0);
            let corners = vec![base - vec2(0.0, ARROW), base + vec2(side * ARROW, 0.0), base + vec2(0.0, ARROW)];
            painter.add(Shape::convex_polygon(corners, paint(self.palette.coming), Stroke::NONE));
        }
    }
}

/// Names of the band, the longest first: which bars they are, and what Antiphon does there.
fn names(range: InfillRange, is_filled: bool) -> [String; 4] {
    let bars = format!("Infill in {}", name(range));
    let adds = if is_filled { "adds to your track, replaces nothing" } else { "will add to your track and replace nothing" };
    let short = if is_filled { "adds to your track" } else { "not filled yet" };
    // Which bars they are stands over the band, too.
    [format!("{bars}: {adds}"), format!("{bars}: {short}"), sentence(short), "Infill".into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Motion, MusicalTime};
    use crate::editor::model::Now;
    use crate::editor::palette::Palette;
    use crate::editor::roll::{Frame, View};
    use crate::editor::samples::bar;

    const RANGE: InfillRange = InfillRange { from: 3, bars: 2 };

    /// Bar 1, after bar 4, in a loop of bars 1 to 4.
    fn looped() -> Snapshot {
        Snapshot { bars: vec![bar(4, -96, 96, 4), bar(1, 0, 96, 4)], song_loop: Some((1, 5)), ..Snapshot::default() }
    }

    fn roll(snapshot: &Snapshot) -> Roll {
        let now = Now { playhead: MusicalTime(10.0), tempo: 120.0, motion: Motion::Host };
        let frame = Frame { horizon_bars: 8, silent_before: None, headroom: LANE, is_plan: true, preview: None };
        Roll::new(Rect::from_min_size(pos2(0.0, 0.0), vec2(1200.0, 400.0)), snapshot, &now, frame, &View::default(), &Palette::LIGHT)
    }

    #[test]
    fn loop_brings_the_marked_bars_again_and_what_is_cut_off_has_no_handle_there() {
        let snapshot = looped();
        let bands = roll(&snapshot).bands(&snapshot, RANGE);
        let expected = |from: i64, to: i64, is_whole| Band { bars: Tick(from)..Tick(to), is_whole };
        // The first one is that of the pass before.
        assert_eq!(bands[1..], [expected(192, 384, [true, true]), expected(576, 768, [true, true])]);
        let cut = roll(&snapshot).bands(&snapshot, InfillRange { from: 4, bars: 3 });
        assert_eq!(cut[1], expected(288, 384, [true, false]), "bars 5 and 6 are outside the loop");
    }

    #[test]
    fn edge_moves_to_the_nearest_bar_line_and_not_beyond_the_loop() {
        let snapshot = looped();
        let roll = roll(&snapshot);
        let x = |bar: f64| roll.x(bar * 96.0);
        let first = |bar| roll.bars_moved(&snapshot, RANGE, Edge::First, Tick(192), x(bar));
        assert_eq!([first(2.0), first(1.4), first(0.2), first(3.4), first(3.6)], [0, -1, -2, 1, 2]);
        assert_eq!(first(-3.0), -2, "bar 1 is the first of the loop");
        let last = |bar| roll.bars_moved(&snapshot, RANGE, Edge::Last, Tick(384), x(bar));
        assert_eq!([last(4.0), last(2.9), last(1.0), last(6.0)], [0, -1, -3, 0]);
    }

    #[test]
    fn name_says_which_bars_are_filled() {
        let [longest, .., shortest] = names(RANGE, true);
        assert_eq!((longest.as_str(), shortest.as_str()), ("Infill in bars 3 to 4: adds to your track, replaces nothing", "Infill"));
        assert_eq!(names(RANGE, true)[2], "Adds to your track");
        assert_eq!(names(InfillRange { from: 9, bars: 1 }, false)[1], "Infill in bar 9: not filled yet");
    }
}
