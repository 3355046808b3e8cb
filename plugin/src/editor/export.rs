//! Export from the editor: dragging out, and saving under a name.
//!
//! The save dialog is drawn inside the editor's window. A system dialog would need its toolkit inside the host, or a thread of ours that
//! the host could unload the library under; this one works alike in every host and never blocks its threads.

use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use antiphon_engine::files::write_whole;
use antiphon_engine::music::Role;
use antiphon_engine::music::smf::MidiError;
use egui::{Context, Modal, Sense, Ui};
use raw_window_handle::HasWindowHandle;

use super::entry_field;
use super::excerpt::Excerpt;
use super::style;
use super::words;
use crate::drag::{DragFolder, DragSource, Outcome};

/// Time for which the status line says that an export succeeded.
const SAID_FOR: Duration = Duration::from_secs(8);

/// Outcome of the last export, for the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It succeeded.
    Done(String),
    /// It failed; says why, and what to do.
    Failed(String),
}

/// Exports excerpts by drag and by file.
pub struct Exporter {
    drag: Box<dyn DragSource>,
    /// Description of the file being dragged; `None` if none is.
    dragging: Option<String>,
    saving: Option<Saving>,
    said: Option<Said>,
    /// Folder of the last file that was saved, until the file below is read.
    folder: Option<PathBuf>,
    /// File that keeps this folder between sessions.
    folder_file: Option<PathBuf>,
}

/// A notice, and when it ends.
struct Said {
    notice: Notice,
    /// In seconds of the window, once a frame has begun with it. A failure is said until the next export.
    until: Option<f64>,
}

/// What is saved: for each file the ending of its name, before the extension, and its content.
type Files = Vec<(String, Vec<u8>)>;

/// The save dialog.
struct Saving {
    files: Files,
    path: String,
    error: Option<String>,
    /// Until the path field has been focused once.
    opening: bool,
}

impl Exporter {
    /// Exports through this drag source.
    #[must_use]
    pub fn new(drag: Box<dyn DragSource>) -> Self {
        Self { drag, dragging: None, saving: None, said: None, folder: None, folder_file: None }
    }

    /// The same with a file that keeps the folder of the last saved file between sessions. It need not exist.
    #[must_use]
    pub fn remembering(self, folder_file: Option<PathBuf>) -> Self {
        Self { folder_file, ..self }
    }

    /// Outcome of the last export; cleared when the next one starts and, if it succeeded, after some seconds.
    #[must_use]
    pub fn notice(&self) -> Option<&Notice> {
        self.said.as_ref().map(|said| &said.notice)
    }

    /// Says what was done otherwise, in place of the last export.
    pub(super) fn say(&mut self, done: String) {
        self.set(Some(Notice::Done(done)));
    }

    /// Says what failed.
    fn fail(&mut self, error: impl Display) {
        self.set(Some(Notice::Failed(words::sentence(error))));
    }

    /// Says what became of something else.
    pub(super) fn announce(&mut self, notice: Notice) {
        self.set(Some(notice));
    }

    /// Sets the notice, which is said from the next frame on.
    fn set(&mut self, notice: Option<Notice>) {
        self.said = notice.map(|notice| Said { notice, until: None });
    }

    /// Starts dragging an excerpt as a new file.
    pub(super) fn drag(&mut self, excerpt: &Excerpt, window: &dyn HasWindowHandle) {
        self.set(None);
        self.dragging = None;
        let begun = write(excerpt).and_then(|file| self.drag.begin(&file, window).map_err(|error| error.to_string()));
        match begun {
            Ok(()) => {
                let what = excerpt.description();
                self.say(format!("Dragging {what}: drop it on a track or into a folder"));
                self.dragging = Some(what);
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether a drag is in progress.
    pub(super) const fn is_dragging(&self) -> bool {
        self.dragging.is_some()
    }

    /// Checks whether the drag has ended, and whether the last outcome has been said for long enough.
    pub(super) fn poll(&mut self, ctx: &Context) {
        self.poll_drag();
        let Some(Said { notice: Notice::Done(_), until }) = &mut self.said else { return };
        let now = ctx.input(|input| input.time);
        match *until {
            Some(until) if now >= until => self.set(None),
            Some(_) => {}
            None => {
                *until = Some(now + SAID_FOR.as_secs_f64());
                ctx.request_repaint_after(SAID_FOR);
            }
        }
    }

    fn poll_drag(&mut self) {
        let Some(ended) = self.drag.ended() else { return };
        let what = self.dragging.take().unwrap_or_default();
        match ended {
            Ok(Outcome::Delivered) => self.say(format!("Dropped: {what}")),
            Ok(Outcome::Declined) => self.fail("Not dropped: the window under the pointer does not accept files"),
            Ok(Outcome::Cancelled) => self.set(None),
            Err(error) => self.fail(error),
        }
    }

    /// Opens the save dialog for an excerpt.
    pub(super) fn save_as(&mut self, excerpt: &Excerpt) {
        self.open_dialog(excerpt, excerpt.bytes().map(|bytes| vec![(String::new(), bytes)]));
    }

    /// Opens the save dialog for an excerpt in one file per role.
    pub(super) fn save_roles(&mut self, excerpt: &Excerpt) {
        let file = |role: Role| excerpt.of_role(role).bytes().map(|bytes| (format!(", {}", role.name()), bytes));
        self.open_dialog(excerpt, excerpt.roles().into_iter().map(file).collect());
    }

    fn open_dialog(&mut self, excerpt: &Excerpt, files: Result<Files, MidiError>) {
        self.set(None);
        match files {
            Ok(files) => {
                let folder = self.last_folder().filter(|folder| folder.is_dir()).unwrap_or_else(music_folder);
                let path = free_path(&folder, &excerpt.file_name()).display().to_string();
                self.saving = Some(Saving { files, path, error: None, opening: true });
            }
            Err(error) => self.fail(error),
        }
    }

    /// Folder of the last file that was saved, in this window or in an earlier session.
    fn last_folder(&self) -> Option<PathBuf> {
        let kept = || std::fs::read_to_string(self.folder_file.as_ref()?).ok().map(|text| PathBuf::from(text.trim_end()));
        self.folder.clone().or_else(kept)
    }

    /// Keeps the folder for the next session. A folder that cannot be kept is no loss of the player's: the file is saved.
    fn keep_folder(&self) {
        let Some((file, folder)) = self.folder_file.as_ref().zip(self.folder.as_ref().and_then(|folder| folder.to_str())) else { return };
        if let Some(parent) = file.parent() {
            let _ = std::fs::create_dir_all(parent);
        }
        let _ = write_whole(file, folder.as_bytes());
    }

    /// Writes an excerpt as a new file, and copies its path.
    pub(super) fn copy_path(&mut self, excerpt: &Excerpt, ctx: &Context) {
        match write(excerpt) {
            Ok(file) => {
                let path = file.display().to_string();
                ctx.copy_text(path.clone());
                self.say(format!("Copied the path {path}"));
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether the save dialog is open.
    #[cfg(any(target_os = "linux", windows))]
    pub(super) const fn is_dialog_open(&self) -> bool {
        self.saving.is_some()
    }

    /// Draws the save dialog, if it is open.
    pub(super) fn show(&mut self, ui: &Ui) {
        let Some(saving) = &mut self.saving else { return };
        let answer = Modal::new(egui::Id::unique("save as")).show(ui.ctx(), |ui| saving.ui(ui));
        let answer = if answer.should_close() { Some(Answer::Cancel) } else { answer.inner };
        match answer {
            None => {}
            Some(Answer::Cancel) => self.saving = None,
            Some(Answer::Save) => match saving.save() {
                Ok(paths) => {
                    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                    let said = format!("Saved {}", names.join(" and "));
                    self.folder = paths[0].parent().map(Path::to_owned);
                    self.saving = None;
                    self.keep_folder();
                    self.say(said);
                }
                Err(error) => saving.error = Some(error),
            },
        }
    }
}

enum Answer {
    Save,
    Cancel,
}

impl Saving {
    fn ui(&mut self, ui: &mut Ui) -> Option<Answer> {
        let mut answer = None;
        ui.set_width((ui.ctx().content_rect().width() - 80.0).clamp(240.0, 560.0));
        ui.heading("Save as");
        ui.add_space(style::GAP);
        if entry_field::show(ui, "MIDI file", &mut self.path, &mut self.opening) {
            answer = Some(Answer::Save);
        }
        let exists = self.paths().iter().any(|path| path.exists());
        if let Some(error) = &self.error {
            words::error(ui, error);
        } else if exists {
            ui.label("A file of that name exists. It will be replaced.");
        } else {
            // Keeps the buttons in place.
            ui.label("");
        }
        ui.add_space(style::GAP);
        ui.horizontal(|ui| {
            if ui.add(style::button("Save").sense(Sense::click())).clicked() {
                answer = Some(Answer::Save);
            }
            if ui.add(style::button("Cancel")).clicked() {
                answer = Some(Answer::Cancel);
            }
        });
        answer
    }

    /// Paths of the files; `.mid` is added to a name without an extension.
    fn paths(&self) -> Vec<PathBuf> {
        let path = Path::new(self.path.trim());
        let extension = path.extension().map_or_else(|| "mid".into(), OsStr::to_string_lossy);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        self.files.iter().map(|(ending, _)| path.with_file_name(format!("{stem}{ending}.{extension}"))).collect()
    }

    /// Writes the files; returns their paths.
    fn save(&self) -> Result<Vec<PathBuf>, String> {
        let path = Path::new(self.path.trim());
        if !path.is_absolute() {
            return Err("Enter the full path, starting at the root of the disk.".into());
        }
        let paths = self.paths();
        if path.is_dir() || paths.iter().any(|path| path.is_dir()) {
            return Err("That is a folder. Add a name for the file.".into());
        }
        for (path, (_, bytes)) in paths.iter().zip(&self.files) {
            write_whole(path, bytes).map_err(|error| format!("Not saved: {error}. Choose another folder."))?;
        }
        Ok(paths)
    }
}

/// Writes an excerpt into the folder of this process; returns the path.
fn write(excerpt: &Excerpt) -> Result<PathBuf, String> {
    let bytes = excerpt.bytes().map_err(|error| error.to_string())?;
    let file = DragFolder::of_this_process().and_then(|folder| folder.put(&excerpt.file_name(), &bytes));
    file.map_err(|error| format!("cannot write to the folder for temporary files: {error}"))
}

/// The first that exists of the user's music, documents and home folders.
fn music_folder() -> PathBuf {
    let home = env::home_dir().unwrap_or_else(env::temp_dir);
    ["Music", "Documents"].into_iter().map(|name| home.join(name)).find(|folder| folder.is_dir()).unwrap_or(home)
}

/// A path in this folder that does not exist yet: the name itself, or the name with a number.
fn free_path(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "mid"));
    let numbered = (2..).map(|number| folder.join(format!("{stem} {number}.{ending}")));
    std::iter::once(folder.join(name)).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saving(path: &Path) -> Saving {
        Saving { files: vec![(String::new(), b"music".to_vec())], path: path.display().to_string(), error: None, opening: true }
    }

    #[test]
    fn file_saved_without_an_extension_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let paths = saving(&folder.path().join("take two")).save().unwrap();
        assert_eq!(paths, [folder.path().join("take two.mid")]);
        assert_eq!(std::fs::read(&paths[0]).unwrap(), b"music");
    }

    #[test]
    fn files_of_several_roles_are_named_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let files = vec![(", keys".into(), b"one".to_vec()), (", bass".into(), b"two".to_vec())];
        let saving = Saving { files, ..saving(&folder.path().join("Verse 1.5.mid")) };
        let paths = saving.save().unwrap();
        assert_eq!(paths, ["Verse 1.5, keys.mid", "Verse 1.5, bass.mid"].map(|name| folder.path().join(name)));
        assert_eq!(paths.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>(), [b"one".to_vec(), b"two".to_vec()]);
    }

    #[test]
    fn save_to_an_unusable_path_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| saving(path).save().unwrap_err();
        assert!(error(Path::new("take.mid")).contains("full path"));
        assert!(error(&folder.path().join("none/take.mid")).contains("another folder"));
        let occupied = folder.path().join("a.mid");
        std::fs::create_dir(&occupied).unwrap();
        assert!(error(&occupied).contains("a folder"));
    }

    #[test]
    fn proposed_file_name_is_not_in_use() {
        let folder = tempfile::tempdir().unwrap();
        for expected in ["plan, bar 1.mid", "plan, bar 1 2.mid", "plan, bar 1 3.mid"] {
            let path = free_path(folder.path(), "plan, bar 1.mid");
            assert!(path.ends_with(expected), "{path:?}");
            std::fs::write(path, b"").unwrap();
        }
    }
}
