//! What the audio thread is to play: in order, and kept until the ring has room.

use std::collections::VecDeque;

use crate::music::{Note, Tick};
use ringbuf::HeapProd;
use ringbuf::traits::Producer;

use crate::session::protocol::{Epoch, PlannedEvent};

/// The way to the audio thread.
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

    /// From here on everything answers to this epoch; says whether it is another one. What was sent before is void.
    pub(super) fn enter(&mut self, epoch: Epoch) -> bool {
        if epoch == self.epoch {
            return false;
        }
        self.epoch = epoch;
        self.waiting.clear();
        self.sent = false;
        true
    }

    /// Has the audio thread start its clock, unless it runs by then.
    pub(super) fn start_clock(&mut self) {
        self.waiting.push_back(PlannedEvent::StartClock { epoch: self.epoch });
        self.flush();
    }

    /// Plays these notes on a channel, 0 to 15.
    pub(super) fn play(&mut self, notes: impl Iterator<Item = Note>, channel: u8) {
        let epoch = self.epoch;
        for note in notes {
            self.sent = true;
            self.waiting.push_back(PlannedEvent::Note { epoch, note, channel });
        }
        self.flush();
    }

    /// From this tick on nothing of what was sent plays; says whether anything was.
    pub(super) fn stop(&mut self, at: Tick) -> bool {
        if self.sent {
            let epoch = self.epoch;
            self.waiting.extend([PlannedEvent::Withdraw { epoch, from: at }, PlannedEvent::End { epoch, at }]);
            self.flush();
        }
        self.sent
    }

    /// Hands over what there is room for.
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
    fn what_finds_no_room_is_sent_later_and_in_order() {
        let (planned, mut play) = HeapRb::new(2).split();
        let mut outbox = Outbox::new(planned);
        outbox.play([NOTE; 3].into_iter(), 1);
        outbox.stop(Tick(5));
        let mut got: Vec<PlannedEvent> = Vec::new();
        for _ in 0..3 {
            got.extend(play.pop_iter());
            outbox.flush();
        }
        let epoch = Epoch(0);
        let note = PlannedEvent::Note { epoch, note: NOTE, channel: 1 };
        assert_eq!(got, [note, note, note, PlannedEvent::Withdraw { epoch, from: Tick(5) }, PlannedEvent::End { epoch, at: Tick(5) }]);
    }

    #[test]
    fn a_new_epoch_forgets_what_waits() {
        let (planned, mut play) = HeapRb::new(1).split();
        let mut outbox = Outbox::new(planned);
        outbox.play([NOTE; 3].into_iter(), 1);
        assert!(outbox.enter(Epoch(4)) && !outbox.enter(Epoch(4)));
        assert_eq!(play.pop_iter().count(), 1);
        outbox.stop(Tick(0));
        outbox.flush();
        assert_eq!(play.try_pop(), None);
    }
}
