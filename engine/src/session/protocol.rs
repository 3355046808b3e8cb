//! The seam between the audio thread and the engine: two rings of plain messages, read the enums first.
//!
//! Either side may be late, or gone. What the audio thread tells comes in order of time; what the musician answers carries the epoch it
//! answers to, so that nothing is played that was meant for a place of the song that was left.

use super::{ControlValues, Withheld};
use crate::music::{Note, Tick};
use crate::plan::{Key, Moment, Step, TransportChange};

/// A stretch of time in which what was planned stays meant. It ends when the transport starts, stops or jumps, and when mode, state or
/// bypass change; a loop or a new metre does not end it.
///
/// Compare epochs for equality only: the number wraps around.
///
/// ```
/// use antiphon_engine::session::Epoch;
///
/// assert_eq!(Epoch(u32::MAX).next(), Epoch(0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What the player asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Play the plan that is shown, from the next bar.
    Play,
    /// Make another.
    Another,
    /// Star the one that is shown.
    Keep,
    /// Go back to what was suggested before, or forward again.
    Step(Step),
}

/// What the audio thread tells, in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Heard {
    /// The player struck a key.
    NoteOn {
        /// When.
        at: Moment,
        /// Which.
        key: Key,
        /// 1 to 127.
        velocity: u8,
    },
    /// The player let a key go.
    NoteOff {
        /// When.
        at: Moment,
        /// Which.
        key: Key,
    },
    /// The sustain pedal of a channel.
    Pedal {
        /// When.
        at: Moment,
        /// 0 to 15.
        channel: u8,
        /// Down or up.
        pressed: bool,
    },
    /// A planned note sounds. One that was late, found no room or no free key is not told.
    Sounds {
        /// When.
        at: Moment,
        /// The note, as it was planned.
        note: Note,
        /// 0 to 15.
        channel: u8,
    },
    /// A planned note that sounds on this key has ended before its time: it was cut, or the player took the key.
    Ends {
        /// When.
        at: Moment,
        /// Which.
        key: Key,
    },
    /// A planned note whose time has come does not sound.
    Withheld {
        /// When.
        at: Moment,
        /// The note, as it was planned.
        note: Note,
        /// Why.
        reason: Withheld,
    },
    /// The clock stands for another place of the song.
    Turn {
        /// The epoch from here on.
        epoch: Epoch,
        /// The change of the map from clock to song.
        change: TransportChange,
    },
    /// What was planned is void, without a jump.
    Void {
        /// The epoch from here on.
        epoch: Epoch,
        /// When.
        at: Moment,
    },
    /// The player asks for something.
    Command {
        /// When.
        at: Moment,
        /// What.
        command: Command,
    },
    /// The clock has run to here, with the controls as they stand: at least once for every tick while it runs.
    Reached {
        /// Everything before it was told.
        at: Moment,
        /// Quarters per minute.
        tempo: f64,
        /// As they stand.
        controls: ControlValues,
    },
    /// Events were lost to a full ring, a bypass or a reset: every key and pedal counts as let go.
    Gap {
        /// When it was over.
        at: Moment,
    },
}

impl Heard {
    /// When it happened, on the unwrapped clock.
    #[must_use]
    pub const fn at(&self) -> Moment {
        match *self {
            Self::NoteOn { at, .. }
            | Self::NoteOff { at, .. }
            | Self::Pedal { at, .. }
            | Self::Sounds { at, .. }
            | Self::Ends { at, .. }
            | Self::Withheld { at, .. }
            | Self::Void { at, .. }
            | Self::Command { at, .. }
            | Self::Reached { at, .. }
            | Self::Gap { at } => at,
            Self::Turn { change, .. } => change.at,
        }
    }
}

/// What the session answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// Play this note at its time on the clock. In order of time they cost least.
    Note {
        /// What it answers to.
        epoch: Epoch,
        /// The note.
        note: Note,
        /// 0 to 15.
        channel: u8,
    },
    /// Notes that start at this tick or later, of those sent before this message, are not played.
    Withdraw {
        /// What it answers to.
        epoch: Epoch,
        /// The first tick withdrawn.
        from: Tick,
    },
    /// Play was pressed in the window while the clock stood: it starts, unless it runs by now.
    StartClock {
        /// What it answers to.
        epoch: Epoch,
    },
    /// What sounds at this tick ends there.
    Cut {
        /// What it answers to.
        epoch: Epoch,
        /// When.
        at: Tick,
    },
}

impl Planned {
    /// The epoch it answers to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        match self {
            Self::Note { epoch, .. } | Self::Withdraw { epoch, .. } | Self::StartClock { epoch } | Self::Cut { epoch, .. } => *epoch,
        }
    }
}
