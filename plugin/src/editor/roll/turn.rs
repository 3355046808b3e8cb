//! Counts, large: of Trade in a row over the notes, and of the beats until Antiphon begins in the corner of the roll.

use antiphon_engine::plan::Side;
use antiphon_engine::session::ShownTurn;
use egui::{Align2, FontId, Painter, Rect, pos2, vec2};

use crate::editor::palette::{Palette, paint};
use crate::editor::style;
use crate::editor::words::count;

/// Height of the text, in points; less in a small roll.
const HEIGHT: f32 = 44.0;
/// Beside the text, in points.
const MARGIN: f32 = 12.0;
/// Between a number and its unit, in points.
const BESIDE: f32 = 4.0;

/// Height of the row that the count needs in a roll of this size.
pub(super) fn height(music: Rect) -> f32 {
    HEIGHT.min(music.height() / 4.0) * 1.2 + 10.0
}

/// Draws whose turn it is, and how much of it is left, at the top of the roll.
pub(super) fn show(painter: &Painter, music: Rect, turn: &ShownTurn, palette: &Palette) {
    let colour = paint(palette.soft);
    let text = words(turn);
    let sized = |height: f32| painter.layout_no_wrap(text.clone(), FontId::proportional(height), colour);
    let height = HEIGHT.min(music.height() / 4.0);
    let width = sized(height).size().x + 2.0 * MARGIN;
    let text = sized(height * (music.width() / width).min(1.0));
    let place = Align2::CENTER_TOP.anchor_size(music.center_top() + vec2(0.0, 6.0), text.size());
    // The lines of the bars would run through the words.
    painter.rect_filled(place.expand2(vec2(MARGIN, 2.0)), style::RADIUS, paint(palette.coming));
    painter.galley(place.min, text, colour);
}

/// Draws the beats until Antiphon begins into the corner beside the bar numbers, over the piano keys: no note lies there.
pub(super) fn count_in(painter: &Painter, corner: Rect, beats: u32, palette: &Palette) {
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

/// The count in words: bars and beats, and in the last bar the beats alone.
fn words(turn: &ShownTurn) -> String {
    let count = |number: u32, unit| count(usize::try_from(number).unwrap_or(usize::MAX), unit);
    let whose = match turn.side {
        Side::Player => "You",
        Side::Antiphon => "Antiphon",
    };
    let beats = count(turn.beats_left, "beat");
    match turn.bars_left {
        0 => format!("{whose}: {beats} left"),
        bars => format!("{whose}: {}, {beats} left", count(bars, "bar")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_names_the_side_the_bars_and_the_beats() {
        let words = |side, bars_left, beats_left| words(&ShownTurn { side, bars_left, beats_left });
        assert_eq!(words(Side::Player, 3, 4), "You: 3 bars, 4 beats left");
        assert_eq!(words(Side::Antiphon, 1, 1), "Antiphon: 1 bar, 1 beat left");
        assert_eq!(words(Side::Player, 0, 2), "You: 2 beats left");
    }
}
