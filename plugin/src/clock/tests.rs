//! The clock against simulated hosts.

use proptest::prelude::*;

use antiphon_engine::music::Tick;

use super::follow::ROUNDING;
use super::span::SAMPLE_SLACK;
use super::*;
use antiphon_engine::plan::{EQUAL, whole};

const NO_TRANSPORT: HostTime =
    HostTime { playing: false, tempo: None, metre: None, position: Position::Unknown, bar_line: None, cycle: None };

/// A simulated host that plays from a song position at a steady tempo.
struct Host {
    clock: Clock,
    hertz: f64,
    time: HostTime,
    /// Samples since the last locate.
    played: u64,
    from: f64,
}

impl Host {
    fn new(tempo: f64, hertz: f32) -> Self {
        let mut clock = Clock::new();
        clock.set_sample_rate(hertz);
        let time = HostTime { playing: true, tempo: Some(tempo), metre: Some(Metre::COMMON), ..NO_TRANSPORT };
        Self { clock, hertz: f64::from(hertz), time, played: 0, from: 0.0 }
    }

    fn rate(&self) -> f64 {
        self.time.tempo.unwrap() * 24.0 / 60.0 / self.hertz
    }

    fn song(&self) -> f64 {
        self.from + self.played as f64 * self.rate()
    }

    fn block(&mut self, frames: u32) -> TransportEvents {
        self.time.position = Position::Musical(self.song());
        self.played += u64::from(frames);
        self.clock.begin(&self.time, frames)
    }

    fn locate(&mut self, to: f64) {
        (self.from, self.played) = (to, 0);
    }
}

fn cause(event: Option<TransportEvent>) -> Option<Cause> {
    event.map(|event| event.cause)
}

/// Pseudo-random block lengths, 1 to 2048.
fn lengths(seed: u32) -> impl Iterator<Item = u32> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state % 2048 + 1)
    })
}

#[test]
fn tick_falls_on_its_sample_at_any_block_length() {
    for (tempo, hertz) in [(133.0, 44_100.0), (120.0, 48_000.0), (97.3, 96_000.0), (120.0, 44_100.0), (61.0, 22_050.0)] {
        for seed in 0..4 {
            let mut host = Host::new(tempo, hertz);
            let per_tick = 1.0 / host.rate();
            let mut tick = 0i64;
            let mut before = 0i64;
            for frames in lengths(seed).take(3000) {
                host.block(frames);
                let span = host.clock.span();
                loop {
                    let sample = span.sample(MusicalTime::from(Tick(tick)));
                    if sample >= i64::from(frames) {
                        break;
                    }
                    let expected = whole((tick as f64 * per_tick - SAMPLE_SLACK).ceil());
                    assert_eq!(before + sample, expected, "{tempo} bpm at {hertz} Hz, tick {tick}");
                    tick += 1;
                }
                before += i64::from(frames);
            }
            assert!(tick > 1000);
        }
    }
}

#[test]
fn start_takes_over_the_fraction_of_a_tick() {
    let mut host = Host::new(120.0, 48_000.0);
    host.locate(77.25);
    let event = host.block(64).first.unwrap();
    assert_eq!((event.cause, event.at, event.song), (Cause::Start, MusicalTime(0.25), SongPosition(77)));
    assert_eq!(event.bar, SongBar { start: SongPosition(0), metre: Metre::COMMON });
    assert_eq!(host.block(64), TransportEvents::default());
}

#[test]
fn locate_backwards_does_not_turn_the_clock_back() {
    let mut host = Host::new(120.0, 48_000.0);
    host.block(48_000);
    host.locate(5.5);
    let event = host.block(64).first.unwrap();
    assert_eq!((event.cause, event.at, event.song), (Cause::Locate, MusicalTime(48.5), SongPosition(5)));
}

#[test]
fn loop_end_within_a_block_is_an_event_at_its_sample() {
    let mut host = Host::new(120.0, 48_000.0);
    host.time.cycle = Some((96.0, 192.0));
    host.locate(190.0);
    // Two ticks to the loop end, 1000 samples each.
    let events = host.block(3000);
    let wrap = events.within.unwrap();
    assert_eq!((wrap.cause, wrap.sample, wrap.at, wrap.song), (Cause::Loop, 2000, MusicalTime(2.0), SongPosition(96)));
    host.locate(97.0);
    assert_eq!(host.block(500), TransportEvents::default());
    assert_eq!(host.clock.span().start, 3.0);
}

#[test]
fn jump_from_loop_end_to_loop_start_is_a_loop_and_any_other_a_locate() {
    let mut host = Host::new(120.0, 48_000.0);
    host.time.cycle = Some((96.0, 192.0));
    host.locate(191.0);
    assert_eq!(host.block(1000).within, None);
    host.locate(96.0);
    assert_eq!(cause(host.block(64).first), Some(Cause::Loop));
    host.locate(150.0);
    assert_eq!(cause(host.block(64).first), Some(Cause::Locate));
}

#[test]
fn loop_cut_at_whole_samples_loses_no_tick() {
    let mut host = Host::new(133.0, 44_100.0);
    host.time.cycle = Some((96.0, 192.0));
    host.locate(96.0);
    let mut before = host.block(1).first.unwrap().at.tick();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some samples of a bar")]
    let bar = (96.0 / host.rate()).ceil() as u64;
    for pass in 0..50 {
        while host.played < bar {
            let frames = u32::try_from(bar - host.played).unwrap().min(512);
            let events = host.block(frames);
            assert!(events == TransportEvents::default(), "{pass}: {events:?}");
        }
        host.locate(96.0);
        let event = host.block(512).first.unwrap();
        assert_eq!((event.cause, event.song, event.at.tick() - before), (Cause::Loop, SongPosition(96), Tick(96)), "{pass}");
        before = event.at.tick();
    }
}

#[test]
fn rounded_positions_as_in_ardour_do_not_move_the_clock() {
    let mut host = Host::new(133.0, 44_100.0);
    for frames in lengths(7).take(2000) {
        host.time.position = Position::Musical((host.song() * 80.0).round() / 80.0);
        host.played += u64::from(frames);
        let events = host.clock.begin(&host.time, frames);
        assert!(events.first.is_none_or(|event| event.cause == Cause::Start), "{events:?}");
        assert!((host.clock.span().end().0 - host.song()).abs() < 1e-6);
    }
}

#[test]
fn tempo_ramp_is_followed_without_jumps() {
    let mut host = Host::new(60.0, 48_000.0);
    let (mut song, mut tempo, mut before) = (0.0, 60.0, 0.0);
    for block in 0..2000 {
        host.time.tempo = Some(tempo);
        host.time.position = Position::Musical(song);
        let events = host.clock.begin(&host.time, 512);
        assert!(events.first.is_none() || block == 0, "{events:?}");
        let end = host.clock.span().end().0;
        assert!(end >= before);
        before = end;
        // The ramp continues within the block; its mean counts.
        let next: f64 = if block < 1000 { tempo + 0.2 } else { tempo - 0.15 };
        song += 512.0 * (tempo + next) / 2.0 * 24.0 / 60.0 / 48_000.0;
        tempo = next;
        assert!((host.clock.span().end().0 - song).abs() < 2.0 * ROUNDING, "{block}");
    }
}

#[test]
fn tempo_change_within_a_block_is_no_jump() {
    let mut host = Host::new(60.0, 48_000.0);
    host.block(8192);
    // 200 bpm from the first sample of the last block, reported one block later.
    host.locate(8192.0 * 200.0 * 24.0 / 60.0 / 48_000.0);
    host.time.tempo = Some(200.0);
    assert_eq!(host.block(8192), TransportEvents::default());
    assert!((host.clock.span().end().0 - host.song()).abs() < 1e-9);
}

#[test]
fn transport_stop_and_start_are_events() {
    let mut host = Host::new(120.0, 48_000.0);
    host.block(100);
    host.time.playing = false;
    assert_eq!(cause(host.block(100).first), Some(Cause::Stop));
    assert_eq!(host.block(100), TransportEvents::default());
    assert_eq!(host.clock.motion(), Motion::Stopped);
    host.time.playing = true;
    assert_eq!(cause(host.block(100).first), Some(Cause::Start));
}

#[test]
fn clock_without_a_transport_starts_with_the_player() {
    let mut clock = Clock::new();
    clock.set_sample_rate(48_000.0);
    assert_eq!(clock.begin(&NO_TRANSPORT, 256), TransportEvents::default());
    assert_eq!(clock.span().end(), MusicalTime(0.0));
    clock.begin(&NO_TRANSPORT, 2048);
    let event = clock.start(40).unwrap();
    assert_eq!((event.cause, event.sample, event.at), (Cause::Wake, 40, MusicalTime(0.0)));
    assert_eq!(clock.start(50), None);
    assert_eq!(clock.span().sample(MusicalTime(1.0)), 1040);
    // The clock was stopped before sample 40.
    assert_eq!(clock.span().time(0), MusicalTime(0.0));
    clock.begin(&NO_TRANSPORT, 256);
    assert_eq!(clock.span().sample(MusicalTime(2.0)), 2040 - 2048);
    assert_eq!(clock.span().sample(MusicalTime(3.0)), 3040 - 2048);
}

#[test]
fn bars_started_by_the_player_have_the_metre_of_the_stopped_host() {
    let waltz = Metre::new(3, 4).unwrap();
    let stopped = HostTime { tempo: Some(90.0), metre: Some(waltz), ..NO_TRANSPORT };
    let mut clock = Clock::new();
    clock.set_sample_rate(48_000.0);
    clock.begin(&stopped, 256);
    assert_eq!((clock.start(0).unwrap().bar.metre, clock.tempo()), (waltz, 90.0));
    // Once bars have begun, only a rolling transport changes the metre.
    assert_eq!(clock.begin(&HostTime { metre: Some(Metre::COMMON), ..stopped }, 256), TransportEvents::default());
    clock.stop();
    clock.begin(&NO_TRANSPORT, 256);
    assert_eq!(clock.start(0).unwrap().bar.metre, waltz);
}

#[test]
fn clock_follows_a_host_that_reports_samples_through_tempo_changes() {
    let mut host = Host::new(120.0, 48_000.0);
    for (number, tempo) in (0i64..).zip([120.0, 120.0, 180.0, 90.0]) {
        host.time.tempo = Some(tempo);
        host.time.position = Position::Samples(number * 4800);
        let events = host.clock.begin(&host.time, 4800);
        assert_eq!(cause(events.first), (number == 0).then_some(Cause::Start));
    }
    // A tenth of a second each.
    assert!((host.clock.span().end().0 - (4.8 + 4.8 + 7.2 + 3.6)).abs() < 1e-9);
    host.time.position = Position::Samples(0);
    assert_eq!(cause(host.clock.begin(&host.time, 64).first), Some(Cause::Locate));
}

#[test]
fn metre_change_moves_the_bar_lines_but_not_the_clock() {
    let mut host = Host::new(120.0, 48_000.0);
    host.time.bar_line = Some(0.0);
    host.block(96_000);
    host.time.metre = Metre::new(3, 4);
    host.time.bar_line = Some(96.0);
    let event = host.block(64).first.unwrap();
    assert_eq!((event.cause, event.at), (Cause::Metre, MusicalTime(96.0)));
    // The start of the next bar, as Ardour reports it, has the same phase.
    host.time.bar_line = Some(168.0);
    assert_eq!(host.block(64), TransportEvents::default());
}

#[test]
fn clock_without_a_valid_sample_rate_is_stopped() {
    for hertz in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let mut host = Host::new(120.0, 48_000.0);
        host.clock.set_sample_rate(hertz);
        assert_eq!(host.block(64), TransportEvents::default());
        assert_eq!(host.block(64), TransportEvents::default());
        assert_eq!(host.clock.start(0), None);
        assert_eq!(host.clock.span().end(), MusicalTime(0.0));
    }
}

fn host_time() -> impl Strategy<Value = HostTime> {
    let position = prop_oneof![
        (-1e4..1e5f64).prop_map(Position::Musical),
        (-1e15..1e15f64).prop_map(Position::Musical),
        any::<i32>().prop_map(|sample| Position::Samples(sample.into())),
        Just(Position::Unknown),
    ];
    let cycle = prop::option::of((-100.0..1e3f64, 1.0..1e3f64).prop_map(|(start, length)| (start, start + length)));
    let metre = prop::option::of((1..=16u8, 0..=5u32).prop_map(|(numerator, power)| Metre::new(numerator, 1 << power).unwrap()));
    let bar_line = prop::option::of(-1e15..1e15f64);
    (any::<bool>(), prop::option::of(1.0..5000.0f64), metre, position, bar_line, cycle)
        .prop_map(|(playing, tempo, metre, position, bar_line, cycle)| HostTime { playing, tempo, metre, position, bar_line, cycle })
}

proptest! {
    /// For any host, the clock never runs backwards, and every transport event lies inside its block.
    #[test]
    fn clock_never_runs_backwards(blocks in prop::collection::vec((host_time(), 0..5000u32, any::<bool>()), 1..60)) {
        let mut clock = Clock::new();
        clock.set_sample_rate(44_100.0);
        let mut before = MusicalTime(0.0);
        for (time, frames, starts) in blocks {
            let events = clock.begin(&time, frames);
            let started = if starts { clock.start(frames / 2) } else { None };
            let span = clock.span();
            for sample in [0, frames / 3, frames] {
                prop_assert!(span.time(sample) >= before, "{:?} {:?}", span.time(sample), before);
                before = span.time(sample);
            }
            for event in events.first.into_iter().chain(events.within).chain(started) {
                prop_assert!(event.sample == 0 || event.sample < frames || frames == 0);
                prop_assert!(event.at >= MusicalTime(0.0) && event.at.0 <= span.end().0 + EQUAL);
            }
        }
    }
}
