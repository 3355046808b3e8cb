//! Session without a model.

use antiphon_engine::decode::BarOrder;
use antiphon_engine::model::ModelError;
use antiphon_engine::service::JobFailure;

use super::script::{BAR, BEAT, ScriptedHost, stroke};
use crate::meters::Count;
use crate::port::Event;
use antiphon_engine::session::Component;

fn no_model() -> JobFailure {
    JobFailure::Error { name: "prefill", source: Box::new(ModelError::Size { name: "in the program".into(), bytes: 0 }) }
}

#[test]
fn bars_out_of_order_are_in_the_status_and_read_again_a_bar_later() {
    let mut host = ScriptedHost::new(500);
    let played: Vec<(u32, Event)> = (0..16u8).flat_map(|beat| stroke(i64::from(beat) * BEAT, 18, 60 + beat)).collect();
    host.play_to(2 * BAR, &played);
    let notes = host.script.context_notes();
    host.script.refuses(BarOrder { expected: 6, found: 7 });
    host.play_to(3 * BAR + BEAT / 2, &[]);
    let Component::Missing { what, .. } = host.status().engine else { panic!("{:?}", host.status()) };
    assert!(what.contains("bar 7") && what.contains("at the next bar"), "{what}");

    host.play_to(5 * BAR, &[]);
    assert!(matches!(host.status().engine, Component::Ready(_) | Component::Loading), "{:?}", host.status());
    assert!(host.script.context_notes().starts_with(&notes), "nothing that was played is lost");
}

#[test]
fn missing_model_is_in_the_status_and_thru_works_until_it_is_loaded() {
    let mut host = ScriptedHost::new(500);
    host.script.fails(Some(no_model));
    let played: Vec<(u32, Event)> = (0..8u8).flat_map(|beat| stroke(i64::from(beat) * BEAT, 18, 60 + beat)).collect();
    host.play_to(2 * BAR, &played);
    host.press("play");
    assert_eq!(host.out, played);
    let Component::Missing { what, .. } = host.status().model else { panic!("{:?}", host.status()) };
    assert!(what.contains("in the program") && what.contains("fetch it again"), "{what}");

    // Loading is tried again, and the pending Play is then executed.
    host.script.fails(None);
    host.play_to(8 * BAR, &[]);
    assert!(!matches!(host.status().model, Component::Missing { .. }), "{:?}", host.status());
    assert!(host.count(Count::Played) > 8, "{}", host.count(Count::Played));
}
