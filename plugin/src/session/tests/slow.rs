//! Load shedding on a slow machine: smaller requests, and no late notes.

use super::script::{BAR, BEAT, ScriptedHost, Strikes, stroke, tune};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// A player who never follows the plan: a plan is requested at every planning tick.
fn restless(from: i64, until: i64) -> Vec<(u32, Event)> {
    (from / BEAT..until / BEAT).flat_map(|beat| stroke(beat * BEAT, 12, u8::try_from(60 + beat * 5 % 40).unwrap())).collect()
}

/// The briefs since a tick: bars ahead of the next bar line, and beats until the plan begins.
fn requests_since(host: &ScriptedHost, from: i64) -> Vec<(i64, i64)> {
    let requests = host.script.requests().into_iter().map(|(brief, _)| brief).filter(|brief| brief.made_at.0 >= from);
    let line = |tick: i64| (tick / BAR + 1) * BAR;
    requests.map(|brief| ((brief.end.0 - line(brief.made_at.0)) / BAR, (brief.start - brief.made_at).0 / BEAT)).collect()
}

#[test]
fn horizon_then_planning_interval_adapt_to_load_and_recover() {
    let mut host = ScriptedHost::new(1000);
    let until = 16 * BAR;
    host.play_to(2 * BAR, &restless(0, 2 * BAR));
    assert_eq!(host.status().plans.late, 0);
    assert_eq!(host.status().remark, None);
    // A bar takes longer than a beat, and less than two.
    host.script.cost(30);
    host.play_to(until, &restless(2 * BAR, until));
    let mut steps = requests_since(&host, BAR);
    steps.dedup();
    assert_eq!(steps[..4], [(4, 1), (2, 1), (1, 1), (1, 2)]);
    // After that more is tried now and then.
    assert!(steps[4..].iter().all(|step| [(1, 1), (1, 2)].contains(step)), "{steps:?}");
    let slow = host.status();
    assert!(slow.remark.as_deref().is_some_and(|remark| remark.contains("Catching up: planning 1 bar ahead")), "{slow:?}");
    let late = slow.plans.late;
    assert!((1..8).contains(&late), "{late} plans were late");
    assert!(slow.plans.on_time > 15, "{slow:?}");

    // The machine is fast again.
    host.script.cost(0);
    let later = 80 * BAR;
    host.play_to(later, &restless(until, later));
    let mut steps = requests_since(&host, until);
    steps.dedup();
    assert!(steps.ends_with(&[(1, 1), (2, 1), (4, 1)]), "{steps:?}");
    assert_eq!((host.status().plans.late, host.status().remark), (late, None));
}

#[test]
fn no_note_is_late_at_any_engine_speed() {
    for cost in [0, 5, 20, 30, 60, 120, 1000] {
        let mut host = ScriptedHost::new(500);
        host.play_to(2 * BAR, &restless(0, 2 * BAR));
        host.script.cost(cost);
        host.press("play");
        for bar in 2..16 {
            host.play_to((bar + 1) * BAR, &restless(bar * BAR + BEAT, (bar + 1) * BAR));
            // Play and Another by turns.
            host.press(if bar % 3 == 0 { "another" } else { "play" });
        }
        assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| host.count(count)), [0; 3], "at cost {cost}");
        let planned = host.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT == 6).count();
        assert!(planned >= 12, "at cost {cost} only {planned} notes sounded");
        let out_of_place: Vec<_> = host.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT != 6).collect();
        assert_eq!(out_of_place, [], "at cost {cost}");
    }
}

#[test]
fn bar_that_comes_too_late_for_its_first_note_is_missed_whole() {
    let (answer, trade, accompany) = (0.25, 0.5, 0.75);
    // A bar takes about a beat, which is all that the first of a plan has.
    for (mode, cost) in [answer, trade, accompany].into_iter().flat_map(|mode| [20, 23, 24, 25, 32].map(move |cost| (mode, cost))) {
        let mut host = ScriptedHost::new(250);
        host.script.strike(Strikes::BeforeTheBeat);
        set(&host.params, "mode", mode);
        set(&host.params, "horizon", 0.0);
        host.script.cost(cost);
        for bar in (0..16).step_by(4) {
            host.play_to((bar + 4) * BAR, &tune(bar * BAR, 5));
        }
        assert_eq!(host.count(Count::Late), 0, "mode {mode} at cost {cost}");
        assert!(host.planned().len() >= 4, "mode {mode} at cost {cost}: {:?}", host.planned());
        // In time by a tick, or not at all.
        assert_eq!(host.status().plans.late > 0, cost >= 24, "mode {mode} at cost {cost}: {:?}", host.status().plans);
    }
}

#[test]
fn play_with_a_one_bar_horizon_begins_at_the_next_bar_line() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR, &restless(0, 2 * BAR));
    // A bar takes hardly less than a bar.
    host.script.cost(80);
    let strained = 20 * BAR;
    host.play_to(strained, &restless(2 * BAR, strained));
    assert!(requests_since(&host, strained - BAR).iter().all(|request| *request == (1, 4)));
    assert_eq!(host.planned(), []);
    // Once before the plan of the next bar line has come, once after it has.
    for (bar, beat) in [(20, 1), (24, 3)] {
        let pressed = bar * BAR + beat * BEAT + 20;
        host.play_to(pressed, &restless(bar * BAR, pressed));
        let before = host.planned().len();
        host.press("play");
        let later = (bar + 4) * BAR;
        host.play_to(later, &restless(pressed + 2 * BEAT, later));
        let onsets: Vec<_> = host.planned()[before..].iter().map(|(onset, _, _)| onset - (bar + 1) * BAR).collect();
        assert_eq!(onsets, [6, 30, 54, 78], "pressed in bar {bar}");
    }
    assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| host.count(count)), [0; 3]);
}

#[test]
fn play_pressed_again_on_a_slow_machine_continues_with_the_next_bar() {
    let mut host = ScriptedHost::new(500);
    host.play_to(2 * BAR, &restless(0, 2 * BAR));
    host.script.cost(80);
    for bar in 2..26 {
        let beat = bar * BAR + BEAT;
        host.play_to(beat, &restless(bar * BAR, beat));
        if bar >= 20 {
            host.press("play");
        }
        host.play_to((bar + 1) * BAR, &restless(beat + BEAT, (bar + 1) * BAR));
    }
    host.play_to(28 * BAR, &restless(26 * BAR, 28 * BAR));
    let onsets: Vec<_> = host.planned().into_iter().map(|(onset, _, _)| onset).collect();
    let expected: Vec<_> = (21 * BAR..27 * BAR).filter(|tick| tick % BEAT == 6).collect();
    assert_eq!(onsets, expected);
    assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| host.count(count)), [0; 3]);
}

#[test]
fn play_pressed_too_near_a_bar_line_begins_whole_at_the_one_after() {
    // A block of a beat reaches from before the bar line to beyond its first note.
    let mut host = ScriptedHost::new(24_000);
    let pressed = 3 * BAR - 12;
    host.play_to(pressed, &restless(0, pressed));
    set(&host.params, "play", 1.0);
    host.play_to(pressed + BEAT, &[]);
    set(&host.params, "play", 0.0);
    host.play_to(6 * BAR, &[]);
    let onsets: Vec<_> = host.planned().into_iter().take(4).map(|(onset, _, _)| onset - 4 * BAR).collect();
    assert_eq!(onsets, [6, 30, 54, 78]);
    assert_eq!(host.count(Count::Late), 0);
}
