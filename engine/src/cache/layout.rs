//! Dimensions of the cached keys and values.

/// Dimensions of the model's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) head_width: usize,
}

impl Layout {
    /// Number of planes: K and V of each layer.
    pub(super) fn planes(self) -> usize {
        2 * self.layers
    }

    /// Floats of one row in one plane.
    pub(super) fn width(self) -> usize {
        self.heads * self.head_width
    }

    /// Floats of one row in all planes.
    pub(super) fn row_floats(self) -> usize {
        self.planes() * self.width()
    }
}
