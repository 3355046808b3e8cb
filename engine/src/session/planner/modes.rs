//! Modes in which Antiphon plays by itself: their state, and the execution of what they decide.

use crate::music::Tick;
use crate::plan::{Answer, MusicalClock, MusicalTime, Plan, PlayMode, Side, Trade, TradeBars, Turn};

use super::super::worker::Worker;
use super::Planner;
use super::infill::marked_from;
use super::playback::{Handover, PlayRequest, Successor};
use crate::session::protocol::{Epoch, FADE};
use crate::session::snapshot::ShownTurn;

/// State of each mode that plays by itself. Restarts with a transport change or a change of mode.
#[derive(Debug)]
pub(super) struct Modes {
    pub(super) answer: Answer,
    pub(super) trade: Trade,
    /// Whether Stop or Panic was pressed, and Play was not since.
    pub(super) is_stopped: bool,
}

impl Modes {
    /// Modes that begin now.
    pub(super) fn at(clock: &MusicalClock, trade_bars: TradeBars) -> Self {
        Self { answer: Answer::default(), trade: Trade::from_bar(clock.open_bar(), clock.now(), trade_bars), is_stopped: false }
    }
}

/// How the mode has Antiphon play, from the next planning tick on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnTurn {
    /// One phrase, which plays to its end; nothing of it sounds long after this tick.
    Phrase {
        /// `None` for no limit.
        end: Option<Tick>,
    },
    /// Along with the player: at every planning tick a new plan takes the place of the one before.
    Along,
}

impl OwnTurn {
    /// Tick by which the turn is over.
    pub(super) const fn end(self) -> Option<Tick> {
        match self {
            Self::Phrase { end } => end,
            Self::Along => None,
        }
    }
}

impl<W: Worker> Planner<W> {
    /// The current mode.
    pub(super) fn mode(&self) -> PlayMode {
        self.input.controls.unwrap_or_default().plan.mode
    }

    /// Restarts the modes now.
    pub(super) fn restart_modes(&mut self) {
        let trade_bars = self.input.controls.unwrap_or_default().turns.trade_bars;
        self.modes = Modes::at(&self.input.clock, trade_bars);
    }

    /// Play, while the clock runs. Nothing but the take plays in Replay. A phrase of the history begins at the next bar line, unless Antiphon plays along; otherwise the mode decides.
    pub(super) fn press_play(&mut self) {
        self.modes.is_stopped = false;
        let is_recalled = self.history.recalled(self.input.line_ahead()).is_some();
        match self.mode() {
            _ if self.take.replays() => self.playback.request = PlayRequest::None,
            PlayMode::Answer if !is_recalled => {
                self.playback.request = PlayRequest::None;
                self.modes.answer.request();
            }
            PlayMode::Trade if !is_recalled => {
                self.playback.request = PlayRequest::None;
                self.request_turn();
            }
            // It plays already.
            PlayMode::Accompany => self.playback.request = PlayRequest::None,
            // It plays by itself in its bars.
            PlayMode::Infill if !is_recalled => self.playback.request = PlayRequest::None,
            _ => {
                self.playback.request = PlayRequest::WhenPlanned;
                self.latch();
            }
        }
    }

    /// Gives Antiphon the turn in Trade from the next bar line that a planning tick precedes, unless it has the turn.
    fn request_turn(&mut self) {
        let clock = &self.input.clock;
        let open = clock.open_bar();
        if self.modes.trade.turn(open.index).side == Side::Antiphon {
            return;
        }
        let is_ahead = self.planning.tick_after(clock, clock.now()).is_some_and(|tick| tick < open.end());
        self.modes.trade.take_over(open.index.saturating_add(if is_ahead { 1 } else { 2 }));
    }

    /// The turn that the mode gives to Antiphon at the `next` planning tick, if it does; none while the take plays, and after Stop.
    pub(super) fn own_turn(&self, next: Tick) -> Option<OwnTurn> {
        let controls = self.input.controls.filter(|_| !self.take.replays() && !self.modes.is_stopped)?;
        match controls.plan.mode {
            PlayMode::Answer => {
                let wait = controls.turns.answer_after.length(self.input.clock.open_bar().metre);
                let takes_over = self.modes.answer.takes_over(self.input.player.silent_since(), next, wait);
                takes_over.then_some(OwnTurn::Phrase { end: None })
            }
            PlayMode::Trade => {
                let (turn, end) = self.trade_turn(next)?;
                (turn.side == Side::Antiphon).then_some(OwnTurn::Phrase { end: Some(end) })
            }
            PlayMode::Accompany => Some(OwnTurn::Along),
            PlayMode::Infill => self.infill_turn(next).map(|end| OwnTurn::Phrase { end: Some(end) }),
            PlayMode::Suggest => None,
        }
    }

    /// The turn of Trade at a tick that is not past, and its end.
    fn trade_turn(&self, tick: Tick) -> Option<(Turn, Tick)> {
        let clock = &self.input.clock;
        let bar = clock.bar_at(tick)?;
        let turn = self.modes.trade.turn(bar.index);
        let bars = std::iter::successors(Some(bar), |bar| clock.bar_at(bar.end()));
        let last = bars.take_while(|bar| i64::from(bar.index) < turn.end).last()?;
        Some((turn, last.end()))
    }

    /// End of the marked bars of Infill, if a tick that is not past lies in them.
    fn infill_turn(&self, tick: Tick) -> Option<Tick> {
        let controls = self.input.controls.filter(|_| self.song.rolls())?;
        let foreseen = self.foreseen();
        let place = foreseen.iter().position(|bar| bar.bar.start <= tick && tick < bar.bar.end())?;
        marked_from(&foreseen[place..], &controls).last().map(|bar| bar.bar.end())
    }

    /// End of the horizon at a planning tick: of the set number of bars, and of Antiphon's turn.
    pub(super) fn horizon(&self, turn: Option<OwnTurn>) -> Tick {
        let controls = self.input.controls.unwrap_or_default();
        let ahead = |bars| horizon(&self.input.clock, self.planning.shedding.horizon(bars));
        match turn {
            Some(turn) => ahead(controls.bars_in_turn()).min(turn.end().unwrap_or(Tick::MAX)),
            None => ahead(controls.plan.bars()),
        }
    }

    /// First tick at which a plan can play that is asked for now: the next planning tick requests it, and the one after that adopts it.
    pub(super) fn joins_at(&self) -> Option<Tick> {
        let Self { planning, input, .. } = self;
        let next = planning.tick_after(&input.clock, input.clock.now()).filter(|_| input.running)?;
        planning.tick_after(&input.clock, next)
    }

    /// The turn of Trade, to be shown; none after Stop.
    pub(super) fn shown_turn(&self) -> Option<ShownTurn> {
        if self.mode() != PlayMode::Trade || !self.input.running || self.modes.is_stopped {
            return None;
        }
        let clock = &self.input.clock;
        let (turn, _) = self.trade_turn(clock.now())?;
        let bar = clock.open_bar();
        let beat = Tick::quarters(4).0 / i64::from(bar.metre.denominator());
        let bars_left = turn.end - i64::from(bar.index) - 1;
        let beats_left = (bar.end() - clock.now()).0.saturating_add(beat - 1).div_euclid(beat.max(1));
        Some(ShownTurn { side: turn.side, bars_left: u32::try_from(bars_left).ok()?, beats_left: u32::try_from(beats_left).ok()? })
    }

    /// Requests a new plan at this planning tick if one begins a turn at the `next`; returns whether it does. Before this tick's requests.
    pub(super) fn begin_turn(&mut self, turn: Option<OwnTurn>, next: Tick) -> bool {
        let timeline = &mut self.planning.timeline;
        match turn {
            Some(OwnTurn::Phrase { .. }) if timeline.is_free_at(next) => timeline.renew_plan(),
            Some(OwnTurn::Along) => timeline.renew_plan_over(),
            _ => return false,
        }
        true
    }

    /// Plays the plan that was requested at this planning tick, from the `next` one on.
    pub(super) fn play_turn(&mut self, turn: Option<OwnTurn>, next: Tick) {
        let timeline = &mut self.planning.timeline;
        let (plan, handover) = match turn {
            Some(OwnTurn::Along) => (timeline.play_over(next), Handover::RingsOn),
            _ => (timeline.play_next(next).map(Plan::id), Handover::Ends),
        };
        let awaited = handover == Handover::Ends;
        if let Some(plan) = plan {
            self.playback.successor = Some(Successor { plan, start: next, announced: false, awaited, handover });
        }
    }

    /// The player has struck a key in Answer: what was sent is dropped by the audio thread, and what sounds ends soon.
    pub(super) fn yield_to_player(&mut self, epoch: Epoch, at: MusicalTime) {
        self.playback.outbox.enter(epoch);
        self.give_way(self.input.planned_time(MusicalTime(at.0 + MusicalTime::from(FADE).0)));
        self.modes.answer.player_plays();
    }

    /// Stop: what was sent is withdrawn, and what sounds ends soon. The plan stays.
    pub(super) fn stop_playing(&mut self) {
        let end = self.input.planned_time((self.input.reached + FADE).into());
        self.playback.outbox.fade(end);
        self.playback.request = PlayRequest::None;
        self.give_way(end);
        self.modes.answer = Answer::default();
        self.modes.is_stopped = true;
    }

    /// Nothing plays any more; planned notes that sound end at this tick at the latest.
    fn give_way(&mut self, by: Tick) {
        self.planning.timeline.stop_playing();
        self.playback.sent = self.input.clock.now();
        self.playback.successor = None;
        self.input.sounded.fade(by);
    }
}

/// End of a horizon of this many bars from the next bar line.
fn horizon(clock: &MusicalClock, bars: u8) -> Tick {
    (0..bars).fold(clock.next_bar_line(), |line, _| clock.bar_at(line).map_or(line, |bar| bar.end()))
}
