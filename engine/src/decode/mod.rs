//! One sequence in progress, continued, filled or accompanied: prefill, generation, sampling, rollback. `control` has masks and logit biases.

mod accompany;
mod append;
mod aside;
mod control;
mod decoder;
mod draw;
mod error;
mod fill;
mod generation;
mod memory;
mod noise;
mod open_bar;
mod prefill;
mod prompt;
mod sampling;

pub use accompany::Accompanied;
pub use append::{BarScore, RowScore};
pub use control::{
    BarLock, Constraints, DensityLimit, HeardHarmony, MONOPHONIC_ROLES, MOST_NOTES, RequestedControls, RequestedKey, RoleSet,
};
pub use decoder::Decoder;
pub use draw::Draw;
pub use error::DecodeError;
pub use generation::Step;
pub use memory::Entries;
pub use open_bar::OpenBar;
pub use prefill::Prefill;
pub use prompt::{BarOrder, FAR_SIDE_BARS, Prompt, PromptBar, Remembered, Upcoming, default_constraints};
pub use sampling::Sampling;
