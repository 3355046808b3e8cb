//! The user's presets: a file each, in the user's data folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use antiphon_engine::files::write_whole;
use serde::{Deserialize, Serialize};

use super::{Preset, Settings};

/// Ending of the files.
const ENDING: &str = "json";
/// Version of the format.
const VERSION: u32 = 1;
/// Longest name, in letters.
const LONGEST: usize = 40;
/// Letters that some file system does not allow in a name.
const FORBIDDEN: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
/// Names that Windows keeps for itself.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com1", "lpt1"];

/// Why a preset cannot be saved, renamed or deleted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No folder for files of the user is known.
    #[error("presets cannot be saved here, because no home folder is known")]
    NoFolder,
    /// The name cannot be that of a file.
    #[error("choose another name: at most {LONGEST} letters, without / \\ : * ? \" < > |, not beginning or ending with a dot")]
    Name,
    /// There is a preset of this name.
    #[error("there is a preset of this name: choose another one")]
    Taken,
    /// There is a file of this name that is no preset.
    #[error("{0} is damaged or no preset, and is left as it is: choose another name")]
    Foreign(PathBuf),
    /// The file system refuses.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
}

/// What happens to a preset of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is saved.
    Keep,
    /// It is replaced.
    Replace,
}

/// Content of a file. Its name is the preset's.
#[derive(Serialize, Deserialize)]
struct Content {
    antiphon_preset: u32,
    #[serde(default)]
    about: String,
    settings: Settings,
}

/// The presets of the user.
#[derive(Debug, Default)]
pub struct Library {
    folder: Option<PathBuf>,
    presets: Vec<Preset>,
    problems: Vec<String>,
}

impl Library {
    /// The presets in a folder, which need not exist; without one nothing can be saved. Nothing is read yet.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, ..Self::default() }
    }

    /// Reads the folder, also again: another instance may have saved something.
    pub fn refresh(&mut self) {
        self.presets.clear();
        self.problems.clear();
        let Some(folder) = &self.folder else { return };
        let files = match fs::read_dir(folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.problems.push(format!("{} cannot be read: {error}", folder.display())),
        };
        let mut paths: Vec<_> = files.flatten().map(|file| file.path()).filter(|path| is_preset_name(path)).collect();
        paths.sort();
        for path in paths {
            match read(&path) {
                Ok(preset) => self.presets.push(preset),
                Err(reason) => self.problems.push(format!("{} is left out and left as it is: {reason}", path.display())),
            }
        }
    }

    /// The presets, by name.
    #[must_use]
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// What could not be read, in sentences.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Saves a preset under its name.
    ///
    /// # Errors
    /// [`PresetError`].
    pub fn save(&mut self, preset: &Preset, existing: Existing) -> Result<(), PresetError> {
        let path = self.path(&preset.name)?;
        if path.exists() {
            if read(&path).is_err() {
                return Err(PresetError::Foreign(path));
            }
            if existing == Existing::Keep {
                return Err(PresetError::Taken);
            }
        }
        let content = Content { antiphon_preset: VERSION, about: preset.about.clone(), settings: preset.settings.clone() };
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let text = serde_json::to_vec_pretty(&content)?;
            write_whole(&path, &text)
        });
        written.map_err(|source| PresetError::File { path, source })?;
        self.refresh();
        Ok(())
    }

    /// Gives a preset another name.
    ///
    /// # Errors
    /// [`PresetError`].
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), PresetError> {
        let (from, path) = (self.path(from)?, self.path(to)?);
        // On a file system that ignores case, another spelling of the name is the same file.
        if path.exists() && from.to_string_lossy().to_lowercase() != path.to_string_lossy().to_lowercase() {
            return Err(PresetError::Taken);
        }
        fs::rename(&from, &path).map_err(|source| PresetError::File { path, source })?;
        self.refresh();
        Ok(())
    }

    /// Deletes a preset.
    ///
    /// # Errors
    /// [`PresetError`].
    pub fn delete(&mut self, name: &str) -> Result<(), PresetError> {
        let path = self.path(name)?;
        fs::remove_file(&path).map_err(|source| PresetError::File { path, source })?;
        self.refresh();
        Ok(())
    }

    fn path(&self, name: &str) -> Result<PathBuf, PresetError> {
        let folder = self.folder.as_ref().ok_or(PresetError::NoFolder)?;
        let is_usable = !name.trim().is_empty()
            && name.trim() == name
            && name.chars().count() <= LONGEST
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.chars().any(|letter| letter.is_control() || FORBIDDEN.contains(&letter))
            && !RESERVED.contains(&name.to_lowercase().as_str());
        if is_usable { Ok(folder.join(format!("{name}.{ENDING}"))) } else { Err(PresetError::Name) }
    }
}

fn is_preset_name(path: &Path) -> bool {
    // A name with a dot in front is a file that is being written.
    let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden && path.extension().is_some_and(|ending| ending == ENDING)
}

/// The preset in a file, or why there is none.
fn read(path: &Path) -> Result<Preset, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("it cannot be read ({error})"))?;
    let content: Content = serde_json::from_str(&text).map_err(|error| format!("it is damaged or no preset ({error})"))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Preset { name, about: content.about, settings: content.settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(name: &str, mode: &str) -> Preset {
        Preset { name: name.into(), about: String::new(), settings: [("mode".to_owned(), mode.to_owned())].into() }
    }

    fn open(folder: Option<PathBuf>) -> Library {
        let mut library = Library::new(folder);
        library.refresh();
        library
    }

    fn names(library: &Library) -> Vec<&str> {
        library.presets().iter().map(|preset| preset.name.as_str()).collect()
    }

    #[test]
    fn saved_preset_is_there_when_the_folder_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = || Some(folder.path().join("presets"));
        let mut library = open(place());
        for name in ["My groove", "Ballade für zwei"] {
            library.save(&preset(name, "Trade"), Existing::Keep).unwrap();
        }
        let again = open(place());
        assert_eq!(again.presets(), [preset("Ballade für zwei", "Trade"), preset("My groove", "Trade")]);
        assert!(again.problems().is_empty());
    }

    #[test]
    fn preset_is_replaced_only_if_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = open(Some(folder.path().to_owned()));
        library.save(&preset("a", "Trade"), Existing::Keep).unwrap();
        assert!(matches!(library.save(&preset("a", "Answer"), Existing::Keep), Err(PresetError::Taken)));
        assert_eq!(library.presets(), [preset("a", "Trade")]);
        library.save(&preset("a", "Answer"), Existing::Replace).unwrap();
        assert_eq!(library.presets(), [preset("a", "Answer")]);
    }

    #[test]
    fn renamed_and_deleted_presets_are_gone_under_their_old_names() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = open(Some(folder.path().to_owned()));
        for name in ["a", "b"] {
            library.save(&preset(name, "Trade"), Existing::Keep).unwrap();
        }
        assert!(matches!(library.rename("a", "b"), Err(PresetError::Taken)));
        library.rename("a", "c").unwrap();
        assert_eq!(names(&library), ["b", "c"]);
        library.delete("b").unwrap();
        assert_eq!(names(&library), ["c"]);
        assert!(matches!(library.delete("b"), Err(PresetError::File { .. })));
    }

    #[test]
    fn damaged_file_is_named_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.json");
        for damaged in ["", "{", "[]", r#"{"settings":{}}"#, r#"{"antiphon_preset":1,"settings":[]}"#, "\u{0}"] {
            fs::write(&path, damaged).unwrap();
            let mut library = open(Some(folder.path().to_owned()));
            assert!(!names(&library).contains(&"mine"));
            assert!(library.problems()[0].contains("mine.json"), "{:?}", library.problems());
            for existing in [Existing::Keep, Existing::Replace] {
                assert!(matches!(library.save(&preset("mine", "Trade"), existing), Err(PresetError::Foreign(_))));
            }
            assert!(matches!(library.save(&preset("other", "Trade"), Existing::Replace), Ok(())));
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn preset_of_a_newer_version_is_read_as_far_as_it_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let newer = r#"{"antiphon_preset":2,"mood":"blue","settings":{"mode":"Trade","colour":"Red"}}"#;
        fs::write(folder.path().join("new.json"), newer).unwrap();
        let library = open(Some(folder.path().to_owned()));
        assert_eq!(library.presets()[0].settings.len(), 2);
    }

    #[test]
    fn name_that_cannot_be_that_of_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = open(Some(folder.path().to_owned()));
        for name in ["", " ", "a/b", "../a", "a\\b", "what?", ".a", "a.", "NUL", "a\n", &"x".repeat(41)] {
            assert!(matches!(library.save(&preset(name, "Trade"), Existing::Keep), Err(PresetError::Name)), "{name:?}");
        }
        let mut homeless = open(None);
        assert!(matches!(homeless.save(&preset("a", "Trade"), Existing::Keep), Err(PresetError::NoFolder)));
    }
}
