//! One sequence in progress, continued, filled or accompanied: constraints, sampling, rollback.

mod accompany;
mod aims;
mod constraints;
mod context;
mod decoder;
mod draw;
mod echo;
mod error;
mod fill;
mod listening;
mod memory;
mod newcomer;
mod noise;
mod open_bar;
mod pace;
mod playing;
mod sampling;

pub use accompany::Accompanied;
pub use aims::Aims;
pub use constraints::{Busiest, Constraints, MOST_NOTES, RoleSet};
pub use context::{CONTEXT_BARS, FAR_SIDE_BARS, skipped_bars};
pub use decoder::Decoder;
pub use draw::Draw;
pub use error::DecodeError;
pub use listening::{BarScore, RowScore};
pub use newcomer::LINES;
pub use open_bar::OpenBar;
pub use playing::Step;
pub use sampling::Sampling;
