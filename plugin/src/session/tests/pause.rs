//! Pause of planning while nothing happens: no jobs, the shown plan waits, and whatever happens ends it.

use antiphon_engine::session::Command;

use super::script::{BAR, BEAT, ScriptedHost, stroke, tune};
use super::set;
use crate::meters::Count;

/// A player who plays two bars and rests.
fn resting(frames: u32, until: i64) -> ScriptedHost {
    let mut host = ScriptedHost::new(frames);
    host.play_to(until, &tune(0, 8));
    host
}

/// Onsets and pitches of the plan that is shown.
fn shown(host: &ScriptedHost) -> Vec<(i64, u8)> {
    let snapshot = host.shown();
    let plan = &snapshot.plan.as_ref().expect("a plan is shown").plan;
    plan.notes().iter().map(|note| (note.onset.0, note.pitch)).collect()
}

#[test]
fn silent_track_costs_no_job_from_four_bars_after_the_last_note_on() {
    // The last key goes up in the second bar: the first planning tick four bars later is a bar line.
    for frames in [16, 64, 480, 2048] {
        let mut host = resting(frames, 6 * BAR + BEAT);
        let (jobs, requests) = (host.script.jobs(), host.script.requests());
        let last = requests.last().unwrap().0.made_at.0;
        assert!((6 * BAR - 2 * BEAT..6 * BAR).contains(&last), "the last request was made at {last}, in blocks of {frames}");
        assert!(host.status().remark.is_some_and(|remark| remark.starts_with("Resting")), "in blocks of {frames}");
        let ticks = host.status().plans.ticks;
        host.play_to(40 * BAR, &[]);
        assert_eq!((host.script.jobs(), host.status().plans.ticks), (jobs, ticks), "in blocks of {frames}");
    }
}

#[test]
fn track_without_a_note_costs_no_job_but_that_of_loading() {
    let mut host = ScriptedHost::new(500);
    host.play_to(BAR, &[]);
    // The start of the transport cancels the loading, and it is asked for again.
    let loading = host.script.jobs();
    assert!(loading <= 2, "{loading} jobs");
    host.play_to(20 * BAR, &[]);
    assert_eq!((host.script.jobs(), host.script.requests().len()), (loading, 0));
    assert_eq!(host.status().remark, None);
}

#[test]
fn held_key_is_no_silence() {
    let mut host = ScriptedHost::new(500);
    host.play_to(10 * BAR, &stroke(0, 9 * BAR, 60));
    let last = host.script.requests().last().unwrap().0.made_at.0;
    assert!(last >= 10 * BAR - 2 * BEAT, "{last}");
}

#[test]
fn shown_plan_waits_and_play_plays_it_from_the_next_bar() {
    let mut host = resting(500, 6 * BAR + BEAT);
    let before = shown(&host);
    assert!(before.iter().all(|(onset, _)| *onset >= 7 * BAR), "{before:?}");
    host.play_to(20 * BAR + 30, &[]);
    let waits = shown(&host);
    assert_eq!(waits, before.iter().map(|(onset, pitch)| (onset + 14 * BAR, *pitch)).collect::<Vec<_>>());
    let jobs = host.script.jobs();
    host.press("play");
    host.play_to(21 * BAR - BEAT - 1, &[]);
    assert_eq!(host.script.jobs(), jobs, "the shown plan is there, and waits for the bar line");
    host.play_to(21 * BAR - 1, &[]);
    assert_eq!(shown(&host), waits, "the shown plan is the one that plays");
    host.play_to(22 * BAR, &[]);
    let sounded: Vec<_> = host.planned().into_iter().map(|(onset, pitch, _)| (onset, pitch)).collect();
    assert_eq!(sounded, waits.into_iter().filter(|(onset, _)| *onset < 22 * BAR).collect::<Vec<_>>());
    assert_eq!([Count::Late, Count::Stale].map(|count| host.count(count)), [0; 2]);
    assert!(host.script.jobs() > jobs, "what follows is planned again");
}

#[test]
fn note_another_or_a_control_ends_the_pause_at_the_next_planning_tick() {
    let cases: [fn(&mut ScriptedHost); 4] = [
        |host| host.play_to(20 * BAR + 10, &stroke(20 * BAR + 4, 4, 72)),
        |host| host.press("another"),
        |host| host.commands.send(Command::Another),
        |host| set(&host.params, "density", 0.5),
    ];
    for (number, happens) in cases.into_iter().enumerate() {
        let mut host = resting(500, 20 * BAR);
        let before = host.script.requests().len();
        happens(&mut host);
        host.play_to(20 * BAR + BEAT + 6, &[]);
        let requests = host.script.requests();
        assert_eq!(requests[before..].iter().map(|(brief, _)| brief.made_at.0).collect::<Vec<_>>(), [20 * BAR + BEAT], "case {number}");
    }
}

#[test]
fn answer_rests_after_its_phrase_until_the_player_returns() {
    let mut host = ScriptedHost::new(500);
    set(&host.params, "mode", 0.25);
    host.play_to(12 * BAR, &tune(0, 8));
    let planned = host.planned().len();
    assert!(planned >= 12, "{planned} notes of the answer");
    let jobs = host.script.jobs();
    host.play_to(30 * BAR, &[]);
    assert_eq!((host.script.jobs(), host.planned().len()), (jobs, planned));
    host.play_to(36 * BAR, &tune(30 * BAR, 4));
    assert!(host.planned().len() > planned, "it answers again");
}

#[test]
fn accompaniment_stops_with_the_player_and_begins_with_the_player() {
    let mut host = ScriptedHost::new(500);
    set(&host.params, "mode", 0.75);
    host.play_to(8 * BAR, &tune(0, 8));
    let jobs = host.script.jobs();
    let last = host.planned().last().unwrap().0;
    assert!((6 * BAR..8 * BAR).contains(&last), "it goes on for four bars and plays out the last plan: {last}");
    host.play_to(30 * BAR, &[]);
    assert_eq!((host.script.jobs(), host.planned().last().unwrap().0), (jobs, last));
    host.play_to(32 * BAR, &tune(30 * BAR, 4));
    assert!(host.planned().last().unwrap().0 >= 30 * BAR);
}

#[test]
fn trade_rests_in_the_players_turns_alone() {
    let mut host = ScriptedHost::new(500);
    set(&host.params, "mode", 0.5);
    host.play_to(40 * BAR, &tune(0, 8));
    let turns: Vec<i64> = host.planned().iter().map(|(onset, ..)| onset / BAR).collect();
    assert!(turns.last().is_some_and(|bar| *bar >= 36), "Antiphon keeps its turns: {turns:?}");
}

#[test]
fn extension_of_a_kept_plan_is_due_a_beat_before_it_begins() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR + BEAT + 6, &tune(0, 9));
    host.press("play");
    host.play_to(6 * BAR, &[]);
    let requests = host.script.requests();
    let due = host.script.beats_until_due();
    let mut far = 0;
    for ((brief, _), beats) in requests.iter().zip(due) {
        let ahead = (brief.start - brief.made_at).0 / BEAT;
        assert!(beats >= 0.99 && beats <= (ahead.max(2) - 1) as f64 + 0.01, "{ahead} beats ahead, due in {beats}");
        far += usize::from(beats > 1.5);
    }
    assert!(far > 0, "no bar was requested far ahead");
}
