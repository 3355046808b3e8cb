//! Planning latency, and whether anything plays late: `cargo bench -p antiphon-tests --bench planning -- --minutes 20`.
//!
//! A host with the plug-in and the real engine runs 64-sample blocks at 48 kHz and 120 bpm, in real time. Rounds of twelve bars: for eight
//! the player plays the demo clip, each time in another key; then Play is pressed and the plan plays for four, in every other round with
//! Another after a bar. Latencies are wall time from the end of the block that contains the planning tick; the CPU time of the engine's
//! threads is reported next to them, which shows the influence of other programs.

mod cpu;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::smf;
use antiphon_engine::session::{Engine, RequestTiming};
use antiphon_plugin::meters::Count;
use antiphon_tests::linked::{self, Observer};
use antiphon_tests::{Block, ClapHost, Class, Host, Message, RollingTransport, Sample, Setup, Timed, machine, playback};
use clap::Parser;
use cpu::Threads;

/// Sample rate in hertz.
const RATE: f64 = 48_000.0;
/// Samples per block: 1.33 ms.
const FRAMES: u32 = 64;
/// Quarters per minute.
const TEMPO: f64 = 120.0;
/// Samples per bar of 4/4.
const BAR: u64 = 96_000;
/// Samples per quarter; each ends with a planning tick.
const QUARTER: u64 = BAR / 4;
/// Bars of a round that the player plays.
const PLAYED_BARS: u32 = 8;
/// Bars of a round.
const ROUND_BARS: u32 = 12;
/// Ticks of four bars: the usual minimum length of a plan.
const FOUR_BARS: i64 = 4 * 96;
/// When Play is pressed, in samples of a round: two beats before the player stops.
const PLAY: u64 = PLAYED_BARS as u64 * BAR - 2 * QUARTER;
/// When Another is pressed in every other round: one bar after the plan began.
const ANOTHER: u64 = (PLAYED_BARS as u64 + 1) * BAR;
/// How long a trigger is held, in samples.
const PRESS: u64 = QUARTER / 4;

/// Planning latency, and whether anything plays late.
#[derive(Parser)]
struct Arguments {
    /// How long to play, in minutes
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Set by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// A planning tick as seen by the host.
#[derive(Debug, Clone, Copy)]
struct PlanningTick {
    /// End of the block that contained it.
    at: Instant,
    /// CPU time the engine had used by then.
    used: Duration,
    request: Option<RequestTiming>,
    /// CPU time used when the first note was there, and when the plan was complete; up to a block late.
    used_first: Option<Duration>,
    used_whole: Option<Duration>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os(RUNTIME_VARIABLE).is_none() {
        eprintln!("error: name ONNX Runtime with {RUNTIME_VARIABLE}");
        return ExitCode::from(2);
    }
    let mut host = ClapHost::observed(Class::Instrument, Setup { sample_rate: RATE, longest_block: FRAMES, ..Setup::default() });
    let observer = linked::take_observer();
    if let Err(reason) = ready(&mut host, &observer) {
        eprintln!("error: {reason}");
        return ExitCode::FAILURE;
    }
    Run::new(host, observer).run(Duration::from_secs_f64(arguments.minutes * 60.0));
    ExitCode::SUCCESS
}

/// Waits until the model is loaded, with the transport stopped.
fn ready(host: &mut ClapHost, observer: &Observer) -> Result<(), String> {
    host.set("Seed", 0.3);
    loop {
        host.process(&Block { frames: FRAMES, ..Block::default() });
        match &observer.status.lock().engine {
            Engine::Ready => return Ok(()),
            Engine::Failed(fault) => return Err(fault.what.clone()),
            Engine::Loading => {}
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One measurement run.
struct Run {
    host: ClapHost,
    observer: Observer,
    song: RollingTransport,
    threads: Threads,
    clip: Vec<Timed>,
    /// By tick.
    ticks: BTreeMap<i64, PlanningTick>,
    /// How late the host started its blocks.
    behind: Sample,
    /// Note-ons in the output that were not in the input.
    planned: u64,
}

impl Run {
    fn new(host: ClapHost, observer: Observer) -> Self {
        let song = RollingTransport::new(TEMPO, RATE);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/pop.mid");
        let clip = smf::read_file(&path).expect("the demo clip is a MIDI file").clip;
        let clip = playback::to_messages(&clip, &song, playback::bar_line(&song, PLAYED_BARS));
        Self {
            host,
            observer,
            song,
            threads: Threads::of_the_engine(),
            clip,
            ticks: BTreeMap::new(),
            behind: Sample::default(),
            planned: 0,
        }
    }

    fn run(mut self, length: Duration) {
        let (began, used, waited) = (Instant::now(), self.threads.used(), self.threads.waited());
        let first_memory = resident();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample of some minutes")]
        let until = (length.as_secs_f64() * RATE) as u64;
        while self.song.played < until {
            let due = began + Duration::from_secs_f64(self.song.played as f64 / RATE);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.behind.add(due.elapsed());
            self.block();
            self.poll();
        }
        let took = began.elapsed();
        println!("{:.1} minutes of blocks of {FRAMES} samples at {RATE} Hz, {TEMPO} bpm\n", took.as_secs_f64() / 60.0);
        self.report();
        let share = |time: Duration| 100.0 * time.as_secs_f64() / took.as_secs_f64();
        println!(
            "engine's threads: ran {:.1} % of a core, were kept waiting for one {:.1} %; load average {}",
            share(self.threads.used() - used),
            share(self.threads.waited() - waited),
            machine::load_average()
        );
        println!("resident memory: {first_memory} MiB at the start, {} MiB at the end", resident());
    }

    fn block(&mut self) {
        let bars = u64::from(ROUND_BARS) * BAR;
        let (round, from) = (self.song.played / bars, self.song.played % bars);
        let falls = |at: u64| (from..from + u64::from(FRAMES)).contains(&at);
        for (name, at, wanted) in [("Play", PLAY, true), ("Another", ANOTHER, round % 2 == 1)] {
            if wanted && falls(at) {
                self.host.set(name, 1.0);
            } else if wanted && falls(at + PRESS) {
                self.host.set(name, 0.0);
            }
        }
        let first = self.clip.partition_point(|timed| timed.sample < from);
        let inside = self.clip[first..].iter().take_while(|timed| falls(timed.sample));
        let messages: Vec<_> = inside.map(|timed| transposed(*timed, round, from)).collect();
        let block = Block { frames: FRAMES, transport: Some(self.song.transport()), messages: &messages, ..Block::default() };
        let out = self.host.process(&block).messages;
        let ons = |messages: &[Timed]| messages.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).count() as u64;
        self.planned += ons(&out) - ons(&messages);

        let start = self.song.played;
        self.song.played += u64::from(FRAMES);
        // A tick at the end of a block has been reached by it.
        let quarter = self.song.played / QUARTER;
        if quarter > start / QUARTER {
            let tick = i64::try_from(quarter * 24).expect("a short song");
            let ticks = PlanningTick { at: Instant::now(), used: self.threads.used(), request: None, used_first: None, used_whole: None };
            self.ticks.insert(tick, ticks);
        }
    }

    /// Records the progress of the latest request.
    fn poll(&mut self) {
        let Some(request) = self.observer.status.lock().last_request else { return };
        let Some(ticks) = self.ticks.get_mut(&request.tick.0) else { return };
        ticks.request = Some(request);
        if request.first_note.is_some() && ticks.used_first.is_none() {
            ticks.used_first = Some(self.threads.used());
        }
        if request.whole.is_some() && ticks.used_whole.is_none() {
            ticks.used_whole = Some(self.threads.used());
        }
    }

    fn report(&self) {
        let plans: Vec<(&PlanningTick, RequestTiming)> = self.ticks.values().filter_map(|ticks| Some((ticks, ticks.request?))).collect();
        let new = plans.iter().filter(|(_, request)| request.is_new);
        let (mut first, mut first_used, mut whole, mut whole_used) =
            (Sample::default(), Sample::default(), Sample::default(), Sample::default());
        let mut short = 0;
        for (ticks, request) in new.clone() {
            if let (Some(at), Some(used)) = (request.first_note, ticks.used_first) {
                first.add(at.saturating_duration_since(ticks.at));
                first_used.add(used - ticks.used);
            }
            if request.end.0 - request.start.0 < FOUR_BARS {
                short += 1;
            } else if let (Some(at), Some(used)) = (request.whole, ticks.used_whole) {
                whole.add(at.saturating_duration_since(ticks.at));
                whole_used.add(used - ticks.used);
            }
        }
        let new = new.count();
        println!(
            "{} quarters: a new plan was requested at {new}, {short} of them shorter than four bars; an extension at {}",
            self.ticks.len(),
            plans.len() - new
        );
        println!("{:<44} {:>6} {:>8} {:>8} {:>8} {:>8}", "milliseconds", "plans", "p50", "p99", "p99.5", "most");
        for (name, sample) in [
            ("planning tick to first note", &first),
            ("  of that, the engine's threads ran", &first_used),
            ("planning tick to whole horizon (4 to 5 bars)", &whole),
            ("  of that, the engine's threads ran", &whole_used),
            ("the host itself began a block late by", &self.behind),
        ] {
            println!("{name:<44} {}", sample.columns(Duration::from_millis(1), &[500, 990, 995, 1000]));
        }
        let plans = self.observer.status.lock().plans;
        let due = plans.on_time + plans.late;
        println!(
            "\nplans on time: {} of {due} ({:.2} %); none needed at {} ticks",
            plans.on_time,
            100.0 * plans.on_time_share().unwrap_or(1.0),
            plans.kept
        );
        let count = |count| self.observer.meters.count(count);
        println!(
            "planned notes: {} sounded ({} came out of the host's side), {} late, {} yielded to the player, {} stale, {} without room",
            count(Count::Played),
            self.planned,
            count(Count::Late),
            count(Count::Yielded),
            count(Count::Stale),
            count(Count::NoRoom)
        );
    }
}

/// Resident memory in MiB.
fn resident() -> u64 {
    machine::memory().resident >> 20
}

/// A message of the clip in the key of the round, timed from the start of the block.
fn transposed(timed: Timed, round: u64, from: u64) -> Timed {
    let key = |key: u8| key + u8::try_from(round * 5 % 12).expect("below 12") - 6;
    let message = match timed.message {
        Message::NoteOn { channel, key: old, velocity } => Message::NoteOn { channel, key: key(old), velocity },
        Message::NoteOff { channel, key: old, velocity } => Message::NoteOff { channel, key: key(old), velocity },
        other => other,
    };
    Timed { sample: timed.sample - from, message }
}
