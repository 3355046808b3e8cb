//! What is written into the history, and what the buttons do with what was gone back to.

use antiphon_engine::plan::{Entry, Reason, Step};

use super::script::{BAR, BEAT, Stand, stroke};
use super::set;
use crate::port::Event;
use antiphon_engine::session::Command;

/// A player who strikes another key on every beat.
fn tune(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 18, u8::try_from(60 + beat % 12).unwrap())).collect()
}

fn entries(stand: &Stand) -> Vec<Entry> {
    stand.params.state.history().entries().to_vec()
}

/// Why each entry was written, and where its plan starts.
fn written(stand: &Stand) -> Vec<(Reason, i64)> {
    entries(stand).iter().map(|entry| (entry.reason(), entry.plan().brief.start.0)).collect()
}

#[test]
fn the_plan_at_the_end_of_a_phrase_is_written_down_once() {
    let mut stand = Stand::new(1000);
    // The last note ends at tick 162.
    stand.play_to(2 * BAR, &tune(0, 7));
    assert_eq!(written(&stand), []);
    stand.play_to(6 * BAR, &[]);
    // The first plan that has heard all of the phrase was made at tick 168.
    assert_eq!(written(&stand), [(Reason::PhraseEnd, 192)]);
    let plan = entries(&stand)[0].plan().clone();
    assert!(plan.is_complete() && plan.notes().len() >= 12, "{plan:?}");
    stand.play_to(8 * BAR, &tune(6 * BAR, 4));
    stand.play_to(12 * BAR, &[]);
    assert_eq!(written(&stand), [(Reason::PhraseEnd, 192), (Reason::PhraseEnd, 7 * BAR + BEAT)]);
}

#[test]
fn the_plan_that_stood_when_the_song_went_on_elsewhere_is_written_down() {
    let mut stand = Stand::new(1000);
    stand.play_to(2 * BAR, &tune(0, 8));
    set(&stand.params, "mode", 0.25);
    stand.play_to(2 * BAR + 6, &[]);
    assert_eq!(written(&stand).len(), 1);
    assert_eq!(entries(&stand)[0].reason(), Reason::PhraseEnd);
}

#[test]
fn what_is_heard_kept_and_passed_over_is_written_down() {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR + 6, &tune(0, 40));
    stand.press("keep");
    let kept = entries(&stand);
    assert_eq!((kept.len(), kept[0].reason(), kept[0].is_starred()), (1, Reason::Kept, true));
    stand.play_to(3 * BAR + 6, &tune(0, 40));
    stand.press("another");
    assert_eq!(written(&stand).iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [Reason::Kept, Reason::Rerolled]);
    stand.play_to(4 * BAR + 6, &tune(0, 40));
    stand.press("play");
    // It is settled a beat before the bar line.
    stand.play_to(5 * BAR, &tune(0, 40));
    assert_eq!(written(&stand).last().unwrap().0, Reason::Played);
    // Each knows its bar, as the host counts.
    for entry in entries(&stand) {
        let (start, line) = (entry.plan().brief.start.0, entry.place().line.0);
        assert_eq!((line, entry.place().bar), (start / BAR * BAR, start / BAR + 1));
    }
}

#[test]
fn what_comes_of_a_plan_after_it_was_kept_is_kept_too() {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR + 6, &tune(0, 8));
    // The near bar is there in time, the others are not.
    stand.script.cost(20);
    let moment = 3 * BAR + 2;
    stand.play_to(moment, &tune(2 * BAR + BEAT, 2));
    stand.press("keep");
    let kept = |stand: &Stand| entries(stand).into_iter().find(Entry::is_starred).unwrap();
    let early = kept(&stand);
    assert!(!early.plan().is_complete(), "{early:?}");
    // What plays is completed.
    stand.press("play");
    stand.script.cost(0);
    stand.play_to(moment + BAR, &[]);
    let late = kept(&stand);
    assert_eq!((late.id(), late.plan().ready()), (early.id(), early.plan().brief.end));
    assert!(late.plan().notes().len() > early.plan().notes().len());
}

#[test]
fn keep_lets_go_of_what_was_gone_back_to_and_another_leaves_it() {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR + 6, &tune(0, 40));
    stand.press("keep");
    let state = stand.params.state.clone();
    // The player plays on, so that another plan than the kept one is shown.
    stand.play_to(3 * BAR + 6, &tune(0, 40));
    stand.commands.send(Command::Step(Step::Older));
    stand.play_to(3 * BAR + 18, &tune(0, 40));
    assert!(state.history().recalled().is_some());
    stand.press("keep");
    assert!(!entries(&stand)[0].is_starred());
    stand.play_to(4 * BAR, &tune(0, 40));
    stand.press("keep");
    assert!(entries(&stand)[0].is_starred());
    stand.play_to(5 * BAR, &tune(0, 40));
    stand.press("another");
    assert!(state.history().recalled().is_none());
}
