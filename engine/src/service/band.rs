//! Band: what the instances of one pool let each other hear.
//!
//! A registry behind a lock that session threads alone take, for as long as a copy of a few bars takes; the audio thread never does. A member publishes the
//! notes of its track every few ticks, with its clock and the song position at which it stands. The others read them a beat later by musical time, so the
//! order of the threads decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::music::{Note, Role, Tick};
use crate::plan::SongPosition;

/// The members of a band. Clones are the same band.
#[derive(Debug, Clone, Default)]
pub struct Band {
    parts: Arc<Mutex<BTreeMap<u8, Part>>>,
}

/// What a member lets the others hear. Times are those of its own clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Role that it plays.
    pub role: Role,
    /// Everything that starts before this tick is published.
    pub reached: Tick,
    /// Song position at that tick; `None` while its host's transport does not roll.
    pub song: Option<SongPosition>,
    /// Notes of its last bars: its player's, and what it played. Those that sound are [`Tick::MAX`] long.
    pub notes: Vec<Note>,
}

/// A member's place in the band. It leaves the band when it is dropped.
#[derive(Debug)]
pub struct Seat {
    band: Band,
    number: u8,
}

impl Band {
    /// Joins the band with the lowest number that is free, from 1. `None` if all 255 are taken.
    #[must_use]
    pub fn join(&self) -> Option<Seat> {
        let mut parts = self.parts.lock();
        let number = (1..=u8::MAX).find(|number| !parts.contains_key(number))?;
        parts.insert(number, Part::silent());
        Some(Seat { band: self.clone(), number })
    }
}

impl Part {
    /// A part of which nothing is known.
    const fn silent() -> Self {
        Self { role: Role::Keys, reached: Tick::ZERO, song: None, notes: Vec::new() }
    }
}

impl Seat {
    /// The member's number, from 1.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// Replaces the member's part.
    pub fn publish(&self, part: Part) {
        // The old one is freed after the lock is released.
        let _before = self.band.parts.lock().insert(self.number, part);
    }

    /// The parts of the others, by their numbers.
    #[must_use]
    pub fn others(&self) -> Vec<(u8, Part)> {
        let parts = self.band.parts.lock();
        parts.iter().filter(|(number, _)| **number != self.number).map(|(number, part)| (*number, part.clone())).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _part = self.band.parts.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_lowest_free_numbers_and_hear_the_others_alone() {
        let band = Band::default();
        let [one, two] = [band.join().unwrap(), band.join().unwrap()];
        assert_eq!((one.number(), two.number()), (1, 2));
        let part = Part { role: Role::Bass, reached: Tick(24), song: Some(SongPosition(96)), notes: Vec::new() };
        two.publish(part.clone());
        assert_eq!(one.others(), [(2, part)]);
        assert_eq!(two.others(), [(1, Part::silent())]);
        drop(one);
        assert_eq!(two.others(), []);
        assert_eq!(band.join().unwrap().number(), 1);
    }
}
