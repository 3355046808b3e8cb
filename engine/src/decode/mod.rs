//! One continuation in progress: constraints, sampling, rollback.

mod constraints;
mod context;
mod decoder;
mod error;
mod noise;
mod open_bar;
mod sampling;

pub use constraints::{Constraints, MOST_NOTES, RoleSet};
pub use context::{CONTEXT_BARS, skipped_bars};
pub use decoder::{BarScore, Decoder, RowScore, Step};
pub use error::DecodeError;
pub use open_bar::OpenBar;
pub use sampling::Sampling;
