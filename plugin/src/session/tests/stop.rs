//! Stop and Panic, by trigger and in the window.

use antiphon_engine::session::Command;
use nice_plug::midi::NoteEvent;

use super::script::{BAR, BEAT, ScriptedHost, stroke, tune};
use super::set;
use crate::port::Event;

/// A button of the host's, or of the window.
type Press = fn(&mut ScriptedHost);

const STOP: [Press; 2] = [|host| host.press("stop"), |host| host.commands.send(Command::Stop)];
const PANIC: [Press; 2] = [|host| host.press("panic"), |host| host.commands.send(Command::Panic)];

/// Planned notes that sound.
fn sounding(host: &ScriptedHost) -> usize {
    let count = |is: fn(&Event) -> bool| host.out.iter().filter(|(_, event)| is(event)).count();
    count(|event| matches!(event, NoteEvent::NoteOn { .. })) - count(|event| matches!(event, NoteEvent::NoteOff { .. }))
}

/// A host in which a planned note has begun at tick 6 of beat 1 of bar 4, and lasts twenty.
fn playing(offset: f32) -> ScriptedHost {
    let mut host = ScriptedHost::new(500);
    set(&host.params, "latency_ms", offset);
    host.play_to(2 * BAR + 6, &tune(0, 8));
    host.press("play");
    host.play_to(3 * BAR + 12, &[]);
    assert_eq!(sounding(&host), 1, "{offset}");
    host
}

#[test]
fn panic_ends_everything_until_play_is_pressed_again() {
    for (index, panic) in PANIC.into_iter().enumerate() {
        for offset in [0.0, 0.5, 1.0] {
            let mut host = playing(offset);
            panic(&mut host);
            host.play_to(3 * BAR + 14, &[]);
            let events = host.out.len();
            assert_eq!(sounding(&host), 0, "{index} {offset}");
            host.play_to(7 * BAR, &[]);
            assert_eq!(host.out.len(), events, "{index} {offset}: a planned note after panic");
            host.press("play");
            host.play_to(9 * BAR, &[]);
            assert!(host.out.len() > events, "{index} {offset}: silent after Play");
        }
    }
}

#[test]
fn stop_lets_what_sounds_end_by_itself_and_begins_nothing_more() {
    for (index, stop) in STOP.into_iter().enumerate() {
        for offset in [0.0, 0.5, 1.0] {
            let mut host = playing(offset);
            let plan = host.shown().plan.as_ref().unwrap().plan.clone();
            stop(&mut host);
            host.play_to(3 * BAR + 20, &[]);
            assert_eq!(sounding(&host), 1, "{index} {offset}: cut");
            let shown = host.shown();
            assert!(shown.is_stopped && shown.plan.as_ref().is_some_and(|shown| !shown.playing), "{index} {offset}");
            assert_eq!(shown.plan.as_ref().unwrap().plan.brief.start, plan.brief.start, "the plan stays");
            host.play_to(7 * BAR, &[]);
            assert_eq!(sounding(&host), 0, "{index} {offset}");
            assert!(host.planned().iter().all(|note| note.0 < 3 * BAR + 12), "{index} {offset}: a planned note after Stop");
            host.press("play");
            host.play_to(9 * BAR, &[]);
            assert!(host.planned().last().is_some_and(|note| note.0 > 8 * BAR), "{index} {offset}: silent after Play");
            assert!(!host.shown().is_stopped);
        }
    }
}

#[test]
fn play_that_waits_for_its_bar_line_can_be_stopped() {
    for stop in STOP {
        let mut host = ScriptedHost::new(500);
        host.play_to(2 * BAR + 6, &tune(0, 8));
        host.press("play");
        host.play_to(2 * BAR + BEAT, &[]);
        assert!(host.shown().play_from.is_some());
        stop(&mut host);
        host.play_to(5 * BAR, &[]);
        assert_eq!((host.planned(), host.shown().play_from), (Vec::new(), None));
    }
}

/// A player who strikes a key above the script's on every beat.
fn hands(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 12, u8::try_from(61 + beat * 5 % 40).unwrap())).collect()
}

/// Beats from this one on in which planned notes begin.
fn beats(host: &ScriptedHost, from: i64) -> Vec<i64> {
    host.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 61 && *onset >= from).map(|(onset, ..)| (onset - from) / BEAT).collect()
}

#[test]
fn modes_that_play_by_themselves_are_silent_from_stop_or_panic_to_play() {
    for (mode, name) in [(0.5, "Trade"), (0.75, "Accompany")] {
        for press in [STOP, PANIC].concat() {
            let mut host = ScriptedHost::new(500);
            set(&host.params, "mode", mode);
            set(&host.params, "trade_bars", 0.0);
            let player = hands(0, 40);
            host.play_to(3 * BAR + 2 * BEAT + 14, &player);
            assert!(beats(&host, 3 * BAR).contains(&1), "{name} plays in the fourth bar");
            press(&mut host);
            host.play_to(7 * BAR + 14, &player);
            assert_eq!(beats(&host, 3 * BAR + 3 * BEAT), [0i64; 0], "{name}");
            assert!(host.shown().is_stopped);
            host.press("play");
            host.play_to(10 * BAR, &player);
            assert!(beats(&host, 7 * BAR + 14).len() >= 4, "{name} plays after Play: {:?}", beats(&host, 7 * BAR + 14));
        }
    }
}

#[test]
fn mode_that_is_chosen_after_stop_plays() {
    let mut host = ScriptedHost::new(500);
    set(&host.params, "mode", 0.5);
    set(&host.params, "trade_bars", 0.0);
    let player = hands(0, 40);
    host.play_to(3 * BAR + 14, &player);
    host.press("stop");
    host.play_to(4 * BAR, &player);
    set(&host.params, "mode", 0.75);
    host.play_to(7 * BAR, &player);
    assert!(beats(&host, 4 * BAR).len() >= 8, "{:?}", beats(&host, 4 * BAR));
}
