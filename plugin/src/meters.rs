//! Counters and clock state, written by the audio thread and read by any other. Each value is consistent by itself; two may be a block
//! apart.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use nice_plug_egui::RepaintNotifier;

use crate::clock::{Motion, MusicalTime};
use crate::host_issues::HostIssues;

/// Counters and clock state of one instance.
#[derive(Debug, Default)]
pub struct Meters {
    counts: [AtomicU64; Count::ALL.len()],
    /// Playhead in clock ticks, as bits of an `f64`.
    playhead: AtomicU64,
    /// Quarters per minute, as bits of an `f64`.
    tempo: AtomicU64,
    /// [`Motion`], 0 to 2.
    motion: AtomicU8,
    /// Bits of [`HostIssues`].
    issues: AtomicU8,
    /// Asks the editor to repaint, which does not wait; set when there is one.
    notifier: OnceLock<RepaintNotifier>,
}

/// The counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Count {
    /// Planned notes that were played.
    Played,
    /// Planned notes that arrived after their time and were not played.
    Late,
    /// Messages of an old epoch, planned for a song position that was left.
    Stale,
    /// Planned notes not played because the player held the key.
    Yielded,
    /// Planned notes dropped for lack of room.
    NoRoom,
    /// Events the session did not get because the ring was full: the player's, or reports of planned notes.
    DroppedInput,
    /// Events the host refused.
    Refused,
}

impl Count {
    /// All counters.
    pub const ALL: [Self; 7] = [Self::Played, Self::Late, Self::Stale, Self::Yielded, Self::NoRoom, Self::DroppedInput, Self::Refused];
}

impl Meters {
    /// The count since the instance was created.
    #[must_use]
    pub fn count(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }

    /// Playhead on the clock.
    #[must_use]
    pub fn playhead(&self) -> MusicalTime {
        MusicalTime(f64::from_bits(self.playhead.load(Ordering::Relaxed)))
    }

    /// Quarters per minute.
    #[must_use]
    pub fn tempo(&self) -> f64 {
        f64::from_bits(self.tempo.load(Ordering::Relaxed))
    }

    /// What drives the clock.
    #[must_use]
    pub fn motion(&self) -> Motion {
        match self.motion.load(Ordering::Relaxed) {
            0 => Motion::Stopped,
            1 => Motion::Internal,
            _ => Motion::Host,
        }
    }

    /// Problems with the host's transport information.
    #[must_use]
    pub fn host_issues(&self) -> HostIssues {
        HostIssues::from_bits(self.issues.load(Ordering::Relaxed))
    }

    /// Sets how the editor is asked to repaint when something changes while the clock stands. Only the first is used.
    pub(crate) fn notify_with(&self, notifier: RepaintNotifier) {
        let _ = self.notifier.set(notifier);
    }

    fn notify(&self) {
        if let Some(notifier) = self.notifier.get() {
            notifier.request_repaint();
        }
    }

    pub(crate) fn set_host_issues(&self, issues: HostIssues) {
        if self.issues.swap(issues.bits(), Ordering::Relaxed) != issues.bits() {
            self.notify();
        }
    }

    pub(crate) fn add(&self, count: Count, number: u64) {
        self.counts[count as usize].fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, count: Count, number: u64) {
        self.counts[count as usize].store(number, Ordering::Relaxed);
    }

    pub(crate) fn set_time(&self, playhead: MusicalTime, tempo: f64, motion: Motion) {
        let is_moved = self.playhead.swap(playhead.0.to_bits(), Ordering::Relaxed) != playhead.0.to_bits();
        let has_tempo_changed = self.tempo.swap(tempo.to_bits(), Ordering::Relaxed) != tempo.to_bits();
        let motion = match motion {
            Motion::Stopped => 0,
            Motion::Internal => 1,
            Motion::Host => 2,
        };
        let has_motion_changed = self.motion.swap(motion, Ordering::Relaxed) != motion;
        // While the clock runs the editor repaints by itself.
        if has_motion_changed || has_tempo_changed || is_moved && motion == 0 {
            self.notify();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meters_return_what_was_written() {
        let meters = Meters::default();
        for (number, count) in (1..).zip(Count::ALL) {
            meters.add(count, number);
            meters.add(count, 10);
            assert_eq!(meters.count(count), number + 10);
        }
        for motion in [Motion::Host, Motion::Internal, Motion::Stopped] {
            meters.set_time(MusicalTime(7.25), 133.0, motion);
            assert_eq!((meters.playhead(), meters.tempo(), meters.motion()), (MusicalTime(7.25), 133.0, motion));
        }
    }
}
