//! Commands of the editor window, with the transport rolling and stopped.

use antiphon_engine::music::{Metre, Tick};
use antiphon_engine::plan::{Entry, Step};
use antiphon_engine::session::Command;

use super::script::{BAR, BEAT, ScriptedHost, pitch_of, stroke};
use super::set;
use crate::port::Event;

/// A player who strikes another key on every beat.
fn tune(beats: u8) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(i64::from(beat) * BEAT, 18, 60 + beat)).collect()
}

/// The planned notes that have sounded and ended.
fn planned(host: &ScriptedHost) -> usize {
    let keys = pitch_of(0)..=pitch_of(19);
    host.sounded().iter().filter(|(_, pitch, _)| keys.contains(pitch)).count()
}

/// An instance that has kept a plan, and whose host stopped after that.
fn stopped() -> ScriptedHost {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(8));
    host.commands.send(Command::Keep);
    host.play_to(3 * BAR, &[]);
    host.playing = false;
    host.play_to(3 * BAR + BEAT, &[]);
    assert!(host.params.state.history().entries().iter().any(Entry::is_starred));
    assert_eq!(planned(&host), 0);
    host
}

#[test]
fn play_from_the_window_starts_a_stopped_clock_with_the_recalled_plan() {
    let mut host = stopped();
    host.commands.send(Command::Step(Step::Older));
    host.commands.send(Command::Play);
    host.play_to(6 * BAR, &[]);
    assert!(planned(&host) >= 4, "{} notes sounded", planned(&host));
    assert!(host.params.state.history().recalled().is_none(), "playing a recalled plan ends the recall");
}

#[test]
fn play_from_the_window_of_a_bypassed_instance_plays_nothing_then_or_later() {
    let mut host = stopped();
    set(&host.params, "bypass", 1.0);
    host.play_to(3 * BAR + 2 * BEAT, &[]);
    host.commands.send(Command::Step(Step::Older));
    host.commands.send(Command::Play);
    host.play_to(4 * BAR, &[]);
    set(&host.params, "bypass", 0.0);
    host.play_to(5 * BAR, &[]);
    host.playing = true;
    host.play_to(8 * BAR, &[]);
    assert_eq!(planned(&host), 0);
}

#[test]
fn commands_sent_before_the_session_are_dropped() {
    let mut host = ScriptedHost::with_commands(500, &[Command::Play, Command::Keep]);
    host.play_to(4 * BAR, &tune(8));
    assert_eq!((planned(&host), host.status().remark), (0, None));
    assert!(!host.params.state.history().entries().iter().any(Entry::is_starred));
}

#[test]
fn bars_go_on_in_number_after_a_change_of_metre_and_return_in_a_loop_of_them() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR, &tune(8));
    host.metre = Metre::new(3, 4);
    host.play_to(2 * BAR + 3 * 72 + 6, &[]);
    let numbers = |host: &ScriptedHost| host.shown().bars.iter().map(|shown| (shown.bar.start.0, shown.number)).collect::<Vec<_>>();
    assert_eq!(numbers(&host), [(0, 1), (96, 2), (192, 3), (264, 4), (336, 5), (408, 6)]);
    host.cycle = Some((192, 408));
    host.play_to(2 * BAR + 4 * 72, &[]);
    assert_eq!(host.shown().song_loop, Some((3, 6)));
    let open = host.shown().bar_at(Tick(host.now() - 1));
    assert_eq!(open.number, 3, "{open:?}");
}

#[test]
fn bar_line_at_which_play_takes_effect_is_shown_until_the_plan_sounds() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(8));
    assert_eq!(host.shown().play_from, None);
    host.commands.send(Command::Play);
    host.play_to(2 * BAR + 30, &[]);
    assert_eq!(host.shown().play_from, Some(antiphon_engine::music::Tick(3 * BAR)));
    host.play_to(3 * BAR + 30, &[]);
    assert_eq!(host.shown().play_from, None);
    assert!(host.shown().plan.as_ref().unwrap().playing);
}
