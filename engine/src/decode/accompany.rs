//! Accompaniment: of a clip whose other parts are known, and of a player who has been heard up to a moment.

use super::{BarScore, DecodeError, Decoder, error::check_bar};
use crate::{
    codec::{BarEnd, BarFields, BarRows, NoteClasses},
    model::OutputRows,
    music::Tick,
};

impl Decoder {
    /// Opens the next bar over notes that are known of all of it, `given` in canonical order: other parts of a clip. They are listened to in one run; what is
    /// pushed or sampled then are the bar's own notes, of other roles ([`Constraints::roles`](super::Constraints)).
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn accompany(&mut self, ticks: u16, fields: BarFields, given: &[NoteClasses]) -> Result<(), DecodeError> {
        self.open_bar(ticks, fields, given)
    }

    /// Appends a finished bar that was made over `given` notes; `bar` has its own.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn append_accompanied(&mut self, bar: &BarRows, given: &[NoteClasses]) -> Result<(), DecodeError> {
        self.append(bar, given, BarEnd::Bar, OutputRows::Last, |_, _| {})
    }

    /// The same, and says what the model thought of the bar. The rows of given notes have no targets.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn score_accompanied(&mut self, bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> Result<BarScore, DecodeError> {
        self.score(bar, given, end)
    }

    /// Opens the next bar with what was heard of it up to `from`, a tick from its bar line: the player's notes, those still held
    /// [`OPEN`](crate::codec::OPEN), and what the other roles have played themselves. What is sampled now goes on from there; who plays is said by
    /// [`Constraints::roles`](super::Constraints), whose `from` this sets.
    ///
    /// # Errors
    /// [`DecodeError::Note`] if one of the notes heard does not start before `from`; [`DecodeError`]. Nothing has changed then, unless ONNX Runtime failed.
    pub fn accompany_live(&mut self, heard: &BarRows, from: Tick) -> Result<(), DecodeError> {
        if let Some((note, classes)) = heard.notes.iter().enumerate().find(|(_, note)| note.tick() >= from) {
            return Err(DecodeError::Note { bar: heard.index, note, classes: *classes });
        }
        if heard.index != self.bar() {
            return Err(DecodeError::Order { found: heard.index, expected: self.bar() });
        }
        check_bar(heard, &[])?;
        self.begin_bar(heard.ticks, heard.fields)?;
        self.controls.start_at(self.line + from);
        self.ask_anew();
        self.push(&heard.notes)
    }
}
