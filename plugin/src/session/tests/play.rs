//! Play: the plan that it starts, the remark while it is pending, and the player's notes over a plan.

use antiphon_engine::music::Metre;

use super::script::{BAR, BEAT, ScriptedHost, stroke, tune};
use super::set;
use crate::meters::Count;
use antiphon_engine::session::Withheld;

#[test]
fn play_sounds_the_same_plan_whenever_it_is_pressed_within_the_bar() {
    let pressed_at = |tick: i64| {
        let mut host = ScriptedHost::new(500);
        let player = tune(0, 60);
        host.play_to(3 * BAR + tick, &player);
        set(&host.params, "play", 1.0);
        host.play_to(6 * BAR, &player);
        host.planned()
    };
    let first = pressed_at(1);
    assert_eq!(first.first().map(|(onset, ..)| *onset), Some(4 * BAR + 6));
    for tick in [15, 26, 47, 50, 71, 74] {
        assert_eq!(pressed_at(tick), first, "pressed {tick} ticks into the bar");
    }
}

#[test]
fn play_after_a_silence_of_any_length_begins_in_the_next_bar() {
    for bars in [1, 7, 8, 9, 40, 99, 130] {
        let mut host = ScriptedHost::new(1000);
        host.play_to(bars * BAR + BEAT, &tune(0, 4));
        host.press("play");
        host.play_to((bars + 2) * BAR, &[]);
        let onset = host.planned().first().map(|(onset, ..)| *onset);
        assert_eq!(onset, Some((bars + 1) * BAR + 6), "after {bars} bars");
    }
}

#[test]
fn play_after_a_change_of_metre_continues_on_the_new_bar_lines() {
    for (pressed, first) in [(2 * BAR + BEAT, 3 * BAR), (3 * BAR + BEAT, 4 * BAR + 72)] {
        let mut host = ScriptedHost::new(500);
        host.play_to(pressed, &tune(0, 8));
        host.press("play");
        host.play_to(4 * BAR, &[]);
        // Known only with the block that begins there: a plan due at this line in 4/4 begins at the next line.
        host.metre = Metre::new(3, 4);
        host.play_to(4 * BAR + 3 * 72, &[]);
        let onsets: Vec<_> = host.planned().into_iter().map(|(onset, ..)| onset).collect();
        assert_eq!(onsets.first(), Some(&(first + 6)), "pressed at {pressed}");
        assert!(
            onsets.contains(&(4 * BAR + 72 + 6)) && !onsets.iter().any(|onset| (4 * BAR + BEAT..4 * BAR + 72).contains(onset)),
            "{onsets:?}"
        );
    }
}

#[test]
fn play_without_a_plan_shows_a_remark_until_it_begins() {
    let mut host = ScriptedHost::new(500);
    host.play_to(BEAT, &[]);
    host.press("play");
    let remark = host.status().remark.unwrap_or_default();
    assert!(remark.contains("first notes"), "{remark}");
    // It begins with the bar after the first notes.
    host.play_to(2 * BAR - BEAT - 6, &tune(BAR, 2));
    assert_eq!(host.status().remark.as_deref(), Some("Play begins at bar 3"));
    host.play_to(3 * BAR, &[]);
    assert_eq!(host.planned().first().map(|(onset, ..)| *onset), Some(2 * BAR + 6));
    assert_eq!(host.status().remark, None);
}

#[test]
fn planned_note_on_a_held_key_is_shown_with_its_reason() {
    let mut host = ScriptedHost::new(250);
    host.play_to(BAR + 3 * BEAT, &tune(0, 7));
    host.press("play");
    host.play_to(2 * BAR + 27, &[]);
    let &(_, key, _) = host.planned().last().unwrap();
    assert!(host.shown().withheld.is_empty());
    // Held from before one note of the plan to behind the next.
    let hand = stroke(2 * BAR + 28, 40, key);
    host.play_to(2 * BAR + 29, &hand);
    let onsets = |host: &ScriptedHost| {
        let shown = host.shown();
        assert!(shown.withheld.iter().all(|withheld| withheld.reason == Withheld::KeyHeld && withheld.note.pitch == key));
        shown.withheld.iter().map(|withheld| withheld.note.onset.0 - 2 * BAR).collect::<Vec<_>>()
    };
    assert_eq!(onsets(&host)[..3], [30, 54, 78], "notes withheld if the key stays down");
    assert!(host.status().remark.is_some_and(|remark| remark.contains("left out: you hold their keys")));
    host.play_to(2 * BAR + 69, &hand);
    assert_eq!(onsets(&host), [30, 54], "notes withheld");
    assert_eq!(host.count(Count::Yielded), 2);
}

#[test]
fn flood_of_notes_is_counted_and_limited_in_the_context() {
    let mut host = ScriptedHost::new(250);
    host.play_to(2 * BAR, &tune(0, 8));
    // 16,000 notes a second for two beats: one every third sample.
    let flood: Vec<_> = (0..16_000u32)
        .flat_map(|index| {
            let key = u8::try_from(index % 128).unwrap();
            stroke(0, 0, key).map(|(_, event)| (u32::try_from(2 * BAR * 1000).unwrap() + index * 3, event))
        })
        .collect();
    host.play_to(3 * BAR, &flood);
    let requests = host.script.requests().len();
    host.play_to(5 * BAR, &tune(3 * BAR, 8));
    assert!(host.script.requests().len() >= requests + 7, "a plan was requested at every beat");
    let most = host.script.rows().into_iter().max();
    assert!(most.is_some_and(|rows| (100..=192).contains(&rows)), "{most:?} notes in a bar");
    assert!(host.count(Count::DroppedInput) > 15_000);
}
