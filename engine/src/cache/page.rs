//! Pages: K and V of some rows, copied out of the buffer; and the ring of summaries, one row per bar.

use super::Layout;

/// K and V of some rows in all layers, plane by plane (layer 0 K, layer 0 V, layer 1 K, ...), each `[heads, rows, head width]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Page {
    rows: usize,
    data: Box<[f32]>,
}

impl Page {
    /// A page of zeros.
    pub(super) fn new(layout: Layout, rows: usize) -> Self {
        Self { rows, data: vec![0.0; layout.row_floats() * rows].into() }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.data)
    }

    /// One plane.
    pub(super) fn plane(&self, layout: Layout, plane: usize) -> &[f32] {
        let floats = layout.width() * self.rows;
        &self.data[plane * floats..][..floats]
    }

    /// One plane, mutable.
    pub(super) fn plane_mut(&mut self, layout: Layout, plane: usize) -> &mut [f32] {
        let floats = layout.width() * self.rows;
        &mut self.data[plane * floats..][..floats]
    }
}

/// Ring of the summary rows of the latest bars: bar `b` has slot `b mod slots`. A plane is `[heads, slots, head width]`, so that the summaries of
/// consecutive bars are contiguous and can be copied at once.
#[derive(Debug)]
pub(super) struct Summaries {
    ring: Page,
}

impl Summaries {
    /// A ring of `slots` summaries.
    pub(super) fn new(layout: Layout, slots: usize) -> Self {
        Self { ring: Page::new(layout, slots) }
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// The ring as a page, whose row `slot(bar)` is a bar's summary.
    pub(super) fn ring(&self) -> &Page {
        &self.ring
    }

    /// Slot of a bar's summary.
    pub(super) fn slot(&self, bar: u32) -> usize {
        usize::try_from(bar).unwrap_or(usize::MAX) % self.ring.rows
    }

    /// A bar's summary: a page of one row.
    pub(super) fn get(&self, layout: Layout, bar: u32) -> Page {
        let (slot, slots, width) = (self.slot(bar), self.ring.rows, layout.head_width);
        let mut summary = Page::new(layout, 1);
        for plane in 0..layout.planes() {
            let from = self.ring.plane(layout, plane).chunks_exact(slots * width);
            for (to, from) in summary.plane_mut(layout, plane).chunks_exact_mut(width).zip(from) {
                to.copy_from_slice(&from[slot * width..][..width]);
            }
        }
        summary
    }

    /// Stores a bar's summary: a page of one row.
    pub(super) fn store(&mut self, layout: Layout, bar: u32, summary: &Page) {
        let (slot, slots, width) = (self.slot(bar), self.ring.rows, layout.head_width);
        for plane in 0..layout.planes() {
            let from = summary.plane(layout, plane).chunks_exact(width);
            for (to, from) in self.ring.plane_mut(layout, plane).chunks_exact_mut(slots * width).zip(from) {
                to[slot * width..][..width].copy_from_slice(from);
            }
        }
    }
}
