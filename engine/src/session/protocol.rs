//! Messages between the audio thread and the session. The two enums, [`InputEvent`] and [`PlannedEvent`], are the protocol.
//!
//! Either side may be late, or gone. Input events arrive in order of time. Planned events carry the epoch they belong to, so that nothing
//! planned for an abandoned song position is played.

use super::{ControlValues, LockTarget, Withheld};
use crate::music::{Note, TICKS_PER_QUARTER, Tick};
use crate::plan::{Deviation, EntryId, MidiKey, MusicalTime, SongLoop, Step, TransportChange, Variation};

/// A span of time in which what was sent stays valid. It ends when the transport starts, stops or jumps, when mode, state or bypass change, and,
/// in Answer, when the player plays; a loop or a change of metre does not end it.
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
    /// The next epoch.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Longest time in ticks that planned notes sound on when their plan has given way or its bars are over: a beat.
pub const FADE: Tick = Tick(TICKS_PER_QUARTER);

/// A command of the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Play the plan that is shown, from the next bar.
    Play,
    /// Show the next variation of the plan; after the last one, four new ones.
    Another,
    /// Star the plan that is shown.
    Keep,
    /// Stop playback: notes that sound end by themselves, at the latest [`FADE`] later. In modes that play by themselves nothing is played
    /// until Play, a change of mode, or a new start of the transport.
    Stop,
    /// End every planned note at once, and stop playback as Stop does.
    Panic,
    /// Step through the history.
    Step(Step),
    /// Star this entry of the history, or take its star off.
    Star(EntryId),
    /// Remove this entry from the history.
    Remove(EntryId),
    /// Undo its removal.
    PutBack(EntryId),
    /// Show this variation of the plan.
    Variation(Variation),
    /// Lock a note or a bar of the plan that is shown: plans that replace it keep it.
    Lock(LockTarget),
    /// Remove such a lock.
    Unlock(LockTarget),
    /// Remove all locks of notes and bars.
    UnlockAll,
    /// Forget what was learnt from the player, or bring it back.
    Forget,
}

/// An event from the audio thread, in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InputEvent {
    /// A note-on of the player.
    NoteOn {
        /// Time of the event.
        at: MusicalTime,
        /// MIDI channel and key.
        key: MidiKey,
        /// MIDI velocity, 1 to 127.
        velocity: u8,
    },
    /// A note-off of the player.
    NoteOff {
        /// Time of the event.
        at: MusicalTime,
        /// MIDI channel and key.
        key: MidiKey,
    },
    /// The sustain pedal of a channel.
    Pedal {
        /// Time of the event.
        at: MusicalTime,
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// Whether it is down.
        pressed: bool,
    },
    /// A planned note has started. Notes that are late, or find no voice or no free key, are not reported.
    NoteStarted {
        /// Time of the event.
        at: MusicalTime,
        /// The note, as it was planned.
        note: Note,
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// How it was played.
        deviation: Deviation,
    },
    /// A planned note has ended before its end: it was cut, or the player took its key.
    NoteEnded {
        /// Time of the event.
        at: MusicalTime,
        /// MIDI channel and key.
        key: MidiKey,
    },
    /// A planned note that is due was left out.
    Withheld {
        /// Time of the event.
        at: MusicalTime,
        /// The note, as it was planned.
        note: Note,
        /// Reason.
        reason: Withheld,
    },
    /// The musical clock maps to another song position.
    TransportChange {
        /// The epoch that begins.
        epoch: Epoch,
        /// The change of the map from clock to song.
        change: TransportChange,
    },
    /// The plan is invalid, without a jump.
    PlanInvalidated {
        /// The epoch that begins.
        epoch: Epoch,
        /// Time of the event.
        at: MusicalTime,
    },
    /// In Answer, the player has struck a key: planned notes that have not started are dropped, and those that sound end by themselves, at the
    /// latest [`FADE`] later. Sent before every such note-on, whether or not anything was dropped.
    PlanYielded {
        /// The epoch that begins.
        epoch: Epoch,
        /// Time of the event.
        at: MusicalTime,
    },
    /// A trigger parameter was switched on.
    Command {
        /// Time of the event.
        at: MusicalTime,
        /// The command.
        command: Command,
    },
    /// The clock has reached this time. Sent at least once for every tick while it runs, with the current controls.
    TimeReached {
        /// All earlier events have been sent.
        at: MusicalTime,
        /// Quarters per minute.
        tempo: f64,
        /// Loop that the host's song is in or will reach, as far as the host reports it.
        song_loop: Option<SongLoop>,
        /// Current values.
        controls: ControlValues,
    },
    /// Events were lost to a full ring, a bypass or a reset: all keys and pedals count as released.
    InputLost {
        /// End of the loss.
        at: MusicalTime,
    },
}

impl InputEvent {
    /// When it happened, on the unwrapped clock.
    #[must_use]
    pub const fn at(&self) -> MusicalTime {
        match *self {
            Self::NoteOn { at, .. }
            | Self::NoteOff { at, .. }
            | Self::Pedal { at, .. }
            | Self::NoteStarted { at, .. }
            | Self::NoteEnded { at, .. }
            | Self::Withheld { at, .. }
            | Self::PlanInvalidated { at, .. }
            | Self::PlanYielded { at, .. }
            | Self::Command { at, .. }
            | Self::TimeReached { at, .. }
            | Self::InputLost { at } => at,
            Self::TransportChange { change, .. } => change.at,
        }
    }
}

/// An event for the audio thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedEvent {
    /// Play this note at its time. Notes in order of time are cheapest to schedule.
    Note {
        /// The epoch it belongs to.
        epoch: Epoch,
        /// The note.
        note: Note,
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// How it is played. Reports about the note name it as it was planned.
        deviation: Deviation,
    },
    /// Drop notes that start at or after this tick, of those sent before this message.
    Withdraw {
        /// The epoch it belongs to.
        epoch: Epoch,
        /// First tick that is dropped.
        from: Tick,
    },
    /// Start the clock, unless it is running: Play was pressed in the editor while it was stopped.
    StartClock {
        /// The epoch it belongs to.
        epoch: Epoch,
    },
    /// End the planned notes that sound at this tick.
    End {
        /// The epoch it belongs to.
        epoch: Epoch,
        /// Time of the ends.
        at: Tick,
    },
}

impl PlannedEvent {
    /// The epoch it belongs to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        match self {
            Self::Note { epoch, .. } | Self::Withdraw { epoch, .. } | Self::StartClock { epoch } | Self::End { epoch, .. } => *epoch,
        }
    }
}
