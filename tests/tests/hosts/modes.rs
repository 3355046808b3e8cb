//! The modes in which Antiphon plays by itself, in both formats with the real engine: rendered offline, where it waits for its plans.

use std::collections::BTreeSet;

use antiphon_tests::{Block, Class, Lengths, Message, Render, RollingTransport, Setup, Timed, Transport};

use crate::engine::{BAR, FRAMES, RATE, clip};
use crate::{LOADED, Make, assert_in_order, still_held};

/// Block lengths that must all give the same notes.
const LENGTHS: [Lengths; 3] = [Lengths::Fixed(64), Lengths::Fixed(480), Lengths::Random(5)];
/// Samples per beat at 120 bpm.
const BEAT: u64 = BAR / 4;
/// Half a tick: a note may be played so much before its place.
const EARLY: u64 = BEAT / 48;
/// Step of the Mode parameter.
const ANSWER: f64 = 0.25;
/// Step of the Mode parameter.
const TRADE: f64 = 0.5;
/// Step of the Mode parameter.
const ACCOMPANY: f64 = 0.75;
/// Step of the Mode parameter.
const INFILL: f64 = 1.0;

/// How far the song is played.
#[derive(Debug, Clone, Copy)]
struct Song {
    bars: u64,
    /// Loop in quarters.
    cycle: Option<(f64, f64)>,
}

impl From<u64> for Song {
    fn from(bars: u64) -> Self {
        Self { bars, cycle: None }
    }
}

/// The clip's first bars, from a bar on.
fn clip_at(bar: u64, bars: u32) -> Vec<Timed> {
    clip(bars).into_iter().map(|timed| Timed { sample: timed.sample + bar * BAR, ..timed }).collect()
}

/// Plays these messages in a mode for so many bars, and stops; returns the output without them.
fn perform(make: Make, lengths: Lengths, settings: &[(&str, f64)], played: &[Timed], song: Song) -> Vec<Timed> {
    let Song { bars, cycle } = song;
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    host.set("Seed", 0.3);
    for (name, value) in settings {
        host.set(name, *value);
    }
    let mut song = RollingTransport { cycle, ..RollingTransport::new(120.0, RATE) };
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
fn performed(settings: &[(&str, f64)], played: &[Timed], song: impl Into<Song>) -> Vec<Timed> {
    let song = song.into();
    let [(_, clap), (_, vst3)] = LOADED;
    let first = perform(clap, LENGTHS[0], settings, played, song);
    for lengths in &LENGTHS[1..] {
        assert_eq!(perform(clap, *lengths, settings, played, song), first, "CLAP in blocks of {lengths:?}");
    }
    assert_eq!(perform(vst3, LENGTHS[0], settings, played, song), first, "VST3");
    assert_eq!(perform(vst3, LENGTHS[1], settings, played, song), first, "VST3 in blocks of {:?}", LENGTHS[1]);
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

/// Three passes of a loop of the clip's first four bars, without the notes that start in the bar of this number.
fn passes_without(gap: u64) -> Vec<Timed> {
    let bars = clip_at(0, 4);
    let passes = (0..3).flat_map(|pass| bars.iter().map(move |timed| Timed { sample: timed.sample + pass * 4 * BAR, ..*timed }));
    let mut held = BTreeSet::new();
    let is_kept = |timed: &Timed| match timed.message {
        Message::NoteOn { channel, key, .. } => (timed.sample + EARLY) / BAR % 4 != gap && held.insert((channel, key)),
        Message::NoteOff { channel, key, .. } => held.remove(&(channel, key)),
        _ => false,
    };
    passes.filter(is_kept).collect()
}

#[test]
fn infill_fills_the_marked_bar_of_each_pass_and_the_same_way_while_the_song_stays_the_same() {
    let played = passes_without(2);
    let song = Song { bars: 12, cycle: Some((0.0, 16.0)) };
    let out = performed(&[("Mode", INFILL), ("Infill from", 2.0 / 998.0)], &played, song);
    let strikes = onsets(&out);
    assert!(strikes.iter().all(|at| (at + EARLY) / BAR % 4 == 2), "it plays in other bars: {strikes:?}");
    let [first, second, third] = [2, 6, 10].map(|bar: u64| {
        let inside = out.iter().filter(|timed| matches!(timed.message, Message::NoteOn { .. }) && (timed.sample + EARLY) / BAR == bar);
        inside.map(|timed| (timed.sample + EARLY - bar * BAR, timed.message)).collect::<Vec<_>>()
    });
    assert!(!first.is_empty() && !second.is_empty(), "nothing plays: {strikes:?}");
    assert_eq!(second, third, "nothing around it has changed");
}
