//! Names of the bands of adventurousness.

/// Bands with the first percentage of each, upwards.
pub(super) const BANDS: [(&str, f32); 3] = [("Safe", 0.0), ("Character", 34.0), ("Surprise", 67.0)];
/// Percent.
const FULL: f32 = 100.0;

/// Name of the band of a value, 0 to 1.
fn band(value: f32) -> &'static str {
    let percent = (value * FULL).round();
    let (band, _) = BANDS.into_iter().rev().find(|(_, first)| percent >= *first).unwrap_or(BANDS[0]);
    band
}

/// Text of a value, 0 to 1: the name of its band and its percentage.
pub(super) fn name(value: f32) -> String {
    format!("{} {:.0} %", band(value), (value * FULL).round())
}

/// Value, 0 to 1, of a text: a percentage, whatever band stands before it, or the middle of a band by its name alone.
pub(super) fn value(text: &str) -> Option<f32> {
    let text = text.trim().trim_end_matches('%').trim();
    let ends = BANDS.iter().skip(1).map(|(_, first)| *first).chain([FULL]);
    let middle = |((name, first), end): (&(&str, f32), f32)| name.eq_ignore_ascii_case(text).then_some((first + end) / 2.0 / FULL);
    if let Some(middle) = BANDS.iter().zip(ends).find_map(middle) {
        return Some(middle);
    }
    let number = text.rsplit(' ').next()?;
    number.parse::<f32>().ok().filter(|percent| percent.is_finite()).map(|percent| percent / FULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_spoken_with_its_band_and_read_back() {
        for (percent, text) in [(0u8, "Safe 0 %"), (33, "Safe 33 %"), (34, "Character 34 %"), (66, "Character 66 %"), (67, "Surprise 67 %")]
        {
            assert_eq!(name(f32::from(percent) / 100.0), text);
        }
        for percent in 0..=100u8 {
            let read = value(&name(f32::from(percent) / 100.0)).unwrap();
            assert!((read - f32::from(percent) / 100.0).abs() < 1e-6, "{percent}");
        }
    }

    #[test]
    fn band_or_number_alone_is_read() {
        for (text, percent) in [("safe", 17.0), ("Character", 50.5), (" SURPRISE ", 83.5), ("40", 40.0), ("12.5 %", 12.5), ("100%", 100.0)]
        {
            assert!((value(text).unwrap() - percent / 100.0).abs() < 1e-6, "{text}");
        }
        for text in ["", "%", "bold", "NaN"] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
