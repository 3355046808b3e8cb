//! Session with the real engine.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::Tick;
use antiphon_engine::plan::{MidiKey, Plan, Reason, Step};
use antiphon_engine::session::{CommandSender, Engine, SharedSnapshot, Snapshot};
use nice_plug::midi::NoteEvent;
use nice_plug::params::Params;

use super::super::Session;
use super::{SAMPLES_PER_TICK, set, timed};
use crate::clock::{HostTime, Position};
use crate::meters::{Count, Meters};
use crate::params::AntiphonParams;
use crate::planning_session::{PlanningSession, rings};
use crate::port::scripted::Scripted;
use crate::port::{Event, note_off, note_on};
use crate::realtime::RealTime;

/// Time of Another in samples: a beat into the fifth bar.
const ANOTHER: u32 = (4 * 96 + 24) * SAMPLES_PER_TICK;

/// When the host processes the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// When the session is idle: real time on a machine that keeps up.
    ForRealTime,
    /// At once; the plug-in waits instead.
    Offline,
}

/// An instance and its host, at this block length.
pub(super) struct EngineHost {
    realtime: RealTime,
    pub(super) session: Session,
    meters: Arc<Meters>,
    pub(super) snapshot: Arc<SharedSnapshot>,
    /// The window's end of the channel.
    pub(super) commands: CommandSender,
    pub(super) params: AntiphonParams,
    pub(super) played: u32,
    /// Length in ticks of the loop from the start of the song that the host plays in, if it does; a whole number of blocks.
    pub(super) cycle: Option<u32>,
    frames: u32,
    waits: Waits,
}

impl EngineHost {
    pub(super) fn new(frames: u32, waits: Waits) -> Self {
        assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
        let params = AntiphonParams::new(false);
        let (audio_ports, ports) = rings(Arc::clone(&params.state));
        let (meters, snapshot, commands) = (Arc::clone(&ports.meters), Arc::clone(&ports.snapshot), ports.commands.sender());
        let mut realtime = RealTime::new(audio_ports);
        realtime.set_sample_rate(48_000.0);
        let host =
            Self { realtime, session: Session::spawn(ports), meters, snapshot, commands, params, played: 0, cycle: None, frames, waits };
        set(&host.params, "seed", 0.5);
        host
    }

    /// Processes a block, and waits until the session is idle; returns the output, timed from the start.
    pub(super) fn block(&mut self, playing: bool, player: &[(u32, Event)]) -> Vec<(u32, Event)> {
        let played = self.cycle.map_or(self.played, |ticks| self.played % (ticks * SAMPLES_PER_TICK));
        let position = Position::Musical(f64::from(played) / f64::from(SAMPLES_PER_TICK));
        let cycle = self.cycle.map(|ticks| (0.0, f64::from(ticks)));
        let host = HostTime { playing, tempo: Some(120.0), metre: None, position, bar_line: None, cycle };
        let mut port = Scripted::default();
        let inside = player.iter().filter(|(at, _)| (self.played..self.played + self.frames).contains(at));
        port.inputs = inside.map(|&(at, event)| timed(event, at - self.played)).collect();
        if self.waits == Waits::Offline {
            self.session.wait_for(self.realtime.events_sent());
        }
        self.realtime.process(&self.params, &host, self.frames, &mut port);
        let start = self.played;
        self.played += self.frames;
        if playing && self.waits == Waits::ForRealTime {
            self.settle();
        }
        port.outputs.into_iter().map(|event| (start + event.timing(), timed(event, 0))).collect()
    }

    /// The snapshot.
    pub(super) fn shown(&self) -> Arc<Snapshot> {
        self.snapshot.latest()
    }

    fn settle(&self) {
        let now = self.meters.playhead().tick();
        let status = self.session.status();
        loop {
            let is_settled = {
                let shown = status.lock();
                if let Engine::Failed(reason) = &shown.engine {
                    panic!("{}", reason.what);
                }
                shown.idle && shown.reached == now
            };
            if is_settled {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Two bars of a tune in quavers, a little off the grid.
pub(super) fn tune() -> Vec<(u32, Event)> {
    let scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 55];
    let strike = |(place, pitch): (u32, u8)| {
        let (key, at) = (MidiKey::new(0, pitch).unwrap(), place * 12 * SAMPLES_PER_TICK + 130);
        [(at, note_on(0, key, 90)), (at + 9 * SAMPLES_PER_TICK, note_off(0, key))]
    };
    (0..).zip(scale).flat_map(strike).collect()
}

/// Plays the tune, presses Play, presses Another if `another`, and stops; returns the output without the tune.
fn perform(frames: u32, another: bool, waits: Waits) -> Vec<(u32, Event)> {
    let mut host = EngineHost::new(frames, waits);
    let tune = tune();
    let mut out = Vec::new();
    let bar = 96 * SAMPLES_PER_TICK;
    while host.played < 6 * bar {
        set(&host.params, "play", if host.played >= 2 * bar + 24_000 { 1.0 } else { 0.0 });
        set(&host.params, "another", if another && host.played >= ANOTHER { 1.0 } else { 0.0 });
        out.extend(host.block(true, &tune));
    }
    out.extend(host.block(false, &[]));
    for _ in 0..20 {
        assert_eq!(host.block(false, &[]), [], "something sounds after stop");
    }
    assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| host.meters.count(count)), [0; 3]);
    assert_eq!(host.session.status().lock().plans.late, 0);
    let thru: Vec<_> = tune.iter().filter(|timed| !out.contains(timed)).collect();
    assert!(thru.is_empty(), "{thru:?} did not come through");
    out.retain(|timed| !tune.contains(timed));
    out
}

#[test]
fn output_does_not_depend_on_the_block_length() {
    let (short, long) = (perform(250, true, Waits::ForRealTime), perform(1500, true, Waits::ForRealTime));
    assert_eq!(short, long);
    let strikes = short.iter().filter(|(_, event)| matches!(event, NoteEvent::NoteOn { .. })).count();
    assert!(strikes >= 8, "{strikes} notes sounded");
    assert_eq!(strikes * 2, short.len(), "every on has its off");
    let first = short[0].0 / SAMPLES_PER_TICK;
    assert!(first + 1 >= 3 * 96, "Play waits for the bar line, and does not start at tick {first}");
}

#[test]
fn another_takes_over_at_the_second_planning_tick() {
    let (first, other) = (perform(1000, false, Waits::ForRealTime), perform(1000, true, Waits::ForRealTime));
    let takes_over = ANOTHER + 2 * 24 * SAMPLES_PER_TICK;
    let before = |out: &[(u32, Event)]| out.iter().filter(|(at, _)| *at < takes_over - 24 * SAMPLES_PER_TICK).copied().collect::<Vec<_>>();
    assert_eq!(before(&first), before(&other));
    assert!(!before(&first).is_empty());
    assert_ne!(first, other);
}

#[test]
fn same_plan_plays_at_whichever_beat_of_the_bar_play_is_pressed() {
    let bar = 96 * SAMPLES_PER_TICK;
    let pressed_at = |beat: u32| {
        let mut host = EngineHost::new(1000, Waits::ForRealTime);
        let (tune, pressed) = (tune(), 2 * bar + (24 * beat + 2) * SAMPLES_PER_TICK);
        let mut out = Vec::new();
        while host.played < 6 * bar {
            set(&host.params, "play", if host.played >= pressed { 1.0 } else { 0.0 });
            out.extend(host.block(true, &tune));
        }
        out.retain(|timed| !tune.contains(timed));
        out
    };
    let first = pressed_at(0);
    assert!(first.len() >= 16, "{} messages", first.len());
    for beat in 1..4 {
        assert_eq!(pressed_at(beat), first, "pressed on beat {beat}");
    }
}

/// A new seed alone does not change a repetitive phrase: plans are rejected by the keys that they strike.
#[test]
fn others_of_repetitive_music_differ_from_each_other() {
    let bar = 96 * SAMPLES_PER_TICK;
    let mut host = EngineHost::new(1000, Waits::ForRealTime);
    set(&host.params, "adventurousness", 0.0);
    // Four bars of four crotchets, three times over.
    let strike = |(place, pitch): (u32, u8)| {
        let (key, at) = (MidiKey::new(0, pitch).unwrap(), place * 24 * SAMPLES_PER_TICK + 130);
        [(at, note_on(0, key, 90)), (at + 20 * SAMPLES_PER_TICK, note_off(0, key))]
    };
    let phrase = [60, 62, 64, 67, 67, 65, 64, 62, 57, 60, 64, 62, 59, 62, 67, 65].repeat(3);
    let tune: Vec<_> = (0..).zip(phrase).flat_map(strike).collect();
    while host.played < 12 * bar {
        host.block(true, &tune);
    }
    // Four times, two beats apart: the plan requested has arrived by then.
    while host.played < 14 * bar + bar / 4 {
        let half_beat = (host.played - 12 * bar) * 8 / bar;
        set(&host.params, "another", if half_beat < 16 && half_beat % 4 == 1 { 1.0 } else { 0.0 });
        host.block(true, &[]);
    }
    let history = host.params.state.history();
    let rejected: Vec<_> =
        history.entries().iter().filter(|entry| entry.reason() == Reason::Rerolled).map(|entry| entry.plan().clone()).collect();
    assert_eq!(rejected.len(), 4);
    for (index, later) in rejected.iter().enumerate() {
        // From the later start to the end of a bar that all plans reach.
        let struck =
            |plan: &Plan| plan.between(later.brief.start, Tick(15 * 96)).iter().map(|note| (note.onset, note.pitch)).collect::<Vec<_>>();
        assert!(!struck(later).is_empty());
        for earlier in &rejected[..index] {
            assert_ne!(struck(earlier), struck(later), "{:?} and {:?}", earlier.id(), later.id());
        }
    }
}

/// The same in Infill: bar 3 of a loop of four bars is filled, and Another fills it otherwise in the next pass.
#[test]
fn another_fills_a_repetitive_loop_in_another_way() {
    let bar = 96 * SAMPLES_PER_TICK;
    let mut host = EngineHost::new(1000, Waits::ForRealTime);
    host.cycle = Some(4 * 96);
    for (parameter, value) in [("mode", 1.0), ("adventurousness", 0.0), ("infill_from", 2.0 / 998.0), ("infill_bars", 0.0)] {
        set(&host.params, parameter, value);
    }
    // A figure of one bar, but for bar 3.
    let strike = |(place, pitch): (u32, u8)| {
        let (key, at) = (MidiKey::new(0, pitch).unwrap(), place * 24 * SAMPLES_PER_TICK + 130);
        [(at, note_on(0, key, 90)), (at + 20 * SAMPLES_PER_TICK, note_off(0, key))]
    };
    let figure = (0..20 * 4).filter(|place| place / 4 % 4 != 2).map(|place| (place, [60, 64, 67, 64][place as usize % 4]));
    let tune: Vec<_> = figure.flat_map(strike).collect();
    // Of the fill of each pass, onsets in ticks from its bar line, and keys.
    let mut fills = vec![Vec::new(); 5];
    while host.played < 20 * bar {
        // In the last bar of the third pass.
        set(&host.params, "another", if host.played / bar == 11 { 1.0 } else { 0.0 });
        for (at, event) in host.block(true, &tune) {
            if let (NoteEvent::NoteOn { key, .. }, false) = (event, tune.contains(&(at, event))) {
                fills[(at / bar / 4) as usize].push((at % bar / SAMPLES_PER_TICK, key.number_or_middle_c()));
            }
        }
    }
    assert!(fills.iter().all(|fill| !fill.is_empty()), "{fills:?}");
    assert!(fills[1] == fills[2] && fills[2] != fills[3] && fills[3] == fills[4], "{fills:?}");
    assert_eq!(host.meters.count(Count::Late), 0);
}

#[test]
fn offline_render_equals_real_time() {
    let live = perform(1000, true, Waits::ForRealTime);
    assert!(live.len() >= 16, "{} messages", live.len());
    for frames in [250, 1000] {
        assert_eq!(perform(frames, true, Waits::Offline), live, "in blocks of {frames}");
    }
}

#[test]
fn play_after_a_silence_begins_with_a_bar_that_sounds() {
    let bar = 96 * SAMPLES_PER_TICK;
    for pause in [1, 3, 8] {
        let mut host = EngineHost::new(1000, Waits::ForRealTime);
        set(&host.params, "horizon", 0.0);
        let (tune, pressed) = (tune(), (2 + pause) * bar + 24_000);
        let mut out = Vec::new();
        while host.played < (5 + pause) * bar {
            set(&host.params, "play", if host.played >= pressed { 1.0 } else { 0.0 });
            out.extend(host.block(true, &tune));
        }
        let strikes = out.iter().filter(|(at, event)| *at > 2 * bar && matches!(event, NoteEvent::NoteOn { .. }));
        let first = strikes.map(|(at, _)| *at / bar).next();
        // A note may be played up to half a tick before its bar line.
        assert!(first.is_some_and(|first| (2 + pause..=3 + pause).contains(&first)), "after {pause} bars of silence: in bar {first:?}");
    }
}

#[test]
fn kept_plan_is_played_again_after_reopening() {
    let bar = 96 * SAMPLES_PER_TICK;
    let mut host = EngineHost::new(1000, Waits::ForRealTime);
    let tune = tune();
    while host.played < 4 * bar {
        set(&host.params, "keep", if host.played >= 2 * bar + 24_000 { 1.0 } else { 0.0 });
        host.block(true, &tune);
    }
    let kept = host.params.state.history().entries().iter().find(|entry| entry.is_starred()).unwrap().clone();
    assert!(kept.plan().notes().len() >= 4, "{kept:?}");

    let mut reopened = EngineHost::new(1000, Waits::ForRealTime);
    reopened.params.deserialize_fields(&host.params.serialize_fields());
    let count = reopened.params.state.history().entries().len();
    while reopened.params.state.history().recalled().is_none_or(|entry| !entry.is_starred()) {
        assert!(reopened.params.state.edit(|history| history.step(Step::Older, None)));
    }
    let mut out = Vec::new();
    while reopened.played < 9 * bar {
        set(&reopened.params, "play", if reopened.played >= 24_000 { 1.0 } else { 0.0 });
        out.extend(reopened.block(true, &[]));
    }
    // It is put on the bar line after Play, and keeps its position within the bar.
    let sample = |tick: Tick, offset: i8| u32::try_from((96 + (tick - kept.place().line).0) * 1000 + i64::from(offset) * 125).unwrap();
    let struck: Vec<_> = out.iter().filter(|(_, event)| matches!(event, NoteEvent::NoteOn { .. })).copied().collect();
    let expected: Vec<_> = kept
        .plan()
        .notes()
        .iter()
        .map(|note| (sample(note.onset, note.offset), note_on(0, MidiKey::new(0, note.pitch).unwrap(), note.velocity)))
        .collect();
    assert_eq!(sorted(struck), sorted(expected));
    assert!(reopened.params.state.history().recalled().is_none(), "playing a recalled plan ends the recall");
    assert_eq!(reopened.params.state.history().entries().len(), count, "it has an entry already");
}

/// In order of time and key: notes of one sample have none of their own.
fn sorted(mut timed: Vec<(u32, Event)>) -> Vec<(u32, Event)> {
    let key = |event: &Event| if let NoteEvent::NoteOn { key, .. } = event { key.number() } else { None };
    timed.sort_by_key(|(sample, event)| (*sample, key(event)));
    timed
}
