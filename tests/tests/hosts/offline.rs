//! Offline renders: as fast as possible, and complete.

use antiphon_tests::linked::take_wait_count;
use antiphon_tests::{Block, Class, Host, Lengths, Render, RollingTransport, Setup, Timed, Transport, Vst3Host};

use crate::engine::{self, clip};
use crate::{LOADED, Make, assert_in_order, still_held};

/// With this tempo and sample rate, positions drift if they are rounded block by block.
const TEMPO: f64 = 133.0;
/// Sample rate in hertz.
const RATE: f64 = 44_100.0;
/// Ticks per bar of 4/4.
const BAR: f64 = 96.0;

/// Plays the clip, presses Play and renders three bars of the answer; returns the output without the clip.
pub(crate) fn render(make: Make, lengths: Lengths) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    let mut song = RollingTransport::new(TEMPO, RATE);
    let per_tick = engine::BAR as f64 / BAR;
    let until = song.sample_of(2.0 * BAR);
    let at = |sample: u64| song.sample_of(sample as f64 / per_tick).min(until - 1);
    let played: Vec<_> = clip(2).iter().map(|timed| Timed { sample: at(timed.sample), ..*timed }).collect();
    let mut sent = song.play(&mut *host, lengths, &played, until, |_, _| ());
    host.set("Play", 1.0);
    sent.extend(song.play(&mut *host, lengths, &[], song.sample_of(6.0 * BAR), |_, _| ()));
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
fn offline_render_is_the_same_at_any_block_length() {
    let [(_, clap), (_, vst3)] = LOADED;
    let rendered = render(clap, Lengths::Fixed(2048));
    assert!(rendered.len() >= 24, "{} messages", rendered.len());
    let [first, last] = [rendered.first(), rendered.last()].map(|timed| timed.unwrap().sample);
    // A note may be up to half a tick early.
    let song = RollingTransport::new(TEMPO, RATE);
    assert!(first >= song.sample_of(3.0 * BAR - 0.5) && last > song.sample_of(5.0 * BAR), "from {first} to {last}");
    assert_eq!(rendered, render(clap, Lengths::Random(3)));
    assert_eq!(rendered, render(vst3, Lengths::Fixed(512)));
    // Set up for real time.
    let freewheeling: Make = |class, setup| {
        let mut host = Vst3Host::loaded(class, Setup { render: Render::RealTime, ..setup });
        host.set_render(Render::Offline);
        Box::new(host)
    };
    assert_eq!(rendered, render(freewheeling, Lengths::Fixed(512)));
}

#[test]
fn vst3_block_rendered_offline_waits_whatever_the_set_up_mode() {
    for set_up in [Render::RealTime, Render::Offline] {
        let mut host = Vst3Host::with_manual_session(Class::Instrument, Setup { render: set_up, ..Setup::default() });
        let _ = take_wait_count();
        let mut waits = |render| {
            host.set_render(render);
            host.process(&Block { frames: 64, ..Block::default() });
            take_wait_count()
        };
        let modes = [Render::RealTime, Render::Offline, Render::Offline, Render::RealTime];
        assert_eq!(modes.map(&mut waits), [0, 1, 1, 0], "set up for {set_up:?}");
    }
}
