//! Opening a MIDI file as music of the song, which Infill leads from and into, and whose phrases are learnt.
//!
//! The dialog is drawn inside the window, as that of [`export`](super::export) and for its reasons.

use std::path::{Path, PathBuf};

use antiphon_engine::music::smf;
use antiphon_engine::plan::SongPosition;
use egui::{DragValue, Modal, Ui};

use super::entry_field;
use super::model::EditorModel;
use super::style;
use super::words::{self, count};

/// Number of the last bar of a song that can be named.
const LAST_BAR: i64 = 999;

/// The dialog.
pub(super) struct OpenFile {
    path: String,
    /// Number of the bar of the song at which the file begins.
    bar: i64,
    error: Option<String>,
    /// Until the path field has been focused once.
    opening: bool,
}

enum Answer {
    Open,
    Cancel,
}

impl OpenFile {
    /// Asks for a file that begins at this bar; a path that is known already stands in the field.
    pub(super) fn new(path: Option<&Path>, bar: i64) -> Self {
        let path = path.map_or_else(String::new, |path| path.display().to_string());
        Self { path, bar: bar.clamp(1, LAST_BAR), error: None, opening: true }
    }

    /// Draws the dialog. Returns it as long as it is open, and what became of the file.
    pub(super) fn show(mut self, ui: &Ui, model: &mut impl EditorModel) -> (Option<Self>, Option<String>) {
        let answer = Modal::new(egui::Id::unique("open file")).show(ui.ctx(), |ui| self.ui(ui));
        let answer = if answer.should_close() { Some(Answer::Cancel) } else { answer.inner };
        match answer {
            None => (Some(self), None),
            Some(Answer::Cancel) => (None, None),
            Some(Answer::Open) => match self.open(model) {
                Ok(done) => (None, Some(done)),
                Err(error) => (Some(Self { error: Some(error), ..self }), None),
            },
        }
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<Answer> {
        let mut answer = None;
        ui.set_width((ui.ctx().content_rect().width() - 80.0).clamp(240.0, 560.0));
        ui.heading("Open a MIDI file");
        ui.label("Antiphon learns its phrases as if you had played them, and Infill leads from it and into it.");
        ui.add_space(style::GAP);
        if entry_field::show(ui, "Path of the file", &mut self.path, &mut self.opening) {
            answer = Some(Answer::Open);
        }
        ui.horizontal(|ui| {
            let label = ui.label("begins at bar");
            ui.add(DragValue::new(&mut self.bar).range(1..=LAST_BAR)).labelled_by(label.id);
        });
        match &self.error {
            Some(error) => words::error(ui, error),
            // Keeps the buttons in place.
            None => ui.label(""),
        };
        ui.add_space(style::GAP);
        ui.horizontal(|ui| {
            if ui.add(style::button("Open")).clicked() {
                answer = Some(Answer::Open);
            }
            if ui.add(style::button("Cancel")).clicked() {
                answer = Some(Answer::Cancel);
            }
        });
        answer
    }

    /// Reads the file and hands it over; says what was done.
    fn open(&self, model: &mut impl EditorModel) -> Result<String, String> {
        // File managers copy paths in quotation marks, or as URIs.
        let text = self.path.trim().trim_matches(['"', '\'']);
        let path = PathBuf::from(text.strip_prefix("file://").unwrap_or(text));
        if !path.is_absolute() {
            return Err("Enter the full path, starting at the root of the disk.".into());
        }
        let clip = smf::read_file(&path).map_err(|error| format!("Not opened: {error}."))?.clip;
        let notes = clip.notes().len();
        if notes == 0 {
            return Err(format!("Not opened: {} has no notes. Choose another file.", path.display()));
        }
        let snapshot = model.snapshot();
        let bar_length = snapshot.bar_at(model.now().sane().playhead.tick()).bar.metre.bar_length();
        model.hear(clip, SongPosition((self.bar - 1) * bar_length.0));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(format!("Opened {name}: {} from bar {}, learnt as yours. Infill leads from them and into them", count(notes, "note"), self.bar))
    }
}
