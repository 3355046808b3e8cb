//! What the program keeps from one run to the next: settings and history, the very JSON that a host would keep in its project.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use antiphon_engine::files::write_whole;
use antiphon_engine::model::user_data;
use antiphon_plugin::params::AntiphonParams;
use antiphon_plugin::state::refusal;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::PluginState;
use parking_lot::Mutex;

use crate::restore::restore;

/// How often what has changed is written.
const PERIOD: Duration = Duration::from_secs(10);

/// A project that cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unopened {
    /// No home is known.
    #[error("no home folder is known; name a file with --project FILE, or keep nothing with --forget")]
    NoPlace,
    /// It cannot be read, or its folder not be made.
    #[error("the project {path} cannot be opened: {source}. Name another with --project FILE, or keep nothing with --forget")]
    Unreadable { path: PathBuf, source: io::Error },
    /// It is damaged, or of something else.
    #[error(
        "{path} is no project of Antiphon: {reason}. It is left as it is: move it away, name another with --project FILE, or keep nothing with --forget"
    )]
    Foreign { path: PathBuf, reason: String },
    /// Another program has it open.
    #[error("the project {0} is open in another Antiphon: close that one, name another with --project FILE, or keep nothing with --forget")]
    Open(PathBuf),
}

/// A project that this program alone has open.
#[derive(Debug)]
pub(crate) struct Project {
    path: PathBuf,
    /// What stands in the file.
    written: Option<Vec<u8>>,
    /// When it was last compared.
    looked: Instant,
    /// Whether the player was told that it cannot be written.
    complained: bool,
    /// Gives the file free when the program ends, however it ends.
    _lock: File,
}

/// Where the project of programs of this name is unless told otherwise.
pub(crate) fn usual(name: &str) -> Result<PathBuf, Unopened> {
    Ok(user_data().ok_or(Unopened::NoPlace)?.join(format!("{name}.json")))
}

impl Project {
    /// Opens a project, and what it held; one that is not there begins empty.
    ///
    /// # Errors
    /// [`Unopened`].
    pub(crate) fn open(path: PathBuf) -> Result<(Self, Option<PluginState>), Unopened> {
        let unreadable = |source| Unopened::Unreadable { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(unreadable)?;
        }
        let lock = File::create(beside(&path)).map_err(unreadable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unopened::Open(path)),
            Err(TryLockError::Error(source)) => return Err(unreadable(source)),
        }
        let written = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(unreadable(source)),
        };
        let state = written.as_deref().map(read).transpose().map_err(|reason| Unopened::Foreign { path: path.clone(), reason })?;
        Ok((Self { path, written, looked: Instant::now(), complained: false, _lock: lock }, state))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is to be kept, unless it stands there already.
    fn write(&mut self, state: &PluginState) {
        self.looked = Instant::now();
        let written = serde_json::to_vec(state).map_err(io::Error::from).and_then(|bytes| {
            if self.written.as_ref() != Some(&bytes) {
                write_whole(&self.path, &bytes)?;
                self.written = Some(bytes);
            }
            Ok(())
        });
        match written {
            Ok(()) => self.complained = false,
            Err(error) if !self.complained => {
                eprintln!(
                    "The project {} cannot be written: {error}. Until it can, drag or save what you want to have.",
                    self.path.display()
                );
                self.complained = true;
            }
            Err(_) => {}
        }
    }
}

/// What a file holds, or why it is none of ours.
fn read(bytes: &[u8]) -> Result<PluginState, String> {
    let mut state = serde_json::from_slice(bytes).map_err(|error| format!("it is damaged ({error})"))?;
    match refusal(&mut state) {
        None => Ok(state),
        Some(reason) => Err(reason),
    }
}

/// The file that is locked while a project is open: the project's own is replaced whenever it is written.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock"))
}

/// The project of this program, if it has one.
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

struct Open {
    project: Project,
    /// What it held, until the plug-in has it.
    held: Option<PluginState>,
    /// From then on, and when it had been played so many blocks.
    plugin: Option<(GuiContext, u64)>,
}

/// Blocks that were begun.
static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// After so many more of them controls that were turned stand where they were turned to: nice-plug turns them when a block ends.
const TURNED: u64 = 2;

/// Counts a block. For the audio thread.
pub(crate) fn count_block() {
    BLOCKS.fetch_add(1, Ordering::Relaxed);
}

/// Has a project kept from now on.
pub(crate) fn keep(project: Project, held: Option<PluginState>) {
    *OPEN.lock() = Some(Open { project, held, plugin: None });
}

/// Gives what the project held to the plug-in, and looks after what becomes of it.
pub(crate) fn take_up(params: &AntiphonParams, plugin: &GuiContext) {
    if let Some(open) = &mut *OPEN.lock() {
        if let Some(held) = open.held.take() {
            restore(params, &held, &plugin.param_setter());
        }
        open.plugin = Some((plugin.clone(), BLOCKS.load(Ordering::Relaxed)));
    }
}

/// Writes what has changed, if it is time to.
pub(crate) fn look() {
    write(|project| project.looked.elapsed() > PERIOD);
}

/// Writes what has changed. What the plug-in never had, because no audio came, stays as it is.
pub(crate) fn save() {
    write(|_| true);
}

fn write(is_due: impl Fn(&Project) -> bool) {
    if let Some(Open { project, plugin: Some((plugin, taken_up)), .. }) = &mut *OPEN.lock()
        && BLOCKS.load(Ordering::Relaxed) >= *taken_up + TURNED
        && is_due(project)
    {
        project.write(&plugin.get_state());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use nice_plug::plugin::ParamValue;

    use super::*;

    /// What the plug-in would keep, with one control set.
    fn state(adventurousness: f32) -> PluginState {
        let (params, fields) = ([("adventurousness".to_owned(), ParamValue::F32(adventurousness))].into(), Default::default());
        PluginState { version: "0.1.0".into(), params, fields }
    }

    #[test]
    fn what_was_written_is_held_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("mine.json");
        let (mut project, held) = Project::open(path.clone()).unwrap();
        assert!(held.is_none());
        project.write(&state(0.75));
        drop(project);
        let (_, held) = Project::open(path).unwrap();
        assert!(matches!(held.unwrap().params["adventurousness"], ParamValue::F32(value) if value == 0.75));
    }

    #[test]
    fn what_is_no_project_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let other = serde_json::to_string(&PluginState { params: Default::default(), ..state(0.0) }).unwrap();
        for (name, text) in [("damaged", "{"), ("list", "[1]"), ("other", &other)] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let error = Project::open(path.clone()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("--project"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_project_is_open_in_one_program_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.json");
        let open = Project::open(path.clone()).unwrap();
        let error = Project::open(path.clone()).unwrap_err();
        assert!(matches!(error, Unopened::Open(_)) && error.to_string().contains("another Antiphon"), "{error}");
        drop(open);
        Project::open(path).unwrap();
    }
}
