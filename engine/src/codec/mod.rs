//! Notes to model rows and back: the one and only tokenizer. Training reads its output.

mod align;
mod encode;
mod label;
mod outlook;
mod own;
mod recall;
mod row;
mod turns;
pub mod vocabulary;

pub use align::{BarEnd, align, align_given, prefix_rows};
pub use encode::{EncodeReport, Encoded, decode, encode};
pub use label::label;
pub use outlook::outlook;
pub use own::{GivenOrder, Layout, OwnRoles};
pub use recall::{BarRecall, RECALL_BARS, Recall, Recalled};
pub use row::{BarFields, BarRows, NoteClasses, Place, Position, Row, Targets};
pub use vocabulary::OPEN;
