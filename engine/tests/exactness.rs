//! Decoding over the paged cache gives what a whole-sequence Transformer with the policy's mask gives, for every policy, bar by bar and row by row.

mod common;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use antiphon_engine::{
    cache::{Dense, FineCoarse, PagePolicy, SlidingWindow},
    codec::{BarEnd, BarRows, Row, prefix_rows},
    decode::Decoder,
    model::{Model, Weights},
    music::Role,
};
use common::{
    fixture,
    music::piece,
    reference::{Reference, Whole},
    runtime,
};

/// Largest difference of a hidden value or a log probability.
const TOLERANCE: f32 = 1e-4;

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

fn policies(model: &Model) -> [Arc<dyn PagePolicy>; 3] {
    [Arc::new(FineCoarse::new(&model.info().fine_bars)), Arc::new(SlidingWindow { bars: 4 }), Arc::new(Dense)]
}

/// A piece long enough that the farthest fine bar and many summaries are in sight.
fn music() -> Vec<BarRows> {
    piece(5, 44, 14)
}

fn prefix() -> Vec<Row> {
    prefix_rows(2, &[Role::Melody, Role::Bass])
}

/// Compares `decode`, which returns the hidden state of every row of a bar (the last note's own may be left out), with the reference.
fn compare(decode: impl Fn(&mut Decoder, &BarRows) -> Vec<Vec<f32>>) {
    for (step, reference) in graphs() {
        let model = Arc::new(Model::open(runtime(), &step).unwrap_or_else(|error| panic!("{error}")));
        assert_ne!(model.info().weights, Weights::Int8, "int8 weights round activations: they are gated by bits per note, not here");
        let mut reference = Reference::open(&reference);
        for policy in policies(&model) {
            let music = music();
            let Whole { hidden, .. } = reference.run(model.info(), &prefix(), &music, &*policy);
            let mut decoder = Decoder::new(Arc::clone(&model), Arc::clone(&policy), &prefix()).expect("a decoder");
            for (bar, expected) in music.iter().zip(&hidden) {
                let found = decode(&mut decoder, bar);
                assert!(found.len() > bar.notes.len(), "rows of bar {}", bar.index);
                for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(off <= TOLERANCE, "{}: {}, bar {}, row {row}: off by {off}", step.display(), policy.name(), bar.index);
                }
            }
        }
    }
}

#[test]
fn whole_bars_equal_the_reference() {
    compare(|decoder, bar| {
        let score = decoder.score_bar(bar, BarEnd::Bar).expect("scored");
        let width = score.hidden.len() / score.rows.len();
        score.hidden.chunks(width).map(<[f32]>::to_vec).collect()
    });
}

#[test]
fn row_by_row_equals_the_reference() {
    compare(|decoder, bar| {
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
}

#[test]
fn scores_equal_the_reference() {
    for (step, reference) in graphs() {
        let model = Arc::new(Model::open(runtime(), &step).unwrap());
        let mut reference = Reference::open(&reference);
        for policy in policies(&model) {
            let music = music();
            let Whole { nll, .. } = reference.run(model.info(), &prefix(), &music, &*policy);
            let mut decoder = Decoder::new(Arc::clone(&model), Arc::clone(&policy), &prefix()).unwrap();
            let mut scored = 0;
            for (bar, expected) in music.iter().zip(&nll) {
                let score = decoder.score_bar(bar, BarEnd::Bar).unwrap();
                for (found, expected) in score.rows.iter().zip(expected) {
                    let true_ones = found.targets.iter().zip(found.nll.iter().zip(expected)).filter(|(target, _)| **target >= 0);
                    for (_, (found, expected)) in true_ones {
                        // Ten fields deep in the chain, errors of the hidden state add up.
                        assert!((found - expected).abs() <= 10.0 * TOLERANCE, "{}: {found} for {expected}", policy.name());
                        scored += 1;
                    }
                }
            }
            assert!(scored > 1000, "only {scored} values compared");
        }
    }
}

/// Otherwise the tests above would prove nothing.
#[test]
fn policies_differ() {
    let (step, reference) = graphs().swap_remove(0);
    let model = Model::open(runtime(), &step).unwrap();
    let mut reference = Reference::open(&reference);
    let last = policies(&model).map(|policy| reference.run(model.info(), &prefix(), &music(), &*policy).hidden.pop().unwrap());
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let off = last[a].concat().iter().zip(last[b].concat()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off > 100.0 * TOLERANCE, "policies {a} and {b} differ by {off} only");
    }
}
