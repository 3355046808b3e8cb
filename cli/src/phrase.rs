//! From a clip to the notes that follow it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::cache::PagePolicy;
use antiphon_engine::codec::{self, BarFields, BarRows};
use antiphon_engine::decode::{DecodeError, Decoder, Draw, Prompt, Sampling};
use antiphon_engine::model::Model;
use antiphon_engine::music::{Note, Role, TempoMap, Tick};

use crate::policy::memory;

/// Bars before the seam from which roles, registers and the fullness of chords are read.
pub const RECENT_BARS: u32 = 8;

/// The style column's value where no style is stated.
pub const ANY_STYLE: u8 = 0;

/// Continues one prompt as often as asked.
pub struct Phrases<'a> {
    prompt: &'a Prompt,
    model: Arc<Model>,
    policy: Arc<dyn PagePolicy>,
    /// Every role that is in the context or wanted.
    ensemble: &'a [Role],
    sampling: Sampling,
    /// Has read the prompt, and perhaps continued it.
    decoder: Option<Decoder>,
    /// Time spent on generating notes.
    pub spent: Duration,
    /// How many were generated.
    pub notes: usize,
}

impl<'a> Phrases<'a> {
    /// Nothing is read or generated yet.
    pub fn new(prompt: &'a Prompt, model: Arc<Model>, policy: Arc<dyn PagePolicy>, ensemble: &'a [Role], sampling: Sampling) -> Self {
        Self { prompt, model, policy, ensemble, sampling, decoder: None, spent: Duration::ZERO, notes: 0 }
    }

    /// This draw of the continuation of this seed, with its first bar line as tick 0. `progress` is called after every bar, read or generated.
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
        let mut decoder = self.prefilled(&progress)?;
        decoder.set_seed(draw.seed(seed));
        decoder.set_sampling(draw.sampling(self.sampling));
        let began = Instant::now();
        let mut made = Vec::with_capacity(self.prompt.gap.len());
        for place in 0..self.prompt.gap.len() {
            decoder.open_gap_bar(self.prompt, place, draw)?;
            made.push(decoder.generate_bar()?);
            progress();
        }
        self.spent += began.elapsed();
        self.decoder = Some(decoder);
        self.notes += made.iter().map(|bar| bar.notes.len()).sum::<usize>();
        Ok(made)
    }

    /// A decoder that has read the prompt: the last phrase's, or a new one where that has gone too far to be rolled back.
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

/// What the bars of the gap turned out to be, once they are `made`: measured as the bars of the context are. Their tempo is not theirs to choose and stays unset.
#[must_use]
pub fn measured(prompt: &Prompt, made: &[BarRows]) -> Vec<BarFields> {
    let mut bars: Vec<BarRows> = prompt.context.iter().map(|bar| &bar.bar).chain(made).cloned().collect();
    codec::label(&mut bars, Tick::ZERO, &TempoMap::default());
    bars[prompt.context.len()..].iter().map(|bar| BarFields { tempo: 0, ..bar.fields }).collect()
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Clip, Part};

    use super::*;

    #[test]
    fn bars_that_were_made_are_measured_as_the_context_is() {
        let note = |bar: i64| Note { onset: Tick(96 * bar), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
        let clip =
            Clip { parts: vec![Part { notes: (0..4).map(note).collect(), ..Part::default() }], end: Tick(96 * 4), ..Clip::default() };
        let prompt = Prompt::continuation(&clip, clip.end, 2, None);
        let last = prompt.context[3].bar.clone();
        let made = [BarRows { index: 4, ..last.clone() }, BarRows { index: 5, notes: Vec::new(), ..last.clone() }];
        let measured = measured(&prompt, &made);
        assert_eq!((measured[0].density, measured[0].register, measured[1].density), (last.fields.density, last.fields.register, 0));
    }
}
