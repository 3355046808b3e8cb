//! Memory of the player: a figure of an earlier session comes back in what the real engine plays.

use std::collections::BTreeSet;

use antiphon_tests::{Block, Class, Host, Lengths, Message, Render, RollingTransport, Setup, Timed, Transport};

use crate::engine::{BAR, FRAMES, RATE};
use crate::history::saved;
use crate::{LOADED, Make};

/// A figure that no model plays by itself, in quavers.
const FIGURE: [u8; 8] = [61, 74, 66, 79, 61, 78, 67, 73];

/// The first notes of so many bars of the figure.
fn figure(notes: u64) -> Vec<Timed> {
    let stroke = |index: u64| {
        let (channel, key) = (0, FIGURE[usize::try_from(index % 8).unwrap()]);
        let at = index * BAR / 8;
        let on = Message::NoteOn { channel, key, velocity: 0.7 };
        let off = Message::NoteOff { channel, key, velocity: 0.0 };
        [Timed { sample: at, message: on }, Timed { sample: at + BAR / 10, message: off }]
    };
    (0..notes).flat_map(stroke).collect()
}

fn offline(make: Make) -> Box<dyn Host> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    host
}

/// A project in which the figure was played for six bars.
fn project(make: Make) -> Vec<u8> {
    let mut host = offline(make);
    let mut song = RollingTransport::new(120.0, RATE);
    song.play(&mut *host, Lengths::Fixed(FRAMES), &figure(48), 6 * BAR, |_, _| ());
    let stopped = Transport { playing: false, ..song.transport() };
    // The session has handled the stop when the next block begins.
    for _ in 0..2 {
        host.process(&Block { frames: FRAMES, transport: Some(stopped), ..Block::default() });
    }
    host.save()
}

const SEEDS: [f64; 6] = [0.1, 0.2, 0.3, 0.5, 0.7, 0.9];

/// Keys that are struck after Play, of a project with this amount of memory and this seed, once the figure's beginning was played.
fn answer(make: Make, project: &[u8], amount: f64, seed: f64) -> Vec<u8> {
    let mut host = offline(make);
    assert!(host.load(project));
    host.set("Seed", seed);
    host.set("Memory", amount);
    let mut song = RollingTransport::new(120.0, RATE);
    let played = figure(4);
    song.play(&mut *host, Lengths::Fixed(FRAMES), &played, BAR, |_, _| ());
    host.set("Play", 1.0);
    let sent = song.play(&mut *host, Lengths::Fixed(FRAMES), &[], 4 * BAR, |_, _| ());
    let struck = sent.iter().filter_map(|timed| match timed.message {
        Message::NoteOn { key, .. } => Some(key),
        _ => None,
    });
    struck.collect()
}

/// Steps of the figure: pairs of its keys that follow each other.
fn steps(keys: &[u8]) -> usize {
    let figure: BTreeSet<_> = FIGURE.iter().zip(FIGURE.iter().cycle().skip(1)).collect();
    keys.windows(2).filter(|pair| figure.contains(&(&pair[0], &pair[1]))).count()
}

#[test]
fn figure_of_an_earlier_session_comes_back_as_far_as_memory_is_turned_up() {
    let mut answers = Vec::new();
    for (format, make) in LOADED {
        let project = project(make);
        let remembered = saved(&project)["memory"].as_array().map_or(0, Vec::len);
        assert_eq!(remembered, 1, "{format}: phrases in the project");
        // One answer may go elsewhere.
        let [off, full] = [0.0, 1.0].map(|amount| SEEDS.map(|seed| answer(make, &project, amount, seed)));
        let [without, with] = [&off, &full].map(|answers| {
            assert!(answers.iter().map(Vec::len).sum::<usize>() >= 6 * SEEDS.len(), "{format}: {answers:?}");
            answers.iter().map(|keys| steps(keys)).sum::<usize>()
        });
        assert!(with > without, "{format}: {without} steps without, {with} with: {off:?} {full:?}");
        answers.push((off, full));
    }
    assert_eq!(answers[0], answers[1], "both formats play the same");
}
