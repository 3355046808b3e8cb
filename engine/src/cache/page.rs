//! Pages: the keys and values of rows, copied out of the buffer; and the summaries, one row per bar.

use super::Layout;

/// Keys and values of some rows in all layers, plane after plane (layer 0 keys, layer 0 values, layer 1 keys, ...), each `[heads, rows, head width]`.
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

    /// Rows it holds.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.data)
    }

    /// One plane of it.
    pub(super) fn plane(&self, layout: Layout, plane: usize) -> &[f32] {
        let floats = layout.width() * self.rows;
        &self.data[plane * floats..][..floats]
    }

    /// One plane of it, to be written.
    pub(super) fn plane_mut(&mut self, layout: Layout, plane: usize) -> &mut [f32] {
        let floats = layout.width() * self.rows;
        &mut self.data[plane * floats..][..floats]
    }
}

/// The summary row of each of the latest bars, in a ring: bar `b` has slot `b mod slots`. A plane is `[heads, slots, head width]`, so the summaries of
/// neighbouring bars are neighbours in memory and are copied as one.
#[derive(Debug)]
pub(super) struct Summaries {
    ring: Page,
}

impl Summaries {
    /// A ring of `slots` summaries.
    pub(super) fn new(layout: Layout, slots: usize) -> Self {
        Self { ring: Page::new(layout, slots) }
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// The ring itself: a page whose row `slot(bar)` is a bar's summary.
    pub(super) fn ring(&self) -> &Page {
        &self.ring
    }

    /// Where a bar's summary stands.
    pub(super) fn slot(&self, bar: u32) -> usize {
        usize::try_from(bar).unwrap_or(usize::MAX) % self.ring.rows
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
