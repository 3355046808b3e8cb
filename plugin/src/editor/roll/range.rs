//! Drags over the bar numbers, which mark bars for Infill or select them, and the band of the selected ones.

use std::ops::Range;

use antiphon_engine::music::Tick;
use antiphon_engine::plan::InfillRange;
use antiphon_engine::session::{Command, Snapshot};
use egui::{Align2, CursorIcon, FontId, Id, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2};

use super::{Marks, NUMBERS, Roll, paint};
use crate::editor::infill;

/// Whether bars can be marked by dragging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::editor) enum Marking {
    /// By dragging over the bar numbers.
    Plain,
    /// With Shift held.
    WithShift,
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
            // Here a click marks a bar; the padlock beside its number locks it.
            _ if marks.marking == Marking::Plain => "",
            Some(Command::Lock(_)) => "Click to lock this bar: Another and the other variations leave it as it is\n",
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
            Gesture::Mark => Some(Dragged::Mark(infill::dragged(from.number, to.number), is_over)),
            Gesture::Select if is_drag => Some(Dragged::Select(from.bar.start.min(to.bar.start)..from.bar.end().max(to.bar.end()))),
            Gesture::DragOut if is_drag => Some(Dragged::Out),
            _ => None,
        }
    }

    /// Draws the band of selected bars, with its name.
    pub(super) fn selected(&self, painter: &Painter, bars: &Range<Tick>) {
        if let Some(area) = self.band(painter, bars) {
            let place = pos2(area.right() - 5.0, self.rect.top() + NUMBERS / 2.0);
            let painter = painter.with_clip_rect(area);
            painter.text(place, Align2::RIGHT_CENTER, "Selected", FontId::proportional(11.0), paint(self.palette.action));
        }
    }

    /// The part of the roll over bars, from the bar numbers down, as far as it is in view.
    pub(super) fn in_view(&self, bars: &Range<Tick>) -> Option<Rect> {
        let [left, right] = [bars.start, bars.end].map(|tick| self.x(tick.0 as f64));
        let (left, right) = (left.max(self.music.left()), right.min(self.music.right()));
        (left < right).then(|| Rect::from_x_y_ranges(left..=right, self.rect.top()..=self.velocities.bottom()))
    }

    /// Draws a band over bars; returns the part in view.
    pub(super) fn band(&self, painter: &Painter, bars: &Range<Tick>) -> Option<Rect> {
        let band = self.in_view(bars)?;
        let action = paint(self.palette.action);
        painter.rect_filled(band, 0.0, action.gamma_multiply(0.10));
        painter.rect_stroke(band, 0.0, Stroke::new(1.0, action), StrokeKind::Inside);
        painter.hline(band.x_range(), self.rect.top() + 1.5, Stroke::new(3.0, action));
        Some(band)
    }
}
