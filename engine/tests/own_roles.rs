//! Own roles: decoding beside a clip or a player equals the reference over the rows of the whole sequence, by whole bars and row by row.

mod common;

use std::sync::Arc;

use antiphon_engine::{
    cache::PagePolicy,
    codec::{BarEnd, BarRows, GivenOrder, Layout, NoteClasses, OwnRoles, vocabulary::OPEN},
    decode::{Accompanied, Constraints, DecodeError, Decoder, Sampling, Step},
    model::Model,
    music::{Role, Tick},
};
use common::{
    exact::{by_name, compare, compare_scores, graphs, music, open, prefix},
    music::piece,
    reference::{Reference, View},
    tiny,
};

/// A bar with its own notes, its given notes, and its row layout.
type LaidOutBar = (BarRows, Vec<NoteClasses>, Layout);

fn own() -> OwnRoles {
    OwnRoles::new([Role::Bass, Role::Drums, Role::Chords]).expect("three roles")
}

fn decoder(model: &Arc<Model>, policy: &Arc<dyn PagePolicy>, accompanied: Accompanied) -> Decoder {
    let mut decoder = Decoder::new(Arc::clone(model), Arc::clone(policy), &prefix()).expect("a decoder");
    decoder.set_sampling(Sampling::PLAIN);
    decoder.accompanies(accompanied).expect("a model with own roles");
    let roles = [Role::Bass, Role::Drums, Role::Chords].into_iter().collect();
    decoder.set_constraints(Constraints { roles, ..Constraints::default() });
    decoder
}

fn player(model: &Arc<Model>) -> Decoder {
    decoder(model, &by_name(model, "fine_coarse"), Accompanied::Player(own()))
}

fn laid(bar: &BarRows, given: GivenOrder) -> LaidOutBar {
    let (bar, others) = own().partition(bar);
    (bar, others, Layout { own: own(), given })
}

/// Known notes of a bar up to a tick; given notes are still held.
fn known_until(bar: &BarRows, from: Tick) -> BarRows {
    let note = |note: &NoteClasses| NoteClasses { duration: if own().contains(note.role) { note.duration } else { OPEN }, ..*note };
    BarRows { notes: bar.notes.iter().filter(|note| note.tick() < from).map(note).collect(), ..bar.clone() }
}

fn sample_bar(decoder: &mut Decoder) -> BarRows {
    while let Step::Note(_) = decoder.sample().expect("sampled") {}
    decoder.end_bar().expect("ended")
}

/// Models with own roles, and their reference graphs.
fn models_with_own_roles() -> Vec<(Arc<Model>, Reference)> {
    let opened = graphs().into_iter().map(|(step, reference)| (open(&step), Reference::open(&reference)));
    let models: Vec<_> = opened.filter(|(model, _)| model.info().has_own_roles()).collect();
    assert!(!models.is_empty());
    models
}

#[test]
fn whole_bars_beside_a_clip_or_a_player_equal_the_reference() {
    for (model, mut reference) in models_with_own_roles() {
        for (accompanied, order) in [(Accompanied::Clip(own()), GivenOrder::First), (Accompanied::Player(own()), GivenOrder::ByBeat)] {
            for name in ["fine_coarse", "window:4"] {
                let policy = by_name(&model, name);
                let mut decoder = decoder(&model, &policy, accompanied);
                let (mut scores, mut views) = (Vec::new(), Vec::new());
                for bar in &music() {
                    scores.push(decoder.score_bar(bar, &[], BarEnd::Bar).expect("scored"));
                    views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
                }
                let bars: Vec<LaidOutBar> = music().iter().map(|bar| laid(bar, order)).collect();
                let whole = reference.run_laid_out(model.info(), &prefix(), &bars, &views);
                compare_scores(&scores, &whole, &format!("{}, {name}, {order:?}", model.info().name));
            }
        }
    }
}

#[test]
fn plan_beside_a_player_equals_the_reference_row_by_row() {
    for (model, mut reference) in models_with_own_roles() {
        let policy = by_name(&model, "fine_coarse");
        let mut decoder = player(&model);
        let (mut bars, mut views, mut planned) = (Vec::new(), Vec::new(), Vec::new());
        for (index, bar) in music().iter().enumerate() {
            if index % 3 == 0 || bar.ticks <= 24 {
                decoder.append_bar(bar).expect("appended");
                bars.push(laid(bar, GivenOrder::ByBeat));
            } else {
                let beats = i64::from(bar.ticks) / 24;
                let from = Tick(24 * (i64::try_from(index).expect("small") % beats));
                let known = known_until(bar, from);
                let (own_notes, given) = own().partition(&known);
                decoder.accompany_live(&known, from).expect("opened");
                let mut hidden = vec![decoder.hidden().to_vec()];
                let rest: Vec<_> = bar.notes.iter().filter(|note| note.tick() >= from && own().contains(note.role)).copied().collect();
                for note in &rest {
                    decoder.push(&[*note]).expect("pushed");
                    hidden.push(decoder.hidden().to_vec());
                }
                let whole = decoder.end_bar().expect("ended");
                assert_eq!(whole.notes, [own_notes.notes.clone(), rest].concat());
                planned.push((index, given.len() + own_notes.notes.len(), hidden));
                bars.push((whole, given, Layout { own: own(), given: GivenOrder::Planned(from) }));
            }
            views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
        }
        let whole = reference.run_laid_out(model.info(), &prefix(), &bars, &views);
        for (bar, first, hidden) in &planned {
            compare(hidden.iter().map(Vec::as_slice), &whole.hidden[*bar][*first..], &format!("{}, bar {bar}", model.info().name));
        }
        assert!(planned.iter().filter(|(_, first, hidden)| *first > 1 && hidden.len() > 1).count() > 5, "both sides of a beat");
    }
}

#[test]
fn rolled_back_plan_is_generated_again_the_same() {
    let model = Arc::new(tiny());
    let bars = piece(34, 30, 14);
    let from = Tick(48);
    let (mut rolled_back, mut notes) = (0, 0);
    for index in (8..28).filter(|&index| i64::from(bars[index].ticks) > from.0) {
        let known = known_until(&bars[index], from);
        let start = || {
            let mut decoder = player(&model);
            bars[..index].iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
            decoder.accompany_live(&known, from).expect("opened");
            decoder
        };
        let generated = sample_bar(&mut start());
        let before = own().partition(&known).0.notes;
        notes += generated.notes.len() - before.len();
        assert_eq!(generated.notes[..before.len()], before);

        let mut decoder = start();
        while let Step::Note(_) = decoder.sample().expect("sampled") {}
        decoder.truncate(before.len()).expect("to where the plan begins");
        assert_eq!(sample_bar(&mut decoder), generated);

        let mut decoder = start();
        decoder.sample().expect("sampled");
        decoder.truncate(0).expect("to the bar line");
        rolled_back += before.len();
        before.iter().for_each(|note| decoder.push(&[*note]).expect("pushed"));
        assert_eq!(sample_bar(&mut decoder), generated);

        decoder.rewind(bars[index].index, before.len()).expect("back");
        assert_eq!(sample_bar(&mut decoder), generated);
    }
    assert!(rolled_back > 5 && notes > 5, "{rolled_back} and {notes} notes");
}

#[test]
fn finished_bar_of_a_player_rolled_back_and_ended_again_leaves_no_trace() {
    let model = Arc::new(tiny());
    let bars = piece(35, 24, 12);
    let start = || {
        let mut decoder = player(&model);
        bars[..20].iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
        decoder
    };
    let next = |decoder: &mut Decoder| decoder.score_bar(&bars[20], &[], BarEnd::Bar).expect("scored").hidden;
    let expected = next(&mut start());
    let mut decoder = start();
    decoder.begin_bar(96, bars[20].fields).expect("opened");
    while let Step::Note(_) = decoder.sample().expect("sampled") {}
    decoder.rewind(19, usize::MAX).expect("back");
    decoder.end_bar().expect("ended");
    // The last row was a run of its own this time, which rounds differently.
    let width = model.info().width;
    let rows: Vec<Vec<f32>> = expected.chunks(width).map(<[f32]>::to_vec).collect();
    compare(next(&mut decoder).chunks(width), &rows, "the bar after it");
    // It can also be continued: all its given notes come first then.
    let mut decoder = start();
    decoder.rewind(19, 1).expect("back");
    let first = decoder.open().expect("open").bar().notes.clone();
    assert!(first.len() <= 1);
    assert_eq!(sample_bar(&mut decoder).notes[..first.len()], first);
}

#[test]
fn model_without_own_roles_refuses_them() {
    for (step, _) in graphs() {
        let model = open(&step);
        let has_own_roles = model.info().has_own_roles();
        let mut decoder = Decoder::new(Arc::clone(&model), by_name(&model, "fine_coarse"), &prefix()).expect("a decoder");
        let refused = decoder.accompanies(Accompanied::Clip(own()));
        assert_eq!(matches!(refused, Err(DecodeError::NoOwnRoles { .. })), !has_own_roles, "{}", step.display());
        decoder.accompanies(Accompanied::None).expect("every model");
    }
}
