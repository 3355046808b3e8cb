//! Presets, and the slots 1 and 2.

use super::*;

/// The editor with the drawer open and the user's presets in this folder.
fn open_with(folder: Option<&Path>) -> Harness<'static, (Editor, PlainModel)> {
    let editor = Editor::new(Exporter::new(Box::<FakeDragSource>::default())).with_presets(folder.map(Path::to_owned));
    let frame = |ui: &mut Ui, (editor, model): &mut (Editor, PlainModel)| editor.show(ui, model, &NoWindow);
    let builder = Harness::builder().with_size(vec2(SIZE.0, SIZE.1)).with_context_setup(Editor::apply_style);
    let mut harness = builder.build_ui_state(frame, (editor, model(music())));
    click(&mut harness, "More");
    harness
}

fn click(harness: &mut Harness<'_, (Editor, PlainModel)>, label: &str) {
    // The list of presets scrolls.
    harness.get_by_label(label).scroll_to_me();
    harness.run_steps(3);
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Opens the menu under the name that is shown, and clicks an entry.
fn choose(harness: &mut Harness<'_, (Editor, PlainModel)>, shown: &str, entry: &str) {
    click(harness, &format!("Preset: {shown}"));
    click(harness, entry);
}

/// Types a name into the dialog.
fn name(harness: &mut Harness<'_, (Editor, PlainModel)>, text: &str) {
    harness.event(Event::Key { key: Key::A, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::COMMAND });
    harness.event(Event::Text(text.into()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
}

fn sets(calls: &[Call]) -> Vec<(&'static str, f32)> {
    let mut sets = Vec::new();
    for gesture in calls.chunks(3) {
        let [Call::Begin(begun), Call::Set(change), Call::End(ended)] = gesture else { panic!("no whole gesture: {gesture:?}") };
        assert_eq!((change.control(), *ended), (*begun, *begun));
        let Change::Parameter(id, value) = *change else { panic!("{change:?}") };
        sets.push((id, value));
    }
    sets
}

#[test]
fn chosen_preset_sets_what_differs_in_a_gesture_each() {
    let mut harness = open_with(None);
    harness.state_mut().1.dialled.extend([("span", 0.5), ("output_channel", 0.5)]);
    harness.run_steps(2);
    choose(&mut harness, "None", "Trading fours");
    let set = sets(&calls(&mut harness));
    assert_eq!((set.first(), set.len()), (Some(&("mode", 0.5)), 6), "{set:?}");
    assert!(set.contains(&("voices", 0.125)) && set.contains(&("span", 0.0)), "what it does not list is reset: {set:?}");
    assert_eq!(harness.state().1.values.plan.mode, PlayMode::Trade);
    assert!(harness.query_by_label("Preset: Trading fours").is_some());
    harness.state_mut().1.dialled.push(("voices", 0.5));
    harness.run_steps(2);
    assert!(harness.query_by_label("Preset: Trading fours, changed").is_some());
}

#[test]
fn next_and_previous_go_round_the_list() {
    let mut harness = open_with(None);
    let presets = crate::presets::factory();
    assert!(harness.query_by_label("Preset: As you play").is_some(), "nothing was set yet");
    for preset in presets[1..].iter().chain(&presets[..1]) {
        click(&mut harness, "Next preset");
        assert!(harness.query_by_label(&format!("Preset: {}", preset.name)).is_some(), "{}", preset.name);
    }
    click(&mut harness, "Previous preset");
    assert!(harness.query_by_label(&format!("Preset: {}", presets.last().unwrap().name)).is_some());
}

#[test]
fn preset_is_saved_found_again_renamed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = open_with(Some(folder.path()));
    harness.state_mut().1.dialled.push(("voices", 0.25));
    harness.run_steps(2);
    choose(&mut harness, "None", "Save preset as...");
    name(&mut harness, "Duo");
    assert!(harness.query_by_label("Preset: Duo").is_some() && folder.path().join("Duo.json").is_file());
    let mut again = open_with(Some(folder.path()));
    choose(&mut again, "As you play", "Duo");
    assert_eq!(sets(&calls(&mut again)), [("voices", 0.25)]);
    choose(&mut again, "Duo", "Rename preset...");
    name(&mut again, "Two voices");
    assert!(again.query_by_label("Preset: Two voices").is_some());
    choose(&mut again, "Two voices", "Delete preset...");
    click(&mut again, "Delete");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(again.query_by_label("Preset: None").is_some(), "the settings stay");
}

#[test]
fn name_of_a_factory_preset_or_one_that_is_no_file_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = open_with(Some(folder.path()));
    for (text, message) in [("Walking bass", "comes with Antiphon"), ("a/b", "Choose another name")] {
        choose(&mut harness, "As you play", "Save preset as...");
        name(&mut harness, text);
        assert!(harness.query_by_label_contains(message).is_some(), "{text}");
        click(&mut harness, "Cancel");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn damaged_preset_file_is_named_in_the_menu() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.json"), "{").unwrap();
    let mut harness = open_with(Some(folder.path()));
    click(&mut harness, "Preset: As you play");
    assert!(harness.query_by_label_contains("broken.json is left out").is_some());
}

#[test]
fn slots_exchange_the_settings_and_copy_them() {
    let mut harness = open_with(None);
    let set = |harness: &mut Harness<'_, (Editor, PlainModel)>, value| {
        harness.state_mut().1.dialled.push(("voices", value));
        harness.run_steps(2);
    };
    set(&mut harness, 0.25);
    click(&mut harness, "Settings 2");
    assert_eq!(calls(&mut harness), [], "B begins as a copy of A");
    set(&mut harness, 0.75);
    click(&mut harness, "Settings 1");
    assert_eq!(sets(&calls(&mut harness)), [("voices", 0.25)]);
    click(&mut harness, "Settings 2");
    assert_eq!(sets(&calls(&mut harness)), [("voices", 0.75)]);
    click(&mut harness, "Copy to 1");
    click(&mut harness, "Settings 1");
    assert_eq!(calls(&mut harness), [], "both are the same now");
}

#[test]
fn wide_window_has_the_presets_in_its_header_and_not_in_the_drawer() {
    let mut harness = open(model(music()), FakeDragSource::default());
    assert!(harness.query_by_label("Preset: As you play").is_none(), "they are in the drawer");
    harness.set_size(vec2(1200.0, 600.0));
    harness.run_steps(3);
    assert!(harness.query_by_label("Preset: As you play").is_some());
    let roll = harness.get_by_label("Piano roll").rect().top();
    harness.get_by_label("Next preset").click();
    assert!(!sets(&calls(&mut harness)).is_empty());
    assert!(harness.query_by_label("Preset: Call and answer").is_some());
    harness.get_by_label("More").click();
    harness.run_steps(3);
    assert!(harness.get_by_label("Preset: Call and answer").rect().bottom() <= roll, "it is there once");
    assert!(harness.query_by_label("Settings 1").is_some());
}
