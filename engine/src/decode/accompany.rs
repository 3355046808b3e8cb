//! Accompaniment: of the other parts of a clip, and of a player whose notes are known up to the present tick.

use super::{DecodeError, Decoder, error::check_bar};
use crate::{
    codec::{BarFields, BarRows, GivenOrder, Layout, NoteClasses, OwnRoles},
    music::Tick,
};

/// Source of the given notes, and the own roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accompanied {
    /// No given notes: every role is an own role.
    #[default]
    None,
    /// Other parts of a clip, known for the whole bar before it is generated. Holds the own roles.
    Clip(OwnRoles),
    /// A player, whose notes become known beat by beat. Holds the own roles.
    Player(OwnRoles),
}

impl Accompanied {
    /// Row layout of finished bars.
    pub(super) fn layout(self) -> Layout {
        match self {
            Self::None => Layout::default(),
            Self::Clip(own) => Layout { own, given: GivenOrder::First },
            Self::Player(own) => Layout { own, given: GivenOrder::ByBeat },
        }
    }
}

impl Decoder {
    /// Sets the source of given notes and the own roles of the bars from the next one on. Notes of other roles are given from then on; sampling is still
    /// limited by [`Constraints::roles`](super::Constraints) alone. In training a sequence has the same own roles from its first bar on.
    ///
    /// # Errors
    /// [`DecodeError::StillOpen`]; [`DecodeError::NoOwnRoles`] if the model has no columns for own roles. Nothing has changed then.
    pub fn accompanies(&mut self, accompanied: Accompanied) -> Result<(), DecodeError> {
        self.check_closed()?;
        let Layout { own, .. } = accompanied.layout();
        if own != OwnRoles::ALL && !self.model().info().has_own_roles() {
            return Err(DecodeError::NoOwnRoles { model: self.model().info().name.clone() });
        }
        self.recall.set_own(own);
        self.accompanied = accompanied;
        Ok(())
    }

    /// Opens the next bar over `given` notes of the whole bar, in canonical order: other parts of a clip. Their rows are one run; notes pushed or sampled
    /// after it are the bar's own notes, of other roles ([`Constraints::roles`](super::Constraints)).
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn accompany(&mut self, ticks: u16, fields: BarFields, given: &[NoteClasses]) -> Result<(), DecodeError> {
        let bar = BarRows { index: self.bar(), ticks, fields, notes: Vec::new() };
        self.open_bar(bar, given, GivenOrder::First)
    }

    /// Opens the next bar with its known notes up to `from`, a tick from its bar line: the player's, those still held [`OPEN`](crate::codec::OPEN), and the
    /// generated ones. Sampling goes on from there, in the roles of [`Constraints::roles`](super::Constraints), whose `from` this sets. Notes of other than
    /// the [own roles](Self::accompanies) are given notes.
    ///
    /// # Errors
    /// [`DecodeError::Note`] if a known note does not start before `from`; [`DecodeError`]. Nothing has changed then, unless ONNX Runtime failed.
    pub fn accompany_live(&mut self, known: &BarRows, from: Tick) -> Result<(), DecodeError> {
        if let Some((note, classes)) = known.notes.iter().enumerate().find(|(_, note)| note.tick() >= from) {
            return Err(DecodeError::Note { bar: known.index, note, classes: *classes });
        }
        if known.index != self.bar() {
            return Err(DecodeError::Order { found: known.index, expected: self.bar() });
        }
        check_bar(known, &[])?;
        let (bar, given) = self.accompanied.layout().own.partition(known);
        self.check_next()?;
        self.controls.start_at(self.line + from);
        self.open_bar(bar, &given, GivenOrder::Planned(from))
    }
}
