//! Learnt triggers.

use super::*;

#[test]
fn learnt_triggers_press_their_buttons_at_their_sample_and_go_no_further() {
    let mut instance = Instance::new();
    let pedal = |timing, value| NoteEvent::MidiCC { timing, channel: 0, cc: 64, value };
    let key = MidiKey::new(0, 24).unwrap();
    let learnt =
        [(Button::Play, Trigger::Key { channel: 0, pitch: 24 }), (Button::Another, Trigger::Controller { channel: 0, number: 64 })];
    instance.params.state.triggers.restore(&learnt.into());
    instance.host.playing = false;
    instance.block(&[]);
    instance.sent_events();
    let played = [note_on(300, key, 90), pedal(400, 1.0), note_on(500, KEY, 90), note_off(600, key), pedal(700, 0.0)];
    assert_eq!(instance.block(&played), [note_on(500, KEY, 90)]);
    let sent = instance.sent_events();
    let [
        InputEvent::TransportChange { .. },
        InputEvent::Command { command: Command::Play, at },
        InputEvent::Command { command: Command::Another, at: later },
        InputEvent::NoteOn { key: KEY, .. },
        ..,
    ] = sent[..]
    else {
        panic!("{sent:?}")
    };
    // The clock started with Play.
    assert!((later.0 - at.0 - 0.1).abs() < 1e-6, "{at:?} {later:?}");
    // Bypassed, everything passes; a key that goes down then goes up again after it.
    instance.set("bypass", 1.0);
    instance.block(&[]);
    instance.sent_events();
    assert_eq!(instance.block(&[note_on(0, key, 90), note_off(1, key)]), [note_on(0, key, 90), note_off(1, key)]);
    assert_eq!(instance.block(&[note_on(0, key, 90)]), [note_on(0, key, 90)]);
    assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::Command { .. })));
    instance.set("bypass", 0.0);
    assert_eq!(instance.block(&[note_off(0, key)]), [note_off(0, key)]);
}

#[test]
fn next_key_is_learnt_by_the_button_that_waits_and_presses_from_then_on() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.params.state.triggers.learn(Some(Button::Keep));
    assert_eq!(instance.block(&[note_on(0, KEY, 90), note_off(1, KEY)]), []);
    let commands = |instance: &mut Instance| {
        let command = |event| if let InputEvent::Command { command, .. } = event { Some(command) } else { None };
        instance.sent_events().into_iter().filter_map(command).collect::<Vec<_>>()
    };
    assert_eq!(commands(&mut instance), []);
    assert_eq!(instance.block(&[note_on(0, KEY, 90), note_off(1, KEY)]), []);
    assert_eq!(commands(&mut instance), [Command::Keep]);
}

#[test]
fn learnt_pedal_goes_through_the_modes_until_the_parameter_is_set() {
    let mut instance = Instance::new();
    let pedal = |value| NoteEvent::MidiCC { timing: 9, channel: 0, cc: 80, value };
    instance.params.state.triggers.restore(&[(Button::Mode, Trigger::Controller { channel: 0, number: 80 })].into());
    instance.block(&[]);
    let mut modes = vec![instance.params.controls().plan.mode];
    for _ in 0..5 {
        instance.sent_events();
        assert_eq!(instance.block(&[pedal(1.0), pedal(0.0)]), []);
        // As if the parameter had changed: the plan of the mode before ends.
        instance.block(&[]);
        assert!(instance.sent_events().iter().any(|event| matches!(event, InputEvent::PlanInvalidated { .. })));
        modes.push(instance.params.controls().plan.mode);
    }
    let [suggest, answer, trade, accompany, infill] = PlayMode::ALL;
    assert_eq!(modes, [suggest, answer, trade, accompany, infill, suggest]);
    instance.block(&[pedal(1.0), pedal(0.0)]);
    assert_eq!(instance.params.controls().plan.mode, answer);
    instance.set("mode", 0.5);
    instance.block(&[]);
    assert_eq!((instance.params.controls().plan.mode, instance.params.mode_switch.chosen()), (trade, None));
}
