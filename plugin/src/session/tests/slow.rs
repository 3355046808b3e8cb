//! On a machine that does not keep up, less is asked for, and nothing sounds late.

use super::script::{BAR, BEAT, Stand, stroke};
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
    assert_eq!(stand.status().punctuality.late, 0);
    assert_eq!(stand.status().remark, None);
    // A bar takes longer than a beat, and less than two.
    stand.script.cost(30);
    stand.play_to(until, &restless(2 * BAR, until));
    let mut steps = asked_since(&stand, BAR);
    steps.dedup();
    assert_eq!(steps, [(4, 1), (2, 1), (1, 1), (1, 2)]);
    let slow = stand.status();
    assert!(slow.remark.as_deref().is_some_and(|remark| remark.contains("1 bars ahead, every 2 beats")), "{slow:?}");
    let late = slow.punctuality.late;
    assert!((1..8).contains(&late), "{late} plans were late");
    assert!(slow.punctuality.on_time > 15, "{slow:?}");

    // The machine has time again.
    stand.script.cost(0);
    let later = 80 * BAR;
    stand.play_to(later, &restless(until, later));
    let mut steps = asked_since(&stand, until);
    steps.dedup();
    assert_eq!(steps, [(1, 2), (1, 1), (2, 1), (4, 1)]);
    assert_eq!((stand.status().punctuality.late, stand.status().remark), (late, None));
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
        assert_eq!([Count::Late, Count::Stale, Count::Crowded].map(|count| stand.count(count)), [0; 3], "at cost {cost}");
        let planned = stand.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT == 6).count();
        assert!(planned >= 12, "at cost {cost} only {planned} notes sounded");
        let out_of_place: Vec<_> = stand.sounded().into_iter().filter(|(onset, pitch, _)| *pitch < 60 && onset % BEAT != 6).collect();
        assert_eq!(out_of_place, [], "at cost {cost}");
    }
}
