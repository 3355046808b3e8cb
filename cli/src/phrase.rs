//! From a clip to the notes that follow it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::cache::PagePolicy;
use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{Constraints, DecodeError, Decoder, Draw, Sampling, Step, skipped_bars};
use antiphon_engine::model::Model;
use antiphon_engine::music::analysis::Key;
use antiphon_engine::music::{Bar, Clip, Note, Role, TempoMap, Tick};

use crate::policy::memory;

/// Bars before the seam from which roles, registers and the fullness of chords are read.
pub const RECENT_BARS: u32 = 8;

/// Bars of the shortest phrase that counts.
const LEAST_PHRASE: usize = 4;

/// The style column's value where no style is stated.
pub const ANY_STYLE: u8 = 0;

/// What is heard, and the empty bars that follow.
pub struct Score {
    /// Bars up to the start of the continuation.
    heard: Vec<BarRows>,
    /// The continuation's bars, without notes.
    ahead: Vec<BarRows>,
}

impl Score {
    /// The last bars of `context` before `start`, a bar line, and the `bars` bars from there on, which are in `key` or, if none is given, in the key
    /// that the context ends in. They are told to be as the bars one phrase before are ([`codec::default_conditioning`]).
    /// Nothing is heard where the context has no note before `start`.
    pub fn new(context: &Clip, start: Tick, bars: u32, key: Option<Key>) -> Self {
        let metres = &context.metres;
        let (first, seam) = (metres.bar_at(context.first_onset().unwrap_or(start)).index, metres.bar_at(start).index);
        let skipped = skipped_bars(seam.saturating_sub(first));
        let shown: Vec<Bar> = (first + skipped..seam.saturating_add(bars)).map(|index| metres.bar(index)).collect();
        let from = shown.first().map_or(start, |bar| bar.start);
        let notes: Vec<Note> = context.parts.iter().flat_map(|part| &part.notes).copied().collect();
        let mut heard = codec::encode(&notes, &shown, Some(start)).bars;
        codec::label(&mut heard, from, &context.tempos);

        let mut line = from;
        let before = heard.iter().take_while(|bar| {
            let is_before = line < start;
            line += Tick(bar.ticks.into());
            is_before
        });
        let mut ahead = heard.split_off(before.count());
        close_up(&mut heard, &mut ahead);
        let fields: Vec<BarFields> = heard.iter().map(|bar| bar.fields).collect();
        for (index, bar) in ahead.iter_mut().enumerate() {
            let expected = codec::default_conditioning(&fields, index);
            let key = key.map_or(expected.key, Key::value);
            bar.fields = BarFields { metre: bar.fields.metre, tempo: bar.fields.tempo, key, ..expected };
        }
        Self { heard, ahead }
    }

    /// Tells the bars ahead what `ask` makes of what they were told.
    pub fn ask(&mut self, ask: impl Fn(BarFields) -> BarFields) {
        self.ahead.iter_mut().for_each(|bar| bar.fields = ask(bar.fields));
    }

    /// What the bars ahead turned out to be, once they are `made`: measured as the bars heard are. Their tempo is not theirs to choose and stays unset.
    pub fn measured(&self, made: &[BarRows]) -> Vec<BarFields> {
        let mut bars: Vec<BarRows> = self.heard.iter().chain(made).cloned().collect();
        codec::label(&mut bars, Tick::ZERO, &TempoMap::default());
        bars[self.heard.len()..].iter().map(|bar| BarFields { tempo: 0, ..bar.fields }).collect()
    }

    /// The key of the first bar ahead, if there is one.
    pub fn key(&self) -> Option<Key> {
        self.ahead.first().and_then(|bar| Key::from_value(bar.fields.key))
    }

    /// How many bars a decoder has to take in before it can continue.
    pub fn heard_bars(&self) -> usize {
        self.heard.len()
    }

    /// How many bars are to be made.
    pub fn bars_ahead(&self) -> usize {
        self.ahead.len()
    }

    /// The tick of the sequence at which the continuation begins; its first bar line is tick 0.
    fn start(&self) -> Tick {
        Tick(self.heard.iter().map(|bar| i64::from(bar.ticks)).sum())
    }

    /// The tick of the sequence at which the continuation ends; its first bar line is tick 0.
    fn end(&self) -> Tick {
        Tick(self.heard.iter().chain(&self.ahead).map(|bar| i64::from(bar.ticks)).sum())
    }
}

/// Leaves out whole phrases of empty bars before the seam, where a last chord rings on or a file is silent: after a long silence a model goes on with silence.
/// The count of bars within a phrase stays what it was.
fn close_up(heard: &mut Vec<BarRows>, ahead: &mut [BarRows]) {
    let empty = heard.iter().rev().take_while(|bar| bar.notes.is_empty()).count();
    let left_out = empty / LEAST_PHRASE * LEAST_PHRASE;
    heard.truncate(heard.len() - left_out);
    for (bar, index) in ahead.iter_mut().zip(u32::try_from(heard.len()).unwrap_or(u32::MAX)..) {
        bar.index = index;
    }
}

/// Continues one score as often as asked.
pub struct Phrases<'a> {
    score: &'a Score,
    model: Arc<Model>,
    policy: Arc<dyn PagePolicy>,
    /// Every role that is heard or wanted.
    ensemble: &'a [Role],
    sampling: Sampling,
    constraints: Constraints,
    /// Has heard the score, and perhaps continued it.
    decoder: Option<Decoder>,
    /// Time spent on making notes.
    pub spent: Duration,
    /// How many were made.
    pub notes: usize,
}

impl<'a> Phrases<'a> {
    /// `constraints` are completed: no note sounds beyond the last bar, and the first one is not empty.
    pub fn new(
        score: &'a Score,
        model: Arc<Model>,
        policy: Arc<dyn PagePolicy>,
        ensemble: &'a [Role],
        sampling: Sampling,
        mut constraints: Constraints,
    ) -> Self {
        constraints.until = score.end();
        constraints.rests_from = score.start() + Tick(1);
        Self { score, model, policy, ensemble, sampling, constraints, decoder: None, spent: Duration::ZERO, notes: 0 }
    }

    /// This draw of the continuation of this seed, with its first bar line as tick 0. `progress` is called after every bar, heard or made.
    ///
    /// # Errors
    /// What the decoder says.
    pub fn phrase(&mut self, seed: u64, draw: Draw, progress: impl Fn()) -> Result<Vec<Note>, DecodeError> {
        Ok(codec::decode(&self.drawn(seed, draw, progress)?, Tick::ZERO))
    }

    /// The first draw, bar by bar.
    ///
    /// # Errors
    /// What the decoder says.
    pub fn bars(&mut self, seed: u64, progress: impl Fn()) -> Result<Vec<BarRows>, DecodeError> {
        self.drawn(seed, Draw::FIRST, progress)
    }

    fn drawn(&mut self, seed: u64, draw: Draw, progress: impl Fn()) -> Result<Vec<BarRows>, DecodeError> {
        let kept = self.decoder.take().and_then(|decoder| self.taken_back(decoder));
        let mut decoder = kept.map_or_else(|| self.listen(&progress), Ok)?;
        decoder.set_seed(draw.seed(seed));
        decoder.set_sampling(draw.sampling(self.sampling));
        let began = Instant::now();
        let mut made = Vec::with_capacity(self.score.ahead.len());
        for bar in &self.score.ahead {
            let fields = draw.conditioning(bar.fields);
            // After going back the first bar is open already.
            if decoder.open().is_none() {
                decoder.begin_bar(bar.ticks, fields)?;
            } else {
                decoder.recondition(fields)?;
            }
            while let Step::Note(_) = decoder.sample()? {}
            made.push(decoder.end_bar()?);
            progress();
        }
        self.spent += began.elapsed();
        self.decoder = Some(decoder);
        self.notes += made.iter().map(|bar| bar.notes.len()).sum::<usize>();
        Ok(made)
    }

    /// A decoder that has heard the score.
    fn listen(&self, progress: impl Fn()) -> Result<Decoder, DecodeError> {
        let prefix = codec::prefix_rows(ANY_STYLE, self.ensemble);
        let mut decoder = Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &prefix, memory(&*self.policy))?;
        decoder.set_sampling(self.sampling);
        decoder.set_constraints(self.constraints.clone());
        for bar in &self.score.heard {
            decoder.append_bar(bar)?;
            progress();
        }
        Ok(decoder)
    }

    /// The decoder with its phrase taken back; `None` where that is too long a way, and the score has to be heard again.
    fn taken_back(&self, mut decoder: Decoder) -> Option<Decoder> {
        decoder.rewind(self.seam(), 0).is_ok().then_some(decoder)
    }

    /// Index of the first bar ahead.
    fn seam(&self) -> u32 {
        self.score.ahead.first().map_or(0, |bar| bar.index)
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::analysis::Mode;
    use antiphon_engine::music::{Metre, MetreMap, Part};

    use super::*;

    /// One quarter note on every bar line of `bars` bars after `rests` empty ones, in 3/4.
    fn clip(rests: i64, bars: i64) -> Clip {
        let note = |bar| Note { onset: Tick(72 * bar), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
        Clip {
            parts: vec![Part { notes: (rests..rests + bars).map(note).collect(), ..Part::default() }],
            metres: MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]),
            end: Tick(72 * (rests + bars)),
            ..Clip::default()
        }
    }

    #[test]
    fn context_begins_with_the_first_note_and_ends_at_the_seam() {
        let score = Score::new(&clip(5, 10), Tick(72 * 15), 4, None);
        assert_eq!((score.heard_bars(), score.bars_ahead(), score.end()), (10, 4, Tick(72 * 14)));
        assert!(score.heard.iter().all(|bar| bar.notes.len() == 1) && score.ahead.iter().all(|bar| bar.notes.is_empty()));
        assert_eq!((score.heard[0].index, score.ahead[0].index), (0, 10));
    }

    #[test]
    fn a_long_piece_is_heard_from_its_last_bars_with_the_count_kept() {
        for bars in [64, 65, 80, 81, 1000] {
            let score = Score::new(&clip(3, bars), Tick(72 * (3 + bars)), 2, None);
            let heard = i64::try_from(score.heard_bars()).unwrap();
            assert!((49..=64).contains(&heard), "{heard} of {bars} bars");
            assert_eq!((bars - heard) % 16, 0, "{heard} of {bars} bars");
        }
    }

    #[test]
    fn the_bars_ahead_are_in_the_key_asked_for_or_in_the_last_one() {
        let minor = Key::new(9, Mode::Minor).unwrap();
        let score = Score::new(&clip(0, 4), Tick(72 * 4), 2, Some(minor));
        assert_eq!(score.key(), Some(minor));
        let score = Score::new(&clip(0, 4), Tick(72 * 4), 2, None);
        assert_eq!(score.ahead[1].fields.key, score.heard[3].fields.key);
    }

    #[test]
    fn what_is_made_is_measured_as_what_is_heard() {
        let mut score = Score::new(&clip(0, 4), Tick(72 * 4), 2, None);
        let heard = score.heard[3].clone();
        let made = [BarRows { index: 4, ..heard.clone() }, BarRows { index: 5, notes: Vec::new(), ..heard.clone() }];
        let measured = score.measured(&made);
        assert_eq!((measured[0].density, measured[0].register, measured[1].density), (heard.fields.density, heard.fields.register, 0));
        score.ask(|fields| BarFields { density: 8, ..fields });
        assert!(score.ahead.iter().all(|bar| bar.fields.density == 8 && bar.fields.register == heard.fields.register));
    }

    #[test]
    fn the_bars_ahead_are_told_to_be_as_the_phrase_before() {
        let mut clip = clip(0, 8);
        // The third bar of the phrase is busier and higher.
        let first = clip.parts[0].notes[0];
        clip.parts[0].notes.extend((0..12).map(|i| Note { onset: Tick(72 * 2 + 6 * i), pitch: 84, ..first }));
        clip.parts[0].notes.sort_by_key(|note| note.onset);
        let score = Score::new(&clip, Tick(72 * 8), 4, None);
        let of = |bar: &BarRows| (bar.fields.density, bar.fields.register);
        assert!((0..4).all(|bar| of(&score.ahead[bar]) == of(&score.heard[bar])));
        assert!(of(&score.ahead[2]) > of(&score.ahead[1]));
        assert!(score.ahead.iter().all(|bar| bar.fields.mood == 0 && bar.fields.key == score.heard[7].fields.key));
    }
}
