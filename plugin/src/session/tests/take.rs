//! The take: recording at song positions, replay, and input that differs.

use std::sync::Arc;

use antiphon_engine::plan::{Reason, Take};
use nice_plug::midi::NoteEvent;

use super::script::{BAR, BEAT, ScriptedHost, Strikes, tune};
use super::{SAMPLES_PER_TICK, set};
use crate::port::Event;

/// Steps of the Take parameter as normalised values.
const OFF: f32 = 0.0;
const REPLAY: f32 = 0.5;
const OVERWRITE: f32 = 1.0;

/// The script's notes that sounded from a time on: onset after it, pitch, duration.
fn planned(host: &ScriptedHost, from: i64) -> Vec<(i64, u8, i64)> {
    let later = host.planned().into_iter().filter(|(onset, ..)| *onset >= from);
    later.map(|(onset, pitch, duration)| (onset - from, pitch, duration)).collect()
}

/// A host that has recorded a take over eight bars: plays from bar 4 to the end, with the player's input in the first three.
fn recorded(frames: u32) -> (ScriptedHost, Vec<(i64, u8, i64)>) {
    let mut host = ScriptedHost::new(frames);
    set(&host.params, "take", OVERWRITE);
    host.play_to(2 * BAR + 6, &tune(0, 12));
    host.press("play");
    host.play_to(8 * BAR, &tune(0, 12));
    let heard = planned(&host, 0);
    assert!(heard.len() >= 16, "{heard:?}");
    (host, heard)
}

/// What sounds in a replay of a take over eight bars, with the player's input again.
fn replayed(frames: u32, take: &Arc<Take>) -> Vec<(i64, u8, i64)> {
    let mut host = ScriptedHost::new(frames);
    host.open_take(take);
    set(&host.params, "take", REPLAY);
    host.play_to(8 * BAR, &tune(0, 12));
    planned(&host, 0)
}

#[test]
fn replay_sounds_what_was_recorded_at_any_block_length() {
    let (host, heard) = recorded(500);
    // Its last note may still sound where the recording ends.
    let take = host.params.state.take();
    for frames in [64, 500, 997, 4096] {
        assert_eq!(replayed(frames, &take)[..heard.len()], heard, "blocks of {frames}");
    }
    assert_eq!(recorded(64).0.params.state.take().notes(), take.notes());
}

#[test]
fn replay_in_the_same_session_follows_a_locate_and_plays_nothing_else() {
    let (mut host, heard) = recorded(480);
    set(&host.params, "take", REPLAY);
    // In the middle of the take.
    host.locate(5 * BAR);
    let from = host.now();
    host.play_to(from + 3 * BAR, &[]);
    set(&host.params, "play", 1.0);
    host.play_to(from + 6 * BAR, &[]);
    let later: Vec<_> = heard.iter().filter(|(onset, ..)| *onset >= 5 * BAR).map(|&(onset, ..)| onset - 5 * BAR).collect();
    let again: Vec<_> = planned(&host, from).iter().map(|&(onset, ..)| onset).collect();
    assert!(!later.is_empty());
    assert_eq!(again, later);
    let remark = host.status().remark.unwrap_or_default();
    assert!(remark.contains("The take plays"), "{remark}");
    // Other modes play nothing then, nor do they write history.
    let before = host.params.state.history().entries().len();
    for mode in [0.25, 0.5, 0.75] {
        set(&host.params, "mode", mode);
        let from = host.now();
        host.locate(20 * BAR);
        host.play_to(from + 6 * BAR, &tune(from, 4));
        assert_eq!(planned(&host, from), [], "mode {mode}");
    }
    let played = host.params.state.history().entries().iter().skip(before).filter(|entry| entry.reason() == Reason::Played).count();
    assert_eq!(played, 0);
    set(&host.params, "take", OFF);
    host.play_to(host.now() + 6, &[]);
    let remark = host.status().remark.unwrap_or_default();
    assert!(!remark.contains("take"), "{remark}");
}

#[test]
fn latest_pass_of_a_loop_is_recorded_and_replayed_from_its_first_tick() {
    let mut host = ScriptedHost::new(480);
    set(&host.params, "take", OVERWRITE);
    host.cycle = Some((0, 4 * BAR));
    host.play_to(2 * BAR + 6, &tune(0, 12));
    host.press("play");
    let passes = 4;
    host.play_to(passes * 4 * BAR, &tune(0, 12));
    let last = planned(&host, (passes - 1) * 4 * BAR);
    let take = host.params.state.take();
    let onsets: Vec<_> = take.notes().iter().map(|note| (note.note.onset.0, note.note.pitch)).collect();
    for (onset, pitch, _) in &last {
        assert!(onsets.contains(&(*onset, *pitch)), "{onset} {pitch} is not in {onsets:?}");
    }
    let mut replay = ScriptedHost::new(333);
    replay.open_take(&take);
    set(&replay.params, "take", REPLAY);
    replay.cycle = host.cycle;
    replay.play_to(12 * BAR, &[]);
    let onsets: Vec<_> = onsets.into_iter().map(|(onset, _)| onset).collect();
    let expected: Vec<_> = (0..3).flat_map(|pass| onsets.iter().map(move |onset| onset + pass * 4 * BAR)).collect();
    let sounded: Vec<_> = planned(&replay, 0).iter().map(|&(onset, ..)| onset).collect();
    assert_eq!(sounded, expected[..sounded.len()]);
    assert!(expected.len() - sounded.len() <= 2, "only what still sounds is missing");
}

#[test]
fn nothing_is_recorded_while_the_take_is_off_or_the_transport_stands() {
    let (mut host, _) = recorded(500);
    let before = host.params.state.take();
    set(&host.params, "take", OFF);
    host.locate(0);
    let from = host.now();
    host.play_to(from + BAR, &tune(from, 4));
    host.press("play");
    host.play_to(from + 4 * BAR, &[]);
    assert!(!planned(&host, from).is_empty());
    assert_eq!(host.params.state.take().notes(), before.notes());
    // The plug-in's own clock runs, without positions in the song.
    host.playing = false;
    host.play_to(host.now() + 10, &[]);
    set(&host.params, "take", OVERWRITE);
    let from = host.now();
    host.play_to(from + 2 * BAR, &tune(from, 4));
    host.press("play");
    host.play_to(from + 5 * BAR, &[]);
    assert!(!planned(&host, from).is_empty());
    assert_eq!(host.params.state.take().notes(), before.notes());
}

#[test]
fn remark_names_the_bars_in_which_the_input_differs() {
    let (mut host, _) = recorded(500);
    set(&host.params, "take", REPLAY);
    host.locate(0);
    let from = host.now();
    host.play_to(from + 3 * BAR + BEAT, &tune(from, 12));
    let remark = host.status().remark.unwrap_or_default();
    assert!(remark.contains("The take plays"), "the same input: {remark}");
    host.locate(0);
    let from = host.now();
    let mut other = tune(from, 12);
    // A note that is not in bar 2.
    other.retain(|(at, _)| i64::from(at / SAMPLES_PER_TICK) < from + BAR || i64::from(at / SAMPLES_PER_TICK) >= from + BAR + BEAT);
    host.play_to(from + 3 * BAR + BEAT, &other);
    let remark = host.status().remark.unwrap_or_default();
    assert!(remark.contains("bar 2") && !remark.contains("bar 1"), "{remark}");
}

#[test]
fn take_with_an_output_offset_has_every_note_at_its_place_in_the_loop() {
    // In song time the same is played, whatever the offset.
    let take = |strikes: Strikes, latency: f32| {
        let mut host = ScriptedHost::new(480);
        host.cycle = Some((0, 4 * BAR));
        [("take", OVERWRITE), ("latency_ms", latency)].iter().for_each(|(id, value)| set(&host.params, id, *value));
        host.script.strike(strikes);
        host.play_to(BAR, &tune(0, 4));
        host.press("play");
        // Silence follows on the plan of four bars, from bar 7 on.
        host.play_to(6 * BAR - BEAT - 6, &[]);
        host.params.state.take().notes().iter().map(|note| (note.start(), note.note.pitch)).collect::<Vec<_>>()
    };
    for (strikes, first) in [(Strikes::OnTheBeat, 0), (Strikes::BeforeTheBeat, 4 * BAR * 8 - 4)] {
        let plain = take(strikes, 0.5);
        assert!(plain.iter().any(|(start, _)| *start == first) && plain.len() >= 12, "{plain:?}");
        // 20 ms earlier and later.
        for latency in [0.3, 0.7] {
            assert_eq!(take(strikes, latency), plain, "{latency}");
        }
    }
}

#[test]
fn replay_of_the_first_note_of_a_loop_is_as_early_as_the_others() {
    let mut host = ScriptedHost::new(480);
    host.cycle = Some((0, 4 * BAR));
    set(&host.params, "take", OVERWRITE);
    host.script.strike(Strikes::OnTheBeat);
    host.play_to(BAR, &tune(0, 4));
    host.press("play");
    host.play_to(6 * BAR - BEAT, &[]);
    let take = host.params.state.take();
    assert_eq!(take.notes()[0].note.onset.0, 0);
    for frames in [64, 480, 4096] {
        let mut host = ScriptedHost::new(frames);
        host.open_take(&take);
        host.cycle = Some((0, 4 * BAR));
        // 20 ms early at 48 kHz.
        [("take", REPLAY), ("latency_ms", 0.3)].iter().for_each(|(id, value)| set(&host.params, id, *value));
        host.play_to(12 * BAR - BEAT, &[]);
        let on = |(at, event): &(u32, Event)| matches!(event, NoteEvent::NoteOn { .. }).then_some(i64::from(*at));
        let starts: Vec<i64> = host.out.iter().filter_map(on).collect();
        let line = 4 * BAR * i64::from(SAMPLES_PER_TICK);
        for round in 1..3 {
            assert_eq!(starts.iter().filter(|start| **start == round * line - 960).count(), 1, "blocks of {frames}: {starts:?}");
        }
    }
}

#[test]
fn output_offset_moves_a_replay_and_each_round_of_a_loop_sounds_once() {
    let (host, _) = recorded(500);
    let take = host.params.state.take();
    let starts = |latency: f32, frames: u32| {
        let mut host = ScriptedHost::new(frames);
        host.open_take(&take);
        host.cycle = Some((0, 8 * BAR));
        [("take", REPLAY), ("latency_ms", latency)].iter().for_each(|(id, value)| set(&host.params, id, *value));
        host.play_to(24 * BAR, &[]);
        let on = |(at, event): &(u32, Event)| matches!(event, NoteEvent::NoteOn { .. }).then_some(i64::from(*at));
        host.out.iter().filter_map(on).collect::<Vec<_>>()
    };
    let plain = starts(0.5, 480);
    assert_eq!(plain.len(), 3 * take.notes().len());
    // 20 ms at 48 kHz.
    for (latency, moved) in [(0.3, -960), (0.7, 960)] {
        let expected: Vec<_> = plain.iter().map(|at| at + moved).collect();
        for frames in [64, 480, 4096] {
            assert_eq!(starts(latency, frames), expected, "{moved} samples in blocks of {frames}");
        }
    }
}
