//! Background of the piano roll: past and future, and the keys of the scale.

use antiphon_engine::music::analysis::{KeySignature, Scale};
use antiphon_engine::session::Snapshot;
use egui::{CornerRadius, Painter, Rect, pos2, vec2};

use super::{LANES_GAP, Roll, paint};
use crate::editor::style;

/// Opacity of the ink that shades rows outside the scale.
const SHADE: f32 = 0.045;

impl Roll {
    /// Lighter right of the playhead; rows outside the key's scale are shaded, or the black keys where no key is known.
    pub(super) fn ground(&self, painter: &Painter, snapshot: &Snapshot) {
        let palette = self.palette;
        painter.rect_filled(self.rect, CornerRadius::same(style::RADIUS), paint(palette.paper));
        let right_of_playhead = Rect::from_min_max(pos2(self.coming_from(), self.music.top()), self.music.max);
        let right_of_playhead = right_of_playhead.with_max_y(self.velocities.bottom());
        painter.rect_filled(self.music.union(self.velocities), 0, paint(palette.played));
        painter.rect_filled(right_of_playhead, 0, paint(palette.coming));
        let key = key(snapshot);
        let scale = key.map_or_else(|| Scale::new([0, 2, 4, 5, 7, 9, 11]), Scale::of_key);
        for pitch in self.rows.pitched() {
            let Some((top, height)) = self.rows.place_key(pitch) else { continue };
            let row = Rect::from_min_size(pos2(self.music.left(), top), vec2(self.music.width(), height));
            if !scale.contains(pitch) {
                painter.rect_filled(row, 0, paint(palette.ink).gamma_multiply(SHADE));
            }
            if key.is_some_and(|key| key.tonic() == pitch % 12) {
                painter.hline(self.music.x_range(), row.bottom(), palette.hairline(0.16));
            }
        }
        if !self.rows.keys().drums().is_empty() {
            let top = self.rows.drums_top();
            let gap = Rect::from_x_y_ranges(self.music.x_range(), top - LANES_GAP..=top);
            painter.rect_filled(gap, 0, paint(palette.paper));
        }
    }
}

/// Key of the last finished bar, if one was found.
pub(super) fn key(snapshot: &Snapshot) -> Option<KeySignature> {
    snapshot.harmony.last()?.key.map(|found| found.key)
}
