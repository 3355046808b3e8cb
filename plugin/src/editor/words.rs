//! Words that several parts of the window share.

use std::fmt::Display;

use egui::{Response, Ui};

/// A number of things: "1 bar", "2 bars".
pub(super) fn count(number: usize, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// A text as a sentence: errors, which may stand behind a colon, begin with a small letter.
pub(super) fn sentence(text: impl Display) -> String {
    let text = text.to_string();
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Draws what went wrong, in a dialog.
pub(super) fn error(ui: &mut Ui, text: &str) -> Response {
    ui.colored_label(ui.visuals().error_fg_color, sentence(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_begins_with_a_capital() {
        let sentences = ["no star was set", "In time", "3 events", "élan", ""].map(sentence);
        assert_eq!(sentences, ["No star was set", "In time", "3 events", "Élan", ""]);
    }

    #[test]
    fn one_thing_is_in_the_singular() {
        assert_eq!([0, 1, 2].map(|number| count(number, "bar")), ["0 bars", "1 bar", "2 bars"]);
    }
}
