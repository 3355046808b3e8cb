//! Status line and drawing.

use antiphon_engine::plan::StarsFull;
use egui_kittest::kittest::NodeT;

use super::*;

#[test]
fn status_line_shows_messages_of_project_and_session() {
    let message = Some("The host brought a saved state that was not loaded".to_owned());
    let status = Status { remark: Some("Trade is coming".into()), ..Status::default() };
    let snapshot = Snapshot { status, ..Snapshot::default() };
    let harness = open(PlainModel { message, ..model(snapshot) }, FakeDragSource::default());
    assert!(harness.query_by_label_contains("not loaded. Trade is coming").is_some());
}

/// First line of what is drawn after the tone's sign at the bottom left.
fn sentence(harness: &Harness<'_, (Editor, PlainModel)>) -> String {
    let texts = harness.root().children_recursive().filter(|node| node.accesskit_node().role() == egui::accesskit::Role::Label);
    let height = harness.ctx.content_rect().height();
    let lowest =
        texts.filter(|node| node.rect().bottom() > height - 40.0).min_by(|one, other| one.rect().left().total_cmp(&other.rect().left()));
    let lowest = lowest.expect("the status line has a text").accesskit_node();
    lowest.label().or_else(|| lowest.value()).expect("it has words")
}

#[test]
fn every_sentence_of_the_status_line_begins_with_a_capital() {
    let cause = || Box::<dyn std::error::Error + Send + Sync>::from("no server");
    let drags = [DragError::Unavailable(cause()), DragError::Lost(cause()), DragError::Unanswered].map(Err);
    let mut sentences = Vec::new();
    for outcome in drags.into_iter().chain([Ok(Outcome::Declined), Ok(Outcome::Delivered)]) {
        let drags = FakeDragSource::default();
        let mut harness = open(model(music()), drags.clone());
        drags.0.lock().outcome = Some(outcome);
        harness.run_steps(2);
        sentences.push(sentence(&harness));
    }
    let full = StarsFull { starred: 192 }.to_string();
    for (remark, message) in [(Some(full.clone()), None), (None, Some("a sentence of the host".to_owned())), (None, None)] {
        let status = Status { remark, ..Status::default() };
        sentences.push(sentence(&open(PlainModel { message, ..model(Snapshot { status, ..music() }) }, FakeDragSource::default())));
    }
    assert!(sentences.iter().all(|text| text.starts_with(char::is_uppercase)), "{sentences:?}");
    assert!(sentences[5].starts_with("Not kept: the 192 kept phrases"), "{sentences:?}");
    let distinct: std::collections::BTreeSet<_> = sentences.iter().collect();
    assert_eq!(distinct.len(), sentences.len(), "{sentences:?}");
}

#[test]
fn missing_component_is_named_with_the_cure_and_among_the_details_with_the_places_searched() {
    let looked_in = vec!["/opt/antiphon".to_owned(), "/usr/lib".to_owned()];
    let engine = Component::Missing { what: "no ONNX Runtime was found; install it again".into(), looked_in };
    let ready = Component::Ready("antiphon-s".into());
    let status = Status { engine, model: ready, ..Status::default() };
    let mut harness = open(model(Snapshot { status, ..Snapshot::default() }), FakeDragSource::default());
    for text in ["Antiphon is not complete: ", "The program that makes the music (the engine) is missing", "Install Antiphon again, "] {
        assert!(harness.query_by_label_contains(text).is_some(), "{text}");
    }
    let technical = "no ONNX Runtime was found; install it again; looked in /opt/antiphon, /usr/lib";
    assert!(harness.query_by_label_contains(technical).is_none());
    harness.get_by_label("Details").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains(technical).is_some());
}

#[test]
fn warning_keeps_its_sign_while_another_sentence_stands_in_the_line() {
    let warning = "The host gives no valid tempo";
    let with = |engine, message: Option<&str>| {
        let status = Status { engine, ..Status::default() };
        let model = PlainModel { message: message.map(str::to_owned), ..model(Snapshot { status, ..music() }) };
        let mut harness = open(model, FakeDragSource::default());
        harness.set_size(vec2(LEAST_SIZE.0, LEAST_SIZE.1));
        harness.run_steps(2);
        [harness.query_by_label(warning).is_some(), harness.query_by_label(&format!("Warning: {warning}")).is_some()]
    };
    let missing = Component::Missing { what: "not found".into(), looked_in: Vec::new() };
    let tempo = Some("the host gives no valid tempo");
    let engine = || Component::Ready("ONNX Runtime".into());
    assert_eq!(with(engine(), tempo), [true, false], "the sentence says it");
    assert_eq!(with(missing, tempo), [false, true], "the sign says it");
    assert_eq!(with(engine(), None), [false, false]);
}

#[test]
fn details_name_engine_and_model() {
    let (engine, ready) = (Component::Ready("ONNX Runtime 1.31.1".into()), Component::Ready("antiphon-s".into()));
    let status = Status { engine, model: ready, ..Status::default() };
    let mut harness = open(model(Snapshot { status, ..Snapshot::default() }), FakeDragSource::default());
    assert!(harness.query_by_label("antiphon-s").is_none());
    harness.get_by_label("Details").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("antiphon-s").is_some() && harness.query_by_label("ONNX Runtime 1.31.1").is_some());
    assert!(harness.query_by_label("Copy diagnostics").is_some());
}

#[test]
fn look_is_the_one_that_is_set_from_the_first_frame_on() {
    for (value, look) in [(0.0, Palette::LIGHT), (1.0, Palette::DARK), (0.0, Palette::LIGHT)] {
        let mut harness = open(PlainModel { dialled: vec![("look", value)], ..model(music()) }, FakeDragSource::default());
        assert_eq!(*Palette::of(&harness.ctx), look);
        // The other one, while the window is open.
        harness.state_mut().1.dialled.push(("look", 1.0 - value));
        harness.run_steps(2);
        assert_ne!(*Palette::of(&harness.ctx), look);
    }
}

#[test]
fn nothing_is_drawn_again_while_nothing_changes() {
    let delay = |motion| {
        let mut still = model(music());
        still.now.motion = motion;
        let mut harness = open(still, FakeDragSource::default());
        harness.run_steps(20);
        harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay
    };
    assert_eq!(delay(Motion::Stopped), std::time::Duration::MAX);
    assert!(delay(Motion::Host) <= FRAME);
}

#[test]
fn play_names_the_bar_it_begins_at() {
    let mut moving = model(music());
    moving.now.motion = Motion::Host;
    let harness = open(moving, FakeDragSource::default());
    assert!(harness.query_by_label("Play from bar 3").is_some(), "the playhead is in bar 2");
}

#[test]
fn invalid_clock_values_can_be_drawn_at_every_size_and_scale() {
    for (playhead, tempo) in [(0.0, 0.0), (-1e9, f64::NAN), (f64::NAN, 120.0), (1e15, f64::INFINITY), (f64::NEG_INFINITY, -3.0)] {
        for (width, height, scale) in [(1.0, 1.0, 1.0), (LEAST_SIZE.0, LEAST_SIZE.1, 2.0), (3000.0, 1500.0, 1.5)] {
            let mut model = model(music());
            model.now = Now { playhead: MusicalTime(playhead), tempo, motion: Motion::Internal };
            let mut harness = open(model, FakeDragSource::default());
            harness.set_size(vec2(width, height));
            harness.set_pixels_per_point(scale);
            harness.run_steps(2);
        }
    }
}
