//! Hours of playing on a virtual clock: random musicians play to instances of the plug-in with the model, in blocks of 64 samples, and every block is
//! checked. Lateness is real: the jobs take turns as on the threads of the pool, and each step lasts as long as it took processor time.

mod musician;

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::model::{Model, Runtime, RuntimeSearch};
use antiphon_engine::plan::PlanStats;
use antiphon_engine::session::{Planner, RenderWait, SessionPorts, SessionStatus, SharedSnapshot};
use antiphon_plugin::meters::{Count, Meters};
use antiphon_plugin::planning_session::PlanningPorts;
use antiphon_tests::checker::{Checker, Given};
use antiphon_tests::linked::take_ports;
use antiphon_tests::virtual_pool::{VirtualPool, VirtualWorker};
use antiphon_tests::{Block, ClapHost, Class, Host, Setup, Timed, Transport, Vst3Host, machine};
use anyhow::{Result, ensure};
use clap::Parser;
use parking_lot::Mutex;

use musician::{Act, Musician, Turns};

/// Sample rate in hertz.
const RATE: f64 = 48_000.0;
/// Samples per block.
const FRAMES: u32 = 64;
/// Blocks between two runs of a session: 2.7 ms.
const SESSION_BLOCKS: u64 = 2;

/// Simulates hours of playing with the model, on a virtual clock.
#[derive(Debug, Parser)]
struct Args {
    /// Simulated minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Instances, of CLAP and VST3 in turn
    #[arg(long, default_value_t = 1)]
    instances: u32,
    /// Virtual workers that the instances share
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Quarters per minute
    #[arg(long, default_value_t = 120.0)]
    tempo: f64,
    /// Seed of the musicians
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of Mode that the musicians choose among: 0 Suggest, 1 Answer, 2 Trade, 3 Accompany, 4 Infill
    #[arg(long, value_delimiter = ',', default_value = "0,1,2,3,4")]
    modes: Vec<u8>,
    /// Musicians that play at any time; the others rest, and take turns every eight bars
    #[arg(long)]
    playing: Option<u32>,
    /// Print the result as one JSON object
    ///
    /// Its keys: minutes, instances, planned (notes), late (notes), hanging (keys sounding after a stop or faults of a block), on_time_share (of near bars),
    /// planning_ticks (without those of a pause), late_plans (near bars that were not there), hit_rate (planning ticks whose plan could be kept), bars_finished,
    /// bars_as_planned (those of them that came as planned), page_hit_rate (the share of these that were not read again), bars_read (by the model, the player's
    /// included), staleness_beats (mean age of the plan that plays), worker_load (share of the workers' time in use),
    /// rss_growth_mib (after the first tenth).
    #[arg(long)]
    json: bool,
}

/// An instance with its musician and its session.
struct Instance {
    host: Box<dyn Host>,
    planner: Planner<VirtualWorker>,
    snapshot: Arc<SharedSnapshot>,
    meters: Arc<Meters>,
    musician: Musician,
    checker: Checker,
    transport: Transport,
    play: bool,
    mode: u8,
    faults: Vec<String>,
    /// Sum of the ages of plans that play, in beats, and their number.
    staleness: (f64, u64),
}

impl Instance {
    fn new(args: &Args, number: u32, model: &Arc<Model>, pool: &Rc<RefCell<VirtualPool>>) -> Self {
        let setup = Setup { sample_rate: RATE, longest_block: FRAMES, ..Setup::default() };
        let mut host: Box<dyn Host> = if number.is_multiple_of(2) {
            Box::new(ClapHost::with_manual_session(Class::Instrument, setup))
        } else {
            Box::new(Vst3Host::with_manual_session(Class::NoteFx, setup))
        };
        host.set("Preview sound", 0.0);
        let PlanningPorts { events, planned, takes, commands, snapshot, state, meters } = take_ports();
        let (shown, count_ignored) = (Arc::clone(&snapshot), Box::new(|_| ()));
        let ports = SessionPorts { events, planned, commands, snapshot, archive: state, takes, count_ignored };
        let status = Arc::new(Mutex::new(SessionStatus::default()));
        let worker = VirtualWorker::new(model, pool);
        let planner = Planner::new(ports, worker, status, Arc::new(RenderWait::default()), args.seed ^ u64::from(number));
        let transport =
            Transport { tempo: Some(args.tempo), metre: Some((4, 4)), position: Some(0.0), bar: Some(0.0), ..Transport::default() };
        let turns = Turns { place: number, of: args.instances, playing: args.playing.unwrap_or(args.instances) };
        let musician = Musician::new(args.seed.wrapping_add(u64::from(number)), RATE * 60.0 / args.tempo, args.modes.clone(), turns);
        Self {
            host,
            planner,
            snapshot: shown,
            meters,
            musician,
            checker: Checker::default(),
            transport,
            play: false,
            mode: 0,
            faults: Vec::new(),
            staleness: (0.0, 0),
        }
    }

    /// Plays one block.
    fn block(&mut self, tempo: f64) {
        let mut messages = Vec::new();
        let (was_playing, mode) = (self.play, self.mode);
        for act in self.musician.acts(FRAMES) {
            match act {
                Act::Send(sample, message) => messages.push(Timed { sample: sample.into(), message }),
                Act::Roll(position) => (self.transport.playing, self.transport.position) = (true, Some(position)),
                Act::Halt => self.transport.playing = false,
                Act::Loop(cycle) => self.transport.cycle = cycle,
                Act::Set(name, value) => {
                    self.host.set(name, value);
                    match name {
                        "Play" => self.play = value > 0.5,
                        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
                        "Mode" => self.mode = (value * 4.0).round() as u8,
                        _ => {}
                    }
                }
            }
        }
        let position = self.transport.position.unwrap_or_default();
        self.transport.bar = Some((position / 4.0).floor() * 4.0);
        let block = Block { frames: FRAMES, transport: Some(self.transport), messages: &messages, ..Block::default() };
        let sent = self.host.process(&block).messages;
        let given = Given {
            frames: FRAMES,
            messages: &messages,
            thru: true,
            bypass: false,
            playing: self.transport.playing,
            play_pressed: self.play && !was_playing,
            ends_plan: self.mode != mode,
        };
        let planned = self.checker.counts.planned;
        self.faults.extend(self.checker.check(given, &sent).err());
        if self.checker.counts.planned > planned {
            self.musician.hear();
        }
        if self.transport.playing {
            self.transport.position = Some(position + f64::from(FRAMES) / RATE * tempo / 60.0);
        }
    }

    /// Adds the age of the plan that plays.
    fn measure(&mut self) {
        let snapshot = self.snapshot.latest();
        if let Some(shown) = snapshot.plan.as_ref().filter(|shown| shown.playing) {
            let age = self.meters.playhead().tick() - shown.plan.brief.made_at;
            #[allow(clippy::cast_precision_loss, reason = "a few beats")]
            let beats = age.0 as f64 / 24.0;
            self.staleness = (self.staleness.0 + beats, self.staleness.1 + 1);
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the simulation and prints its result; whether nothing was late and nothing hung.
fn run(args: &Args) -> Result<bool> {
    ensure!(args.minutes > 0.0 && args.instances > 0 && args.tempo > 0.0, "--minutes, --instances and --tempo must be above 0");
    let model = Arc::new(Model::shipped(Runtime::load(&RuntimeSearch::default())?)?);
    let pool = VirtualPool::new(args.workers);
    let mut instances: Vec<_> = (0..args.instances).map(|number| Instance::new(args, number, &model, &pool)).collect();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of blocks")]
    let blocks = (args.minutes * 60.0 * RATE / f64::from(FRAMES)) as u64;
    let mut resident = 0;
    for block in 0..blocks {
        #[allow(clippy::cast_precision_loss, reason = "a number of blocks")]
        let now = Duration::from_secs_f64((block + 1) as f64 * f64::from(FRAMES) / RATE);
        for instance in &mut instances {
            instance.block(args.tempo);
        }
        pool.borrow_mut().advance(now);
        if block % SESSION_BLOCKS == 0 {
            for instance in &mut instances {
                instance.planner.run();
            }
        }
        if block % 375 == 0 {
            instances.iter_mut().for_each(Instance::measure);
        }
        if block == blocks / 10 {
            resident = machine::memory().resident;
        }
    }
    let worked = pool.borrow().worked();
    print(args, &instances, machine::memory().resident.saturating_sub(resident), worked)
}

#[allow(clippy::cast_precision_loss, reason = "shares need no more than 53 bits")]
fn print(args: &Args, instances: &[Instance], growth: u64, worked: Duration) -> Result<bool> {
    let mut plans = PlanStats::default();
    let (mut planned, mut late, mut staleness) = (0, 0, (0.0, 0));
    let mut faults = Vec::new();
    for instance in instances {
        let stats = instance.snapshot.latest().status.plans;
        plans += stats;
        planned += instance.checker.counts.planned;
        late += instance.meters.count(Count::Late);
        staleness = (staleness.0 + instance.staleness.0, staleness.1 + instance.staleness.1);
        faults.extend(&instance.faults);
    }
    faults.iter().take(10).for_each(|fault| eprintln!("{fault}"));
    let report = serde_json::json!({
        "minutes": args.minutes,
        "instances": args.instances,
        "planned": planned,
        "late": late,
        "hanging": faults.len(),
        "on_time_share": plans.on_time_share(),
        "planning_ticks": plans.ticks,
        "late_plans": plans.late,
        "hit_rate": plans.hit_rate(),
        "bars_finished": plans.pages.finished,
        "bars_as_planned": plans.pages.as_planned,
        "bars_read": plans.pages.read,
        "page_hit_rate": plans.pages.hit_rate(),
        "staleness_beats": (staleness.1 > 0).then(|| staleness.0 / staleness.1 as f64),
        "worker_load": worked.as_secs_f64() / (args.minutes * 60.0 * args.workers.max(1) as f64),
        "rss_growth_mib": growth as f64 / f64::from(1 << 20),
    });
    if args.json {
        println!("{report}");
    } else if let Some(entries) = report.as_object() {
        entries.iter().for_each(|(name, value)| println!("{name:16} {value}"));
    }
    Ok(late == 0 && faults.is_empty() && planned > 0)
}
