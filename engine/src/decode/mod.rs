//! One sequence in progress, continued, filled or accompanied: prefill, generation, sampling, rollback. `control` has masks and logit biases.

mod accompany;
mod control;
mod decoder;
mod draw;
mod error;
mod fill;
mod listening;
mod memory;
mod noise;
mod open_bar;
mod playing;
mod prefill;
mod prompt;
mod sampling;

pub use accompany::Accompanied;
pub use control::{Constraints, DensityLimit, MONOPHONIC_ROLES, MOST_NOTES, RequestedControls, RoleSet};
pub use decoder::Decoder;
pub use draw::Draw;
pub use error::DecodeError;
pub use listening::{BarScore, RowScore};
pub use open_bar::OpenBar;
pub use playing::Step;
pub use prefill::Prefill;
pub use prompt::{BarOrder, FAR_SIDE_BARS, Prompt, PromptBar, Upcoming, default_constraints};
pub use sampling::Sampling;
