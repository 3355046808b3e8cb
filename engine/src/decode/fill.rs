//! Infill: bars that are generated last, between known bars on both sides.

use super::{DecodeError, Decoder};

impl Decoder {
    /// Leaves out the next `bars` bars, to be generated after [`fill`](Self::fill). Bars appended next are those after the gap, with their true numbers:
    /// the far side of the gap, [`FAR_BARS`](crate::cache::FAR_BARS) at most. Their notes are given, and no bar can be begun there. Bars before the gap
    /// can no longer be rolled back.
    ///
    /// # Errors
    /// [`DecodeError::StillOpen`]; [`DecodeError::Gap`] if the page policy cannot fill a gap, if there is one already, or if `bars` is 0. Nothing has
    /// changed then.
    pub fn leave_gap(&mut self, bars: u32) -> Result<(), DecodeError> {
        self.check_closed()?;
        self.cache.leave_gap(bars)?;
        self.finished.clear();
        Ok(())
    }

    /// Goes back to the first bar of the gap. The next bars are those of the gap and attend to both sides of it; the sequence ends after the last of them.
    ///
    /// # Errors
    /// [`DecodeError::Gap`] if there is no gap, or it is being filled already; nothing has changed then.
    pub fn fill(&mut self) -> Result<(), DecodeError> {
        Ok(self.cache.fill_gap()?)
    }
}
