//! What was heard, bar by bar: the truth that every continuation starts from.

use std::collections::VecDeque;

use crate::codec::BarRows;

/// Bars kept. A decoder that starts anew reads [`CONTEXT_BARS`] of them; the rest is in reserve for a song that jumps back.
const SCORE_BARS: usize = 128;

/// Bars a decoder is given when it starts in the middle of a piece.
pub(super) const CONTEXT_BARS: u32 = 64;

/// Bars that do not follow those before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bar {found} was given where bar {expected} follows; give the bars in between, too")]
pub struct Gap {
    /// The bar that would follow.
    pub expected: u32,
    /// The bar that came.
    pub found: u32,
}

/// The latest finished bars, with their indices in the piece.
#[derive(Debug, Default)]
pub(super) struct Score {
    /// Index of the oldest bar kept.
    first: u32,
    bars: VecDeque<BarRows>,
    /// The lowest bar that was altered since [`take_altered`](Self::take_altered).
    altered: Option<u32>,
    revision: u64,
}

impl Score {
    /// From the first of these bars on, this is what was heard: whatever stood there is forgotten.
    ///
    /// # Errors
    /// If they do not follow each other, or the bars that are there. Nothing has changed then.
    pub(super) fn replace(&mut self, bars: Vec<BarRows>) -> Result<(), Gap> {
        let Some(from) = bars.first().map(|bar| bar.index) else { return Ok(()) };
        self.check(&bars)?;
        if from < self.first || self.bars.is_empty() {
            self.bars.clear();
            self.first = from;
        }
        self.bars.truncate(place(self.first, from));
        self.bars.extend(bars);
        self.altered = Some(self.altered.map_or(from, |altered| altered.min(from)));
        self.revision += 1;
        while self.bars.len() > SCORE_BARS {
            self.bars.pop_front();
            self.first += 1;
        }
        Ok(())
    }

    /// Whether these bars follow each other, and those that are there.
    pub(super) fn check(&self, bars: &[BarRows]) -> Result<(), Gap> {
        let mut expected = match bars.first() {
            // It may begin anywhere, and anything that is there may be replaced.
            Some(bar) if self.bars.is_empty() => bar.index,
            Some(bar) => bar.index.min(self.end()),
            None => return Ok(()),
        };
        for bar in bars {
            if bar.index != expected {
                return Err(Gap { expected, found: bar.index });
            }
            expected = expected.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn bar(&self, index: u32) -> Option<&BarRows> {
        self.bars.get(usize::try_from(index.checked_sub(self.first)?).ok()?)
    }

    /// Index of the oldest bar kept.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// Index of the bar that follows; `None` if there is no bar.
    pub(super) fn next(&self) -> Option<u32> {
        (!self.bars.is_empty()).then(|| self.end())
    }

    fn end(&self) -> u32 {
        self.bars.back().map_or(self.first, |bar| bar.index.saturating_add(1))
    }

    /// The lowest bar that was altered since this was asked last.
    pub(super) fn take_altered(&mut self) -> Option<u32> {
        self.altered.take()
    }

    /// Rises with every change.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

fn place(first: u32, index: u32) -> usize {
    usize::try_from(index - first).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(from: u32, to: u32, ticks: u16) -> Vec<BarRows> {
        (from..to).map(|index| BarRows { index, ticks, ..BarRows::default() }).collect()
    }

    fn lengths(score: &Score) -> Vec<u16> {
        (score.first()..score.end()).map(|index| score.bar(index).unwrap().ticks).collect()
    }

    #[test]
    fn later_news_replace_older_ones() {
        let mut score = Score::default();
        assert_eq!(score.next(), None);
        score.replace(bars(0, 4, 96)).unwrap();
        score.replace(bars(2, 3, 72)).unwrap();
        assert_eq!(lengths(&score), [96, 96, 72]);
        assert_eq!((score.next(), score.take_altered(), score.take_altered()), (Some(3), Some(0), None));
        score.replace(bars(3, 5, 48)).unwrap();
        score.replace(bars(4, 5, 24)).unwrap();
        assert_eq!((lengths(&score), score.take_altered()), (vec![96, 96, 72, 48, 24], Some(3)));
    }

    #[test]
    fn a_gap_changes_nothing() {
        let mut score = Score::default();
        score.replace(bars(4, 6, 96)).unwrap();
        let revision = score.revision();
        assert_eq!(score.replace(bars(7, 8, 96)), Err(Gap { expected: 6, found: 7 }));
        let mut torn = bars(6, 8, 96);
        torn[1].index = 9;
        assert_eq!(score.replace(torn), Err(Gap { expected: 7, found: 9 }));
        assert_eq!((lengths(&score).len(), score.revision()), (2, revision));
    }

    #[test]
    fn memory_is_bounded() {
        let mut score = Score::default();
        for index in 0..1_000 {
            score.replace(bars(index, index + 1, 96)).unwrap();
        }
        assert_eq!((score.bars.len(), score.next()), (SCORE_BARS, Some(1_000)));
        // A song that jumps back beyond what is kept begins anew there.
        score.replace(bars(3, 5, 96)).unwrap();
        assert_eq!((score.first(), score.next()), (3, Some(5)));
    }
}
