//! Corrections to nice-plug's transport.

use nice_plug::prelude::Transport;

use crate::backend::Time;

/// The corrected transport of a block.
///
/// * Without a transport, nice-plug counts samples and reports a rolling transport. It is treated as stopped; the player's first note, or
///   Play, then starts the first bar.
/// * For a JACK transport with bars and beats nice-plug adds up quarters as if every bar had four (0.4.2, `backend/jack.rs`): in other
///   metres the position would jump at every bar line.
pub(crate) fn correct(reported: &Transport, time: Time) -> Transport {
    let mut corrected = copy(reported);
    match time {
        Time::Count => corrected.playing = false,
        Time::Jack => {
            if let Some(quarters) = reported.pos_beats {
                let time = song_time(reported, quarters);
                corrected.pos_beats = time.map(|time| time.quarters);
                corrected.bar_start_pos_beats = time.map(|time| time.bar_line);
            }
        }
    }
    corrected
}

/// Position of a transport, in quarters from the start of bar 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SongTime {
    quarters: f64,
    /// Start of the bar.
    bar_line: f64,
}

/// Reconstructs the position from nice-plug's sum: four quarters per bar number (from 1), the beat number (from 1) as a share of four
/// quarters, and the elapsed part of the beat. `None` for beats of an eighth or shorter, where that part cannot be distinguished from a
/// beat; the sample count is used instead.
fn song_time(reported: &Transport, quarters: f64) -> Option<SongTime> {
    let (bar, beats, unit) = (reported.bar_number?, reported.time_sig_numerator?, reported.time_sig_denominator?);
    let quarters_a_beat = match unit {
        1 | 2 | 4 => 4.0 / f64::from(unit),
        _ => return None,
    };
    let within = quarters - 4.0 * f64::from(bar);
    let beat = (within / quarters_a_beat).floor();
    let passed = within - beat * quarters_a_beat;
    let bar_line = f64::from(bar - 1) * f64::from(beats) * quarters_a_beat;
    Some(SongTime { quarters: bar_line + (beat - 1.0 + passed) * quarters_a_beat, bar_line })
}

/// `Transport` has no `Clone`.
fn copy(reported: &Transport) -> Transport {
    Transport {
        playing: reported.playing,
        recording: reported.recording,
        preroll_active: reported.preroll_active,
        sample_rate: reported.sample_rate,
        tempo: reported.tempo,
        time_sig_numerator: reported.time_sig_numerator,
        time_sig_denominator: reported.time_sig_denominator,
        pos_samples: reported.pos_samples,
        pos_seconds: reported.pos_seconds,
        pos_beats: reported.pos_beats,
        bar_start_pos_beats: reported.bar_start_pos_beats,
        bar_number: reported.bar_number,
        loop_range_samples: reported.loop_range_samples,
        loop_range_seconds: reported.loop_range_seconds,
        loop_range_beats: reported.loop_range_beats,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// Transport reported by nice-plug 0.4.2 for a JACK position: bar and beat from 1, and the elapsed part of the beat.
    fn jack(bar: i32, beat: i32, passed: f64, (beats, unit): (i32, i32)) -> Transport {
        let mut transport = Transport::new(48_000.0);
        (transport.playing, transport.tempo, transport.pos_samples) = (true, Some(90.0), Some(77));
        (transport.time_sig_numerator, transport.time_sig_denominator) = (Some(beats), Some(unit));
        transport.bar_number = Some(bar);
        transport.pos_beats = Some(f64::from(bar) * 4.0 + f64::from(beat) / f64::from(unit) * 4.0 + passed);
        transport
    }

    #[test]
    fn quarters_are_continuous_across_bar_lines_of_any_metre() {
        for (beats, unit) in [(4, 4), (3, 4), (5, 4), (2, 2), (3, 2), (1, 1)] {
            let a_beat = 4.0 / f64::from(unit);
            let mut expected = 0.0;
            for bar in 1..4 {
                for beat in 1..=beats {
                    for passed in [0.0, 0.25, 0.75] {
                        let corrected = correct(&jack(bar, beat, passed, (beats, unit)), Time::Jack);
                        assert_eq!(corrected.pos_beats, Some(expected + passed * a_beat), "{beats}/{unit} bar {bar} beat {beat}");
                        assert_eq!(corrected.bar_start_pos_beats, Some(f64::from((bar - 1) * beats) * a_beat));
                    }
                    expected += a_beat;
                }
            }
        }
    }

    #[test]
    fn ambiguous_beats_fall_back_to_the_sample_count() {
        let corrected = correct(&jack(2, 3, 0.5, (6, 8)), Time::Jack);
        assert_eq!((corrected.pos_beats, corrected.bar_start_pos_beats, corrected.pos_samples), (None, None, Some(77)));
        assert_eq!((corrected.playing, corrected.tempo, corrected.time_sig_numerator), (true, Some(90.0), Some(6)));
    }

    #[test]
    fn sample_count_is_no_rolling_transport() {
        let mut counted = Transport::new(48_000.0);
        (counted.playing, counted.tempo, counted.pos_samples) = (true, Some(120.0), Some(512));
        assert!(!correct(&counted, Time::Count).playing);
        assert_eq!(correct(&counted, Time::Count).tempo, Some(120.0));
        assert!(correct(&counted, Time::Jack).playing);
        assert_eq!(correct(&counted, Time::Jack).pos_samples, Some(512));
    }
}
