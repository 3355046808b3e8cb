//! Link between a VST3 component and the plug-in inside it: nice-plug exposes neither the parameters nor a block's render mode.
//!
//! nice-plug's wrapper creates the plug-in and keeps it private, so the plug-in leaves its link in a thread-local for the component.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::params::AntiphonParams;

/// Whether the host renders in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockMode {
    /// Real time: the block has a deadline.
    Live,
    /// Rendering to a file: the host waits.
    Offline,
}

/// Shared state of a component and its plug-in.
#[derive(Default)]
pub struct Link {
    /// The plug-in's parameters; `None` if the plug-in left no link.
    pub(super) params: Option<Arc<AntiphonParams>>,
    /// 0: not set, as in CLAP. Otherwise 1 + [`BlockMode`].
    mode: AtomicU8,
}

thread_local! {
    /// Whether this thread is creating a component. No destructor, so that it does not keep the library loaded.
    static CREATING: Cell<bool> = const { Cell::new(false) };
    /// Link of the plug-in created last, for its component. Used only while one is created.
    static PENDING_LINK: RefCell<Option<Arc<Link>>> = const { RefCell::new(None) };
}

impl Link {
    /// The plug-in's link.
    #[must_use]
    pub fn new(params: &Arc<AntiphonParams>) -> Arc<Self> {
        let link = Arc::new(Self { params: Some(Arc::clone(params)), mode: AtomicU8::new(0) });
        if CREATING.get() {
            PENDING_LINK.set(Some(Arc::clone(&link)));
        }
        link
    }

    /// Creates a wrapper; returns it with the link of its plug-in.
    pub(super) fn connect<W>(make: impl FnOnce() -> W) -> (W, Arc<Self>) {
        CREATING.set(true);
        let made = make();
        CREATING.set(false);
        (made, PENDING_LINK.take().unwrap_or_default())
    }

    /// Sets the render mode of the next block.
    pub(super) fn set_mode(&self, mode: BlockMode) {
        self.mode.store(1 + mode as u8, Ordering::Relaxed);
    }

    /// Render mode of the current block; `None` if the format does not report it per block.
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
    fn component_has_the_link_of_the_plugin_inside() {
        let params = Arc::new(AntiphonParams::new(true));
        let (inside, link) = Link::connect(|| Link::new(&params));
        assert!(Arc::ptr_eq(&inside, &link));
        assert_eq!(inside.mode(), None);
        for mode in [BlockMode::Offline, BlockMode::Live] {
            link.set_mode(mode);
            assert_eq!(inside.mode(), Some(mode));
        }
    }

    #[test]
    fn link_created_outside_a_component_is_not_kept() {
        let lone = Link::new(&Arc::new(AntiphonParams::new(true)));
        assert_eq!(Arc::strong_count(&lone), 1);
    }
}
