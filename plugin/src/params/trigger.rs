//! Triggers: parameters that give a command when they go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::prelude::*;

/// Ids of the triggers. A state sets them, as hosts expect; once it is loaded, that gives no command.
pub const TRIGGERS: [&str; 10] =
    ["play", "another", "keep", "stop", "panic", "variation_a", "variation_b", "variation_c", "variation_d", "forget"];

/// How often a trigger went on. A value would not do: it may go on and off again within a block.
#[derive(Debug, Clone, Default)]
pub struct Presses(Arc<AtomicU32>);

impl Presses {
    /// The parameter whose presses are counted.
    pub(super) fn of(&self, name: &'static str) -> BoolParam {
        let count = Arc::clone(&self.0);
        BoolParam::new(name, false).with_callback(Arc::new(move |is_on| {
            if is_on {
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
