//! Flags in the ruler: where Antiphon starts to play, and where its phrase ends.

use antiphon_engine::music::Tick;
use antiphon_engine::session::Snapshot;
use egui::{Align2, FontId, Painter, Rect, Shape, Stroke, pos2, vec2};

use super::{NUMBERS, Roll, paint};
use crate::editor::play_time::Flags;

/// Width and height of a flag's sign, in points.
const SIGN: f32 = 8.0;
/// Width of a bar that has room for its number and the flag of the end, in points.
const LEAST_BAR: f32 = 72.0;

impl Roll {
    /// The lines of both flags, and the sign and word of the end.
    pub(super) fn flags(&self, painter: &Painter, snapshot: &Snapshot, flags: &Flags) {
        let playing = paint(self.palette.playing);
        let line = |tick: Tick| {
            let x = self.x(tick.0 as f64);
            let is_in_view = self.music.x_range().contains(x);
            if is_in_view {
                painter.vline(
                    painter.round_to_pixel_center(x),
                    self.rect.top() + 2.0..=self.velocities.bottom(),
                    Stroke::new(2.0, playing),
                );
            }
            is_in_view.then_some(x)
        };
        flags.starts.map(|(tick, _)| line(tick));
        let Some(x) = flags.ends.and_then(line) else { return };
        let y = self.rect.top() + NUMBERS / 2.0;
        // Before the line; behind it where the number of the bar would be in the way.
        let bar = flags.ends.map_or(Tick::ZERO, |end| snapshot.bar_at(end - Tick(1)).bar.start);
        let (side, align) = if x - self.x(bar.0 as f64) < LEAST_BAR { (1.0, Align2::LEFT_CENTER) } else { (-1.0, Align2::RIGHT_CENTER) };
        let sign = Rect::from_center_size(pos2(x + side * (5.0 + SIGN / 2.0), y), vec2(SIGN - 1.0, SIGN - 1.0));
        painter.rect_filled(sign, 0, playing);
        painter.text(sign.center() + vec2(side * SIGN, 0.0), align, "ends", FontId::proportional(11.0), playing);
    }

    /// The sign and word of the start, behind the number of its bar, which ends at `x`. Returns their right edge.
    pub(super) fn start_flag(&self, painter: &Painter, x: f32, word: &str) -> f32 {
        let (y, playing) = (self.rect.top() + NUMBERS / 2.0, paint(self.palette.playing));
        let left = x + 7.0;
        let corners = vec![pos2(left, y - SIGN / 2.0), pos2(left + SIGN * 0.9, y), pos2(left, y + SIGN / 2.0)];
        painter.add(Shape::convex_polygon(corners, playing, Stroke::NONE));
        painter.text(pos2(left + SIGN + 3.0, y), Align2::LEFT_CENTER, word, FontId::proportional(11.0), playing).right()
    }
}
