//! Synthetic music of the benchmarks: bars with the same number of notes, whatever the model.

use antiphon_engine::codec::{BarFields, BarRows, NoteClasses};
use antiphon_engine::decode::{DecodeError, Decoder, MOST_NOTES};

/// Notes in every bar.
pub const NOTES: u8 = 20;

/// Decodes a bar note by note; returns how many rows its last note saw.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_bar(decoder: &mut Decoder) -> Result<usize, DecodeError> {
    let bar = bar(decoder.bar());
    decoder.begin_bar(bar.ticks, bar.fields)?;
    for note in &bar.notes {
        decoder.push(&[*note])?;
    }
    let keys = decoder.keys();
    decoder.end_bar()?;
    Ok(keys)
}

/// A bar of 4/4: triads on the first four beats' eighths, and a line above them.
#[must_use]
pub fn bar(index: u32) -> BarRows {
    const { assert!((NOTES as usize) < MOST_NOTES) };
    let shift = u8::try_from(index % 12).unwrap_or(0);
    let notes = (0..NOTES).map(|number| {
        let (eighth, voice) = (number * 8 / NOTES, number % 5);
        NoteClasses {
            beat: eighth / 2,
            sub: eighth % 2 * 12,
            role: 9,
            pitch: 40 + shift + number * 2 + voice,
            duration: 11,
            velocity: 20,
            offset: 4,
        }
    });
    BarRows { index, ticks: 96, fields: BarFields { metre: 1, ..BarFields::default() }, notes: notes.collect() }
}
