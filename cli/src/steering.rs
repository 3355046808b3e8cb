//! The requested controls, read from the command line.

use std::path::Path;

use antiphon_engine::codec::BarFields;
use antiphon_engine::decode::{Constraints, Prompt, RequestedControls, RequestedKey, Sampling};
use antiphon_engine::music::analysis::{KeySignature, Register, Scale, ScaleMode, habits};
use antiphon_engine::music::{Note, Role};
use anyhow::{Result, bail};
use clap::value_parser;

/// The controls of every command that generates music.
#[derive(clap::Args)]
pub(crate) struct Steering {
    /// From 0, the most likely notes, to 1, where unusual turns get their chance
    #[arg(long, value_name = "0..1", default_value = "0.5", value_parser = share, help_heading = "Steering")]
    adventurousness: f32,

    /// Key of the new notes, for instance "D minor" or Bb; by default the key detected in the music around them
    #[arg(long, value_name = "KEY", value_parser = key, help_heading = "Steering")]
    key: Option<KeySignature>,

    /// Use only notes of the key's scale (except drums); in minor, the natural scale and the leading note
    #[arg(long, help_heading = "Steering")]
    scale_lock: bool,

    /// Lowest and highest note of every role (except drums), as MIDI keys or note names: 48:84 or c3:c6
    #[arg(long, value_name = "LOW:HIGH", value_parser = register, help_heading = "Steering")]
    register: Option<Register>,

    /// How many notes, from 1 (up to 1.25 per quarter note) to 8 (15 or more); 4 is up to 5 per quarter note
    #[arg(long, value_name = "1..8", value_parser = value_parser!(u8).range(1..=8), help_heading = "Steering")]
    density: Option<u8>,

    /// How many notes may sound at once in a bar (except drums); 8 stands for 8 or more
    #[arg(long, value_name = "1..8", value_parser = value_parser!(u8).range(1..=8), help_heading = "Steering")]
    voices: Option<u8>,
}

impl Steering {
    /// Temperature and min-p for the requested adventurousness.
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling::from_adventurousness(self.adventurousness)
    }

    /// The requested key.
    pub(crate) fn key(&self) -> Option<KeySignature> {
        self.key
    }

    /// Conditioning of a bar with this default.
    pub(crate) fn conditioning(&self, default: BarFields) -> BarFields {
        BarFields { density: self.density.unwrap_or(default.density), voices: self.voices.unwrap_or(default.voices), ..default }
    }

    /// Constrains a prompt to these roles and to the requested controls, and, without --free, to what was measured. `input` is the file that messages name.
    pub(crate) fn constrain(&self, prompt: &mut Prompt, roles: &[Role], measured: Option<Measured<'_>>, input: &Path) -> Result<()> {
        let key = prompt.key();
        let constraints = &mut prompt.constraints;
        constraints.roles = roles.iter().copied().collect();
        if let Some(Measured { newcomers, beside, own }) = measured {
            newcomers.iter().for_each(|role| constraints.introduce(*role, beside));
            constraints.keep_to(&habits(own));
        }
        self.limit(constraints, key, input)
    }

    /// Adds the requested controls and the hard constraints: the register, and the scale of `key`, which was requested or detected in `input`.
    fn limit(&self, constraints: &mut Constraints, key: Option<KeySignature>, input: &Path) -> Result<()> {
        if let Some(register) = self.register {
            constraints.registers = constraints.registers.map(|_| register);
        }
        let mut scale = Scale::CHROMATIC;
        if self.scale_lock {
            let Some(key) = key else {
                bail!("{}: no key was detected for --scale-lock to keep to; name one with --key", input.display());
            };
            scale = Scale::of_key(key);
            if self.register.is_some_and(|Register { low, high }| !(low..=high).any(|pitch| scale.contains(pitch))) {
                bail!("--register: none of its notes is in {key}, which --scale-lock keeps to; widen it");
            }
        }
        constraints.requested = RequestedControls {
            density: self.density,
            voices: self.voices,
            key: self.key.map(RequestedKey::of),
            ..RequestedControls::default()
        };
        constraints.scale = scale.bits();
        Ok(())
    }
}

/// Music whose habits the new notes keep, unless --free is given.
#[derive(Clone, Copy)]
pub(crate) struct Measured<'a> {
    /// Requested roles that the music does not have.
    pub(crate) newcomers: &'a [Role],
    /// Notes beside which the newcomers play.
    pub(crate) beside: &'a [Note],
    /// Notes whose registers, chord sizes and density are kept.
    pub(crate) own: &'a [Note],
}

/// Reads a role's name.
pub(crate) fn role(text: &str) -> Result<Role, String> {
    let names = || Role::ALL.map(|role| role.name().replace(' ', "-")).join(", ");
    Role::from_name(text).ok_or_else(|| format!("there is no role of that name; the roles are {}", names()))
}

/// Reads a key: `C`, `F# major`, `Bb minor`, `Am`.
fn key(text: &str) -> Result<KeySignature, String> {
    let wrong = || "a key is a note name and a mode, for instance \"C major\", \"F# minor\" or \"Bbm\"".to_owned();
    let (tonic, mode) = pitch_class(text).ok_or_else(wrong)?;
    let mode = match mode.trim() {
        "" | "major" | "maj" => ScaleMode::Major,
        "m" | "minor" | "min" => ScaleMode::Minor,
        _ => return Err(wrong()),
    };
    KeySignature::new(tonic, mode).ok_or_else(wrong)
}

/// Reads a register, `LOW:HIGH`, of MIDI keys or note names.
fn register(text: &str) -> Result<Register, String> {
    let (low, high) = text.split_once(':').ok_or("a register is LOW:HIGH, for instance c3:c6 or 48:84")?;
    let pitch =
        |text: &str| pitch(text).ok_or_else(|| format!("`{text}` is neither a MIDI key, 0 to 127, nor a note such as c4, which is key 60"));
    let register = Register { low: pitch(low)?, high: pitch(high)? };
    if register.low > register.high {
        return Err(format!("its low end, key {}, is above its high end, key {}; swap them", register.low, register.high));
    }
    Ok(register)
}

/// Reads a share from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "it must be a number from 0 to 1".into())
}

/// A MIDI key by number, or by name and octave: c4 is middle C, key 60.
fn pitch(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number < 128).then_some(number);
    }
    let (class, octave) = pitch_class(text)?;
    let octave: i32 = octave.parse().ok()?;
    // A flat of C lies in the octave below, where `pitch_class` has wrapped it round; B sharp likewise above.
    let wrapped = match text.as_bytes() {
        [b'c' | b'C', b'b', ..] => -12,
        [b'b' | b'B', b'#', ..] => 12,
        _ => 0,
    };
    u8::try_from(12 * octave.checked_add(1)? + i32::from(class) + wrapped).ok().filter(|key| *key < 128)
}

/// The pitch class a text begins with, and the rest of it.
fn pitch_class(text: &str) -> Option<(u8, &str)> {
    let letter = text.chars().next()?;
    let natural = match letter.to_ascii_lowercase() {
        'c' => 0,
        'd' => 2,
        'e' => 4,
        'f' => 5,
        'g' => 7,
        'a' => 9,
        'b' => 11,
        _ => return None,
    };
    let rest = &text[1..];
    if let Some(rest) = rest.strip_prefix('#') {
        return Some(((natural + 1) % 12, rest));
    }
    if let Some(rest) = rest.strip_prefix('b') {
        return Some(((natural + 11) % 12, rest));
    }
    Some((natural, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_as_musicians_write_it_is_read() {
        for (text, tonic, mode) in [
            ("C", 0, ScaleMode::Major),
            ("Am", 9, ScaleMode::Minor),
            ("a minor", 9, ScaleMode::Minor),
            ("Bb", 10, ScaleMode::Major),
            ("bb minor", 10, ScaleMode::Minor),
            ("F# major", 6, ScaleMode::Major),
            ("Cb", 11, ScaleMode::Major),
        ] {
            assert_eq!(key(text), Ok(KeySignature::new(tonic, mode).unwrap()), "{text}");
        }
        for text in ["", "H", "C dur", "#", "7", "é"] {
            assert!(key(text).unwrap_err().contains("for instance"), "{text}");
        }
    }

    #[test]
    fn key_as_it_is_printed_reads_back() {
        for wanted in KeySignature::all() {
            assert_eq!(key(&wanted.to_string()), Ok(wanted));
        }
    }

    #[test]
    fn register_of_numbers_or_names_is_read() {
        assert_eq!(register("48:84"), Ok(Register { low: 48, high: 84 }));
        assert_eq!(register("c3:C6"), Ok(Register { low: 48, high: 84 }));
        assert_eq!(register("c-1:g9"), Ok(Register { low: 0, high: 127 }));
        assert_eq!(register("cb4:b#4"), Ok(Register { low: 59, high: 72 }));
        assert_eq!(register("60:60"), Ok(Register { low: 60, high: 60 }));
        for (text, message) in [
            ("60", "LOW:HIGH"),
            ("x:60", "`x`"),
            ("60:128", "`128`"),
            ("c4:g#9", "`g#9`"),
            ("84:48", "swap"),
            ("c4:c99999999999", "neither"),
        ] {
            let error = register(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_role_or_share_is_refused_with_the_valid_ones() {
        assert_eq!(role("left-hand"), Ok(Role::LeftHand));
        assert!(role("kazoo").unwrap_err().contains("low-strings, keys"));
        assert_eq!(share("0.25"), Ok(0.25));
        for text in ["-0.1", "1.1", "NaN", "much"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
