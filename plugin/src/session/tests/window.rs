//! What is pressed in the window, with the transport rolling and at rest.

use antiphon_engine::plan::{Entry, Step};
use antiphon_engine::session::Command;

use super::script::{BAR, BEAT, Stand, pitch_of, stroke};
use super::set;
use crate::port::Event;

/// A player who strikes another key on every beat.
fn tune(beats: u8) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(i64::from(beat) * BEAT, 18, 60 + beat)).collect()
}

/// The planned notes that have sounded and ended.
fn planned(stand: &Stand) -> usize {
    let keys = pitch_of(0)..=pitch_of(19);
    stand.sounded().iter().filter(|(_, pitch, _)| keys.contains(pitch)).count()
}

/// An instance that has kept a plan, and whose host stopped after that.
fn stopped() -> Stand {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR + 6, &tune(8));
    stand.commands.send(Command::Keep);
    stand.play_to(3 * BAR, &[]);
    stand.playing = false;
    stand.play_to(3 * BAR + BEAT, &[]);
    assert!(stand.params.state.history().entries().iter().any(Entry::is_starred));
    assert_eq!(planned(&stand), 0);
    stand
}

#[test]
fn play_in_the_window_starts_a_clock_that_stands_and_plays_what_was_gone_back_to() {
    let mut stand = stopped();
    stand.commands.send(Command::Step(Step::Older));
    stand.commands.send(Command::Play);
    stand.play_to(6 * BAR, &[]);
    assert!(planned(&stand) >= 4, "{} notes sounded", planned(&stand));
    assert!(stand.params.state.history().recalled().is_none(), "what plays is what is planned now");
}

#[test]
fn play_in_the_window_of_a_bypassed_instance_plays_nothing_then_or_later() {
    let mut stand = stopped();
    set(&stand.params, "bypass", 1.0);
    stand.play_to(3 * BAR + 2 * BEAT, &[]);
    stand.commands.send(Command::Step(Step::Older));
    stand.commands.send(Command::Play);
    stand.play_to(4 * BAR, &[]);
    set(&stand.params, "bypass", 0.0);
    stand.play_to(5 * BAR, &[]);
    stand.playing = true;
    stand.play_to(8 * BAR, &[]);
    assert_eq!(planned(&stand), 0);
}

#[test]
fn commands_from_before_there_was_a_session_are_dropped() {
    let mut stand = Stand::with_commands(500, &[Command::Play, Command::Keep]);
    stand.play_to(4 * BAR, &tune(8));
    assert_eq!((planned(&stand), stand.status().remark), (0, None));
    assert!(!stand.params.state.history().entries().iter().any(Entry::is_starred));
}
