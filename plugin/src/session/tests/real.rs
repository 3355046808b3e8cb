//! With the real engine.

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::plan::Key;
use nice_plug::midi::NoteEvent;

use super::super::*;
use super::{SAMPLES_PER_TICK, set, timed};
use crate::clock::{HostTime, Position};
use crate::meters::{Count, Meters};
use crate::musician::rings;
use crate::params::AntiphonParams;
use crate::port::scripted::Scripted;
use crate::port::{Event, note_off, note_on};
use crate::realtime::RealTime;

/// When another is asked for, in samples: a beat into the fifth bar.
const ANOTHER: u32 = (4 * 96 + 24) * SAMPLES_PER_TICK;

/// How a host goes on to the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// When the session has nothing left to do: real time on a machine that keeps up.
    ForRealTime,
    /// At once; it is the plug-in that waits.
    Offline,
}

/// An instance and its host, at this block length.
struct Desk {
    realtime: RealTime,
    session: Session,
    meters: Arc<Meters>,
    params: AntiphonParams,
    played: u32,
    frames: u32,
    waits: Waits,
}

impl Desk {
    fn new(frames: u32, waits: Waits) -> Self {
        assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
        let (ends, seat) = rings();
        let meters = Arc::clone(&seat.meters);
        let mut realtime = RealTime::new(ends);
        realtime.set_sample_rate(48_000.0);
        let desk = Self { realtime, session: Session::sit(seat), meters, params: AntiphonParams::new(false), played: 0, frames, waits };
        set(&desk.params, "seed", 0.5);
        desk
    }

    /// A block, and then a wait until the session has nothing left to do; what came out, timed from the start.
    fn block(&mut self, playing: bool, player: &[(u32, Event)]) -> Vec<(u32, Event)> {
        let ticks = f64::from(self.played) / f64::from(SAMPLES_PER_TICK);
        let position = Position::Musical(ticks);
        let host = HostTime { playing, tempo: Some(120.0), metre: None, position, bar_line: None, cycle: None };
        let mut port = Scripted::default();
        let inside = player.iter().filter(|(at, _)| (self.played..self.played + self.frames).contains(at));
        port.inputs = inside.map(|&(at, event)| timed(event, at - self.played)).collect();
        if self.waits == Waits::Offline {
            self.session.attend(self.realtime.told());
        }
        self.realtime.process(&self.params, &host, self.frames, &mut port);
        let start = self.played;
        self.played += self.frames;
        if playing && self.waits == Waits::ForRealTime {
            self.settle();
        }
        port.outputs.into_iter().map(|event| (start + event.timing(), timed(event, 0))).collect()
    }

    fn settle(&self) {
        let now = self.meters.playhead().tick();
        let pace = self.session.pace();
        loop {
            let is_settled = {
                let shown = pace.lock();
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
fn tune() -> Vec<(u32, Event)> {
    let scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 55];
    let strike = |(place, pitch): (u32, u8)| {
        let (key, at) = (Key::new(0, pitch).unwrap(), place * 12 * SAMPLES_PER_TICK + 130);
        [(at, note_on(0, key, 90)), (at + 9 * SAMPLES_PER_TICK, note_off(0, key))]
    };
    (0..).zip(scale).flat_map(strike).collect()
}

/// Plays the tune, presses Play, asks for another while it plays if so wished, and stops: what came out but for the tune.
fn perform(frames: u32, another: bool, waits: Waits) -> Vec<(u32, Event)> {
    let mut desk = Desk::new(frames, waits);
    let tune = tune();
    let mut out = Vec::new();
    let bar = 96 * SAMPLES_PER_TICK;
    while desk.played < 6 * bar {
        set(&desk.params, "play", if desk.played >= 2 * bar + 24_000 { 1.0 } else { 0.0 });
        set(&desk.params, "another", if another && desk.played >= ANOTHER { 1.0 } else { 0.0 });
        out.extend(desk.block(true, &tune));
    }
    out.extend(desk.block(false, &[]));
    for _ in 0..20 {
        assert_eq!(desk.block(false, &[]), [], "something sounds after stop");
    }
    assert_eq!([Count::Late, Count::Stale, Count::Crowded].map(|count| desk.meters.count(count)), [0; 3]);
    let tally = desk.session.pace().lock().tally;
    assert_eq!(tally.missed, 0);
    let thru: Vec<_> = tune.iter().filter(|timed| !out.contains(timed)).collect();
    assert!(thru.is_empty(), "{thru:?} did not come through");
    out.retain(|timed| !tune.contains(timed));
    out
}

#[test]
fn what_plays_does_not_depend_on_the_length_of_blocks() {
    let (short, long) = (perform(250, true, Waits::ForRealTime), perform(1500, true, Waits::ForRealTime));
    assert_eq!(short, long);
    let strikes = short.iter().filter(|(_, event)| matches!(event, NoteEvent::NoteOn { .. })).count();
    assert!(strikes >= 8, "{strikes} notes sounded");
    assert_eq!(strikes * 2, short.len(), "every on has its off");
    let first = short[0].0 / SAMPLES_PER_TICK;
    assert!(first + 1 >= 3 * 96, "Play waits for the bar line, and does not start at tick {first}");
}

#[test]
fn another_takes_over_at_the_next_planning_tick_but_one() {
    let (first, other) = (perform(1000, false, Waits::ForRealTime), perform(1000, true, Waits::ForRealTime));
    let takes_over = ANOTHER + 2 * 24 * SAMPLES_PER_TICK;
    let before = |out: &[(u32, Event)]| out.iter().filter(|(at, _)| *at < takes_over - 24 * SAMPLES_PER_TICK).copied().collect::<Vec<_>>();
    assert_eq!(before(&first), before(&other));
    assert!(!before(&first).is_empty());
    assert_ne!(first, other);
}

#[test]
fn an_offline_render_plays_what_real_time_plays() {
    let live = perform(1000, true, Waits::ForRealTime);
    assert!(live.len() >= 16, "{} messages", live.len());
    for frames in [250, 1000] {
        assert_eq!(perform(frames, true, Waits::Offline), live, "in blocks of {frames}");
    }
}
