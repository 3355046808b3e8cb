//! Problems with the host's transport information, for the status line. The plug-in continues with fallbacks.

use crate::clock::{HostTime, Position};

/// Something the host does not report, or reports wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HostIssue {
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
    UnsteadyPosition,
    /// The reported bar positions cannot be bar lines.
    BarLines,
}

impl HostIssue {
    /// All issues.
    pub const ALL: [Self; 7] =
        [Self::SampleRate, Self::Transport, Self::Tempo, Self::Metre, Self::Position, Self::UnsteadyPosition, Self::BarLines];

    /// The message shown to the player.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::SampleRate => "The host gives no valid sample rate, so nothing can be planned. Choose one in its audio settings",
            Self::Transport => "The host provides no transport: bars are counted from your first note",
            Self::Tempo => "The host gives no valid tempo: the last one stays",
            Self::Metre => "The host gives no valid time signature: the last one stays",
            Self::Position => "The host gives no song position: bars are counted from where it started",
            Self::UnsteadyPosition => {
                "The host's position jumps with every block, so no plan can start. Check for a loop that is too short"
            }
            Self::BarLines => "The host's bar positions do not fit its time signature: bars are counted from its last change",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The issues of one block, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostIssues(u8);

impl HostIssues {
    /// The issues of a block. `jumps` is whether the position keeps jumping.
    ///
    /// ```
    /// use antiphon_plugin::clock::{HostTime, Position};
    /// use antiphon_plugin::host_issues::{HostIssue, HostIssues};
    ///
    /// let stopped =
    ///     HostTime { playing: false, tempo: None, metre: None, position: Position::Unknown, bar_line: None, cycle: None };
    /// assert_eq!(HostIssues::of(&stopped, true, false).iter().collect::<Vec<_>>(), [HostIssue::Transport]);
    /// // A stopped transport with a tempo need not report anything else.
    /// let with_tempo = HostTime { tempo: Some(90.0), ..stopped };
    /// assert_eq!(HostIssues::of(&with_tempo, true, false).iter().count(), 0);
    /// ```
    #[must_use]
    pub fn of(host: &HostTime, has_sample_rate: bool, jumps: bool) -> Self {
        let applies = |issue| match issue {
            HostIssue::SampleRate => !has_sample_rate,
            HostIssue::Transport => !host.playing && host.tempo.is_none() && host.position == Position::Unknown,
            HostIssue::Tempo => host.playing && host.tempo.is_none(),
            HostIssue::Metre => host.playing && host.metre.is_none(),
            HostIssue::Position => host.playing && host.position == Position::Unknown,
            HostIssue::UnsteadyPosition => jumps,
            // Found by the clock, see [`with`](Self::with).
            HostIssue::BarLines => false,
        };
        Self(HostIssue::ALL.into_iter().filter(|issue| applies(*issue)).fold(0, |bits, issue| bits | issue.bit()))
    }

    /// Adds an issue.
    #[must_use]
    pub const fn with(self, issue: HostIssue) -> Self {
        Self(self.0 | issue.bit())
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
    pub fn iter(self) -> impl Iterator<Item = HostIssue> {
        HostIssue::ALL.into_iter().filter(move |issue| self.0 & issue.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Metre;

    use super::*;

    #[test]
    fn issues_are_exactly_what_the_host_does_not_report() {
        let all = HostTime {
            playing: true,
            tempo: Some(120.0),
            metre: Some(Metre::COMMON),
            position: Position::Musical(0.0),
            bar_line: None,
            cycle: None,
        };
        let issues_of = |host, rate, jumps| HostIssues::from_bits(HostIssues::of(&host, rate, jumps).bits()).iter().collect::<Vec<_>>();
        assert_eq!(issues_of(all, true, false), []);
        assert_eq!(issues_of(all, false, true), [HostIssue::SampleRate, HostIssue::UnsteadyPosition]);
        let nothing = HostTime { tempo: None, metre: None, position: Position::Unknown, ..all };
        assert_eq!(issues_of(nothing, true, false), [HostIssue::Tempo, HostIssue::Metre, HostIssue::Position]);
        assert_eq!(issues_of(HostTime { playing: false, ..nothing }, true, false), [HostIssue::Transport]);
        let lines = HostIssues::of(&all, true, false).with(HostIssue::BarLines);
        assert_eq!(lines.iter().collect::<Vec<_>>(), [HostIssue::BarLines]);
        // A stopped transport need not report a position.
        assert_eq!(issues_of(HostTime { playing: false, tempo: Some(90.0), ..nothing }, true, false), []);
    }
}
