//! Flags in the ruler: where Antiphon starts to play, where another variation takes over, and where its phrase ends.

use std::ops::Range;

use antiphon_engine::music::Tick;
use antiphon_engine::session::Snapshot;
use egui::{Align2, Color32, FontId, Painter, Rect, Shape, Stroke, pos2, vec2};

use super::{NUMBERS, Roll, paint};
use crate::editor::play_time::{After, Flags};

/// Width and height of a flag's sign, in points.
const SIGN: f32 = 8.0;
/// Width of a bar that has room for its number and the flag of the end, in points.
const LEAST_BAR: f32 = 72.0;

/// Height of the line over the time in which Antiphon plays, in points.
const SPAN: f32 = 3.0;
/// Share of the ink in that line while nothing has started the plan.
const UNLIT: f32 = 0.3;

impl Roll {
    /// A line at the foot of the ruler over the time in which Antiphon played, plays, or would play.
    pub(super) fn spans(&self, painter: &Painter, snapshot: &Snapshot, flags: &Flags) {
        // A mode that was stopped would play only from where Play is pressed.
        let is_expected = !snapshot.is_stopped || flags.silent_before.is_some() || !self.is_plan;
        let ahead = if flags.is_lit { paint(self.palette.playing) } else { self.palette.faded(UNLIT) };
        let planned = snapshot.plan.iter().filter(|_| is_expected).map(|shown| {
            let brief = &shown.plan.brief;
            (flags.silent_before.unwrap_or(brief.start).max(brief.start)..brief.end, ahead)
        });
        let sounded = sounded(snapshot).into_iter().map(|span| (span, paint(self.palette.playing)));
        let bottom = self.rect.top() + NUMBERS;
        for (span, colour) in sounded.chain(planned) {
            let [left, right] = [span.start, span.end].map(|tick| self.x(tick.0 as f64).clamp(self.music.left(), self.music.right()));
            if right > left {
                painter.rect_filled(Rect::from_x_y_ranges(left..=right, bottom - SPAN..=bottom), 0, colour);
            }
        }
    }

    /// The lines of all flags, and the signs and words of the swap and of the end.
    pub(super) fn flags(&self, painter: &Painter, snapshot: &Snapshot, flags: &Flags) {
        let playing = paint(self.palette.playing);
        let starting = self.starting(flags);
        let line = |tick: Tick, colour: Color32| {
            let x = self.x(tick.0 as f64);
            let is_in_view = self.music.x_range().contains(x);
            if is_in_view {
                painter.vline(
                    painter.round_to_pixel_center(x),
                    self.rect.top() + 2.0..=self.velocities.bottom(),
                    Stroke::new(if colour == playing { 2.0 } else { 1.0 }, colour),
                );
            }
            is_in_view.then_some(x)
        };
        if let Some((tick, word)) = flags.starts
            && let Some(x) = line(tick, starting)
            && snapshot.bar_at(tick).bar.start != tick
        {
            // At a bar line it stands behind the number of the bar.
            self.start_flag(painter, x, word, starting);
        }
        if let Some((at, variation)) = flags.swap
            && let Some(x) = line(at, playing)
        {
            // Behind the number of a bar that begins there.
            let shown = snapshot.bar_at(at);
            let is_bar_line = shown.bar.start == at;
            let number = painter.layout_no_wrap(shown.number.to_string(), FontId::proportional(12.0), playing).size().x;
            self.start_flag(painter, if is_bar_line { x + 8.0 + number } else { x }, variation.name(), playing);
        }
        let Some((end, after)) = flags.ends else { return };
        let y = self.rect.top() + NUMBERS / 2.0;
        if after == After::More {
            let x = self.x(end.0 as f64);
            if self.music.x_range().contains(x) {
                painter.text(pos2(x - 6.0, y), Align2::RIGHT_CENTER, "goes on", FontId::proportional(11.0), playing);
            }
            return;
        }
        let Some(x) = line(end, starting) else { return };
        if after == After::You {
            // Behind the number of the bar that begins there.
            let number = painter.layout_no_wrap(snapshot.bar_at(end).number.to_string(), FontId::proportional(12.0), playing).size().x;
            painter.text(pos2(x + 12.0 + number, y), Align2::LEFT_CENTER, "you", FontId::proportional(11.0), paint(self.palette.ink));
            return;
        }
        // Before the line; behind it where the number of the bar would be in the way.
        let bar = snapshot.bar_at(end - Tick(1)).bar.start;
        let (side, align) = if x - self.x(bar.0 as f64) < LEAST_BAR { (1.0, Align2::LEFT_CENTER) } else { (-1.0, Align2::RIGHT_CENTER) };
        let sign = Rect::from_center_size(pos2(x + side * (5.0 + SIGN / 2.0), y), vec2(SIGN - 1.0, SIGN - 1.0));
        painter.rect_filled(sign, 0, starting);
        painter.text(sign.center() + vec2(side * SIGN, 0.0), align, "ends", FontId::proportional(11.0), starting);
    }

    /// Colour of where the plan starts and ends: green as what sounds, or dark as the button that starts it.
    pub(super) fn starting(&self, flags: &Flags) -> Color32 {
        paint(if flags.is_lit { self.palette.playing } else { self.palette.ink })
    }

    /// The sign and word of a start, behind the number of its bar, which ends at `x`. Returns their right edge.
    pub(super) fn start_flag(&self, painter: &Painter, x: f32, word: &str, colour: Color32) -> f32 {
        let y = self.rect.top() + NUMBERS / 2.0;
        let left = x + 7.0;
        let corners = vec![pos2(left, y - SIGN / 2.0), pos2(left + SIGN * 0.9, y), pos2(left, y + SIGN / 2.0)];
        painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE));
        painter.text(pos2(left + SIGN + 3.0, y), Align2::LEFT_CENTER, word, FontId::proportional(11.0), colour).right()
    }
}

/// Spans in which Antiphon's notes sounded. A rest of a bar parts them.
fn sounded(snapshot: &Snapshot) -> Vec<Range<Tick>> {
    let mut spans: Vec<Range<Tick>> = Vec::new();
    let Some(first) = snapshot.by_antiphon.first() else { return spans };
    // Looked up once for all its notes.
    let mut bar = snapshot.bar_at(first.onset).bar;
    for note in &snapshot.by_antiphon {
        // One that still sounds has no end yet.
        let end = if note.end() == Tick::MAX { note.onset + Tick(1) } else { note.end() };
        if note.onset >= bar.end() {
            bar = snapshot.bar_at(note.onset).bar;
        }
        match spans.last_mut() {
            Some(last) if note.onset <= last.end + bar.length => last.end = last.end.max(end),
            _ => spans.push(note.onset..end),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Note, Role};

    use super::*;

    #[test]
    fn antiphons_notes_are_one_span_until_it_rests_for_a_bar() {
        let note = |onset| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch: 60, velocity: 80, role: Role::Keys };
        let held = Note { duration: Tick::MAX, ..note(500) };
        let by_antiphon = [note(0), note(24), note(130), note(300), held].to_vec();
        assert_eq!(
            sounded(&Snapshot { by_antiphon, ..Snapshot::default() }),
            [Tick(0)..Tick(142), Tick(300)..Tick(312), Tick(500)..Tick(501)]
        );
    }
}
