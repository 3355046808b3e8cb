//! Tempi: the rate of musical time. The engine itself never counts seconds.

use std::ops::Range;

use super::Tick;

/// How far apart two tempi may be that a listener takes for one.
const SAME_TEMPO_PERCENT: u64 = 4;

/// A tempo, as Standard MIDI Files write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tempo {
    /// Microseconds per quarter note, 1 to [`Tempo::SLOWEST`].
    micros_per_quarter: u32,
}

impl Tempo {
    /// 120 quarters a minute, the default tempo.
    pub const DEFAULT: Self = Self { micros_per_quarter: 500_000 };

    /// The slowest tempo a file can write, in microseconds per quarter note: 3.6 quarters a minute.
    pub const SLOWEST: u32 = 0xFF_FFFF;

    /// A tempo from microseconds per quarter note; `None` for 0 and beyond [`Tempo::SLOWEST`].
    #[must_use]
    pub const fn new(micros_per_quarter: u32) -> Option<Self> {
        if micros_per_quarter == 0 || micros_per_quarter > Self::SLOWEST {
            return None;
        }
        Some(Self { micros_per_quarter })
    }

    /// A tempo from quarter notes per minute, to the nearest microsecond; `None` where no file could write it.
    ///
    /// ```
    /// use antiphon_engine::music::Tempo;
    ///
    /// // Standard MIDI Files write microseconds per quarter note: 133 quarters a minute comes back a little off.
    /// let tempo = Tempo::from_bpm(133.0).expect("a tempo");
    /// assert_eq!(tempo.micros_per_quarter(), 451_128);
    /// assert!(tempo.bpm() != 133.0 && (tempo.bpm() - 133.0).abs() < 0.001);
    /// assert_eq!(Tempo::from_bpm(3.5), None, "slower than a file can write");
    /// ```
    #[must_use]
    pub fn from_bpm(bpm: f64) -> Option<Self> {
        let micros = (60e6 / bpm).round();
        if !(1.0..=f64::from(Self::SLOWEST)).contains(&micros) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range: checked above")]
        Self::new(micros as u32)
    }

    /// Microseconds per quarter note.
    #[must_use]
    pub const fn micros_per_quarter(self) -> u32 {
        self.micros_per_quarter
    }

    /// Quarter notes per minute.
    #[must_use]
    pub fn bpm(self) -> f64 {
        60e6 / f64::from(self.micros_per_quarter)
    }
}

impl Default for Tempo {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where each tempo begins. There is always one at tick 0, 120 quarters a minute by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TempoMap {
    /// In order of time, the first at tick 0, no two equal in a row.
    changes: Vec<(Tick, Tempo)>,
}

impl TempoMap {
    /// A map from changes in any order. Of several at one tick the last in the list applies; those before tick 0 count as at tick 0.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = (Tick, Tempo)>) -> Self {
        let mut wanted: Vec<_> = changes.into_iter().map(|(tick, tempo)| (tick.max(Tick::ZERO), tempo)).collect();
        wanted.sort_by_key(|(tick, _)| *tick);
        let mut changes = vec![(Tick::ZERO, Tempo::DEFAULT)];
        for (index, &(tick, tempo)) in wanted.iter().enumerate() {
            let overruled = wanted.get(index + 1).is_some_and(|next| next.0 == tick);
            if tick == Tick::ZERO {
                changes[0].1 = tempo;
            } else if !overruled && changes[changes.len() - 1].1 != tempo {
                changes.push((tick, tempo));
            }
        }
        Self { changes }
    }

    /// The changes in order of time; the first is at tick 0.
    #[must_use]
    pub fn changes(&self) -> &[(Tick, Tempo)] {
        &self.changes
    }

    /// The tempo that holds longest in a stretch, with others within 4 % counted to it: a performance is never quite in one tempo. The later one
    /// of two that hold as long; the tempo at its start if it has no length.
    #[must_use]
    pub fn prevailing(&self, stretch: Range<Tick>) -> Tempo {
        let starts = self.changes.iter().map(|(tick, _)| *tick).chain([Tick::MAX]);
        let ends = starts.skip(1).map(|end| end.min(stretch.end));
        let held: Vec<(i64, Tempo)> = self
            .changes
            .iter()
            .zip(ends)
            .map(|(&(start, tempo), end)| ((end - start.max(stretch.start)).0, tempo))
            .filter(|(ticks, _)| *ticks > 0)
            .collect();
        let is_close = |tempo: Tempo, other: Tempo| {
            let (tempo, other) = (u64::from(tempo.micros_per_quarter), u64::from(other.micros_per_quarter));
            tempo.abs_diff(other) * 100 <= tempo * SAME_TEMPO_PERCENT
        };
        let weight = |tempo: Tempo| held.iter().filter(|(_, other)| is_close(tempo, *other)).map(|(ticks, _)| ticks).sum::<i64>();
        let longest = held.iter().max_by_key(|&&(ticks, tempo)| (weight(tempo), ticks));
        longest.map_or_else(|| self.at(stretch.start), |&(_, tempo)| tempo)
    }

    /// The same tempi up to `from`, and from there on this one.
    #[must_use]
    pub fn held_from(self, from: Tick, tempo: Tempo) -> Self {
        let before = self.changes.into_iter().filter(|(tick, _)| *tick < from);
        Self::new(before.chain([(from, tempo)]))
    }

    /// The same tempi without the changes at `end` and behind it.
    #[must_use]
    pub fn until(mut self, end: Tick) -> Self {
        self.changes.retain(|(tick, _)| *tick < end.max(Tick(1)));
        self
    }

    /// The tempo in force at a tick.
    #[must_use]
    pub fn at(&self, tick: Tick) -> Tempo {
        let after = self.changes.partition_point(|(start, _)| *start <= tick);
        self.changes[after.saturating_sub(1)].1
    }

    /// The same tempi with `from` as tick 0.
    #[must_use]
    pub fn slice_from(&self, from: Tick) -> Self {
        let later = self.changes.iter().filter(|(tick, _)| *tick > from).map(|&(tick, tempo)| (tick - from, tempo));
        Self::new([(Tick::ZERO, self.at(from))].into_iter().chain(later))
    }
}

impl Default for TempoMap {
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bpm(bpm: f64) -> Tempo {
        Tempo::from_bpm(bpm).unwrap()
    }

    #[test]
    fn prevailing_tempo_is_the_one_that_holds_longest() {
        let map = |changes: &[(i64, f64)]| TempoMap::new(changes.iter().map(|&(tick, bpm)| (Tick(tick), Tempo::from_bpm(bpm).unwrap())));
        let bpm = |map: &TempoMap, from, until| map.prevailing(Tick(from)..Tick(until)).bpm().round();
        let slowing = map(&[(0, 120.0), (300, 100.0), (330, 60.0), (384, 20.0)]);
        assert!((bpm(&slowing, 0, 384) - 120.0).abs() < 1e-9);
        assert!((bpm(&slowing, 310, 384) - 60.0).abs() < 1e-9, "only what holds in the stretch counts");
        assert!((bpm(&map(&[(0, 120.0), (96, 90.0)]), 0, 192) - 90.0).abs() < 1e-9, "of two the later");
        let performed = map(&[(0, 120.0), (40, 80.0), (90, 98.0), (120, 101.0), (150, 99.0)]);
        assert!((bpm(&performed, 0, 180) - 98.0).abs() < 3.5, "tempi that differ by a hair are one");
        assert!((bpm(&slowing, 400, 400) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn tempi_no_file_can_write_are_none() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 3.5, 1e9] {
            assert_eq!(Tempo::from_bpm(wrong), None, "{wrong}");
        }
        assert_eq!(Tempo::new(0), None);
        assert_eq!(Tempo::new(Tempo::SLOWEST + 1), None);
        assert_eq!(bpm(120.0), Tempo::DEFAULT);
        assert!((bpm(97.3).bpm() - 97.3).abs() < 1e-3);
    }

    #[test]
    fn empty_map_has_a_tempo() {
        assert_eq!(TempoMap::default().at(Tick(77)), Tempo::DEFAULT);
        let map = TempoMap::new([(Tick(96), bpm(90.0)), (Tick(48), bpm(120.0)), (Tick(96), bpm(60.0)), (Tick(192), bpm(60.0))]);
        assert_eq!(map.changes(), [(Tick::ZERO, bpm(120.0)), (Tick(96), bpm(60.0))]);
        assert_eq!(map.at(Tick(95)), bpm(120.0));
        assert_eq!(map.at(Tick(96)), bpm(60.0));
    }

    #[test]
    fn slice_carries_its_tempo_over() {
        let map = TempoMap::new([(Tick(96), bpm(90.0)), (Tick(192), bpm(60.0))]);
        assert_eq!(map.slice_from(Tick(100)).changes(), [(Tick::ZERO, bpm(90.0)), (Tick(92), bpm(60.0))]);
    }
}
