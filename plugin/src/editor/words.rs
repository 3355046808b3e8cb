//! Words that several parts of the window share.

/// A number of things: "1 bar", "2 bars".
pub(super) fn count(number: usize, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_in_the_singular() {
        assert_eq!([0, 1, 2].map(|number| count(number, "bar")), ["0 bars", "1 bar", "2 bars"]);
    }
}
