//! Which earlier bars a bar sees row by row: the sparse attention, as a choice of pages.

use std::{collections::BTreeSet, fmt, sync::Arc};

/// Decides what of the past is gathered at a bar line. The same rule is one line of the training mask.
pub trait PagePolicy: fmt::Debug + Send + Sync {
    /// Its name on the command line and in reports.
    fn name(&self) -> String;

    /// Whether rows of `bar` see every row of the bar `back` bars before it, `back` at least 1.
    fn sees(&self, bar: u32, back: u32) -> bool;

    /// What is seen of the earlier bars that are not seen row by row.
    fn rest(&self) -> Rest;

    /// The largest `back` that any bar sees row by row; `None` if there is no bound.
    fn reach(&self) -> Option<u32>;
}

/// What a bar sees of bars that it does not see row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// One summary row each.
    Summaries,
    /// Nothing.
    Nothing,
}

/// Structure-related bars in full, every other one by its summary (Museformer: Yu et al. 2022).
#[derive(Debug, Clone)]
pub struct FineCoarse {
    back: BTreeSet<u32>,
}

impl FineCoarse {
    /// Full rows at these distances in bars; a model's own are its [`fine_bars`](crate::model::ModelInfo::fine_bars).
    #[must_use]
    pub fn new(back: &[u32]) -> Self {
        Self { back: back.iter().copied().collect() }
    }
}

impl PagePolicy for FineCoarse {
    fn name(&self) -> String {
        "fine_coarse".to_owned()
    }

    fn sees(&self, _bar: u32, back: u32) -> bool {
        self.back.contains(&back)
    }

    fn rest(&self) -> Rest {
        Rest::Summaries
    }

    fn reach(&self) -> Option<u32> {
        Some(self.back.last().copied().unwrap_or(0))
    }
}

/// The last bars in full and nothing else (Longformer: Beltagy et al. 2020).
#[derive(Debug, Clone, Copy)]
pub struct SlidingWindow {
    /// How many bars.
    pub bars: u32,
}

impl SlidingWindow {
    /// As many bars as fine/coarse attention sees in full.
    pub const DEFAULT: Self = Self { bars: 8 };
}

impl PagePolicy for SlidingWindow {
    fn name(&self) -> String {
        format!("window:{}", self.bars)
    }

    fn sees(&self, _bar: u32, back: u32) -> bool {
        back <= self.bars
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(self.bars)
    }
}

/// Every bar in full: the baseline. Its cost and memory grow with the piece.
#[derive(Debug, Clone, Copy)]
pub struct Dense;

impl PagePolicy for Dense {
    fn name(&self) -> String {
        "dense".to_owned()
    }

    fn sees(&self, _bar: u32, _back: u32) -> bool {
        true
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        None
    }
}

/// A policy's name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no page policy {0:?}; there are fine_coarse, window, window:BARS (1 to 256) and dense")]
pub struct UnknownPolicy(String);

/// The policy with this name; `fine_bars` are the model's own distances.
///
/// # Errors
/// [`UnknownPolicy`], which lists the names there are.
pub fn policy(name: &str, fine_bars: &[u32]) -> Result<Arc<dyn PagePolicy>, UnknownPolicy> {
    match name {
        "fine_coarse" => Ok(Arc::new(FineCoarse::new(fine_bars))),
        "window" => Ok(Arc::new(SlidingWindow::DEFAULT)),
        "dense" => Ok(Arc::new(Dense)),
        _ => match name.strip_prefix("window:").and_then(|bars| bars.parse().ok()) {
            Some(bars @ 1..=256) => Ok(Arc::new(SlidingWindow { bars })),
            _ => Err(UnknownPolicy(name.to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_policies_and_back() {
        for name in ["fine_coarse", "window:1", "window:16", "dense"] {
            assert_eq!(policy(name, &[1, 2]).unwrap().name(), name);
        }
        assert_eq!(policy("window", &[]).unwrap().name(), "window:8");
        for name in ["", "window:", "window:0", "window:-1", "window:257", "Dense", "strided"] {
            assert!(policy(name, &[]).unwrap_err().to_string().contains("fine_coarse"), "{name}");
        }
    }

    #[test]
    fn each_sees_what_it_says() {
        let seen = |policy: &dyn PagePolicy| (1..40).filter(|&back| policy.sees(50, back)).collect::<Vec<_>>();
        assert_eq!(seen(&FineCoarse::new(&[1, 2, 4, 32])), [1, 2, 4, 32]);
        assert_eq!(seen(&SlidingWindow { bars: 3 }), [1, 2, 3]);
        assert_eq!(seen(&Dense).len(), 39);
        assert_eq!(FineCoarse::new(&[1, 32]).reach(), Some(32));
        assert_eq!(FineCoarse::new(&[]).reach(), Some(0));
    }
}
