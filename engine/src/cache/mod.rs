//! The bar-paged K/V cache.
//!
//! The K and V of a bar are a page. At a bar line the cache copies into one contiguous buffer what the new bar attends to: the prefix, the summaries
//! of bars seen coarsely, the pages of bars seen row by row ([`PagePolicy`]). The graph appends to that buffer in place. K is cached after rotation,
//! so pages may be in any order. When a bar is finished its rows are copied out as a page. Its summary row attends to the prefix and that page only,
//! so it is computed once and stays valid (docs/model-interface.md, "Attention mask and page policies"; `tests/exactness.rs` compares the layout with masked dense
//! attention).

mod buffer;
mod error;
mod gap;
mod layout;
mod line;
mod options;
mod page;
mod past;
mod policy;
mod tail;
mod vectors;

use std::sync::Arc;

use buffer::{Buffer, Part};
pub use error::{ReopenError, RewindTooFar};
use gap::Gap;
pub use gap::{FAR_BARS, GapError};
use layout::Layout;
pub use line::BarLine;
use line::finished;
use options::Keep;
pub use options::{CacheOptions, DEFAULT_BYTES, Forget};
use page::{Page, Summaries};
use past::{Finished, Past};
pub use policy::{
    Dense, FineCoarse, Fixed, KMeans, Lsh, POLICY_NAMES, PagePolicy, PolicyNameError, Reads, Rest, Selection, SlidingWindow, Strided,
    SummariesOnly, TopK, policy,
};
pub use tail::Tail;

use crate::model::{KeyValue, ModelInfo, Rotary};

/// Longest reach in bars, by summary or row by row. It bounds the cost of a note for any length of the piece. Only dense attention has no bound.
pub const MOST_BARS: u32 = 256;

/// Most finished bars that can be reopened.
pub const REWIND_BARS: u32 = 12;

/// Rows reserved for the prefix when the memory limit is divided.
const PREFIX_ROWS: usize = 16;

/// K/V cache of one sequence.
#[derive(Debug)]
pub struct Cache {
    layout: Layout,
    rotary: Rotary,
    policy: Arc<dyn PagePolicy>,
    keep: Keep,
    forget: Forget,
    /// Limit in bytes.
    limit: usize,
    /// Most rows that a bar attends to row by row; the pages in reach end where they would exceed it.
    fine_rows: usize,
    buffer: Buffer,
    prefix: Page,
    past: Past,
    summaries: Summaries,
    gap: Option<Gap>,
    open: OpenBar,
}

/// The open bar, and what it attends to.
#[derive(Debug)]
struct OpenBar {
    /// Rows of the buffer before the bar's own.
    start: usize,
    /// Rows of the buffer in use.
    filled: usize,
    /// Q of the bar's rows, as in [`Finished::queries`].
    queries: Vec<f32>,
    /// Bars that it attends to row by row.
    seen: Selection,
    /// Bars whose whole pages are in the buffer, in this order, right after the prefix; `None` if the buffer holds anything else.
    in_buffer: Option<Vec<u32>>,
}

impl Cache {
    /// An empty cache for a sequence whose first bar has index 0.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn new(info: &ModelInfo, policy: Arc<dyn PagePolicy>, options: CacheOptions) -> ort::Result<Self> {
        let layout = Layout { layers: info.layers, heads: info.heads, head_width: info.head_width() };
        let keep = Keep::needed_by(&*policy);
        let bars = usize::try_from(MOST_BARS + REWIND_BARS).unwrap_or(usize::MAX);
        let slots = if keep.summaries { bars } else { 0 };
        // Mean keys take half a row per bar, queries half a row per row.
        let means = if keep.reads >= Reads::Keys { bars / 2 } else { 0 };
        let row_bytes = if keep.reads >= Reads::Queries { info.row_bytes() * 3 / 2 } else { info.row_bytes() };
        // The ring and its copy in the buffer have a fixed size. Of the remaining rows a third is for the pages in reach, a third for their copies in
        // the buffer, and a third for pages kept for rollback and the open bar.
        let rows = (options.bytes / row_bytes).saturating_sub(2 * slots + means + PREFIX_ROWS);
        let fine_rows = keep.reach.map_or(usize::MAX, |_| rows / 3);
        Ok(Self {
            layout,
            rotary: info.rotary.clone(),
            policy,
            keep,
            forget: options.forget,
            limit: options.bytes,
            fine_rows,
            buffer: Buffer::new(layout, 1)?,
            prefix: Page::default(),
            past: Past::default(),
            summaries: Summaries::new(layout, slots),
            gap: None,
            open: OpenBar { start: 0, filled: 0, queries: Vec::new(), seen: Selection::Bars(Vec::new()), in_buffer: None },
        })
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &dyn PagePolicy {
        &*self.policy
    }

    /// Bars that the open bar, or the last one if none is open, attends to row by row.
    #[must_use]
    pub fn seen(&self) -> &Selection {
        &self.open.seen
    }

    /// Size in bytes of buffer, pages and summaries.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buffer.bytes() + self.summaries.bytes() + self.prefix.bytes() + self.past.bytes() + self.gap.as_ref().map_or(0, Gap::bytes)
    }

    /// Rows of the buffer in use: the past of the next run.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.open.filled
    }

    /// Index of the bar that is open or comes next.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.gap.as_ref().filter(|gap| !gap.filling).map_or(self.past.end(), Gap::end)
    }

    /// Whether bars need a summary row.
    #[must_use]
    pub fn summarises(&self) -> bool {
        self.keep.summaries
    }

    /// Whether the queries of rows must be passed to [`append_queries`](Self::append_queries).
    #[must_use]
    pub fn reads_queries(&self) -> bool {
        self.keep.reads >= Reads::Queries
    }

    /// The buffer's tensors, to be bound as past and present.
    pub fn layers(&mut self) -> &mut [KeyValue] {
        self.buffer.layers()
    }

    /// Number of reallocations of the buffer. Bindings made before the latest one are stale.
    #[must_use]
    pub fn reallocations(&self) -> u32 {
        self.buffer.reallocations()
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn reserve(&mut self, rows: usize) -> ort::Result<()> {
        self.buffer.reserve(self.open.filled + rows, self.open.filled)
    }

    /// Adds the number of rows that a run has appended.
    pub fn appended(&mut self, rows: usize) {
        self.open.filled += rows;
    }

    /// Truncates the open bar to its first `rows` rows.
    pub fn truncate(&mut self, rows: usize) {
        self.open.filled = self.open.filled.min(self.open.start + rows);
        self.open.queries.truncate(rows * self.layout.layers * self.layout.width());
    }

    /// Stores the rotated queries of rows that a run has appended: by row, then by layer, then by head.
    pub fn append_queries<'a>(&mut self, queries: impl Iterator<Item = &'a [f32]>) {
        queries.for_each(|query| self.open.queries.extend_from_slice(query));
    }

    /// Makes the rows in the buffer the prefix, which every bar attends to.
    pub fn set_prefix(&mut self) {
        self.prefix = self.buffer.read(0..self.open.filled);
    }

    /// Copies into the buffer what the next bar attends to, with room for `rows` rows of its own.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn begin_bar(&mut self, rows: usize) -> ort::Result<()> {
        let line = self.line();
        let seen = self.policy.select(&line);
        let mut parts: Vec<Part<'_>> = vec![(&self.prefix, 0..self.prefix.rows())];
        if self.policy.rest() == Rest::Summaries {
            let fine = if let Selection::Bars(fine) = &seen { fine.as_slice() } else { &[] };
            coarse(&self.summaries, self.gap.as_ref(), line.bar(), fine, &mut parts);
        }
        let (past, gap) = (&self.past, self.gap.as_ref());
        let page = |bar: u32| &finished(past, gap, bar).page;
        match &seen {
            Selection::Bars(fine) => {
                parts.extend(fine.iter().map(|&bar| (page(bar), 0..page(bar).rows())));
                // Pages that are in place already are not copied: dense attention would otherwise copy the whole piece at every bar line.
                let common_prefix =
                    |in_buffer: &Vec<u32>| 1 + in_buffer.iter().zip(fine).take_while(|(in_buffer, fine)| in_buffer == fine).count();
                let in_place = if self.policy.rest() == Rest::Nothing { self.open.in_buffer.as_ref().map_or(0, common_prefix) } else { 0 };
                let kept = length(&parts[..in_place]);
                self.open.start = length(&parts);
                self.buffer.reserve(self.open.start + rows, kept)?;
                self.buffer.write(0..self.layout.layers, kept, &parts[in_place..]);
            }
            Selection::ByLayer(layers) => {
                let fine: Vec<Vec<Part<'_>>> =
                    layers.iter().map(|bars| bars.iter().map(|&(bar, rows)| (page(bar), 0..rows)).collect()).collect();
                let common = length(&parts);
                self.open.start = common + fine.first().map_or(0, |parts| length(parts));
                assert!(fine.iter().all(|parts| common + length(parts) == self.open.start), "{:?}: layers of unequal length", self.policy);
                self.buffer.reserve(self.open.start + rows, 0)?;
                self.buffer.write(0..self.layout.layers, 0, &parts);
                for (layer, parts) in fine.iter().enumerate() {
                    self.buffer.write(layer..layer + 1, common, parts);
                }
            }
        }
        self.open.filled = self.open.start;
        self.open.queries.clear();
        self.open.in_buffer = match &seen {
            Selection::Bars(fine) if self.policy.rest() == Rest::Nothing => Some(fine.clone()),
            _ => None,
        };
        self.open.seen = seen;
        Ok(())
    }

    /// The bar line before the next bar.
    fn line(&self) -> BarLine<'_> {
        let (bar, end) = (self.bar(), self.past.end());
        let reach = self.policy.reach().unwrap_or(u32::MAX);
        let most_rows = self.side_rows();
        let mut first = end;
        let mut rows = 0;
        while first > self.past.oldest() && bar - first < reach {
            rows += self.past.get(first - 1).page.rows();
            if rows > most_rows {
                break;
            }
            first -= 1;
        }
        let far = self.gap.as_ref().map_or(0..0, |gap| {
            let last = (gap.far + gap.fine).min(bar.saturating_add(reach).saturating_add(1));
            if gap.filling { gap.far..last } else { gap.far.max(bar.saturating_sub(reach))..last }
        });
        let (past, gap) = (&self.past, self.gap.as_ref());
        BarLine { bar, near: first..end, past, far, gap, layout: self.layout, rotary: &self.rotary }
    }

    /// Ends the open bar: its rows become its page, and the buffer is laid out for the run of its summary row.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn end_bar(&mut self) -> ort::Result<()> {
        let page = self.buffer.read(self.open.start..self.open.filled);
        if self.summarises() {
            let past = self.prefix.rows() + page.rows();
            self.buffer.reserve(past + 1, 0)?;
            self.buffer.write(0..self.layout.layers, 0, &[(&self.prefix, 0..self.prefix.rows()), (&page, 0..page.rows())]);
            self.open.filled = past;
            self.open.in_buffer = None;
        }
        let bar = self.bar();
        if let Some(in_buffer) = &mut self.open.in_buffer {
            in_buffer.push(bar);
        }
        let mean_keys = if self.keep.reads >= Reads::Keys { Finished::mean_keys(self.layout, &page) } else { Vec::new() };
        let queries = std::mem::take(&mut self.open.queries);
        self.put(Finished { page, mean_keys, queries });
        Ok(())
    }

    /// Makes the row just appended the summary of the bar that has just ended.
    pub fn set_summary(&mut self) {
        let summary = self.buffer.read(self.open.filled - 1..self.open.filled);
        match self.gap.as_mut().filter(|gap| !gap.filling) {
            Some(gap) => gap.summaries.push(summary),
            None => self.summaries.store(self.layout, self.past.end() - 1, &summary),
        }
    }

    /// Drops the pages that no later bar attends to, even after a rollback to the oldest bar that can be reopened.
    pub fn forget(&mut self) {
        if let (Some(reach), Forget::Unreachable) = (self.keep.reach, self.forget) {
            self.past.forget(reach, self.fine_rows);
        }
    }

    /// Checks that a finished bar and all it attends to are held.
    fn check_reopened(&self, bar: u32) -> Result<(), RewindTooFar> {
        let oldest = self.bar().saturating_sub(REWIND_BARS).max(self.past.floor());
        // Bars before a gap have been attended to by its far side, and the far side is given.
        let oldest = self.gap.as_ref().map_or(oldest, |gap| if gap.filling { oldest.max(gap.first) } else { self.bar() });
        if bar < oldest || bar >= self.bar() { Err(RewindTooFar { bar, oldest }) } else { Ok(()) }
    }

    /// Reopens a finished bar, truncated to its first `rows` rows; later bars are removed.
    ///
    /// # Errors
    /// [`ReopenError::TooFar`] if pages that it attends to may be gone.
    pub fn reopen(&mut self, bar: u32, rows: usize) -> Result<(), ReopenError> {
        self.check_reopened(bar).map_err(ReopenError::TooFar)?;
        let own = self.past.reopen(bar);
        let rows = rows.min(own.page.rows());
        self.begin_bar(own.page.rows()).map_err(ReopenError::Runtime)?;
        self.buffer.write(0..self.layout.layers, self.open.start, &[(&own.page, 0..rows)]);
        self.appended(rows);
        self.open.queries = own.queries;
        self.truncate(rows);
        Ok(())
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Adds the summaries of the bars before `bar`, and on the far side of the gap, that are not `fine`.
fn coarse<'a>(summaries: &'a Summaries, gap: Option<&'a Gap>, bar: u32, fine: &[u32], parts: &mut Vec<Part<'a>>) {
    let coarse = |other: &u32| fine.binary_search(other).is_err();
    let end = gap.filter(|gap| !gap.filling).map_or(bar, |gap| gap.first);
    for earlier in (bar.saturating_sub(MOST_BARS)..end).filter(coarse) {
        let slot = summaries.slot(earlier);
        match parts.last_mut() {
            // The first part is the prefix; summaries that are consecutive in the ring are one part.
            Some((page, run)) if std::ptr::eq(*page, summaries.ring()) && run.end == slot => run.end += 1,
            _ => parts.push((summaries.ring(), slot..slot + 1)),
        }
    }
    let beyond = gap.into_iter().flat_map(|gap| (gap.far..).zip(&gap.summaries));
    let far = beyond.filter(|(other, _)| coarse(other) && other.abs_diff(bar) <= MOST_BARS);
    parts.extend(far.map(|(_, summary)| (summary, 0..1)));
}

/// Number of rows of some parts.
fn length(parts: &[Part<'_>]) -> usize {
    parts.iter().map(|(_, rows)| rows.len()).sum()
}

/// Offset of a bar from the `oldest` one.
fn offset(oldest: u32, bar: u32) -> usize {
    usize::try_from(bar - oldest).unwrap_or(usize::MAX)
}
