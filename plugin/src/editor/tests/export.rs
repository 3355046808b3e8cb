//! Excerpts become files, by drag and by Save as; so do entries of the history.

use antiphon_engine::plan::Step;

use super::*;

#[test]
fn drag_of_a_handle_exports_a_new_midi_file_that_starts_on_a_bar_line() {
    let drags = FakeDragSource::default();
    let mut harness = open(model(music()), drags.clone());
    let mut files = Vec::new();
    for (label, name, bars, keys) in [
        ("Variation A", "variation A, bars 2-3", 2, [64, 65]),
        ("Variation A", "variation A, bars 2-3", 2, [64, 65]),
        ("played", "played, bar 1", 1, [60, 62]),
    ] {
        let handle = harness.get_by_label(label).rect().center();
        harness.hover_at(handle);
        harness.run_steps(1);
        button(&harness, handle, true);
        harness.run_steps(1);
        harness.event(Event::PointerMoved(handle - vec2(0.0, 40.0)));
        harness.run_steps(1);
        harness.run_steps(1);
        let dragging = format!("Dragging {name}: drop it");
        assert!(harness.query_by_label_contains(&dragging).is_some(), "the status line says {dragging:?}");
        let file = drags.0.lock().file.take().expect("a drag");
        let clip = smf::read_file(&file).unwrap().clip;
        assert_eq!(clip.end, Tick(96 * bars));
        assert_eq!(clip.notes().iter().map(|note| note.pitch).collect::<Vec<_>>(), keys);
        assert!((clip.tempos.at(Tick::ZERO).bpm() - 133.0).abs() < 1e-3);
        files.push(file);
        button(&harness, handle, false);
        drags.0.lock().outcome = Some(Ok(Outcome::Delivered));
        harness.run_steps(2);
        assert!(harness.query_by_label_contains("Dropped: ").is_some(), "the status line names the dropped file");
    }
    assert_ne!(files[0], files[1]);
    assert!(files.iter().all(|file| file.exists()), "files stay after the drop");
}

#[test]
fn failed_drag_says_what_to_do() {
    let drags = FakeDragSource::default();
    let mut harness = open(model(music()), drags.clone());
    drags.0.lock().outcome = Some(Err(DragError::Unanswered));
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("use Save as").is_some());
}

/// Chooses Save as in the menu of a card.
fn save_as(harness: &mut Harness<'_, (Editor, PlainModel)>, card: &str) {
    harness.get_by_label(card).click_secondary();
    harness.run_steps(2);
    harness.get_by_label(&format!("Save {card} as...")).click();
}

#[test]
fn save_as_writes_the_named_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my plan.mid");
    let mut harness = open(model(music()), FakeDragSource::default());
    save_as(&mut harness, "Variation A");
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
fn folder_of_a_saved_file_is_proposed_in_the_next_session() {
    let data = tempfile::tempdir().unwrap();
    let (folder, kept) = (data.path().join("my clips"), data.path().join("antiphon").join("last-folder"));
    std::fs::create_dir(&folder).unwrap();
    let session = || {
        let mut harness = open(model(music()), FakeDragSource::default());
        let exporter = Exporter::new(Box::new(FakeDragSource::default())).remembering(Some(kept.clone()));
        harness.state_mut().0 = Editor::new(exporter);
        save_as(&mut harness, "Variation A");
        harness.run_steps(4);
        harness
    };
    let mut first = session();
    first.key_press_modifiers(Modifiers::COMMAND, Key::A);
    first.event(Event::Text(folder.join("one.mid").display().to_string()));
    first.run_steps(2);
    first.get_by_label("Save").click();
    first.run_steps(4);
    let mut second = session();
    second.get_by_label("Save").click();
    second.run_steps(4);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["Antiphon variation A, bars 2-3.mid", "one.mid"]);
}

#[test]
fn escape_in_the_save_dialog_writes_no_file() {
    let mut harness = open(model(music()), FakeDragSource::default());
    save_as(&mut harness, "played");
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_none());
}

/// A project with two suggestions: a kept one of one note in bar 5, in 3/4 at 90 bpm, then one of two notes in bar 9.
fn reopened() -> PlainModel {
    let mut history = History::default();
    let waltz = MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]);
    for (bar, pitches, reason) in [(5, &[70][..], Reason::Kept), (9, &[71, 72], Reason::Played)] {
        let line = 72 * (bar - 1);
        // They start a beat after the bar line.
        let notes: Vec<_> = (1..).zip(pitches).map(|(beat, pitch)| note(line + 24 * beat, *pitch)).collect();
        let place = Place { bar, line: Tick(line), metres: waltz.clone(), tempo: Tempo::from_bpm(90.0).unwrap(), played_from: None };
        let id = history.push(plan(line + 24, line + 144, &notes).plan, place, reason).unwrap();
        if reason == Reason::Kept {
            history.star(id).unwrap();
        }
    }
    PlainModel { history: Arc::new(history), ..model(Snapshot::default()) }
}

/// Drags a card; returns the file name and its music.
fn dragged(harness: &mut Harness<'_, (Editor, PlainModel)>, drags: &FakeDragSource, card: &str) -> (String, Clip) {
    let handle = harness.get_by_label(card).rect().center();
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
fn history_entry_can_be_shown_kept_played_and_dragged() {
    let drags = FakeDragSource::default();
    let mut harness = open(reopened(), drags.clone());
    harness.run_steps(2);
    assert!(harness.query_by_label("History: 2").is_some());
    harness.get_by_label("Newer").click();
    harness.get_by_label("suggestion 2, of bar 9").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("2 of 2").is_some() && harness.query_by_label("Keep").is_some());
    let (name, clip) = dragged(&mut harness, &drags, "suggestion 2, of bar 9");
    assert_eq!(name, "Antiphon suggestion, bars 9-10.mid");
    assert_eq!(clip.notes().iter().map(|note| (note.onset.0, note.pitch)).collect::<Vec<_>>(), [(24, 71), (48, 72)]);
    assert_eq!((clip.end, clip.metres.at(Tick::ZERO).to_string().as_str()), (Tick(144), "3/4"));
    assert!((clip.tempos.at(Tick::ZERO).bpm() - 90.0).abs() < 1e-3);

    harness.get_by_label("Older").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("1 of 2").is_some() && harness.query_by_label("Kept").is_some());
    calls(&mut harness);
    for (label, command) in [("Play", Command::Play), ("Kept", Command::Keep), ("Another: B", Command::Another)] {
        harness.get_by_label(label).click();
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
    harness.get_by_label("Back to plan").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("History: 2").is_some());
    assert_eq!(calls(&mut harness), [Call::Command(Command::Step(Step::Now))]);
    harness.get_by_label("Play").click();
    assert_eq!(calls(&mut harness), [], "nothing is planned now");
}
