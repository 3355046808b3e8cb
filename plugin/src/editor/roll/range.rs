//! Bars marked for Infill and selected bars: their bands, and drags over the bar numbers.

use std::ops::Range;

use antiphon_engine::music::{Bar, Tick};
use antiphon_engine::plan::InfillRange;
use antiphon_engine::session::{Command, Snapshot};
use egui::{Align2, CursorIcon, FontId, Id, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2};

use super::{Marks, NUMBERS, Roll, paint};

/// Most bars that can be marked.
const MOST_BARS: i64 = 8;
/// Number of the last bar that can be marked.
const LAST_BAR: i64 = 999;

/// Whether bars can be marked by dragging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::editor) enum Marking {
    /// By dragging over the bar numbers.
    Plain,
    /// With Shift held.
    WithShift,
}

/// Marked bars from the one at which the drag began to the one it has reached.
fn range(from: i64, to: i64) -> InfillRange {
    let to = to.clamp(from - MOST_BARS + 1, from + MOST_BARS - 1).clamp(1, LAST_BAR);
    let from = from.clamp(1, LAST_BAR);
    let (first, bars) = (from.min(to), (from - to).abs() + 1);
    InfillRange { from: u16::try_from(first).unwrap_or(1), bars: u8::try_from(bars).unwrap_or(1) }
}

/// What a drag over the bar numbers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Gesture {
    /// Marks bars for Infill.
    #[default]
    Mark,
    /// Selects bars.
    Select,
    /// Drags the selected bars out.
    DragOut,
}

/// Result of a drag over the bar numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dragged {
    /// Bars of Infill, and whether the drag has ended.
    Mark(InfillRange, bool),
    /// Selected bars, from the first bar line to the last.
    Select(Range<Tick>),
    /// The selected bars are dragged out.
    Out,
}

impl Roll {
    /// Handles the pointer over the bar numbers. In Infill a drag marks bars and with Shift it selects them, elsewhere the other way round; a drag
    /// that begins on selected bars drags them out. Returns the response, too: clicks do not reach the roll under the numbers.
    pub(super) fn numbers(&self, ui: &Ui, snapshot: &Snapshot, marks: Marks<'_>) -> (Response, Option<Dragged>) {
        let numbers = Rect::from_x_y_ranges(self.music.x_range(), self.rect.top()..=self.rect.top() + NUMBERS);
        let id = Id::unique("dragged bars");
        let tip = match marks.marking {
            Marking::Plain => "Drag over the numbers to mark the bars that Infill fills, with Shift to select bars",
            Marking::WithShift => "Drag over the numbers to select bars, with Shift to mark the bars that Infill fills",
        };
        let locks = |place: Pos2| match self.lock_at(place, snapshot) {
            Some(Command::Lock(_)) => "Click to lock this bar: other suggestions keep it\n",
            Some(Command::Unlock(_)) => "Locked: click to unlock\n",
            _ => "",
        };
        let is_selected = |place: Pos2| marks.selection.is_some_and(|bars| bars.contains(&self.tick_at(place.x)));
        let mut response = ui.interact(numbers, id, Sense::CLICK | Sense::DRAG);
        response = match response.hover_pos() {
            Some(place) if is_selected(place) => {
                let tip = "Drag these bars onto a track or into a folder; right-click for more";
                response.on_hover_text(tip).on_hover_cursor(CursorIcon::Grab)
            }
            Some(place) => response.on_hover_text(format!("{}{tip}", locks(place))),
            None => response,
        };
        if response.is_pointer_button_down_on()
            && ui.input(|input| input.pointer.primary_pressed())
            && let Some(place) = ui.input(|input| input.pointer.press_origin())
        {
            let marks_bars = (marks.marking == Marking::Plain) != ui.input(|input| input.modifiers.shift);
            let gesture = match marks_bars {
                true => Gesture::Mark,
                false if is_selected(place) => Gesture::DragOut,
                false => Gesture::Select,
            };
            ui.data_mut(|data| data.insert_temp(id, (gesture, self.tick_at(place.x))));
        }
        let dragged = self.dragged(ui, id, snapshot);
        (response, dragged)
    }

    /// What the drag has reached in this frame. A click marks a bar of Infill; it neither selects nor drags out.
    fn dragged(&self, ui: &Ui, id: Id, snapshot: &Snapshot) -> Option<Dragged> {
        let (gesture, from) = ui.data(|data| data.get_temp::<(Gesture, Tick)>(id))?;
        let place = ui.input(|input| input.pointer.latest_pos())?;
        let is_over = !ui.input(|input| input.pointer.primary_down());
        let is_drag = ui.input(|input| input.pointer.is_decidedly_dragging());
        if is_over || gesture == Gesture::DragOut && is_drag {
            ui.data_mut(|data| data.remove_temp::<(Gesture, Tick)>(id));
        }
        let (from, to) = (snapshot.bar_at(from), snapshot.bar_at(self.tick_at(place.x)));
        match gesture {
            Gesture::Mark => Some(Dragged::Mark(range(from.number, to.number), is_over)),
            Gesture::Select if is_drag => Some(Dragged::Select(from.bar.start.min(to.bar.start)..from.bar.end().max(to.bar.end()))),
            Gesture::DragOut if is_drag => Some(Dragged::Out),
            _ => None,
        }
    }

    /// Draws the band of selected bars.
    pub(super) fn selected(&self, painter: &Painter, bars: &Range<Tick>) {
        self.band(painter, (self.x(bars.start.0 as f64), self.x(bars.end.0 as f64)), "Selected");
    }

    /// Draws the band of marked bars, with its name.
    pub(super) fn marked(&self, painter: &Painter, snapshot: &Snapshot, range: InfillRange) {
        let (from, to) = (self.first_tick(), self.last_tick());
        // The bars lie ahead of the fill's first note, or in the plan.
        let is_filled =
            |bar: Bar| snapshot.plan.iter().any(|shown| shown.plan.notes().iter().any(|note| (bar.start..bar.end()).contains(&note.onset)));
        let filled = snapshot.bars_between(from, to).any(|shown| range.contains(shown.number) && is_filled(shown.bar));
        let name = if filled { "Infill: new notes" } else { "Infill: to be filled" };
        let mut open: Option<(f32, f32)> = None;
        for shown in snapshot.bars_between(from, to) {
            if range.contains(shown.number) {
                let right = self.x(shown.bar.end().0 as f64);
                open = Some((open.map_or(self.x(shown.bar.start.0 as f64), |(left, _)| left), right));
            } else if let Some(band) = open.take() {
                self.band(painter, band, name);
            }
        }
        if let Some(band) = open {
            self.band(painter, band, name);
        }
    }

    fn band(&self, painter: &Painter, (left, right): (f32, f32), name: &str) {
        let (left, right) = (left.max(self.music.left()), right.min(self.music.right()));
        if right <= left {
            return;
        }
        let action = paint(self.palette.action);
        let band = Rect::from_x_y_ranges(left..=right, self.rect.top()..=self.velocities.bottom());
        let painter = painter.with_clip_rect(band);
        painter.rect_filled(band, 0.0, action.gamma_multiply(0.10));
        painter.rect_stroke(band, 0.0, Stroke::new(1.0, action), StrokeKind::Inside);
        painter.hline(band.x_range(), self.rect.top() + 1.5, Stroke::new(3.0, action));
        painter.text(pos2(right - 5.0, self.rect.top() + NUMBERS / 2.0), Align2::RIGHT_CENTER, name, FontId::proportional(11.0), action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_bars_are_those_from_press_to_pointer_and_eight_at_most() {
        let marked = |from, to| {
            let range = range(from, to);
            (range.from, range.bars)
        };
        assert_eq!([marked(5, 5), marked(5, 6), marked(5, 3)], [(5, 1), (5, 2), (3, 3)]);
        assert_eq!([marked(5, 50), marked(20, 5)], [(5, 8), (13, 8)]);
        assert_eq!([marked(-3, 2), marked(2, -3), marked(999, 1005)], [(1, 2), (1, 2), (999, 1)]);
    }
}
