//! Notes to model rows and back: the one and only tokenizer. Training reads its output.

mod align;
mod encode;
mod label;
mod outlook;
mod phase;
mod recall;
mod row;
mod turns;
pub mod vocabulary;

pub use align::{BarEnd, align, align_given, prefix_rows};
pub use encode::{EncodeReport, Encoded, decode, encode};
pub use label::{Measured, label, labels};
pub use outlook::outlook;
pub use phase::{CONTEXT_BARS, PHASE_BARS, first_read_bar, phase, skipped_bars};
pub use recall::{BarRecall, RECALL_BARS, Recall, Recalled};
pub use row::{BarFields, BarRows, NoteClasses, Place, Position, Row, Targets};
pub use vocabulary::OPEN;
