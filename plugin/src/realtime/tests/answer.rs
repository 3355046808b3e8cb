//! Answer: the plan gives way to the player.

use super::*;

/// An instance in Answer, with a planned note that sounds from tick 1 to 1001 and one that starts at tick 9.
fn answering() -> Instance {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.sound();
    instance.plan_pitch(1, 9, 5, 48);
    instance.block(&[]);
    instance.sent_events();
    instance
}

#[test]
fn player_who_returns_in_answer_drops_the_plan_and_what_sounds_ends_a_beat_later() {
    let mut instance = answering();
    let played = note_on(250, MidiKey::new(0, 72).unwrap(), 90);
    assert_eq!(instance.block(&[played]), [played], "what sounds is not cut");
    let events = instance.sent_events();
    let at = MusicalTime(3.25);
    assert_eq!(events[0], InputEvent::PlanYielded { epoch: Epoch(2), at });
    assert!(matches!(events[1], InputEvent::NoteOn { at: on, .. } if on == at));
    // What the session sent before it knew.
    instance.plan_pitch(1, 12, 5, 50);
    let out: Vec<_> = (0..60).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick + 4, event))).collect();
    assert_eq!(out, [(27, note_off(250, KEY))]);
    assert!(instance.sent_events().contains(&InputEvent::NoteEnded { at: MusicalTime(27.25), key: KEY }));
    assert_eq!(instance.session.meters.count(Count::Stale), 1);
    // What it sends then, plays.
    instance.plan_pitch(2, 65, 5, 50);
    assert_eq!((0..3).flat_map(|_| instance.block(&[])).count(), 1);
}

#[test]
fn note_that_ends_before_the_beat_is_over_keeps_its_end_in_answer() {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.block(&[]);
    instance.plan(1, 1, 10);
    instance.block(&[]);
    instance.block(&[note_on(0, MidiKey::new(0, 72).unwrap(), 90)]);
    let out: Vec<_> = (3..20).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick, event))).collect();
    assert_eq!(out, [(11, note_off(0, KEY))]);
    assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::NoteEnded { .. })));
}

#[test]
fn planned_note_due_when_the_player_returns_does_not_start() {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.block(&[]);
    instance.plan(1, 1, 10);
    let played = note_on(0, MidiKey::new(0, 72).unwrap(), 90);
    assert_eq!(instance.block(&[played]), [played]);
}

#[test]
fn plan_does_not_give_way_in_other_modes() {
    for mode in [0.0, 0.5, 0.75] {
        let mut instance = Instance::new();
        instance.set("mode", mode);
        instance.sound();
        instance.sent_events();
        instance.block(&[note_on(250, MidiKey::new(0, 72).unwrap(), 90)]);
        assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::PlanYielded { .. })), "{mode}");
    }
}

#[test]
fn note_ends_a_beat_after_the_player_returns_whatever_the_output_offset() {
    for step in [0.3, 0.5, 0.7] {
        let mut instance = Instance::new();
        instance.set("mode", 0.25);
        // 20 milliseconds early, none, or late.
        instance.set("latency_ms", step);
        instance.block(&[]);
        instance.plan(1, 2, 1000);
        for _ in 1..6 {
            instance.block(&[]);
        }
        instance.block(&[note_on(250, MidiKey::new(0, 72).unwrap(), 90)]);
        let out: Vec<_> = (7..60).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick, event))).collect();
        assert_eq!(out, [(30, note_off(250, KEY))], "at step {step}");
    }
}
