//! Controls of sampling: masks (hard constraints) and logit biases, written into the tables that are added to the logits.
//!
//! All of it is a function of the row about to be sampled ([`RowContext`]). Masks come first; then each bias of `bias/` adds its own part. A new requested
//! control is a file in `bias/` and its two lines in `bias/mod.rs`.

mod bias;
mod constraints;
mod lock;
mod mask;
mod newcomer;
mod repetition;
mod roles;
mod row;

pub use bias::{DensityLimit, HeardHarmony, RequestedControls, RequestedKey};
pub use constraints::{Constraints, MOST_NOTES};
pub use lock::BarLock;
pub use newcomer::MONOPHONIC_ROLES;
pub(super) use repetition::Repetition;
pub use roles::RoleSet;
pub(super) use row::RowContext;

use self::mask::Mask;
use crate::model::SamplingInputs;
use crate::music::Tick;

/// Constraints and requested controls in the form that is independent of the row.
#[derive(Debug, Clone)]
pub(super) struct Controls {
    mask: Mask,
    requested: RequestedControls,
    density_limit: Option<DensityLimit>,
}

impl Controls {
    pub(super) fn new(constraints: Constraints) -> Self {
        Self { requested: constraints.requested, density_limit: constraints.density_limit, mask: Mask::new(constraints) }
    }

    /// Masks onsets before this tick of the sequence.
    pub(super) fn start_at(&mut self, from: Tick) {
        self.mask.start_at(from);
    }

    /// Writes masks and biases for a row; `copy` are the nats of the copy bias.
    pub(super) fn write(&self, inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, copy: f32) {
        self.mask.write(inputs, row);
        self.requested.add(inputs, row, self.density_limit);
        bias::add_copy_bias(inputs, row, copy);
    }
}
