//! Measurements on notes: the features that condition the model, and that evaluations measure.

mod buckets;
mod chords;
mod features;
mod habits;
mod harmony;
mod key;
mod key_changes;
mod mood;
mod repeats;
mod scale;

pub use buckets::{BarBuckets, DENSITY_EDGES, MOST_VOICES, REGISTER_EDGES, SPAN_EDGES, TEMPO_EDGES, tempo_bucket};
pub use chords::{Chord, ChordKind, chord_between, chords_of_bar};
pub use features::{BarFeatures, PitchFeatures};
pub use habits::{Habit, Habits, Register, habits};
pub use harmony::{BarHarmony, FoundChord, FoundKey};
pub use key::{KEY_WINDOW_BARS, KeySignature, PitchProfile, ScaleMode, detect_key, windows_of_bars};
pub use key_changes::keys_of_bars;
pub use mood::{AROUSAL_EDGES, Level, Mood, VALENCE_EDGES, velocities_are_flat};
pub use repeats::{BarPattern, NEW_BAR, REPEAT_BARS, REPEAT_SIMILARITY, repeats_of_bars};
pub use scale::{Scale, ScaleKind};
