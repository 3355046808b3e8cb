//! Problems with the host's transport information, for the status line. The plug-in continues with fallbacks.

use crate::clock::{HostTime, Position};

/// Something the host does not report, or reports wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Lack {
    /// Sample rate missing or invalid: the clock is stopped.
    SampleRate,
    /// Neither tempo nor position, and the transport is not rolling: there may be no transport.
    Transport,
    /// Rolling without a tempo, or with an invalid one.
    Tempo,
    /// Rolling without a metre, or with an invalid one.
    Metre,
    /// Rolling without a position, or at an invalid one.
    Position,
    /// The position jumps with every block.
    Steadiness,
    /// The reported bar positions cannot be bar lines.
    BarLines,
}

impl Lack {
    /// All issues.
    pub const ALL: [Self; 7] =
        [Self::SampleRate, Self::Transport, Self::Tempo, Self::Metre, Self::Position, Self::Steadiness, Self::BarLines];

    /// The message shown to the player.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SampleRate => "The host gives no sample rate: nothing can be planned. Choose one in its audio settings",
            Self::Transport => "The host tells no time: Antiphon keeps its own from your first note on",
            Self::Tempo => "The host gives no tempo that can be played: the last one goes on",
            Self::Metre => "The host gives no time signature that can be played: the last one goes on",
            Self::Position => "The host gives no position: bars are counted from where it started",
            Self::Steadiness => "The host's position jumps with every block: no plan can stand. Look for a loop that is too short",
            Self::BarLines => "The host's bar positions do not fit its time signature: bars are counted from the last change of it",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The issues of one block, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lacks(u8);

impl Lacks {
    /// The issues of a block. `jumps` is whether the position keeps jumping.
    #[must_use]
    pub fn of(host: &HostTime, has_sample_rate: bool, jumps: bool) -> Self {
        let owes = |lack| match lack {
            Lack::SampleRate => !has_sample_rate,
            Lack::Transport => !host.playing && host.tempo.is_none() && host.position == Position::Unknown,
            Lack::Tempo => host.playing && host.tempo.is_none(),
            Lack::Metre => host.playing && host.metre.is_none(),
            Lack::Position => host.playing && host.position == Position::Unknown,
            Lack::Steadiness => jumps,
            // Found by the clock, see [`with`](Self::with).
            Lack::BarLines => false,
        };
        Self(Lack::ALL.into_iter().filter(|lack| owes(*lack)).fold(0, |bits, lack| bits | lack.bit()))
    }

    /// Adds an issue.
    #[must_use]
    pub const fn with(self, lack: Lack) -> Self {
        Self(self.0 | lack.bit())
    }

    /// The set as a number, to be stored in an atomic.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The inverse of [`bits`](Self::bits).
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Iterates over the issues.
    pub fn iter(self) -> impl Iterator<Item = Lack> {
        Lack::ALL.into_iter().filter(move |lack| self.0 & lack.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Metre;

    use super::*;

    #[test]
    fn what_is_not_said_is_owed_and_nothing_else() {
        let all = HostTime {
            playing: true,
            tempo: Some(120.0),
            metre: Some(Metre::COMMON),
            position: Position::Musical(0.0),
            bar_line: None,
            cycle: None,
        };
        let owed = |host, rate, jumps| Lacks::from_bits(Lacks::of(&host, rate, jumps).bits()).iter().collect::<Vec<_>>();
        assert_eq!(owed(all, true, false), []);
        assert_eq!(owed(all, false, true), [Lack::SampleRate, Lack::Steadiness]);
        let nothing = HostTime { tempo: None, metre: None, position: Position::Unknown, ..all };
        assert_eq!(owed(nothing, true, false), [Lack::Tempo, Lack::Metre, Lack::Position]);
        assert_eq!(owed(HostTime { playing: false, ..nothing }, true, false), [Lack::Transport]);
        let lines = Lacks::of(&all, true, false).with(Lack::BarLines);
        assert_eq!(lines.iter().collect::<Vec<_>>(), [Lack::BarLines]);
        // A stopped transport need not report a position.
        assert_eq!(owed(HostTime { playing: false, tempo: Some(90.0), ..nothing }, true, false), []);
    }
}
