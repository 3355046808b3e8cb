//! What goes in and out at a planning tick.

use super::super::{Brief, Controls, Fingerprint, PlanId};
use crate::music::{Note, Tick};

/// A planning tick and what the player may want to know at it.
#[derive(Debug, Clone, Copy)]
pub struct PlanningTick<'a> {
    /// Where it stands, k.
    pub now: Tick,
    /// Where the next one is foreseen, k+1.
    pub next: Tick,
    /// The end of the horizon: the bar line that many bars on.
    pub horizon: Tick,
    /// What was heard, in order of time; at least from the planning tick before the last one on. Notes from `now` on are not looked at.
    pub played: &'a [Note],
    /// Of all that was heard before `now`.
    pub context: Fingerprint,
    /// The controls as they stand.
    pub controls: &'a Controls,
}

/// What the engine is asked for at a planning tick.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new plan, to be adopted at the next planning tick.
    Replan(Brief),
    /// More of the plan that stands: from the brief's start on. The player did what it foresaw.
    Extend(Brief),
}

impl Request {
    /// What to make.
    #[must_use]
    pub const fn brief(&self) -> &Brief {
        match self {
            Self::Replan(brief) | Self::Extend(brief) => brief,
        }
    }
}

/// What became of the plan that was asked for at the last planning tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// It stands from now on.
    Adopted(PlanId),
    /// It was not there in time: the older one stands.
    Missed(PlanId),
}

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It belongs to the plan that is being made, or to one that stands.
    Taken,
    /// Its plan missed its tick or was replaced.
    Late,
    /// It does not follow the passage before it.
    OutOfOrder,
}
