//! Baselines that the model must beat: a back-off n-gram, and its mixture with copies of earlier bars.
//!
//! Both predict the same eight fields in the same chain as the model (`docs/model-interface.md`), so that bits per note are comparable.
//!
//! * **n-gram**: contexts of six orders for each field, interpolated by Witten and Bell (1991, method C) and by absolute discounting (Ney, Essen and
//!   Kneser 1994); for the pitch also as an interval. The four estimates are mixed with weights fitted by EM on held-out training pieces.
//! * **n-gram + copy**: the n-gram, mixed with point masses on the note at the same place 1, 2, 4 and 8 bars ago. The weights depend on how many of
//!   the last three notes each of these bars predicted.
//!
//! The tables hold a count for every context in the training data; nothing is pruned.

mod context;
mod copying;
mod event;
mod file;
mod fit;
mod mixture;
mod predict;
mod table;

use antiphon_engine::codec::NoteClasses;
use antiphon_engine::codec::vocabulary::{FIELDS, Field};

pub(crate) use fit::{Baselines, Fitted, HeldOut, is_held_out};
pub(crate) use predict::uniform_nats;

/// Negative log-likelihoods in nats by field, in chain order.
pub(crate) type FieldNats = [f64; FIELDS];

/// Class of a field in a note; `None` for the type, which belongs to the prediction ([`event::Event::next`]).
fn class_of(note: &NoteClasses, field: Field) -> Option<u8> {
    match field {
        Field::Type => None,
        Field::Beat => Some(note.beat),
        Field::Sub => Some(note.sub),
        Field::Role => Some(note.role),
        Field::Pitch => Some(note.pitch),
        Field::Duration => Some(note.duration),
        Field::Velocity => Some(note.velocity),
        Field::Offset => Some(note.offset),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::codec::{BarFields, BarRows, NoteClasses};

    use crate::corpus::Piece;

    /// A plain melody note.
    pub(super) fn note(beat: u8, sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat, sub, role: 0, pitch, duration: 23, velocity: 20, offset: 4 }
    }

    /// A bar of 4/4.
    pub(super) fn bar(index: usize, notes: Vec<NoteClasses>) -> BarRows {
        let fields = BarFields { metre: 1, ..BarFields::default() };
        BarRows { index: u32::try_from(index).unwrap(), ticks: 96, fields, notes }
    }

    /// A piece in which every field counts.
    pub(super) fn piece(bars: Vec<BarRows>) -> Piece {
        Piece { bars, performed_timing: true, ..Piece::default() }
    }

    /// A piece of our own, different for each seed: a tune over a walking bass, in phrases of four bars that come back varied.
    pub(super) fn composed(seed: usize, bars: usize) -> Piece {
        let degrees = [0, 2, 4, 5, 7, 9, 11];
        let phrase = |index: usize| {
            let mut notes = Vec::new();
            for beat in 0u8..4 {
                let step = seed * 7 + (index % 4) * 3 + usize::from(beat) * (1 + seed % 3) + usize::from(index.is_multiple_of(5));
                let tune = 60 + degrees[step % 7];
                let velocity = u8::try_from(12 + step % 9).unwrap();
                let offset = u8::try_from(3 + step % 3).unwrap();
                let played = |pitch, role| NoteClasses { role, velocity, offset, duration: 11 + role, ..note(beat, 0, pitch) };
                notes.push(played(tune, 0));
                if beat % 2 == 0 {
                    notes.push(played(36 + degrees[(step * 2) % 7], 2));
                }
                if (seed + index + usize::from(beat)).is_multiple_of(3) {
                    notes.push(NoteClasses { sub: 12, ..played(tune + 1, 0) });
                }
            }
            notes.sort_by_key(|n| (n.beat, n.sub, n.role, n.pitch));
            notes
        };
        piece((0..bars).map(|index| bar(index, phrase(index))).collect())
    }
}
