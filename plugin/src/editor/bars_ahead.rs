//! *Bars ahead* in the modes that plan something else than its bars: the value that counts, and why.

use antiphon_engine::plan::PlayMode;

use super::play_time::PlayTime;
use super::words::count;

/// What stands in place of the slider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InForce {
    /// Bars that are planned from the next bar line on.
    bars: u8,
    /// What sets them, in few words.
    pub(super) why: &'static str,
    /// The same as a sentence.
    pub(super) tip: &'static str,
}

impl InForce {
    /// `None` where the control counts: also after Stop, when the mode plays no more by itself.
    pub(super) fn of(time: PlayTime<'_>) -> Option<Self> {
        let (why, tip) = match time.values.plan.mode {
            _ if time.snapshot.is_stopped => return None,
            PlayMode::Accompany => (
                "set by Accompany",
                "Accompany makes a new plan on every beat, to the end of the next bar, and never farther; Bars ahead counts in the other modes.",
            ),
            PlayMode::Infill => {
                ("the marked bars", "Infill plans the bars that you marked, and no others; Bars ahead counts in the other modes.")
            }
            PlayMode::Suggest | PlayMode::Answer | PlayMode::Trade => return None,
        };
        Some(Self { bars: time.values.bars_in_turn(), why, tip })
    }

    /// "2 bars".
    pub(super) fn text(self) -> String {
        count(self.bars.into(), "bar")
    }

    /// Bars ahead of the playhead that the roll has room for: of the song, which Infill shows, as many as the control says.
    pub(super) fn bars_in_view(time: PlayTime<'_>) -> u8 {
        match Self::of(time) {
            Some(shown) if time.values.plan.mode == PlayMode::Accompany => shown.bars,
            _ => time.values.plan.bars(),
        }
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::plan::InfillRange;
    use antiphon_engine::session::Snapshot;

    use super::*;
    use crate::clock::{Motion, MusicalTime};
    use crate::editor::model::Now;
    use crate::params::AntiphonParams;

    #[test]
    fn bars_that_count_are_those_that_the_mode_plans() {
        let now = Now { playhead: MusicalTime(0.0), tempo: 120.0, motion: Motion::Host };
        let said = |mode, is_stopped| {
            let mut values = AntiphonParams::new(true).controls();
            (values.plan.mode, values.turns.infill) = (mode, InfillRange { from: 12, bars: 2 });
            let snapshot = Snapshot { is_stopped, ..Snapshot::default() };
            let time = PlayTime { snapshot: &snapshot, now: &now, values: &values, is_recalled: false };
            (InForce::of(time).map(|shown| (shown.text(), shown.why)), InForce::bars_in_view(time))
        };
        for mode in [PlayMode::Suggest, PlayMode::Answer, PlayMode::Trade] {
            assert_eq!(said(mode, false), (None, 4), "{mode:?}");
        }
        assert_eq!(said(PlayMode::Accompany, false), (Some(("1 bar".into(), "set by Accompany")), 1));
        assert_eq!(said(PlayMode::Accompany, true), (None, 4), "it plans on, but plays nothing");
        assert_eq!(said(PlayMode::Infill, false), (Some(("2 bars".into(), "the marked bars")), 4));
    }
}
