//! Bar lines, beats and bar numbers of the piano roll.

use antiphon_engine::music::{TICKS_PER_QUARTER, Tick};
use antiphon_engine::session::{Command, Snapshot};
use egui::{Align2, FontId, Painter, Stroke, Ui, pos2};

use super::lines::TIP;
use super::locks::LOCK;
use super::{NUMBERS, Roll, paint};
use crate::editor::play_time::Flags;

/// Minimum distance between bar numbers, in points.
const NUMBER_EVERY: f32 = 34.0;

impl Roll {
    /// Bar lines, beats, bar numbers, and behind a number the metre where it changes, a padlock, and the flag of the start. Returns the command of a
    /// click on a padlock.
    pub(super) fn bars(&self, ui: &Ui, painter: &Painter, snapshot: &Snapshot, flags: &Flags) -> Option<Command> {
        let mut clicked = None;
        let (from, to) = (self.first_tick(), self.last_tick());
        let font = FontId::proportional(12.0);
        let mut before = snapshot.bar_at(snapshot.bar_at(from).bar.start - Tick(1)).bar.metre;
        let mut free_from = f32::NEG_INFINITY;
        for shown in snapshot.bars_between(from, to) {
            let (bar, x) = (shown.bar, self.x(shown.bar.start.0 as f64));
            let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
            // Beat lines closer than this would merge into grey.
            if self.per_tick * beat as f64 > 7.0 {
                for tick in (1..).map(|nth| bar.start + Tick(nth * beat)).take_while(|tick| *tick < bar.end()) {
                    self.line(painter, self.x(tick.0 as f64), self.palette.hairline(0.09));
                }
            }
            self.line(painter, x, self.palette.hairline(0.42));
            // Keep clear of the playhead's tip.
            let beside = if (x - self.playhead_x).abs() < TIP { TIP + 4.0 } else { 4.0 };
            let (left, y) = (x.max(self.music.left()) + beside, self.rect.top() + NUMBERS / 2.0);
            // The number of a bar that starts out of view is drawn at the edge, unless it collides with the next.
            let has_room = x >= self.music.left() || self.x(bar.end().0 as f64) > left + NUMBER_EVERY;
            // Without known bars, numbers start at 1.
            let is_known = shown.number > 0 || !snapshot.bars.is_empty();
            if has_room && is_known && left >= free_from {
                let number = painter.text(pos2(left, y), Align2::LEFT_CENTER, shown.number, font.clone(), paint(self.palette.ink));
                let mut right = number.right();
                if bar.metre != before {
                    let place = pos2(right + 6.0, y);
                    right = painter.text(place, Align2::LEFT_CENTER, bar.metre, font.clone(), paint(self.palette.soft)).right() + 8.0;
                }
                clicked = clicked.or(self.bar_padlock(ui, painter, pos2(right + LOCK, y), shown, snapshot));
                right += 1.5 * LOCK;
                if let Some((_, word)) = flags.starts.filter(|(tick, _)| *tick == bar.start) {
                    right = self.start_flag(painter, right, word, self.starting(flags)) + 8.0;
                }
                free_from = right.max(left + NUMBER_EVERY);
            }
            before = bar.metre;
        }
        clicked
    }

    fn line(&self, painter: &Painter, x: f32, stroke: Stroke) {
        if self.music.x_range().contains(x) {
            painter.vline(painter.round_to_pixel_center(x), self.music.top()..=self.velocities.bottom(), stroke);
        }
    }
}
