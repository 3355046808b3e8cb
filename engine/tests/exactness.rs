//! Decoding with the paged cache equals a whole-sequence Transformer with the policy's attention mask, for every policy, by whole bars and row by row.

mod common;

use std::sync::Arc;

use antiphon_engine::{
    cache::{MOST_BARS, PagePolicy, Selection},
    codec::{BarEnd, BarRows},
    decode::{BarScore, DecodeError, Decoder},
    model::Model,
};
use common::{
    exact::{Case, Rule, TOLERANCE, by_name, compare, compare_scores, for_every_policy, music, prefix, runnable, tiny},
    music::piece,
    reference::View,
    runtime, tiny_without_queries,
};

/// Decodes a piece; returns what each bar attended to, after checking it against the policy's rule if it has one.
fn decode<T>(
    decoder: &mut Decoder,
    music: &[BarRows],
    (policy, rule): (&dyn PagePolicy, Option<Rule>),
    each: impl Fn(&mut Decoder, &BarRows) -> T,
) -> (Vec<T>, Vec<View>) {
    let mut views = Vec::new();
    let mut decoded = Vec::new();
    for bar in music {
        decoded.push(each(decoder, bar));
        if let Some(rule) = rule {
            let first = if policy.reach().is_some() { bar.index.saturating_sub(MOST_BARS) } else { 0 };
            let expected = (first..bar.index).filter(|&earlier| rule(bar.index, earlier)).collect();
            assert_eq!(*decoder.seen(), Selection::Bars(expected), "{} in bar {}", policy.name(), bar.index);
        }
        views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
    }
    (decoded, views)
}

fn score(decoder: &mut Decoder, bar: &BarRows) -> BarScore {
    decoder.score_bar(bar, &[], BarEnd::Bar).expect("scored")
}

#[test]
fn whole_bars_equal_the_reference() {
    for_every_policy(
        |_| true,
        |model, reference, Case { what, rule, policy }| {
            let mut decoder = Decoder::new(Arc::clone(model), Arc::clone(policy), &prefix()).expect("a decoder");
            let (scores, views) = decode(&mut decoder, &music(), (&**policy, *rule), score);
            let whole = reference.run(model.info(), &prefix(), &music(), &views);
            compare_scores(&scores, &whole, what);
        },
    );
}

#[test]
fn row_by_row_equals_the_reference() {
    for_every_policy(
        |_| true,
        |model, reference, Case { what, rule, policy }| {
            let mut decoder = Decoder::new(Arc::clone(model), Arc::clone(policy), &prefix()).expect("a decoder");
            let (decoded, views) = decode(&mut decoder, &music(), (&**policy, *rule), |decoder, bar| {
                decoder.begin_bar(bar.ticks, bar.fields).expect("opened");
                let mut hidden = vec![decoder.hidden().to_vec()];
                for note in &bar.notes {
                    decoder.push(&[*note]).expect("pushed");
                    hidden.push(decoder.hidden().to_vec());
                }
                // The row of the last note predicts nothing; it is run here, because later bars attend to it.
                assert_eq!(&decoder.end_bar().expect("ended"), bar);
                hidden
            });
            let whole = reference.run(model.info(), &prefix(), &music(), &views);
            for (bar, hidden) in decoded.iter().enumerate() {
                compare(hidden.iter().map(Vec::as_slice), &whole.hidden[bar], &format!("{what}, bar {bar}"));
            }
        },
    );
}

/// Beyond 256 bars the oldest are not attended to any more, neither row by row nor by their summaries.
#[test]
fn long_pieces_equal_the_reference() {
    let (model, mut reference) = tiny();
    let music = piece(6, 275, 3);
    for (name, rule, policy) in runnable(&model) {
        let mut decoder = Decoder::new(Arc::clone(&model), Arc::clone(&policy), &prefix()).expect("a decoder");
        let (scores, views) = decode(&mut decoder, &music, (&*policy, rule), score);
        let whole = reference.run(model.info(), &prefix(), &music, &views);
        compare_scores(&scores, &whole, name);
    }
}

#[test]
fn graph_without_queries_refuses_policies_that_read_them() {
    let model = Model::from_bytes(runtime(), &tiny_without_queries(), "older").unwrap_or_else(|error| panic!("{error}"));
    let model = Arc::new(model);
    assert!(!model.gives_queries());
    let refused = Decoder::new(Arc::clone(&model), by_name(&model, "topk:8"), &prefix());
    assert!(matches!(&refused, Err(error @ DecodeError::NoQueries { .. }) if error.to_string().contains("export it again")), "{refused:?}");
    let mut decoder = Decoder::new(Arc::clone(&model), by_name(&model, "lsh:16"), &prefix()).expect("it needs none");
    decoder.append_bar(&music()[0]).expect("decoded");
}

/// Control: if the policies gave the same results, the tests above would prove nothing.
#[test]
fn policies_give_different_hidden_states() {
    let (model, _) = tiny();
    let last = |policy: Arc<dyn PagePolicy>| {
        let mut decoder = Decoder::new(Arc::clone(&model), policy, &prefix()).expect("a decoder");
        music().iter().fold(Vec::new(), |_, bar| score(&mut decoder, bar).hidden)
    };
    let states: Vec<_> = runnable(&model).map(|(name, _, policy)| (name, last(policy))).collect();
    for (index, (one, a)) in states.iter().enumerate() {
        for (other, b) in &states[..index] {
            let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off > 100.0 * TOLERANCE, "policies {one} and {other} differ by {off} only");
        }
    }
}
