//! Planned events for the audio thread: in order, and queued until the ring has room.

use std::collections::VecDeque;

use crate::music::{Note, Tick};
use crate::plan::Deviation;
use ringbuf::HeapProd;
use ringbuf::traits::Producer;

use crate::session::protocol::{Epoch, PlannedEvent};

/// Sender of planned events.
pub(super) struct Outbox {
    planned: HeapProd<PlannedEvent>,
    waiting: VecDeque<PlannedEvent>,
    epoch: Epoch,
    /// Whether anything was sent in this epoch that may still sound.
    sent: bool,
}

impl Outbox {
    pub(super) fn new(planned: HeapProd<PlannedEvent>) -> Self {
        Self { planned, waiting: VecDeque::new(), epoch: Epoch::default(), sent: false }
    }

    /// Enters an epoch; returns whether it differs from the last one. Queued events of the last one are discarded.
    pub(super) fn enter(&mut self, epoch: Epoch) -> bool {
        if epoch == self.epoch {
            return false;
        }
        self.epoch = epoch;
        self.waiting.clear();
        self.sent = false;
        true
    }

    /// Starts the audio thread's clock, unless it runs by then.
    pub(super) fn start_clock(&mut self) {
        self.waiting.push_back(PlannedEvent::StartClock { epoch: self.epoch });
        self.flush();
    }

    /// Plays these notes, each on the channel, 0 to 15, and with the deviation that `output` has for it.
    pub(super) fn play(&mut self, notes: impl Iterator<Item = Note>, output: impl Fn(&Note) -> (u8, Deviation)) {
        let epoch = self.epoch;
        for note in notes {
            self.sent = true;
            let (channel, deviation) = output(&note);
            self.waiting.push_back(PlannedEvent::Note { epoch, note, channel, deviation });
        }
        self.flush();
    }

    /// Withdraws all notes sent from this tick on, and ends those that sound there; returns whether any note was sent.
    pub(super) fn stop(&mut self, at: Tick) -> bool {
        if self.sent {
            let epoch = self.epoch;
            self.waiting.extend([PlannedEvent::Withdraw { epoch, from: at }, PlannedEvent::End { epoch, at }]);
            self.flush();
        }
        self.sent
    }

    /// Withdraws all notes sent from this tick on; those that sound there ring on.
    pub(super) fn withdraw(&mut self, from: Tick) {
        if self.sent {
            self.waiting.push_back(PlannedEvent::Withdraw { epoch: self.epoch, from });
            self.flush();
        }
    }

    /// Withdraws all notes that have not started, and ends those that sound at this tick.
    pub(super) fn fade(&mut self, by: Tick) {
        let (epoch, from) = (self.epoch, Tick(i64::MIN));
        self.waiting.clear();
        self.waiting.extend([PlannedEvent::Withdraw { epoch, from }, PlannedEvent::End { epoch, at: by }]);
        self.flush();
    }

    /// Withdraws all notes, and ends those that sound as soon as the audio thread sees it, whatever its output offset.
    pub(super) fn panic(&mut self) {
        self.fade(Tick(i64::MIN));
    }

    /// Pushes as many queued events as the ring has room for.
    pub(super) fn flush(&mut self) {
        while let Some(&message) = self.waiting.front() {
            if self.planned.try_push(message).is_err() {
                return;
            }
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::music::Role;
    use ringbuf::HeapRb;
    use ringbuf::traits::{Consumer, Split};

    use super::*;

    const NOTE: Note = Note { onset: Tick(3), offset: 0, duration: Tick(1), pitch: 60, velocity: 90, role: Role::Keys };

    #[test]
    fn events_beyond_the_ring_are_sent_later_in_order() {
        let (planned, mut play) = HeapRb::new(2).split();
        let mut outbox = Outbox::new(planned);
        outbox.play([NOTE; 3].into_iter(), |_| (1, Deviation::default()));
        outbox.stop(Tick(5));
        let mut got: Vec<PlannedEvent> = Vec::new();
        for _ in 0..3 {
            got.extend(play.pop_iter());
            outbox.flush();
        }
        let epoch = Epoch(0);
        let note = PlannedEvent::Note { epoch, note: NOTE, channel: 1, deviation: Deviation::default() };
        assert_eq!(got, [note, note, note, PlannedEvent::Withdraw { epoch, from: Tick(5) }, PlannedEvent::End { epoch, at: Tick(5) }]);
    }

    #[test]
    fn new_epoch_discards_queued_events() {
        let (planned, mut play) = HeapRb::new(1).split();
        let mut outbox = Outbox::new(planned);
        outbox.play([NOTE; 3].into_iter(), |_| (1, Deviation::default()));
        assert!(outbox.enter(Epoch(4)) && !outbox.enter(Epoch(4)));
        assert_eq!(play.pop_iter().count(), 1);
        outbox.stop(Tick(0));
        outbox.flush();
        assert_eq!(play.try_pop(), None);
    }
}
