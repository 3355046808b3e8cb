//! Band: two instances of one library in one host hear each other, in both formats with the real engine.
//!
//! A program with one test: instances of other tests in the same process would be heard, too.

use antiphon_tests::{ClapHost, Class, Host, Lengths, Message, Render, RollingTransport, Setup, Timed, Vst3Host};

/// Sample rate in hertz.
const RATE: f64 = 48_000.0;
/// Samples per bar of 4/4 at 120 bpm.
const BAR: u64 = 96_000;
/// Loads an instance from the built library.
type Make = fn(Class, Setup) -> Box<dyn Host>;

/// Steps of parameters.
const ACCOMPANY: f64 = 0.75;
const EVERYTHING: f64 = 1.0;
/// Bar in which the keys change from C major to F sharp major, and bars in all.
const BARS: (u64, u64) = (5, 10);
/// Two bars after the change.
const FOLLOWED: u64 = BARS.0 + 2;
/// Pitch classes of C major, and of F sharp major.
const SCALES: [[u8; 7]; 2] = [[0, 2, 4, 5, 7, 9, 11], [6, 8, 10, 11, 1, 3, 5]];

/// Chords and a tune over tonic, subdominant, dominant, tonic, half a bar each, in the key of each bar.
fn keys() -> Vec<Timed> {
    let mut messages = Vec::new();
    for half in 0..BARS.1 * 2 {
        let key = if half / 2 < BARS.0 { 60 } else { 66 };
        let root = [0, 5, 7, 0][usize::try_from(half % 4).expect("below four")];
        for (above, eighths, at) in [(0, 4, 0), (4, 4, 0), (7, 4, 0), (12, 1, 1), (16, 1, 2), (14, 1, 3)] {
            let (on, eighth, key) = (half * BAR / 2 + at * BAR / 8, BAR / 8, key + root + above);
            messages.push(Timed { sample: on, message: Message::NoteOn { channel: 0, key, velocity: 0.7 } });
            let off = Message::NoteOff { channel: 0, key, velocity: 0.0 };
            messages.push(Timed { sample: on + eighths * eighth - 100, message: off });
        }
    }
    messages.sort_by_key(|timed| (timed.sample, matches!(timed.message, Message::NoteOn { .. })));
    messages
}

/// What an instance in Accompany plays, with its scale locked, that hears so much of another's keys, with nothing on its own track.
fn bass(make: Make, frames: u32, hears: f64) -> Vec<Timed> {
    let setup = || Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() };
    let (mut keys_host, mut bass_host) = (make(Class::Instrument, setup()), make(Class::NoteFx, setup()));
    for (name, value) in [("Seed", 0.3), ("Mode", ACCOMPANY), ("Hears", hears), ("Scale lock", 1.0)] {
        bass_host.set(name, value);
    }
    let (mut keys_song, mut bass_song) = (RollingTransport::new(120.0, RATE), RollingTransport::new(120.0, RATE));
    let (keys, mut sent) = (keys(), Vec::new());
    // The host's graph: a block of one track, then of the other.
    for end in (0..BARS.1 * BAR).step_by(usize::try_from(frames).expect("a block")).map(|start| start + u64::from(frames)) {
        let left = &keys[keys.partition_point(|timed| timed.sample < keys_song.played)..];
        keys_song.play(&mut *keys_host, Lengths::Fixed(frames), left, end, |_, _| ());
        sent.extend(bass_song.play(&mut *bass_host, Lengths::Fixed(frames), &[], end, |_, _| ()));
    }
    sent
}

/// Share of the notes from one bar to another in each of the two keys, and their number.
fn shares(messages: &[Timed], bars: std::ops::Range<u64>) -> ([f64; 2], usize) {
    let inside = messages.iter().filter(|timed| (bars.start * BAR..bars.end * BAR).contains(&timed.sample));
    let classes: Vec<u8> = inside
        .filter_map(|timed| match timed.message {
            Message::NoteOn { key, .. } => Some(key % 12),
            _ => None,
        })
        .collect();
    let share = |scale: [u8; 7]| classes.iter().filter(|class| scale.contains(class)).count() as f64 / classes.len().max(1) as f64;
    (SCALES.map(share), classes.len())
}

#[test]
fn bass_with_scale_lock_is_in_the_new_key_of_another_instance_within_two_bars() {
    let clap: Make = |class, setup| Box::new(ClapHost::loaded(class, setup));
    let vst3: Make = |class, setup| Box::new(Vst3Host::loaded(class, setup));
    let first = bass(clap, 480, EVERYTHING);
    let ([in_c, in_f_sharp], before) = shares(&first, 1..BARS.0);
    assert!(before >= 8 && in_c > 0.7 && in_c > in_f_sharp, "{in_c} of {before} notes are in C major");
    let ([in_c, in_f_sharp], after) = shares(&first, FOLLOWED..BARS.1);
    // As many as before the change: for a bar the detected key may be that of the dominant or subdominant.
    assert!(after >= 8 && in_f_sharp > 0.7 && in_f_sharp > in_c, "{in_f_sharp} of {after} notes are in F sharp major, {in_c} in C major");
    assert_eq!(bass(vst3, 64, EVERYTHING), first, "VST3, in blocks of 64");
    assert_eq!(bass(clap, 480, 0.0), [], "without hearing the other it has nothing to go on from");
}
