//! Search for ONNX Runtime; loaded by its full path, once per process.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ort::{environment::Environment, logging::LogLevel};
use parking_lot::Mutex;

use super::library::{self, LibraryFault};
use crate::files::user_data;

/// Environment variable with the path of the library or its folder.
pub const RUNTIME_VARIABLE: &str = "ANTIPHON_ONNXRUNTIME";

/// Version that messages suggest.
const SUGGESTED_VERSION: &str = "1.31.1";

/// Places to search for ONNX Runtime, in this order: [`explicit`](Self::explicit), [`RUNTIME_VARIABLE`], [`folders`](Self::folders), the program's
/// own folder, the user's data folder. If one of the first two is set, no other place is tried.
#[derive(Debug, Clone, Default)]
pub struct RuntimeSearch {
    /// Library or its folder, as chosen by the user.
    pub explicit: Option<PathBuf>,
    /// Further folders in order of priority: the plug-in passes that of its bundle.
    pub folders: Vec<PathBuf>,
}

/// ONNX Runtime, loaded. It is never unloaded, because other threads may still use it.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
    version: String,
}

/// A place searched for ONNX Runtime without success.
#[derive(Debug)]
pub struct Looked {
    /// The library or folder.
    pub place: PathBuf,
    /// What named this place.
    pub why: &'static str,
    /// What is wrong there.
    pub fault: LibraryFault,
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.place.display(), self.why, self.fault)
    }
}

/// Why there is no ONNX Runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// No place has a usable library.
    #[error(
        "ONNX Runtime was not found. Looked at:\n{}\nCure: put the library of onnxruntime {SUGGESTED_VERSION} into one of these folders, or name it with {RUNTIME_VARIABLE}",
        list(looked)
    )]
    NotFound {
        /// All places in search order.
        looked: Vec<Looked>,
    },
    /// The library that the user named is not usable.
    #[error("{0}\nCure: name the library of onnxruntime {SUGGESTED_VERSION}, or name none and let it be searched for")]
    Unusable(Looked),
    /// It was loaded but did not start.
    #[error("ONNX Runtime at {} did not start: {message}", path.display())]
    Start {
        /// The library.
        path: PathBuf,
        /// Its message.
        message: String,
    },
}

impl RuntimeError {
    /// Places searched without success, in order.
    #[must_use]
    pub fn looked(&self) -> &[Looked] {
        match self {
            Self::NotFound { looked } => looked,
            Self::Unusable(looked) => std::slice::from_ref(looked),
            Self::Start { .. } => &[],
        }
    }

    /// Problem and cure in one line, without the places ([`looked`](Self::looked)).
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::NotFound { .. } => format!(
                "ONNX Runtime was not found; put the library of onnxruntime {SUGGESTED_VERSION} into one of these folders, or name it with {RUNTIME_VARIABLE}"
            ),
            Self::Unusable(looked) => {
                format!("{} names no usable ONNX Runtime; name the library of onnxruntime {SUGGESTED_VERSION}, or name none", looked.why)
            }
            Self::Start { .. } => self.to_string(),
        }
    }
}

fn list(looked: &[Looked]) -> String {
    looked.iter().map(|place| format!("  {place}")).collect::<Vec<_>>().join("\n")
}

impl Runtime {
    /// Finds and loads ONNX Runtime; returns the one that this process already has, wherever it came from.
    ///
    /// # Errors
    /// [`RuntimeError`] with every place searched. A later call tries again.
    pub fn load(search: &RuntimeSearch) -> Result<&'static Self, RuntimeError> {
        static LOADED: OnceLock<Runtime> = OnceLock::new();
        static LOADING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = LOADING.lock();
        if let Some(runtime) = LOADED.get() {
            return Ok(runtime);
        }
        let (path, version) = search.find()?;
        let start_error = |message: String| RuntimeError::Start { path: path.clone(), message };
        let environment = ort::init_from(&path)
            .map_err(|error| start_error(error.to_string()))?
            .with_name("antiphon")
            .with_telemetry(false)
            .build()
            .map_err(|error| start_error(error.to_string()))?;
        // Errors are returned; the host's terminal must stay clean.
        environment.set_log_level(LogLevel::Fatal);
        Ok(LOADED.get_or_init(|| Self { environment, path, version }))
    }

    /// The environment for new sessions.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Path of the loaded library.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Version, for instance `1.31.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl RuntimeSearch {
    /// The first usable library, and its version.
    fn find(&self) -> Result<(PathBuf, String), RuntimeError> {
        let named = env::var_os(RUNTIME_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let ordered = self.explicit.clone().map(|place| (place, "named by the caller")).or(named.map(|place| (place, RUNTIME_VARIABLE)));
        if let Some((place, why)) = ordered {
            return usable(&place).map_err(|fault| RuntimeError::Unusable(Looked { place, why, fault }));
        }
        let mut looked = Vec::new();
        for (place, why) in self.places() {
            match usable(&place) {
                Ok(found) => return Ok(found),
                Err(fault) => looked.push(Looked { place, why, fault }),
            }
        }
        Err(RuntimeError::NotFound { looked })
    }

    /// Folders to search when no library was named.
    fn places(&self) -> Vec<(PathBuf, &'static str)> {
        let bundled = self.folders.iter().map(|folder| (folder.clone(), "bundle"));
        let beside = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_path_buf));
        bundled.chain(beside.map(|folder| (folder, "beside the program"))).chain(user_data().map(|folder| (folder, "user data"))).collect()
    }
}

/// The usable library at `place`: the file itself, or the first usable one in the folder.
fn usable(place: &Path) -> Result<(PathBuf, String), LibraryFault> {
    if !place.is_dir() {
        return library::check(place).map(|version| (place.to_path_buf(), version));
    }
    let mut libraries: Vec<PathBuf> = place.read_dir()?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    libraries.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library_name));
    libraries.sort();
    let mut fault = LibraryFault::EmptyFolder;
    for path in libraries {
        match library::check(&path) {
            Ok(version) => return Ok((path, version)),
            Err(found) => fault = found,
        }
    }
    Err(fault)
}

/// Matches `libonnxruntime.so`, `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib`, `onnxruntime.dll`; not the libraries of execution
/// providers.
fn is_library_name(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        name.strip_prefix("libonnxruntime").is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".dylib"))
    } else {
        name.strip_prefix("libonnxruntime.so").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn library_name_excludes_provider_libraries() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.31.1"] {
            assert!(is_library_name(name), "{name}");
        }
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime.dll", "libonnxruntime.soup", "libonnxruntime"] {
            assert!(!is_library_name(name), "{name}");
        }
    }

    #[test]
    fn not_found_message_lists_every_place_and_the_cure() {
        let looked = ["/a", "/b"].map(|place| Looked { place: place.into(), why: "bundle", fault: LibraryFault::EmptyFolder });
        let message = RuntimeError::NotFound { looked: looked.into() }.to_string();
        for part in ["/a (bundle)", "/b (bundle)", RUNTIME_VARIABLE, SUGGESTED_VERSION] {
            assert!(message.contains(part), "{message}");
        }
    }
}
