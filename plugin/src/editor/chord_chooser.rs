//! Chooser for the chords of bars to come: one bar's, or a progression from it on.

use antiphon_engine::music::analysis::{Chord, ChordKind};
use antiphon_engine::music::pitch_class_name;
use antiphon_engine::plan::ChordChart;
use egui::{Button, Grid, Key, Modal, RichText, TextEdit, Ui, vec2};

use super::model::EditorModel;
use super::style;
use super::words;

/// Columns of roots and kinds.
const COLUMNS: usize = 6;
/// Size of a button of the grids, in points.
const FIELD: egui::Vec2 = vec2(58.0, 26.0);

/// The chooser, while it is open.
#[derive(Default)]
pub(super) struct ChordChooser(Option<Open>);

struct Open {
    /// Number of the bar in the song.
    bar: i64,
    /// The progression as it is being typed.
    text: String,
    error: Option<String>,
}

impl ChordChooser {
    /// Opens it for a bar.
    pub(super) fn open(&mut self, bar: i64, chart: &ChordChart) {
        self.0 = Some(Open { bar, text: chart.progression(), error: None });
    }

    /// Whether it is open, so that the editor needs the keyboard.
    #[cfg(any(target_os = "linux", windows))]
    pub(super) const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Draws it, if it is open.
    pub(super) fn show(&mut self, ui: &Ui, model: &mut impl EditorModel) {
        let Some(open) = &mut self.0 else { return };
        let mut chart = ChordChart::clone(&model.chart());
        let answer = Modal::new(egui::Id::unique("chord")).show(ui.ctx(), |ui| open.ui(ui, &mut chart));
        if chart != *model.chart() {
            model.set_chart(chart);
        }
        if answer.inner || answer.should_close() {
            self.0 = None;
        }
    }
}

impl Open {
    /// Draws the content and edits the chart; returns whether it is done.
    fn ui(&mut self, ui: &mut Ui, chart: &mut ChordChart) -> bool {
        ui.set_width(6.0 * (FIELD.x + style::GAP));
        ui.heading(format!("Chord of bar {}", self.bar));
        let chosen = chart.at(self.bar);
        let kind = chosen.map_or(ChordKind::Major, |chord| chord.kind);
        let root = chosen.map_or(0, |chord| chord.root);
        let mut choice = None;
        grid(ui, "roots", (0u8..12).map(|class| (pitch_class_name(class), Chord { root: class, kind })), chosen, &mut choice);
        ui.add_space(style::GAP);
        let kinds = ChordKind::ALL.into_iter().map(|kind| (kind.name(), Chord { root, kind }));
        grid(ui, "kinds", kinds, chosen, &mut choice);
        ui.add_space(style::GAP);
        let free = Button::selectable(chosen.is_none(), "Auto").min_size(FIELD);
        if ui.add(free).on_hover_text("Leaves the chord of this bar to the music.").clicked() {
            choice = Some(None);
        }
        if let Some(chord) = choice {
            chart.choose(self.bar, chord);
        }
        ui.separator();
        let label = ui.label(format!("Chords from bar {} on, one for each bar, repeated", self.bar));
        let field = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY).hint_text("Am F C G")).labelled_by(label.id);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        match &self.error {
            Some(error) => words::error(ui, error),
            // Keeps the buttons in place.
            None => ui.label(""),
        };
        ui.horizontal(|ui| {
            let repeat = ui.add(style::button("Repeat")).on_hover_text("Holds these chords from this bar on.").clicked();
            if repeat || entered {
                self.error = chart.repeat(self.bar, &self.text).err().map(|error| error.to_string());
            }
            if ui.add_enabled(!chart.is_empty(), style::button("No chords")).on_hover_text("Leaves all bars to the music again.").clicked()
            {
                chart.clear();
                self.text.clear();
                self.error = None;
            }
            ui.add(style::button("Close")).clicked()
        })
        .inner
    }
}

/// Buttons that choose a chord.
fn grid<'a>(
    ui: &mut Ui,
    name: &str,
    fields: impl Iterator<Item = (&'a str, Chord)>,
    chosen: Option<Chord>,
    choice: &mut Option<Option<Chord>>,
) {
    Grid::new(name).num_columns(COLUMNS).spacing(vec2(4.0, 4.0)).show(ui, |ui| {
        for (place, (text, chord)) in fields.enumerate() {
            let button = Button::selectable(chosen == Some(chord), RichText::new(text).size(12.0)).min_size(FIELD);
            if ui.add(button).on_hover_text(format!("Holds {chord} in this bar.")).clicked() {
                *choice = Some(Some(chord));
            }
            if (place + 1) % COLUMNS == 0 {
                ui.end_row();
            }
        }
    });
}
