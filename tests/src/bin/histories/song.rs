//! The song of the host that a history runs in.

use antiphon_tests::Transport;

/// The host's song.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Song {
    pub(crate) playing: bool,
    pub(crate) is_reported: bool,
    /// In quarters.
    pub(crate) position: f64,
    pub(crate) tempo: f64,
    pub(crate) metre: (u16, u16),
    pub(crate) cycle: Option<(f64, f64)>,
}

impl Song {
    pub(crate) fn transport(&self) -> Option<Transport> {
        let bar = self.bar();
        self.is_reported.then_some(Transport {
            playing: self.playing,
            tempo: Some(self.tempo),
            metre: Some(self.metre),
            position: Some(self.position),
            bar: Some(bar),
            cycle: self.cycle,
        })
    }

    /// Start of the bar, in quarters.
    pub(crate) fn bar(&self) -> f64 {
        let length = f64::from(self.metre.0) * 4.0 / f64::from(self.metre.1);
        (self.position / length).floor() * length
    }

    pub(crate) fn advance(&mut self, quarters: f64) {
        if !self.playing {
            return;
        }
        self.position += quarters;
        if let Some((start, end)) = self.cycle.filter(|(_, end)| self.position >= *end) {
            self.position = start + (self.position - start) % (end - start);
        }
    }
}
