//! Report of an instance's counters, as a line of JSON written when the instance is removed.
//!
//! Hosts cannot query these numbers. Bug reports should quote them, and `cargo xtask demo` prints them.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use antiphon_engine::plan::PlanStats;

use crate::meters::{Count, Meters};

/// Environment variable naming the file that instances append their line to. Without it nothing is written.
const VARIABLE: &str = "ANTIPHON_REPORT";

/// Appends the report to the file that [`VARIABLE`] names. Failures are ignored: they must not disturb the host.
pub(crate) fn leave(meters: &Meters, plans: PlanStats) {
    if let Some(path) = std::env::var_os(VARIABLE) {
        let _ = append(Path::new(&path), meters, plans);
    }
}

fn append(path: &Path, meters: &Meters, plans: PlanStats) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    // One write call, since instances may be removed at the same time.
    file.write_all(line(meters, plans).as_bytes())
}

/// Counts of plans and planned notes since the instance was created.
fn line(meters: &Meters, plans: PlanStats) -> String {
    let notes = |count| meters.count(count);
    let report = serde_json::json!({
        "plans_on_time": plans.on_time,
        "plans_late": plans.late,
        "planning_ticks": plans.ticks,
        "plans_kept": plans.kept,
        "bars_finished": plans.pages.finished,
        "bars_as_planned": plans.pages.as_planned,
        "bars_kept": plans.pages.kept,
        "bars_read": plans.pages.read,
        "notes_sounded": notes(Count::Played),
        "notes_late": notes(Count::Late),
        "notes_stale": notes(Count::Stale),
        "notes_yielded": notes(Count::Yielded),
        "notes_crowded": notes(Count::NoRoom),
        "events_unheard": notes(Count::DroppedInput),
        "events_refused": notes(Count::Refused),
    });
    format!("{report}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_has_one_line_per_instance_with_every_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let meters = Meters::default();
        for (number, count) in (10..).zip(Count::ALL) {
            meters.add(count, number);
        }
        for late in [1, 2] {
            append(&path, &meters, PlanStats { on_time: 5, late, ..PlanStats::default() }).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[0]["plans_late"], &lines[1]["plans_late"]), (2, &1.into(), &2.into()));
        assert_eq!((&lines[0]["plans_on_time"], &lines[0]["notes_sounded"], &lines[0]["notes_late"]), (&5.into(), &10.into(), &11.into()));
        // Four counts are of plans, four of the bars that were read for them.
        assert_eq!(lines[0].as_object().unwrap().len(), Count::ALL.len() + 8);
    }
}
