//! Contiguous K/V buffer: the graph reads it as past and appends to it as present, in place.

use std::ops::Range;

use ort::{memory::Allocator, value::Tensor};

use super::{Layout, page::Page};
use crate::model::KeyValue;

/// Granularity of the capacity, in rows.
const STEP: usize = 64;

/// A range of rows of a page.
pub(super) type Part<'a> = (&'a Page, Range<usize>);

/// One K and one V tensor per layer, `[1, heads, capacity, head width]`.
#[derive(Debug)]
pub(super) struct Buffer {
    layout: Layout,
    capacity: usize,
    layers: Vec<KeyValue>,
    reallocations: u32,
}

impl Buffer {
    pub(super) fn new(layout: Layout, rows: usize) -> ort::Result<Self> {
        let capacity = rows.max(1).next_multiple_of(STEP);
        Ok(Self { layout, capacity, layers: allocate(layout, capacity)?, reallocations: 0 })
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.capacity * self.layout.row_floats() * size_of::<f32>()
    }

    /// The tensors, to be bound as past and present.
    pub(super) fn layers(&mut self) -> &mut [KeyValue] {
        &mut self.layers
    }

    /// Number of reallocations so far. Bindings made before the latest one are stale.
    pub(super) fn reallocations(&self) -> u32 {
        self.reallocations
    }

    /// Makes room for `rows` rows, keeping the content of the first `kept`.
    pub(super) fn reserve(&mut self, rows: usize, kept: usize) -> ort::Result<()> {
        if rows <= self.capacity {
            return Ok(());
        }
        let page = self.read(0..kept);
        // An eighth more than needed, so that a cache that grows with the piece does not reallocate at every bar.
        self.capacity = (rows + rows / 8).next_multiple_of(STEP);
        self.layers.clear();
        self.layers = allocate(self.layout, self.capacity)?;
        self.reallocations += 1;
        self.write(0..self.layers.len(), 0, &[(&page, 0..kept)]);
        Ok(())
    }

    /// Copies rows out into a page.
    pub(super) fn read(&mut self, rows: Range<usize>) -> Page {
        let width = self.layout.head_width;
        let (layout, span) = (self.layout, self.capacity * width);
        let mut page = Page::new(layout, rows.len());
        if rows.is_empty() {
            return page;
        }
        for (plane, tensor) in self.planes(0..layout.layers) {
            let heads = tensor.chunks_exact(span);
            for (to, head) in page.plane_mut(layout, plane).chunks_exact_mut(rows.len() * width).zip(heads) {
                to.copy_from_slice(&head[rows.start * width..rows.end * width]);
            }
        }
        page
    }

    /// Copies parts into some layers one after the other, from row `at` on.
    pub(super) fn write(&mut self, layers: Range<usize>, at: usize, parts: &[Part<'_>]) {
        let width = self.layout.head_width;
        let (layout, span) = (self.layout, self.capacity * width);
        for (plane, tensor) in self.planes(layers) {
            for (head, to) in tensor.chunks_exact_mut(span).enumerate() {
                let mut end = at * width;
                for (page, rows) in parts {
                    let from = &page.plane(layout, plane)[head * page.rows() * width..][rows.start * width..rows.end * width];
                    to[end..end + from.len()].copy_from_slice(from);
                    end += from.len();
                }
            }
        }
    }

    /// K and V planes of some layers, each with its plane index.
    fn planes(&mut self, layers: Range<usize>) -> impl Iterator<Item = (usize, &mut [f32])> {
        (2 * layers.start..).zip(self.layers[layers].iter_mut().flat_map(planes_of))
    }
}

fn planes_of(layer: &mut KeyValue) -> [&mut [f32]; 2] {
    [layer.key.extract_tensor_mut().1, layer.value.extract_tensor_mut().1]
}

fn allocate(layout: Layout, capacity: usize) -> ort::Result<Vec<KeyValue>> {
    let shape = [1, layout.heads, capacity, layout.head_width].map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    let allocator = Allocator::default();
    let tensor = || Tensor::<f32>::new(&allocator, shape);
    (0..layout.layers).map(|_| Ok(KeyValue { key: tensor()?, value: tensor()? })).collect()
}
