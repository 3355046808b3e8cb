//! `antiphon-lab bench` as its users see it. No times are tested.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::process::{Command, Output};

use common::{fixture, runtime};
use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    runtime();
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon-lab"));
    command.arg("bench").arg("--model").arg(fixture("tiny.onnx")).args(["--bars", "40", "--rounds", "2"]).args(arguments).output().unwrap()
}

#[test]
fn shape_is_measured_beside_our_model_in_both_storages() {
    let output = bench(&["--shape", "midi-gpt", "--notes", "100", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // 22 rows a bar: 8 bars row by row, the other 32 by a summary each, the prefix, the bar's own up to its last note.
    assert_eq!(report["rows"], 1 + 8 * 22 + 32 + 21);
    let shapes = report["shapes"].as_array().unwrap();
    assert_eq!(shapes.iter().map(|shape| shape["weights"].as_str().unwrap()).collect::<Vec<_>>(), ["int8", "fp32"]);
    for shape in shapes {
        assert_eq!(
            (shape["name"].as_str(), shape["runs_per_note"].as_u64(), shape["rows"].as_u64()),
            (Some("midi-gpt"), Some(3), Some(301))
        );
        for key in ["notes_per_second", "ours_per_second", "ratio"] {
            assert!(shape[key].as_f64().unwrap() > 0.0, "{key}");
        }
        // The head, which the published model shares with its embedding, is in the graph once more.
        let (stated, built) = (shape["parameters"].as_u64().unwrap(), shape["weights_in_graph"].as_u64().unwrap());
        assert_eq!(built - stated, 647 * 512);
        assert!(shape["source"].as_str().unwrap().contains("yellow_small.json"));
    }
}

#[test]
fn context_that_the_shape_cannot_attend_to_is_refused() {
    let output = bench(&["--shape", "amt", "--notes", "400"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("amt attends to at most 321 notes"), "{message}");
}
