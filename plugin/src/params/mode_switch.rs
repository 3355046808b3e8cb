//! The mode that a learnt trigger has chosen. The audio thread cannot set a host parameter, so the choice holds beside the parameter until that changes; an
//! open editor writes it to the parameter.

use std::sync::atomic::{AtomicU8, Ordering};

use antiphon_engine::plan::PlayMode;

/// The chosen mode, if there is one. Read and written from any thread without locks.
#[derive(Debug, Default)]
pub struct ModeSwitch {
    /// Step of the mode plus 1; 0 while the parameter holds.
    chosen: AtomicU8,
}

impl ModeSwitch {
    /// The chosen mode; `None` while the parameter holds.
    #[must_use]
    pub fn chosen(&self) -> Option<PlayMode> {
        PlayMode::from_step(self.chosen.load(Ordering::Relaxed).checked_sub(1)?)
    }

    /// Chooses a mode.
    pub fn choose(&self, mode: PlayMode) {
        self.chosen.store(mode.step() + 1, Ordering::Relaxed);
    }

    /// The parameter holds again.
    pub fn clear(&self) {
        self.chosen.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_can_be_chosen_until_the_parameter_holds_again() {
        let switch = ModeSwitch::default();
        assert_eq!(switch.chosen(), None);
        for mode in PlayMode::ALL {
            switch.choose(mode);
            assert_eq!(switch.chosen(), Some(mode));
        }
        switch.clear();
        assert_eq!(switch.chosen(), None);
    }
}
