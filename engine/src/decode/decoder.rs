//! Decoder: its state, and its runs of the graph. Each operation has a file of its own: appending and scoring finished bars (`append`), generating a bar
//! (`generation`), infill (`fill`), accompaniment (`accompany`), prefill (`prefill`).

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    sync::Arc,
};

use super::{
    Accompanied, Constraints, DecodeError, OpenBar, Sampling,
    aside::Bars,
    control::{Controls, RowContext},
    memory::{Entries, Memory},
    noise,
    open_bar::{FREE, Next, next_of},
    prefill::FarSide,
    sampling::Task,
};
use crate::{
    cache::{Cache, CacheOptions, PagePolicy, Selection},
    codec::{BarRows, Layout, NoteClasses, Recall, Row, Targets, vocabulary::FIELDS},
    model::{Batch, Model, OutputRows},
    music::Tick,
};

/// Finished bars kept for comparison with the context of the next prompt: a whole context and the bars generated after it.
const HELD_BARS: usize = 128;

/// Batches kept for runs of several rows.
const MOST_BATCHES: usize = 32;

/// One continuation in progress.
///
/// A sequence of finished bars, and an open one that grows note by note. Finished bars are appended whole ([`append_bar`](Self::append_bar)) or generated:
/// [`begin_bar`](Self::begin_bar), any mix of [`push`](Self::push) (a known note) and [`sample`](Self::sample) (a note the model chooses), and
/// [`end_bar`](Self::end_bar). Rollback removes notes of the open bar ([`truncate`](Self::truncate)) and whole bars ([`rewind`](Self::rewind)); the state is
/// then the same as before they were decoded.
///
/// A bar can be generated over notes given for all of it ([`accompany`](Self::accompany)), or for its beginning ([`accompany_live`](Self::accompany_live)).
/// Bars can be left out and generated once the bars after them are in the cache ([`leave_gap`](Self::leave_gap), [`fill`](Self::fill)).
///
/// Same model, bars, seed, sampling and constraints: same notes, independent of anything decoded before or in between.
#[derive(Debug)]
pub struct Decoder {
    model: Arc<Model>,
    pub(super) cache: Cache,
    /// Tensors of runs of one row, used by every step.
    pub(super) step: Batch,
    /// Tensors of runs of several rows, by number of rows and of output rows: bars often have equal numbers of notes.
    bars: BTreeMap<(usize, OutputRows), Batch>,
    /// [`Cache::reallocations`] when the batches were bound.
    bound: u32,
    seed: u64,
    sampling: Sampling,
    pub(super) controls: Controls,
    /// Index in the piece of bar 0 of this decoder: the first bar read of a prompt.
    pub(super) base: u32,
    /// Own roles, and the order in which the notes of other roles are given.
    pub(super) accompanied: Accompanied,
    /// The far side that was read of a prompt.
    pub(super) far_side: Option<FarSide>,
    /// Latest finished bars, at most [`HELD_BARS`]; the last [`REWIND_BARS`](crate::cache::REWIND_BARS) can be opened again.
    pub(super) finished: VecDeque<Finished>,
    /// The bar line of the open or next bar.
    pub(super) line: Tick,
    pub(super) open: Option<OpenBar>,
    /// Notes of the finished bars, source of the recall columns.
    pub(super) recall: Recall,
    /// Memory of the finished bars; `None` if the model has none.
    pub(super) memory: Option<Memory>,
    /// Bars that were set aside.
    pub(super) aside: Option<Bars>,
}

/// A finished bar, for prompts to be compared with and to be opened again.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its bar line.
    pub(super) line: Tick,
    pub(super) bar: BarRows,
    /// Given notes: those of other roles.
    pub(super) given: Vec<NoteClasses>,
    /// How its rows are laid out.
    pub(super) layout: Layout,
}

impl Finished {
    /// Whether it has the same length, conditioning and notes as a bar, wherever that is.
    pub(super) fn holds(&self, bar: &BarRows, given: &[NoteClasses]) -> bool {
        let BarRows { index: _, ticks, fields, notes } = bar;
        (*ticks, *fields, notes.as_slice(), given) == (self.bar.ticks, self.bar.fields, self.bar.notes.as_slice(), self.given.as_slice())
    }
}

impl Decoder {
    /// A decoder at the start of a sequence, whose first bar has index 0. `prefix` has the rows that every bar attends to
    /// ([`prefix_rows`](crate::codec::prefix_rows)); they are fixed, because every key and value depends on them.
    ///
    /// # Errors
    /// As of [`with_options`](Self::with_options).
    pub fn new(model: Arc<Model>, policy: Arc<dyn PagePolicy>, prefix: &[Row]) -> Result<Self, DecodeError> {
        Self::with_options(model, policy, prefix, CacheOptions::default())
    }

    /// [`new`](Self::new) with these options of the cache.
    ///
    /// # Errors
    /// [`DecodeError::NoQueries`] if this policy, or one that `options` keep rows for, needs queries that the graph does not output; or if ONNX Runtime fails.
    pub fn with_options(
        model: Arc<Model>,
        policy: Arc<dyn PagePolicy>,
        prefix: &[Row],
        options: CacheOptions,
    ) -> Result<Self, DecodeError> {
        let mut cache = Cache::new(model.info(), policy, options)?;
        if cache.reads_queries() && !model.gives_queries() {
            return Err(DecodeError::NoQueries { policy: cache.policy().name(), model: model.info().name.clone() });
        }
        let memory = Memory::of(&model)?;
        let step = batch(&model, 1, OutputRows::All, &mut cache, memory.as_ref())?;
        let mut decoder = Self {
            bound: cache.reallocations(),
            model,
            cache,
            step,
            bars: BTreeMap::new(),
            seed: 0,
            sampling: Sampling::default(),
            controls: Controls::new(Constraints::default()),
            base: 0,
            accompanied: Accompanied::None,
            far_side: None,
            finished: VecDeque::new(),
            line: Tick::ZERO,
            open: None,
            recall: Recall::default(),
            memory,
            aside: None,
        };
        if !prefix.is_empty() {
            let forced = vec![FREE; prefix.len()];
            decoder.run_rows(prefix, &forced, OutputRows::Last, |_| {})?;
            decoder.cache.set_prefix();
        }
        Ok(decoder)
    }

    /// Sets entries of other sequences, as [`memory_entries`](Self::memory_entries) returns them: older than those of this one. They take effect with the next bar
    /// that begins; without a memory in the model they have no effect. `nearer` is added to the cosine similarity of a row to each of them: above 0 they weigh more
    /// than the rows of this sequence.
    pub fn set_earlier(&mut self, earlier: Arc<Entries>, nearer: f32) {
        if let Some(memory) = &mut self.memory {
            memory.set_earlier(earlier, nearer);
        }
    }

    /// Entries of the finished bars in the memory: of the latest, as many as a sequence keeps.
    #[must_use]
    pub fn memory_entries(&self) -> Entries {
        self.memory.as_ref().map(Memory::entries).unwrap_or_default()
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// Earlier bars whose rows the open bar attends to, or the last bar if none is open.
    #[must_use]
    pub fn seen(&self) -> &Selection {
        self.cache.seen()
    }

    /// Sets the seed of the notes sampled from now on.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
        self.discard_choice();
    }

    /// Sets temperature and min-p of the notes sampled from now on.
    pub fn set_sampling(&mut self, sampling: Sampling) {
        self.sampling = sampling;
        self.discard_choice();
    }

    /// Sets the constraints of the notes sampled from now on.
    pub fn set_constraints(&mut self, constraints: Constraints) {
        self.controls = Controls::new(constraints);
        self.discard_choice();
    }

    /// Discards the newest row's choice of the next note: it was made under other sampling rules.
    pub(super) fn discard_choice(&mut self) {
        if let Some(open) = &mut self.open {
            open.next = None;
        }
    }

    pub(super) fn check_closed(&self) -> Result<(), DecodeError> {
        self.open.as_ref().map_or(Ok(()), |open| Err(DecodeError::StillOpen(open.bar.index)))
    }

    /// Checks that the next bar can be begun: none is open, and the sequence has not ended.
    pub(super) fn check_next(&self) -> Result<(), DecodeError> {
        self.check_closed()?;
        Ok(self.cache.check_bar()?)
    }

    /// Index of the open bar, or of the next one if none is open.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.cache.bar()
    }

    /// Bar line of the open bar, or of the next one, in ticks from the first bar line. At a gap it stays the same while the far side is appended.
    #[must_use]
    pub fn line(&self) -> Tick {
        self.line
    }

    /// The open bar.
    #[must_use]
    pub fn open(&self) -> Option<&OpenBar> {
        self.open.as_ref()
    }

    /// Rows that the next run attends to; the cost of a step grows with it.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.cache.filled()
    }

    /// Bytes of the cache.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cache.bytes() + self.aside_bytes() + self.memory.as_ref().map_or(0, Memory::bytes)
    }

    /// Last hidden state of the latest single-row run: a row of the open bar, or the summary of the bar before.
    #[must_use]
    pub fn hidden(&self) -> &[f32] {
        self.step.hidden()
    }

    /// Turns the rows in the buffer into the page of their bar, runs its summary, and frees the pages that no later bar can attend to.
    pub(super) fn finish(&mut self, bar: OpenBar, rows: &[Row], targets: Vec<Targets>) -> Result<(), DecodeError> {
        let OpenBar { bar, given, layout, recall, .. } = bar;
        self.cache.end_bar()?;
        self.recall.finish(recall);
        if let Some(memory) = &mut self.memory {
            memory.finish(bar.index, targets);
        }
        if self.cache.summarises() {
            self.step.set_summary(rows)?;
            self.step_over(&bar.sum_row(), &FREE)?;
            self.step.set_summary(&[])?;
            self.cache.set_summary();
        }
        self.cache.forget();
        if self.cache.is_beyond() {
            return Ok(());
        }
        let line = self.line;
        self.line += Tick(i64::from(bar.ticks));
        self.finished.push_back(Finished { line, bar, given, layout });
        if self.finished.len() > HELD_BARS {
            self.finished.pop_front();
        }
        Ok(())
    }

    /// Gathers the pages that the next bar attends to, with room for `rows` rows of its own, and the entries of its memory.
    pub(super) fn gather(&mut self, rows: usize) -> Result<(), DecodeError> {
        self.cache.begin_bar(rows)?;
        let Some(memory) = &mut self.memory else { return Ok(()) };
        if memory.begin_bar()? {
            self.bars.clear();
            memory.bind(&self.model, &mut self.step)?;
        }
        Ok(())
    }

    /// Keeps the open bar's first `rows` rows and rolls back the others.
    pub(super) fn keep_rows(&mut self, rows: usize) {
        self.cache.truncate(rows);
        if let Some(memory) = &mut self.memory {
            memory.truncate(rows);
        }
    }

    /// Opens a finished bar again with its first `rows` rows.
    pub(super) fn reopen(&mut self, bar: u32, rows: usize) -> Result<(), DecodeError> {
        self.cache.reopen(bar, rows)?;
        if self.aside.as_ref().is_some_and(|aside| aside.begins_after(bar)) {
            self.aside = None;
        }
        let Some(memory) = &mut self.memory else { return Ok(()) };
        if memory.reopen(bar, rows)? {
            self.bars.clear();
            memory.bind(&self.model, &mut self.step)?;
        }
        Ok(())
    }

    /// Appends rows in one run.
    pub(super) fn run_rows(
        &mut self,
        rows: &[Row],
        forced: &[Targets],
        outputs: OutputRows,
        read: impl FnOnce(&Batch),
    ) -> Result<(), DecodeError> {
        self.reserve(rows.len())?;
        if self.bars.len() == MOST_BATCHES && !self.bars.contains_key(&(rows.len(), outputs)) {
            self.bars.clear();
        }
        let batch = match self.bars.entry((rows.len(), outputs)) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(place) => place.insert(batch(&self.model, rows.len(), outputs, &mut self.cache, self.memory.as_ref())?),
        };
        // These rows sample nothing, and are scored by the model's own memory.
        if let Some(memory) = &mut self.memory {
            memory.keep_away(0.0);
        }
        for (index, (row, forced)) in rows.iter().zip(forced).enumerate() {
            batch.set_row(&self.model, index, row, forced);
        }
        batch.run(&self.model, self.cache.filled())?;
        self.cache.appended(rows.len());
        self.cache.append_queries(batch.queries());
        if let Some(memory) = &mut self.memory {
            memory.appended(batch.memory_keys());
        }
        read(batch);
        Ok(())
    }

    /// Makes room for `rows` rows. If that reallocates the cache, the tensors bound to the old buffer are dropped or bound again.
    fn reserve(&mut self, rows: usize) -> Result<(), DecodeError> {
        self.cache.reserve(rows)?;
        if self.bound != self.cache.reallocations() {
            self.bars.clear();
            self.step.bind_cache(self.cache.layers())?;
            self.bound = self.cache.reallocations();
        }
        Ok(())
    }

    /// Runs the open bar's newest row, whose target is the bar's last note, and returns the continuation it sampled.
    pub(super) fn run_step(&mut self, open: &OpenBar, row: &Row, forced: &Targets) -> Result<Next, DecodeError> {
        let (target, before) = match open.bar.notes.split_last() {
            None => (None, &[][..]),
            Some((note, before)) => (Some(note.place()), before),
        };
        let choice = self.run_one(row, forced, &open.row_context(self.line, before, target))?;
        Ok(next_of(&choice))
    }

    /// Appends one row of the open bar and returns the classes it sampled.
    pub(super) fn run_one(&mut self, row: &Row, forced: &Targets, context: &RowContext<'_>) -> Result<[i64; FIELDS], DecodeError> {
        let index = context.index();
        let task = match self.accompanied {
            _ if self.cache.fills_gap() => Task::Infill,
            Accompanied::None if context.given.is_empty() => Task::Continuation,
            _ => Task::Accompaniment,
        };
        let sampling = self.sampling.at_row(index, context.repetition(), task);
        let mut inputs = self.step.sampling();
        inputs.temperature.fill(sampling.divisor());
        inputs.log_min_p.fill(sampling.log_min_p());
        if let Some(memory) = &mut self.memory {
            memory.keep_away(sampling.distance);
        }
        noise::fill(inputs.noise, self.seed, context.line.0, u64::try_from(index).unwrap_or(u64::MAX));
        self.controls.write(&mut inputs, context, self.sampling.copy_bias(task));
        self.step_over(row, forced)?;
        Ok(self.step.choice(0))
    }

    /// Appends one row.
    pub(super) fn step_over(&mut self, row: &Row, forced: &Targets) -> Result<(), DecodeError> {
        self.reserve(1)?;
        self.step.set_row(&self.model, 0, row, forced);
        self.step.run(&self.model, self.cache.filled())?;
        self.cache.appended(1);
        self.cache.append_queries(self.step.queries());
        if let Some(memory) = &mut self.memory {
            memory.appended(self.step.memory_keys());
        }
        Ok(())
    }
}

/// Tensors for runs over a cache and a memory.
fn batch(model: &Model, rows: usize, outputs: OutputRows, cache: &mut Cache, memory: Option<&Memory>) -> ort::Result<Batch> {
    let mut batch = Batch::new(model, rows, outputs, cache.layers())?;
    if cache.reads_queries() {
        batch.bind_queries(model)?;
    }
    if let Some(memory) = memory {
        memory.bind(model, &mut batch)?;
    }
    Ok(batch)
}
