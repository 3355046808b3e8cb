//! Texts of whole-number parameters, both ways.

use std::sync::Arc;

use antiphon_engine::music::Role;
use nice_plug::prelude::*;

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
}
