//! What the roll says while there is no music: that one should play, and what the modes do.

use antiphon_engine::plan::PlayMode;
use antiphon_engine::session::Snapshot;
use egui::{Align2, FontId, Painter, Rect, pos2, vec2};

use super::{Roll, paint};
use crate::editor::modes::purpose;
use crate::editor::status::is_missing;
use crate::editor::style;

/// Distance of the lines on the modes, in points.
const LINE: f32 = 20.0;
/// Width of the names of the modes, in points.
const NAMES: f32 = 84.0;
/// Height that the first two lines need, in points.
const HEAD: f32 = 56.0;

impl Roll {
    /// Draws it right of the playhead. The modes are left out where there is no room for their sentences.
    pub(super) fn invitation(&self, painter: &Painter, snapshot: &Snapshot) {
        let ahead = Rect::from_x_y_ranges(self.coming_from()..=self.music.right(), self.music.y_range()).shrink(12.0);
        let [ink, soft] = [self.palette.ink, self.palette.soft].map(paint);
        let lines = match is_missing(&snapshot.status) {
            true => [
                "Antiphon cannot suggest anything: a part of it is missing.",
                "Install it again. The last lines of this window say which part.",
            ],
            false => ["Play some notes.", "What could come next appears here."],
        };
        let font = FontId::proportional(12.0);
        let modes = PlayMode::ALL.map(|mode| (mode, painter.layout_no_wrap(purpose(mode).to_owned(), font.clone(), soft)));
        let width = NAMES + modes.iter().map(|(_, text)| text.size().x).fold(0.0, f32::max);
        let height = HEAD + LINE * modes.len() as f32;
        let has_modes = !is_missing(&snapshot.status) && width <= ahead.width() && height <= ahead.height();
        let top = ahead.center().y - if has_modes { height } else { HEAD } / 2.0;
        // The lines of the beats would run through the words.
        let ground = Rect::from_center_size(ahead.center(), vec2(ahead.width(), if has_modes { height } else { HEAD } + 16.0));
        painter.rect_filled(ground, style::RADIUS, paint(self.palette.coming).gamma_multiply(0.85));
        for (line, y) in lines.into_iter().zip([top + 10.0, top + 32.0]) {
            painter.text(pos2(ahead.center().x, y), Align2::CENTER_CENTER, line, FontId::proportional(16.0), soft);
        }
        if !has_modes {
            return;
        }
        let left = ahead.center().x - width / 2.0;
        let mut y = top + HEAD + LINE / 2.0;
        for (mode, sentence) in modes {
            painter.text(pos2(left, y), Align2::LEFT_CENTER, mode.name(), font.clone(), ink);
            let place = Align2::LEFT_CENTER.anchor_size(pos2(left + NAMES, y), sentence.size());
            painter.galley(place.min, sentence, soft);
            y += LINE;
        }
    }
}
