//! Chosen chords and keys.

use antiphon_engine::music::analysis::{BarHarmony, Chord, FoundKey, KeySignature, ScaleMode};

use super::*;

/// Clicks the chord lane so many bars after that of the playhead, which is bar 2.
fn click_chord(harness: &mut Harness<'_, (Editor, PlainModel)>, bars: f32) {
    let roll = harness.get_by_label("Piano roll").rect();
    // Of the music, 2.5 of 6.85 bars are left of the playhead.
    let (left, bar) = (roll.left() + 74.0, (roll.width() - 75.0) / 6.85);
    let place = Pos2::new(left + (2.8 + bars) * bar, roll.top() + 34.0);
    harness.event(Event::PointerMoved(place));
    harness.run_steps(1);
    button(harness, place, true);
    button(harness, place, false);
    harness.run_steps(3);
}

fn click(harness: &mut Harness<'_, (Editor, PlainModel)>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

fn chords(harness: &Harness<'_, (Editor, PlainModel)>, bars: [i64; 4]) -> [Option<String>; 4] {
    bars.map(|bar| harness.state().1.chart.at(bar).map(|chord| chord.to_string()))
}

fn named(names: [&str; 4]) -> [Option<String>; 4] {
    names.map(|name| Chord::named(name).map(|chord| chord.to_string()))
}

#[test]
fn click_on_a_chord_to_come_chooses_it_and_leaves_it_again() {
    let mut harness = open(model(music()), FakeDragSource::default());
    click_chord(&mut harness, -1.5);
    assert!(harness.query_by_label("Close").is_none(), "what has passed is not chosen");
    click_chord(&mut harness, 1.0);
    assert!(harness.query_by_label("Chord of bar 3").is_some());
    click(&mut harness, "A");
    click(&mut harness, "Minor");
    assert_eq!(chords(&harness, [2, 3, 4, 7]), named(["", "Am", "", ""]));
    click(&mut harness, "Auto");
    assert!(harness.state().1.chart.is_empty());
    click(&mut harness, "Close");
    assert!(harness.query_by_label("Chord of bar 3").is_none());
}

#[test]
fn typed_progression_is_repeated_from_the_clicked_bar_on() {
    let mut harness = open(model(music()), FakeDragSource::default());
    click_chord(&mut harness, 1.0);
    click(&mut harness, "Chords from bar 3 on, one for each bar, repeated");
    for (text, complaint) in [("Am H", Some("\"H\" is no chord")), ("Am F", None)] {
        harness.event(Event::Key { key: Key::A, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::COMMAND });
        harness.event(Event::Text(text.into()));
        harness.run_steps(2);
        click(&mut harness, "Repeat");
        assert_eq!(harness.query_by_label_contains("is no chord that").is_some(), complaint.is_some(), "{text}");
        click(&mut harness, "Chords from bar 3 on, one for each bar, repeated");
    }
    assert_eq!(chords(&harness, [2, 3, 4, 7]), named(["", "Am", "F", "Am"]));
    click(&mut harness, "No chords");
    assert!(harness.state().1.chart.is_empty());
}

#[test]
fn detected_key_is_corrected_by_a_click_on_it() {
    let key = KeySignature::new(0, ScaleMode::Major).unwrap();
    let harmony = BarHarmony { start: Tick(0), key: Some(FoundKey { key, confidence: 0.7 }), chords: [None, None] };
    let mut harness = open(model(Snapshot { harmony: vec![harmony], ..music() }), FakeDragSource::default());
    click(&mut harness, "C major, 70 % sure");
    click(&mut harness, "A minor");
    let set: Vec<_> = calls(&mut harness).into_iter().filter(|call| matches!(call, Call::Set(_))).collect();
    assert_eq!(set, [Call::Set(Change::Parameter("key", 11.0 / 13.0)), Call::Set(Change::Parameter("scale", 0.125))]);
    click(&mut harness, "A minor, held");
    click(&mut harness, "Auto");
    assert!(harness.query_by_label("C major, 70 % sure").is_some());
    harness.set_size(vec2(LEAST_SIZE.0, LEAST_SIZE.1));
    harness.run_steps(2);
    let key = harness.get_by_label("C major, 70 % sure").rect();
    let modes = harness.get_by_label("Infill").rect();
    assert!(modes.right() < key.left() && key.right() < LEAST_SIZE.0, "{modes:?} {key:?}");
}

#[test]
fn name_of_the_lane_chooses_the_chord_of_the_next_bar() {
    let mut harness = open(model(music()), FakeDragSource::default());
    click(&mut harness, "Chords to come");
    assert!(harness.query_by_label("Chord of bar 3").is_some(), "the playhead is in bar 2");
}
