//! The plug-in's own counters.

use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Variable naming the file for the plug-in's report.
pub(crate) const VARIABLE: &str = "ANTIPHON_REPORT";

/// Counters of an instance from its creation to its removal.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Counts {
    plans_on_time: u64,
    plans_late: u64,
    notes_sounded: u64,
    notes_late: u64,
}

/// Reads the report of a removed instance.
pub(crate) fn read() -> Result<Counts> {
    let path = std::env::var_os(VARIABLE).with_context(|| format!("{VARIABLE} names no file"))?;
    let text = std::fs::read_to_string(&path).context("the plug-in left no report: it is of another version")?;
    serde_json::from_str(text.lines().next_back().unwrap_or_default()).context("reading the plug-in's report")
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plans_on_time, plans_late, notes_sounded, notes_late } = self;
        write!(
            f,
            "In its own count: {notes_sounded} notes sounded, {notes_late} late notes; {plans_on_time} plans in time, {plans_late} late."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_line_is_parsed() {
        let line = r#"{"notes_crowded":0,"notes_late":1,"notes_sounded":40,"plans_late":2,"plans_on_time":33}"#;
        let counts: Counts = serde_json::from_str(line).unwrap();
        assert_eq!(counts.to_string(), "In its own count: 40 notes sounded, 1 late notes; 33 plans in time, 2 late.");
    }
}
