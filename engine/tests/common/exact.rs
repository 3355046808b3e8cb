//! Comparison of decoding with the reference graph: policies, graphs, tolerance, and the loop over all of them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon_engine::{
    cache::{PagePolicy, Reads, policy},
    codec::{BarRows, Row, prefix_rows},
    decode::{BarScore, Decoder, Sampling, Step},
    model::{Model, Weights},
    music::Role,
};

use super::{
    fixture,
    music::piece,
    reference::{Reference, Whole},
    runtime,
};

/// Largest difference of a hidden value or a log probability.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// Whether bar b attends to bar j row by row, before or after it: an independent statement of docs/model-interface.md, "Attention mask and page policies".
pub(crate) type Rule = fn(u32, u32) -> bool;

/// Every policy, with its rule where that does not depend on the music.
pub(crate) const POLICIES: [(&str, Option<Rule>); 9] = [
    ("fine_coarse", Some(|b, j| [1, 2, 4, 8, 12, 16, 24, 32].contains(&b.abs_diff(j)))),
    ("summaries", Some(|_, _| false)),
    ("window:4", Some(|b, j| b.abs_diff(j) <= 4)),
    ("strided:6", Some(|b, j| b.abs_diff(j) <= 6 || b.abs_diff(j) % 6 == 0)),
    ("fixed:6,2", Some(|b, j| j / 6 == b / 6 || j % 6 >= 4)),
    ("dense", Some(|_, _| true)),
    ("topk:4", None),
    ("lsh:16", None),
    ("kmeans:8", None),
];

/// Pairs of step graph and reference graph: random weights always, the shipped ones if they are in `models/`.
pub(crate) fn graphs() -> Vec<(PathBuf, PathBuf)> {
    let mut graphs =
        vec![(fixture("tiny.onnx"), fixture("tiny-reference.onnx")), (fixture("tiny-memory.onnx"), fixture("tiny-memory-reference.onnx"))];
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

pub(crate) fn open(step: &Path) -> Arc<Model> {
    let model = Model::open(runtime(), step).unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(model.info().weights, Weights::Int8, "int8 weights round activations: they are gated by bits per note, not here");
    Arc::new(model)
}

pub(crate) fn tiny() -> (Arc<Model>, Reference) {
    let (step, reference) = graphs().swap_remove(0);
    (open(&step), Reference::open(&reference))
}

pub(crate) fn by_name(model: &Model, name: &str) -> Arc<dyn PagePolicy> {
    policy(name, &model.info().fine_bars).unwrap_or_else(|error| panic!("{error}"))
}

/// A piece long enough for the farthest fine bar and many summaries.
pub(crate) fn music() -> Vec<BarRows> {
    piece(5, 44, 14)
}

pub(crate) fn prefix() -> Vec<Row> {
    prefix_rows(2, &[Role::Melody, Role::Bass])
}

/// Compares hidden states of a bar, row after row, with the reference.
pub(crate) fn compare<'a>(found: impl Iterator<Item = &'a [f32]>, expected: &[Vec<f32>], what: &str) {
    for (row, (found, expected)) in found.zip(expected).enumerate() {
        let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= TOLERANCE, "{what}, row {row}: off by {off}");
    }
}

pub(crate) fn compare_scores(scores: &[BarScore], whole: &Whole, what: &str) {
    let mut scored = 0;
    for (bar, score) in scores.iter().enumerate() {
        let width = score.hidden.len() / score.rows.len();
        compare(score.hidden.chunks(width), &whole.hidden[bar], &format!("{what}, bar {bar}"));
        for (row, expected) in score.rows.iter().zip(&whole.nll[bar]) {
            let true_ones = row.targets.iter().zip(row.nll.iter().zip(expected)).filter(|(target, _)| **target >= 0);
            for (_, (found, expected)) in true_ones {
                // Errors of the hidden state add up along the chain of fields.
                assert!((found - expected).abs() <= 10.0 * TOLERANCE, "{what}, bar {bar}: {found} for {expected}");
                scored += 1;
            }
        }
    }
    assert!(scored > 1000, "only {scored} values compared");
}

/// A policy on a graph.
pub(crate) struct Case {
    /// Graph and policy, for messages.
    pub(crate) what: String,
    /// The rule that the policy must follow, if it does not depend on the music.
    pub(crate) rule: Option<Rule>,
    pub(crate) policy: Arc<dyn PagePolicy>,
}

/// Runs a test for every graph, with its reference, and every `wanted` policy that it can be run under.
pub(crate) fn for_every_policy(wanted: fn(&dyn PagePolicy) -> bool, mut test: impl FnMut(&Arc<Model>, &mut Reference, &Case)) {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        let policies: Vec<_> = runnable(&model).filter(|(.., policy)| wanted(&**policy)).collect();
        assert!(policies.len() >= 6, "only {} policies on {}", policies.len(), step.display());
        for (name, rule, policy) in policies {
            test(&model, &mut reference, &Case { what: format!("{}, {name}", step.display()), rule, policy });
        }
    }
}

/// A decoder that samples at temperature 1, without min-p.
pub(crate) fn plain_decoder(model: &Arc<Model>, policy: &Arc<dyn PagePolicy>) -> Decoder {
    let mut decoder = Decoder::new(Arc::clone(model), Arc::clone(policy), &prefix()).expect("a decoder");
    decoder.set_sampling(Sampling::PLAIN);
    decoder
}

/// Generates the rest of the open bar and ends it.
pub(crate) fn finish_bar(decoder: &mut Decoder) -> BarRows {
    while let Step::Note(_) = decoder.sample().expect("sampled") {}
    decoder.end_bar().expect("ended")
}

/// The policies that the graph can be run under.
pub(crate) fn runnable(model: &Model) -> impl Iterator<Item = (&'static str, Option<Rule>, Arc<dyn PagePolicy>)> {
    let policies = POLICIES.map(|(name, rule)| (name, rule, by_name(model, name)));
    let queries = model.gives_queries();
    policies.into_iter().filter(move |(.., policy)| queries || policy.reads() < Reads::Queries)
}
