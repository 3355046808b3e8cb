//! The player's events pass unchanged, at their own sample.

use antiphon_tests::{Block, Class, Outcome, RollingTransport, Setup, Timed};

use crate::{LENGTHS, LOADED, TEMPI, assert_in_order, playing, sorted};

#[test]
fn player_events_pass_at_their_own_sample() {
    for (format, make) in LOADED {
        for (class, (lengths, seed)) in Class::ALL.into_iter().flat_map(|class| LENGTHS.into_iter().zip(1..).map(move |rest| (class, rest)))
        {
            let (tempo, sample_rate) = TEMPI[seed as usize % TEMPI.len()];
            let played = playing(seed, 100_000, 16);
            assert!(played.len() > 500);
            let mut host = make(class, Setup { sample_rate, ..Setup::default() });
            let sent = RollingTransport::new(tempo, sample_rate).play(&mut *host, lengths, &played, 100_000, |_, _| ());
            assert_in_order(&sent);
            assert_eq!(sorted(&sent), sorted(&played), "{format}, {class:?}, {lengths:?}");
        }
    }
}

#[test]
fn closed_gate_passes_nothing_and_releases_sounding_keys() {
    for (format, make) in LOADED {
        let mut host = make(Class::Instrument, Setup::default());
        let played = playing(9, 20_000, 3);
        let (before, after): (Vec<_>, Vec<_>) = played.into_iter().partition(|timed| timed.sample < 10_000);
        let mut sent = host.process(&Block { frames: 10_000, messages: &before, ..Block::default() }).messages;
        host.set("Thru", 0.0);
        let after: Vec<_> = after.into_iter().map(|timed| Timed { sample: timed.sample - 10_000, ..timed }).collect();
        let released = host.process(&Block { frames: 10_000, messages: &after, ..Block::default() }).messages;
        assert!(!released.is_empty() && released.iter().all(|timed| timed.sample == 0), "{format}: {released:?}");
        sent.extend(released);
        assert_eq!(crate::still_held(&sent), [], "{format}");
    }
}

#[test]
fn note_effect_passes_audio_and_the_instrument_is_silent() {
    let audio: Vec<f32> = (0u16..500).map(|sample| f32::from(sample) / 1000.0 - 0.25).collect();
    for (format, make) in LOADED {
        let block = Block { frames: 500, audio: &audio, ..Block::default() };
        let Outcome { audio: out, .. } = make(Class::NoteFx, Setup::default()).process(&block);
        assert_eq!(out, [audio.clone(), audio.clone()], "{format}");
        let Outcome { audio: out, .. } = make(Class::Instrument, Setup::default()).process(&block);
        assert_eq!(out, [vec![0.0; 500], vec![0.0; 500]], "{format}");
    }
}
