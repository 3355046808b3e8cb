//! What one block takes of the audio thread's time: 32 samples at 48 kHz, paced by the clock, while the player plays and a plan is played.

use std::path::Path;
use std::time::{Duration, Instant};

use antiphon_tests::{Block, ClapHost, Class, Host, Message, Roll, Sample, Setup, Timed, machine};
use anyhow::{Result, ensure};

use crate::allocations;
use crate::{BAR, RATE, TEMPO, inside, played};

/// Samples of a block: 0.67 ms.
const FRAMES: u32 = 32;
/// Bars of a plan, at the default horizon.
const PLAN: u64 = 4;
/// How long the engine has to come up before the transport rolls.
const PREPARE: Duration = Duration::from_secs(3);

/// An instance as it is played.
struct SetUp {
    name: &'static str,
    class: Class,
    /// Whether the preview sound is on, in the class that has one.
    preview: Option<bool>,
}

const SET_UPS: [SetUp; 3] = [
    SetUp { name: "Antiphon, with its preview sound", class: Class::Instrument, preview: Some(true) },
    SetUp { name: "Antiphon, preview sound off", class: Class::Instrument, preview: Some(false) },
    SetUp { name: "Antiphon Note FX", class: Class::NoteFx, preview: None },
];

/// What was seen of a set-up.
struct Seen {
    times: Sample,
    /// Of the blocks with a note on or off, in or out.
    busy: Sample,
    /// Allocations and frees; `None` where nobody counts.
    allocations: Option<u64>,
    played: usize,
    planned: usize,
}

pub(crate) fn report(library: &Path, seconds: u64) -> Result<()> {
    let made = allocations::during(|| drop(ClapHost::bundled(library, Class::NoteFx, Setup::default())));
    ensure!(made != Some(0), "what the library allocates is not counted");
    println!("\n{:<44} {:>6} {:>8} {:>8} {:>8} {:>8}", "process(), in microseconds of CPU", "blocks", "p50", "p99", "p99.9", "most");
    for set_up in SET_UPS {
        let seen = play(library, &set_up, Duration::from_secs(seconds))?;
        let columns = |sample: &Sample| sample.columns(Duration::from_micros(1), &[500, 990, 999, 1000]);
        println!("{:<44} {}", set_up.name, columns(&seen.times));
        println!("{:<44} {}", "  of these, those in which something happens", columns(&seen.busy));
        let allocations = seen.allocations.map_or("not counted".into(), |count| count.to_string());
        println!("  notes: {} of the player, {} of plans; allocations: {allocations}", seen.played, seen.planned);
        ensure!(seen.planned > 0, "no plan was played: is ONNX Runtime there?");
        ensure!(seen.allocations.is_none_or(|count| count == 0), "the audio thread allocated or freed {allocations} times");
    }
    let mut clock = Sample::with_capacity(10_000);
    for _ in 0..10_000 {
        let began = machine::thread_time();
        clock.add(machine::thread_time() - began);
    }
    println!("{:<44} {}", "reading the clock, part of every number above", clock.columns(Duration::from_micros(1), &[500, 990, 999, 1000]));
    Ok(())
}

fn play(library: &Path, set_up: &SetUp, length: Duration) -> Result<Seen> {
    let mut host = ClapHost::bundled(library, set_up.class, Setup { sample_rate: RATE, longest_block: FRAMES, ..Setup::default() })?;
    if let Some(on) = set_up.preview {
        host.set("Preview sound", f64::from(u8::from(on)));
    }
    let began = Instant::now();
    while began.elapsed() < PREPARE {
        host.process(&Block { frames: FRAMES, ..Block::default() });
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut song = Roll::new(TEMPO, RATE);
    let clip = played(&song)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample of some minutes")]
    let until = (length.as_secs_f64() * RATE) as u64;
    let blocks = usize::try_from(until / u64::from(FRAMES))?;
    let mut seen = Seen {
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
        seen.times.add(time);
        if !messages.is_empty() || !out.messages.is_empty() {
            seen.busy.add(time);
        }
        seen.allocations = seen.allocations.zip(allocations).map(|(before, more)| before + more);
        let ons = |messages: &[Timed]| messages.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).count();
        seen.played += ons(&messages);
        seen.planned += ons(&out.messages) - ons(&messages);
        song.played += u64::from(FRAMES);
    }
    Ok(seen)
}

/// Presses Play half a bar before each plan of four bars is to begin, from the fourth bar on, for a beat.
fn press_play(host: &mut ClapHost, from: u64) {
    let in_plan = from % (PLAN * BAR);
    for (at, pressed) in [(PLAN * BAR - BAR / 2, 1.0), (PLAN * BAR - BAR / 4, 0.0)] {
        if (in_plan..in_plan + u64::from(FRAMES)).contains(&at) {
            host.set("Play", pressed);
        }
    }
}
