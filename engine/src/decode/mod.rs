//! One continuation in progress: constraints, sampling, rollback.

mod constraints;
mod context;
mod decoder;
mod noise;
mod sampling;

pub use constraints::{Constraints, MOST_NOTES, RoleSet};
pub use context::{CONTEXT_BARS, skipped_bars};
pub use decoder::{BarScore, DecodeError, Decoder, OpenBar, RowScore, Step};
pub use sampling::Sampling;
