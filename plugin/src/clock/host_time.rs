//! The host's transport information for one block, validated.

use antiphon_engine::music::{Metre, TICKS_PER_QUARTER};
use antiphon_engine::plan::{EQUAL, SongLoop, SongPosition, whole};
use nice_plug::prelude::Transport;

/// Accepted tempi, in quarters per minute.
const TEMPI: std::ops::RangeInclusive<f64> = 1.0..=5_000.0;
/// Largest accepted position, in ticks or samples: a thousand years, and still exact as a float.
const FARTHEST: f64 = 1e15;

/// Song position as the host reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// In ticks from the start of the song.
    Musical(f64),
    /// In samples from the start of the song: the host gives no musical position.
    Samples(i64),
    /// Not reported.
    Unknown,
}

/// The host's transport information for one block. Values out of range are dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostTime {
    /// Whether the transport is rolling.
    pub playing: bool,
    /// Quarters per minute.
    pub tempo: Option<f64>,
    /// The time signature.
    pub metre: Option<Metre>,
    /// Position of the first sample of the block.
    pub position: Position,
    /// Bar position as reported, in ticks from the start of the song. May not be a bar line: see `bar_lines`.
    pub bar_line: Option<f64>,
    /// Loop start and end in ticks from the start of the song, while the loop is on.
    pub cycle: Option<(f64, f64)>,
}

impl HostTime {
    /// Reads nice-plug's transport.
    #[must_use]
    pub fn read(transport: &Transport) -> Self {
        let ticks = |quarters: f64| Some(quarters * TICKS_PER_QUARTER as f64).filter(|ticks| ticks.abs() < FARTHEST);
        let number = |number: Option<i32>| number.and_then(|number| u8::try_from(number).ok());
        let metre = number(transport.time_sig_numerator).zip(number(transport.time_sig_denominator));
        let position = match transport.pos_beats {
            Some(quarters) => ticks(quarters).map(Position::Musical),
            None => transport.pos_samples().filter(|&sample| (sample as f64).abs() < FARTHEST).map(Position::Samples),
        };
        Self {
            playing: transport.playing,
            tempo: transport.tempo.filter(|tempo| TEMPI.contains(tempo)),
            metre: metre.and_then(|(numerator, denominator)| Metre::new(numerator, denominator)),
            position: position.unwrap_or(Position::Unknown),
            // Read from the field: nice-plug's method would compute one from the current metre, counted from the start of the song.
            bar_line: transport.pos_beats.and(transport.bar_start_pos_beats).and_then(ticks),
            cycle: transport
                .loop_range_beats()
                .and_then(|(start, end)| ticks(start).zip(ticks(end)))
                .filter(|(start, end)| end - start >= 1.0),
        }
    }

    /// Loop that the rolling song is in or will reach, in whole ticks; none if its ends lie between ticks.
    #[must_use]
    pub fn song_loop(&self) -> Option<SongLoop> {
        let on_tick = |ticks: f64| Some(SongPosition(whole(ticks.round()))).filter(|_| (ticks - ticks.round()).abs() <= EQUAL);
        let (start, end) = self.cycle.filter(|_| self.playing && matches!(self.position, Position::Musical(_)))?;
        SongLoop::new(on_tick(start)?, on_tick(end)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_transport_values_are_dropped() {
        let mut transport = Transport::new(0.0);
        (transport.playing, transport.tempo) = (true, Some(0.0));
        (transport.time_sig_numerator, transport.time_sig_denominator) = (Some(0), Some(0));
        (transport.pos_beats, transport.loop_range_beats) = (Some(f64::NAN), Some((4.0, 4.0)));
        let read = HostTime::read(&transport);
        let silent = HostTime { playing: true, tempo: None, metre: None, position: Position::Unknown, bar_line: None, cycle: None };
        assert_eq!(read, silent);
    }

    #[test]
    fn song_loop_is_that_of_a_rolling_song_and_ends_on_ticks() {
        let position = Position::Musical(30.0);
        let host = |cycle| HostTime { playing: true, tempo: None, metre: None, position, bar_line: None, cycle: Some(cycle) };
        let rolling = host((0.0, 384.0));
        assert_eq!(rolling.song_loop(), SongLoop::new(SongPosition(0), SongPosition(384)));
        assert_eq!(HostTime { playing: false, ..rolling }.song_loop(), None);
        assert_eq!(HostTime { position: Position::Samples(5), ..rolling }.song_loop(), None);
        assert_eq!(host((0.0, 383.5)).song_loop(), None);
    }
}
