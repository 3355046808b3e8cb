//! Triggers: parameters that give a command when they go on.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::prelude::*;

/// Ids of the triggers. A state sets them, as hosts expect, but gives no command: loading plays nothing.
pub const TRIGGERS: [&str; 10] =
    ["play", "another", "keep", "stop", "panic", "variation_a", "variation_b", "variation_c", "variation_d", "forget"];

thread_local! {
    /// Whether this thread is loading a state.
    static LOADS: Cell<bool> = const { Cell::new(false) };
}

/// Whether what this thread sets from now on is a state, and no press of a trigger.
pub(crate) fn set_loading(loads: bool) {
    LOADS.set(loads);
}

/// How often a trigger went on, by its host, its player or its automation. A value would not do: it may go on and off again within a block.
#[derive(Debug, Clone, Default)]
pub struct Presses(Arc<AtomicU32>);

impl Presses {
    /// The parameter whose presses are counted.
    pub(super) fn of(&self, name: &'static str) -> BoolParam {
        let count = Arc::clone(&self.0);
        BoolParam::new(name, false).with_callback(Arc::new(move |is_on| {
            if is_on && !LOADS.get() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }))
    }

    /// Presses since the instance was made; wraps around.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}
