//! What the mode does, in sentences, with bars and beats.

use std::collections::BTreeSet;

use antiphon_engine::music::{Role, TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{AnswerAfter, PlayMode, Side};
use antiphon_engine::session::{ShownBar, ShownTurn, Snapshot};

use super::PlayTime;
use crate::editor::infill;
use crate::editor::swap::Swap;
use crate::editor::words::count;

impl PlayTime<'_> {
    /// What the mode does, in a sentence: who plays now, or what makes Antiphon play.
    pub(in crate::editor) fn sentence(&self) -> String {
        let plays = self.is_playing();
        if let Some(swap) = self.swap() {
            let Swap { from, to, at, plan } = swap;
            let end = plan.map_or_else(String::new, |_| format!(" and plays to {}", self.end()));
            let new = if from == to { "A new " } else { "" };
            return format!("{new}{} starts at {}{end}; until then {} plays", to.name(), place(self.snapshot, at), from.name());
        }
        match self.mode() {
            _ if self.is_recalled && !plays => format!("Play starts this phrase{}", self.starts_at()),
            PlayMode::Suggest if self.is_pending() => {
                let from = self.begins_at().unwrap_or_default();
                format!("Antiphon begins at {} and plays to {}", place(self.snapshot, from), self.end())
            }
            PlayMode::Suggest if plays && self.snapshot.play_from.is_some_and(|from| self.is_ahead(from)) => {
                format!("Antiphon plays to {}, and then on", self.end())
            }
            PlayMode::Suggest if plays => format!("Antiphon plays to {}", self.end()),
            PlayMode::Suggest if !self.snapshot.locks.is_empty() => {
                "Antiphon plays when you press Play; Another leaves what is locked".into()
            }
            PlayMode::Suggest => "Antiphon plays when you press Play".into(),
            mode if self.snapshot.is_stopped => {
                let at = self.snapshot.joins_at.map_or_else(String::new, |at| format!(" at {}", place(self.snapshot, at)));
                let then = match mode {
                    PlayMode::Answer => format!("answers{at}"),
                    PlayMode::Accompany => format!("joins in{at}"),
                    PlayMode::Infill => format!("fills {}", infill::name(self.values.turns.infill)),
                    PlayMode::Suggest | PlayMode::Trade => "takes its turns".into(),
                };
                format!("Antiphon is silent until you press Play, and then {then}")
            }
            PlayMode::Answer if plays => format!("Antiphon answers to {}, or until you play", self.end()),
            PlayMode::Answer => {
                let pause = match self.values.turns.answer_after {
                    AnswerAfter::Beat => "1 beat",
                    AnswerAfter::TwoBeats => "2 beats",
                    AnswerAfter::Bar => "1 bar",
                    AnswerAfter::TwoBars => "2 bars",
                };
                format!("Antiphon answers when you pause for {pause}")
            }
            PlayMode::Trade => match &self.snapshot.turn {
                Some(turn) if turn.side == Side::Antiphon => {
                    format!("Antiphon's turn to the end of bar {}, then yours", self.last_of_turn(turn))
                }
                Some(turn) => format!("Your turn to the end of bar {}, then Antiphon's", self.last_of_turn(turn)),
                None => {
                    let bars = count(self.values.turns.trade_bars.count().into(), "bar");
                    format!("You have {bars}, then Antiphon {bars}")
                }
            },
            PlayMode::Accompany => match self.planned_roles().split_last() {
                None => "Antiphon plays along with you until you pause for 4 bars".into(),
                Some((last, [])) => format!("Antiphon plays {last} along with you until you pause for 4 bars"),
                Some((last, others)) => {
                    format!("Antiphon plays {} and {last} along with you until you pause for 4 bars", others.join(", "))
                }
            },
            PlayMode::Infill => {
                let bars = infill::name(self.values.turns.infill);
                let when = self.beats_left().filter(|_| self.fill_from().is_some());
                let when = when.map_or_else(String::new, |beats| format!(" in {}", counted(beats)));
                format!("Antiphon fills {bars} of the song{when}, on top of what your track plays there")
            }
        }
    }

    /// What starts the clock, while it stands and there is a plan.
    pub(in crate::editor) fn standing(&self) -> &'static str {
        match self.mode() {
            PlayMode::Accompany if !self.is_recalled => {
                "The transport stands: play some notes or press Play, and Antiphon joins in within two beats"
            }
            _ => "The transport stands: play some notes, or press Play, which starts a clock of Antiphon's own",
        }
    }

    /// Where Play would start the phrase that is shown: " at bar 16". Empty while the transport stands, since it starts with Play.
    pub(in crate::editor) fn starts_at(&self) -> String {
        let from = self.flags().starts.map(|(from, _)| place(self.snapshot, from));
        from.map_or_else(String::new, |from| format!(" at {from}"))
    }

    /// Where the plan ends, in words.
    fn end(&self) -> String {
        let end = self.snapshot.plan.as_ref().map_or(Tick(1), |shown| shown.plan.brief.end);
        let ShownBar { bar, number } = self.snapshot.bar_at(end - Tick(1));
        if bar.end() == end { format!("the end of bar {number}") } else { place(self.snapshot, end) }
    }

    /// Number of the bar in which the current turn of Trade ends.
    fn last_of_turn(&self, turn: &ShownTurn) -> i64 {
        let bars = self.snapshot.bars_between(self.now.playhead.tick(), Tick::MAX);
        bars.map(|shown| shown.number).nth(usize::try_from(turn.bars_left).unwrap_or(usize::MAX)).unwrap_or_default()
    }

    /// Names of the roles in the plan.
    fn planned_roles(&self) -> Vec<&'static str> {
        let notes = self.snapshot.plan.iter().flat_map(|shown| shown.plan.notes());
        let roles: BTreeSet<Role> = notes.map(|note| note.role).collect();
        roles.into_iter().map(Role::name).collect()
    }
}

/// "1 beat", "7 beats".
pub(super) fn counted(beats: u32) -> String {
    count(usize::try_from(beats).unwrap_or(usize::MAX), "beat")
}

/// "bar 12", or "bar 12, beat 3" within it.
pub(in crate::editor) fn place(snapshot: &Snapshot, tick: Tick) -> String {
    let ShownBar { bar, number } = snapshot.bar_at(tick);
    let beat = TICKS_PER_QUARTER * 4 / i64::from(bar.metre.denominator());
    match (tick - bar.start).0 / beat {
        0 => format!("bar {number}"),
        beats => format!("bar {number}, beat {}", beats + 1),
    }
}
