//! The loaded plug-in with the real engine: it captures, plans, and plays on request.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::smf;
use antiphon_engine::session::Component;
use antiphon_tests::linked::take_observer;
use antiphon_tests::{Block, Class, Host, Lengths, Render, RollingTransport, Setup, Timed, library, playback};

use crate::{LOADED, Make, OBSERVED, assert_in_order, playing, sorted, still_held};

/// Set in the process without ONNX Runtime.
const WITHOUT: &str = "ANTIPHON_TEST_WITHOUT";
pub(crate) const RATE: f64 = 48_000.0;
/// Samples per block: 10 ms.
pub(crate) const FRAMES: u32 = 480;
/// Samples per bar of 4/4 at 120 bpm.
pub(crate) const BAR: u64 = 96_000;

/// The first bars of the demo clip, as a keyboard player's messages.
pub(crate) fn clip(bars: u32) -> Vec<Timed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/pop.mid");
    let roll = RollingTransport::new(120.0, RATE);
    playback::to_messages(&smf::read_file(&path).unwrap().clip, &roll, playback::bar_line(&roll, bars))
}

/// Plays in real time up to a sample.
pub(crate) fn roll(host: &mut dyn Host, roll: &mut RollingTransport, messages: &[Timed], until: u64) -> Vec<Timed> {
    let (began, from) = (Instant::now(), roll.played);
    roll.play(host, Lengths::Fixed(FRAMES), messages, until, |now, _| {
        let due = began + Duration::from_secs_f64((now - from) as f64 / RATE);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    })
}

fn capture_and_answer(format: &str, make: Make) {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
    host.set("Seed", 0.3);
    let mut song = RollingTransport::new(120.0, RATE);
    let played = clip(3);
    assert!(played.len() > 20);
    let captured = roll(&mut *host, &mut song, &played, 3 * BAR);
    assert_eq!(sorted(&captured), sorted(&played), "{format}: it plays before Play, or does not pass the player's notes");

    host.set("Play", 1.0);
    let mut answered = Vec::new();
    // A slow machine may need more bars.
    while answered.len() < 16 && song.played < 40 * BAR {
        let until = song.played + BAR;
        answered.extend(roll(&mut *host, &mut song, &[], until));
    }
    assert!(answered.len() >= 16, "{format}: {} messages", answered.len());
    let stopped = antiphon_tests::Transport { playing: false, ..song.transport() };
    let last = host.process(&Block { frames: FRAMES, transport: Some(stopped), ..Block::default() }).messages;
    answered.extend(last.iter().map(|timed| Timed { sample: timed.sample + song.played, ..*timed }));
    assert_in_order(&answered);
    assert_eq!(still_held(&answered), [], "{format}");
    for _ in 0..100 {
        let silence = host.process(&Block { frames: FRAMES, transport: Some(stopped), ..Block::default() }).messages;
        assert_eq!(silence, [], "{format}: there is output after stop");
    }
}

#[test]
fn plug_in_passes_the_player_and_answers_after_play() {
    assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
    std::thread::scope(|scope| {
        for (format, make) in LOADED {
            scope.spawn(move || capture_and_answer(format, make));
        }
    });
}

#[test]
fn instances_can_be_removed_while_they_decode() {
    for (format, make) in LOADED {
        let played = clip(4);
        for count in [2, 8] {
            let mut hosts: Vec<_> =
                (0..count).map(|index| (make(Class::ALL[index % 2], Setup::default()), RollingTransport::new(120.0, RATE))).collect();
            while !hosts.is_empty() {
                let from = hosts[0].1.played;
                // Half a bar: planning ticks pass, and more is requested than can be generated in time.
                for (host, song) in &mut hosts {
                    let mine: Vec<_> = played.iter().filter(|timed| (from..from + BAR / 2).contains(&timed.sample)).copied().collect();
                    let sent = song.play(&mut **host, Lengths::Fixed(FRAMES), &mine, from + BAR / 2, |_, _| ());
                    assert_eq!(sorted(&sent), sorted(&mine), "{format}");
                }
                std::thread::sleep(Duration::from_millis(15));
                drop(hosts.swap_remove(hosts.len() / 2));
            }
        }
    }
}

#[test]
fn missing_runtime_leaves_thru_working_and_is_reported() {
    if std::env::var_os(WITHOUT).is_some() {
        for (format, make) in LOADED {
            let played = playing(21, 4 * BAR, 16);
            for render in [Render::RealTime, Render::Offline] {
                let mut host = make(Class::NoteFx, Setup { sample_rate: RATE, render, ..Setup::default() });
                host.set("Play", 1.0);
                let sent = RollingTransport::new(120.0, RATE).play(&mut *host, Lengths::Fixed(2048), &played, 4 * BAR, |_, _| {
                    std::thread::sleep(Duration::from_millis(1));
                });
                assert_eq!(sorted(&sent), sorted(&played), "{format}, {render:?}");
            }
        }
        for (format, make) in OBSERVED {
            let mut host = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
            let observer = take_observer();
            // The engine is not used before something is played.
            let mut song = RollingTransport::new(120.0, RATE);
            let missing = loop {
                let until = song.played + BAR;
                song.play(&mut *host, Lengths::Fixed(2048), &[], until, |_, _| std::thread::sleep(Duration::from_millis(1)));
                if let Component::Missing { what, looked_in } = &observer.snapshot.latest().status.engine {
                    break format!("{what} {}", looked_in.join(" "));
                }
                assert!(
                    song.played < 1_000 * BAR,
                    "{format}: the status line does not say what is missing: {:?}",
                    observer.snapshot.latest().status
                );
            };
            let named = std::env::var(RUNTIME_VARIABLE).unwrap();
            assert!(missing.contains(&named), "{format}: {missing}");
        }
        return;
    }
    let name = "engine::missing_runtime_leaves_thru_working_and_is_reported";
    // A missing file, and a library that is not ONNX Runtime.
    for runtime in [PathBuf::from("/nowhere/libonnxruntime.so"), library::path()] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(WITHOUT, "1").env(RUNTIME_VARIABLE, &runtime);
        let outcome = command.args(["--exact", name]).output().unwrap();
        let text = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.status.success() && text.contains("1 passed"), "{}: {text}", runtime.display());
    }
}
