//! On a machine that does not keep up, less is asked for, and nothing sounds late.

use super::script::{BAR, BEAT, Stand, stroke};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// A player who never does what was foreseen: a plan is made at every planning tick.
fn restless(from: i64, until: i64) -> Vec<(u32, Event)> {
    (from / BEAT..until / BEAT).flat_map(|beat| stroke(beat * BEAT, 12, u8::try_from(60 + beat * 5 % 40).unwrap())).collect()
}

/// The briefs since a tick: bars ahead of the next bar line, and beats until the plan begins.
fn asked_since(stand: &Stand, from: i64) -> Vec<(i64, i64)> {
    let asked = stand.script.asked().into_iter().map(|(brief, _)| brief).filter(|brief| brief.made_at.0 >= from);
    let line = |tick: i64| (tick / BAR + 1) * BAR;
    asked.map(|brief| ((brief.end.0 - line(brief.made_at.0)) / BAR, (brief.start - brief.made_at).0 / BEAT)).collect()
}

#[test]
fn the_horizon_shrinks_first_then_the_planning_ticks_thin_out_and_both_come_back() {
    let mut stand = Stand::new(1000);
    let until = 16 * BAR;
    stand.play_to(2 * BAR, &restless(0, 2 * BAR));
    assert_eq!(stand.status().plans.late, 0);
    assert_eq!(stand.status().remark, None);
    // A bar takes longer than a beat, and less than two.
    stand.script.cost(30);
    stand.play_to(until, &restless(2 * BAR, until));
    let mut steps = asked_since(&stand, BAR);
    steps.dedup();
    assert_eq!(steps, [(4, 1), (2, 1), (1, 1), (1, 2)]);
    let slow = stand.status();
    assert!(slow.remark.as_deref().is_some_and(|remark| remark.contains("1 bars ahead, every 2 beats")), "{slow:?}");
    let late = slow.plans.late;
    assert!((1..8).contains(&late), "{late} plans were late");
    assert!(slow.plans.on_time > 15, "{slow:?}");

    // The machine has time again.
    stand.script.cost(0);
    let later = 80 * BAR;
    stand.play_to(later, &restless(until, later));
    let mut steps = asked_since(&stand, until);
    steps.dedup();
    assert_eq!(steps, [(1, 2), (1, 1), (2, 1), (4, 1)]);
    assert_eq!((stand.status().plans.late, stand.status().remark), (late, None));
}

#[test]
fn nothing_sounds_late_however_slow_the_engine_is() {
    for cost in [0, 5, 20, 30, 60, 120, 1000] {
        let mut stand = Stand::new(500);
        stand.play_to(2 * BAR, &restless(0, 2 * BAR));
        stand.script.cost(cost);
        stand.press("play");
        for bar in 2..16 {
            stand.play_to((bar + 1) * BAR, &restless(bar * BAR + BEAT, (bar + 1) * BAR));
            // Now and then it is to play, or another is asked for.
            stand.press(if bar % 3 == 0 { "another" } else { "play" });
        }
        assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| stand.count(count)), [0; 3], "at cost {cost}");
        let planned = stand.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT == 6).count();
        assert!(planned >= 12, "at cost {cost} only {planned} notes sounded");
        let out_of_place: Vec<_> = stand.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT != 6).collect();
        assert_eq!(out_of_place, [], "at cost {cost}");
    }
}

#[test]
fn play_begins_although_only_one_bar_is_planned_at_every_bar_line() {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR, &restless(0, 2 * BAR));
    // A bar takes hardly less than a bar.
    stand.script.cost(80);
    let strained = 20 * BAR;
    stand.play_to(strained, &restless(2 * BAR, strained));
    assert!(asked_since(&stand, strained - BAR).iter().all(|asked| *asked == (1, 4)));
    assert_eq!(planned(&stand), []);
    // Once before the plan of the next bar line has come, once after it has.
    for (bar, beat) in [(20, 1), (24, 3)] {
        let pressed = bar * BAR + beat * BEAT + 20;
        stand.play_to(pressed, &restless(bar * BAR, pressed));
        let before = planned(&stand).len();
        stand.press("play");
        let later = (bar + 4) * BAR;
        stand.play_to(later, &restless(pressed + 2 * BEAT, later));
        let onsets: Vec<_> = planned(&stand)[before..].iter().map(|(onset, _, _)| onset - (bar + 1) * BAR).collect();
        assert_eq!(onsets, [6, 30, 54, 78], "pressed in bar {bar}");
    }
    assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| stand.count(count)), [0; 3]);
}

#[test]
fn on_such_a_machine_play_pressed_while_it_plays_goes_on_with_the_next_bar() {
    let mut stand = Stand::new(500);
    stand.play_to(2 * BAR, &restless(0, 2 * BAR));
    stand.script.cost(80);
    for bar in 2..26 {
        let beat = bar * BAR + BEAT;
        stand.play_to(beat, &restless(bar * BAR, beat));
        if bar >= 20 {
            stand.press("play");
        }
        stand.play_to((bar + 1) * BAR, &restless(beat + BEAT, (bar + 1) * BAR));
    }
    stand.play_to(28 * BAR, &restless(26 * BAR, 28 * BAR));
    let onsets: Vec<_> = planned(&stand).into_iter().map(|(onset, _, _)| onset).collect();
    let expected: Vec<_> = (21 * BAR..27 * BAR).filter(|tick| tick % BEAT == 6).collect();
    assert_eq!(onsets, expected);
    assert_eq!([Count::Late, Count::Stale, Count::NoRoom].map(|count| stand.count(count)), [0; 3]);
}

#[test]
fn play_pressed_too_near_a_bar_line_begins_at_the_one_after_it_and_loses_nothing() {
    // A block of a beat reaches from before the bar line to beyond its first note.
    let mut stand = Stand::new(24_000);
    let pressed = 3 * BAR - 12;
    stand.play_to(pressed, &restless(0, pressed));
    set(&stand.params, "play", 1.0);
    stand.play_to(pressed + BEAT, &[]);
    set(&stand.params, "play", 0.0);
    stand.play_to(6 * BAR, &[]);
    let onsets: Vec<_> = planned(&stand).into_iter().take(4).map(|(onset, _, _)| onset - 4 * BAR).collect();
    assert_eq!(onsets, [6, 30, 54, 78]);
    assert_eq!(stand.count(Count::Late), 0);
}

/// The script's notes that sounded.
fn planned(stand: &Stand) -> Vec<(i64, u8, i64)> {
    stand.sounded().into_iter().filter(|(_, pitch, _)| *pitch < 60).collect()
}
