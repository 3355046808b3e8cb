//! Answer: it takes over when the player pauses, and gives way when the player returns.

use super::script::{BAR, BEAT, ScriptedHost, stroke, tune};
use super::set;
use crate::meters::Count;

/// Notes: onset, pitch, duration in ticks.
type Notes = Vec<(i64, u8, i64)>;

fn onsets(host: &ScriptedHost) -> Vec<i64> {
    host.planned().into_iter().map(|(onset, ..)| onset).collect()
}

/// A host in Answer with a horizon of one bar.
fn host(frames: u32) -> ScriptedHost {
    let host = ScriptedHost::new(frames);
    set(&host.params, "mode", 0.25);
    set(&host.params, "horizon", 0.0);
    host
}

#[test]
fn answer_begins_at_the_first_beat_after_the_set_silence() {
    // The last key goes up at 114.
    for (step, beat) in [(0.0, 144), (1.0 / 3.0, 168), (2.0 / 3.0, 216), (1.0, 312)] {
        let mut host = host(500);
        set(&host.params, "answer_after", step);
        host.play_to(8 * BAR, &tune(0, 5));
        assert_eq!(onsets(&host).first(), Some(&(beat + 6)), "at step {step}");
        assert_eq!(host.count(Count::Late), 0);
    }
}

#[test]
fn answer_is_one_phrase_until_the_player_has_played_again() {
    let mut host = host(500);
    host.play_to(8 * BAR, &tune(0, 5));
    // To the end of the horizon, which is the bar line after the next.
    assert_eq!(onsets(&host), [174, 198, 222, 246, 270]);
    assert!(!host.shown().plan.as_ref().unwrap().playing);
    host.play_to(12 * BAR, &tune(8 * BAR, 5));
    assert_eq!(onsets(&host)[5..], [174, 198, 222, 246, 270].map(|onset| 8 * BAR + onset));
}

#[test]
fn answer_waits_while_a_key_is_held() {
    let mut host = host(500);
    host.play_to(8 * BAR, &[tune(0, 5), stroke(5 * BEAT, 3 * BAR, 80).to_vec()].concat());
    assert_eq!(onsets(&host).first(), Some(&(18 * BEAT + 24 + 6)), "the key goes up at {}", 17 * BEAT);
}

#[test]
fn plan_that_answers_is_made_from_the_notes_that_sounded() {
    let mut host = host(500);
    host.play_to(8 * BAR, &tune(0, 5));
    let requests = host.script.requests();
    let (brief, bars) = requests.iter().find(|(brief, _)| brief.start.0 == 168).unwrap();
    assert_eq!(brief.made_at.0, 144);
    // Of its open bar the player's note is known, and no planned one: the earlier plans were only shown.
    assert_eq!(bars[0].notes.len(), 1, "{:?}", bars[0].notes);
    assert_eq!(host.script.rows()[..3], [4, 2, 4], "one note of the player and what sounded");
}

/// What sounds when the player returns on tick 230 of an answer, and in the end the context.
fn perform(frames: u32) -> (Notes, Notes) {
    let mut host = host(frames);
    set(&host.params, "horizon", 3.0 / 7.0);
    let player = [tune(0, 5), stroke(230, 10, 90).to_vec(), stroke(250, 10, 91).to_vec()].concat();
    host.play_to(300, &player);
    assert!(!host.shown().plan.as_ref().unwrap().playing);
    host.play_to(6 * BAR, &player);
    assert_eq!(host.count(Count::Late), 0);
    (host.sounded(), host.script.context_notes())
}

#[test]
fn plan_gives_way_when_the_player_returns_and_the_context_is_what_sounded() {
    let (sounded, context) = perform(500);
    let planned: Vec<_> = sounded.iter().filter(|(_, pitch, _)| *pitch < 60).copied().collect();
    let first: Vec<_> = planned.iter().take(3).map(|(onset, _, length)| (*onset, *length)).collect();
    assert_eq!(first, [(174, 20), (198, 20), (222, 20)], "what sounds at 230 ends by itself");
    // The next answer comes after the next silence: 260 + 48.
    assert_eq!(planned[3].0, 312 + 6);
    let finished = |notes: Notes| notes.into_iter().filter(|(onset, ..)| *onset < 5 * BAR).collect::<Notes>();
    assert_eq!(finished(context), finished(sounded));
}

#[test]
fn answers_do_not_depend_on_the_block_length() {
    let whole = perform(64);
    for frames in [16, 480, 2048] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}

#[test]
fn play_answers_at_the_next_beat_and_another_replaces_the_phrase() {
    let mut host = host(500);
    set(&host.params, "horizon", 3.0 / 7.0);
    let player = [tune(0, 5), stroke(5 * BEAT, 3 * BAR, 80).to_vec()].concat();
    host.play_to(2 * BAR + 30, &player);
    assert!(onsets(&host).is_empty(), "a key is held");
    set(&host.params, "play", 1.0);
    host.play_to(2 * BAR + 36, &player);
    assert_eq!(host.status().remark.as_deref(), Some("Play begins within two beats"));
    host.play_to(3 * BAR + 20, &player);
    // Pressed after the tick at 24, decided at 48.
    assert_eq!(onsets(&host), [2 * BAR + 78]);
    let first = host.planned()[0].1;
    set(&host.params, "another", 1.0);
    host.play_to(5 * BAR, &player);
    let last = *host.planned().last().unwrap();
    assert!(last.0 > 4 * BAR && last.1 != first, "{last:?}");
}

#[test]
fn mode_switched_to_suggest_ends_the_answer() {
    let mut host = host(500);
    host.play_to(225, &tune(0, 5));
    set(&host.params, "mode", 0.0);
    host.play_to(8 * BAR, &[]);
    assert_eq!(host.planned().last().map(|(onset, _, length)| (*onset, *length)), Some((222, 3)));
}

#[test]
fn late_answer_begins_at_the_beat_after() {
    let mut host = host(500);
    host.play_to(143, &tune(0, 5));
    // The plan of tick 144 misses its beat, those of later ticks do not.
    host.script.cost(30);
    host.play_to(169, &[]);
    host.script.cost(0);
    host.play_to(8 * BAR, &[]);
    assert_eq!(onsets(&host).first(), Some(&(192 + 6)));
    assert_eq!(host.count(Count::Late), 0);
}
