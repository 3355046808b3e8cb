//! Chord lane of the piano roll: detected chords with their confidence, those of the plan, and those that were chosen, with a lock.
//!
//! Each bar has its chords from one source. One that has ended: all that sounded in it, in filled fields. The open one and those to come: the plan alone, as far as it will
//! sound there, in outlined fields; or the phrase of the card under the pointer, in blue ones. A chosen chord stands over both.

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::ChordChart;
use antiphon_engine::session::{PlannedChord, Snapshot};
use egui::{Align2, CornerRadius, CursorIcon, FontId, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2};

use super::locks::Padlock;
use super::{CHORDS, Marks, Preview, Roll, paint};
use crate::editor::caret;

/// Confidence below which a chord has a question mark.
const SURE: f64 = 0.6;
/// Room that a caret takes behind the name, in points.
const CARET: f32 = 16.0;
/// Width below which it has no name either.
const NARROW: f32 = 22.0;

/// A chord in the lane.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    from: Tick,
    until: Tick,
    name: String,
    origin: Origin,
}

/// Where a chord comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    /// Detected, with this confidence, 0 to 1.
    Found(f64),
    /// In the plan.
    Planned,
    /// In the phrase of the card under the pointer.
    Pointed,
    /// The musician's choice.
    Chosen,
}

impl Roll {
    /// Draws the lane; the chord at the pointer's place in time is marked.
    pub(super) fn chords(&self, painter: &Painter, snapshot: &Snapshot, marks: Marks<'_>, pointer: Option<Pos2>) {
        let pointed = pointer.filter(|pointer| self.music.x_range().contains(pointer.x)).map(|pointer| self.tick_at(pointer.x));
        let lane = painter.with_clip_rect(Rect::from_x_y_ranges(self.music.x_range(), self.chords_top()..=self.music.top()));
        for chord in self.named(snapshot, marks.chart, marks.preview) {
            let (left, right) = (self.x(chord.from.0 as f64) + 2.0, self.x(chord.until.0 as f64) - 2.0);
            let field = Rect::from_x_y_ranges(left..=right, self.chords_top() + 1.0..=self.chords_top() + CHORDS - 2.0);
            // As the notes: what was played is filled, what is planned an outline.
            let (ground, edge) = match chord.origin {
                Origin::Found(_) => (self.palette.faded(0.12), Stroke::NONE),
                Origin::Planned | Origin::Chosen => (paint(self.palette.coming), self.palette.hairline(0.42)),
                Origin::Pointed => (paint(self.palette.coming), Stroke::new(1.0, paint(self.palette.action))),
            };
            let is_pointed = pointed.is_some_and(|tick| chord.from <= tick && tick < chord.until);
            let edge = if is_pointed { Stroke::new(1.5, paint(self.palette.ink)) } else { edge };
            lane.rect(field, CornerRadius::same(3), ground, edge, StrokeKind::Inside);
            if field.width() < NARROW {
                continue;
            }
            // A field that begins out of view keeps its name in view.
            let start = left.max(self.music.left() + 2.0) + 5.0;
            let ink = paint(self.palette.ink);
            let doubt = if matches!(chord.origin, Origin::Found(confidence) if confidence < SURE) { "?" } else { "" };
            let name = lane.layout_no_wrap(chord.name + doubt, FontId::proportional(12.0), ink);
            // A part of the name would read as another chord.
            if start > left + 5.0 && start + name.size().x > right {
                continue;
            }
            let text = Align2::LEFT_CENTER.anchor_size(pos2(start, field.center().y), name.size());
            lane.with_clip_rect(field.intersect(lane.clip_rect())).galley(text.min, name, ink);
            let mut end = text.right();
            if chord.origin == Origin::Chosen {
                self.lock(&lane, pos2(end + 8.0, field.center().y), Padlock::Closed);
                end += 12.0;
            }
            let is_ahead = snapshot.bar_at(chord.from).bar.end().0 as f64 > self.playhead;
            if is_ahead && end + CARET < right {
                caret::draw(&lane, pos2(right - CARET / 2.0, field.center().y), paint(self.palette.soft));
            }
        }
    }

    /// The name of the lane, beside it. Returns the number of the next bar, if it was clicked.
    pub(super) fn chords_name(&self, ui: &Ui, painter: &Painter, snapshot: &Snapshot) -> Option<i64> {
        let y = self.chords_top() + CHORDS / 2.0;
        let soft = paint(self.palette.soft);
        caret::draw(painter, pos2(self.music.left() - 10.0, y), soft);
        let name = painter.text(pos2(self.music.left() - 18.0, y), Align2::RIGHT_CENTER, "chords", FontId::proportional(11.0), soft);
        #[allow(clippy::cast_possible_truncation, reason = "the playhead is within a million bars")]
        let here = snapshot.bar_at(Tick(self.playhead.floor() as i64)).bar;
        let next = snapshot.bar_at(here.end()).number;
        let place = Rect::from_x_y_ranges(name.left() - 4.0..=self.music.left() - 2.0, y - CHORDS / 2.0..=y + CHORDS / 2.0);
        let response = ui.interact(place, ui.scope_id().with("chords"), Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Chords to come"));
        let tip = format!("Chooses the chords from bar {next} on; a click on a chord to come chooses that one");
        response.on_hover_text(tip).on_hover_cursor(CursorIcon::PointingHand).clicked().then_some(next)
    }

    /// Number of the bar whose chord lies under the pointer, if the bar has not passed.
    pub(super) fn chord_at(&self, pointer: Pos2, snapshot: &Snapshot) -> Option<i64> {
        let shown = snapshot.bar_at(self.tick_at(pointer.x));
        (self.is_in_lane(pointer) && shown.bar.end().0 as f64 > self.playhead).then_some(shown.number)
    }

    /// What the chord under the pointer is, and what a click there does.
    pub(super) fn chord_words(&self, pointer: Pos2, snapshot: &Snapshot, chart: &ChordChart) -> Option<String> {
        if !self.is_in_lane(pointer) {
            return None;
        }
        let tick = self.tick_at(pointer.x);
        let chord = self.named(snapshot, chart, None).into_iter().find(|chord| chord.from <= tick && tick < chord.until);
        let what = chord.map(|chord| match chord.origin {
            Origin::Found(confidence) => format!("{}, heard, {:.0} % sure", chord.name, confidence * 100.0),
            Origin::Planned | Origin::Pointed => format!("{}, of the plan", chord.name),
            Origin::Chosen => format!("{}, your choice: plans follow it", chord.name),
        });
        let choice = self.chord_at(pointer, snapshot).map(|bar| format!("Click to choose the chord of bar {bar}"));
        let lines: Vec<_> = what.into_iter().chain(choice).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn is_in_lane(&self, pointer: Pos2) -> bool {
        self.music.x_range().contains(pointer.x) && (self.chords_top()..self.music.top()).contains(&pointer.y)
    }

    /// Chords of the lane, as far as they are in view.
    fn named(&self, snapshot: &Snapshot, chart: &ChordChart, preview: Option<&Preview<'_>>) -> Vec<Named> {
        let (from, to) = (self.first_tick(), self.last_tick());
        let ahead = Ahead { silent_before: self.silent_before, preview };
        let bars = snapshot.bars_between(from, to).filter(|shown| shown.bar.end().0 as f64 > self.playhead);
        let chosen: Vec<_> = bars.filter_map(|shown| Some((shown.bar, chart.at(shown.number)?))).collect();
        let mut lane = found_and_planned(snapshot, from, to, ahead);
        // What is planned or found in such a bar gives way.
        lane.retain(|chord| !chosen.iter().any(|(bar, _)| bar.start <= chord.from && chord.from < bar.end()));
        lane.extend(chosen.into_iter().map(|(bar, chord)| Named {
            from: bar.start,
            until: bar.end(),
            name: chord.to_string(),
            origin: Origin::Chosen,
        }));
        lane
    }
}

/// What counts in the bars that have not ended.
#[derive(Debug, Clone, Copy, Default)]
struct Ahead<'a> {
    /// Planned notes before this tick will not sound.
    silent_before: Option<Tick>,
    /// The phrase of the card under the pointer, which takes the place of the plan from its start on.
    preview: Option<&'a Preview<'a>>,
}

impl Ahead<'_> {
    /// Chords of what will sound.
    fn chords(self, snapshot: &Snapshot) -> Vec<(PlannedChord, Origin)> {
        let notes: Vec<Note> = self.preview.into_iter().flat_map(Preview::notes).collect();
        let time = notes.first().zip(notes.last()).map(|(first, last)| first.onset..last.onset + Tick(1));
        // In the bar in which it begins, the phrase has the place of the plan from there on.
        let until = time.as_ref().map_or(Tick::MAX, |time| time.start);
        let from = self.silent_before.unwrap_or(Tick(i64::MIN));
        let planned = snapshot.planned_chords.iter().filter(|chord| chord.from < until && chord.until > from);
        let planned = planned.map(|chord| PlannedChord { from: chord.from.max(from), until: chord.until.min(until), ..*chord });
        let pointed = time.map_or_else(Vec::new, |time| snapshot.chords_of(&notes, time));
        planned.map(|chord| (chord, Origin::Planned)).chain(pointed.into_iter().map(|chord| (chord, Origin::Pointed))).collect()
    }
}

/// Chords of the finished bars, and those of what will sound in the bars after them, as far as they lie between two ticks.
fn found_and_planned(snapshot: &Snapshot, from: Tick, to: Tick, ahead: Ahead<'_>) -> Vec<Named> {
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
            origin: Origin::Found(found.confidence),
        }));
    }
    let in_view = |chord: &PlannedChord| chord.until > finished && chord.until > from && chord.from < to;
    lane.extend(ahead.chords(snapshot).into_iter().filter(|(chord, _)| in_view(chord)).map(|(chord, origin)| Named {
        from: chord.from.max(finished),
        until: chord.until,
        name: chord.chord.to_string(),
        origin,
    }));
    lane
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;
    use antiphon_engine::music::analysis::{BarHarmony, Chord, ChordKind, FoundChord};

    use super::*;
    use crate::editor::samples::{bar, plan};

    #[test]
    fn lane_has_detected_chords_and_then_those_of_the_plan() {
        let found = |at, root| Some(FoundChord { at: Tick(at), chord: Chord { root, kind: ChordKind::Minor }, confidence: 0.9 });
        let harmony = BarHarmony { start: Tick(0), key: None, chords: [found(0, 9), found(48, 2)] };
        let note = |pitch| Note { onset: Tick(96), offset: 0, duration: Tick(96), pitch, velocity: 80, role: Role::Keys };
        let snapshot = Snapshot { bars: vec![bar(1, 0, 96, 4)], harmony: vec![harmony], ..Snapshot::default() };
        let snapshot = snapshot.with_plan(plan(96, 192, &[note(60), note(64), note(67)]));
        let lane = found_and_planned(&snapshot, Tick(-100), Tick(400), Ahead::default());
        let expected = [(0, 48, "Am", Origin::Found(0.9)), (48, 96, "Dm", Origin::Found(0.9)), (96, 192, "C", Origin::Planned)];
        let expected =
            expected.map(|(from, until, name, origin)| Named { from: Tick(from), until: Tick(until), name: name.into(), origin });
        assert_eq!(lane, expected);
    }

    #[test]
    fn bar_that_is_open_has_the_chord_of_the_plan_where_the_plan_sounds_and_no_other() {
        let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(96), pitch, velocity: 80, role: Role::Keys };
        let triad = |onset, pitches: [u8; 3]| pitches.map(|pitch| note(onset, pitch));
        let played = triad(0, [62, 65, 69]).to_vec();
        let planned = [triad(0, [60, 64, 67]), triad(96, [57, 60, 64])].concat();
        let snapshot = Snapshot { bars: vec![bar(1, 0, 96, 4)], played, ..Snapshot::default() }.with_plan(plan(0, 192, &planned));
        let named = |ahead| {
            let lane = found_and_planned(&snapshot, Tick(0), Tick(400), ahead);
            lane.into_iter().map(|chord| (chord.from.0, chord.until.0, chord.name, chord.origin)).collect::<Vec<_>>()
        };
        let [c, am] = [(0, 96, "C"), (96, 192, "Am")].map(|(from, until, name)| (from, until, name.to_owned(), Origin::Planned));
        assert_eq!(named(Ahead::default()), [c, am.clone()], "what was played there so far does not count");
        let silent = Ahead { silent_before: Some(Tick(96)), preview: None };
        assert_eq!(named(silent), [am], "Play begins with the next bar");
        let card = triad(0, [55, 59, 62]);
        let preview = Preview { notes: &card, by: Tick(96), from: Tick(96), name: String::new() };
        let pointed = (96, 192, "G".to_owned(), Origin::Pointed);
        assert_eq!(named(Ahead { preview: Some(&preview), ..silent }), [pointed], "the card under the pointer");
    }
}
