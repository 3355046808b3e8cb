//! Counts, large over the roll: of Trade, and of Play until it takes effect.

use antiphon_engine::music::TICKS_PER_QUARTER;
use antiphon_engine::plan::Side;
use antiphon_engine::session::{ShownTurn, Snapshot};
use egui::{Align2, Color32, FontId, Painter, Rect, vec2};

use crate::editor::model::Now;
use crate::editor::palette::{Palette, paint};
use crate::editor::style;
use crate::editor::words::count;

/// Height of the text, in points; less in a small roll.
const HEIGHT: f32 = 44.0;
/// Beside the text, in points.
const MARGIN: f32 = 12.0;

/// Height of the row that the count needs in a roll of this size.
pub(super) fn height(music: Rect) -> f32 {
    HEIGHT.min(music.height() / 4.0) * 1.2 + 10.0
}

/// Draws whose turn it is, and how much of it is left, at the top of the roll.
pub(super) fn show(painter: &Painter, music: Rect, turn: &ShownTurn, palette: &Palette) {
    large(painter, music, Align2::CENTER_TOP, &words(turn), paint(palette.ink).gamma_multiply(0.7), palette);
}

/// Beats of the metre until Play takes effect, the current one included; `None` if it is not pressed or the plan sounds.
pub(super) fn beats_until_play(snapshot: &Snapshot, now: &Now) -> Option<u32> {
    let left = snapshot.play_from?.0 as f64 - now.playhead.0;
    let denominator = snapshot.bar_at(now.playhead.tick()).bar.metre.denominator();
    let beats = (left / (TICKS_PER_QUARTER * 4 / i64::from(denominator)) as f64).ceil();
    // More would be a plan that was moved since.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range that is checked")]
    (1.0..=64.0).contains(&beats).then_some(beats as u32)
}

/// Draws the beats until Play takes effect, at the right end of what was played, so that nothing of the plan is hidden.
pub(super) fn count_in(painter: &Painter, played: Rect, beats: u32, palette: &Palette) {
    let text = count(usize::try_from(beats).unwrap_or(usize::MAX), "beat");
    large(painter, played, Align2::RIGHT_TOP, &text, paint(palette.playing).gamma_multiply(0.8), palette);
}

/// Draws a text at the top of the roll, on a ground through which the notes shine, so that none is hidden.
fn large(painter: &Painter, music: Rect, align: Align2, text: &str, colour: Color32, palette: &Palette) {
    let sized = |height: f32| painter.layout_no_wrap(text.to_owned(), FontId::proportional(height), colour);
    let height = HEIGHT.min(music.height() / 4.0);
    let width = sized(height).size().x + 2.0 * MARGIN;
    let text = sized(height * (music.width() / width).min(1.0));
    let place = align.anchor_size(align.pos_in_rect(&music.shrink2(vec2(MARGIN + 6.0, 6.0))), text.size());
    painter.rect_filled(place.expand2(vec2(MARGIN, 2.0)), style::RADIUS, paint(palette.coming).gamma_multiply(0.85));
    painter.galley(place.min, text, colour);
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
    use antiphon_engine::music::Tick;

    use super::*;
    use crate::clock::{Motion, MusicalTime};

    #[test]
    fn play_counts_the_beats_of_the_metre_until_its_bar_line() {
        let beats = |play_from, playhead| {
            let now = Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host };
            beats_until_play(&Snapshot { play_from: Some(Tick(play_from)), ..Snapshot::default() }, &now)
        };
        assert_eq!([beats(96, 0.0), beats(96, 0.5), beats(96, 24.0), beats(96, 95.9)], [Some(4), Some(4), Some(3), Some(1)]);
        assert_eq!([beats(96, 96.0), beats(96, 300.0), beats(1_000_000, 0.0)], [None; 3]);
        assert_eq!(beats_until_play(&Snapshot::default(), &Now { playhead: MusicalTime(0.0), tempo: 120.0, motion: Motion::Host }), None);
    }

    #[test]
    fn count_names_the_side_the_bars_and_the_beats() {
        let words = |side, bars_left, beats_left| words(&ShownTurn { side, bars_left, beats_left });
        assert_eq!(words(Side::Player, 3, 4), "You: 3 bars, 4 beats left");
        assert_eq!(words(Side::Antiphon, 1, 1), "Antiphon: 1 bar, 1 beat left");
        assert_eq!(words(Side::Player, 0, 2), "You: 2 beats left");
    }
}
