//! Decoding over the paged cache gives what a whole-sequence Transformer with the policy's mask gives, for every policy, bar by bar and row by row.

mod common;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon_engine::{
    cache::{CacheOptions, Forget, Keep, MOST_BARS, PagePolicy, Reads, Rest, Selection, policy},
    codec::{BarEnd, BarRows, Row, prefix_rows},
    decode::{BarScore, DecodeError, Decoder},
    model::{Model, Weights},
    music::Role,
};
use common::{
    fixture,
    music::piece,
    reference::{Reference, View, Whole},
    runtime, tiny_without_queries,
};

/// Largest difference of a hidden value or a log probability.
const TOLERANCE: f32 = 1e-4;

/// Whether bar b sees bar j row by row: docs/model-interface.md, "Who sees whom", once more.
type Rule = fn(u32, u32) -> bool;

/// Every policy, with its rule where that does not depend on the music.
const POLICIES: [(&str, Option<Rule>); 9] = [
    ("fine_coarse", Some(|b, j| [1, 2, 4, 8, 12, 16, 24, 32].contains(&(b - j)))),
    ("summaries", Some(|_, _| false)),
    ("window:4", Some(|b, j| b - j <= 4)),
    ("strided:6", Some(|b, j| b - j <= 6 || (b - j) % 6 == 0)),
    ("fixed:6,2", Some(|b, j| j / 6 == b / 6 || j % 6 >= 4)),
    ("dense", Some(|_, _| true)),
    ("topk:4", None),
    ("lsh:16", None),
    ("kmeans:8", None),
];

/// Step graph and reference graph: random weights always, the shipped ones as soon as they lie in `models/`.
fn graphs() -> Vec<(PathBuf, PathBuf)> {
    let mut graphs = vec![(fixture("tiny.onnx"), fixture("tiny-reference.onnx"))];
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let reference = models.join("reference.onnx");
    if reference.exists() {
        let mut shipped = models.read_dir().expect("the folder models is readable").filter_map(Result::ok).map(|entry| entry.path());
        let is_float = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with("antiphon-fp"));
        let step = shipped.find(is_float).expect("models/reference.onnx needs the models/antiphon-fp*.onnx it points into");
        graphs.push((step, reference));
    }
    graphs
}

fn open(step: &Path) -> Arc<Model> {
    let model = Model::open(runtime(), step).unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(model.info().weights, Weights::Int8, "int8 weights round activations: they are gated by bits per note, not here");
    Arc::new(model)
}

fn tiny() -> (Arc<Model>, Reference) {
    let (step, reference) = graphs().swap_remove(0);
    (open(&step), Reference::open(&reference))
}

fn by_name(model: &Model, name: &str) -> Arc<dyn PagePolicy> {
    policy(name, &model.info().fine_bars).unwrap_or_else(|error| panic!("{error}"))
}

/// A piece long enough that the farthest fine bar and many summaries are in sight.
fn music() -> Vec<BarRows> {
    piece(5, 44, 14)
}

fn prefix() -> Vec<Row> {
    prefix_rows(2, &[Role::Melody, Role::Bass])
}

/// Decodes a piece and says what each bar saw. Where the policy has a rule it saw by the rule.
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

/// Compares hidden states of a bar, row after row, with the reference.
fn compare<'a>(found: impl Iterator<Item = &'a [f32]>, expected: &[Vec<f32>], what: &str) {
    for (row, (found, expected)) in found.zip(expected).enumerate() {
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= TOLERANCE, "{what}, row {row}: off by {off}");
    }
}

fn compare_scores(scores: &[BarScore], whole: &Whole, what: &str) {
    let mut scored = 0;
    for (bar, score) in scores.iter().enumerate() {
        let width = score.hidden.len() / score.rows.len();
        compare(score.hidden.chunks(width), &whole.hidden[bar], &format!("{what}, bar {bar}"));
        for (row, expected) in score.rows.iter().zip(&whole.nll[bar]) {
            let true_ones = row.targets.iter().zip(row.nll.iter().zip(expected)).filter(|(target, _)| **target >= 0);
            for (_, (found, expected)) in true_ones {
                // Ten fields deep in the chain, errors of the hidden state add up.
                assert!((found - expected).abs() <= 10.0 * TOLERANCE, "{what}, bar {bar}: {found} for {expected}");
                scored += 1;
            }
        }
    }
    assert!(scored > 1000, "only {scored} values compared");
}

fn score(decoder: &mut Decoder, bar: &BarRows) -> BarScore {
    decoder.score_bar(bar, BarEnd::Bar).expect("scored")
}

/// The policies that the graph can be run under.
fn runnable(model: &Model) -> impl Iterator<Item = (&'static str, Option<Rule>, Arc<dyn PagePolicy>)> {
    let policies = POLICIES.map(|(name, rule)| (name, rule, by_name(model, name)));
    let queries = model.gives_queries();
    policies.into_iter().filter(move |(.., policy)| queries || policy.reads() < Reads::Queries)
}

#[test]
fn whole_bars_equal_the_reference() {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        for (name, rule, policy) in runnable(&model) {
            let mut decoder = Decoder::new(Arc::clone(&model), Arc::clone(&policy), &prefix()).expect("a decoder");
            let (scores, views) = decode(&mut decoder, &music(), (&*policy, rule), score);
            let whole = reference.run(model.info(), &prefix(), &music(), &views);
            compare_scores(&scores, &whole, &format!("{}, {name}", step.display()));
        }
    }
}

#[test]
fn row_by_row_equals_the_reference() {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        for (name, rule, policy) in runnable(&model) {
            let mut decoder = Decoder::new(Arc::clone(&model), Arc::clone(&policy), &prefix()).expect("a decoder");
            let (decoded, views) = decode(&mut decoder, &music(), (&*policy, rule), |decoder, bar| {
                decoder.begin_bar(bar.ticks, bar.fields).expect("opened");
                let mut hidden = vec![decoder.hidden().to_vec()];
                for note in &bar.notes {
                    decoder.push(&[*note]).expect("pushed");
                    hidden.push(decoder.hidden().to_vec());
                }
                // The last note's own row, which nothing asks, is run here; the bars after this one see it.
                assert_eq!(&decoder.end_bar().expect("ended"), bar);
                hidden
            });
            let whole = reference.run(model.info(), &prefix(), &music(), &views);
            for (bar, hidden) in decoded.iter().enumerate() {
                compare(hidden.iter().map(Vec::as_slice), &whole.hidden[bar], &format!("{}, {name}, bar {bar}", step.display()));
            }
        }
    }
}

/// Past 256 bars the oldest are seen no more, neither row by row nor by their summaries.
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

/// The same weights under one policy after the other (MoBA's full and sparse attention), on one cache.
#[test]
fn policies_change_at_run_time_and_stay_exact() {
    let (model, mut reference) = tiny();
    let policies: Vec<_> = runnable(&model).map(|(.., policy)| policy).collect();
    let keep = policies.iter().fold(Keep::NOTHING, |keep, policy| keep.and(Keep::needed_by(&**policy)));
    let options = CacheOptions { keep, forget: Forget::Unreachable, ..CacheOptions::default() };
    let mut decoder = Decoder::with_options(Arc::clone(&model), Arc::clone(&policies[0]), &prefix(), options).expect("a decoder");
    let (mut scores, mut views) = (Vec::new(), Vec::new());
    for bar in &music() {
        let policy = &policies[usize::try_from(bar.index).expect("small") * 5 / 2 % policies.len()];
        decoder.set_policy(Arc::clone(policy)).expect("kept");
        scores.push(score(&mut decoder, bar));
        views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
    }
    assert!(views.iter().any(|view| matches!(&view.seen, Selection::ByLayer(layers) if !layers[0].is_empty())));
    assert!(views.iter().any(|view| view.rest == Rest::Summaries));
    let whole = reference.run(model.info(), &prefix(), &music(), &views);
    compare_scores(&scores, &whole, "changing policies");
}

#[test]
fn policies_the_cache_does_not_keep_enough_for_are_refused() {
    let (model, _) = tiny();
    let mut decoder = Decoder::new(Arc::clone(&model), by_name(&model, "strided:8"), &prefix()).expect("a decoder");
    decoder.set_policy(by_name(&model, "fixed:8,1")).expect("it needs no more");
    for name in ["fine_coarse", "topk:8", "lsh:16", "dense"] {
        let refused = decoder.set_policy(by_name(&model, name));
        assert!(matches!(&refused, Err(error @ DecodeError::NotKept(_)) if error.to_string().contains(name)), "{name}: {refused:?}");
    }
    decoder.begin_bar(96, music()[0].fields).expect("opened");
    assert!(matches!(decoder.set_policy(by_name(&model, "window:1")), Err(DecodeError::StillOpen(0))));
}

#[test]
fn graphs_without_queries_refuse_what_chooses_by_them() {
    let model = Model::from_bytes(runtime(), &tiny_without_queries(), "older").unwrap_or_else(|error| panic!("{error}"));
    let model = Arc::new(model);
    assert!(!model.gives_queries());
    let refused = Decoder::new(Arc::clone(&model), by_name(&model, "topk:8"), &prefix());
    assert!(matches!(&refused, Err(error @ DecodeError::NoQueries { .. }) if error.to_string().contains("export it again")), "{refused:?}");
    let mut decoder = Decoder::new(Arc::clone(&model), by_name(&model, "lsh:16"), &prefix()).expect("it needs none");
    decoder.append_bar(&music()[0]).expect("decoded");
}

/// Otherwise the tests above would prove nothing.
#[test]
fn policies_differ() {
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
