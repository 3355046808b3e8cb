//! The marked bars of Infill: their band, and marking them with the pointer.

use antiphon_engine::plan::InfillRange;
use antiphon_engine::session::Snapshot;
use egui::{Align2, FontId, Id, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2};

use super::{NUMBERS, Roll, paint};

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

impl Roll {
    /// Handles a drag over the bar numbers; returns the bars under it, and whether it has ended.
    pub(super) fn mark(&self, ui: &Ui, snapshot: &Snapshot, marking: Marking) -> Option<(InfillRange, bool)> {
        let numbers = Rect::from_x_y_ranges(self.music.x_range(), self.rect.top()..=self.rect.top() + NUMBERS);
        let id = Id::unique("marked bars");
        let tip = match marking {
            Marking::Plain => "Drag over the numbers to mark the bars that Infill fills",
            Marking::WithShift => "Drag with Shift over the numbers to mark the bars that Infill fills",
        };
        // A click alone goes to the roll under it.
        let response = ui.interact(numbers, id, Sense::drag()).on_hover_text(tip);
        let number_at = |place: Pos2| snapshot.bar_at(self.tick_at(place.x)).number;
        let is_allowed = marking == Marking::Plain || ui.input(|input| input.modifiers.shift);
        let pressed = ui.input(|input| input.pointer.press_origin());
        if response.is_pointer_button_down_on()
            && ui.data(|data| data.get_temp::<i64>(id)).is_none()
            && let Some(place) = pressed.filter(|_| is_allowed)
        {
            ui.data_mut(|data| data.insert_temp(id, number_at(place)));
        }
        let from = ui.data(|data| data.get_temp::<i64>(id))?;
        let place = ui.input(|input| input.pointer.latest_pos())?;
        let is_over = !ui.input(|input| input.pointer.primary_down());
        if is_over {
            ui.data_mut(|data| data.remove_temp::<i64>(id));
        }
        Some((range(from, number_at(place)), is_over))
    }

    /// Draws the band of marked bars, with its name.
    pub(super) fn marked(&self, painter: &Painter, snapshot: &Snapshot, range: InfillRange) {
        let (from, to) = (self.first_tick(), self.last_tick());
        let mut open: Option<(f32, f32)> = None;
        for shown in snapshot.bars_between(from, to) {
            if range.contains(shown.number) {
                let right = self.x(shown.bar.end().0 as f64);
                open = Some((open.map_or(self.x(shown.bar.start.0 as f64), |(left, _)| left), right));
            } else if let Some(band) = open.take() {
                self.band(painter, band);
            }
        }
        if let Some(band) = open {
            self.band(painter, band);
        }
    }

    fn band(&self, painter: &Painter, (left, right): (f32, f32)) {
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
        painter.text(
            pos2(right - 5.0, self.rect.top() + NUMBERS / 2.0),
            Align2::RIGHT_CENTER,
            "Infill",
            FontId::proportional(11.0),
            action,
        );
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
