//! A minute of playing on the virtual clock of `cargo xtask soak`.

use std::process::Command;

use antiphon_engine::model::RUNTIME_VARIABLE;
use serde_json::Value;

fn soak(arguments: &[&str]) -> Value {
    assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).args(arguments).arg("--json").output().expect("the program runs");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn simulated_minute_has_planned_notes_and_none_is_late_or_hangs() {
    let report = soak(&["--minutes", "1"]);
    for key in ["late", "hanging"] {
        assert_eq!(report[key], 0, "{report}");
    }
    assert!(report["planned"].as_u64().is_some_and(|planned| planned > 20), "{report}");
    for key in ["on_time_share", "hit_rate", "staleness_beats", "rss_growth_mib"] {
        assert!(report[key].is_f64(), "{key}: {report}");
    }
}
