//! What a VST3 component and the plug-in inside it share: nice-plug hands on neither the parameters nor the mode of a block.
//!
//! nice-plug's wrapper makes the plug-in and keeps it to itself, so the plug-in leaves its end of the link with the thread that makes it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::params::AntiphonParams;

/// What the host renders a block for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockMode {
    /// Somebody listens: the block must be done in time.
    Live,
    /// A file: the host waits.
    Offline,
}

/// One end of the link; both are the same.
#[derive(Default)]
pub struct Link {
    /// The plug-in's parameters; `None` for a plug-in that left no link.
    pub(super) params: Option<Arc<AntiphonParams>>,
    /// 0: not said, as in CLAP. Otherwise 1 + [`BlockMode`].
    mode: AtomicU8,
}

thread_local! {
    /// Whether a component is being made on this thread. Without a destructor, so that it does not keep the library loaded.
    static IS_MADE: Cell<bool> = const { Cell::new(false) };
    /// The link of the plug-in that was made last, for its component. Touched only while one is made.
    static LEFT: RefCell<Option<Arc<Link>>> = const { RefCell::new(None) };
}

impl Link {
    /// A plug-in's end.
    #[must_use]
    pub fn new(params: &Arc<AntiphonParams>) -> Arc<Self> {
        let link = Arc::new(Self { params: Some(Arc::clone(params)), mode: AtomicU8::new(0) });
        if IS_MADE.get() {
            LEFT.set(Some(Arc::clone(&link)));
        }
        link
    }

    /// Makes a wrapper, and returns it with the link of the plug-in inside.
    pub(super) fn tie<W>(make: impl FnOnce() -> W) -> (W, Arc<Self>) {
        IS_MADE.set(true);
        let made = make();
        IS_MADE.set(false);
        (made, LEFT.take().unwrap_or_default())
    }

    /// Says what the next block is rendered for.
    pub(super) fn set_mode(&self, mode: BlockMode) {
        self.mode.store(1 + mode as u8, Ordering::Relaxed);
    }

    /// What the current block is rendered for; `None` if the format does not say it with each block.
    #[must_use]
    pub fn mode(&self) -> Option<BlockMode> {
        match self.mode.load(Ordering::Relaxed) {
            0 => None,
            mode if mode == 1 + BlockMode::Offline as u8 => Some(BlockMode::Offline),
            _ => Some(BlockMode::Live),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_of_a_component_is_that_of_the_plugin_made_inside() {
        let params = Arc::new(AntiphonParams::new(true));
        let (inside, link) = Link::tie(|| Link::new(&params));
        assert!(Arc::ptr_eq(&inside, &link));
        assert_eq!(inside.mode(), None);
        for mode in [BlockMode::Offline, BlockMode::Live] {
            link.set_mode(mode);
            assert_eq!(inside.mode(), Some(mode));
        }
    }

    #[test]
    fn link_outside_of_a_component_is_left_with_nobody() {
        let lone = Link::new(&Arc::new(AntiphonParams::new(true)));
        assert_eq!(Arc::strong_count(&lone), 1);
    }
}
