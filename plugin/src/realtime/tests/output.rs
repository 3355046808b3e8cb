//! Panic, and the output offset.

use super::*;

#[test]
fn panic_drops_pending_notes_and_tells_the_session_after_the_new_epoch() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 3, 1);
    instance.block(&[]);
    instance.sent_events();
    instance.set("panic", 1.0);
    instance.plan(1, 4, 1);
    assert!((0..4).all(|_| instance.block(&[]).is_empty()));
    let events = instance.sent_events();
    let at = MusicalTime(2.0);
    let expected = [InputEvent::PlanInvalidated { epoch: Epoch(2), at }, InputEvent::Command { at, command: Command::Panic }];
    assert_eq!(events[..2], expected);
}

#[test]
fn stop_drops_pending_notes_and_lets_a_sounding_one_end_within_a_beat() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 1, 60);
    instance.plan(1, 4, 1);
    assert_eq!(instance.block(&[]), [note_on(0, KEY, 90)]);
    instance.sent_events();
    instance.set("stop", 1.0);
    let out: Vec<_> = (2..60i64).flat_map(|block| instance.block(&[]).into_iter().map(move |event| (block, event))).collect();
    let &[(block, event)] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!((block, event.timing()), (2 + 24, note_off(0, KEY).timing()));
    let at = MusicalTime(2.0);
    let expected = [InputEvent::PlanYielded { epoch: Epoch(2), at }, InputEvent::Command { at, command: Command::Stop }];
    assert_eq!(instance.sent_events()[..2], expected);
}

#[test]
fn output_offset_moves_planned_notes_and_not_the_players() {
    // Normalised value and samples: 10 ms either way.
    for (value, offset) in [(0.4, -480i64), (0.6, 480)] {
        let mut instance = Instance::new();
        instance.set("latency_ms", value);
        instance.block(&[]);
        instance.plan(1, 3, 2);
        let other = MidiKey::new(0, 72).unwrap();
        let mut out = Vec::new();
        for block in 1..8i64 {
            let player = if block == 3 { vec![note_on(100, other, 50)] } else { Vec::new() };
            let base = block * i64::from(FRAMES);
            out.extend(instance.block(&player).into_iter().map(|event| (base + i64::from(event.timing()), event)));
        }
        let at = |sample: i64, event: fn(u32, MidiKey) -> Event| (sample, event(u32::try_from(sample % i64::from(FRAMES)).unwrap(), KEY));
        let mut expected =
            vec![(3100, note_on(100, other, 50)), at(3000 + offset, |at, key| note_on(at, key, 90)), at(5000 + offset, note_off)];
        expected.sort_by_key(|(sample, _)| *sample);
        assert_eq!(out, expected, "offset {offset}");
    }
}

#[test]
fn early_note_that_would_start_in_the_past_is_late() {
    let mut instance = Instance::new();
    instance.set("latency_ms", 0.0);
    instance.block(&[]);
    // 50 ms are 2.4 ticks.
    instance.plan_pitch(1, 3, 1, 60);
    instance.plan_pitch(1, 4, 1, 61);
    instance.block(&[]);
    let sounds = instance.port.sounds.len();
    assert_eq!((sounds, instance.realtime.meters.count(Count::Late)), (1, 1));
}

#[test]
fn loop_ends_the_notes_before_it_and_not_early_ones_of_the_next_round() {
    let mut instance = Instance::new();
    instance.set("latency_ms", 0.4);
    instance.host.cycle = Some((0.0, 4.0));
    instance.block(&[]);
    let other = MidiKey::new(0, 62).unwrap();
    instance.plan_pitch(1, 2, 100, 60);
    instance.plan_pitch(1, 4, 2, 62);
    instance.block(&[]);
    instance.block(&[]);
    assert_eq!(instance.block(&[]), [note_on(520, other, 90)]);
    instance.host.position = Position::Musical(0.0);
    assert_eq!(instance.block(&[]), [note_off(0, KEY)]);
    assert_eq!(instance.block(&[]), [note_off(520, other)]);
}
