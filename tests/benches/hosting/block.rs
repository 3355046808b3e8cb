//! Audio-thread time per block: 32 samples at 48 kHz in real time, while the player plays and a plan plays.

use std::path::Path;
use std::time::{Duration, Instant};

use antiphon_engine::plan::PlayMode;
use antiphon_tests::{Block, ClapHost, Class, Host, Message, RollingTransport, Sample, Setup, Timed, machine};
use anyhow::{Result, ensure};

use crate::allocations;
use crate::{BAR, RATE, TEMPO, inside, played};

/// Samples per block: 0.67 ms.
const FRAMES: u32 = 32;
/// Bars of a plan, at the default horizon.
const PLAN: u64 = 4;
/// Time for the engine to load before the transport starts.
const LOADING_TIME: Duration = Duration::from_secs(3);

/// A configuration to measure.
struct Configuration {
    name: &'static str,
    class: Class,
    /// Whether the preview synth is on; `None` in the class without one.
    preview: Option<bool>,
    mode: PlayMode,
}

impl Configuration {
    const fn note_fx(name: &'static str, mode: PlayMode) -> Self {
        Self { name, class: Class::NoteFx, preview: None, mode }
    }
}

const CONFIGURATIONS: [Configuration; 7] = [
    Configuration { name: "Antiphon, with its preview sound", class: Class::Instrument, preview: Some(true), mode: PlayMode::Suggest },
    Configuration { name: "Antiphon, preview sound off", class: Class::Instrument, preview: Some(false), mode: PlayMode::Suggest },
    Configuration::note_fx("Antiphon Note FX, Suggest", PlayMode::Suggest),
    Configuration::note_fx("Antiphon Note FX, Answer", PlayMode::Answer),
    Configuration::note_fx("Antiphon Note FX, Trade", PlayMode::Trade),
    Configuration::note_fx("Antiphon Note FX, Accompany", PlayMode::Accompany),
    Configuration::note_fx("Antiphon Note FX, Infill", PlayMode::Infill),
];

/// Measurements of one configuration.
struct Measured {
    times: Sample,
    /// Blocks with a note-on or note-off, in or out.
    busy: Sample,
    /// Allocations and frees; `None` if not counted.
    allocations: Option<u64>,
    played: usize,
    planned: usize,
}

pub(crate) fn report(library: &Path, seconds: u64) -> Result<()> {
    let made = allocations::during(|| drop(ClapHost::bundled(library, Class::NoteFx, Setup::default())));
    ensure!(made != Some(0), "what the library allocates is not counted");
    println!("\n{:<44} {:>6} {:>8} {:>8} {:>8} {:>8}", "process(), in microseconds of CPU", "blocks", "p50", "p99", "p99.9", "most");
    for configuration in CONFIGURATIONS {
        let measured = play(library, &configuration, Duration::from_secs(seconds))?;
        let columns = |sample: &Sample| sample.columns(Duration::from_micros(1), &[500, 990, 999, 1000]);
        println!("{:<44} {}", configuration.name, columns(&measured.times));
        println!("{:<44} {}", "  of these, those in which something happens", columns(&measured.busy));
        let allocations = measured.allocations.map_or("not counted".into(), |count| count.to_string());
        println!("  notes: {} of the player, {} of plans; allocations: {allocations}", measured.played, measured.planned);
        // Answer plays only in pauses, which the clip need not have.
        ensure!(measured.planned > 0 || configuration.mode == PlayMode::Answer, "no plan was played: is ONNX Runtime there?");
        ensure!(measured.allocations.is_none_or(|count| count == 0), "the audio thread allocated or freed {allocations} times");
    }
    let mut clock = Sample::with_capacity(10_000);
    for _ in 0..10_000 {
        let began = machine::thread_time();
        clock.add(machine::thread_time() - began);
    }
    println!("{:<44} {}", "reading the clock, part of every number above", clock.columns(Duration::from_micros(1), &[500, 990, 999, 1000]));
    Ok(())
}

fn play(library: &Path, configuration: &Configuration, length: Duration) -> Result<Measured> {
    let mut host = ClapHost::bundled(library, configuration.class, Setup { sample_rate: RATE, longest_block: FRAMES, ..Setup::default() })?;
    if let Some(on) = configuration.preview {
        host.set("Preview sound", f64::from(u8::from(on)));
    }
    host.set("Mode", f64::from(configuration.mode.step()) / 4.0);
    let began = Instant::now();
    while began.elapsed() < LOADING_TIME {
        host.process(&Block { frames: FRAMES, ..Block::default() });
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut song = RollingTransport::new(TEMPO, RATE);
    let clip = played(&song)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample of some minutes")]
    let until = (length.as_secs_f64() * RATE) as u64;
    let blocks = usize::try_from(until / u64::from(FRAMES))?;
    let mut measured = Measured {
        times: Sample::with_capacity(blocks + 1),
        busy: Sample::default(),
        allocations: allocations::during(|| ()),
        played: 0,
        planned: 0,
    };
    let began = Instant::now();
    while song.played < until {
        let due = began + Duration::from_secs_f64(song.played as f64 / RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        press_play(&mut host, song.played);
        let messages = inside(&clip, song.played, FRAMES);
        let block = Block { frames: FRAMES, transport: Some(song.transport()), messages: &messages, ..Block::default() };
        let (mut time, mut allocations) = (Duration::ZERO, None);
        let out = host.process_around(&block, |call| {
            let before = machine::thread_time();
            allocations = allocations::during(call);
            time = machine::thread_time() - before;
        });
        measured.times.add(time);
        if !messages.is_empty() || !out.messages.is_empty() {
            measured.busy.add(time);
        }
        measured.allocations = measured.allocations.zip(allocations).map(|(before, more)| before + more);
        let ons = |messages: &[Timed]| messages.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).count();
        measured.played += ons(&messages);
        measured.planned += ons(&out.messages) - ons(&messages);
        song.played += u64::from(FRAMES);
    }
    Ok(measured)
}

/// Presses Play half a bar before each plan of four bars, from the fourth bar on, for a beat.
fn press_play(host: &mut ClapHost, from: u64) {
    let in_plan = from % (PLAN * BAR);
    for (at, pressed) in [(PLAN * BAR - BAR / 2, 1.0), (PLAN * BAR - BAR / 4, 0.0)] {
        if (in_plan..in_plan + u64::from(FRAMES)).contains(&at) {
            host.set("Play", pressed);
        }
    }
}
