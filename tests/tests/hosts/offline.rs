//! Renders to a file: as fast as the machine can, and with every note. CLAP only: nice-plug tells a VST3 plug-in of the setup before the last
//! one, so there the plug-in never waits.

use antiphon_tests::{Block, Class, Lengths, Render, Roll, Setup, Timed, Transport};

use crate::engine::{BAR, RATE, clip};
use crate::{LOADED, Make, assert_in_order, still_held};

/// Plays the clip, presses Play and lets three bars of the answer sound: what comes out besides the clip.
fn render(make: Make, lengths: Lengths) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    let (mut song, played) = (Roll::new(120.0, RATE), clip(2));
    let mut sent = song.play(&mut *host, lengths, &played, 2 * BAR, |_, _| ());
    host.set("Play", 1.0);
    sent.extend(song.play(&mut *host, lengths, &[], 6 * BAR, |_, _| ()));
    let stopped = Transport { playing: false, ..song.transport() };
    let last = host.process(&Block { frames: 64, transport: Some(stopped), ..Block::default() }).messages;
    sent.extend(last.iter().map(|timed| Timed { sample: timed.sample + song.played, ..*timed }));
    assert_in_order(&sent);
    assert_eq!(still_held(&sent), []);
    assert!(played.iter().all(|timed| sent.contains(timed)));
    sent.retain(|timed| !played.contains(timed));
    sent
}

#[test]
fn a_render_has_every_note_whatever_the_blocks() {
    let [(_, clap), _] = LOADED;
    let rendered = render(clap, Lengths::Fixed(2048));
    assert!(rendered.len() >= 24, "{} messages", rendered.len());
    let [first, last] = [rendered.first(), rendered.last()].map(|timed| timed.unwrap().sample);
    assert!(first >= 3 * BAR - OFFSET && last > 5 * BAR, "from {first} to {last}");
    assert_eq!(rendered, render(clap, Lengths::Random(3)));
}

/// A note may be played up to half a tick before its place: 500 samples.
const OFFSET: u64 = 500;
