//! The decoder: a sequence of finished bars, and an open one that grows note by note.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    sync::Arc,
};

use super::{
    Constraints, DecodeError, OpenBar, Sampling,
    constraints::{Masks, Moment},
    error::{check_bar, check_notes},
    noise,
    open_bar::{FREE, Next, content, next_of},
};
use crate::{
    cache::{Cache, CacheOptions, PagePolicy, REWIND_BARS, RewindTooFar, Selection},
    codec::{
        BarEnd, BarFields, BarRecall, BarRows, NoteClasses, Recall, Row, Targets, align,
        vocabulary::{FIELDS, Field},
    },
    model::{Asked, Batch, Model},
    music::Tick,
};

/// Batches kept for runs of several rows.
const MOST_BATCHES: usize = 32;

/// One continuation in progress.
///
/// Finished bars come in whole ([`append_bar`](Self::append_bar)) or are made by [`begin_bar`](Self::begin_bar), any mix of [`push`](Self::push) (a note
/// that is known) and [`sample`](Self::sample) (a note the model chooses), and [`end_bar`](Self::end_bar). What was decoded can be taken back:
/// notes of the open bar ([`truncate`](Self::truncate)) and whole bars ([`rewind`](Self::rewind)); it is then as if they had never been.
///
/// Same model, bars, seed, sampling and constraints: same notes, whatever was decoded before or in between.
#[derive(Debug)]
pub struct Decoder {
    model: Arc<Model>,
    cache: Cache,
    /// For runs of one row: the tensors of every step are these.
    step: Batch,
    /// For runs of more rows, by their number and by who is asked: bars tend to have as many notes as other bars.
    bars: BTreeMap<(usize, Asked), Batch>,
    /// [`Cache::moves`] when the batches were bound.
    bound: u32,
    seed: u64,
    sampling: Sampling,
    masks: Masks,
    /// The latest finished bars and their bar lines, as many as can be opened again.
    finished: VecDeque<(Tick, BarRows)>,
    /// The bar line of the open or next bar.
    line: Tick,
    open: Option<OpenBar>,
    /// The notes of the finished bars, for what rows are told of them.
    recall: Recall,
}

/// What [`Decoder::sample`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It added this note to the open bar.
    Note(NoteClasses),
    /// No further note belongs into the bar; nothing was added.
    BarEnd,
}

/// What the model thought of a bar that it was shown.
#[derive(Debug, Clone)]
pub struct BarScore {
    /// Its rows in order, without the summary. The last note's row has no targets.
    pub rows: Vec<RowScore>,
    /// The last hidden state of each of these rows, one after the other.
    pub hidden: Vec<f32>,
}

/// What the model thought of the truth at one row.
#[derive(Debug, Clone, Copy)]
pub struct RowScore {
    /// The true classes in chain order; -1 where the row has none, and the other arrays mean nothing.
    pub targets: Targets,
    /// Minus the log probability of each, in nats, given those before it.
    pub nll: [f32; FIELDS],
    /// The likeliest class of each, given the true ones before it.
    pub best: [i64; FIELDS],
}

impl Decoder {
    /// A decoder at the start of a sequence, whose first bar has index 0. `prefix` are the rows every bar sees
    /// ([`prefix_rows`](crate::codec::prefix_rows)); they are fixed, because every key and value depends on them.
    ///
    /// # Errors
    /// As of [`with_options`](Self::with_options).
    pub fn new(model: Arc<Model>, policy: Arc<dyn PagePolicy>, prefix: &[Row]) -> Result<Self, DecodeError> {
        Self::with_options(model, policy, prefix, CacheOptions::default())
    }

    /// [`new`](Self::new), with the cache's memory as `options` say.
    ///
    /// # Errors
    /// [`DecodeError::NoQueries`] if the policy, or one to be changed to, wants what the model does not give; or if ONNX Runtime fails.
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
        let step = batch(&model, 1, Asked::All, &mut cache)?;
        let mut decoder = Self {
            bound: cache.moves(),
            model,
            cache,
            step,
            bars: BTreeMap::new(),
            seed: 0,
            sampling: Sampling::default(),
            masks: Masks::new(Constraints::default()),
            finished: VecDeque::new(),
            line: Tick::ZERO,
            open: None,
            recall: Recall::default(),
        };
        if !prefix.is_empty() {
            let forced = vec![FREE; prefix.len()];
            decoder.run_rows(prefix, &forced, Asked::Last, |_| {})?;
            decoder.cache.set_prefix();
        }
        Ok(decoder)
    }

    /// Lets the bars from the next one on see under another page policy, with the same weights.
    ///
    /// # Errors
    /// [`DecodeError::StillOpen`]; [`DecodeError::NotKept`] if the cache was not told to keep what it needs ([`CacheOptions::keep`]).
    /// Nothing has changed then.
    pub fn set_policy(&mut self, policy: Arc<dyn PagePolicy>) -> Result<(), DecodeError> {
        if let Some(open) = &self.open {
            return Err(DecodeError::StillOpen(open.bar.index));
        }
        Ok(self.cache.set_policy(policy)?)
    }

    /// What the open bar, or the last one if none is open, sees of earlier bars row by row.
    #[must_use]
    pub fn seen(&self) -> &Selection {
        self.cache.seen()
    }

    /// Sets the seed of what is sampled from now on.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
        self.ask_anew();
    }

    /// Sets how adventurous what is sampled from now on may be.
    pub fn set_sampling(&mut self, sampling: Sampling) {
        self.sampling = sampling;
        self.ask_anew();
    }

    /// Sets what may be sampled from now on.
    pub fn set_constraints(&mut self, constraints: Constraints) {
        self.masks = Masks::new(constraints);
        self.ask_anew();
    }

    /// What the newest row chose to come next was chosen under other rules.
    fn ask_anew(&mut self) {
        if let Some(open) = &mut self.open {
            open.next = None;
        }
    }

    /// Index of the open bar, or of the next one if none is open.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.cache.bar()
    }

    /// Bar line of the open bar, or of the next one, in ticks from the first bar line.
    #[must_use]
    pub fn line(&self) -> Tick {
        self.line
    }

    /// The open bar.
    #[must_use]
    pub fn open(&self) -> Option<&OpenBar> {
        self.open.as_ref()
    }

    /// Rows that the next run sees: what a step costs depends on it.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.cache.filled()
    }

    /// Bytes of the cache.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// The last hidden state of the row that was decoded last by itself: a row of the open bar, or the summary of the bar before.
    #[must_use]
    pub fn hidden(&self) -> &[f32] {
        self.step.hidden()
    }

    /// Appends a finished bar: one run over all its rows, and its summary.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn append_bar(&mut self, bar: &BarRows) -> Result<(), DecodeError> {
        self.append(bar, BarEnd::Bar, Asked::Last, |_| {})
    }

    /// Appends a finished bar and says what the model thought of it.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn score_bar(&mut self, bar: &BarRows, end: BarEnd) -> Result<BarScore, DecodeError> {
        let (rows, targets) = align(bar, end);
        let scored = &targets[..rows.len() - 1];
        let mut score = BarScore { rows: Vec::with_capacity(scored.len()), hidden: Vec::new() };
        self.append(bar, end, Asked::All, |batch| {
            let row = |(index, &targets): (usize, &Targets)| RowScore { targets, nll: batch.nll(index), best: batch.best(index) };
            score.rows.extend(scored.iter().enumerate().map(row));
            score.hidden.extend_from_slice(batch.hidden());
        })?;
        Ok(score)
    }

    fn append(&mut self, bar: &BarRows, end: BarEnd, asked: Asked, read: impl FnOnce(&Batch)) -> Result<(), DecodeError> {
        if let Some(open) = &self.open {
            return Err(DecodeError::StillOpen(open.bar.index));
        }
        if bar.index != self.cache.bar() {
            return Err(DecodeError::Order { found: bar.index, expected: self.cache.bar() });
        }
        check_bar(bar)?;
        let (mut rows, targets) = align(bar, end);
        let mut recall = self.recall.begin(bar.index);
        recall.fill_in(&mut rows);
        let rows = &rows[..rows.len() - 1];
        self.cache.begin_bar(rows.len())?;
        self.run_rows(rows, &targets, asked, read)?;
        self.finish(bar.clone(), recall, rows)
    }

    /// Opens the next bar.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn begin_bar(&mut self, ticks: u16, fields: BarFields) -> Result<(), DecodeError> {
        if let Some(open) = &self.open {
            return Err(DecodeError::StillOpen(open.bar.index));
        }
        let bar = BarRows { index: self.cache.bar(), ticks, fields, notes: Vec::new() };
        check_bar(&bar)?;
        self.cache.begin_bar(1)?;
        let recall = self.recall.begin(bar.index);
        let open = OpenBar { bar, recall, next: None };
        let next = self.run_step(&open, &open.newest_row().0, &FREE)?;
        self.open = Some(OpenBar { next: Some(next), ..open });
        Ok(())
    }

    /// Adds known notes to the open bar, in one run.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn push(&mut self, notes: &[NoteClasses]) -> Result<(), DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let pushed = self.push_to(&mut open, notes);
        self.open = Some(open);
        pushed
    }

    fn push_to(&mut self, open: &mut OpenBar, notes: &[NoteClasses]) -> Result<(), DecodeError> {
        let known = open.bar.notes.len();
        open.bar.notes.extend_from_slice(notes);
        if let Err(error) = check_notes(&open.bar, known) {
            open.bar.notes.truncate(known);
            return Err(error);
        }
        notes.iter().for_each(|note| open.recall.hear(note));
        let rows: Vec<Row> =
            (known..open.bar.notes.len()).map(|index| open.row_for(&open.bar.notes[..index], open.bar.notes[index].place())).collect();
        let forced: Vec<Targets> = notes.iter().map(content).collect();
        match (rows.as_slice(), forced.as_slice()) {
            ([], _) => {}
            ([row], [forced]) => open.next = Some(self.run_step(open, row, forced)?),
            _ => {
                self.run_rows(&rows, &forced, Asked::Last, |_| {})?;
                open.next = None;
            }
        }
        Ok(())
    }

    /// Lets the model choose the open bar's next note. One note is at most two runs: the caller can do something else in between.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn sample(&mut self) -> Result<Step, DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let sampled = self.sample_in(&mut open);
        self.open = Some(open);
        sampled
    }

    fn sample_in(&mut self, open: &mut OpenBar) -> Result<Step, DecodeError> {
        let next = match open.next {
            Some(next) => next,
            None => {
                // The newest row is run again over itself, to choose under the rules of now.
                self.cache.truncate(open.rows() - 1);
                let (row, forced) = open.newest_row();
                self.run_step(open, &row, &forced)?
            }
        };
        open.next = Some(next);
        let Next::Note(place) = next else { return Ok(Step::BarEnd) };
        let row = open.row_for(&open.bar.notes, place);
        let moment = Moment { line: self.line, ticks: open.bar.ticks, target: Some(place), before: &open.bar.notes };
        let choice = self.run_one(&row, &FREE, &moment, open.rows())?;
        let class = |field: Field| u8::try_from(choice[field as usize]).unwrap_or(0);
        let note = NoteClasses {
            beat: place.beat,
            sub: place.sub,
            role: place.role,
            pitch: class(Field::Pitch),
            duration: class(Field::Duration),
            velocity: class(Field::Velocity),
            offset: class(Field::Offset),
        };
        open.bar.notes.push(note);
        open.recall.hear(&note);
        open.next = Some(next_of(&choice));
        Ok(Step::Note(note))
    }

    /// Keeps the open bar's first `notes` notes: the others were never there.
    ///
    /// # Errors
    /// [`DecodeError::NoOpenBar`].
    pub fn truncate(&mut self, notes: usize) -> Result<(), DecodeError> {
        let open = self.open.as_mut().ok_or(DecodeError::NoOpenBar)?;
        if notes < open.bar.notes.len() {
            open.bar.notes.truncate(notes);
            open.recall.truncate(notes);
            open.next = None;
            self.cache.truncate(open.rows());
        }
        Ok(())
    }

    /// Ends the open bar, and returns it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn end_bar(&mut self) -> Result<BarRows, DecodeError> {
        let open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let bar = open.bar;
        let (mut rows, _) = align(&bar, BarEnd::Bar);
        let mut recall = self.recall.begin(bar.index);
        recall.fill_in(&mut rows);
        let rows = &rows[..rows.len() - 1];
        if !bar.notes.is_empty() {
            // The last note's own row: nothing asks it, later bars see it.
            self.step_over(&rows[rows.len() - 1], &FREE)?;
        }
        self.finish(bar.clone(), recall, rows)?;
        Ok(bar)
    }

    /// Goes back to a finished bar, one of the last [`REWIND_BARS`] at most, and opens it again with its first `notes` notes. It and what followed it are
    /// as if they had never been finished. With no bar to go back over, this is [`truncate`](Self::truncate).
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] if the bar is too long ago, or what it saw had to be dropped for memory; nothing has changed then.
    pub fn rewind(&mut self, bar: u32, notes: usize) -> Result<(), DecodeError> {
        if self.open.as_ref().is_some_and(|open| open.bar.index == bar) {
            return self.truncate(notes);
        }
        let Some(at) = self.finished.iter().position(|(_, finished)| finished.index == bar) else {
            let oldest = self.finished.front().map_or(self.cache.bar(), |(_, finished)| finished.index);
            return Err(DecodeError::Rewind(RewindTooFar { bar, oldest }));
        };
        let notes = notes.min(self.finished[at].1.notes.len());
        self.cache.reopen(bar, 1 + notes)?;
        if let Some((line, mut bar)) = self.finished.drain(at..).next() {
            bar.notes.truncate(notes);
            self.line = line;
            self.recall.rewind(bar.index);
            let mut recall = self.recall.begin(bar.index);
            bar.notes.iter().for_each(|note| recall.hear(note));
            self.open = Some(OpenBar { bar, recall, next: None });
        }
        Ok(())
    }

    /// Makes a page of the bar whose rows the buffer now holds, runs its summary, and forgets what can be forgotten.
    fn finish(&mut self, bar: BarRows, recall: BarRecall, rows: &[Row]) -> Result<(), DecodeError> {
        self.cache.end_bar()?;
        self.recall.finish(recall);
        if self.cache.summarises() {
            self.step.set_summary(rows)?;
            self.step_over(&bar.sum_row(), &FREE)?;
            self.step.set_summary(&[])?;
            self.cache.set_summary();
        }
        self.cache.forget();
        let line = self.line;
        self.line += Tick(i64::from(bar.ticks));
        self.finished.push_back((line, bar));
        if self.finished.len() > usize::try_from(REWIND_BARS).unwrap_or(usize::MAX) {
            self.finished.pop_front();
        }
        Ok(())
    }

    /// Appends rows in one run.
    fn run_rows(&mut self, rows: &[Row], forced: &[Targets], asked: Asked, read: impl FnOnce(&Batch)) -> Result<(), DecodeError> {
        self.reserve(rows.len())?;
        if self.bars.len() == MOST_BATCHES && !self.bars.contains_key(&(rows.len(), asked)) {
            self.bars.clear();
        }
        let batch = match self.bars.entry((rows.len(), asked)) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(place) => place.insert(batch(&self.model, rows.len(), asked, &mut self.cache)?),
        };
        for (index, (row, forced)) in rows.iter().zip(forced).enumerate() {
            batch.set_row(&self.model, index, row, forced);
        }
        batch.run(&self.model, self.cache.filled())?;
        self.cache.appended(rows.len());
        self.cache.asked(batch.queries());
        read(batch);
        Ok(())
    }

    /// Makes room for `rows` rows. When the cache has moved for it, what was bound to the old buffer is let go.
    fn reserve(&mut self, rows: usize) -> Result<(), DecodeError> {
        self.cache.reserve(rows)?;
        if self.bound != self.cache.moves() {
            self.bars.clear();
            self.step.bind_cache(self.cache.layers())?;
            self.bound = self.cache.moves();
        }
        Ok(())
    }

    /// Runs the open bar's newest row, whose target is the bar's last note, and says what it chose to come next.
    fn run_step(&mut self, open: &OpenBar, row: &Row, forced: &Targets) -> Result<Next, DecodeError> {
        let (target, before) = match open.bar.notes.split_last() {
            None => (None, &[][..]),
            Some((note, before)) => (Some(note.place()), before),
        };
        let moment = Moment { line: self.line, ticks: open.bar.ticks, target, before };
        let choice = self.run_one(row, forced, &moment, open.rows() - 1)?;
        Ok(next_of(&choice))
    }

    /// Appends one row, the bar's number `index`, that chooses.
    fn run_one(&mut self, row: &Row, forced: &Targets, moment: &Moment<'_>, index: usize) -> Result<[i64; FIELDS], DecodeError> {
        let mut inputs = self.step.sampling();
        inputs.temperature.fill(self.sampling.divisor());
        inputs.log_min_p.fill(self.sampling.log_min_p());
        noise::fill(inputs.noise, self.seed, moment.line.0, u64::try_from(index).unwrap_or(u64::MAX));
        self.masks.write(&mut inputs, moment);
        self.step_over(row, forced)?;
        Ok(self.step.choice(0))
    }

    /// Appends one row.
    fn step_over(&mut self, row: &Row, forced: &Targets) -> Result<(), DecodeError> {
        self.reserve(1)?;
        self.step.set_row(&self.model, 0, row, forced);
        self.step.run(&self.model, self.cache.filled())?;
        self.cache.appended(1);
        self.cache.asked(self.step.queries());
        Ok(())
    }
}

/// Tensors for runs over a cache.
fn batch(model: &Model, rows: usize, asked: Asked, cache: &mut Cache) -> ort::Result<Batch> {
    let mut batch = Batch::new(model, rows, asked, cache.layers())?;
    if cache.reads_queries() {
        batch.bind_queries(model)?;
    }
    Ok(batch)
}
