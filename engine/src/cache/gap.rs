//! A gap: bars that are made last, between what comes before them and a far side that is known.
//!
//! The sequence is then not in the order of its bars: first those before the gap, then those on its far side, then those of the gap, each with its true
//! number. Bars before the gap and in it follow each other without a break, so they stay together; the far side lies apart.

use super::{Cache, PagePolicy, line::Finished, page::Page};

/// Bars on the far side of a gap, at most: as far as fine/coarse attention sees row by row.
pub const FAR_BARS: u32 = 32;

/// Why a gap cannot be left, filled, or gone beyond.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GapError {
    /// The policy goes by the order of bars.
    #[error(
        "the page policy {policy} looks for what followed a bar and cannot fill a gap, where bars do not come in order: choose another, fine_coarse for instance"
    )]
    Policy {
        /// Its name.
        policy: String,
    },
    /// A sequence has one gap at most.
    #[error("there is a gap already, before bar {far}: a sequence has one gap at most")]
    Second {
        /// The first bar on its far side.
        far: u32,
    },
    /// A gap has at least one bar, and bars can be counted to its end.
    #[error("a gap of {bars} bars cannot be left before bar {bar}: it needs at least one, and a number for each")]
    Length {
        /// The first bar of the gap.
        bar: u32,
        /// How many were asked for.
        bars: u32,
    },
    /// There is none to be filled.
    #[error("no gap was left to be filled")]
    None,
    /// The far side is long enough.
    #[error("bar {bar} is too far behind the gap: {FAR_BARS} bars of its far side are enough")]
    TooFar {
        /// The bar given.
        bar: u32,
    },
    /// A bar on the far side is known, not made.
    #[error("bar {bar} lies on the far side of a gap: its notes are given, nothing is made there")]
    Known {
        /// The bar.
        bar: u32,
    },
    /// The gap is filled.
    #[error("the gap is filled: bar {bar} is on its far side and known already")]
    Filled {
        /// The bar after the gap.
        bar: u32,
    },
}

/// A gap and its far side.
#[derive(Debug)]
pub(super) struct Gap {
    /// The first bar of the gap.
    pub(super) first: u32,
    /// The first bar on its far side.
    pub(super) far: u32,
    /// The bars on its far side.
    pub(super) beyond: Vec<Finished>,
    /// The summary of each of them: a page of one row.
    pub(super) summaries: Vec<Page>,
    /// How many of them, from the first on, can be seen row by row.
    pub(super) fine: u32,
    /// Rows of those.
    fine_rows: usize,
    /// Whether the far side is complete and the gap is being filled.
    pub(super) filling: bool,
}

impl Gap {
    /// The bar after the last one of the far side.
    pub(super) fn end(&self) -> u32 {
        self.far + super::count(self.beyond.len())
    }

    /// Bytes of the far side.
    pub(super) fn bytes(&self) -> usize {
        self.beyond.iter().map(Finished::bytes).chain(self.summaries.iter().map(Page::bytes)).sum()
    }
}

impl Cache {
    /// Leaves out the next `bars` bars: those after them come next.
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
        self.laid = None;
        Ok(())
    }

    /// Goes back to the gap: its first bar comes next.
    ///
    /// # Errors
    /// [`GapError::None`] if there is none, or it is being filled.
    pub fn fill_gap(&mut self) -> Result<(), GapError> {
        let gap = self.gap.as_mut().filter(|gap| !gap.filling).ok_or(GapError::None)?;
        gap.filling = true;
        Ok(())
    }

    /// Whether a policy can follow from here on.
    ///
    /// # Errors
    /// [`GapError::Policy`] if there is a gap that it cannot fill.
    pub fn check_policy(&self, policy: &dyn PagePolicy) -> Result<(), GapError> {
        if self.gap.is_some() && !policy.fills() { Err(GapError::Policy { policy: policy.name() }) } else { Ok(()) }
    }

    /// Whether the far side of a gap is being taken in.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        self.gap.as_ref().is_some_and(|gap| !gap.filling)
    }

    /// Whether the next bar can be begun.
    ///
    /// # Errors
    /// [`GapError::Filled`] behind the last bar of a gap, [`GapError::TooFar`] behind the last bar that its far side may have.
    pub fn check_bar(&self) -> Result<(), GapError> {
        let bar = self.bar();
        match &self.gap {
            Some(gap) if gap.filling && bar == gap.far => Err(GapError::Filled { bar }),
            Some(gap) if !gap.filling && bar - gap.far >= FAR_BARS => Err(GapError::TooFar { bar }),
            _ => Ok(()),
        }
    }

    /// Most rows that can be seen row by row on one side of the gap; of everything where there is none.
    pub(super) fn side_rows(&self) -> usize {
        if self.gap.is_some() {
            // Beside the pages of both sides, the far side's summaries are kept, and seen.
            (self.fine_rows / 2).saturating_sub(super::offset(0, FAR_BARS))
        } else {
            self.fine_rows
        }
    }

    /// Puts a finished bar where it belongs.
    pub(super) fn put(&mut self, bar: Finished) {
        let most_rows = self.side_rows();
        let Some(gap) = self.gap.as_mut().filter(|gap| !gap.filling) else {
            self.past.push_back(bar);
            return;
        };
        // What is too much is seen by its summary alone, and so is everything behind it.
        gap.fine_rows += bar.page.rows();
        if gap.fine_rows <= most_rows {
            gap.fine += 1;
            gap.beyond.push(bar);
        } else {
            gap.beyond.push(Finished::default());
        }
    }
}
