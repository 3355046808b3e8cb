//! What part of the music the piano roll shows: it follows the playhead and fits the pitches until one scrolls.

use antiphon_engine::music::Tick;
use antiphon_engine::session::Snapshot;
use egui::{Button, PointerButton, Pos2, Rect, RichText, Ui, pos2, vec2};

use super::{NUMBERS, Roll};

/// Magnification of the time; at 1 the whole plan is in view.
const ZOOMS: [f64; 2] = [0.25, 16.0];
/// Number of semitones in view.
const SEMITONES: [f32; 2] = [12.0, 128.0];
/// Bars that can be scrolled to before the first known bar and after the plan.
const BARS_OVER: f64 = 4.0;
/// Size of the button that follows again, in points.
const BUTTON: egui::Vec2 = vec2(112.0, NUMBERS);

/// The part of the music that is shown, as far as the player has chosen it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::editor) struct View {
    /// Tick at the left edge; `None` while the view follows the playhead.
    left: Option<f64>,
    /// Magnification of the time.
    zoom: f64,
    /// Pitched rows; `None` while they fit the notes in view.
    pitches: Option<Pitches>,
}

/// Pitched rows that were scrolled to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pitches {
    /// The lowest key. Fractions add up while one scrolls.
    lowest: f32,
    semitones: f32,
}

impl Default for View {
    fn default() -> Self {
        Self { left: None, zoom: 1.0, pitches: None }
    }
}

impl View {
    /// A view that was scrolled to this tick.
    pub(in crate::editor) fn scrolled_to(left: f64) -> Self {
        Self { left: Some(left), ..Self::default() }
    }

    /// Tick at the left edge, unless it follows the playhead.
    pub(in crate::editor) const fn left(&self) -> Option<f64> {
        self.left
    }

    /// Magnification of the time.
    pub(in crate::editor) const fn zoom(&self) -> f64 {
        self.zoom
    }

    /// Highest and lowest key to show, unless the pitches fit the notes.
    pub(in crate::editor) fn pitches(&self) -> Option<(u8, u8)> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limited to MIDI keys")]
        let key = |key: f32| key.round().clamp(0.0, 127.0) as u8;
        self.pitches.map(|rows| (key(rows.lowest.round() + rows.semitones.round() - 1.0), key(rows.lowest)))
    }

    /// Follows wheel and double-click over the roll, for the next frame.
    pub(super) fn navigate(&mut self, ui: &Ui, roll: &Roll, snapshot: &Snapshot) {
        // The bar numbers lie over the roll, so its response is not hovered there.
        let is_here = |pointer: &Pos2| roll.rect.contains(*pointer) && ui.ctx().layer_id_at(*pointer) == Some(ui.layer_id());
        let Some(pointer) = ui.input(|input| input.pointer.hover_pos()).filter(is_here) else { return };
        if ui.input(|input| input.pointer.button_double_clicked(PointerButton::Primary)) && pointer.y < roll.rect.top() + NUMBERS {
            *self = Self::default();
            return;
        }
        let (scroll, zoom, vertical) = ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta_2d(), input.modifiers.alt));
        if scroll.x != 0.0 {
            self.left = Some(roll.left_tick - f64::from(scroll.x) / roll.per_tick);
        }
        if zoom.x != 1.0 && !vertical {
            let last = self.zoom;
            self.zoom = (last * f64::from(zoom.x)).clamp(ZOOMS[0], ZOOMS[1]);
            // What lies under the pointer stays there; while the view follows, the playhead does.
            if let Some(left) = &mut self.left {
                let from_left = f64::from(pointer.x - roll.music.left()) / roll.per_tick;
                *left += from_left * (1.0 - last / self.zoom);
            }
        }
        if let Some(left) = &mut self.left {
            let [first, last] = roll.limits(snapshot);
            *left = left.clamp(first, last);
        }
        let scrolled = scroll.y / roll.rows.semitone().max(1.0);
        if scrolled != 0.0 || vertical && zoom.y != 1.0 {
            self.scroll_pitches(roll, scrolled, if vertical { zoom.y } else { 1.0 });
        }
    }

    /// Scrolls the pitches by a number of semitones and magnifies them around their middle.
    fn scroll_pitches(&mut self, roll: &Roll, by: f32, zoom: f32) {
        let Some((high, low)) = roll.rows.keys().pitches() else { return };
        let shown = Pitches { lowest: low.into(), semitones: f32::from(high - low) + 1.0 };
        let rows = self.pitches.unwrap_or(shown);
        let semitones = (rows.semitones / zoom).clamp(SEMITONES[0], SEMITONES[1]);
        let lowest = rows.lowest + by + (rows.semitones - semitones) / 2.0;
        self.pitches = Some(Pitches { lowest: lowest.clamp(0.0, 128.0 - semitones), semitones });
    }

    /// The button that follows the playhead and fits the pitches again, while the view does not. It stands over bar numbers, not over music.
    pub(super) fn follow_button(&mut self, ui: &mut Ui, roll: Rect) {
        if *self == Self::default() {
            return;
        }
        let (text, tip) = if self.left.is_some() {
            ("Follow playhead", "Scrolls back to the playhead and follows it, with the whole plan and all notes in view")
        } else {
            ("Show all", "Shows the whole plan and all notes again")
        };
        let place = Rect::from_min_size(pos2(roll.right() - BUTTON.x, roll.top()), BUTTON);
        let button = Button::new(RichText::new(text).size(12.0)).min_size(BUTTON);
        if ui.put(place, button).on_hover_text(format!("{tip}. A double-click on the bar numbers does the same")).clicked() {
            *self = Self::default();
        }
    }
}

impl Roll {
    /// Least and largest tick at the left edge.
    fn limits(&self, snapshot: &Snapshot) -> [f64; 2] {
        let bar = snapshot.bar_at(self.tick_at(self.playhead_x)).bar.metre.bar_length().0 as f64;
        let first = snapshot.bars.first().map_or(Tick::ZERO, |shown| shown.bar.start);
        let first = snapshot.played.first().map_or(first, |note| first.min(note.onset)).0 as f64;
        let end = snapshot.plan.as_ref().map_or(0.0, |shown| shown.plan.brief.end.0 as f64).max(self.playhead);
        let width = f64::from(self.music.width()) / self.per_tick;
        let least = first.min(self.playhead) - BARS_OVER * bar;
        [least, (end + BARS_OVER * bar - width).max(least)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitches_scroll_by_whole_rows_and_stay_on_the_keyboard() {
        let at = |lowest, semitones| View { pitches: Some(Pitches { lowest, semitones }), ..View::default() }.pitches();
        assert_eq!([at(48.4, 25.0), at(48.6, 25.0)], [Some((72, 48)), Some((73, 49))]);
        assert_eq!([at(0.0, 128.0), at(103.0, 25.0)], [Some((127, 0)), Some((127, 103))]);
        assert_eq!(View::default().pitches(), None);
    }
}
