//! Sample bars and plans for tests.

use antiphon_engine::music::{Bar, Metre, Note, Tick};
use antiphon_engine::plan::{Brief, Controls, Fingerprint, Passage, Plan, PlanId};
use antiphon_engine::session::{ShownBar, ShownPlan};

/// A bar in quarters: number in the song, start and length in ticks.
pub(crate) fn bar(number: i64, start: i64, length: i64, numerator: u8) -> ShownBar {
    let metre = Metre::new(numerator, 4).unwrap();
    ShownBar { bar: Bar { index: 0, start: Tick(start), length: Tick(length), metre }, number }
}

/// A complete plan.
pub(crate) fn plan(start: i64, end: i64, notes: &[Note]) -> ShownPlan {
    let (start, end) = (Tick(start), Tick(end));
    let brief =
        Brief { plan: PlanId(1), made_at: start, start, end, seed: 1, controls: Controls::default(), context: Fingerprint::of(&[]) };
    let mut plan = Plan::new(brief);
    assert!(plan.append(&Passage { plan: PlanId(1), from: start, until: end, notes: notes.to_vec() }));
    ShownPlan { plan, commit: start, playing: false, sounds_from: start }
}
