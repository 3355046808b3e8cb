//! The bar-paged K/V cache.
//!
//! A bar's keys and values are a page. At a bar line the cache lays out in one contiguous buffer what the new bar sees: the prefix, the summaries of the
//! bars it sees coarsely, the pages of those it sees row by row ([`PagePolicy`]). The graph appends to that buffer in place. Keys are cached already turned,
//! so pages may stand in any order. When the bar is finished its rows are copied out as a page; its summary row is run over the prefix and that page
//! alone, so it is computed once and valid for ever (docs/model-interface.md, "Who sees whom"; the layout is proven by `tests/exactness.rs`).

mod buffer;
mod page;
mod policy;

use std::{collections::VecDeque, ops::Range, sync::Arc};

use buffer::Buffer;
use page::{Page, Summaries};
pub use policy::{Dense, FineCoarse, PagePolicy, Rest, SlidingWindow, UnknownPolicy, policy};

use crate::model::{KeyValue, ModelInfo};

/// Bars that are seen by their summary at most; older ones are not seen at all. It bounds the cost of a note for ever.
pub const SUMMARIES: u32 = 256;

/// Finished bars that can be opened again, at most.
pub const REWIND_BARS: u32 = 12;

/// Memory of one cache unless told otherwise.
pub const DEFAULT_BYTES: usize = 32 << 20;

/// Rows set aside for the prefix when memory is divided up.
const PREFIX_ROWS: usize = 16;

/// How a cache keeps its memory bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// What buffer, pages and summaries may take together. Where bars are so full that it would not do, fewer of them are seen row by row. A policy
    /// without a bound on its reach has no bound on its memory either.
    pub bytes: usize,
    /// What to do with pages that no later bar sees.
    pub forget: Forget,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { bytes: DEFAULT_BYTES, forget: Forget::Unreachable }
    }
}

/// What becomes of pages that no later bar sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// They are dropped.
    Unreachable,
    /// They are kept: to show that dropping them changes nothing.
    Nothing,
}

/// Sizes of the model's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    layers: usize,
    heads: usize,
    head_width: usize,
}

impl Layout {
    /// A key and a value plane per layer.
    fn planes(self) -> usize {
        2 * self.layers
    }

    /// Floats of one row in one plane.
    fn width(self) -> usize {
        self.heads * self.head_width
    }

    /// Floats of one row in all planes.
    fn row_floats(self) -> usize {
        self.planes() * self.width()
    }
}

/// The cache of one sequence.
#[derive(Debug)]
pub struct Cache {
    layout: Layout,
    policy: Arc<dyn PagePolicy>,
    forget: Forget,
    /// Pages are seen row by row only while the bars from there on have at most this many rows.
    fine_rows: usize,
    buffer: Buffer,
    prefix: Page,
    /// The finished bars from `oldest` on.
    pages: VecDeque<Page>,
    /// Index of the first page's bar.
    oldest: u32,
    /// No page that this bar or a later one sees has been dropped.
    floor: u32,
    summaries: Summaries,
    /// Rows of the buffer that the open bar sees of the past.
    start: usize,
    /// Rows of the buffer in use.
    filled: usize,
    /// The bars whose pages lie in the buffer, in this order, straight after the prefix. Empty where summaries or nothing follow it.
    laid: Vec<u32>,
}

/// Why a finished bar cannot be opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bar {bar} cannot be opened again: only bars from {oldest} on can; decode from the notes anew")]
pub struct RewindTooFar {
    /// The bar asked for.
    pub bar: u32,
    /// The oldest that can be.
    pub oldest: u32,
}

impl Cache {
    /// An empty cache for a sequence whose first bar has index 0.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn new(info: &ModelInfo, policy: Arc<dyn PagePolicy>, options: CacheOptions) -> ort::Result<Self> {
        let layout = Layout { layers: info.layers, heads: info.heads, head_width: info.head_width() };
        let slots = match policy.rest() {
            Rest::Summaries => usize::try_from(SUMMARIES + REWIND_BARS).unwrap_or(usize::MAX),
            Rest::Nothing => 0,
        };
        // Rows: the ring and its copy in the buffer are fixed. Of what is left a third is for the pages within reach, a third for their copies in the
        // buffer, and a third for those kept to rewind and the open bar.
        let rows = (options.bytes / info.row_bytes()).saturating_sub(2 * slots + PREFIX_ROWS);
        let fine_rows = policy.reach().map_or(usize::MAX, |_| rows / 3);
        Ok(Self {
            layout,
            policy,
            forget: options.forget,
            fine_rows,
            buffer: Buffer::new(layout, 1)?,
            prefix: Page::default(),
            pages: VecDeque::new(),
            oldest: 0,
            floor: 0,
            summaries: Summaries::new(layout, slots),
            start: 0,
            filled: 0,
            laid: Vec::new(),
        })
    }

    /// Bytes of buffer, pages and summaries.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buffer.bytes() + self.summaries.bytes() + self.prefix.bytes() + self.pages.iter().map(Page::bytes).sum::<usize>()
    }

    /// Rows of the buffer in use: what the next run has as past.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// Index of the bar that is open or comes next.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.oldest + count(self.pages.len())
    }

    /// Whether bars need a summary row.
    #[must_use]
    pub fn summarises(&self) -> bool {
        self.policy.rest() == Rest::Summaries
    }

    /// The buffer's tensors, to be bound.
    pub fn layers(&mut self) -> &mut [KeyValue] {
        self.buffer.layers()
    }

    /// How often the buffer has moved: whoever bound its tensors before must bind them anew.
    #[must_use]
    pub fn moves(&self) -> u32 {
        self.buffer.moves()
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn reserve(&mut self, rows: usize) -> ort::Result<()> {
        self.buffer.reserve(self.filled + rows, self.filled)
    }

    /// Counts rows that a run has appended.
    pub fn appended(&mut self, rows: usize) {
        self.filled += rows;
    }

    /// Keeps the open bar's first `rows` rows: the others were never there.
    pub fn truncate(&mut self, rows: usize) {
        self.filled = self.filled.min(self.start + rows);
    }

    /// Takes the rows in the buffer as the prefix that every bar sees.
    pub fn set_prefix(&mut self) {
        self.prefix = self.buffer.read(0..self.filled);
    }

    /// Lays out what the next bar sees, with room for `rows` rows of its own.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn begin_bar(&mut self, rows: usize) -> ort::Result<()> {
        let bar = self.bar();
        let fine = self.fine(bar);
        let mut parts: Vec<(&Page, Range<usize>)> = vec![(&self.prefix, 0..self.prefix.rows())];
        if self.policy.rest() == Rest::Summaries {
            for earlier in bar.saturating_sub(SUMMARIES)..bar {
                if fine.contains(&earlier) {
                    continue;
                }
                let slot = self.summaries.slot(earlier);
                match parts.last_mut() {
                    // The first part is the prefix; a run of neighbours in the ring is one part.
                    Some((page, run)) if std::ptr::eq(*page, self.summaries.ring()) && run.end == slot => run.end += 1,
                    _ => parts.push((self.summaries.ring(), slot..slot + 1)),
                }
            }
        }
        parts.extend(fine.iter().map(|&earlier| &self.pages[offset(self.oldest, earlier)]).map(|page| (page, 0..page.rows())));
        // What lies where it should already is not copied: dense attention would otherwise copy the whole piece at every bar line.
        let in_place =
            if self.laid.is_empty() { 0 } else { 1 + self.laid.iter().zip(&fine).take_while(|(laid, fine)| laid == fine).count() };
        let length = |parts: &[(&Page, Range<usize>)]| parts.iter().map(|(_, rows)| rows.len()).sum();
        let kept = length(&parts[..in_place]);
        self.start = length(&parts);
        self.buffer.reserve(self.start + rows, kept)?;
        self.buffer.write(kept, &parts[in_place..]);
        self.filled = self.start;
        self.laid = if self.summarises() { Vec::new() } else { fine };
        Ok(())
    }

    /// The bars that `bar` sees row by row, in order.
    fn fine(&self, bar: u32) -> Vec<u32> {
        let mut fine = Vec::new();
        let mut rows = 0;
        for earlier in (self.oldest..bar).rev() {
            rows += self.pages[offset(self.oldest, earlier)].rows();
            if rows > self.fine_rows || self.policy.reach().is_some_and(|reach| bar - earlier > reach) {
                break;
            }
            if self.policy.sees(bar, bar - earlier) {
                fine.push(earlier);
            }
        }
        fine.reverse();
        fine
    }

    /// Ends the open bar: its rows become its page, and the buffer is laid out for the run of its summary row.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn end_bar(&mut self) -> ort::Result<()> {
        let page = self.buffer.read(self.start..self.filled);
        if self.summarises() {
            let past = self.prefix.rows() + page.rows();
            self.buffer.reserve(past + 1, 0)?;
            self.buffer.write(0, &[(&self.prefix, 0..self.prefix.rows()), (&page, 0..page.rows())]);
            self.filled = past;
        } else {
            self.laid.push(self.bar());
        }
        self.pages.push_back(page);
        Ok(())
    }

    /// Takes the row that was just appended as the summary of the bar that was just ended.
    pub fn set_summary(&mut self) {
        let summary = self.buffer.read(self.filled - 1..self.filled);
        self.summaries.store(self.layout, self.bar() - 1, &summary);
    }

    /// Drops the pages that no bar will see any more, even if the latest ones are opened again.
    pub fn forget(&mut self) {
        let Some(reach) = self.policy.reach() else { return };
        if self.forget == Forget::Nothing {
            return;
        }
        // The bars from `floor` on can be opened again.
        let mut floor = self.bar();
        let mut rows = 0;
        for page in self.pages.iter().rev().take(usize::try_from(REWIND_BARS).unwrap_or(usize::MAX)) {
            rows += page.rows();
            if rows > self.fine_rows / 2 {
                break;
            }
            floor -= 1;
        }
        let mut rows: usize = self.pages.iter().take(offset(self.oldest, floor)).map(Page::rows).sum();
        while self.oldest < floor && (floor - self.oldest > reach || rows > self.fine_rows) {
            rows -= self.pages.pop_front().map_or(0, |page| page.rows());
            self.oldest += 1;
            self.floor = floor;
        }
    }

    /// Opens a finished bar again with its first `rows` rows, as if nothing had followed them.
    ///
    /// # Errors
    /// [`ReopenError::TooFar`] if pages it would see may be gone.
    pub fn reopen(&mut self, bar: u32, rows: usize) -> Result<(), ReopenError> {
        let too_far = |oldest| Err(ReopenError::TooFar(RewindTooFar { bar, oldest }));
        let oldest = self.bar().saturating_sub(REWIND_BARS).max(self.floor);
        if bar < oldest || bar >= self.bar() {
            return too_far(oldest);
        }
        let own = self.pages.drain(offset(self.oldest, bar)..).next().unwrap_or_default();
        let rows = rows.min(own.rows());
        self.begin_bar(own.rows()).map_err(ReopenError::Runtime)?;
        self.buffer.write(self.start, &[(&own, 0..rows)]);
        self.appended(rows);
        Ok(())
    }
}

/// Why a bar was not opened again.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    /// It is too long ago.
    #[error(transparent)]
    TooFar(RewindTooFar),
    /// ONNX Runtime could not allocate.
    #[error(transparent)]
    Runtime(ort::Error),
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Place of a bar's page behind the `oldest` one.
fn offset(oldest: u32, bar: u32) -> usize {
    usize::try_from(bar - oldest).unwrap_or(usize::MAX)
}
