//! The report, for people and for programs.

use std::fmt::Write;

use antiphon_cli::machine::Machine;
use anyhow::Result;
use serde_json::{Value, json};

use super::graph::Storage;
use super::measure::{Comparison, Ours};

/// All measurements.
pub(super) struct Report {
    pub(super) comparisons: Vec<Comparison>,
    pub(super) ours: Ours,
    /// Bars of context of Antiphon's model.
    pub(super) bars: u32,
    /// Notes of context of the shapes.
    pub(super) notes: usize,
    pub(super) rounds: u16,
    pub(super) machine: Machine,
}

impl Report {
    /// One JSON object.
    pub(super) fn json(&self) -> Result<String> {
        let shape = |comparison: &Comparison| {
            let Comparison { shape, storage, weights, rows, ms, ours_ms, ratio } = comparison;
            json!({
                "name": shape.name,
                "weights": storage_name(*storage),
                "parameters": shape.parameters(),
                "weights_in_graph": weights,
                "runs_per_note": shape.runs,
                "field_runs_per_note": shape.fields.map_or(0, |(_, runs)| runs),
                "rows": rows,
                "notes_per_second": Comparison::per_second(*ms),
                "ours_per_second": Comparison::per_second(*ours_ms),
                "ratio": ratio,
                "about": shape.about,
                "source": shape.source,
            })
        };
        let report = json!({
            "shapes": self.comparisons.iter().map(shape).collect::<Vec<Value>>(),
            "model": self.ours.name(),
            "rows": self.ours.rows(),
            "rounds": self.rounds,
            "machine": self.machine.to_string(),
        });
        Ok(format!("{}\n", serde_json::to_string_pretty(&report)?))
    }

    /// A table, then what the shapes are.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{} after {} bars ({} rows attended to), shapes after {} notes; one thread, medians of {} turns; {}\n\n{:>10}{:>8}{:>9}{:>12}{:>8}{:>10}{:>10}{:>16}\n",
            self.ours.name(),
            self.bars,
            self.ours.rows(),
            self.notes,
            self.rounds,
            self.machine,
            "shape",
            "weights",
            "size M",
            "runs/note",
            "rows",
            "notes/s",
            "ours/s",
            "ours is faster"
        );
        for Comparison { shape, storage, rows, ms, ours_ms, ratio, .. } in &self.comparisons {
            let runs = shape.fields.map_or_else(|| shape.runs.to_string(), |(_, fields)| format!("{} + {fields}", shape.runs));
            let _ = writeln!(
                text,
                "{:>10}{:>8}{:>9.1}{runs:>12}{rows:>8}{:>10.1}{:>10.1}{:>16}",
                shape.name,
                storage_name(*storage),
                shape.parameters() as f64 / 1e6,
                Comparison::per_second(*ms),
                Comparison::per_second(*ours_ms),
                format!("{ratio:.1} times")
            );
        }
        let mut named = None;
        for Comparison { shape, .. } in &self.comparisons {
            if named.replace(shape.name) != Some(shape.name) {
                let _ = write!(text, "\n{}: {}.\n  {}.\n", shape.name, shape.about, shape.source);
            }
        }
        text
    }
}

const fn storage_name(storage: Storage) -> &'static str {
    match storage {
        Storage::Int8 => "int8",
        Storage::Fp32 => "fp32",
    }
}
