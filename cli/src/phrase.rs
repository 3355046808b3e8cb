//! Generation of phrases: continuations of one prompt, by seed and draw.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::cache::PagePolicy;
use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{DecodeError, Decoder, Draw, Prompt, Sampling};
use antiphon_engine::model::Model;
use antiphon_engine::music::{Note, Role, TempoMap, Tick};

use crate::policy::memory;

/// Bars before the gap on which roles, registers and chord sizes are measured.
pub const RECENT_BARS: u32 = 8;

/// Value of the style column if no style is set.
pub const ANY_STYLE: u8 = 0;

/// Generator of continuations of one prompt.
pub struct Phrases<'a> {
    prompt: &'a Prompt,
    model: Arc<Model>,
    policy: Arc<dyn PagePolicy>,
    /// Roles of the context and requested roles, for the prefix.
    ensemble: &'a [Role],
    sampling: Sampling,
    /// Decoder prefilled with the prompt, possibly with bars generated after it; `None` before the first phrase.
    decoder: Option<Decoder>,
    /// Time spent on generating notes.
    pub spent: Duration,
    /// Number of generated notes.
    pub notes: usize,
}

impl<'a> Phrases<'a> {
    /// A generator that has not read the prompt yet.
    pub fn new(prompt: &'a Prompt, model: Arc<Model>, policy: Arc<dyn PagePolicy>, ensemble: &'a [Role], sampling: Sampling) -> Self {
        Self { prompt, model, policy, ensemble, sampling, decoder: None, spent: Duration::ZERO, notes: 0 }
    }

    /// Notes of the continuation with this seed and draw; tick 0 is its first bar line. `progress` is called after every bar, prefilled or generated.
    ///
    /// # Errors
    /// [`DecodeError`] of the decoder.
    pub fn phrase(&mut self, seed: u64, draw: Draw, progress: impl Fn()) -> Result<Vec<Note>, DecodeError> {
        Ok(codec::decode(&self.drawn(seed, draw, progress)?, Tick::ZERO))
    }

    /// Bars of the first draw of the continuation with this seed.
    ///
    /// # Errors
    /// [`DecodeError`] of the decoder.
    pub fn bars(&mut self, seed: u64, progress: impl Fn()) -> Result<Vec<BarRows>, DecodeError> {
        self.drawn(seed, Draw::FIRST, progress)
    }

    fn drawn(&mut self, seed: u64, draw: Draw, progress: impl Fn()) -> Result<Vec<BarRows>, DecodeError> {
        let mut decoder = self.prefilled(&progress)?;
        decoder.set_seed(draw.seed(seed));
        decoder.set_sampling(draw.sampling(self.sampling));
        let began = Instant::now();
        let mut generated = Vec::with_capacity(self.prompt.gap.len());
        for place in 0..self.prompt.gap.len() {
            decoder.open_gap_bar(self.prompt, place, draw)?;
            generated.push(decoder.generate_bar()?);
            progress();
        }
        self.spent += began.elapsed();
        self.decoder = Some(decoder);
        self.notes += generated.iter().map(|bar| bar.notes.len()).sum::<usize>();
        Ok(generated)
    }

    /// Decoder prefilled with the prompt: that of the last phrase, or a new one if that cannot be rolled back far enough.
    fn prefilled(&mut self, progress: impl Fn()) -> Result<Decoder, DecodeError> {
        if let Some(mut decoder) = self.decoder.take()
            && decoder.prefill_with(self.prompt, &progress).is_ok()
        {
            return Ok(decoder);
        }
        let prefix = codec::prefix_rows(ANY_STYLE, self.ensemble);
        let mut decoder = Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &prefix, memory(&*self.policy))?;
        decoder.prefill_with(self.prompt, progress)?;
        Ok(decoder)
    }
}

/// Fields of the `generated` bars of the gap, measured with the context before them. The tempo is not generated and stays unset.
#[must_use]
pub fn measured(prompt: &Prompt, generated: &[BarRows]) -> Vec<BarFields> {
    let mut bars: Vec<BarRows> = prompt.context.iter().map(|bar| &bar.bar).chain(generated).cloned().collect();
    codec::label(&mut bars, Tick::ZERO, &TempoMap::default());
    bars[prompt.context.len()..].iter().map(|bar| BarFields { tempo: 0, ..bar.fields }).collect()
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Clip, Part};

    use super::*;

    #[test]
    fn generated_bars_are_measured_like_the_context() {
        let note = |bar: i64| Note { onset: Tick(96 * bar), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
        let clip =
            Clip { parts: vec![Part { notes: (0..4).map(note).collect(), ..Part::default() }], end: Tick(96 * 4), ..Clip::default() };
        let prompt = Prompt::continuation(&clip, clip.end, 2, None);
        let last = prompt.context[3].bar.clone();
        let generated = [BarRows { index: 4, ..last.clone() }, BarRows { index: 5, notes: Vec::new(), ..last.clone() }];
        let measured = measured(&prompt, &generated);
        assert_eq!((measured[0].density, measured[0].register, measured[1].density), (last.fields.density, last.fields.register, 0));
    }
}
