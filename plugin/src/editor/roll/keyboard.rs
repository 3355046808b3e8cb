//! Left edge of the piano roll: piano keys with the names of the Cs, and the names of the drums.

use antiphon_roll::legend;
use egui::{Align2, FontId, Painter, Rect, Stroke, StrokeKind, pos2};

use super::{Roll, paint};

/// Width of the piano keys, in points.
const KEYS: f32 = 26.0;
/// Share of it that black keys take.
const BLACK: f32 = 0.6;

impl Roll {
    /// Draws keys and names.
    pub(super) fn names(&self, painter: &Painter) {
        let (palette, right) = (self.palette, self.music.left());
        let [white, black] = palette.piano_keys();
        let font = |height: f32| FontId::proportional(height.clamp(9.0, 12.0));
        for key in self.rows.pitched() {
            let Some((top, height)) = self.rows.place_key(key) else { continue };
            let is_black = matches!(key % 12, 1 | 3 | 6 | 8 | 10);
            let whole = Rect::from_x_y_ranges(right - KEYS..=right, top..=top + height);
            painter.rect_filled(whole, 0, white);
            if is_black {
                painter.rect_filled(whole.with_max_x(whole.left() + KEYS * BLACK), 0, black);
            }
            // White keys meet between E and F and between B and C.
            if matches!(key % 12, 0 | 5) {
                painter.hline(whole.x_range(), whole.bottom(), Stroke::new(1.0, paint(palette.soft)));
            }
            if key % 12 == 0 {
                let place = pos2(whole.left() - 5.0, top + height / 2.0);
                painter.text(place, Align2::RIGHT_CENTER, format!("C{}", i16::from(key / 12) - 1), font(11.5), paint(palette.ink));
            }
        }
        if self.rows.keys().pitches().is_some() {
            let column = Rect::from_x_y_ranges(right - KEYS..=right, self.music.top()..=self.rows.pitches_bottom());
            painter.rect_stroke(column, 0, palette.hairline(0.3), StrokeKind::Inside);
        }
        for &key in self.rows.keys().drums() {
            let Some((top, height)) = self.rows.place_drum(key) else { continue };
            painter.hline(self.music.x_range(), top + height, palette.hairline(0.07));
            let place = pos2(right - 8.0, top + height / 2.0);
            painter.text(place, Align2::RIGHT_CENTER, legend::percussion(key), font(height - 2.0), paint(palette.soft));
        }
    }
}
