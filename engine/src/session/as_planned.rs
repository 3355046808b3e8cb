//! Planned bars as the worker generated them. A bar that came as planned stays in the context as it was generated, with its notes and its conditioning: the
//! worker keeps its pages.

use std::sync::Arc;

use crate::codec::{self, NoteClasses, OPEN};
use crate::decode::PromptBar;
use crate::music::{Bar, Metre, Note, Tick};
use crate::plan::{PlanId, TOLERANCE_TICKS};
use crate::service::GeneratedBar;

/// A planned bar.
#[derive(Debug, Clone, PartialEq)]
struct PlannedBar {
    plan: PlanId,
    line: Tick,
    rows: Arc<PromptBar>,
}

/// Bars of plans that were delivered and are not over.
#[derive(Debug, Clone, Default)]
pub(super) struct AsPlanned {
    bars: Vec<PlannedBar>,
}

impl AsPlanned {
    /// A bar of a plan was delivered: whole, or the rest of one with the notes that were expected before it.
    pub(super) fn deliver(&mut self, bar: GeneratedBar) {
        let GeneratedBar { passage, line, rows } = bar;
        self.bars.retain(|other| (other.plan, other.line) != (passage.plan, line));
        self.bars.push(PlannedBar { plan: passage.plan, line, rows });
    }

    /// Rows of the plan that has exactly the notes of a bar; of several, the latest. `notes` are all notes, in order of time.
    pub(super) fn rows(&self, line: Tick, length: Tick, notes: &[Note]) -> Option<Arc<PromptBar>> {
        let of_bar = self.bars.iter().rev().filter(|planned| planned.line == line && Tick(planned.rows.bar.ticks.into()) == length);
        of_bar.map(|planned| &planned.rows).find(|rows| came_as_planned(rows, line, notes)).cloned()
    }

    /// Bars that end by this tick are over.
    pub(super) fn forget_before(&mut self, tick: Tick) {
        self.bars.retain(|planned| planned.line + Tick(planned.rows.bar.ticks.into()) > tick);
    }

    /// Everything planned is discarded.
    pub(super) fn clear(&mut self) {
        self.bars.clear();
    }
}

/// Whether the notes of the bar that begins at `line` are those of its rows. `notes` are all notes, in order of time.
///
/// A note that is still held at the end of the bar may last as long as planned. One that ends because its key is struck again was planned so: a key sounds
/// once at a time.
pub(super) fn came_as_planned(rows: &PromptBar, line: Tick, notes: &[Note]) -> bool {
    let length = Tick(rows.bar.ticks.into());
    let end = line + length;
    let first = notes.partition_point(|note| note.onset < line);
    let after = notes.partition_point(|note| note.onset < end).max(first);
    let mut planned: Vec<NoteClasses> = rows.bar.notes.iter().chain(&rows.given).copied().collect();
    planned.sort_by_key(|note| (note.tick(), note.role, note.pitch));
    // Classes do not depend on the metre.
    let bar = Bar { index: 0, start: line, length, metre: Metre::COMMON };
    let Some(came) = codec::encode(&notes[first..after], &[bar], None).bars.pop() else { return false };
    let lasts = |planned: &NoteClasses, came: &NoteClasses| {
        let (planned, came) = (planned.note(line), came.note(line));
        let is_struck = |other: &&Note| other.pitch == came.pitch && (other.onset - came.end()).0.abs() <= TOLERANCE_TICKS.0;
        match came.duration {
            Tick::MAX => planned.end() >= end,
            _ => planned.end() > came.end() && notes[first..].iter().filter(|note| note.onset > came.onset).any(|note| is_struck(&note)),
        }
    };
    let is_same = |(planned, came): (&NoteClasses, &NoteClasses)| {
        let with_length = NoteClasses { duration: planned.duration, ..*came };
        with_length == *planned && (planned.duration == came.duration || planned.duration != OPEN && lasts(planned, came))
    };
    planned.len() == came.notes.len() && planned.iter().zip(&came.notes).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{BarFields, BarRows};
    use crate::music::Role;
    use crate::plan::Passage;

    const LINE: Tick = Tick(96);
    const LENGTH: Tick = Tick(96);

    fn note(onset: i64, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 82, role: Role::Keys }
    }

    /// The bar from tick 96 on, of this density, with these notes.
    fn generated(plan: u64, density: u8, notes: &[Note]) -> GeneratedBar {
        let bar = Bar { index: 0, start: LINE, length: LENGTH, metre: Metre::COMMON };
        let rows = codec::encode(notes, &[bar], None).bars.remove(0);
        let rows = BarRows { fields: BarFields { density, ..BarFields::default() }, ..rows };
        let passage = Passage { plan: PlanId(plan), from: LINE, until: LINE + LENGTH, notes: notes.to_vec() };
        GeneratedBar { passage, line: LINE, rows: Arc::new(rows.into()) }
    }

    fn densities(planned: &AsPlanned, notes: &[Note]) -> Option<u8> {
        planned.rows(LINE, LENGTH, notes).map(|rows| rows.bar.fields.density)
    }

    #[test]
    fn bar_that_came_as_planned_is_the_plan_s() {
        let mut planned = AsPlanned::default();
        planned.deliver(generated(1, 3, &[note(100, 12, 60)]));
        planned.deliver(generated(2, 5, &[note(120, 12, 60)]));
        let of = |notes: &[Note]| densities(&planned, notes);
        assert_eq!([of(&[note(100, 12, 60)]), of(&[note(120, 12, 60)]), of(&[])], [Some(3), Some(5), None]);
        assert_eq!(of(&[note(100, 12, 60), note(120, 12, 60)]), None);
        assert_eq!(of(&[Note { velocity: 70, ..note(100, 12, 60) }]), None);
        assert_eq!(of(&[note(0, 300, 50), note(100, 12, 60), note(192, 9, 60)]), Some(3), "notes of other bars do not count");
        assert_eq!((planned.rows(LINE, Tick(72), &[note(100, 12, 60)]), planned.rows(Tick(192), LENGTH, &[])), (None, None));
        planned.deliver(generated(1, 4, &[]));
        assert_eq!((densities(&planned, &[note(100, 12, 60)]), densities(&planned, &[])), (None, Some(4)), "it was generated again");
        planned.forget_before(Tick(192));
        assert_eq!(densities(&planned, &[]), None);
    }

    #[test]
    fn held_note_may_last_as_planned() {
        let mut planned = AsPlanned::default();
        planned.deliver(generated(1, 3, &[note(100, 12, 64), note(170, 60, 60)]));
        let of = |duration| densities(&planned, &[note(100, 12, 64), note(170, duration, 60)]);
        assert_eq!([of(i64::MAX), of(60), of(24), of(100)], [Some(3), Some(3), None, None]);
        assert_eq!(densities(&planned, &[note(100, i64::MAX, 64), note(170, 60, 60)]), None, "it was to end in this bar");
    }

    #[test]
    fn note_whose_key_is_struck_again_came_as_planned() {
        let mut planned = AsPlanned::default();
        planned.deliver(generated(1, 3, &[note(100, 40, 60), note(124, 12, 60), note(180, 40, 64)]));
        let of = |first, last, next: &[Note]| {
            let inside = [note(100, first, 60), note(124, 12, 60), note(180, last, 64)];
            densities(&planned, &[&inside, next].concat())
        };
        assert_eq!([of(24, 40, &[]), of(18, 40, &[]), of(24, 12, &[])], [Some(3), None, None]);
        assert_eq!(of(24, 12, &[note(192, 20, 64)]), Some(3), "by a note of the next bar");
        assert_eq!(of(24, 12, &[note(192, 20, 65)]), None);
    }

    #[test]
    fn given_notes_of_the_plan_count_as_its_own() {
        let mut bar = generated(1, 3, &[note(100, 12, 60), note(130, 12, 62)]);
        let rows = Arc::make_mut(&mut bar.rows);
        rows.given = vec![rows.bar.notes.remove(0)];
        let mut planned = AsPlanned::default();
        planned.deliver(bar.clone());
        assert_eq!(planned.rows(LINE, LENGTH, &[note(100, 12, 60), note(130, 12, 62)]), Some(bar.rows));
        assert_eq!(densities(&planned, &[note(130, 12, 62)]), None);
    }
}
