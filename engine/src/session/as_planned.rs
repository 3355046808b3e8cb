//! Planned bars with what they were conditioned on. A bar that came as planned keeps that conditioning in the context: its rows are then those that it was
//! generated with, and the worker keeps its pages.

use crate::codec::BarFields;
use crate::music::{Bar, Note, Tick};
use crate::plan::{Passage, PlanId};

/// A planned bar.
#[derive(Debug, Clone, PartialEq)]
struct PlannedBar {
    plan: PlanId,
    bar: (Tick, Tick),
    conditioning: BarFields,
    /// `None` until the whole bar has been delivered.
    notes: Option<Vec<Note>>,
}

/// Bars that were requested, the latest request of a plan for each.
#[derive(Debug, Clone, Default)]
pub(super) struct AsPlanned {
    bars: Vec<PlannedBar>,
}

impl AsPlanned {
    /// A bar is requested of a plan, in this conditioning.
    pub(super) fn request(&mut self, plan: PlanId, bar: &Bar, conditioning: BarFields) {
        let bar = (bar.start, bar.end());
        self.bars.retain(|other| (other.plan, other.bar) != (plan, bar));
        self.bars.push(PlannedBar { plan, bar, conditioning, notes: None });
    }

    /// A passage was delivered: a whole bar, or the rest of one, which is not kept.
    pub(super) fn deliver(&mut self, passage: &Passage) {
        let bar = (passage.from, passage.until);
        if let Some(planned) = self.bars.iter_mut().find(|planned| (planned.plan, planned.bar) == (passage.plan, bar)) {
            planned.notes = Some(passage.notes.clone());
        }
    }

    /// Conditioning of the plan that has exactly these notes in a bar; of several, the last.
    pub(super) fn conditioning(&self, bar: &Bar, notes: &[Note]) -> Option<BarFields> {
        let bar = (bar.start, bar.end());
        let mut of_bar = self.bars.iter().rev().filter(|planned| planned.bar == bar);
        of_bar.find(|planned| planned.notes.as_deref() == Some(notes)).map(|planned| planned.conditioning)
    }

    /// Bars that end by this tick are over.
    pub(super) fn forget_before(&mut self, tick: Tick) {
        self.bars.retain(|planned| planned.bar.1 > tick);
    }

    /// Everything planned is discarded.
    pub(super) fn clear(&mut self) {
        self.bars.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Metre, Role};

    fn bar(number: i64) -> Bar {
        Bar { index: 0, start: Tick(96 * number), length: Tick(96), metre: Metre::COMMON }
    }

    fn note(onset: i64) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch: 60, velocity: 80, role: Role::Keys }
    }

    fn density(density: u8) -> BarFields {
        BarFields { density, ..BarFields::default() }
    }

    fn passage(plan: u64, from: i64, notes: &[Note]) -> Passage {
        Passage { plan: PlanId(plan), from: Tick(from), until: Tick(192), notes: notes.to_vec() }
    }

    #[test]
    fn bar_that_came_as_planned_has_the_conditioning_of_its_plan() {
        let mut planned = AsPlanned::default();
        planned.request(PlanId(1), &bar(1), density(3));
        planned.request(PlanId(2), &bar(1), density(5));
        assert_eq!(planned.conditioning(&bar(1), &[]), None, "nothing was delivered");
        planned.deliver(&passage(1, 96, &[note(100)]));
        planned.deliver(&passage(2, 96, &[note(120)]));
        let of = |notes: &[Note]| planned.conditioning(&bar(1), notes).map(|fields| fields.density);
        assert_eq!([of(&[note(100)]), of(&[note(120)]), of(&[note(100), note(120)])], [Some(3), Some(5), None]);
        let softer = Note { velocity: 79, ..note(100) };
        assert_eq!((of(&[softer]), planned.conditioning(&bar(2), &[note(100)])), (None, None));
        planned.forget_before(Tick(192));
        assert_eq!(planned.conditioning(&bar(1), &[note(100)]), None);
    }

    #[test]
    fn rest_of_a_bar_is_not_a_planned_bar() {
        let mut planned = AsPlanned::default();
        planned.request(PlanId(1), &bar(1), density(3));
        planned.deliver(&passage(1, 120, &[note(130)]));
        assert_eq!(planned.conditioning(&bar(1), &[note(130)]), None);
    }

    #[test]
    fn bar_requested_again_waits_for_its_notes() {
        let mut planned = AsPlanned::default();
        planned.request(PlanId(1), &bar(1), density(3));
        planned.deliver(&passage(1, 96, &[]));
        assert!(planned.conditioning(&bar(1), &[]).is_some());
        planned.request(PlanId(1), &bar(1), density(4));
        assert_eq!(planned.conditioning(&bar(1), &[]), None);
    }
}
