//! Chord lane of the piano roll: detected chords with their confidence, and those of the plan.

use antiphon_engine::music::Tick;
use antiphon_engine::session::Snapshot;
use egui::{Align2, CornerRadius, FontId, Painter, Rect, StrokeKind, pos2};

use super::{CHORDS, Roll, paint};

/// Room that a confidence needs right of a chord's name, in points.
const ROOM: f32 = 40.0;
/// Width below which it has no name either.
const NARROW: f32 = 22.0;

/// A chord in the lane.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    from: Tick,
    until: Tick,
    name: String,
    /// 0 to 1; `None` for chords of the plan.
    confidence: Option<f64>,
}

impl Roll {
    /// Draws the lane.
    pub(super) fn chords(&self, painter: &Painter, snapshot: &Snapshot) {
        let lane = painter.with_clip_rect(Rect::from_x_y_ranges(self.music.x_range(), self.chords_top()..=self.music.top()));
        for chord in named(snapshot, self.first_tick(), self.last_tick()) {
            let (left, right) = (self.x(chord.from.0 as f64) + 2.0, self.x(chord.until.0 as f64) - 2.0);
            let field = Rect::from_x_y_ranges(left..=right, self.chords_top() + 1.0..=self.chords_top() + CHORDS - 2.0);
            let ground = if chord.confidence.is_some() { self.palette.played } else { self.palette.coming };
            lane.rect(field, CornerRadius::same(3), paint(ground), self.palette.hairline(0.2), StrokeKind::Inside);
            if field.width() < NARROW {
                continue;
            }
            // A field that begins out of view keeps its name in view.
            let start = left.max(self.music.left() + 2.0) + 5.0;
            let ink = paint(self.palette.ink);
            let text = lane.text(pos2(start, field.center().y), Align2::LEFT_CENTER, &chord.name, FontId::proportional(12.0), ink);
            let confidence = chord.confidence.filter(|_| field.right() - text.right() > ROOM);
            if let Some(confidence) = confidence {
                let percent = format!("{:.0} %", confidence * 100.0);
                let place = pos2(right - 5.0, field.center().y);
                lane.text(place, Align2::RIGHT_CENTER, percent, FontId::proportional(11.0), paint(self.palette.soft));
            }
        }
    }
}

/// Chords of the finished bars, and those of the plan in the bars after them, as far as they lie between two ticks.
fn named(snapshot: &Snapshot, from: Tick, to: Tick) -> Vec<Named> {
    let mut lane = Vec::new();
    let mut finished = Tick(i64::MIN);
    for harmony in &snapshot.harmony {
        let end = snapshot.bar_at(harmony.start).bar.end();
        finished = finished.max(end);
        if end <= from || harmony.start >= to {
            continue;
        }
        let found: Vec<_> = harmony.chords.iter().flatten().collect();
        let ends = found.iter().skip(1).map(|next| harmony.start + next.at).chain([end]);
        lane.extend(found.iter().zip(ends).map(|(found, until)| Named {
            from: harmony.start + found.at,
            until,
            name: found.chord.to_string(),
            confidence: Some(found.confidence),
        }));
    }
    let planned = snapshot.planned_chords.iter().filter(|chord| chord.from >= finished && chord.until > from && chord.from < to);
    lane.extend(planned.map(|chord| Named { from: chord.from, until: chord.until, name: chord.chord.to_string(), confidence: None }));
    lane
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::analysis::{BarHarmony, Chord, ChordKind, FoundChord};
    use antiphon_engine::music::{Note, Role};

    use super::*;
    use crate::editor::samples::{bar, plan};

    #[test]
    fn lane_has_detected_chords_and_then_those_of_the_plan() {
        let found = |at, root| Some(FoundChord { at: Tick(at), chord: Chord { root, kind: ChordKind::Minor }, confidence: 0.9 });
        let harmony = BarHarmony { start: Tick(0), key: None, chords: [found(0, 9), found(48, 2)] };
        let note = |pitch| Note { onset: Tick(96), offset: 0, duration: Tick(96), pitch, velocity: 80, role: Role::Keys };
        let snapshot = Snapshot { bars: vec![bar(1, 0, 96, 4)], harmony: vec![harmony], ..Snapshot::default() };
        let snapshot = snapshot.with_plan(plan(96, 192, &[note(60), note(64), note(67)]));
        let lane = named(&snapshot, Tick(-100), Tick(400));
        let expected = [(0, 48, "Am", Some(0.9)), (48, 96, "Dm", Some(0.9)), (96, 192, "C", None)];
        let expected =
            expected.map(|(from, until, name, confidence)| Named { from: Tick(from), until: Tick(until), name: name.into(), confidence });
        assert_eq!(lane, expected);
    }
}
