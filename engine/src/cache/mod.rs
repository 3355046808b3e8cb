//! The bar-paged K/V cache.
//!
//! A bar's keys and values are a page. At a bar line the cache lays out in one contiguous buffer what the new bar sees: the prefix, the summaries of the
//! bars it sees coarsely, the pages of those it sees row by row ([`PagePolicy`]). The graph appends to that buffer in place. Keys are cached already turned,
//! so pages may stand in any order. When the bar is finished its rows are copied out as a page; its summary row is run over the prefix and that page
//! alone, so it is computed once and valid for ever (docs/model-interface.md, "Attention mask and page policies"; the layout is proven by `tests/exactness.rs`).

mod buffer;
mod error;
mod gap;
mod layout;
mod line;
mod options;
mod page;
mod policy;

use std::{collections::VecDeque, sync::Arc};

use buffer::{Buffer, Part};
pub use error::{NotKept, ReopenError, RewindTooFar};
use gap::Gap;
pub use gap::{FAR_BARS, GapError};
use layout::Layout;
pub use line::BarLine;
use line::{Finished, finished};
pub use options::{CacheOptions, DEFAULT_BYTES, Forget, Keep};
use page::{Page, Summaries};
pub use policy::{
    Dense, FineCoarse, Fixed, KMeans, Lsh, POLICY_NAMES, PagePolicy, PolicyNameError, Reads, Rest, Selection, SlidingWindow, Strided,
    SummariesOnly, TopK, policy,
};

use crate::model::{KeyValue, ModelInfo, Rotary};

/// How many bars back anything is seen, by its summary or row by row; older bars are not seen at all. It bounds the cost of a note for ever. Only
/// dense attention has no bound.
pub const MOST_BARS: u32 = 256;

/// Finished bars that can be opened again, at most.
pub const REWIND_BARS: u32 = 12;

/// Rows set aside for the prefix when memory is divided up.
const PREFIX_ROWS: usize = 16;

/// The cache of one sequence.
#[derive(Debug)]
pub struct Cache {
    layout: Layout,
    rotary: Rotary,
    policy: Arc<dyn PagePolicy>,
    keep: Keep,
    forget: Forget,
    /// Pages are seen row by row only while the bars from there on have at most this many rows.
    fine_rows: usize,
    buffer: Buffer,
    prefix: Page,
    /// The finished bars from `oldest` on, but those on the far side of a gap.
    past: VecDeque<Finished>,
    /// Index of the first of them.
    oldest: u32,
    /// No page that this bar or a later one sees has been dropped.
    floor: u32,
    summaries: Summaries,
    gap: Option<Gap>,
    /// Rows of the buffer that the open bar sees of the past.
    start: usize,
    /// Rows of the buffer in use.
    filled: usize,
    /// Queries of the open bar's rows, as in [`Finished::queries`].
    queries: Vec<f32>,
    /// What the open bar sees row by row.
    seen: Selection,
    /// The bars whose pages lie in the buffer, whole and in this order, straight after the prefix; `None` where something else does.
    laid: Option<Vec<u32>>,
}

impl Cache {
    /// An empty cache for a sequence whose first bar has index 0.
    ///
    /// # Errors
    /// If ONNX Runtime cannot allocate.
    pub fn new(info: &ModelInfo, policy: Arc<dyn PagePolicy>, options: CacheOptions) -> ort::Result<Self> {
        let layout = Layout { layers: info.layers, heads: info.heads, head_width: info.head_width() };
        let keep = options.keep.and(Keep::needed_by(&*policy));
        let bars = usize::try_from(MOST_BARS + REWIND_BARS).unwrap_or(usize::MAX);
        let slots = if keep.summaries { bars } else { 0 };
        // Mean keys are half a row a bar, queries half a row a row.
        let means = if keep.reads >= Reads::Keys { bars / 2 } else { 0 };
        let row_bytes = if keep.reads >= Reads::Queries { info.row_bytes() * 3 / 2 } else { info.row_bytes() };
        // Rows: the ring and its copy in the buffer are fixed. Of what is left a third is for the pages within reach, a third for their copies in the
        // buffer, and a third for those kept to rewind and the open bar.
        let rows = (options.bytes / row_bytes).saturating_sub(2 * slots + means + PREFIX_ROWS);
        let fine_rows = keep.reach.map_or(usize::MAX, |_| rows / 3);
        Ok(Self {
            layout,
            rotary: info.rotary.clone(),
            policy,
            keep,
            forget: options.forget,
            fine_rows,
            buffer: Buffer::new(layout, 1)?,
            prefix: Page::default(),
            past: VecDeque::new(),
            oldest: 0,
            floor: 0,
            summaries: Summaries::new(layout, slots),
            gap: None,
            start: 0,
            filled: 0,
            queries: Vec::new(),
            seen: Selection::Bars(Vec::new()),
            laid: None,
        })
    }

    /// Lets the next bars see under another policy. What is kept stays as it is.
    ///
    /// # Errors
    /// [`NotKept`] if the policy needs more of the past than the cache was made to keep ([`CacheOptions::keep`]).
    pub fn set_policy(&mut self, policy: Arc<dyn PagePolicy>) -> Result<(), NotKept> {
        if !self.keep.covers(Keep::needed_by(&*policy)) {
            return Err(NotKept { policy: policy.name() });
        }
        self.policy = policy;
        Ok(())
    }

    /// The policy of the next bar.
    #[must_use]
    pub fn policy(&self) -> &dyn PagePolicy {
        &*self.policy
    }

    /// What the open bar, or the last one if none is open, sees row by row.
    #[must_use]
    pub fn seen(&self) -> &Selection {
        &self.seen
    }

    /// Bytes of buffer, pages and summaries.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let past: usize = self.past.iter().map(Finished::bytes).sum();
        self.buffer.bytes() + self.summaries.bytes() + self.prefix.bytes() + past + self.gap.as_ref().map_or(0, Gap::bytes)
    }

    /// Rows of the buffer in use: what the next run has as past.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// Index of the bar that is open or comes next.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.gap.as_ref().filter(|gap| !gap.filling).map_or(self.end(), Gap::end)
    }

    /// The bar after those in `past`.
    fn end(&self) -> u32 {
        self.oldest + count(self.past.len())
    }

    /// Whether bars need a summary row.
    #[must_use]
    pub fn summarises(&self) -> bool {
        self.keep.summaries
    }

    /// Whether it has to be told the queries of rows ([`asked`](Self::asked)).
    #[must_use]
    pub fn reads_queries(&self) -> bool {
        self.keep.reads >= Reads::Queries
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
        self.queries.truncate(rows * self.layout.layers * self.layout.width());
    }

    /// Takes the turned queries of rows that a run has appended: row after row, of each layer after layer, head after head.
    pub fn asked<'a>(&mut self, queries: impl Iterator<Item = &'a [f32]>) {
        queries.for_each(|query| self.queries.extend_from_slice(query));
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
        let line = self.line();
        let seen = self.policy.select(&line);
        let mut parts: Vec<Part<'_>> = vec![(&self.prefix, 0..self.prefix.rows())];
        if self.policy.rest() == Rest::Summaries {
            let fine = if let Selection::Bars(fine) = &seen { fine.as_slice() } else { &[] };
            coarse(&self.summaries, self.gap.as_ref(), line.bar(), fine, &mut parts);
        }
        let (past, oldest, gap) = (&self.past, self.oldest, self.gap.as_ref());
        let page = |bar: u32| &finished(past, oldest, gap, bar).page;
        match &seen {
            Selection::Bars(fine) => {
                parts.extend(fine.iter().map(|&bar| (page(bar), 0..page(bar).rows())));
                // What lies where it should already is not copied: dense attention would otherwise copy the whole piece at every bar line.
                let alike = |laid: &Vec<u32>| 1 + laid.iter().zip(fine).take_while(|(laid, fine)| laid == fine).count();
                let in_place = if self.policy.rest() == Rest::Nothing { self.laid.as_ref().map_or(0, alike) } else { 0 };
                let kept = length(&parts[..in_place]);
                self.start = length(&parts);
                self.buffer.reserve(self.start + rows, kept)?;
                self.buffer.write(0..self.layout.layers, kept, &parts[in_place..]);
            }
            Selection::ByLayer(layers) => {
                let fine: Vec<Vec<Part<'_>>> =
                    layers.iter().map(|bars| bars.iter().map(|&(bar, rows)| (page(bar), 0..rows)).collect()).collect();
                let common = length(&parts);
                self.start = common + fine.first().map_or(0, |parts| length(parts));
                assert!(fine.iter().all(|parts| common + length(parts) == self.start), "{:?}: layers of unequal length", self.policy);
                self.buffer.reserve(self.start + rows, 0)?;
                self.buffer.write(0..self.layout.layers, 0, &parts);
                for (layer, parts) in fine.iter().enumerate() {
                    self.buffer.write(layer..layer + 1, common, parts);
                }
            }
        }
        self.filled = self.start;
        self.queries.clear();
        self.laid = match &seen {
            Selection::Bars(fine) if self.policy.rest() == Rest::Nothing => Some(fine.clone()),
            _ => None,
        };
        self.seen = seen;
        Ok(())
    }

    /// The line before the next bar.
    fn line(&self) -> BarLine<'_> {
        let (bar, end) = (self.bar(), self.end());
        let reach = self.policy.reach().unwrap_or(u32::MAX);
        let most_rows = self.side_rows();
        let mut first = end;
        let mut rows = 0;
        while first > self.oldest && bar - first < reach {
            rows += self.past[offset(self.oldest, first - 1)].page.rows();
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
        BarLine { bar, near: first..end, oldest: self.oldest, past, far, gap, layout: self.layout, rotary: &self.rotary }
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
            self.buffer.write(0..self.layout.layers, 0, &[(&self.prefix, 0..self.prefix.rows()), (&page, 0..page.rows())]);
            self.filled = past;
            self.laid = None;
        }
        let bar = self.bar();
        if let Some(laid) = &mut self.laid {
            laid.push(bar);
        }
        let mean_keys = if self.keep.reads >= Reads::Keys { Finished::mean_keys(self.layout, &page) } else { Vec::new() };
        let queries = std::mem::take(&mut self.queries);
        self.put(Finished { page, mean_keys, queries });
        Ok(())
    }

    /// Takes the row that was just appended as the summary of the bar that was just ended.
    pub fn set_summary(&mut self) {
        let summary = self.buffer.read(self.filled - 1..self.filled);
        match self.gap.as_mut().filter(|gap| !gap.filling) {
            Some(gap) => gap.summaries.push(summary),
            None => self.summaries.store(self.layout, self.end() - 1, &summary),
        }
    }

    /// Drops the pages that no bar will see any more, even if the latest ones are opened again.
    pub fn forget(&mut self) {
        let Some(reach) = self.keep.reach else { return };
        if self.forget == Forget::Nothing {
            return;
        }
        // The bars from `floor` on can be opened again.
        let mut floor = self.end();
        let mut rows = 0;
        for bar in self.past.iter().rev().take(usize::try_from(REWIND_BARS).unwrap_or(usize::MAX)) {
            rows += bar.page.rows();
            if rows > self.fine_rows / 2 {
                break;
            }
            floor -= 1;
        }
        let mut rows: usize = self.past.iter().take(offset(self.oldest, floor)).map(|bar| bar.page.rows()).sum();
        while self.oldest < floor && (floor - self.oldest > reach || rows > self.fine_rows) {
            rows -= self.past.pop_front().map_or(0, |bar| bar.page.rows());
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
        // What lies before a gap was seen by its far side, and what lies beyond is known.
        let oldest = self.gap.as_ref().map_or(oldest, |gap| if gap.filling { oldest.max(gap.first) } else { self.bar() });
        if bar < oldest || bar >= self.bar() {
            return too_far(oldest);
        }
        let own = self.past.drain(offset(self.oldest, bar)..).next().unwrap_or_default();
        let rows = rows.min(own.page.rows());
        self.begin_bar(own.page.rows()).map_err(ReopenError::Runtime)?;
        self.buffer.write(0..self.layout.layers, self.start, &[(&own.page, 0..rows)]);
        self.appended(rows);
        self.queries = own.queries;
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
            // The first part is the prefix; a run of neighbours in the ring is one part.
            Some((page, run)) if std::ptr::eq(*page, summaries.ring()) && run.end == slot => run.end += 1,
            _ => parts.push((summaries.ring(), slot..slot + 1)),
        }
    }
    let beyond = gap.into_iter().flat_map(|gap| (gap.far..).zip(&gap.summaries));
    let far = beyond.filter(|(other, _)| coarse(other) && other.abs_diff(bar) <= MOST_BARS);
    parts.extend(far.map(|(_, summary)| (summary, 0..1)));
}

/// Rows of some parts.
fn length(parts: &[Part<'_>]) -> usize {
    parts.iter().map(|(_, rows)| rows.len()).sum()
}

/// Place of a bar's page behind the `oldest` one.
fn offset(oldest: u32, bar: u32) -> usize {
    usize::try_from(bar - oldest).unwrap_or(usize::MAX)
}
