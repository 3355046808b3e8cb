//! The modes in which Antiphon plays by itself, in both formats with the real engine: rendered offline, where it waits for its plans.

use antiphon_tests::{Block, Class, Lengths, Message, Render, RollingTransport, Setup, Timed, Transport};

use crate::engine::{BAR, FRAMES, RATE, clip};
use crate::{LOADED, Make, assert_in_order, still_held};

/// Block lengths that must all give the same notes.
const LENGTHS: [Lengths; 3] = [Lengths::Fixed(64), Lengths::Fixed(480), Lengths::Random(5)];
/// Samples per beat at 120 bpm.
const BEAT: u64 = BAR / 4;
/// Step of the Mode parameter.
const ANSWER: f64 = 0.25;
/// Step of the Mode parameter.
const TRADE: f64 = 0.5;
/// Step of the Mode parameter.
const ACCOMPANY: f64 = 0.75;

/// The clip's first bars, from a bar on.
fn clip_at(bar: u64, bars: u32) -> Vec<Timed> {
    clip(bars).into_iter().map(|timed| Timed { sample: timed.sample + bar * BAR, ..timed }).collect()
}

/// Plays these messages in a mode for so many bars, and stops; returns the output without them.
fn perform(make: Make, lengths: Lengths, settings: &[(&str, f64)], played: &[Timed], bars: u64) -> Vec<Timed> {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    for (name, value) in settings {
        host.set(name, *value);
    }
    let mut song = RollingTransport::new(120.0, RATE);
    let mut sent = song.play(&mut *host, lengths, played, bars * BAR, |_, _| ());
    let stopped = Transport { playing: false, ..song.transport() };
    let last = host.process(&Block { frames: FRAMES, transport: Some(stopped), ..Block::default() }).messages;
    sent.extend(last.iter().map(|timed| Timed { sample: timed.sample + song.played, ..*timed }));
    assert_in_order(&sent);
    assert_eq!(still_held(&sent), []);
    assert!(played.iter().all(|timed| sent.contains(timed)), "the player's notes do not all come through");
    sent.retain(|timed| !played.contains(timed));
    sent
}

/// What is played at the first block length, after a check that both formats play it at every length.
fn performed(settings: &[(&str, f64)], played: &[Timed], bars: u64) -> Vec<Timed> {
    let [(_, clap), (_, vst3)] = LOADED;
    let first = perform(clap, LENGTHS[0], settings, played, bars);
    for lengths in &LENGTHS[1..] {
        assert_eq!(perform(clap, *lengths, settings, played, bars), first, "CLAP in blocks of {lengths:?}");
    }
    assert_eq!(perform(vst3, LENGTHS[0], settings, played, bars), first, "VST3");
    assert_eq!(perform(vst3, LENGTHS[1], settings, played, bars), first, "VST3 in blocks of {:?}", LENGTHS[1]);
    first
}

/// Samples of the note-ons.
fn onsets(messages: &[Timed]) -> Vec<u64> {
    messages.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. })).map(|timed| timed.sample).collect()
}

#[test]
fn answer_takes_over_after_a_pause_and_gives_way_when_the_player_returns() {
    let mut played = clip_at(0, 2);
    let first_pause = played.last().unwrap().sample;
    // A beat and a half into the fifth bar.
    let back = 4 * BAR + BEAT * 3 / 2;
    played.extend(clip_at(0, 1).into_iter().map(|timed| Timed { sample: timed.sample + back, ..timed }));
    let back = played.iter().map(|timed| timed.sample).find(|&sample| sample >= back).unwrap();
    let second_pause = played.last().unwrap().sample;
    let out = performed(&[("Mode", ANSWER)], &played, 9);
    let strikes = onsets(&out);
    // Half a tick early is in time.
    let early = BEAT / 48;
    let answers = strikes.iter().filter(|&&at| at < back).count();
    assert!(answers >= 4, "{strikes:?}");
    assert!(strikes[0] + early >= first_pause + 2 * BEAT, "{} is too soon after {first_pause}", strikes[0]);
    assert!(
        !strikes.iter().any(|&at| (back..second_pause + 2 * BEAT - early).contains(&at)),
        "{strikes:?} against {back} to {second_pause}"
    );
    assert!(strikes.iter().any(|&at| at > second_pause), "it answers again");
    // What sounds when the player returns ends within a beat.
    let ends = out.iter().filter(|timed| (back..second_pause).contains(&timed.sample)).map(|timed| timed.sample);
    assert!(ends.max().is_none_or(|end| end <= back + BEAT + 1));
}

#[test]
fn trade_plays_in_its_bars_by_itself_and_stops_at_their_end() {
    // The player plays on in Antiphon's bars; turns have two bars.
    let played = clip_at(0, 5);
    let out = performed(&[("Mode", TRADE), ("Trade bars", 1.0 / 3.0)], &played, 8);
    let early = BEAT / 48;
    let strikes = onsets(&out);
    let is_in = |bar: u64, at: u64| (bar * BAR..(bar + 2) * BAR).contains(&(at + early));
    assert!(strikes.iter().all(|&at| is_in(2, at) || is_in(6, at)), "{strikes:?}");
    for bar in [2, 6] {
        assert!(strikes.iter().any(|&at| is_in(bar, at)), "nothing plays from bar {bar} on: {strikes:?}");
    }
    // A beat after its bars nothing sounds.
    let late = out.iter().map(|timed| timed.sample).find(|at| (4 * BAR + BEAT + early..6 * BAR - early).contains(at));
    assert_eq!(late, None);
}

#[test]
fn accompany_plays_a_bass_along_with_the_player_by_itself() {
    let played = clip_at(0, 4);
    let out = performed(&[("Mode", ACCOMPANY)], &played, 4);
    let strikes = onsets(&out);
    for bar in 1..4 {
        assert!(strikes.iter().any(|at| (bar * BAR..(bar + 1) * BAR).contains(at)), "nothing plays in bar {bar}: {strikes:?}");
    }
    // In the range of a bass, and every note ends.
    let mut sounding = 0;
    for timed in &out {
        match timed.message {
            Message::NoteOn { key, .. } => {
                assert!((28..=55).contains(&key), "key {key}");
                sounding += 1;
            }
            _ => sounding -= 1,
        }
    }
    assert_eq!(sounding, 0);
}
