//! Accompaniment: of a clip whose other parts are known, and of a player who has been heard up to a moment.

use super::{BarScore, DecodeError, Decoder, error::check_bar};
use crate::{
    codec::{BarEnd, BarFields, BarRows, GivenOrder, Layout, NoteClasses, OwnRoles},
    model::OutputRows,
    music::Tick,
};

/// Who plays beside the roles that are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accompanied {
    /// Nobody: every role is generated.
    #[default]
    Nobody,
    /// Other parts of a clip, each bar of which is known beforehand. These roles are generated.
    Clip(OwnRoles),
    /// A player, who is heard beat by beat. These roles are generated.
    Player(OwnRoles),
}

impl Accompanied {
    /// How finished bars become rows.
    pub(super) fn layout(self) -> Layout {
        match self {
            Self::Nobody => Layout::default(),
            Self::Clip(own) => Layout { own, given: GivenOrder::First },
            Self::Player(own) => Layout { own, given: GivenOrder::Heard },
        }
    }
}

impl Decoder {
    /// Says whom the bars from the next one on accompany. Notes of other roles than those generated are given from then on; what may be
    /// sampled is still said by [`Constraints::roles`](super::Constraints). The model was trained on sequences that accompany alike from their first bar on.
    ///
    /// # Errors
    /// [`DecodeError::StillOpen`]; [`DecodeError::NoOwnRoles`] if the model cannot be told which roles are generated. Nothing has changed then.
    pub fn accompanies(&mut self, accompanied: Accompanied) -> Result<(), DecodeError> {
        self.check_closed()?;
        let Layout { own, .. } = accompanied.layout();
        if own != OwnRoles::ALL && !self.model().info().knows_own_roles() {
            return Err(DecodeError::NoOwnRoles { model: self.model().info().name.clone() });
        }
        self.recall.set_own(own);
        self.accompanied = accompanied;
        Ok(())
    }

    /// Opens the next bar over notes that are known of all of it, `given` in canonical order: other parts of a clip. They are listened to in one run; what is
    /// pushed or sampled then are the bar's own notes, of other roles ([`Constraints::roles`](super::Constraints)).
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn accompany(&mut self, ticks: u16, fields: BarFields, given: &[NoteClasses]) -> Result<(), DecodeError> {
        let bar = BarRows { index: self.bar(), ticks, fields, notes: Vec::new() };
        self.open_bar(bar, given, GivenOrder::First)
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
    /// [`Constraints::roles`](super::Constraints), whose `from` this sets. Notes of other roles than [those generated](Self::accompanies) are given.
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
        let (bar, given) = self.accompanied.layout().own.part(heard);
        self.check_next()?;
        self.controls.start_at(self.line + from);
        self.open_bar(bar, &given, GivenOrder::Planned(from))
    }
}
