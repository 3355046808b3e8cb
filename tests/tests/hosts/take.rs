//! The take: what sounded in one pass is rendered again, in both formats, with the real engine.

use antiphon_tests::{Block, Class, Host, Lengths, Message, Render, RollingTransport, Setup, Timed, Transport};

use crate::engine::{self, clip};
use crate::{LOADED, Make, assert_in_order, still_held};

const TEMPO: f64 = 133.0;
/// Sample rate in hertz.
const RATE: f64 = 44_100.0;
/// Ticks per bar of 4/4.
const BAR: f64 = 96.0;
/// Bars of the song.
const BARS: f64 = 6.0;
/// Steps of the Take parameter as normalised values.
const REPLAY: f64 = 0.5;
const OVERWRITE: f64 = 1.0;

/// Plays two bars of the clip in a song of six bars, and stops; `at_bar_2` is called when the clip ends. Returns the output without the clip.
fn render(host: &mut dyn Host, lengths: Lengths, at_bar_2: impl Fn(&mut dyn Host)) -> Vec<Timed> {
    let mut song = RollingTransport::new(TEMPO, RATE);
    let per_tick = engine::BAR as f64 / BAR;
    let until = song.sample_of(2.0 * BAR);
    let at = |sample: u64| song.sample_of(sample as f64 / per_tick).min(until - 1);
    let played: Vec<_> = clip(2).iter().map(|timed| Timed { sample: at(timed.sample), ..*timed }).collect();
    let mut sent = song.play(host, lengths, &played, until, |_, _| ());
    at_bar_2(host);
    sent.extend(song.play(host, lengths, &[], song.sample_of(BARS * BAR), |_, _| ()));
    let stopped = Transport { playing: false, ..song.transport() };
    let last = host.process(&Block { frames: 64, transport: Some(stopped), ..Block::default() }).messages;
    sent.extend(last.iter().map(|timed| Timed { sample: timed.sample + song.played, ..*timed }));
    assert_in_order(&sent);
    assert_eq!(still_held(&sent), []);
    sent.retain(|timed| !played.contains(timed));
    sent
}

/// A project in whose take a suggestion was recorded, and what sounded.
fn recorded(make: Make) -> (Vec<u8>, Vec<Timed>) {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    host.set("Take", OVERWRITE);
    let sounded = render(&mut *host, Lengths::Fixed(512), |host| host.set("Play", 1.0));
    (host.save(), sounded)
}

/// A render of the project's take in a new instance, without Play.
fn replayed(make: Make, project: &[u8], render_mode: Render, lengths: Lengths) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: render_mode, ..Setup::default() });
    assert!(host.load(project));
    host.set("Play", 0.0);
    host.set("Take", REPLAY);
    // The host is activated before it loads: a block with the transport stopped lets the take arrive.
    let stopped = Transport { playing: false, ..RollingTransport::new(TEMPO, RATE).transport() };
    for _ in 0..100 {
        host.process(&Block { frames: 64, transport: Some(stopped), ..Block::default() });
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    render(&mut *host, lengths, |_| ())
}

/// Note-ons, which must be equal to the sample.
fn starts(sounded: &[Timed]) -> Vec<Timed> {
    sounded.iter().copied().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).collect()
}

#[test]
fn replayed_take_equals_what_sounded_in_any_render() {
    for (format, make) in LOADED {
        let (project, sounded) = recorded(make);
        assert!(starts(&sounded).len() >= 12, "{format}: {} notes", starts(&sounded).len());
        let offline = replayed(make, &project, Render::Offline, Lengths::Fixed(512));
        assert_eq!(starts(&offline), starts(&sounded), "{format}");
        // Ends are kept to an eighth of a tick.
        let slack = RollingTransport::new(TEMPO, RATE).sample_of(0.125) + 1;
        let ends = |sounded: &[Timed]| {
            let ends = sounded.iter().filter(|timed| matches!(timed.message, Message::NoteOff { .. }));
            let mut ends: Vec<u64> = ends.map(|timed| timed.sample).collect();
            ends.sort_unstable();
            ends
        };
        let (recorded, again) = (ends(&sounded), ends(&offline));
        assert_eq!(recorded.len(), again.len(), "{format}");
        assert!(recorded.iter().zip(&again).all(|(one, other)| one.abs_diff(*other) <= slack), "{format}: {recorded:?} {again:?}");
        // A host that renders without saying so, at other block lengths.
        for (mode, lengths) in
            [(Render::Offline, Lengths::Random(4)), (Render::RealTime, Lengths::Fixed(64)), (Render::RealTime, Lengths::Fixed(2048))]
        {
            assert_eq!(replayed(make, &project, mode, lengths), offline, "{format}, {mode:?}, {lengths:?}");
        }
    }
}
