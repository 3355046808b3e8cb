//! nice-plug's transport, as it is meant.

use nice_plug::prelude::Transport;

use crate::backend::Time;

/// The transport of a block, set right.
///
/// * Where there is none, nice-plug counts samples and says that it rolls. Then the player's first note, or Play, begins the first bar.
/// * Of a JACK transport with bars and beats nice-plug adds up quarters as if every bar had four (0.4.2, `backend/jack.rs`): in other metres
///   the place would jump at every bar line.
pub(crate) fn mend(told: &Transport, time: Time) -> Transport {
    let mut mended = copy(told);
    match time {
        Time::Count => mended.playing = false,
        Time::Jack => {
            if let Some(quarters) = told.pos_beats {
                let place = place(told, quarters);
                mended.pos_beats = place.map(|place| place.quarters);
                mended.bar_start_pos_beats = place.map(|place| place.bar_line);
            }
        }
    }
    mended
}

/// Where a transport is, in quarters from the start of bar 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    quarters: f64,
    /// Where the bar began.
    bar_line: f64,
}

/// What was added up: four a bar from bar 1 on, four quarters' share a beat from beat 1 on, and the share of a beat that has passed. In
/// eighths and shorter beats that share cannot be told from a beat, so there the count of samples has to do.
fn place(told: &Transport, quarters: f64) -> Option<Place> {
    let (bar, beats, unit) = (told.bar_number?, told.time_sig_numerator?, told.time_sig_denominator?);
    let quarters_a_beat = match unit {
        1 | 2 | 4 => 4.0 / f64::from(unit),
        _ => return None,
    };
    let within = quarters - 4.0 * f64::from(bar);
    let beat = (within / quarters_a_beat).floor();
    let passed = within - beat * quarters_a_beat;
    let bar_line = f64::from(bar - 1) * f64::from(beats) * quarters_a_beat;
    Some(Place { quarters: bar_line + (beat - 1.0 + passed) * quarters_a_beat, bar_line })
}

/// It has no `Clone`.
fn copy(told: &Transport) -> Transport {
    Transport {
        playing: told.playing,
        recording: told.recording,
        preroll_active: told.preroll_active,
        sample_rate: told.sample_rate,
        tempo: told.tempo,
        time_sig_numerator: told.time_sig_numerator,
        time_sig_denominator: told.time_sig_denominator,
        pos_samples: told.pos_samples,
        pos_seconds: told.pos_seconds,
        pos_beats: told.pos_beats,
        bar_start_pos_beats: told.bar_start_pos_beats,
        bar_number: told.bar_number,
        loop_range_samples: told.loop_range_samples,
        loop_range_seconds: told.loop_range_seconds,
        loop_range_beats: told.loop_range_beats,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// What nice-plug 0.4.2 says at a place of a JACK transport: bar and beat from 1 on, and the share of the beat that has passed.
    fn jack(bar: i32, beat: i32, passed: f64, (beats, unit): (i32, i32)) -> Transport {
        let mut transport = Transport::new(48_000.0);
        (transport.playing, transport.tempo, transport.pos_samples) = (true, Some(90.0), Some(77));
        (transport.time_sig_numerator, transport.time_sig_denominator) = (Some(beats), Some(unit));
        transport.bar_number = Some(bar);
        transport.pos_beats = Some(f64::from(bar) * 4.0 + f64::from(beat) / f64::from(unit) * 4.0 + passed);
        transport
    }

    #[test]
    fn quarters_run_on_over_the_bar_lines_of_any_metre() {
        for (beats, unit) in [(4, 4), (3, 4), (5, 4), (2, 2), (3, 2), (1, 1)] {
            let a_beat = 4.0 / f64::from(unit);
            let mut expected = 0.0;
            for bar in 1..4 {
                for beat in 1..=beats {
                    for passed in [0.0, 0.25, 0.75] {
                        let mended = mend(&jack(bar, beat, passed, (beats, unit)), Time::Jack);
                        assert_eq!(mended.pos_beats, Some(expected + passed * a_beat), "{beats}/{unit} bar {bar} beat {beat}");
                        assert_eq!(mended.bar_start_pos_beats, Some(f64::from((bar - 1) * beats) * a_beat));
                    }
                    expected += a_beat;
                }
            }
        }
    }

    #[test]
    fn where_beats_cannot_be_told_apart_samples_are_counted() {
        let mended = mend(&jack(2, 3, 0.5, (6, 8)), Time::Jack);
        assert_eq!((mended.pos_beats, mended.bar_start_pos_beats, mended.pos_samples), (None, None, Some(77)));
        assert_eq!((mended.playing, mended.tempo, mended.time_sig_numerator), (true, Some(90.0), Some(6)));
    }

    #[test]
    fn a_count_of_samples_is_no_rolling_transport() {
        let mut counted = Transport::new(48_000.0);
        (counted.playing, counted.tempo, counted.pos_samples) = (true, Some(120.0), Some(512));
        assert!(!mend(&counted, Time::Count).playing);
        assert_eq!(mend(&counted, Time::Count).tempo, Some(120.0));
        assert!(mend(&counted, Time::Jack).playing);
        assert_eq!(mend(&counted, Time::Jack).pos_samples, Some(512));
    }
}
