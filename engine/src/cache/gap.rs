//! A gap: bars that are generated last, between the bars before it and known bars on its far side.
//!
//! The sequence is then not in bar order: first the bars before the gap, then its far side, then the bars of the gap, each with its true bar index.
//! Bars before and in the gap are consecutive and share one list; the far side has its own.

use super::{Cache, page::Page, past::Finished};

/// Most bars on the far side of a gap: the reach of fine attention.
pub const FAR_BARS: u32 = 32;

/// Why a gap cannot be left open, filled, or passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GapError {
    /// The policy depends on the order of bars.
    #[error(
        "the page policy {policy} selects bars by what followed them and cannot fill a gap, where bars are not in order: choose another, fine_coarse for instance"
    )]
    Policy {
        /// Name of the policy.
        policy: String,
    },
    /// A sequence has one gap at most.
    #[error("there is a gap already, before bar {far}: a sequence has one gap at most")]
    Second {
        /// First bar on its far side.
        far: u32,
    },
    /// A gap needs at least one bar, and bar indices up to its end.
    #[error("a gap of {bars} bars cannot begin at bar {bar}: it needs at least one bar and an index for each")]
    Length {
        /// First bar of the gap.
        bar: u32,
        /// Requested length in bars.
        bars: u32,
    },
    /// There is no gap to fill.
    #[error("there is no gap to fill")]
    None,
    /// The far side has its largest length.
    #[error("bar {bar} is too far behind the gap: its far side has at most {FAR_BARS} bars")]
    TooFar {
        /// The bar.
        bar: u32,
    },
    /// Bars on the far side are given, not generated.
    #[error("bar {bar} is on the far side of a gap: its notes are given, none are generated there")]
    Known {
        /// The bar.
        bar: u32,
    },
    /// All bars of the gap are filled.
    #[error("the gap is filled: bar {bar} is on its far side and known already")]
    Filled {
        /// First bar after the gap.
        bar: u32,
    },
}

/// A gap and its far side.
#[derive(Debug)]
pub(super) struct Gap {
    /// First bar of the gap.
    pub(super) first: u32,
    /// First bar on its far side.
    pub(super) far: u32,
    /// Bars on its far side.
    pub(super) beyond: Vec<Finished>,
    /// Summary of each of them: a page of one row.
    pub(super) summaries: Vec<Page>,
    /// Number of them, from the first on, that can be attended to row by row.
    pub(super) fine: u32,
    /// Rows of all bars on the far side; once they exceed the limit, `fine` does not rise any more.
    fine_rows: usize,
    /// Whether the far side is complete and the gap is being filled.
    pub(super) filling: bool,
}

impl Gap {
    /// First bar after the far side.
    pub(super) fn end(&self) -> u32 {
        self.far + super::count(self.beyond.len())
    }

    /// Size of the far side in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.beyond.iter().map(Finished::bytes).chain(self.summaries.iter().map(Page::bytes)).sum()
    }
}

impl Cache {
    /// Skips the next `bars` bars: the bar after them comes next.
    ///
    /// # Errors
    /// [`GapError`]; nothing has changed then.
    pub fn leave_gap(&mut self, bars: u32) -> Result<(), GapError> {
        if let Some(gap) = &self.gap {
            return Err(GapError::Second { far: gap.far });
        }
        let first = self.bar();
        let far = first.checked_add(bars).filter(|far| *far > first && far.checked_add(FAR_BARS).is_some());
        let far = far.ok_or(GapError::Length { bar: first, bars })?;
        if !self.policy.fills() {
            return Err(GapError::Policy { policy: self.policy.name() });
        }
        self.gap = Some(Gap { first, far, beyond: Vec::new(), summaries: Vec::new(), fine: 0, fine_rows: 0, filling: false });
        self.open.in_buffer = None;
        Ok(())
    }

    /// Ends the far side: the first bar of the gap comes next.
    ///
    /// # Errors
    /// [`GapError::None`] if there is none, or it is being filled.
    pub fn fill_gap(&mut self) -> Result<(), GapError> {
        let gap = self.gap.as_mut().filter(|gap| !gap.filling).ok_or(GapError::None)?;
        gap.filling = true;
        Ok(())
    }

    /// Whether the next bar belongs to the far side of a gap.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        self.gap.as_ref().is_some_and(|gap| !gap.filling)
    }

    /// Whether the open bar, or the next one, belongs to a gap.
    #[must_use]
    pub fn fills_gap(&self) -> bool {
        self.gap.as_ref().is_some_and(|gap| gap.filling)
    }

    /// Whether another bar can begin.
    ///
    /// # Errors
    /// [`GapError::Filled`] after the last bar of a gap, [`GapError::TooFar`] after the last bar that its far side may have.
    pub fn check_bar(&self) -> Result<(), GapError> {
        let bar = self.bar();
        match &self.gap {
            Some(gap) if gap.filling && bar == gap.far => Err(GapError::Filled { bar }),
            Some(gap) if !gap.filling && bar - gap.far >= FAR_BARS => Err(GapError::TooFar { bar }),
            _ => Ok(()),
        }
    }

    /// Most rows that a bar can attend to row by row on one side of the gap, or in all if there is none.
    pub(super) fn side_rows(&self) -> usize {
        if self.gap.is_some() {
            // With a gap the buffer also holds the far side's summaries.
            (self.fine_rows / 2).saturating_sub(super::offset(0, FAR_BARS))
        } else {
            self.fine_rows
        }
    }

    /// Stores a finished bar on its side of the gap.
    pub(super) fn put(&mut self, bar: Finished) {
        let most_rows = self.side_rows();
        let Some(gap) = self.gap.as_mut().filter(|gap| !gap.filling) else {
            self.past.push(bar);
            return;
        };
        // A bar beyond the limit, and all after it, can be attended to by its summary only.
        gap.fine_rows += bar.page.rows();
        if gap.fine_rows <= most_rows {
            gap.fine += 1;
            gap.beyond.push(bar);
        } else {
            gap.beyond.push(Finished::default());
        }
    }
}
