//! State kept between runs: settings and history, in the JSON format that a host would save.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use antiphon_engine::files::{user_data, write_whole};
use antiphon_plugin::params::AntiphonParams;
use antiphon_plugin::state::refusal;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::PluginState;
use parking_lot::Mutex;

use crate::restore::restore;

/// Interval at which changes are written.
const PERIOD: Duration = Duration::from_secs(10);

/// A project that cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    /// No home folder is known.
    #[error("no home folder is known; name a file with --project FILE, or keep nothing with --forget")]
    NoPlace,
    /// The file cannot be read, or its folder cannot be created.
    #[error("the project {path} cannot be opened: {source}. Name another with --project FILE, or keep nothing with --forget")]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file is damaged, or of another kind.
    #[error(
        "{path} is not an Antiphon project: {reason}. It was left unchanged: move it away, name another with --project FILE, or keep nothing with --forget"
    )]
    Foreign { path: PathBuf, reason: String },
    /// Another instance of the program has it open.
    #[error("the project {0} is open in another Antiphon: close that one, name another with --project FILE, or keep nothing with --forget")]
    Open(PathBuf),
}

/// A project opened exclusively by this program.
#[derive(Debug)]
pub(crate) struct Project {
    path: PathBuf,
    /// Content of the file.
    written: Option<Vec<u8>>,
    /// When it was last compared.
    compared: Instant,
    /// Whether a write error was already reported.
    reported_error: bool,
    /// Locks the project until the program ends, however it ends.
    _lock: File,
}

/// Default path of the project of this name.
pub(crate) fn default_path(name: &str) -> Result<PathBuf, ProjectError> {
    Ok(user_data().ok_or(ProjectError::NoPlace)?.join(format!("{name}.json")))
}

impl Project {
    /// Opens a project; returns its content, or `None` for a new one.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub(crate) fn open(path: PathBuf) -> Result<(Self, Option<PluginState>), ProjectError> {
        let unreadable = |source| ProjectError::Unreadable { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(unreadable)?;
        }
        let lock = File::create(lock_path(&path)).map_err(unreadable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ProjectError::Open(path)),
            Err(TryLockError::Error(source)) => return Err(unreadable(source)),
        }
        let written = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(unreadable(source)),
        };
        let state = written.as_deref().map(read).transpose().map_err(|reason| ProjectError::Foreign { path: path.clone(), reason })?;
        Ok((Self { path, written, compared: Instant::now(), reported_error: false, _lock: lock }, state))
    }

    /// Path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the state, unless the file already holds it.
    fn write(&mut self, state: &PluginState) {
        self.compared = Instant::now();
        let written = serde_json::to_vec(state).map_err(io::Error::from).and_then(|bytes| {
            if self.written.as_ref() != Some(&bytes) {
                write_whole(&self.path, &bytes)?;
                self.written = Some(bytes);
            }
            Ok(())
        });
        match written {
            Ok(()) => self.reported_error = false,
            Err(error) if !self.reported_error => {
                eprintln!(
                    "The project {} cannot be written: {error}. Until it can be written, drag or save what you want to keep.",
                    self.path.display()
                );
                self.reported_error = true;
            }
            Err(_) => {}
        }
    }
}

/// The content of a file, or why it is not ours.
fn read(bytes: &[u8]) -> Result<PluginState, String> {
    let mut state = serde_json::from_slice(bytes).map_err(|error| format!("it is damaged ({error})"))?;
    match refusal(&mut state) {
        None => Ok(state),
        Some(reason) => Err(reason),
    }
}

/// The lock file of a project. Separate, because the project file itself is replaced at each write.
fn lock_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.lock"))
}

/// The project of this program, if it has one.
static OPEN: Mutex<Option<Open>> = Mutex::new(None);

struct Open {
    project: Project,
    /// Loaded state, until it is passed to the plug-in.
    loaded: Option<PluginState>,
    /// The running plug-in, and the block count when it received the state.
    plugin: Option<(GuiContext, u64)>,
}

/// Number of blocks started.
static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// Blocks after which restored controls have their values: nice-plug applies changes at the end of a block.
const RESTORE_BLOCKS: u64 = 2;

/// Counts a block. Called on the audio thread.
pub(crate) fn count_block() {
    BLOCKS.fetch_add(1, Ordering::Relaxed);
}

/// Keeps a project from now on.
pub(crate) fn keep(project: Project, loaded: Option<PluginState>) {
    *OPEN.lock() = Some(Open { project, loaded, plugin: None });
}

/// Passes the loaded state to the plug-in, and saves its state from then on.
pub(crate) fn attach(params: &AntiphonParams, plugin: &GuiContext) {
    if let Some(open) = &mut *OPEN.lock() {
        if let Some(loaded) = open.loaded.take() {
            restore(params, &loaded, &plugin.param_setter());
        }
        open.plugin = Some((plugin.clone(), BLOCKS.load(Ordering::Relaxed)));
    }
}

/// Writes changes, at intervals of [`PERIOD`].
pub(crate) fn save_if_due() {
    write(|project| project.compared.elapsed() > PERIOD);
}

/// Writes changes now. Does nothing if the plug-in never received the loaded state because no audio was running.
pub(crate) fn save() {
    write(|_| true);
}

fn write(is_due: impl Fn(&Project) -> bool) {
    if let Some(Open { project, plugin: Some((plugin, attached_at)), .. }) = &mut *OPEN.lock()
        && BLOCKS.load(Ordering::Relaxed) >= *attached_at + RESTORE_BLOCKS
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

    /// A saved state with one control set.
    fn state(adventurousness: f32) -> PluginState {
        let (params, fields) = ([("adventurousness".to_owned(), ParamValue::F32(adventurousness))].into(), Default::default());
        PluginState { version: "0.1.0".into(), params, fields }
    }

    #[test]
    fn written_project_is_loaded_when_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("mine.json");
        let (mut project, loaded) = Project::open(path.clone()).unwrap();
        assert!(loaded.is_none());
        project.write(&state(0.75));
        drop(project);
        let (_, loaded) = Project::open(path).unwrap();
        assert!(matches!(loaded.unwrap().params["adventurousness"], ParamValue::F32(value) if value == 0.75));
    }

    #[test]
    fn file_that_is_no_project_is_refused_and_left_unchanged() {
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
    fn project_can_be_open_in_one_program_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.json");
        let open = Project::open(path.clone()).unwrap();
        let error = Project::open(path.clone()).unwrap_err();
        assert!(matches!(error, ProjectError::Open(_)) && error.to_string().contains("another Antiphon"), "{error}");
        drop(open);
        Project::open(path).unwrap();
    }
}
