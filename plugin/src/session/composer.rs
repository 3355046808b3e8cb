//! Who makes the plans: the engine's musician on its workers, or a script in tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::cache::{CacheOptions, FineCoarse};
use antiphon_engine::codec::{BarRows, prefix_rows};
use antiphon_engine::model::{Model, Runtime, RuntimeError, RuntimeSearch};
use antiphon_engine::music::Role;
use antiphon_engine::plan::Passage;
use antiphon_engine::service::{Assignment, JobError, Musician, Outcome, Service, Setup, Shelf};
use parking_lot::Mutex;

use super::pace::Parts;
use crate::image;

/// One copy of the weights for all instances of the library.
static MODEL: Shelf<Model> = Shelf::new();

/// The style column where no style is stated.
const ANY_STYLE: u8 = 0;

/// Makes what is asked for, in its own time. A newer job always takes the place of the older; every job ends in one outcome.
pub(super) trait Composer {
    /// From here on these roles play. Nothing was told yet, nothing is being made.
    fn gather(&mut self, roles: &BTreeSet<Role>);

    /// From the first of these bars on, this is what was heard; says whether they follow what was told before.
    fn listen(&mut self, bars: Vec<BarRows>) -> bool;

    /// Makes what is asked for, the near bar within this time; says whether it follows what was told.
    fn play(&mut self, assignments: Vec<Assignment>, within: Duration) -> bool;

    /// Calls off what is being made.
    fn rest(&mut self);

    /// How a job ended, if one has.
    fn outcome(&mut self) -> Option<Outcome>;

    /// What was made, if something was.
    fn passage(&mut self) -> Option<Passage>;

    /// What it is made of, as far as it is there.
    fn parts(&self) -> Parts;
}

/// The engine's musician. The model is loaded by a worker, with the first job.
pub(super) struct Workers {
    service: Service,
    musician: Musician,
    parts: Arc<Mutex<Parts>>,
}

impl Workers {
    /// A musician of this pool, who plays in an ensemble of these roles.
    pub(super) fn new(service: Service, roles: &BTreeSet<Role>) -> Self {
        let parts = Arc::default();
        Self { musician: musician(&service, roles, &parts), service, parts }
    }
}

impl Composer for Workers {
    fn gather(&mut self, roles: &BTreeSet<Role>) {
        self.musician = musician(&self.service, roles, &self.parts);
    }

    fn listen(&mut self, bars: Vec<BarRows>) -> bool {
        self.musician.listen(bars).is_ok()
    }

    fn play(&mut self, assignments: Vec<Assignment>, within: Duration) -> bool {
        self.musician.play(assignments, self.service.now() + within).is_ok()
    }

    fn rest(&mut self) {
        self.musician.rest();
    }

    fn outcome(&mut self) -> Option<Outcome> {
        self.musician.try_report().map(|report| report.outcome)
    }

    fn passage(&mut self) -> Option<Passage> {
        self.musician.try_passage()
    }

    fn parts(&self) -> Parts {
        self.parts.lock().clone()
    }
}

fn musician(service: &Service, roles: &BTreeSet<Role>, parts: &Arc<Mutex<Parts>>) -> Musician {
    let roles: Vec<Role> = roles.iter().copied().collect();
    let parts = Arc::clone(parts);
    Musician::new(service, move || {
        let runtime = runtime()?;
        parts.lock().runtime = Some(format!("ONNX Runtime {}", runtime.version()));
        let model = MODEL.get(|| Model::shipped(runtime).map_err(JobError::from))?;
        parts.lock().model = Some(model.info().name.clone());
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model, policy, prefix: prefix_rows(ANY_STYLE, &roles), cache: CacheOptions::default() })
    })
}

fn runtime() -> Result<&'static Runtime, RuntimeError> {
    let folders = image::paths().iter().flat_map(|image| folders(image)).collect();
    Runtime::load(&RuntimeSearch { explicit: None, folders })
}

/// Where a bundle keeps its runtime, by the path of the plug-in's library: beside it, in the bundle's resources or frameworks, or in a folder
/// beside it for bundles that are a single file. A program keeps it beside itself or, in a bundle of its own, in the resources.
fn folders(image: &Path) -> Vec<PathBuf> {
    let Some(folder) = image.parent() else { return Vec::new() };
    let contents = folder.parent().into_iter();
    let inside = contents.flat_map(|contents| ["Resources", "Frameworks"].map(|name| contents.join(name)));
    [folder.to_path_buf()].into_iter().chain(inside).chain([folder.join("Antiphon")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_searched_wherever_it_lies() {
        let found = folders(Path::new("/p/Antiphon.vst3/Contents/x86_64-linux/Antiphon.so"));
        for folder in ["/p/Antiphon.vst3/Contents/x86_64-linux", "/p/Antiphon.vst3/Contents/Resources"] {
            assert!(found.contains(&PathBuf::from(folder)), "{found:?}");
        }
        assert!(folders(Path::new("/home/u/.clap/antiphon.clap")).contains(&PathBuf::from("/home/u/.clap/Antiphon")));
        assert_eq!(folders(Path::new("/")), Vec::<PathBuf>::new());
    }
}
