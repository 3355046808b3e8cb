//! Entries written into the history, and commands on a recalled entry.

use antiphon_engine::plan::{Entry, Reason, Step};

use super::script::{BAR, BEAT, ScriptedHost, stroke};
use super::set;
use crate::port::Event;
use antiphon_engine::session::Command;

/// A player who strikes another key on every beat.
fn tune(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 18, u8::try_from(60 + beat % 12).unwrap())).collect()
}

fn entries(host: &ScriptedHost) -> Vec<Entry> {
    host.params.state.history().entries().to_vec()
}

/// Why each entry was written, and where its plan starts.
fn written(host: &ScriptedHost) -> Vec<(Reason, i64)> {
    entries(host).iter().map(|entry| (entry.reason(), entry.plan().brief.start.0)).collect()
}

#[test]
fn plan_at_the_end_of_a_phrase_is_written_once() {
    let mut host = ScriptedHost::new(1000);
    // The last note ends at tick 162.
    host.play_to(2 * BAR, &tune(0, 7));
    assert_eq!(written(&host), []);
    host.play_to(6 * BAR, &[]);
    // The first plan whose context holds the whole phrase was requested at tick 168.
    assert_eq!(written(&host), [(Reason::PhraseEnd, 192)]);
    let plan = entries(&host)[0].plan().clone();
    assert!(plan.is_complete() && plan.notes().len() >= 12, "{plan:?}");
    host.play_to(8 * BAR, &tune(6 * BAR, 4));
    host.play_to(12 * BAR, &[]);
    assert_eq!(written(&host), [(Reason::PhraseEnd, 192), (Reason::PhraseEnd, 7 * BAR + BEAT)]);
}

#[test]
fn adopted_plan_is_written_when_the_mode_changes() {
    let mut host = ScriptedHost::new(1000);
    host.play_to(2 * BAR, &tune(0, 8));
    set(&host.params, "mode", 0.25);
    host.play_to(2 * BAR + 6, &[]);
    assert_eq!(written(&host).len(), 1);
    assert_eq!(entries(&host)[0].reason(), Reason::PhraseEnd);
}

#[test]
fn played_kept_and_rerolled_plans_are_written() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 40));
    host.press("keep");
    let kept = entries(&host);
    assert_eq!((kept.len(), kept[0].reason(), kept[0].is_starred()), (1, Reason::Kept, true));
    host.play_to(3 * BAR + 6, &tune(0, 40));
    host.press("another");
    assert_eq!(written(&host).iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [Reason::Kept, Reason::Rerolled]);
    host.play_to(4 * BAR + 6, &tune(0, 40));
    host.press("play");
    // The plan is latched a beat before the bar line.
    host.play_to(5 * BAR, &tune(0, 40));
    assert_eq!(written(&host).last().unwrap().0, Reason::Played);
    // Each knows its bar, as the host counts.
    for entry in entries(&host) {
        let (start, line) = (entry.start().0, entry.place().line.0);
        assert_eq!((line, entry.place().bar), (start / BAR * BAR, start / BAR + 1));
    }
}

#[test]
fn phrase_that_is_played_is_written_from_the_bar_line_at_which_play_began() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 40));
    host.press("play");
    host.play_to(3 * BAR + 6, &tune(0, 40));
    let shown = host.shown();
    let shown = shown.plan.as_ref().unwrap();
    assert!(shown.playing && shown.plan.brief.start.0 < 3 * BAR, "{:?}", shown.plan.brief);
    assert_eq!(shown.sounds_from.0, 3 * BAR);
    let entry = entries(&host).into_iter().find(|entry| entry.reason() == Reason::Played).unwrap();
    assert!(entry.plan().is_same(&shown.plan), "the plan stays whole");
    assert_eq!((entry.start().0, entry.place().line.0, entry.place().bar), (3 * BAR, 3 * BAR, 4));
    // Played again, it begins on the bar line with the same notes.
    host.play_to(8 * BAR + 6, &[]);
    let first: Vec<_> = host.planned().into_iter().map(|(_, pitch, _)| pitch).collect();
    host.commands.send(Command::Step(Step::To(entry.id())));
    host.commands.send(Command::Play);
    host.play_to(14 * BAR, &[]);
    let again: Vec<_> = host.planned().into_iter().filter(|(onset, ..)| *onset >= 9 * BAR).collect();
    assert_eq!(again.first().map(|(onset, ..)| *onset), host.planned().first().map(|(onset, ..)| onset + 6 * BAR));
    assert_eq!(again.iter().map(|(_, pitch, _)| *pitch).collect::<Vec<_>>(), first);
}

#[test]
fn phrase_that_takes_over_from_one_that_plays_is_written_as_played() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 40));
    host.press("play");
    host.play_to(3 * BAR + 6, &tune(0, 40));
    host.press("another");
    host.play_to(4 * BAR, &tune(0, 40));
    let played: Vec<_> = entries(&host).into_iter().filter(|entry| entry.reason() == Reason::Played).collect();
    assert_eq!(played.len(), 2, "the one that was replaced sounded, too: {:?}", written(&host));
    assert_eq!(played[1].start(), played[1].plan().brief.start);
    assert!(played[1].start().0 > 3 * BAR + 6);
}

#[test]
fn phrase_of_the_history_waits_behind_the_one_that_plays_and_both_are_shown() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 8));
    host.press("keep");
    host.press("play");
    host.play_to(3 * BAR + 6, &[]);
    let kept = entries(&host).into_iter().find(Entry::is_starred).unwrap();
    host.commands.send(Command::Step(Step::To(kept.id())));
    host.commands.send(Command::Play);
    host.play_to(3 * BAR + 30, &[]);
    let shown = host.shown();
    let shown_plan = shown.plan.as_ref().unwrap();
    assert_eq!((shown_plan.playing, shown_plan.sounds_from.0, shown.play_from), (true, 3 * BAR, None), "one of them sounds");
    let onsets = |from, to| shown_plan.plan.between(antiphon_engine::music::Tick(from), antiphon_engine::music::Tick(to)).len();
    assert!(onsets(3 * BAR, 4 * BAR) > 0 && onsets(4 * BAR, 6 * BAR) > 0, "{:?}", shown_plan.plan);
    host.play_to(4 * BAR + BEAT, &[]);
    let sounded = host.planned().into_iter().filter(|(onset, ..)| *onset < 4 * BAR).count();
    assert_eq!(sounded, onsets(3 * BAR, 4 * BAR));
}

#[test]
fn kept_plan_is_extended_by_notes_generated_later() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 8));
    // The near bar is there in time, the others are not.
    host.script.cost(20);
    let pressed = 3 * BAR + 2;
    host.play_to(pressed, &tune(2 * BAR + BEAT, 2));
    host.press("keep");
    let kept = |host: &ScriptedHost| entries(host).into_iter().find(Entry::is_starred).unwrap();
    let early = kept(&host);
    assert!(!early.plan().is_complete(), "{early:?}");
    // The latched plan is completed.
    host.press("play");
    host.script.cost(0);
    host.play_to(pressed + BAR, &[]);
    let late = kept(&host);
    assert_eq!((late.id(), late.plan().ready()), (early.id(), early.plan().brief.end));
    assert!(late.plan().notes().len() > early.plan().notes().len());
}

#[test]
fn keep_toggles_the_star_of_a_recalled_entry_and_another_leaves_it() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 40));
    host.press("keep");
    let state = host.params.state.clone();
    // The player goes on, so that a plan other than the kept one is shown.
    host.play_to(3 * BAR + 6, &tune(0, 40));
    host.commands.send(Command::Step(Step::Older));
    host.play_to(3 * BAR + 18, &tune(0, 40));
    assert!(state.history().recalled().is_some());
    host.press("keep");
    assert!(!entries(&host)[0].is_starred());
    host.play_to(4 * BAR, &tune(0, 40));
    host.press("keep");
    assert!(entries(&host)[0].is_starred());
    host.play_to(5 * BAR, &tune(0, 40));
    host.press("another");
    assert!(state.history().recalled().is_none());
}

#[test]
fn entry_is_starred_removed_and_put_back_by_commands_of_the_window() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + 6, &tune(0, 8));
    host.commands.send(Command::Keep);
    host.play_to(2 * BAR + 12, &[]);
    let id = entries(&host)[0].id();
    let state = |host: &ScriptedHost| entries(host).iter().map(Entry::is_starred).collect::<Vec<_>>();
    let mut at = 2 * BAR + 12;
    for (command, expected) in [
        (Command::Star(id), vec![false]),
        (Command::Star(id), vec![true]),
        (Command::Remove(id), vec![]),
        (Command::Star(id), vec![]),
        (Command::PutBack(id), vec![true]),
    ] {
        host.commands.send(command);
        at += 3;
        host.play_to(at, &[]);
        assert_eq!(state(&host), expected, "{command:?}");
    }
}
