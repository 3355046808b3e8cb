//! A swap: another variation, or a new phrase, was asked for while a phrase plays, and takes over from it at a beat.

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Brief, Passage, Plan, Variation};
use antiphon_engine::session::{ShownPlan, Snapshot};

/// A swap that is still ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Swap<'a> {
    /// The variation that plays.
    pub(super) from: Variation,
    /// The one that takes over.
    pub(super) to: Variation,
    /// Its first tick.
    pub(super) at: Tick,
    /// Its plan as far as it is there; `None` until it is being made.
    pub(super) plan: Option<&'a Plan>,
}

impl<'a> Swap<'a> {
    /// The swap that is ahead, if there is one.
    pub(super) fn of(snapshot: &'a Snapshot) -> Option<Self> {
        let variations = &snapshot.variations;
        let is_playing = snapshot.plan.as_ref().is_some_and(|shown| shown.playing);
        let (to, takeover) = variations.awaited.zip(variations.takeover.as_ref()).filter(|_| is_playing)?;
        Some(Self { from: variations.shown, to, at: takeover.at, plan: takeover.plan.as_ref() })
    }
}

/// The snapshot with what will sound in place of the phrase that plays: that up to the swap, and from it on what takes over, as far as it is there. `None` without
/// a swap.
pub(super) fn with_swap(snapshot: &Snapshot) -> Option<Snapshot> {
    let (swap, shown) = Swap::of(snapshot).zip(snapshot.plan.as_ref())?;
    let at = swap.at.max(shown.plan.brief.start);
    // What sounds at the swap ends there.
    let before =
        shown.plan.between(shown.plan.brief.start, at).iter().map(|note| Note { duration: note.duration.min(at - note.onset), ..*note });
    let after = swap.plan.map_or(&[][..], |plan| plan.between(at, Tick::MAX));
    let until = swap.plan.map_or(at, |plan| plan.ready().max(at));
    let end = swap.plan.map_or(at, |plan| plan.brief.end.max(until));
    let brief = Brief { end, ..shown.plan.brief.clone() };
    let passage = Passage { plan: brief.plan, from: brief.start, until, notes: before.chain(after.iter().copied()).collect() };
    let mut plan = Plan::new(brief);
    plan.append(&passage);
    Some(snapshot.clone().with_plan(ShownPlan { plan, ..shown.clone() }))
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;
    use antiphon_engine::session::{ShownVariations, Takeover};

    use super::*;
    use crate::editor::samples::plan;

    fn note(onset: i64, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role: Role::Keys }
    }

    /// A phrase of bars 1 to 4 that plays as A, from which B takes over in bar 2.
    fn swapping(coming: Option<Plan>) -> Snapshot {
        let mut shown = plan(0, 384, &[note(0, 24, 60), note(96, 96, 61), note(150, 24, 62)]);
        shown.playing = true;
        let takeover = Some(Takeover { at: Tick(144), plan: coming });
        let variations = ShownVariations { awaited: Some(Variation::B), takeover, ..ShownVariations::default() };
        Snapshot { plan: Some(shown), variations, ..Snapshot::default() }
    }

    #[test]
    fn what_will_sound_is_the_phrase_up_to_the_swap_and_then_what_takes_over() {
        let sounds = |coming| {
            let plan = with_swap(&swapping(coming)).unwrap().plan.unwrap().plan;
            let notes: Vec<_> = plan.notes().iter().map(|note| (note.onset.0, note.duration.0, note.pitch)).collect();
            (notes, plan.ready(), plan.brief.end)
        };
        let before = [(0, 24, 60), (96, 48, 61)];
        assert_eq!(sounds(None), (before.to_vec(), Tick(144), Tick(144)));
        let after = [before[0], before[1], (160, 24, 72)];
        assert_eq!(sounds(Some(plan(144, 480, &[note(160, 24, 72)]).plan)), (after.to_vec(), Tick(480), Tick(480)));
    }

    #[test]
    fn no_swap_is_ahead_unless_another_variation_was_asked_for_while_a_phrase_plays() {
        let swap = swapping(None);
        assert_eq!(Swap::of(&swap), Some(Swap { from: Variation::A, to: Variation::B, at: Tick(144), plan: None }));
        let mut silent = swap.clone();
        silent.plan.as_mut().unwrap().playing = false;
        let mut unasked = swap;
        unasked.variations.awaited = None;
        assert!(Swap::of(&silent).is_none() && with_swap(&unasked).is_none());
    }
}
