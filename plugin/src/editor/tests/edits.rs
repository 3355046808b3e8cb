//! What is done in the window is undone and done again; cards of the history are starred and deleted.

use antiphon_engine::plan::{Step, Variation};
use antiphon_engine::session::{LockTarget, ShownLocks, ShownVariations};

use super::keys::{click_music, strike};
use super::*;

type Window = Harness<'static, (Editor, PlainModel)>;

const UNDO: Modifiers = Modifiers::COMMAND;
const REDO: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// A window with the keyboard, and a history of two phrases in bars 5 and 9.
fn window() -> Window {
    let mut history = History::default();
    for (bar, reason) in [(5, Reason::Kept), (9, Reason::Played)] {
        let line = 96 * (bar - 1);
        let place = Place { bar, line: Tick(line), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
        history.push(plan(line, line + 96, &[note(line, 70)]).plan, place, reason).unwrap();
    }
    let mut harness = open(PlainModel { history: Arc::new(history), ..model(music()) }, FakeDragSource::default());
    click_music(&mut harness);
    calls(&mut harness);
    harness
}

/// Presses Z with these modifiers; returns the commands.
fn press_z(harness: &mut Window, modifiers: Modifiers) -> Vec<Command> {
    harness.key_press_modifiers(modifiers, Key::Z);
    commands(harness)
}

fn commands(harness: &mut Window) -> Vec<Command> {
    let command = |call| if let Call::Command(command) = call { Some(command) } else { None };
    calls(harness).into_iter().filter_map(command).collect()
}

fn show(harness: &mut Window, snapshot: Snapshot) {
    harness.state_mut().1.snapshot = Arc::new(snapshot);
    harness.run_steps(2);
}

fn bars(harness: &Window) -> Vec<i64> {
    harness.state().1.history.entries().iter().map(|entry| entry.place().bar).collect()
}

#[test]
fn removed_locks_are_set_again_one_by_one() {
    let mut harness = window();
    // Bar 2 with its note, and the note of bar 3 alone.
    let locks = || ShownLocks::new(vec![note(96, 64), note(192, 65)], vec![Tick(96)]);
    show(&mut harness, Snapshot { locks: locks(), ..music() });
    assert_eq!(strike(&mut harness, Key::U), [Call::Command(Command::UnlockAll)]);
    show(&mut harness, music());
    let targets = [LockTarget::Bar { start: Tick(96) }, LockTarget::of(&note(192, 65))];
    assert_eq!(press_z(&mut harness, UNDO), targets.map(Command::Lock));
    show(&mut harness, Snapshot { locks: locks(), ..music() });
    assert_eq!(press_z(&mut harness, REDO), targets.map(Command::Unlock));
    show(&mut harness, music());
    assert_eq!(press_z(&mut harness, REDO), []);
}

#[test]
fn lock_that_has_passed_is_skipped_by_undo() {
    let mut harness = window();
    strike(&mut harness, Key::Num2);
    show(&mut harness, Snapshot { variations: ShownVariations { shown: Variation::B, ..ShownVariations::default() }, ..music() });
    harness.state_mut().1.now.playhead = MusicalTime(190.0);
    harness.run_steps(2);
    let roll = harness.get_by_label("Piano roll").rect();
    // Of the music, 2.5 of 6.85 bars are left of the playhead, two ticks before bar 3.
    harness.hover_at(Pos2::new(roll.left() + 74.0 + 2.8 * (roll.width() - 75.0) / 6.85, roll.top() + 12.0));
    harness.run_steps(2);
    assert_eq!(strike(&mut harness, Key::L), [Call::Command(Command::Lock(LockTarget::Bar { start: Tick(192) }))]);
    // The lock is not there any more.
    assert_eq!(press_z(&mut harness, UNDO), [Command::Variation(Variation::A)]);
}

#[test]
fn choice_of_a_variation_is_undone_and_done_again() {
    let mut harness = window();
    assert_eq!(strike(&mut harness, Key::N), [Call::Command(Command::Another)]);
    let shown = |shown| Snapshot { variations: ShownVariations { shown, ..ShownVariations::default() }, ..music() };
    show(&mut harness, shown(Variation::B));
    assert_eq!(press_z(&mut harness, UNDO), [Command::Variation(Variation::A)]);
    show(&mut harness, shown(Variation::A));
    assert_eq!(press_z(&mut harness, UNDO), []);
    assert_eq!(press_z(&mut harness, REDO), [Command::Variation(Variation::B)]);
}

#[test]
fn undo_of_four_new_variations_shows_the_phrase_before_from_the_history() {
    let mut harness = window();
    let last = Snapshot { variations: ShownVariations { shown: Variation::D, ..ShownVariations::default() }, ..music() };
    show(&mut harness, last);
    strike(&mut harness, Key::N);
    // The session writes what was replaced into the history.
    let place = Place { bar: 2, line: Tick(96), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    let replaced = music().plan.unwrap().plan;
    let id = Arc::make_mut(&mut harness.state_mut().1.history).push(replaced, place, Reason::Rerolled).unwrap();
    show(&mut harness, Snapshot { plan: Some(plan(96, 288, &[note(96, 71)])), ..Snapshot::default() });
    assert_eq!(press_z(&mut harness, UNDO), [Command::Step(Step::To(id))]);
    assert_eq!(press_z(&mut harness, REDO), [Command::Step(Step::Now)]);
}

#[test]
fn deleted_card_comes_back_with_undo() {
    let mut harness = window();
    harness.get_by_label("suggestion 1, of bar 5").click_secondary();
    harness.run_steps(2);
    harness.get_by_label("Delete [Delete]").click();
    harness.run_steps(3);
    assert_eq!(bars(&harness), [9]);
    assert!(harness.query_by_label_contains("of bar 5").is_none());
    press_z(&mut harness, UNDO);
    assert_eq!(bars(&harness), [5, 9]);
    press_z(&mut harness, REDO);
    assert_eq!(bars(&harness), [9]);
    // The menu of the suggestions does the same.
    harness.get_by_label("History: 1").click();
    harness.run_steps(3);
    harness.get_by_label("Undo deletion [Ctrl+Z]").click();
    harness.run_steps(3);
    assert_eq!(bars(&harness), [5, 9]);
}

#[test]
fn delete_key_removes_the_shown_phrase_or_the_focused_card() {
    let mut harness = window();
    assert_eq!(strike(&mut harness, Key::Delete), [], "the plan is no phrase of the history");
    strike(&mut harness, Key::ArrowLeft);
    strike(&mut harness, Key::Delete);
    assert_eq!(bars(&harness), [5]);
    harness.get_by_label("suggestion 1, of bar 5").focus();
    harness.run_steps(2);
    strike(&mut harness, Key::Delete);
    assert!(bars(&harness).is_empty());
    press_z(&mut harness, UNDO);
    press_z(&mut harness, UNDO);
    assert_eq!(bars(&harness), [5, 9]);
}

#[test]
fn star_of_a_card_is_set_in_its_menu_and_filters_the_cards() {
    let mut harness = window();
    harness.get_by_label("suggestion 2, of bar 9").click_secondary();
    harness.run_steps(2);
    harness.get_by_label("Keep this phrase").click();
    harness.run_steps(3);
    assert!(harness.state().1.history.entries()[1].is_starred());
    harness.get_by_label("History: 2").click();
    harness.run_steps(3);
    harness.get_by_label("Kept (1)").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("of bar 5").is_none() && harness.query_by_label("suggestion 2, of bar 9, kept").is_some());
    assert!(harness.query_by_label("History: 2, kept").is_some());
    press_z(&mut harness, UNDO);
    assert!(!harness.state().1.history.entries()[1].is_starred());
}

#[test]
fn marked_bars_are_undone_in_a_gesture() {
    let mut harness = window();
    let before = harness.state().1.values.turns.infill;
    super::commands::drag_over_numbers(&mut harness, 1.0, Modifiers::SHIFT);
    calls(&mut harness);
    harness.key_press_modifiers(UNDO, Key::Z);
    let set = [("infill_from", f32::from(before.from - 1) / 998.0), ("infill_bars", f32::from(before.bars - 1) / 7.0)];
    let expected: Vec<Call> = set
        .into_iter()
        .flat_map(|(id, value)| {
            let control = Control::Parameter(id);
            [Call::Begin(control), Call::Set(Change::Parameter(id, value)), Call::End(control)]
        })
        .collect();
    assert_eq!(calls(&mut harness), expected);
}
