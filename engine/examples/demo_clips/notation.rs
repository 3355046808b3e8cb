//! A small notation for writing music into a program, bar by bar.
//!
//! A voice is a string of bars between `|`. A bar is a row of `PITCHES:LENGTH`, for instance `e5:4.` (a dotted quarter), `a3,c4,e4:2` (a chord) or
//! `r:8` (a rest); `>` before the pitches accents them, and `1+4` ties lengths together. A drum line is a string of sixteenths: `x` a stroke,
//! `X` an accent, `o` a ghost note, `-` nothing. Every bar must be full, so that an error does not shift the bars after it.

use antiphon_engine::music::{Metre, Note, Role, TICKS_PER_QUARTER, Tick};

/// Dynamics of a line, in MIDI velocity.
#[derive(Clone, Copy)]
pub(crate) struct Dynamics {
    /// Velocity of a note off the beat at the edge of a phrase.
    pub(crate) level: i64,
    /// How far a phrase swells towards its middle.
    pub(crate) swell: i64,
    /// Length of a phrase in bars.
    pub(crate) phrase: i64,
}

impl Dynamics {
    /// Accent of the beat, and the arch of the phrase.
    fn velocity(self, onset: Tick, bar: Tick, accent: i64) -> u8 {
        let in_bar = onset.0 % bar.0;
        let metrical = if in_bar == 0 {
            8
        } else if in_bar * 2 == bar.0 {
            5
        } else if in_bar % TICKS_PER_QUARTER == 0 {
            2
        } else {
            0
        };
        let phrase = self.phrase * bar.0;
        let place = onset.0 % phrase;
        // A parabola: 0 at both ends of the phrase, `swell` in its middle.
        let arch = 4 * self.swell * place * (phrase - place) / (phrase * phrase);
        u8::try_from((self.level + metrical + arch + accent).clamp(1, 127)).expect("clamped to a velocity")
    }
}

/// Parses a voice. Panics on an error, naming the bar: the music is part of the program.
pub(crate) fn voice(text: &str, metre: Metre, role: Role, dynamics: Dynamics) -> Vec<Note> {
    let bar_length = metre.bar_length();
    let mut notes = Vec::new();
    for (number, bar) in (0..).zip(text.split('|')) {
        let start = Tick(number * bar_length.0);
        let mut onset = start;
        for token in bar.split_whitespace() {
            let (pitches, length) = token.split_once(':').unwrap_or_else(|| panic!("bar {}: `{token}` has no length", number + 1));
            let (accent, pitches) = pitches.strip_prefix('>').map_or((0, pitches), |rest| (14, rest));
            let duration = length.split('+').fold(Tick::ZERO, |sum, part| sum + ticks(part));
            if pitches != "r" {
                let velocity = dynamics.velocity(onset, bar_length, accent);
                notes.extend(pitches.split(',').map(|name| Note { onset, offset: 0, duration, pitch: pitch(name), velocity, role }));
            }
            onset += duration;
        }
        assert_eq!(onset - start, bar_length, "bar {} is not full: `{}`", number + 1, bar.trim());
    }
    notes.sort_by_key(Note::order);
    notes
}

/// Parses a drum line: bars of sixteenths, blanks ignored.
pub(crate) fn drum_line(bars: &[&str], instrument: u8, level: i64) -> Vec<Note> {
    let mut notes = Vec::new();
    for (number, bar) in (0..).zip(bars) {
        let strokes: Vec<char> = bar.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(strokes.len(), 16, "bar {} of a drum line has to hold 16 sixteenths: `{bar}`", number + 1);
        for (step, stroke) in (0..).zip(strokes) {
            let accent = match stroke {
                'X' => 18,
                'x' => 0,
                'o' => -34,
                '-' => continue,
                other => panic!("bar {} of a drum line has a stroke `{other}`", number + 1),
            };
            let sixteenth = TICKS_PER_QUARTER / 4;
            // Strokes on the beat are louder.
            let on_beat = if step % 4 == 0 { 6 } else { 0 };
            notes.push(Note {
                onset: Tick(number * Metre::COMMON.bar_length().0 + step * sixteenth),
                offset: 0,
                duration: Tick(sixteenth),
                pitch: instrument,
                velocity: u8::try_from((level + accent + on_beat).clamp(1, 127)).expect("clamped to a velocity"),
                role: Role::Drums,
            });
        }
    }
    notes
}

/// A note value: 1, 2, 4, 8 or 16, with a dot.
fn ticks(value: &str) -> Tick {
    let (value, dotted) = value.strip_suffix('.').map_or((value, false), |value| (value, true));
    let denominator: i64 = value.parse().unwrap_or_else(|_| panic!("`{value}` is not a note value"));
    let plain = 4 * TICKS_PER_QUARTER / denominator;
    Tick(if dotted { plain * 3 / 2 } else { plain })
}

/// A pitch by name, `c4` being middle C, MIDI key 60.
fn pitch(name: &str) -> u8 {
    let (letter, rest) = name.split_at(1);
    let step = match letter {
        "c" => 0,
        "d" => 2,
        "e" => 4,
        "f" => 5,
        "g" => 7,
        "a" => 9,
        "b" => 11,
        _ => panic!("`{name}` is not a pitch"),
    };
    let (alteration, octave) = match rest.split_at(rest.len().saturating_sub(1)) {
        ("", octave) => (0, octave),
        ("#", octave) => (1, octave),
        ("b", octave) => (-1, octave),
        _ => panic!("`{name}` is not a pitch"),
    };
    let octave: i32 = octave.parse().unwrap_or_else(|_| panic!("`{name}` has no octave"));
    u8::try_from(12 * (octave + 1) + step + alteration).unwrap_or_else(|_| panic!("`{name}` is no MIDI key"))
}
