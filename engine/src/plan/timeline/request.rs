//! Input and results of a planning tick.

use super::super::{Brief, Controls, Fingerprint, PlanId};
use crate::music::{Note, Tick};

/// A planning tick and its inputs.
#[derive(Debug, Clone, Copy)]
pub struct PlanningTick<'a> {
    /// Tick of this planning tick, k.
    pub now: Tick,
    /// Foreseen tick of the next one, k+1.
    pub next: Tick,
    /// The end of the horizon: the bar line that many bars on.
    pub horizon: Tick,
    /// Notes played, in order of time; at least from the planning tick before the last one on. Notes from `now` on are ignored.
    pub played: &'a [Note],
    /// Fingerprint of all notes played before `now`.
    pub context: Fingerprint,
    /// Current controls.
    pub controls: &'a Controls,
}

/// A request of a planning tick.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new plan, to be adopted at the next planning tick.
    Replan(Brief),
    /// An extension of the adopted plan, from the brief's start on. The player did what the plan foresaw.
    Extend(Brief),
}

impl Request {
    /// Its brief.
    #[must_use]
    pub const fn brief(&self) -> &Brief {
        match self {
            Self::Replan(brief) | Self::Extend(brief) => brief,
        }
    }
}

/// Result of the plan that was requested at the last planning tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// Adopted from now on.
    Adopted(PlanId),
    /// Not delivered in time: the older plan stays adopted.
    Missed(PlanId),
}

/// Result of offering a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Appended to a pending, adopted or latched plan.
    Taken,
    /// Its plan missed its tick or was replaced.
    Late,
    /// It does not follow the passage before it.
    OutOfOrder,
}
