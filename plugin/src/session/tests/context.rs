//! The context equals the notes that sounded.

use super::script::{BAR, BEAT, ScriptedHost, pitch_of, stroke};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// A player who strikes another key on every beat.
fn tune(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 18, u8::try_from(60 + beat % 12).unwrap())).collect()
}

/// Asserts that the bars sent to the worker hold exactly the notes that sounded in them.
fn assert_context_is_what_sounded(host: &ScriptedHost) {
    let bars = host.script.bars();
    let sounded: Vec<_> = host.sounded().into_iter().filter(|(onset, ..)| *onset < bars * BAR).collect();
    assert_eq!(host.script.context_notes(), sounded);
}

/// Two bars of a tune, then Play; in the fourth bar the player holds and strikes keys of the plan.
fn duet(frames: u32) -> ScriptedHost {
    let mut host = ScriptedHost::new(frames);
    host.play_to(BAR + 3 * BEAT, &tune(0, 7));
    host.press("play");
    host.play_to(3 * BAR, &[]);
    let key = plan_key(&host);
    // Planned: 6, 30, 54, 78 ticks into the bar, 20 long. The key is struck while a note sounds, held over one, and struck and released between two.
    let hand = [stroke(3 * BAR + 12, 30, key), stroke(3 * BAR + 51, 2, key), stroke(3 * BAR + 60, 3, key)].concat();
    host.play_to(8 * BAR, &hand);
    host
}

/// The key of the playing plan.
fn plan_key(host: &ScriptedHost) -> u8 {
    let &(_, pitch, _) = host.sounded().last().unwrap();
    assert!((40..60).contains(&pitch), "{pitch} is of the tune");
    pitch
}

#[test]
fn notes_yielded_to_the_player_are_not_in_the_context() {
    let host = duet(250);
    assert!(host.count(Count::Yielded) > 0);
    assert!(host.count(Count::Played) > 12, "{}", host.count(Count::Played));
    assert_context_is_what_sounded(&host);
    let key = plan_key(&host);
    let bar: Vec<_> = host.script.context_notes().into_iter().filter(|(onset, pitch, _)| *pitch == key && onset / BAR == 3).collect();
    let at = |offset: i64, duration| (3 * BAR + offset, key, duration);
    // Taken at 12, yielded at 30, taken at 60; the last one sounds.
    assert_eq!(bar, [at(6, 6), at(12, 30), at(51, 2), at(54, 6), at(60, 3), at(78, 20)]);
}

#[test]
fn requests_and_output_do_not_depend_on_the_block_length() {
    let [short, middle, long] = [250, 1000, 6000].map(duet);
    assert!(short.script.requests().len() > 10);
    for other in [middle, long] {
        assert_eq!(other.script.requests(), short.script.requests());
        assert_eq!(other.out, short.out);
    }
}

#[test]
fn play_pressed_again_continues_and_all_notes_enter_the_context() {
    let mut host = ScriptedHost::new(1000);
    host.play_to(BAR + 3 * BEAT, &tune(0, 7));
    host.press("play");
    // The latched plan ends with bar 6; meanwhile the player departs from it, and the plan after it changes.
    host.play_to(3 * BAR + 2 * BEAT, &tune(3 * BAR, 2));
    host.press("play");
    host.play_to(10 * BAR, &[]);
    assert_context_is_what_sounded(&host);
    let planned: Vec<_> = host.sounded().into_iter().filter(|(_, pitch, _)| *pitch < 60).collect();
    // Without a gap from bar 2 to the end of the second plan.
    let onsets: Vec<_> = planned.iter().map(|(onset, ..)| *onset).collect();
    let expected: Vec<_> = (0..).map(|beat| 2 * BAR + 6 + beat * BEAT).take(onsets.len()).collect();
    assert_eq!(onsets, expected);
    assert!(onsets.len() > 16, "{} notes", onsets.len());
    let (first, last) = (planned[0].1, planned[planned.len() - 1].1);
    assert!(first != last && [first, last].iter().all(|pitch| (0..40).any(|plan| pitch_of(plan) == *pitch)));
}

#[test]
fn notes_cut_by_another_have_their_sounding_length_in_the_context() {
    let mut host = ScriptedHost::new(500);
    host.play_to(BAR + 3 * BEAT, &tune(0, 7));
    host.press("play");
    host.play_to(3 * BAR + 12, &[]);
    host.press("another");
    // Into the pause between two notes.
    host.play_to(6 * BAR + 3, &[]);
    assert_context_is_what_sounded(&host);
    let keys: std::collections::BTreeSet<_> = host.sounded().into_iter().map(|(_, pitch, _)| pitch).filter(|pitch| *pitch < 60).collect();
    assert_eq!(keys.len(), 2, "one plan took the place of the other");
}

#[test]
fn notes_cut_by_a_mode_change_end_there_in_the_context() {
    let mut host = ScriptedHost::new(1000);
    host.play_to(BAR + 3 * BEAT, &tune(0, 7));
    host.press("play");
    host.play_to(3 * BAR + 12, &[]);
    set(&host.params, "mode", 0.25);
    host.play_to(3 * BAR + 18, &[]);
    set(&host.params, "mode", 0.0);
    host.play_to(6 * BAR, &tune(4 * BAR, 8));
    assert_context_is_what_sounded(&host);
    let key = host.script.context_notes().into_iter().find(|(onset, ..)| *onset == 3 * BAR + 6);
    assert!(matches!(key, Some((_, _, 6))), "{key:?}");
}
