//! What a voice's tone comes from: an electric piano or a drum, each with two parts that fall by themselves.

use super::wave::{Band, CHUNK, Chunk, Oscillator, sine, wrap};

/// What makes the two parts of a note, before they fall.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Of the electric piano.
    Piano(Piano),
    /// Of the drum kit.
    Drum(Drum),
}

/// A sine whose phase its own sine pushes around, and a bell above. What a phase adds to itself that is odd leaves the sine odd: it makes no
/// direct current.
#[derive(Debug, Clone)]
pub(super) struct Piano {
    /// Turns a sample, of the main sine and of the bell.
    turns: [f32; 2],
    /// How far the main sine is pushed, in turns.
    index: Settling,
    main: Oscillator,
    bell: Oscillator,
}

/// A skin and a band of noise.
#[derive(Debug, Clone)]
pub(super) struct Drum {
    /// Turns a sample.
    turns: f32,
    /// What the pitch is multiplied by.
    sweep: Settling,
    skin: Oscillator,
    noise: Band,
}

/// A number that settles: what is left of its way shrinks by a factor each chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    /// Where it comes to rest.
    pub(super) rest: f32,
    /// How far above that it is.
    pub(super) above: f32,
    /// What that is multiplied by.
    pub(super) factor: f32,
}

impl Settling {
    /// What it is.
    fn value(&self) -> f32 {
        self.rest + self.above
    }

    /// What it is now and a chunk later.
    fn next(&mut self) -> [f32; 2] {
        let now = self.value();
        self.above *= self.factor;
        [now, self.value()]
    }
}

impl Source {
    /// The next chunk of both parts. `bend` multiplies the pitch; a part that is not heard need not be made.
    pub(super) fn next(&mut self, bend: f32, heard: [bool; 2]) -> [Option<Chunk>; 2] {
        match self {
            Self::Piano(piano) => piano.next(bend, heard),
            Self::Drum(drum) => drum.next(bend, heard),
        }
    }
}

impl Piano {
    pub(super) fn new(turns: [f32; 2], index: Settling) -> Self {
        Self { turns, index, main: Oscillator::default(), bell: Oscillator::default() }
    }

    /// Pushes the main sine so many times as far.
    pub(super) fn brighten(&mut self, times: f32) {
        self.index.rest *= times;
        self.index.above *= times;
    }

    fn next(&mut self, bend: f32, heard: [bool; 2]) -> [Option<Chunk>; 2] {
        let [main, bell] = self.turns.map(|turns| turns * bend);
        let [index, settled] = self.index.next();
        let step = (settled - index) / CHUNK as f32;
        let mut main = self.main.next(main);
        for (place, phase) in main.iter_mut().enumerate() {
            *phase = sine(wrap(*phase + (index + step * place as f32) * sine(*phase)));
        }
        [Some(main), heard[1].then(|| self.bell.next(bell).map(sine))]
    }
}

impl Drum {
    pub(super) fn new(turns: f32, sweep: Settling, noise: Band) -> Self {
        Self { turns, sweep, skin: Oscillator::default(), noise }
    }

    fn next(&mut self, bend: f32, heard: [bool; 2]) -> [Option<Chunk>; 2] {
        let turns = self.turns * self.sweep.next()[0] * bend;
        [heard[0].then(|| self.skin.next(turns).map(sine)), heard[1].then(|| self.noise.next())]
    }
}
