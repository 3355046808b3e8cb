//! `antiphon bench` as its users see it: its keys are kept, and sparse attention sees no more after a long context than it should. No times are tested.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::process::{Command, Output};

use common::{fixture, runtime};
use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    runtime();
    Command::new(env!("CARGO_BIN_EXE_antiphon")).arg("bench").arg("--model").arg(fixture("tiny.onnx")).args(arguments).output().unwrap()
}

#[test]
fn json_report_keeps_its_keys() {
    let output = bench(&["--bars", "2,40,401", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["first_note_ms", "horizon_ms", "horizon_whole_ms"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}");
    }
    for key in ["machine", "model"] {
        assert!(!report[key].as_str().unwrap().is_empty(), "{key}");
    }
    for (policy, bars) in [("fine_coarse", ["2", "40", "401"].as_slice()), ("window", &["2", "40", "401"]), ("dense", &["2", "40"])] {
        for table in ["ms_per_note", "keys", "cache_bytes"] {
            let points = report[table][policy].as_object().unwrap();
            assert_eq!(points.keys().collect::<Vec<_>>().len(), bars.len());
            assert!(bars.iter().all(|bars| points[*bars].as_f64().unwrap() > 0.0), "{table} {policy}");
        }
    }
    // 22 rows a bar, eight of the bars before row by row, the others by a row each, at most 256 back.
    let keys = |policy: &str, bars: &str| report["keys"][policy][bars].as_u64().unwrap();
    assert_eq!(keys("fine_coarse", "401"), 1 + 8 * 22 + 248 + 21);
    assert_eq!(keys("window", "401"), 1 + 8 * 22 + 21);
    assert_eq!(keys("dense", "40"), 1 + 47 * 22 + 21);
}

#[test]
fn table_is_for_people_and_several_decoders_share_a_model() {
    let output = bench(&["--bars", "3", "--threads", "2"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["fine_coarse", "window", "dense", "ms/note", "2 at once", "context of 100"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn any_policies_are_measured() {
    let policies = ["summaries", "strided:8", "fixed:8,1", "topk", "lsh:16", "kmeans"];
    let mut arguments = vec!["--bars", "2,40", "--json"];
    policies.iter().for_each(|policy| arguments.extend(["--policy", policy]));
    let output = bench(&arguments);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["keys"].as_object().unwrap().len(), policies.len());
    // 22 rows a bar and the row of the prefix; 47 bars before the last one that is timed, whose own last row is not run before its end.
    let keys = |policy: &str| report["keys"][policy]["40"].as_u64().unwrap();
    assert_eq!(keys("summaries"), 1 + 47 + 21);
    assert_eq!(keys("strided:8"), 1 + (8 + 4) * 22 + 21);
    assert_eq!(keys("fixed:8,1"), 1 + (7 + 5) * 22 + 21);
    assert_eq!(keys("topk"), 1 + 8 * 22 + 21);
    for policy in ["lsh:16", "kmeans"] {
        assert!((1 + 22 + 46 + 21..=1 + 8 * 22 + 39 + 21).contains(&keys(policy)), "{policy}");
    }
}

#[test]
fn lengths_that_do_not_rise_are_refused() {
    let output = bench(&["--bars", "10,12"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--bars"));
}
