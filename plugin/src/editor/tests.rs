//! The editor without a window: commands reach the model, exports become files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Role, Tempo, Tick, smf};
use antiphon_engine::plan::{History, Mode, Place, Reason, Step};
use egui::{Event, Key, Modifiers, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use parking_lot::Mutex;
use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

use super::*;
use crate::clock::Moment;
use crate::drag::{DragError, DragSource, Outcome};
use crate::editor::samples::plan;
use crate::params::AntiphonParams;
use antiphon_engine::session::Command;
use antiphon_engine::session::ControlValues;
use antiphon_engine::session::{Component, Status};

/// A call the editor made on the model.
#[derive(Debug, Clone, PartialEq)]
enum Call {
    Command(Command),
    Begin(Control),
    Set(Change),
    End(Control),
}

/// A model that records all calls and applies them.
struct Recorder {
    snapshot: Arc<Snapshot>,
    now: Now,
    values: ControlValues,
    history: Arc<History>,
    message: Option<String>,
    calls: Vec<Call>,
}

impl Recorder {
    fn new(snapshot: Snapshot) -> Self {
        let now = Now { playhead: Moment(100.0), tempo: 133.0, motion: Motion::Stopped };
        let values = AntiphonParams::new(true).controls();
        Self { snapshot: Arc::new(snapshot), now, values, history: Arc::default(), message: None, calls: Vec::new() }
    }
}

impl EditorModel for Recorder {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    fn now(&self) -> Now {
        self.now
    }

    fn values(&self) -> ControlValues {
        self.values
    }

    fn is_ready(&self, mode: Mode) -> bool {
        matches!(mode, Mode::Suggest | Mode::Answer)
    }

    fn history(&self) -> Arc<History> {
        Arc::clone(&self.history)
    }

    fn step(&mut self, step: Step) {
        let live = self.snapshot.plan.as_ref().map(|shown| &shown.plan);
        Arc::make_mut(&mut self.history).step(step, live);
    }

    fn status_message(&self) -> Option<String> {
        self.message.clone()
    }

    fn command(&mut self, command: Command) {
        self.calls.push(Call::Command(command));
    }

    fn begin(&mut self, control: Control) {
        self.calls.push(Call::Begin(control));
    }

    fn set(&mut self, change: Change) {
        match change {
            Change::Mode(mode) => self.values.mode = mode,
            Change::Horizon(bars) => self.values.horizon_bars = bars,
            Change::Adventurousness(share) => self.values.adventurousness = share,
        }
        self.calls.push(Call::Set(change));
    }

    fn end(&mut self, control: Control) {
        self.calls.push(Call::End(control));
    }
}

/// A fake drag, ended by the test.
#[derive(Default)]
struct FakeDrag {
    file: Option<PathBuf>,
    outcome: Option<Result<Outcome, DragError>>,
}

#[derive(Clone, Default)]
struct FakeDragSource(Arc<Mutex<FakeDrag>>);

impl DragSource for FakeDragSource {
    fn begin(&mut self, file: &Path, _window: &dyn HasWindowHandle) -> Result<(), DragError> {
        self.0.lock().file = Some(file.to_owned());
        Ok(())
    }

    fn ended(&mut self) -> Option<Result<Outcome, DragError>> {
        self.0.lock().outcome.take()
    }
}

struct NoWindow;

impl HasWindowHandle for NoWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        Err(HandleError::Unavailable)
    }
}

fn open(model: Recorder, drags: FakeDragSource) -> Harness<'static, (Editor, Recorder)> {
    let editor = Editor::new(Exporter::new(Box::new(drags)));
    let frame = |ui: &mut Ui, (editor, model): &mut (Editor, Recorder)| editor.show(ui, model, &NoWindow);
    let builder = Harness::builder().with_size(vec2(SIZE.0, SIZE.1)).with_context_setup(Editor::apply_style);
    builder.build_ui_state(frame, (editor, model))
}

fn note(onset: i64, pitch: u8) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys }
}

/// Two notes played in bar 1, and a plan of two bars from bar 2.
fn music() -> Snapshot {
    Snapshot { played: vec![note(0, 60), note(24, 62)], plan: Some(plan(96, 288, &[note(96, 64), note(192, 65)])), ..Snapshot::default() }
}

fn calls(harness: &mut Harness<'_, (Editor, Recorder)>) -> Vec<Call> {
    harness.run_steps(3);
    std::mem::take(&mut harness.state_mut().1.calls)
}

fn button(harness: &Harness<'_, (Editor, Recorder)>, pos: Pos2, pressed: bool) {
    harness.event(Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
}

#[test]
fn buttons_ask_for_what_they_say() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    for (label, command) in [("Play", Command::Play), ("Another", Command::Another), ("Keep", Command::Keep)] {
        harness.get_by_label(label).click();
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
}

#[test]
fn buttons_can_be_pressed_by_key() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    for (label, command) in [("Play", Command::Play), ("Another", Command::Another), ("Keep", Command::Keep)] {
        harness.get_by_label(label).focus();
        harness.run_steps(2);
        assert!(harness.get_by_label(label).is_focused());
        harness.key_press(Key::Enter);
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
}

#[test]
fn every_control_is_reached_by_tab() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    let wanted =
        ["Suggest", "Answer", "Play", "Another", "Keep", "Horizon", "Adventurousness", "Drag plan", "Save plan as...", "Drag played"];
    let mut reached = Vec::new();
    for _ in 0..20 {
        harness.key_press(Key::Tab);
        harness.run_steps(2);
        reached.extend(wanted.into_iter().filter(|label| harness.query_by_label(label).is_some_and(|node| node.is_focused())));
    }
    for label in wanted {
        assert!(reached.contains(&label), "{label} is not among {reached:?}");
    }
}

#[test]
fn without_a_plan_there_is_nothing_to_press_or_take() {
    let mut harness = open(Recorder::new(Snapshot::default()), FakeDragSource::default());
    for label in ["Play", "Another", "Keep", "Save plan as...", "Save played as..."] {
        harness.get_by_label(label).click();
    }
    assert_eq!(calls(&mut harness), []);
    assert!(harness.query_by_label("MIDI file").is_none());
}

#[test]
fn modes_that_are_coming_cannot_be_chosen() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    harness.get_by_label("Infill").click();
    assert_eq!(calls(&mut harness), []);
    harness.get_by_label("Answer").click();
    let expected = [Call::Begin(Control::Mode), Call::Set(Change::Mode(Mode::Answer)), Call::End(Control::Mode)];
    assert_eq!(calls(&mut harness), expected);
}

#[test]
fn a_slider_is_one_gesture_from_press_to_release() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    let rail = harness.get_by_label("Horizon").rect();
    harness.hover_at(rail.center());
    harness.run_steps(1);
    button(&harness, rail.center(), true);
    harness.run_steps(1);
    for x in [0.7, 0.8, 1.0] {
        harness.event(Event::PointerMoved(Pos2::new(rail.left() + rail.width() * x, rail.center().y)));
        harness.run_steps(1);
    }
    button(&harness, rail.right_center(), false);
    let calls = calls(&mut harness);
    assert_eq!((calls.first(), calls.last()), (Some(&Call::Begin(Control::Horizon)), Some(&Call::End(Control::Horizon))));
    assert!(calls[1..calls.len() - 1].iter().all(|call| matches!(call, Call::Set(Change::Horizon(1..=8)))), "{calls:?}");
    assert_eq!(harness.state().1.values.horizon_bars, 8);
}

#[test]
fn a_key_turns_a_slider_by_a_step() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    harness.get_by_label("Horizon").focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    let expected = [Call::Begin(Control::Horizon), Call::Set(Change::Horizon(5)), Call::End(Control::Horizon)];
    assert_eq!(calls(&mut harness), expected);
}

#[test]
fn button_that_is_pressed_for_long_is_clicked() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    let place = harness.get_by_label("Another").rect().center();
    harness.hover_at(place);
    button(&harness, place, true);
    // As few frames as a busy machine draws in two seconds.
    harness.run_steps(8);
    button(&harness, place, false);
    harness.run_steps(1);
    assert_eq!(calls(&mut harness), [Call::Command(Command::Another)]);
}

#[test]
fn a_handle_drags_a_fresh_midi_file_that_starts_on_the_bar() {
    let drags = FakeDragSource::default();
    let mut harness = open(Recorder::new(music()), drags.clone());
    let mut files = Vec::new();
    for (label, bars, keys) in [("Drag plan", 2, [64, 65]), ("Drag plan", 2, [64, 65]), ("Drag played", 1, [60, 62])] {
        let handle = harness.get_by_label(label).rect().center();
        harness.hover_at(handle);
        harness.run_steps(1);
        button(&harness, handle, true);
        harness.run_steps(1);
        harness.event(Event::PointerMoved(handle - vec2(0.0, 40.0)));
        harness.run_steps(1);
        let file = drags.0.lock().file.take().expect("a drag");
        let clip = smf::read_file(&file).unwrap().clip;
        assert_eq!(clip.end, Tick(96 * bars));
        assert_eq!(clip.notes().iter().map(|note| note.pitch).collect::<Vec<_>>(), keys);
        assert!((clip.tempos.at(Tick::ZERO).bpm() - 133.0).abs() < 1e-3);
        files.push(file);
        button(&harness, handle, false);
        drags.0.lock().outcome = Some(Ok(Outcome::Delivered));
        harness.run_steps(2);
        assert!(harness.query_by_label_contains("Dropped: pla").is_some(), "the status line says what was dropped");
    }
    assert_ne!(files[0], files[1]);
    assert!(files.iter().all(|file| file.exists()), "files stay after the drop");
}

#[test]
fn a_drag_that_fails_says_what_to_do() {
    let drags = FakeDragSource::default();
    let mut harness = open(Recorder::new(music()), drags.clone());
    drags.0.lock().outcome = Some(Err(DragError::Unanswered));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("use Save as").is_some());
}

#[test]
fn save_as_writes_the_file_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my plan.mid");
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    harness.get_by_label("Save plan as...").click();
    harness.run_steps(4);
    let select_all = Modifiers::COMMAND;
    harness.key_press_modifiers(select_all, Key::A);
    harness.event(Event::Text(path.display().to_string()));
    harness.run_steps(2);
    harness.get_by_label("Save").click();
    harness.run_steps(4);
    assert_eq!(smf::read_file(&path).unwrap().clip.notes().len(), 2);
    assert!(harness.query_by_label_contains("my plan.mid").is_some(), "the status line names the file");
    assert!(harness.query_by_label("MIDI file").is_none());
}

#[test]
fn escape_closes_the_dialog_without_a_file() {
    let mut harness = open(Recorder::new(music()), FakeDragSource::default());
    harness.get_by_label("Save played as...").click();
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_none());
}

/// A project with two suggestions: a kept one of one note in bar 5, in 3/4 at 90 bpm, then one of two notes in bar 9.
fn reopened() -> Recorder {
    let mut history = History::default();
    let waltz = MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]);
    for (bar, pitches, reason) in [(5, &[70][..], Reason::Kept), (9, &[71, 72], Reason::Heard)] {
        let line = 72 * (bar - 1);
        // They start a beat after the bar line.
        let notes: Vec<_> = (1..).zip(pitches).map(|(beat, pitch)| note(line + 24 * beat, *pitch)).collect();
        let place = Place { bar, line: Tick(line), metres: waltz.clone(), tempo: Tempo::from_bpm(90.0).unwrap() };
        let id = history.push(plan(line + 24, line + 144, &notes).plan, place, reason).unwrap();
        if reason == Reason::Kept {
            history.star(id).unwrap();
        }
    }
    Recorder { history: Arc::new(history), ..Recorder::new(Snapshot::default()) }
}

/// Drags the plan; returns the file name and its music.
fn dragged(harness: &mut Harness<'_, (Editor, Recorder)>, drags: &FakeDragSource) -> (String, Clip) {
    let handle = harness.get_by_label("Drag plan").rect().center();
    harness.hover_at(handle);
    harness.run_steps(1);
    button(harness, handle, true);
    harness.run_steps(1);
    harness.event(Event::PointerMoved(handle - vec2(0.0, 40.0)));
    harness.run_steps(1);
    let file = drags.0.lock().file.take().expect("a drag");
    button(harness, handle, false);
    drags.0.lock().outcome = Some(Ok(Outcome::Delivered));
    harness.run_steps(2);
    (file.file_name().unwrap().to_str().unwrap().to_owned(), smf::read_file(&file).unwrap().clip)
}

#[test]
fn what_was_suggested_before_is_shown_kept_played_and_dragged_again() {
    let drags = FakeDragSource::default();
    let mut harness = open(reopened(), drags.clone());
    harness.run_steps(2);
    assert!(harness.query_by_label("2 suggestions").is_some());
    harness.get_by_label("Later").click();
    harness.get_by_label("Earlier").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("2 of 2").is_some() && harness.query_by_label("Keep").is_some());
    let (name, clip) = dragged(&mut harness, &drags);
    assert_eq!(name, "Antiphon plan, bar 9.mid");
    assert_eq!(clip.notes().iter().map(|note| (note.onset.0, note.pitch)).collect::<Vec<_>>(), [(24, 71), (48, 72)]);
    assert_eq!((clip.end, clip.metres.at(Tick::ZERO).to_string().as_str()), (Tick(144), "3/4"));
    assert!((clip.tempos.at(Tick::ZERO).bpm() - 90.0).abs() < 1e-3);

    harness.get_by_label("Earlier").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("1 of 2").is_some() && harness.query_by_label("Kept").is_some());
    for (label, command) in [("Play", Command::Play), ("Kept", Command::Keep), ("Another", Command::Another)] {
        harness.get_by_label(label).click();
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
    harness.get_by_label("Now").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("2 suggestions").is_some());
    harness.get_by_label("Play").click();
    assert_eq!(calls(&mut harness), [], "nothing is planned now");
}

#[test]
fn the_status_line_says_what_is_wrong_with_the_project() {
    let message = Some("The host brought a saved state that was not loaded".to_owned());
    let status = Status { remark: Some("Trade is coming".into()), ..Status::default() };
    let snapshot = Snapshot { status, ..Snapshot::default() };
    let harness = open(Recorder { message, ..Recorder::new(snapshot) }, FakeDragSource::default());
    assert!(harness.query_by_label_contains("not loaded. Trade is coming").is_some());
}

#[test]
fn what_is_missing_is_named_with_where_it_was_looked_for() {
    let looked_in = vec!["/opt/antiphon".to_owned(), "/usr/lib".to_owned()];
    let engine = Component::Missing { what: "no ONNX Runtime was found; install it again".into(), looked_in };
    let model = Component::Ready("antiphon-s".into());
    let status = Status { engine, model, ..Status::default() };
    let harness = open(Recorder::new(Snapshot { status, ..Snapshot::default() }), FakeDragSource::default());
    for text in ["Engine: missing", "Model: antiphon-s", "no ONNX Runtime was found", "looked in /opt/antiphon", "looked in /usr/lib"] {
        assert!(harness.query_by_label_contains(text).is_some(), "{text}");
    }
}

#[test]
fn absurd_moments_can_be_drawn_at_every_size_and_scale() {
    for (playhead, tempo) in [(0.0, 0.0), (-1e9, f64::NAN), (f64::NAN, 120.0), (1e15, f64::INFINITY), (f64::NEG_INFINITY, -3.0)] {
        for (width, height, scale) in [(1.0, 1.0, 1.0), (LEAST_SIZE.0, LEAST_SIZE.1, 2.0), (3000.0, 1500.0, 1.5)] {
            let mut model = Recorder::new(music());
            model.now = Now { playhead: Moment(playhead), tempo, motion: Motion::Internal };
            let mut harness = open(model, FakeDragSource::default());
            harness.set_size(vec2(width, height));
            harness.set_pixels_per_point(scale);
            harness.run_steps(2);
        }
    }
}
