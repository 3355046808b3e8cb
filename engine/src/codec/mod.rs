//! Notes to model rows and back: the one and only tokenizer. Training reads its output.

mod row;
pub mod vocabulary;

pub use row::{BarFields, BarRows, NoteClasses, Position, Row, Targets};
pub use vocabulary::OPEN;
