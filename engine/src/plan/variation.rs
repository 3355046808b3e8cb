//! Variations: four plans of the same planning tick, context and controls, each with a seed of its own.

use super::{Brief, Passage, Plan, PlanId};

/// One of the four variations of a plan.
///
/// ```
/// use antiphon_engine::plan::Variation;
///
/// assert_eq!(Variation::A.next(), Some(Variation::B));
/// assert_eq!(Variation::D.next(), None, "after the last one come four new ones");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Variation {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
    /// The third.
    C,
    /// The fourth.
    D,
}

/// Bits of a plan's number that are left to the plans of a session.
const PLAN_BITS: u32 = 48;

impl Variation {
    /// All four, in order.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The one after it; `None` after the last.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::A => Some(Self::B),
            Self::B => Some(Self::C),
            Self::C => Some(Self::D),
            Self::D => None,
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        ["A", "B", "C", "D"][self.index()]
    }

    /// Number of this variation of a plan, the `edition`-th time that it is generated. Plans of the timeline never have such a number.
    const fn plan_id(self, of: PlanId, edition: u8) -> PlanId {
        let place = edition as u64 * Self::ALL.len() as u64 + self.index() as u64 + 1;
        PlanId(of.0 & ((1 << PLAN_BITS) - 1) | place << PLAN_BITS)
    }
}

/// The four variations of the adopted plan: the one that is shown, and the others as far as they have been generated.
///
/// Each of them differs from those before it, the shown one first. So which notes a variation has does not depend on when it was generated.
#[derive(Debug, Clone)]
pub struct Variations {
    /// The one that was made first, by a request of a planning tick.
    first: Variation,
    /// The one that is shown.
    shown: Variation,
    /// Seed of each.
    seeds: [u64; Variation::ALL.len()],
    /// Brief of the first one.
    brief: Brief,
    /// Copies of the plans that are not shown, and of the shown one since it was last left.
    plans: [Option<Plan>; Variation::ALL.len()],
    /// How often those that are not shown have been discarded; wraps around.
    edition: u8,
}

impl Variations {
    /// Variations of a plan that was adopted as `first`, with these seeds.
    #[must_use]
    pub fn new(brief: Brief, first: Variation, seeds: [u64; Variation::ALL.len()]) -> Self {
        Self { first, shown: first, seeds, brief, plans: [const { None }; Variation::ALL.len()], edition: 0 }
    }

    /// The variation that is shown.
    #[must_use]
    pub const fn shown(&self) -> Variation {
        self.shown
    }

    /// Brief of a variation.
    #[must_use]
    pub fn brief(&self, variation: Variation) -> Brief {
        let plan = if variation == self.first { self.brief.plan } else { variation.plan_id(self.brief.plan, self.edition) };
        Brief { plan, seed: self.seeds[variation.index()], ..self.brief.clone() }
    }

    /// A variation, if it has been generated to its end; the shown one is the timeline's.
    #[must_use]
    pub fn plan(&self, variation: Variation) -> Option<&Plan> {
        self.plans[variation.index()].as_ref().filter(|plan| variation == self.first || plan.is_complete())
    }

    /// Whether a variation can be shown.
    #[must_use]
    pub fn is_ready(&self, variation: Variation) -> bool {
        variation == self.shown || self.plan(variation).is_some()
    }

    /// Variations that have not been generated to their end, in the order in which they are generated.
    pub fn lacking(&self) -> impl Iterator<Item = Variation> {
        Variation::ALL.into_iter().filter(|variation| *variation != self.first && !self.is_ready(*variation))
    }

    /// Variations that have been generated, in that order; `adopted` is the one that is shown.
    pub fn generated<'a>(&'a self, adopted: &'a Plan) -> impl Iterator<Item = &'a Plan> {
        let others = Variation::ALL.into_iter().filter(|variation| *variation != self.first);
        let order = std::iter::once(self.first).chain(others);
        order.filter_map(move |variation| if variation == self.shown { Some(adopted) } else { self.plan(variation) })
    }

    /// Variation that is generated under this number.
    #[must_use]
    pub fn of(&self, plan: PlanId) -> Option<Variation> {
        let mut others = Variation::ALL.into_iter().filter(|variation| *variation != self.first);
        others.find(|variation| variation.plan_id(self.brief.plan, self.edition) == plan)
    }

    /// Appends a passage to its variation; returns the variation that it completes.
    pub fn append(&mut self, passage: &Passage) -> Option<Variation> {
        let variation = self.of(passage.plan)?;
        // The copy of the shown one is brought up to date when it is left.
        if variation == self.shown {
            return None;
        }
        let brief = self.brief(variation);
        let plan = self.plans[variation.index()].get_or_insert_with(|| Plan::new(brief));
        (plan.append(passage) && plan.is_complete()).then_some(variation)
    }

    /// Shows a variation that is ready in place of the `adopted` plan, and returns it.
    pub fn show(&mut self, variation: Variation, adopted: &Plan) -> Option<Plan> {
        let plan = self.plan(variation).filter(|_| variation != self.shown)?.clone();
        self.plans[self.shown.index()] = Some(adopted.clone());
        self.shown = variation;
        Some(plan)
    }

    /// Discards the variations that are not shown: what is generated in their place must differ from the one that is shown, the `adopted` plan.
    pub fn discard_others(&mut self, adopted: &Plan) {
        self.first = self.shown;
        self.brief.plan = adopted.id();
        self.plans = [const { None }; Variation::ALL.len()];
        // Passages of the discarded ones may still arrive.
        self.edition = self.edition.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::phrase::tests::{brief, note};
    use super::*;
    use crate::music::Tick;

    fn passage(plan: PlanId, pitch: u8) -> Passage {
        Passage { plan, from: Tick(96), until: Tick(192), notes: vec![note(96, pitch)] }
    }

    fn adopted(brief: Brief) -> Plan {
        let mut plan = Plan::new(brief);
        assert!(plan.append(&passage(plan.id(), 60)));
        plan
    }

    #[test]
    fn variation_is_ready_when_it_is_complete_and_is_shown_as_a_whole() {
        let mut variations = Variations::new(brief(3, 96, 288), Variation::A, [7, 8, 9, 10]);
        let a = adopted(variations.brief(Variation::A));
        let b = variations.brief(Variation::B);
        assert_eq!((b.seed, b.start, b.end), (8, Tick(96), Tick(288)));
        assert_eq!(variations.append(&passage(b.plan, 62)), None);
        assert!(!variations.is_ready(Variation::B) && variations.show(Variation::B, &a).is_none());
        assert_eq!(variations.append(&passage(b.plan, 62)), None, "it is there already");
        let rest = Passage { plan: b.plan, from: Tick(192), until: Tick(288), notes: Vec::new() };
        assert_eq!(variations.append(&rest), Some(Variation::B));
        let shown = variations.show(Variation::B, &a).unwrap();
        assert_eq!((shown.id(), variations.shown()), (b.plan, Variation::B));
        assert_eq!(variations.lacking().collect::<Vec<_>>(), [Variation::C, Variation::D]);
        assert_eq!(variations.generated(&shown).map(Plan::id).collect::<Vec<_>>(), [a.id(), b.plan]);
        // Back to the first, which is what it was, complete or not.
        assert_eq!(variations.show(Variation::A, &shown), Some(a));
    }

    #[test]
    fn passage_of_a_discarded_variation_does_not_join_the_one_in_its_place() {
        let mut variations = Variations::new(brief(3, 96, 192), Variation::A, [7, 8, 9, 10]);
        let a = adopted(variations.brief(Variation::A));
        let stale = variations.brief(Variation::C).plan;
        assert_eq!(variations.append(&passage(variations.brief(Variation::B).plan, 62)), Some(Variation::B));
        let b = variations.show(Variation::B, &a).unwrap();
        variations.discard_others(&b);
        assert_eq!(variations.append(&passage(stale, 64)), None);
        assert_eq!(variations.lacking().collect::<Vec<_>>(), [Variation::A, Variation::C, Variation::D]);
        assert_eq!((variations.brief(Variation::B).plan, variations.generated(&b).count()), (b.id(), 1));
    }

    #[test]
    fn variations_of_different_plans_have_different_numbers() {
        let of = |plan| Variations::new(brief(plan, 96, 288), Variation::C, [0; 4]);
        let ids: std::collections::BTreeSet<PlanId> =
            (1..50).flat_map(|plan| Variation::ALL.map(|variation| of(plan).brief(variation).plan)).collect();
        assert_eq!(ids.len(), 4 * 49);
        assert_eq!(of(5).brief(Variation::C).plan, PlanId(5), "the first is the timeline's plan");
    }
}
