//! Assignments: what a worker is to generate, and the bars that it delivers.

use std::sync::Arc;

use super::worker_state::Rules;
use crate::codec::{self, BarRows};
use crate::decode::{BarLock, BarOrder, Constraints, Draw, Prompt, PromptBar, Sampling};
use crate::music::analysis::Chord;
use crate::music::{Bar, Metre, Note, Tick};
use crate::plan::{Brief, Passage};

/// Work for one request of the plan.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The plan, the ticks to fill, the seed.
    pub brief: Brief,
    /// The context, and in the gap the bars after it up to the last to be filled. A further assignment continues from the bars of the one before, and its own
    /// context is ignored. Gap bars before the brief's start hold all their notes; later ones hold the notes before that start. Of the constraints
    /// `from` is ignored: the brief sets the range. `until` and `rests_from` are ticks of the clock; a note may ring beyond the brief's end.
    pub prompt: Prompt,
    /// The clock at the first bar line of the gap.
    pub line: Tick,
    /// Temperature and min-p.
    pub sampling: Sampling,
    /// Plans that the player rejected: bars that would begin a plan in the same way are sampled again, a few times and ever more freely.
    pub rejected: Vec<Passage>,
    /// What the player has locked of it.
    pub locked: LockedPart,
}

/// Part of a plan that is fixed before the rest is generated.
#[derive(Debug, Clone, Default)]
pub struct LockedPart {
    /// Notes of the passages that are not generated: they are given notes of the gap. In order of time, from the brief's start on.
    pub notes: Vec<Note>,
    /// Lock of each bar of the gap; bars without one are open.
    pub bars: Vec<BarLock>,
    /// Chord that was chosen for each bar of the gap; bars without one keep the chord and scale of the prompt's constraints.
    pub chords: Vec<Option<Chord>>,
}

/// A generated bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedBar {
    /// What the plan gets of it.
    pub passage: Passage,
    /// Tick of its bar line.
    pub line: Tick,
    /// All its notes, those known before included, in the conditioning that it was generated in: as the cache holds it.
    pub rows: Arc<PromptBar>,
}

/// Checks that the bars of each assignment follow each other and those of the assignment before.
pub(super) fn check(assignments: &mut [Assignment]) -> Result<(), BarOrder> {
    let mut expected = None;
    for Assignment { prompt, .. } in assignments {
        if expected.is_some() {
            prompt.context.clear();
        }
        prompt.check()?;
        let Some((first, last)) = prompt.gap.first().zip(prompt.gap.last()) else { continue };
        if let Some(expected) = expected.filter(|expected| *expected != first.bar.index) {
            return Err(BarOrder { expected, found: first.bar.index });
        }
        expected = Some(last.bar.index.saturating_add(1));
    }
    Ok(())
}

impl Assignment {
    /// Uses `past`, the bars of the assignment before, as the context, and moves into it the gap bars that end by the brief's
    /// start. Returns the tick of the bar line after them.
    pub(super) fn begin(&mut self, past: &mut Vec<Arc<PromptBar>>) -> Tick {
        let (mut line, mut known) = (self.line, 0);
        for PromptBar { bar, .. } in &self.prompt.gap {
            let end = line + Tick(i64::from(bar.ticks));
            if end > self.brief.start {
                break;
            }
            (line, known) = (end, known + 1);
        }
        if !past.is_empty() {
            self.prompt.context = std::mem::take(past);
        }
        self.prompt.know(known);
        self.locked.bars.drain(..known.min(self.locked.bars.len()));
        self.locked.chords.drain(..known.min(self.locked.chords.len()));
        past.clone_from(&self.prompt.context);
        line
    }

    /// Seed, sampling and constraints of bar number `bar` of the gap, which begins at `line`.
    pub(super) fn rules(&self, bar: usize, line: Tick) -> Rules {
        // The decoder counts from its own first bar line: all or nothing of this bar.
        let rests_from = if line < self.prompt.constraints.rests_from { Tick::MAX } else { Tick(i64::MIN) };
        let until = self.prompt.constraints.until;
        let until = if until == Tick::MAX { until } else { until - line };
        let lock = self.locked.bars.get(bar).cloned().unwrap_or_default();
        let mut constraints = Constraints { rests_from, until, lock, ..self.prompt.constraints.clone() };
        if let Some(chord) = self.locked.chords.get(bar).copied().flatten() {
            let tones = chord.scale();
            constraints.on_beat = tones.bits();
            constraints.scale |= tones.bits();
            constraints.requested.key = constraints.requested.key.map(|key| key.with_tones(tones));
        }
        Rules { seed: self.brief.seed, sampling: self.sampling, constraints }
    }

    /// Bar number `place` of the gap, which begins at `line`, with the notes of a passage: as a worker without a model delivers it.
    #[must_use]
    pub fn bar_with(&self, place: usize, line: Tick, passage: Passage) -> GeneratedBar {
        let PromptBar { mut bar, given } = self.prompt.gap_bar(place, Draw::FIRST).unwrap_or_default();
        let length = Tick(i64::from(bar.ticks));
        // Classes do not depend on the metre.
        let inside = [Bar { index: 0, start: line, length, metre: Metre::COMMON }];
        let generated = codec::encode(&passage.notes, &inside, None).bars.into_iter().flat_map(|bar| bar.notes);
        bar.notes.extend(generated.filter(|note| !given.contains(note)));
        bar.notes.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        GeneratedBar { passage, line, rows: Arc::new(PromptBar { bar, given }) }
    }

    /// Passage of a bar that lies between two ticks, cut to the brief's range, with its locked notes.
    pub(super) fn passage(&self, bar: &BarRows, line: Tick, next: Tick) -> Passage {
        let (from, until) = (line.max(self.brief.start), next.min(self.brief.end));
        let locked = self.locked.notes.iter().filter(|note| from <= note.onset && note.onset < until);
        let mut notes: Vec<Note> = locked.copied().collect();
        let generated = bar.notes.iter().map(|note| note.note(line)).filter(|note| from <= note.onset && note.onset < until);
        for note in generated {
            // A locked note stays what it is.
            if !notes.iter().any(|locked| (locked.onset, locked.role, locked.pitch) == (note.onset, note.role, note.pitch)) {
                notes.push(note);
            }
        }
        notes.sort_by_key(Note::order);
        Passage { plan: self.brief.plan, from, until, notes }
    }
}
