//! Random histories of the plug-in, in both formats. `cargo xtask histories --count 1000000` runs more; a failing history is printed, shortened.

use std::process::Command;

use antiphon_engine::model::RUNTIME_VARIABLE;
use serde_json::Value;

/// What the program reports of histories that keep every rule.
fn report(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_histories")).args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A count of the report.
fn count(report: &Value, name: &str) -> u64 {
    report["counts"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn ten_thousand_scripted_histories_keep_every_rule() {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let report = report(&["--count", "10000", "--jobs", &jobs]);
    // Each history brings four planned notes at least, in its closing section; these are the ones before it.
    assert!(count(&report, "planned") > 4 * 10_000 + 20_000, "{report}");
    assert!(count(&report, "taken") > 50 && count(&report, "ended") > 500 && count(&report, "passed") > 100_000, "{report}");
    assert!(count(&report, "blocks") > 500_000, "{report}");
}

#[test]
fn two_hundred_histories_with_the_model_keep_every_rule() {
    assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
    let report = report(&["--count", "200", "--engine", "real", "--steps", "12"]);
    assert!(count(&report, "planned") >= 4 * 200, "{report}");
}
