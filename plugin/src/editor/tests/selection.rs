//! Bars are selected by dragging over their numbers; the menu of the roll acts on them.

use antiphon_engine::session::{LockTarget, ShownLocks};

use super::commands::drag_over_numbers;
use super::*;

type Window = Harness<'static, (Editor, PlainModel)>;

/// A window in which bar 3, the last of the plan, is selected.
fn window(drags: &FakeDragSource) -> Window {
    let mut harness = open(model(music()), drags.clone());
    drag(&mut harness, 3.5, 3.9);
    assert_eq!(calls(&mut harness), [], "a selection changes nothing");
    harness
}

/// Place over the bar numbers, so many bars right of the left edge of the notes, where the playhead, a tick after the line of bar 2, is 2.5
/// bars away.
fn number(harness: &Window, bars: f32) -> Pos2 {
    let roll = harness.get_by_label("Piano roll").rect();
    Pos2::new(roll.left() + 74.0 + bars * (roll.width() - 75.0) / 6.85, roll.top() + 12.0)
}

fn drag(harness: &mut Window, from: f32, to: f32) {
    let (from, to) = (number(harness, from), number(harness, to));
    harness.hover_at(from);
    harness.run_steps(1);
    button(harness, from, true);
    harness.run_steps(1);
    for share in [0.5, 1.0] {
        harness.event(Event::PointerMoved(from + (to - from) * share));
        harness.run_steps(1);
    }
    button(harness, to, false);
    harness.run_steps(2);
}

/// Chooses an item of the roll's menu; returns the commands.
fn choose(harness: &mut Window, item: &str) -> Vec<Call> {
    let place = number(harness, 3.7);
    harness.hover_at(place);
    for pressed in [true, false] {
        harness.event(Event::PointerButton { pos: place, button: egui::PointerButton::Secondary, pressed, modifiers: Modifiers::NONE });
        harness.run_steps(1);
    }
    harness.run_steps(3);
    harness.get_by_label(item).click();
    calls(harness)
}

#[test]
fn selected_bars_are_locked_and_the_others_replaced() {
    let mut harness = window(&FakeDragSource::default());
    let bar = |start| Call::Command(Command::Lock(LockTarget::Bar { start: Tick(start) }));
    assert_eq!(choose(&mut harness, "Lock bar 3"), [bar(192)]);
    let another = choose(&mut harness, "Another for bar 3; locks the others");
    assert_eq!(another, [bar(96), Call::Command(Command::Another)]);
}

#[test]
fn buttons_of_selected_bars_lock_and_unlock_them_and_replace_them_alone() {
    let mut harness = window(&FakeDragSource::default());
    let target = |start| LockTarget::Bar { start: Tick(start) };
    let press = |harness: &mut Window, label: &str| {
        harness.get_by_label(label).click();
        calls(harness)
    };
    assert_eq!(press(&mut harness, "Lock"), [Call::Command(Command::Lock(target(192)))]);
    assert_eq!(press(&mut harness, "Another here"), [Call::Command(Command::Lock(target(96))), Call::Command(Command::Another)]);
    let control = Control::Parameter("lock_pitches");
    let set = [Call::Begin(control), Call::Set(Change::Parameter("lock_pitches", 1.0)), Call::End(control)];
    assert_eq!(press(&mut harness, "Lock pitches"), set);
    let locks = ShownLocks::new(vec![note(192, 65)], vec![Tick(192)]);
    harness.state_mut().1.snapshot = Arc::new(Snapshot { locks, ..music() });
    harness.run_steps(2);
    assert_eq!(press(&mut harness, "Unlock"), [Call::Command(Command::Unlock(target(192)))]);
    assert_eq!(press(&mut harness, "Deselect"), []);
    assert!(harness.query_by_label("Another here").is_none());
}

#[test]
fn click_on_the_number_of_a_bar_locks_it_and_selects_nothing() {
    let drags = FakeDragSource::default();
    let mut harness = open(model(music()), drags.clone());
    let place = number(&harness, 3.7);
    harness.hover_at(place);
    for pressed in [true, false] {
        button(&harness, place, pressed);
        harness.run_steps(1);
    }
    assert_eq!(calls(&mut harness), [Call::Command(Command::Lock(LockTarget::Bar { start: Tick(192) }))]);
    drag(&mut harness, 3.7, 4.3);
    assert!(drags.0.lock().file.is_none(), "the drag selects");
}

#[test]
fn padlock_beside_the_number_under_the_pointer_locks_the_bar_also_in_infill() {
    let mut infill = model(music());
    infill.values.plan.mode = PlayMode::Infill;
    for shown in [model(music()), infill] {
        let mut harness = open(shown, FakeDragSource::default());
        assert!(harness.query_by_label("Padlock: lock bar 3").is_none(), "only where the pointer is");
        let place = number(&harness, 3.7);
        harness.hover_at(place);
        harness.run_steps(2);
        assert!(harness.query_by_label("Padlock: lock bar 2").is_none());
        let padlock = harness.get_by_label_contains("Padlock: ").rect().center();
        let press = |harness: &mut Window| {
            harness.hover_at(padlock);
            harness.run_steps(2);
            for pressed in [true, false] {
                button(harness, padlock, pressed);
                harness.run_steps(1);
            }
            calls(harness)
        };
        let target = LockTarget::Bar { start: Tick(192) };
        assert_eq!(press(&mut harness), [Call::Command(Command::Lock(target))]);
        let locks = ShownLocks::new(vec![note(192, 65)], vec![Tick(192)]);
        harness.state_mut().1.snapshot = Arc::new(Snapshot { locks, ..music() });
        harness.run_steps(2);
        assert!(harness.query_by_label("Padlock: unlock bar 3").is_some());
        assert_eq!(press(&mut harness), [Call::Command(Command::Unlock(target))]);
    }
}

#[test]
fn selected_bars_are_dragged_out() {
    let drags = FakeDragSource::default();
    let mut harness = window(&drags);
    drag(&mut harness, 3.6, 4.4);
    let file = drags.0.lock().file.take().expect("a drag");
    assert!(file.ends_with("Antiphon selection, bar 3.mid"), "{file:?}");
    let clip = smf::read_file(&file).unwrap().clip;
    assert_eq!((clip.end, clip.notes().iter().map(|note| (note.onset.0, note.pitch)).collect()), (Tick(96), vec![(0, 65)]));
}

#[test]
fn selection_ends_by_its_menu() {
    let drags = FakeDragSource::default();
    let mut harness = window(&drags);
    assert_eq!(choose(&mut harness, "End the selection"), []);
    drag(&mut harness, 3.6, 4.4);
    assert!(drags.0.lock().file.is_none());
}

#[test]
fn drag_selects_with_shift_in_infill_where_it_marks_without() {
    let mut infill = model(music());
    infill.values.plan.mode = PlayMode::Infill;
    let mut harness = open(infill, FakeDragSource::default());
    drag_over_numbers(&mut harness, 1.0, Modifiers::SHIFT);
    assert_eq!(calls(&mut harness), []);
    assert!(choose(&mut harness, "Lock bars 2 to 3").len() == 2);
}

/// Opens a file of this path by the roll's menu.
fn open_path(harness: &mut Window, path: &Path) {
    choose(harness, "Open a MIDI file as music of the song...");
    harness.run_steps(3);
    harness.event(Event::Text(path.display().to_string()));
    harness.run_steps(2);
    harness.get_by_label("Open").click();
    harness.run_steps(4);
}

#[test]
fn opened_file_counts_as_played_from_the_first_selected_bar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("verse.mid");
    let clip = Clip { parts: antiphon_engine::music::distribute(&[], &[note(0, 50), note(24, 52)]), end: Tick(96), ..Clip::default() };
    std::fs::write(&path, smf::write(&clip).unwrap()).unwrap();
    let mut harness = window(&FakeDragSource::default());
    open_path(&mut harness, &path);
    let calls = calls(&mut harness);
    let [Call::Hear(heard, at)] = calls.as_slice() else { panic!("the file is handed over: {calls:?}") };
    assert_eq!((heard.notes().iter().map(|note| note.pitch).collect(), at.0), (vec![50, 52], 2 * 96));
    assert!(harness.query_by_label_contains("Opened verse.mid: 2 notes from bar 3, learnt as yours").is_some());
}

#[test]
fn file_that_is_no_midi_file_is_refused_with_its_name_and_a_cure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("verse.mid");
    std::fs::write(&path, b"RIFF....").unwrap();
    let mut harness = window(&FakeDragSource::default());
    open_path(&mut harness, &path);
    assert_eq!(calls(&mut harness), []);
    assert!(harness.query_by_label_contains("verse.mid: not a Standard MIDI File").is_some());
    assert!(harness.query_by_label("Path of the file").is_some(), "the dialog stays open");
}
