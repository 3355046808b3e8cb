//! Which bars to fill.

/// Bars of a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BarSpan {
    pub(super) first: u32,
    /// At least `first`.
    pub(super) last: u32,
}

/// Most bars of one call.
const MOST_BARS: u32 = 64;

impl BarSpan {
    /// Reads `17..20` or `17`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|bar| *bar > 0);
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err("bars are FIRST..LAST, counted from 1, for instance 17..20, or one bar, 17".into());
        };
        if last < first {
            return Err(format!("its first bar, {first}, comes after its last, {last}; swap them"));
        }
        if last - first >= MOST_BARS {
            return Err(format!("at most {MOST_BARS} bars are filled at once"));
        }
        Ok(Self { first, last })
    }
}
