//! Memory per further instance, each with the engine at work for as many bars as its cache holds.

use std::path::Path;

use antiphon_tests::machine::{self, Memory};
use antiphon_tests::{Block, ClapHost, Class, Host, Message, Render, RollingTransport, Setup, Timed};
use anyhow::{Result, ensure};

use crate::{BAR, RATE, TEMPO, inside, played};

/// Number of instances.
const INSTANCES: usize = 8;
/// Bars each one plays: the cache holds 33 in full, so more would add little.
const BARS: u64 = 40;
/// Samples per block.
const FRAMES: u32 = 2048;
/// Bar from which planning uses the default horizon of four bars, and from which the plan is played.
const LAST: u64 = BARS - 6;

pub(crate) fn report(library: &Path) -> Result<()> {
    let clip = played(&RollingTransport::new(TEMPO, RATE))?;
    let mut hosts = Vec::new();
    let mut readings = vec![machine::memory()];
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!("\n{:<20} {:>10} {:>10} {:>22}", "memory, in MiB", "resident", "its share", "more than before");
    println!("{:<20} {:>10.1} {:>10.1}", "no instance", mebibytes(readings[0].resident), mebibytes(readings[0].proportional));
    for number in 1..=INSTANCES {
        let (host, planned) = instance(library, &clip)?;
        ensure!(planned > 0, "instance {number} planned nothing in {BARS} bars: is ONNX Runtime there?");
        hosts.push(host);
        let (now, before) = (machine::memory(), readings[readings.len() - 1]);
        println!(
            "{:<20} {:>10.1} {:>10.1} {:>10.1} {:>10.1}",
            format!("instance {number}"),
            mebibytes(now.resident),
            mebibytes(now.proportional),
            mebibytes(now.resident) - mebibytes(before.resident),
            mebibytes(now.proportional) - mebibytes(before.proportional)
        );
        readings.push(now);
    }
    let further = |what: fn(&Memory) -> u64| {
        let grown = what(&readings[INSTANCES]) as f64 - what(&readings[1]) as f64;
        grown / f64::from(1 << 20) / (INSTANCES - 1) as f64
    };
    println!(
        "each further instance: {:.1} resident, {:.1} its share",
        further(|memory| memory.resident),
        further(|memory| memory.proportional)
    );
    Ok(())
}

/// An instance that has played its bars, and the number of planned notes played. An offline render, which waits for every plan.
fn instance(library: &Path, clip: &[Timed]) -> Result<(ClapHost, usize)> {
    let setup = Setup { sample_rate: RATE, longest_block: FRAMES, render: Render::Offline };
    let mut host = ClapHost::bundled(library, Class::Instrument, setup)?;
    let mut song = RollingTransport::new(TEMPO, RATE);
    let four_bars = host.get("Bars ahead");
    host.set("Bars ahead", 0.0);
    let falls = |at: u64, from: u64| (from..from + u64::from(FRAMES)).contains(&at);
    let mut planned = 0;
    while song.played < BARS * BAR {
        if falls(LAST * BAR, song.played) {
            host.set("Bars ahead", four_bars);
        }
        for (at, pressed) in [(LAST * BAR + BAR / 2, 1.0), (LAST * BAR + BAR, 0.0)] {
            if falls(at, song.played) {
                host.set("Play", pressed);
            }
        }
        let messages = inside(clip, song.played, FRAMES);
        let block = Block { frames: FRAMES, transport: Some(song.transport()), messages: &messages, ..Block::default() };
        let out = host.process(&block).messages;
        let ons = |messages: &[Timed]| messages.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).count();
        planned += ons(&out) - ons(&messages);
        song.played += u64::from(FRAMES);
    }
    Ok((host, planned))
}
