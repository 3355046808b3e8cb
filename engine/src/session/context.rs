//! What was heard, bar by bar, as the model reads it: the context of every plan.

use crate::codec::vocabulary::MAX_BAR_TICKS;
use crate::codec::{self, BarFields, BarRows};
use crate::decode::{Constraints, Sampling};
use crate::music::analysis::{habits, tempo_bucket};
use crate::music::{Bar, Metre, Note, Role, Tempo, TempoMap, Tick};
use crate::plan::{Brief, MusicalClock, Passage, Request, Timeline};
use crate::service::Assignment;

/// Finished bars that are kept: what the model reads at most, and a cycle of its count of bars more. Dropped by cycles of 16 bars, so that the
/// count stays right.
const BARS: usize = 64 + 2 * CYCLE;
const CYCLE: usize = 16;
/// How far back "of late" reaches, in bars that have a note: where each role lies, and how full its chords are.
const RECENT_BARS: usize = 8;
/// Bars in succession without a note that belong to the music. Of a longer pause the rest is left out: whoever waits so long for an answer has
/// not composed the silence, and in the end nothing but silence would be continued.
const PAUSE_BARS: usize = 4;

/// A finished bar. What it is told to be stays as it was when it ended; its notes may still get their lengths.
#[derive(Debug, Clone, Copy)]
struct Frame {
    line: Tick,
    length: Tick,
    fields: BarFields,
    /// Whether a note starts in it.
    sounds: bool,
}

/// The finished bars, from the first that had a note on.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    frames: Vec<Frame>,
    /// Index of the first of them.
    base: u32,
    /// What the engine was told of them.
    told: Vec<BarRows>,
}

/// What a plan is to be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a> {
    /// The role that plays.
    pub(super) role: Role,
    /// How adventurous.
    pub(super) sampling: Sampling,
    /// Quarters per minute.
    pub(super) tempo: f64,
    /// Plans in whose place another was asked for: a new plan is not to be one of them.
    pub(super) rejected: &'a [Passage],
}

impl Context {
    /// The bars that are finished by now, and what the engine has not been told of them: from the first that has changed on. `notes` is all
    /// that was heard, in order of time.
    pub(super) fn take_in(&mut self, clock: &MusicalClock, notes: &[Note], tempo: f64) -> Vec<BarRows> {
        let Some(first) = notes.first() else { return Vec::new() };
        let from = self.frames.last().map(|last| last.line + last.length);
        let fresh = clock.bars().filter(|bar| bar.end() <= clock.now() && from.map_or(bar.end() > first.onset, |from| bar.start >= from));
        let mut pause = self.frames.iter().rev().take_while(|frame| !frame.sounds).count();
        let fresh = fresh.filter(|bar| {
            pause = if sounds(notes, bar) { 0 } else { pause + 1 };
            pause <= PAUSE_BARS
        });
        let bars: Vec<Bar> = self.frames.iter().map(Frame::bar).chain(fresh).collect();
        let Some(start) = bars.first().map(|bar| bar.start) else { return Vec::new() };
        let mut rows = codec::encode(notes, &bars, None).bars;
        let mut labelled = rows.clone();
        codec::label(&mut labelled, start, &TempoMap::new([(Tick::ZERO, Tempo::from_bpm(tempo).unwrap_or_default())]));
        let lines: Vec<Tick> = bars.iter().flat_map(rows_of).collect();
        for (index, ((row, labelled), line)) in rows.iter_mut().zip(labelled).zip(lines).enumerate() {
            if index == self.frames.len() {
                let length = Tick(row.ticks.into());
                self.frames.push(Frame { line, length, fields: labelled.fields, sounds: !row.notes.is_empty() });
            }
            row.fields = self.frames[index].fields;
            row.index += self.base;
        }
        let same = rows.iter().zip(&self.told).take_while(|(row, told)| row == told).count();
        self.told = rows;
        let news = self.told[same..].to_vec();
        self.drop_oldest();
        news
    }

    fn drop_oldest(&mut self) {
        if self.frames.len() > BARS {
            self.frames.drain(..CYCLE);
            self.told.drain(..CYCLE);
            self.base += 16;
        }
    }

    /// Nothing was told: the engine is a new one.
    pub(super) fn tell_again(&mut self) {
        self.told.clear();
    }

    /// Notes before this are not needed any more.
    pub(super) fn start(&self) -> Option<Tick> {
        self.frames.first().map(|frame| frame.line)
    }

    /// What to make for these requests of the plan. `heard` is all that was heard before now, in order of time.
    pub(super) fn assignments(
        &self,
        requests: &[Request],
        timeline: &Timeline,
        clock: &MusicalClock,
        heard: &[Note],
        manner: &Manner<'_>,
    ) -> Vec<Assignment> {
        let mut line = clock.open_bar().start;
        let mut index = self.base.saturating_add(u32::try_from(self.frames.len()).unwrap_or(u32::MAX));
        let fields: Vec<BarFields> = self.frames.iter().map(|frame| frame.fields).collect();
        let tempo = Tempo::from_bpm(manner.tempo).map_or(0, tempo_bucket);
        let mut ahead = 0;
        let mut assignments = Vec::new();
        for request in requests {
            let brief = request.brief();
            let mut known: Vec<Note> = heard.iter().filter(|note| note.onset >= line).copied().collect();
            known.extend(timeline.shown(clock.now(), brief.start).copied());
            let bars = bars(clock, line, brief.end);
            let Some(end) = bars.last().map(Bar::end) else { continue };
            let mut rows = codec::encode(&known, &bars, Some(brief.start)).bars;
            for row in &mut rows {
                row.index = index;
                index = index.saturating_add(1);
                let default = codec::default_conditioning(&fields, ahead);
                // A bar that has begun is no longer to be made like another.
                let repeats = if row.notes.is_empty() { default.repeats } else { 0 };
                row.fields = BarFields { metre: row.fields.metre, tempo, repeats, ..default };
                ahead += 1;
            }
            assignments.push(Assignment {
                brief: Brief::clone(brief),
                bars: rows,
                line,
                sampling: manner.sampling,
                constraints: Constraints { rests_from: first_rest(request, &bars), ..self.constraints(heard, manner.role) },
                rejected: if matches!(request, Request::Replan(_)) { manner.rejected.to_vec() } else { Vec::new() },
            });
            line = end;
        }
        assignments
    }

    /// A role keeps to the keys and chords it has used of late.
    fn constraints(&self, heard: &[Note], role: Role) -> Constraints {
        let from = self.frames.iter().rev().filter(|frame| frame.sounds).nth(RECENT_BARS - 1).map_or(Tick(i64::MIN), |frame| frame.line);
        let recent: Vec<Note> = heard.iter().filter(|note| note.onset >= from).copied().collect();
        let mut constraints = Constraints { roles: [role].into_iter().collect(), ..Constraints::default() };
        constraints.keep_to(&habits(&recent));
        constraints
    }
}

impl Frame {
    /// The bar. Its metre shows in `fields` already; the index is counted anew.
    fn bar(&self) -> Bar {
        Bar { index: 0, start: self.line, length: self.length, metre: Metre::COMMON }
    }
}

/// Where the rows of a bar begin: the codec cuts long bars.
fn rows_of(bar: &Bar) -> impl Iterator<Item = Tick> + use<> {
    let (start, end) = (bar.start, bar.end());
    std::iter::successors(Some(start), |line| Some(*line + Tick(MAX_BAR_TICKS))).take_while(move |line| *line < end)
}

/// Whether one of these notes, in order of time, starts in a bar.
fn sounds(notes: &[Note], bar: &Bar) -> bool {
    let next = notes.partition_point(|note| note.onset < bar.start);
    notes.get(next).is_some_and(|note| note.onset < bar.end())
}

/// From which tick on bars may stay empty: a new plan begins with a bar that has a note, whether that is the rest of this one or the next.
fn first_rest(request: &Request, bars: &[Bar]) -> Tick {
    match request {
        Request::Replan(brief) => bars.iter().find(|bar| bar.start >= brief.start).map_or(brief.start, |bar| bar.start + Tick(1)),
        Request::Extend(_) => Tick(i64::MIN),
    }
}

/// The bars from a bar line to the last one that starts before `end`, as far as they are foreseen.
fn bars(clock: &MusicalClock, line: Tick, end: Tick) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut line = line;
    while line < end {
        let Some(bar) = clock.bar_at(line) else { break };
        line = bar.end();
        bars.push(bar);
    }
    bars
}

#[cfg(test)]
mod tests {
    use crate::plan::{Controls, Fingerprint, PlanId, SongBar, SongPosition};

    use super::*;

    fn clock() -> MusicalClock {
        MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON })
    }

    fn note(onset: i64, duration: Tick) -> Note {
        Note { onset: Tick(onset), offset: 0, duration, pitch: 60, velocity: 80, role: Role::Keys }
    }

    #[test]
    fn bars_count_from_the_first_note_and_only_news_are_told() {
        let (mut clock, mut context) = (clock(), Context::default());
        clock.advance(Tick(200));
        let mut notes = vec![note(100, Tick(24))];
        let news = context.take_in(&clock, &notes, 120.0);
        assert_eq!(news.iter().map(|bar| (bar.index, bar.notes.len())).collect::<Vec<_>>(), [(0, 1)]);
        assert!(context.take_in(&clock, &notes, 120.0).is_empty());
        // A note that is still held gets its length two bars later.
        notes.push(note(200, Tick::MAX));
        clock.advance(Tick(100));
        assert_eq!(context.take_in(&clock, &notes, 120.0).iter().map(|bar| bar.index).collect::<Vec<_>>(), [1]);
        notes[1].duration = Tick(150);
        clock.advance(Tick(100));
        assert_eq!(context.take_in(&clock, &notes, 120.0).iter().map(|bar| bar.index).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(context.start(), Some(Tick(96)));
    }

    #[test]
    fn the_count_of_bars_stays_right_when_old_ones_go() {
        let (mut clock, mut context) = (clock(), Context::default());
        let notes: Vec<_> = (0..200).map(|bar| note(bar * 96, Tick(24))).collect();
        for bar in 1..200i64 {
            clock.advance(Tick(96));
            let from = context.start().unwrap_or(Tick::ZERO);
            let heard: Vec<_> = notes.iter().filter(|note| from <= note.onset && note.onset < clock.now()).copied().collect();
            let news = context.take_in(&clock, &heard, 120.0);
            assert_eq!(news.iter().map(|row| i64::from(row.index)).collect::<Vec<_>>(), [bar - 1]);
        }
        assert!(context.frames.len() <= BARS && context.base % 16 == 0 && context.base > 0);
    }

    #[test]
    fn long_pause_counts_as_four_bars_and_the_recent_bars_are_those_before_it() {
        let (mut clock, mut context) = (clock(), Context::default());
        let mut notes: Vec<_> = (0..2).map(|bar| note(bar * 96 + 10, Tick(24))).collect();
        clock.advance(Tick(40 * 96));
        assert_eq!(context.take_in(&clock, &notes, 120.0).len(), 2 + PAUSE_BARS);
        clock.advance(Tick(200 * 96));
        assert!(context.take_in(&clock, &notes, 120.0).is_empty());
        assert_eq!(context.start(), Some(Tick::ZERO), "what was played before the pause is still the context");
        let constraints = context.constraints(&notes, Role::Keys);
        assert_eq!(constraints.registers[usize::from(Role::Keys.class())].low, 55, "a fourth below the only key that was played");
        // The player goes on in bar 240: it follows the pause.
        notes.push(note(240 * 96 + 5, Tick(24)));
        clock.advance(Tick(96));
        let news = context.take_in(&clock, &notes, 120.0);
        assert_eq!(news.iter().map(|row| (row.index, row.notes.len())).collect::<Vec<_>>(), [(6, 1)]);
        assert_eq!(context.frames.last().map(|frame| frame.line), Some(Tick(240 * 96)));
    }

    #[test]
    fn new_plan_may_rest_only_after_its_first_whole_bar() {
        let (clock, context) = (clock(), Context::default());
        let brief = |start: i64| Brief {
            plan: PlanId(1),
            made_at: Tick::ZERO,
            start: Tick(start),
            end: Tick(288),
            seed: 0,
            controls: Controls::default(),
            context: Fingerprint::SILENCE,
        };
        let manner = Manner { role: Role::Keys, sampling: Sampling::default(), tempo: 120.0, rejected: &[] };
        let timeline = Timeline::new(Tick::ZERO, 0);
        let rests_from = |request: Request| {
            let assignments = context.assignments(&[request], &timeline, &clock, &[note(0, Tick(4))], &manner);
            assignments[0].constraints.rests_from
        };
        assert_eq!(rests_from(Request::Replan(brief(24))), Tick(97));
        assert_eq!(rests_from(Request::Replan(brief(96))), Tick(97));
        assert_eq!(rests_from(Request::Extend(brief(96))), Tick(i64::MIN));
    }
}
