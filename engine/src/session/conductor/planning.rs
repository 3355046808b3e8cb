//! Planning ticks: what the engine is asked for, and what it has made.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::decode::Sampling;
use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use crate::plan::{ControlId, Controls, Fingerprint, Mode, MusicalClock, Offer, PlanId, PlanningTick, Request, Setting};
use crate::service::Outcome;

use super::super::composer::Composer;
use super::super::context::Manner;
use super::super::latency::Asked;
use super::super::pace::{Engine, Fault};
use super::Conductor;
use super::playing::Successor;
use crate::session::ControlValues;

/// Plans are made every quarter.
pub(super) const INTERVAL: Tick = Tick(TICKS_PER_QUARTER);
/// General MIDI's percussion channel.
const DRUM_CHANNEL: u8 = 9;

/// The near bar of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) plan: PlanId,
    /// Where its first passage begins.
    pub(super) from: Tick,
    /// When it must be there.
    pub(super) at: Tick,
}

impl<C: Composer> Conductor<C> {
    pub(super) fn planning_tick_after(&self, tick: Tick) -> Option<Tick> {
        self.clock.planning_tick_after(tick, self.pacing.interval(INTERVAL))
    }

    /// A planning tick.
    pub(super) fn plan(&mut self) {
        let Some(controls) = self.controls else { return };
        let now = self.clock.now();
        if controls.mode != Mode::Suggest || now < self.rests_until {
            return;
        }
        self.join(controls);
        let heard = self.heard_before(now);
        let news = self.context.take_in(&self.clock, &heard, self.tempo);
        if !news.is_empty() && self.composer.listen(news) {
            self.jobs += 1;
        }
        if heard.is_empty() {
            return;
        }
        self.scribe.listen(self.player.ending(), self.timeline.adopted(), &self.clock, self.tempo);
        if let Some(start) = self.context.start() {
            self.player.forget_before(start);
            self.sounded.forget_before(start);
            self.withheld.retain(|withheld| withheld.note.onset >= start);
        }
        self.rejected.retain(|passage| passage.until > now);
        let Some(next) = self.planning_tick_after(now) else { return };
        let horizon = horizon(&self.clock, self.pacing.horizon(controls.horizon_bars));
        let plays = self.timeline.playing().is_some();
        let settings = settings(&controls);
        let tick = PlanningTick { now, next, horizon, heard: &heard, context: Fingerprint::of(&heard), controls: &settings };
        // One that is not due yet makes way for what is asked for now.
        self.withdraw_successor();
        let requests = self.timeline.request_at(tick);
        self.stats.kept += u64::from(!requests.iter().any(|request| matches!(request, Request::Replan(_))));
        self.successor = requests.iter().find_map(|request| match request {
            Request::Replan(brief) if plays && brief.start == next && self.timeline.playing().is_some_and(|plan| plan.brief.end > next) => {
                Some(Successor { plan: brief.plan, start: next, announced: false, awaited: false })
            }
            _ => None,
        });
        self.wait_for_next();
        let manner = Manner {
            role: controls.output_role.unwrap_or_else(|| self.input_role(self.channel)),
            sampling: Sampling::from_adventurousness(controls.adventurousness),
            tempo: self.tempo,
            rejected: &self.rejected,
        };
        let assignments = self.context.assignments(&requests, &self.timeline, &self.clock, &heard, &manner);
        if assignments.is_empty() {
            return;
        }
        let within = Duration::from_secs_f64((next - now).0 as f64 / TICKS_PER_QUARTER as f64 * 60.0 / self.tempo);
        // While the model is being loaded, lateness says nothing of the machine; nor right after the ticks have thinned out.
        let counts = self.engine == Engine::Ready && next - now >= self.pacing.interval(INTERVAL).min(self.clock.open_bar().length);
        let due = assignments.last().filter(|_| counts);
        self.due = due.map(|last| Due { plan: last.brief.plan, from: last.brief.start, at: next });
        if self.composer.play(assignments, within) {
            self.asked = Asked::at(now, &requests);
            self.jobs += 1;
        }
    }

    /// The composer is told who plays.
    fn join(&mut self, controls: ControlValues) {
        let input = self.input_role(self.channel);
        let ensemble = BTreeSet::from([input, controls.output_role.unwrap_or(input)]);
        if ensemble != self.ensemble {
            self.composer.gather(&ensemble);
            self.ensemble = ensemble;
            self.jobs = 0;
            self.context.tell_again();
        }
    }

    /// Takes in what the engine has made, and how its jobs ended; says whether anything has.
    pub(super) fn collect(&mut self) -> bool {
        let mut has_news = false;
        while let Some(outcome) = self.composer.outcome() {
            has_news = true;
            self.attendance.deliver();
            self.jobs = self.jobs.saturating_sub(1);
            match outcome {
                Outcome::Finished => self.engine = Engine::Ready,
                Outcome::Failed(failure) => {
                    self.engine = Engine::Failed(Fault::from(&failure));
                    self.rests_until = self.clock.next_bar_line();
                    self.context.tell_again();
                }
                Outcome::Replaced | Outcome::Cancelled => {}
            }
        }
        // The song went on elsewhere before the model was there: it is wanted all the same.
        if self.engine == Engine::Loading && self.jobs == 0 && self.composer.listen(Vec::new()) {
            self.jobs += 1;
        }
        while let Some(passage) = self.composer.passage() {
            self.attendance.deliver();
            if let Some(asked) = &mut self.asked {
                asked.receive(&passage, Instant::now());
            }
            if self.due.take_if(|due| (due.plan, due.from) == (passage.plan, passage.from)).is_some() {
                self.stats.on_time += 1;
                self.pacing.keep();
            }
            if self.timeline.offer(&passage) == Offer::Taken {
                self.engine = Engine::Ready;
                for plan in
                    [self.timeline.playing(), self.timeline.adopted()].into_iter().flatten().filter(|plan| plan.id() == passage.plan)
                {
                    self.scribe.grow(plan);
                }
                self.announce(passage.plan, &passage.notes);
            }
            has_news = true;
        }
        has_news
    }

    /// All that was heard before a tick, in order of time: the player, and what played.
    pub(super) fn heard_before(&self, tick: Tick) -> Vec<Note> {
        let mut notes: Vec<Note> = self.player.notes().chain(self.sounded.notes()).filter(|note| note.onset < tick).collect();
        notes.sort_by_key(Note::order);
        notes
    }

    /// What the player plays; found out by the channel where it is not said.
    pub(super) fn input_role(&self, channel: u8) -> Role {
        let found = if channel == DRUM_CHANNEL { Role::Drums } else { Role::Keys };
        self.controls.and_then(|controls| controls.input_role).unwrap_or(found)
    }
}

/// The end of the last bar of a horizon of so many bars, from the next bar line on.
fn horizon(clock: &MusicalClock, bars: u8) -> Tick {
    (0..bars).fold(clock.next_bar_line(), |line, _| clock.bar_at(line).map_or(line, |bar| bar.end()))
}

/// The controls that a plan is made from.
fn settings(controls: &ControlValues) -> Controls {
    let role = |role: Option<Role>| role.map_or(0.0, |role| f32::from(role.class() + 1) / 16.0);
    let settings = [
        (ControlId::ADVENTUROUSNESS, controls.adventurousness),
        (ControlId::INPUT_ROLE, role(controls.input_role)),
        (ControlId::OUTPUT_ROLE, role(controls.output_role)),
    ];
    Controls(settings.map(|(parameter, value)| Setting { parameter, value }).into())
}
