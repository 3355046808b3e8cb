//! Trade: the player and Antiphon take turns of whole bars.

use antiphon_engine::music::Metre;
use antiphon_engine::plan::Side;

use super::script::{BAR, BEAT, ScriptedHost, tune};
use super::set;
use crate::meters::Count;

/// Notes: onset, pitch, duration in ticks.
type Notes = Vec<(i64, u8, i64)>;

/// Bars of 4/4 in which planned notes start, each with their number.
fn bars(host: &ScriptedHost) -> Vec<(i64, usize)> {
    let mut bars: Vec<(i64, usize)> = Vec::new();
    for (onset, ..) in host.planned() {
        match bars.last_mut().filter(|(bar, _)| *bar == onset / BAR) {
            Some((_, count)) => *count += 1,
            None => bars.push((onset / BAR, 1)),
        }
    }
    bars
}

/// A host in Trade with turns of this step of the parameter.
fn host(frames: u32, step: f32) -> ScriptedHost {
    let host = ScriptedHost::new(frames);
    set(&host.params, "mode", 0.5);
    set(&host.params, "trade_bars", step);
    host
}

#[test]
fn antiphon_plays_in_its_bars_and_nowhere_else() {
    let cases: [(f32, i64, &[i64]); 4] =
        [(0.0, 8, &[1, 3, 5, 7]), (1.0 / 3.0, 8, &[2, 3, 6, 7]), (2.0 / 3.0, 8, &[4, 5, 6, 7]), (1.0, 16, &[8, 9, 10, 11, 12, 13, 14, 15])];
    for (step, length, expected) in cases {
        let mut host = host(500, step);
        host.play_to(length * BAR + BEAT, &tune(0, 6));
        assert_eq!(bars(&host), expected.iter().map(|bar| (*bar, 4)).collect::<Vec<_>>(), "at step {step}");
        assert_eq!(host.count(Count::Late), 0);
    }
}

/// Two turns of two bars each, in which the player plays on.
fn perform(frames: u32) -> (Notes, Notes) {
    let mut host = host(frames, 1.0 / 3.0);
    host.play_to(9 * BAR, &tune(0, 36));
    assert_eq!(host.count(Count::Late), 0);
    (host.sounded(), host.script.context_notes())
}

#[test]
fn player_is_heard_in_antiphons_bars_and_the_context_is_what_sounded() {
    let (sounded, context) = perform(500);
    let finished = |notes: Notes| notes.into_iter().filter(|(onset, ..)| *onset < 8 * BAR).collect::<Notes>();
    assert_eq!(sounded.iter().filter(|(onset, pitch, _)| *pitch >= 60 && (2 * BAR..4 * BAR).contains(onset)).count(), 8);
    assert_eq!(sounded.iter().filter(|(_, pitch, _)| *pitch < 60).count(), 16);
    assert_eq!(finished(context), finished(sounded));
}

#[test]
fn turns_do_not_depend_on_the_block_length() {
    let whole = perform(64);
    for frames in [16, 480, 2048] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}

#[test]
fn count_is_shown_with_its_side_bars_and_beats() {
    let mut host = host(500, 1.0 / 3.0);
    let shown = |host: &ScriptedHost| host.shown().turn.map(|turn| (turn.side, turn.bars_left, turn.beats_left));
    host.play_to(1, &tune(0, 6));
    assert_eq!(shown(&host), Some((Side::Player, 1, 4)));
    host.play_to(2 * BAR - 1, &tune(0, 6));
    assert_eq!(shown(&host), Some((Side::Player, 0, 1)));
    host.play_to(2 * BAR + BEAT + 1, &[]);
    assert_eq!(shown(&host), Some((Side::Antiphon, 1, 3)));
    set(&host.params, "mode", 0.0);
    host.play_to(3 * BAR, &[]);
    assert_eq!(shown(&host), None);
}

#[test]
fn mode_switched_on_within_a_bar_counts_from_the_next_line() {
    let mut host = host(500, 0.0);
    set(&host.params, "mode", 0.0);
    host.play_to(BAR + 30, &tune(0, 6));
    set(&host.params, "mode", 0.5);
    host.play_to(5 * BAR + BEAT, &[]);
    assert_eq!(bars(&host), [(3, 4)], "the player has the third bar, and again the fifth");
}

#[test]
fn play_gives_antiphon_the_turn_from_the_next_bar() {
    for (pressed, first) in [(BAR + 10, 2), (BAR + 60, 2), (BAR + 80, 3)] {
        let mut host = host(500, 2.0 / 3.0);
        host.play_to(pressed, &tune(0, 6));
        host.press("play");
        host.play_to(8 * BAR, &[]);
        let expected: Vec<_> = (first..first + 4).map(|bar| (bar, 4)).collect();
        assert_eq!(bars(&host), expected, "pressed at {pressed}");
    }
}

#[test]
fn another_replaces_the_phrase_of_this_turn_only() {
    let mut host = host(500, 1.0 / 3.0);
    host.play_to(2 * BAR + 30, &tune(0, 6));
    host.press("another");
    host.play_to(5 * BAR, &[]);
    let pitches: Vec<_> = host.planned().into_iter().map(|(onset, pitch, _)| (onset, pitch)).collect();
    // Pressed after the tick at 24, requested at 48, adopted at 72.
    assert_eq!(pitches.iter().map(|(onset, _)| *onset).collect::<Vec<_>>(), (8..16).map(|beat| beat * BEAT + 6).collect::<Vec<_>>());
    assert!(pitches[..3].iter().all(|(_, pitch)| *pitch == pitches[0].1) && pitches[3].1 != pitches[0].1, "{pitches:?}");
}

#[test]
fn turns_last_whole_bars_of_the_metre() {
    let mut host = host(500, 1.0 / 3.0);
    host.metre = Metre::new(3, 4);
    host.play_to(5 * 72, &tune(0, 6));
    let onsets: Vec<_> = host.planned().into_iter().map(|(onset, ..)| onset).collect();
    assert_eq!(onsets, [150, 174, 198, 222, 246, 270]);
}

#[test]
fn plan_that_misses_the_line_begins_at_the_beat_after() {
    let mut host = host(500, 0.0);
    host.play_to(BAR - BEAT - 1, &tune(0, 4));
    host.script.cost(30);
    host.play_to(BAR + 1, &[]);
    host.script.cost(0);
    host.play_to(2 * BAR + BEAT, &[]);
    assert_eq!(host.planned().into_iter().map(|(onset, ..)| onset).collect::<Vec<_>>(), [126, 150, 174]);
    assert_eq!(host.count(Count::Late), 0);
}
