//! The tokenizer: notes to model rows and back. Training reads its output; there is no other.

mod align;
mod conditioning;
mod encode;
mod encode_report;
mod label;
mod loops;
mod own;
mod phase;
mod recall;
mod row;
pub mod vocabulary;

pub use align::{BarEnd, align, align_given, prefix_rows};
pub use conditioning::default_conditioning;
pub use encode::{Encoded, decode, encode};
pub use encode_report::EncodeReport;
pub use label::{Measured, label, label_chords, labels, profile_at_end};
pub use own::{GivenOrder, Layout, OwnRoles};
pub use phase::{CONTEXT_BARS, PHASE_BARS, first_read_bar, phase, skipped_bars};
pub use recall::{BarRecall, RECALL_BARS, Recall, RecallTail, Recalled};
pub use row::{BarFields, BarRows, NoteClasses, Place, Position, Row, Targets};
pub use vocabulary::OPEN;
