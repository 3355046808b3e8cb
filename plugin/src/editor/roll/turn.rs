//! The count of Trade, large over the roll.

use antiphon_engine::plan::Side;
use antiphon_engine::session::ShownTurn;
use egui::{Align2, FontId, Painter, Rect, pos2, vec2};

use crate::editor::palette::{Palette, paint};
use crate::editor::style;
use crate::editor::words::count;

/// Height of the text, in points; less in a small roll.
const HEIGHT: f32 = 44.0;

/// Draws whose turn it is, and how much of it is left, at the top of the roll.
pub(super) fn show(painter: &Painter, music: Rect, turn: &ShownTurn, palette: &Palette) {
    let font = FontId::proportional(HEIGHT.min(music.height() / 4.0));
    let ink = paint(palette.ink).gamma_multiply(0.7);
    let text = painter.layout_no_wrap(words(turn), font, ink);
    let place = Align2::CENTER_TOP.anchor_size(pos2(music.center().x, music.top() + 6.0), text.size());
    // Notes shine through the ground, so that none is hidden.
    painter.rect_filled(place.expand2(vec2(12.0, 2.0)), style::RADIUS, paint(palette.coming).gamma_multiply(0.85));
    painter.galley(place.min, text, ink);
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
        0 => format!("{whose}: {beats}"),
        bars => format!("{whose}: {}, {beats}", count(bars, "bar")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_names_the_side_the_bars_and_the_beats() {
        let words = |side, bars_left, beats_left| words(&ShownTurn { side, bars_left, beats_left });
        assert_eq!(words(Side::Player, 3, 4), "You: 3 bars, 4 beats");
        assert_eq!(words(Side::Antiphon, 1, 1), "Antiphon: 1 bar, 1 beat");
        assert_eq!(words(Side::Player, 0, 2), "You: 2 beats");
    }
}
