//! Count of what the plug-in allocates in `process`.

use std::path::Path;
use std::time::{Duration, Instant};

use antiphon_engine::music::smf;
use antiphon_tests::win32::allocations;
use antiphon_tests::{Block, Class, Host, Lengths, RollingTransport, Setup, playback};
use anyhow::{Result, ensure};

use crate::hosts::Format;

/// Sample rate of the run, in hertz.
const SAMPLE_RATE: f64 = 48_000.0;
/// Time for the plug-in to load its model and plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// Plays a clip, presses Play, and plays on, in real time; counts what each block allocates.
pub(crate) fn count(format: Format, library: &Path, clip: &Path) -> Result<()> {
    let clip = smf::read_file(clip)?.clip;
    let mut host = format.host(library, Class::Instrument, Setup { sample_rate: SAMPLE_RATE, ..Setup::default() })?;
    allocations::watch(library)?;
    // The count works: making another instance allocates.
    let made = allocations::count(|| drop(format.host(library, Class::NoteFx, Setup::default())));
    println!("allocations of an instance {made}");
    let mut roll = RollingTransport::new(120.0, SAMPLE_RATE);
    let seam = playback::bar_line(&roll, 2);
    let until = roll.sample_of(seam.0 as f64);
    let messages = playback::to_messages(&clip, &roll, seam);
    let mut counted = Counting { host: &mut *host, calls: 0, blocks: 0 };
    let began = Instant::now();
    let paced = |played: u64, _| {
        let due = began + Duration::from_secs_f64(played as f64 / SAMPLE_RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    };
    let heard = roll.play(&mut counted, Lengths::Fixed(512), &messages, until, paced);
    counted.set("Play", 1.0);
    // A slow machine plans later; the plan sounds from the next bar on.
    let mut sounded = 0;
    while sounded == 0 && began.elapsed() < PATIENCE {
        let next = roll.played + 24_000;
        sounded = roll.play(&mut counted, Lengths::Fixed(512), &[], next, paced).len();
    }
    ensure!(!heard.is_empty() && sounded > 0, "nothing was passed on, or no plan sounded: {} and {sounded}", heard.len());
    println!("blocks {}", counted.blocks);
    println!("allocations in process {}", counted.calls);
    Ok(())
}

/// A host whose blocks are counted.
struct Counting<'a> {
    host: &'a mut dyn Host,
    /// Calls of the heap in all blocks.
    calls: u64,
    blocks: u64,
}

impl Host for Counting<'_> {
    fn process(&mut self, block: &Block<'_>) -> antiphon_tests::Outcome {
        let mut outcome = None;
        // What the host allocates goes through its own table of imports.
        self.calls += allocations::count(|| outcome = Some(self.host.process(block)));
        self.blocks += 1;
        outcome.expect("`count` ran it")
    }

    fn set(&mut self, name: &str, normalised: f64) {
        self.host.set(name, normalised);
    }

    fn get(&mut self, name: &str) -> f64 {
        self.host.get(name)
    }

    fn save(&mut self) -> Vec<u8> {
        self.host.save()
    }

    fn load(&mut self, chunk: &[u8]) -> bool {
        self.host.load(chunk)
    }

    fn write_back(&mut self) {
        self.host.write_back();
    }

    fn reset(&mut self) {
        self.host.reset();
    }

    fn reactivate(&mut self) {
        self.host.reactivate();
    }
}
