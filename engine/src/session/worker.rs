//! Interface to the worker that runs the model; tests implement it with a script.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cache::{CacheOptions, FineCoarse};
use crate::codec::{OwnRoles, prefix_rows};
use crate::decode::{BarOrder, Prompt};
use crate::model::{Model, Runtime, RuntimeSearch};
use crate::music::Role;
use crate::plan::PageStats;
use crate::service::{Assignment, Deadline, GeneratedBar, JobError, Outcome, Service, Setup, Shelf, VARIATIONS, WorkerHandle};
use parking_lot::Mutex;

use super::engine_status::Parts;

/// Weights, shared by all instances of the library.
static MODEL: Shelf<Model> = Shelf::new();

/// Style column when no style is set.
const ANY_STYLE: u8 = 0;

/// What a job was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The context, or a plan.
    Plan,
    /// Variations of a plan.
    Variations,
}

/// Runs jobs asynchronously. A newer job replaces the older; every job ends in one outcome.
pub trait Worker {
    /// Sets all roles of the music, and those that are generated beside a player's. The context is then empty, and no job is pending.
    fn set_roles(&mut self, roles: &BTreeSet<Role>, own: OwnRoles);

    /// Sets the context and prefills, with what is remembered of the player. Without either it only loads the model.
    ///
    /// # Errors
    /// If the bars do not follow each other. Nothing has changed then.
    fn set_context(&mut self, context: Prompt) -> Result<(), BarOrder>;

    /// Generates the assignments, the near bar `within` this time.
    ///
    /// # Errors
    /// If the bars do not follow each other. Nothing has changed then.
    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> Result<(), BarOrder>;

    /// Generates the assignments of several plans with the same context, one after the other and each different from those before it, `within` this time or when
    /// the workers have nothing else to do.
    ///
    /// # Errors
    /// If the bars of one do not follow each other. Nothing has changed then.
    fn vary(&mut self, assignments: Vec<Assignment>, within: Option<Duration>) -> Result<(), BarOrder>;

    /// Cancels the current job.
    fn cancel(&mut self);

    /// Outcome of a job, if one has ended.
    fn outcome(&mut self) -> Option<(Work, Outcome)>;

    /// The next generated bar, if one is ready.
    fn bar(&mut self) -> Option<GeneratedBar>;

    /// Names of the loaded parts.
    fn parts(&self) -> Parts;

    /// Counts of pages kept and read for all contexts so far; none where they are not counted.
    fn pages(&self) -> PageStats {
        PageStats::default()
    }
}

/// The worker side of the pool. The model is loaded there, with the first job.
pub(super) struct ServiceWorker {
    service: Service,
    worker: WorkerHandle,
    parts: Arc<Mutex<Parts>>,
    /// The weights, once they are loaded: the next worker need not load them again.
    model: Arc<OnceLock<Arc<Model>>>,
    /// Counts of the workers before this one.
    pages: PageStats,
    /// Folders that may hold ONNX Runtime, in the order they are searched.
    folders: Vec<PathBuf>,
}

impl ServiceWorker {
    /// A worker of this pool for an ensemble of these roles, with the ONNX Runtime of one of these folders.
    pub(super) fn new(service: Service, roles: &BTreeSet<Role>, folders: Vec<PathBuf>) -> Self {
        let (parts, model) = (Arc::default(), Arc::default());
        Self {
            worker: worker(&service, roles, OwnRoles::ALL, &parts, &model, &folders),
            service,
            parts,
            model,
            pages: PageStats::default(),
            folders,
        }
    }
}

impl Worker for ServiceWorker {
    fn set_roles(&mut self, roles: &BTreeSet<Role>, own: OwnRoles) {
        self.pages += self.worker.pages();
        self.worker = worker(&self.service, roles, own, &self.parts, &self.model, &self.folders);
    }

    fn set_context(&mut self, context: Prompt) -> Result<(), BarOrder> {
        self.worker.prefill_prompt(context).map(drop)
    }

    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> Result<(), BarOrder> {
        self.worker.generate(assignments, self.service.now() + within).map(drop)
    }

    fn vary(&mut self, assignments: Vec<Assignment>, within: Option<Duration>) -> Result<(), BarOrder> {
        let deadline = within.map_or(Deadline::LAST, |within| self.service.now() + within);
        self.worker.vary(assignments, deadline).map(drop)
    }

    fn cancel(&mut self) {
        self.worker.cancel();
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        let report = self.worker.try_report()?;
        let work = if report.name == VARIATIONS { Work::Variations } else { Work::Plan };
        Some((work, report.outcome))
    }

    fn bar(&mut self) -> Option<GeneratedBar> {
        self.worker.try_bar()
    }

    fn parts(&self) -> Parts {
        self.parts.lock().clone()
    }

    fn pages(&self) -> PageStats {
        let mut pages = self.pages;
        pages += self.worker.pages();
        pages
    }
}

fn worker(
    service: &Service,
    roles: &BTreeSet<Role>,
    own: OwnRoles,
    parts: &Arc<Mutex<Parts>>,
    kept: &Arc<OnceLock<Arc<Model>>>,
    folders: &[PathBuf],
) -> WorkerHandle {
    let roles: Vec<Role> = roles.iter().copied().collect();
    let (parts, kept) = (Arc::clone(parts), Arc::clone(kept));
    let search = RuntimeSearch { explicit: None, folders: folders.to_vec() };
    WorkerHandle::new(service, move || {
        let runtime = Runtime::load(&search)?;
        parts.lock().runtime = Some(format!("ONNX Runtime {}", runtime.version()));
        let model = MODEL.get(|| Model::shipped(runtime).map_err(JobError::from))?;
        let model = Arc::clone(kept.get_or_init(|| model));
        parts.lock().model = Some(model.info().name.clone());
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model, policy, prefix: prefix_rows(ANY_STYLE, &roles), own, cache: CacheOptions::default() })
    })
}
