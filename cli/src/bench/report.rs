//! The report, for people and for programs.

use std::fmt::Write;

use antiphon_engine::model::Model;
use anyhow::Result;
use serde_json::{Map, Value, json};

use antiphon_cli::console::Stream;
use antiphon_cli::machine::Machine;

use super::{
    DENSE, HORIZON_CONTEXT,
    measure::{HORIZON_BARS, Horizon, Point, Policy},
};

/// All measurements.
pub(super) struct Report<'a> {
    pub(super) model: &'a Model,
    pub(super) threads: usize,
    pub(super) policies: Vec<Policy>,
    /// With as much of the context as the model sees in `continue`, and with all of it.
    pub(super) horizons: [Horizon; 2],
    pub(super) resident: Option<u64>,
    pub(super) machine: Machine,
}

impl Report<'_> {
    /// Prints it to standard output.
    pub(super) fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            Stream::Output.print(&format!("{}\n", serde_json::to_string_pretty(&self.json())?))
        } else {
            Stream::Output.print(&self.text())
        }
    }

    fn json(&self) -> Value {
        let table = |value: fn(&Point) -> Value| {
            let row = |policy: &Policy| policy.points.iter().map(|point| (point.bars.to_string(), value(point))).collect::<Map<_, _>>();
            self.policies.iter().map(|policy| (policy.name.clone(), Value::Object(row(policy)))).collect::<Map<_, _>>()
        };
        let [seen, whole] = &self.horizons;
        json!({
            "ms_per_note": table(|point| json!(point.ms)),
            "first_note_ms": seen.first_note_ms,
            "horizon_ms": seen.total_ms,
            "horizon_context_bars": seen.context,
            "horizon_whole_ms": whole.total_ms,
            "cache_bytes": table(|point| json!(point.bytes)),
            "keys": table(|point| json!(point.keys)),
            "resident_bytes": self.resident,
            "threads": self.threads,
            "model": self.model.info().name,
            "machine": self.machine.to_string(),
        })
    }

    fn text(&self) -> String {
        let info = self.model.info();
        let mut text = format!(
            "{}: width {}, {} layers, {:?}; {}; {} at once\n\n{:>12}{:>8}{:>10}{:>8}{:>12}  against\n",
            info.name, info.width, info.layers, info.weights, self.machine, self.threads, "policy", "bars", "ms/note", "keys", "cache MiB"
        );
        for policy in &self.policies {
            for point in &policy.points {
                let Point { bars, ms, keys, bytes } = *point;
                let _ = writeln!(
                    text,
                    "{:>12}{bars:>8}{ms:>10.3}{keys:>8}{:>12}  {}",
                    policy.name,
                    mebibytes(bytes),
                    self.against(policy, point)
                );
            }
        }
        let _ = writeln!(text, "\n{HORIZON_BARS} bars after a context of {HORIZON_CONTEXT}:");
        for Horizon { context, prefill_ms, first_note_ms, total_ms } in &self.horizons {
            let _ = writeln!(
                text,
                "{total_ms:>8.0} ms with the last {context} in the prefill, which takes {prefill_ms:.0} ms of it; then the first note after {first_note_ms:.1} ms"
            );
        }
        if let Some((resident, policy)) = self.resident.and_then(|bytes| usize::try_from(bytes).ok()).zip(self.policies.first()) {
            let _ = writeln!(text, "Resident memory of the process after {}: {} MiB", policy.name, mebibytes(resident));
        }
        text
    }

    /// Ratios of a figure to its references: the same attention after the shortest and the next shorter context, and dense attention.
    fn against(&self, policy: &Policy, point: &Point) -> String {
        let mut ratios = Vec::new();
        let shorter: Vec<&Point> = policy.points.iter().take_while(|other| other.bars < point.bars).collect();
        let mut compare = |other: &Point| ratios.push(format!("{:.2} x {} bars", point.ms / other.ms, other.bars));
        match shorter.as_slice() {
            [] => {}
            [only] => compare(only),
            [first, .., last] => {
                compare(first);
                compare(last);
            }
        }
        let dense = self.policies.iter().find(|other| other.name == DENSE && policy.name != DENSE);
        if let Some(dense) = dense.and_then(|dense| dense.points.iter().find(|other| other.bars == point.bars)) {
            ratios.push(format!("dense is {:.1} x slower", dense.ms / point.ms));
        }
        ratios.join(", ")
    }
}

/// Mebibytes in tenths, exactly.
fn mebibytes(bytes: usize) -> String {
    let tenths = (bytes * 10) >> 20;
    format!("{}.{}", tenths / 10, tenths % 10)
}
