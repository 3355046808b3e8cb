//! Starting a stopped clock.

use super::*;

#[test]
fn note_with_the_transport_stopped_starts_the_clock() {
    let mut instance = Instance::new();
    instance.host.playing = false;
    instance.block(&[]);
    assert_eq!(instance.sent_events(), []);
    instance.block(&[note_on(400, KEY, 9)]);
    let events = instance.sent_events();
    let [InputEvent::TransportChange { change, .. }, InputEvent::NoteOn { at, .. }] = events[..2] else { panic!("{events:?}") };
    assert_eq!((change.cause, at), (Cause::Wake, change.at));
    // A note planned one tick after the first played one.
    let planned = MidiKey::new(0, 50).unwrap();
    instance.plan_pitch(1, 1, 1, planned.pitch());
    assert_eq!(instance.block(&[]), [note_on(400, planned, 90)]);
}

#[test]
fn play_in_the_window_starts_a_stopped_clock() {
    let mut instance = Instance::new();
    instance.host.playing = false;
    instance.block(&[]);
    let start = |epoch| PlannedEvent::StartClock { epoch: Epoch(epoch) };
    instance.session.planned.try_push(start(7)).unwrap();
    instance.block(&[]);
    assert_eq!(instance.sent_events(), [], "outdated epoch");
    instance.set("bypass", 1.0);
    instance.block(&[]);
    instance.sent_events();
    instance.session.planned.try_push(start(1)).unwrap();
    instance.block(&[]);
    assert_eq!(instance.sent_events(), [], "a bypassed instance keeps its clock stopped");
    instance.set("bypass", 0.0);
    instance.block(&[]);
    instance.sent_events();
    instance.session.planned.try_push(start(2)).unwrap();
    instance.block(&[]);
    let events = instance.sent_events();
    let [InputEvent::TransportChange { epoch: Epoch(3), change }, InputEvent::TimeReached { .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(change.cause, Cause::Wake);
    // It is running already.
    instance.session.planned.try_push(start(3)).unwrap();
    instance.block(&[]);
    assert!(matches!(instance.sent_events()[..], [InputEvent::TimeReached { .. }]));
}
