//! Names of pitches.

/// Names of the pitch classes as musicians write them most.
const PITCH_CLASSES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Name of a pitch class: 0 is C. Octaves are ignored.
#[must_use]
pub const fn pitch_class_name(class: u8) -> &'static str {
    PITCH_CLASSES[class as usize % PITCH_CLASSES.len()]
}

/// Name of a MIDI pitch: 60 is C4.
///
/// ```
/// use antiphon_engine::music::pitch_name;
///
/// assert_eq!([0, 60, 70, 127].map(pitch_name), ["C-1", "C4", "Bb4", "G9"]);
/// ```
#[must_use]
pub fn pitch_name(pitch: u8) -> String {
    format!("{}{}", pitch_class_name(pitch), i16::from(pitch / 12) - 1)
}
