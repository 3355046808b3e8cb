//! A decoder that follows the score: what it has run already is kept, what has changed since is taken back.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::score::{CONTEXT_BARS, Score};
use crate::cache::{CacheOptions, PagePolicy, REWIND_BARS};
use crate::codec::{BarRows, Row};
use crate::decode::{Constraints, DecodeError, Decoder, Draw, OpenBar, Sampling, Step};
use crate::model::Model;
use crate::music::Tick;

/// Bars at whose multiples a decoder may start in the middle of a piece: the model counts bars modulo 16 from there.
const PHASE_BARS: u32 = 16;

/// Finished bars that can be taken back one by one: to drop a bar, the one before it is opened again.
const RECENT_BARS: usize = REWIND_BARS as usize - 1;

/// What an instance plays with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Shared by all instances.
    pub model: Arc<Model>,
    /// Which pages a bar sees.
    pub policy: Arc<dyn PagePolicy>,
    /// Rows that every bar sees; fixed for the session.
    pub prefix: Vec<Row>,
    /// The cache's memory.
    pub cache: CacheOptions,
}

/// How a bar is to be filled.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) seed: u64,
    pub(super) sampling: Sampling,
    /// Its `from` and `until` are left as they are.
    pub(super) constraints: Constraints,
}

/// What a step towards the score came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approach {
    /// One bar nearer.
    Nearer,
    /// Every bar is in the cache, and no other.
    There,
}

/// An instance's state on the workers.
#[derive(Debug)]
pub(super) struct Performer {
    setup: Setup,
    score: Arc<Mutex<Score>>,
    /// `None` before the first bar, and after an error.
    stage: Option<Stage>,
}

/// A decoder at work.
#[derive(Debug)]
struct Stage {
    decoder: Decoder,
    /// The piece's bar that is the decoder's bar 0.
    base: u32,
    /// The latest finished bars in the cache, by their indices in the piece.
    recent: VecDeque<BarRows>,
}

/// The next thing to do on the way to the score.
enum Move {
    Start { base: u32 },
    Back { to: u32 },
    Append(BarRows),
    Stay,
}

impl Performer {
    pub(super) fn new(setup: Setup, score: Arc<Mutex<Score>>) -> Self {
        Self { setup, score, stage: None }
    }

    /// Makes one step towards a cache that holds exactly the score's bars, and after them those of `lead`: takes back what differs, or appends
    /// one bar.
    pub(super) fn approach(&mut self, lead: &[BarRows]) -> Result<Approach, DecodeError> {
        let next = self.next_move(lead);
        let moved = self.make(next);
        if moved.is_err() {
            // Nobody knows what is in the cache now.
            self.stage = None;
        }
        moved
    }

    fn next_move(&self, lead: &[BarRows]) -> Move {
        let mut score = self.score.lock();
        let altered = score.take_altered();
        let in_lead = |index: u32| lead.get(usize::try_from(index.checked_sub(lead.first()?.index)?).ok()?);
        let wanted = |index: u32| score.bar(index).or_else(|| in_lead(index));
        let start = || {
            let oldest = if score.next().is_some() { score.first() } else { lead.first().map_or(0, |bar| bar.index) };
            let end = lead.last().map_or(score.next(), |bar| Some(bar.index + 1)).unwrap_or(oldest);
            Move::Start { base: base(oldest, end) }
        };
        let Some(stage) = &self.stage else { return start() };
        let next = stage.next();
        if altered.is_some_and(|altered| altered < stage.oldest()) || next < score.first() {
            return start();
        }
        let known = stage.recent.iter().filter(|bar| bar.index >= score.first());
        let differs = known.map(|bar| (bar.index, bar)).find(|&(index, bar)| wanted(index) != Some(bar)).map(|(index, _)| index);
        match (differs, wanted(next)) {
            (Some(to), _) => stage.back(to).unwrap_or_else(start),
            (None, _) if stage.decoder.open().is_some() => stage.back(next).unwrap_or_else(start),
            (None, Some(bar)) => Move::Append(bar.clone()),
            (None, None) => Move::Stay,
        }
    }

    fn make(&mut self, next: Move) -> Result<Approach, DecodeError> {
        match (next, &mut self.stage) {
            (Move::Start { base }, _) => {
                let Setup { model, policy, prefix, cache } = &self.setup;
                let decoder = Decoder::with_options(Arc::clone(model), Arc::clone(policy), prefix, *cache)?;
                self.stage = Some(Stage { decoder, base, recent: VecDeque::new() });
            }
            (Move::Back { to }, Some(stage)) => match stage.go_back(to) {
                // Too far for the cache's memory: from the notes, then.
                Err(DecodeError::Rewind(_)) => self.stage = None,
                back => back?,
            },
            (Move::Append(bar), Some(stage)) => stage.append(bar)?,
            (Move::Stay, _) => return Ok(Approach::There),
            (Move::Back { .. } | Move::Append(_), None) => {}
        }
        Ok(Approach::Nearer)
    }

    /// Opens the next bar, with the notes that are known of it. Nothing new starts in it before `from` ticks after its bar line.
    pub(super) fn begin_bar(&mut self, bar: &BarRows, from: Tick, rules: &Rules) -> Result<(), DecodeError> {
        self.on_stage(|stage| {
            let decoder = &mut stage.decoder;
            decoder.set_seed(rules.seed);
            decoder.set_sampling(rules.sampling);
            decoder.set_constraints(Constraints { from: decoder.line() + from, until: Tick::MAX, ..rules.constraints.clone() });
            decoder.begin_bar(bar.ticks, bar.fields)?;
            decoder.push(&bar.notes)
        })
    }

    /// Goes back to what is known of the open bar, `bar`, to draw the rest of it once more.
    pub(super) fn draw_again(&mut self, bar: &BarRows, rules: &Rules, draw: Draw) -> Result<(), DecodeError> {
        self.on_stage(|stage| {
            let decoder = &mut stage.decoder;
            decoder.truncate(bar.notes.len())?;
            decoder.set_seed(draw.seed(rules.seed));
            decoder.set_sampling(draw.sampling(rules.sampling));
            decoder.recondition(draw.conditioning(bar.fields))
        })
    }

    /// The open bar so far.
    pub(super) fn open(&self) -> Option<&BarRows> {
        self.stage.as_ref()?.decoder.open().map(OpenBar::bar)
    }

    /// Lets the model choose one note of the open bar.
    pub(super) fn sample(&mut self) -> Result<Step, DecodeError> {
        self.on_stage(|stage| stage.decoder.sample())
    }

    /// Ends the open bar and returns it.
    pub(super) fn end_bar(&mut self) -> Result<BarRows, DecodeError> {
        self.on_stage(|stage| {
            let bar = stage.decoder.end_bar()?;
            let bar = BarRows { index: bar.index + stage.base, ..bar };
            stage.remember(bar.clone());
            Ok(bar)
        })
    }

    fn on_stage<T>(&mut self, act: impl FnOnce(&mut Stage) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let done = self.stage.as_mut().map_or(Err(DecodeError::NoOpenBar), act);
        if done.is_err() {
            self.stage = None;
        }
        done
    }
}

impl Stage {
    /// The piece's bar that is open, or the next one.
    fn next(&self) -> u32 {
        self.base + self.decoder.bar()
    }

    /// The oldest bar that can be compared with the score.
    fn oldest(&self) -> u32 {
        self.recent.front().map_or_else(|| self.next(), |bar| bar.index)
    }

    /// Back to where `to` is the next bar; `None` if that is before all bars.
    fn back(&self, to: u32) -> Option<Move> {
        (to > self.base).then_some(Move::Back { to })
    }

    /// Takes back bar `to` and what follows it: the bar before it is opened and ended again.
    fn go_back(&mut self, to: u32) -> Result<(), DecodeError> {
        self.decoder.rewind(to - 1 - self.base, usize::MAX)?;
        self.decoder.end_bar()?;
        self.recent.retain(|bar| bar.index < to);
        Ok(())
    }

    fn append(&mut self, bar: BarRows) -> Result<(), DecodeError> {
        self.decoder.append_bar(&BarRows { index: bar.index - self.base, ..bar.clone() })?;
        self.remember(bar);
        Ok(())
    }

    fn remember(&mut self, bar: BarRows) {
        self.recent.push_back(bar);
        if self.recent.len() > RECENT_BARS {
            self.recent.pop_front();
        }
    }
}

/// Where a decoder starts to read a piece whose bars from `oldest` on are at hand, and which goes on at `end`: at least [`CONTEXT_BARS`]
/// before the end, at a multiple of [`PHASE_BARS`] where there is one.
fn base(oldest: u32, end: u32) -> u32 {
    let wanted = end.saturating_sub(CONTEXT_BARS).max(oldest);
    let (below, above) = (wanted / PHASE_BARS * PHASE_BARS, oldest.next_multiple_of(PHASE_BARS));
    if below >= oldest {
        below
    } else if above <= wanted {
        above
    } else {
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_piece_is_read_from_its_last_bars_on() {
        assert_eq!(base(0, 0), 0);
        assert_eq!(base(0, 63), 0);
        assert_eq!(base(0, 79), 0);
        assert_eq!(base(0, 80), 16);
        assert_eq!(base(72, 200), 128);
        // What is kept begins inside of a phase.
        assert_eq!(base(72, 100), 72);
        assert_eq!(base(72, 140), 72);
        assert_eq!(base(72, 144), 80);
    }
}
