//! Texts of whole-number parameters, both ways.

use std::sync::Arc;

use antiphon_engine::music::{Role, pitch_class_name, pitch_name};
use nice_plug::prelude::*;

/// Text of a control that leaves its value to Antiphon, which takes it from the music.
pub(super) const AUTO: &str = "Auto";
/// What that was called before: presets of users are in these words.
const AUTO_BEFORE: [&str; 3] = ["As played", AS_INPUT, "Detected"];
/// Value that leaves a channel to the notes of the player.
pub(super) const AS_INPUT: &str = "As input";
/// Value that leaves a length to the parameter Bars ahead.
pub(super) const AS_HORIZON: &str = "As bars ahead";

/// Whether a text means [`AUTO`].
pub(super) fn is_auto(text: &str) -> bool {
    AUTO_BEFORE.iter().chain([&AUTO]).any(|word| word.eq_ignore_ascii_case(text.trim()))
}

/// The step of this name: one of [`AUTO`] has its former names, too.
pub(super) fn step_named(names: &[&str], text: &str) -> Option<i32> {
    let is_named = |name: &&str| name.eq_ignore_ascii_case(text) || **name == *AUTO && is_auto(text);
    names.iter().position(is_named).and_then(|step| i32::try_from(step).ok())
}

/// The whole, in percent.
pub(super) const FULL: i32 = 100;

/// First letter as a capital.
fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Number at the end of a text, its sign with it: `Channel 3`, `-12`. A unit may follow.
pub(super) fn number(text: &str) -> Option<i32> {
    let text = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let digits = text.len() - text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let signed = if text[..digits].ends_with('-') { digits - 1 } else { digits };
    text[signed..].parse().ok()
}

/// A parameter from `least` to `most`, whose `least` has a name of its own; the others are spoken by `words`.
pub(super) fn named(name: &str, least_name: &'static str, [least, most]: [i32; 2], words: fn(i32) -> String) -> IntParam {
    IntParam::new(name, least, IntRange::Linear { min: least, max: most })
        .with_value_to_string(Arc::new(move |value| if value == least { least_name.to_owned() } else { words(value) }))
        .with_string_to_value(Arc::new(move |text| {
            let text = text.trim();
            if text.eq_ignore_ascii_case(least_name) { Some(least) } else { number(text) }
        }))
}

/// A parameter whose steps have these names, the first as the default. Its number stands for a step, too.
pub(super) fn steps(name: &str, names: &'static [&'static str]) -> IntParam {
    let most = i32::try_from(names.len()).unwrap_or(1) - 1;
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: most })
        .with_value_to_string(Arc::new(|step| {
            usize::try_from(step).ok().and_then(|step| names.get(step)).copied().unwrap_or_default().to_owned()
        }))
        .with_string_to_value(Arc::new(move |text| step_named(names, text.trim()).or_else(|| text.trim().parse().ok())))
}

/// A percentage whose steps have these texts; a number stands for itself.
pub(super) fn share(name: &str, default: i32, words: fn(i32) -> String) -> IntParam {
    IntParam::new(name, default, IntRange::Linear { min: 0, max: FULL }).with_value_to_string(Arc::new(words)).with_string_to_value(
        Arc::new(move |text| {
            let text = text.trim();
            [0, FULL].into_iter().find(|end| words(*end).eq_ignore_ascii_case(text)).or_else(|| number(text))
        }),
    )
}

/// The step of a parameter as a number, if it is not the first one.
pub(super) fn requested(param: &IntParam) -> Option<u8> {
    u8::try_from(param.value()).ok().filter(|step| *step != 0)
}

/// Other spellings of the pitch classes.
const OTHER_SPELLINGS: [&str; 12] = ["B#", "Db", "D", "D#", "Fb", "E#", "Gb", "G", "G#", "A", "A#", "Cb"];

/// The pitch class of this name.
pub(super) fn pitch_class(text: &str) -> Option<i32> {
    let is_named =
        |class: &u8| [pitch_class_name(*class), OTHER_SPELLINGS[usize::from(*class)]].iter().any(|name| name.eq_ignore_ascii_case(text));
    (0..12u8).find(is_named).map(i32::from)
}

/// The MIDI key of this name or number.
fn key_named(text: &str) -> Option<i32> {
    if let Ok(key) = text.parse() {
        return Some(key);
    }
    let octave_at = text.find(|letter: char| letter.is_ascii_digit() || letter == '-')?;
    let (name, octave) = text.split_at(octave_at);
    let class = pitch_class(name)?;
    // B sharp lies in the octave above that of its pitch class, C flat in the one below.
    let wrapped = match name.to_ascii_lowercase().as_str() {
        "b#" => 12,
        "cb" => -12,
        _ => 0,
    };
    let octave: i32 = octave.parse().ok().filter(|octave| (-1..=9).contains(octave))?;
    Some((octave + 1) * 12 + class + wrapped)
}

/// A MIDI key; the `free` one stands for [`AUTO`].
pub(super) fn key(name: &str, free: i32) -> IntParam {
    IntParam::new(name, free, IntRange::Linear { min: 0, max: 127 })
        .with_value_to_string(Arc::new(
            move |key| {
                if key == free { AUTO.to_owned() } else { u8::try_from(key).map(pitch_name).unwrap_or_default() }
            },
        ))
        .with_string_to_value(Arc::new(move |text| {
            let text = text.trim();
            if is_auto(text) { Some(free) } else { key_named(text) }
        }))
}

/// A role, or none: 0, then the role classes of the model in order.
pub(super) fn role(name: &str) -> IntParam {
    let most = i32::try_from(Role::ALL.len()).unwrap_or(i32::MAX);
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: most })
        .with_value_to_string(Arc::new(|step| role_at(step).map_or_else(|| "None".to_owned(), |role| capitalised(role.name()))))
        .with_string_to_value(Arc::new(|text| {
            let text = text.trim();
            if text.eq_ignore_ascii_case("none") { Some(0) } else { Role::from_name(text).map(|role| i32::from(role.class()) + 1) }
        }))
}

/// The role at a step of [`role`].
pub(super) fn role_at(step: i32) -> Option<Role> {
    step.checked_sub(1).and_then(|class| u8::try_from(class).ok()).and_then(Role::from_class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_with_its_sign_whatever_stands_around_it() {
        for (text, value) in [("3", 3), ("Channel 12", 12), ("-20 ms", -20), ("4 bars", 4), ("a-4", -4)] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "-", "bars", "99999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn key_is_read_by_any_of_its_names() {
        for (text, key) in [("C4", 60), ("c4", 60), ("Db4", 61), ("C#4", 61), ("B#3", 60), ("Cb4", 59), ("A0", 21), ("C-1", 0), ("72", 72)]
        {
            assert_eq!(key_named(text), Some(key), "{text}");
        }
        for text in ["", "H4", "C", "C99", "4C"] {
            assert_eq!(key_named(text), None, "{text}");
        }
        assert!((0..128u8).all(|key| key_named(&pitch_name(key)) == Some(key.into())));
    }
}
