//! Decoder of one instance: its cache is kept as far as it matches the next prompt, and rolled back where it differs.

use std::sync::Arc;

use super::page_counts::PageCounts;
use crate::cache::{CacheOptions, PagePolicy};
use crate::codec::{BarRows, NoteClasses, OwnRoles, Row};
use crate::decode::{
    Accompanied, Constraints, DecodeError, Decoder, Draw, OpenBar, Prefill, Prompt, PromptBar, Remembered, Sampling, Step,
};
use crate::model::Model;
use crate::music::Tick;

use super::remembered::ReadPhrases;

/// Model and options of an instance.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Shared by all instances.
    pub model: Arc<Model>,
    /// Which pages a bar sees.
    pub policy: Arc<dyn PagePolicy>,
    /// Rows that every bar sees; fixed for the session.
    pub prefix: Vec<Row>,
    /// Roles that are generated; the others are a player's. Without effect on a model that has no own roles.
    pub own: OwnRoles,
    /// The cache's memory.
    pub cache: CacheOptions,
}

impl Setup {
    /// A decoder at the start of a sequence.
    fn decoder(&self) -> Result<Decoder, DecodeError> {
        Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &self.prefix, self.cache)
    }
}

/// Seed, sampling and constraints of a bar.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) seed: u64,
    pub(super) sampling: Sampling,
    /// Its `from` is ignored, and its `until` counts from the bar line.
    pub(super) constraints: Constraints,
}

/// An instance's state on the workers.
#[derive(Debug)]
pub(super) struct WorkerState {
    setup: Setup,
    /// `None` before the first bar, and after an error.
    decoder: Option<Decoder>,
    /// Remembered phrases that were read.
    phrases: ReadPhrases,
    /// Own notes that are known of the open bar.
    known: usize,
    /// Index of the bar after the last context that was counted.
    counted: u32,
    /// First bar that was read as part of a context since then.
    first_read: Option<u32>,
    pages: Arc<PageCounts>,
}

impl WorkerState {
    pub(super) fn new(setup: Setup, pages: Arc<PageCounts>) -> Self {
        let own = if setup.model.info().has_own_roles() { setup.own } else { OwnRoles::ALL };
        Self {
            setup: Setup { own, ..setup },
            decoder: None,
            phrases: ReadPhrases::default(),
            known: 0,
            counted: 0,
            first_read: None,
            pages,
        }
    }

    /// Makes one step towards a cache that holds exactly the context of a prompt, with what it remembers read: rolls back bars that differ, or reads one
    /// bar. If the rollback would go back too far, the context is prefilled from its start. Bars before `seam` have ended, later ones are shown.
    pub(super) fn prefill(&mut self, prompt: &Prompt, seam: u32) -> Result<Prefill, DecodeError> {
        if self.decoder.is_none() {
            let mut decoder = self.setup.decoder()?;
            if self.setup.own != OwnRoles::ALL {
                decoder.accompanies(Accompanied::Player(self.setup.own))?;
            }
            self.decoder = Some(decoder);
            self.phrases.set_again();
            self.first_read = Some(0);
        }
        let before = self.next_bar();
        match self.with_decoder(|decoder| decoder.prefill_step(prompt)) {
            Err(DecodeError::Rewind(_)) => Ok(Prefill::Nearer),
            Ok(step) => {
                self.count_read(before, seam);
                if step == Prefill::Done { self.remember(&prompt.remembered) } else { Ok(step) }
            }
            failed => failed,
        }
    }

    /// [`prefill`](Self::prefill) for a context alone: bars that were generated after it stay, as the player may go on as foreseen.
    pub(super) fn prefill_context(&mut self, prompt: &Prompt) -> Result<Prefill, DecodeError> {
        let holds = self.decoder.as_ref().is_some_and(|decoder| decoder.holds_context(prompt));
        if holds { self.remember(&prompt.remembered) } else { self.prefill(prompt, prompt.seam()) }
    }

    /// Sets aside what is in the cache after the context of a variation: the plan, to which the player may keep.
    pub(super) fn set_aside(&mut self, prompt: &Prompt) {
        // What cannot be rolled back is prefilled from its start.
        if let Some(decoder) = &mut self.decoder
            && decoder.set_aside(prompt).is_err()
        {
            self.decoder = None;
        }
    }

    /// Puts back what was set aside.
    pub(super) fn put_back(&mut self) {
        if let Some(decoder) = &mut self.decoder
            && decoder.put_back().is_err()
        {
            self.decoder = None;
        }
    }

    /// Counts bar `bar` if it was read.
    fn count_read(&mut self, bar: u32, seam: u32) {
        if self.next_bar() > bar {
            self.pages.add_read();
            if bar < seam {
                self.first_read = Some(self.first_read.map_or(bar, |first| first.min(bar)));
            }
        }
    }

    /// Counts the bars that have ended since the last context, up to `seam`, and were in the cache before.
    pub(super) fn count_kept(&mut self, seam: u32) {
        let kept = self.first_read.take().map_or(seam, |first| first.min(seam)).saturating_sub(self.counted);
        self.pages.add_kept(kept);
        self.counted = seam;
    }

    /// Index of the bar after the last finished one in the cache.
    fn next_bar(&self) -> u32 {
        self.decoder.as_ref().map_or(0, Decoder::next_bar)
    }

    /// Reads one bar of what is remembered; when all is read, the decoder gets it. Beside a player nothing is remembered: those phrases are the player's.
    fn remember(&mut self, remembered: &Remembered) -> Result<Prefill, DecodeError> {
        if self.setup.own != OwnRoles::ALL || self.setup.model.info().memory == 0 {
            return Ok(Prefill::Done);
        }
        let Self { setup, decoder: Some(decoder), phrases, .. } = self else { return Ok(Prefill::Done) };
        phrases.step(remembered, decoder, || setup.decoder())
    }

    /// Opens a bar with the notes that are known of it. Nothing new starts in it before `from` ticks after its bar line.
    pub(super) fn begin_bar(&mut self, bar: &PromptBar, from: Tick, rules: &Rules) -> Result<(), DecodeError> {
        let own = self.setup.own;
        self.known = own.partition(&bar.bar).0.notes.len();
        self.with_decoder(|decoder| {
            decoder.set_seed(rules.seed);
            decoder.set_sampling(rules.sampling);
            let line = decoder.line();
            let until = line.saturating_add(rules.constraints.until);
            decoder.set_constraints(Constraints { from: line + from, until, ..rules.constraints.clone() });
            if own != OwnRoles::ALL {
                let known = BarRows { index: decoder.bar(), fields: own.conditioning(bar.bar.fields), ..bar.bar.clone() };
                return decoder.accompany_live(&known, from.max(Tick::ZERO));
            }
            decoder.accompany(bar.bar.ticks, bar.bar.fields, &bar.given)?;
            decoder.push(&bar.bar.notes)
        })
    }

    /// Rolls the open bar back to its known notes, to sample the rest again in the conditioning of `bar`.
    pub(super) fn draw_again(&mut self, bar: &PromptBar, rules: &Rules, draw: Draw) -> Result<(), DecodeError> {
        let (own, known) = (self.setup.own, self.known);
        self.with_decoder(|decoder| {
            decoder.truncate(known)?;
            decoder.set_seed(draw.seed(rules.seed));
            decoder.set_sampling(draw.sampling(rules.sampling));
            decoder.recondition(own.conditioning(draw.conditioning(bar.bar.fields)))
        })
    }

    /// The own notes of the open bar so far.
    pub(super) fn open(&self) -> Option<&BarRows> {
        self.decoder.as_ref()?.open().map(OpenBar::bar)
    }

    /// The given notes of the open bar.
    pub(super) fn given(&self) -> Vec<NoteClasses> {
        self.decoder.as_ref().and_then(Decoder::open).map_or(Vec::new(), |open| open.given().to_vec())
    }

    /// Samples one note of the open bar.
    pub(super) fn sample(&mut self) -> Result<Step, DecodeError> {
        self.with_decoder(Decoder::sample)
    }

    /// Ends the open bar and returns it.
    pub(super) fn end_bar(&mut self) -> Result<BarRows, DecodeError> {
        self.with_decoder(Decoder::end_bar)
    }

    /// Runs `act`; drops the decoder after an error, which may leave the cache inconsistent.
    fn with_decoder<T>(&mut self, act: impl FnOnce(&mut Decoder) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let done = self.decoder.as_mut().map_or(Err(DecodeError::NoOpenBar), act);
        if done.is_err() {
            self.decoder = None;
        }
        done
    }
}
