//! The beats until Antiphon begins, large in the corner of the roll.

use egui::{Align2, FontId, Painter, Rect, pos2};

use crate::editor::palette::{Palette, paint};

/// Between a number and its unit, in points.
const BESIDE: f32 = 4.0;

/// Draws the beats until Antiphon begins into the corner beside the bar numbers, over the piano keys: no note lies there.
pub(super) fn show(painter: &Painter, corner: Rect, beats: u32, palette: &Palette) {
    let colour = paint(palette.playing);
    let number = painter.layout_no_wrap(beats.to_string(), FontId::proportional(corner.height() * 0.85), colour);
    let unit = painter.layout_no_wrap(if beats == 1 { "beat" } else { "beats" }.to_owned(), FontId::proportional(12.0), colour);
    let width = number.size().x + BESIDE + unit.size().x;
    let left = corner.center().x - width / 2.0;
    let numbered = Align2::LEFT_CENTER.anchor_size(pos2(left, corner.center().y), number.size());
    // On the line of the number's foot.
    let named = Align2::LEFT_BOTTOM.anchor_size(pos2(numbered.right() + BESIDE, numbered.bottom() - numbered.height() * 0.12), unit.size());
    painter.galley(numbered.min, number, colour);
    painter.galley(named.min, unit, colour);
}
