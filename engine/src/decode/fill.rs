//! Infill: bars that are made last, when what comes before them and what follows are known.

use super::{DecodeError, Decoder};

impl Decoder {
    /// Leaves out the next `bars` bars, to be made by [`fill`](Self::fill). The bars that are appended now are those after them, with their true numbers:
    /// the far side of the gap, [`FAR_BARS`](crate::cache::FAR_BARS) at most. Their notes are given, and no bar is begun there. What came before cannot be
    /// taken back any more.
    ///
    /// # Errors
    /// [`DecodeError::StillOpen`]; [`DecodeError::Gap`] if the page policy cannot fill a gap, if there is one already, or with no bar to leave out. Nothing has
    /// changed then.
    pub fn leave_gap(&mut self, bars: u32) -> Result<(), DecodeError> {
        self.check_closed()?;
        self.cache.leave_gap(bars)?;
        self.finished.clear();
        Ok(())
    }

    /// Goes back to the first bar of the gap: what comes next are its bars, which see both sides of it. Behind the last of them the sequence ends.
    ///
    /// # Errors
    /// [`DecodeError::Gap`] if no gap was left, or it is being filled already; nothing has changed then.
    pub fn fill(&mut self) -> Result<(), DecodeError> {
        Ok(self.cache.fill_gap()?)
    }
}
