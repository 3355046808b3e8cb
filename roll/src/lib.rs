//! The piano roll that the editor and the command line's pictures share: its colours and names, and where its rows are.

pub mod legend;
#[cfg(feature = "picture")]
pub mod picture;
mod rows;

pub use rows::{Keys, Rows};
