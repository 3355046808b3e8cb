//! Hands the take to the audio thread, and old ones back to be freed.

use std::sync::Arc;

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::plan::Take;

/// Takes that may be on their way in each direction.
const ROOM: usize = 8;

/// The session's end.
pub struct TakeSender {
    takes: HeapProd<Arc<Take>>,
    returned: HeapCons<Arc<Take>>,
    /// Last take sent.
    sent: Option<Arc<Take>>,
}

/// The audio thread's end. Nothing here allocates, frees, locks or waits, except [`set`](Self::set).
pub struct TakeReceiver {
    takes: HeapCons<Arc<Take>>,
    returned: HeapProd<Arc<Take>>,
    take: Option<Arc<Take>>,
}

/// Both ends.
///
/// ```
/// use std::sync::Arc;
/// use antiphon_engine::plan::Take;
/// use antiphon_engine::session::take_ring;
///
/// let (mut sender, mut receiver) = take_ring();
/// assert!(receiver.latest().is_none());
/// sender.send(&Arc::new(Take::default()));
/// assert!(receiver.latest().is_some());
/// ```
#[must_use]
pub fn take_ring() -> (TakeSender, TakeReceiver) {
    let (to_audio, takes) = HeapRb::new(ROOM).split();
    let (returned, from_audio) = HeapRb::new(ROOM).split();
    (TakeSender { takes: to_audio, returned: from_audio, sent: None }, TakeReceiver { takes, returned, take: None })
}

impl TakeSender {
    /// Frees the takes that came back, and sends this one if it is not the last one sent. While the ring is full it is sent by a later call.
    pub fn send(&mut self, take: &Arc<Take>) {
        self.returned.clear();
        if self.sent.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, take)) {
            return;
        }
        if self.takes.try_push(Arc::clone(take)).is_ok() {
            self.sent = Some(Arc::clone(take));
        }
    }
}

impl TakeReceiver {
    /// The latest take that has arrived.
    pub fn latest(&mut self) -> Option<&Take> {
        // An old take is freed by the session: without room for its return the new one waits.
        while !self.returned.is_full() {
            let Some(next) = self.takes.try_pop() else { break };
            if let Some(old) = self.take.replace(next) {
                // There is room: checked above.
                let _ = self.returned.try_push(old);
            }
        }
        self.take.as_deref()
    }

    /// Sets the take directly, while no audio is processed. May free the old one.
    pub fn set(&mut self, take: Arc<Take>) {
        self.take = Some(take);
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::SongPosition;

    use super::*;

    /// A take with this many passes.
    fn take(passes: u64) -> Arc<Take> {
        let mut take = Take::default();
        (0..passes).for_each(|_| take.overwrite(1, SongPosition(0), SongPosition(1), []));
        Arc::new(take)
    }

    #[test]
    fn receiver_has_the_latest_take_and_frees_none() {
        let (mut sender, mut receiver) = take_ring();
        let (first, second) = (take(1), take(2));
        sender.send(&first);
        sender.send(&first);
        assert_eq!(receiver.latest(), Some(&*first));
        sender.send(&second);
        assert_eq!(receiver.latest(), Some(&*second));
        assert_eq!(Arc::strong_count(&first), 2, "it waits for the session in the ring");
        sender.send(&second);
        assert_eq!(Arc::strong_count(&first), 1);
    }

    #[test]
    fn take_that_finds_no_room_is_sent_later() {
        let (mut sender, mut receiver) = take_ring();
        let takes: Vec<_> = (0..20).map(take).collect();
        takes.iter().for_each(|take| sender.send(take));
        receiver.latest();
        for _ in 0..3 {
            sender.send(&takes[19]);
            receiver.latest();
        }
        assert_eq!(receiver.latest(), Some(&*takes[19]));
    }
}
