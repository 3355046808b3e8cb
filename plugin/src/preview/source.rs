//! Sound generators: electric piano and drum, each with two partials that decay independently.

use super::wave::{Band, CHUNK, Chunk, Oscillator, sine, wrap};

/// Generator of a note's two partials, before their envelopes.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Electric piano.
    Piano(Piano),
    /// Drum kit.
    Drum(Drum),
}

/// A sine with feedback phase modulation, and a bell partial. An odd modulator keeps the waveform odd, so there is no DC offset.
#[derive(Debug, Clone)]
pub(super) struct Piano {
    /// Frequencies in cycles per sample: main sine, bell.
    cycles: [f32; 2],
    /// Modulation index, in cycles.
    index: DecayingValue,
    main: Oscillator,
    bell: Oscillator,
}

/// A drum skin (decaying sine) and band-passed noise.
#[derive(Debug, Clone)]
pub(super) struct Drum {
    /// Skin frequency, in cycles per sample.
    cycles: f32,
    /// Factor on the pitch.
    sweep: DecayingValue,
    skin: Oscillator,
    noise: Band,
}

/// A value that decays exponentially to a limit, updated once per chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecayingValue {
    /// Limit.
    pub(super) rest: f32,
    /// Distance above the limit.
    pub(super) above: f32,
    /// Factor on the distance, per chunk.
    pub(super) factor: f32,
}

impl DecayingValue {
    /// Current value.
    fn value(&self) -> f32 {
        self.rest + self.above
    }

    /// Current value, and the value one chunk later.
    fn next(&mut self) -> [f32; 2] {
        let now = self.value();
        self.above *= self.factor;
        [now, self.value()]
    }
}

impl Source {
    /// The next chunk of both partials. `bend` is the pitch factor; an inaudible partial need not be rendered.
    pub(super) fn next(&mut self, bend: f32, audible: [bool; 2]) -> [Option<Chunk>; 2] {
        match self {
            Self::Piano(piano) => piano.next(bend, audible),
            Self::Drum(drum) => drum.next(bend, audible),
        }
    }
}

impl Piano {
    pub(super) fn new(cycles: [f32; 2], index: DecayingValue) -> Self {
        Self { cycles, index, main: Oscillator::default(), bell: Oscillator::default() }
    }

    /// Scales the modulation index.
    pub(super) fn brighten(&mut self, times: f32) {
        self.index.rest *= times;
        self.index.above *= times;
    }

    fn next(&mut self, bend: f32, audible: [bool; 2]) -> [Option<Chunk>; 2] {
        let [main, bell] = self.cycles.map(|cycles| cycles * bend);
        let [index, settled] = self.index.next();
        let step = (settled - index) / CHUNK as f32;
        let mut main = self.main.next(main);
        for (place, phase) in main.iter_mut().enumerate() {
            *phase = sine(wrap(*phase + (index + step * place as f32) * sine(*phase)));
        }
        [Some(main), audible[1].then(|| self.bell.next(bell).map(sine))]
    }
}

impl Drum {
    pub(super) fn new(cycles: f32, sweep: DecayingValue, noise: Band) -> Self {
        Self { cycles, sweep, skin: Oscillator::default(), noise }
    }

    fn next(&mut self, bend: f32, audible: [bool; 2]) -> [Option<Chunk>; 2] {
        let cycles = self.cycles * self.sweep.next()[0] * bend;
        [audible[0].then(|| self.skin.next(cycles).map(sine)), audible[1].then(|| self.noise.next())]
    }
}
