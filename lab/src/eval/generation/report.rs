//! Report on generated clips: text or JSON.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::folder::Manifest;
use super::measure::{DensityRatio, Distance, Measures, Pair};
use crate::eval::report::Skipped;

/// Contents of the report.
pub(super) struct Report<'a> {
    pub(super) folder: &'a Path,
    pub(super) manifest: &'a Manifest,
    pub(super) measures: Measures,
    /// Files that could not be read.
    pub(super) skipped: Vec<Skipped>,
}

impl Report<'_> {
    /// Prints the report to standard output.
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            writeln!(out, "{}", self.json()?)?;
        } else {
            self.print_text(&mut out)?;
        }
        Ok(())
    }

    fn json(&self) -> anyhow::Result<Value> {
        let mut json = serde_json::to_value(&self.measures)?;
        let Self { manifest, folder, skipped, .. } = self;
        let described = json!({
            "folder": folder.display().to_string(), "model": manifest.model, "seed": manifest.seed, "bars": manifest.bars,
            "prompt_bars": manifest.prompt_bars, "too_short": manifest.too_short, "skipped": skipped,
        });
        if let (Value::Object(json), Value::Object(described)) = (&mut json, described) {
            json.extend(described);
        }
        Ok(json)
    }

    fn print_text(&self, mut out: impl Write) -> io::Result<()> {
        let Self { folder, manifest, measures, skipped } = self;
        writeln!(
            out,
            "{} clips of {} bars after {} by {}, seed {}, in {}",
            measures.clips,
            manifest.bars,
            manifest.prompt_bars,
            manifest.model,
            manifest.seed,
            folder.display()
        )?;
        writeln!(out, "{:44} {:>9} {:>9}", "", "generated", "real")?;
        let mut row = |name: &str, Pair { generated, real }: Pair<f64>| writeln!(out, "{name:44} {generated:>9.4} {real:>9.4}");
        for (name, busy) in [("first 8 bars", measures.first_bars), ("last 8 bars", measures.last_bars)] {
            let of = |value: fn(&DensityRatio) -> f64| Pair { generated: value(&busy.generated), real: value(&busy.real) };
            row(&format!("{name}: notes per bar, of the prompt's"), of(|busy| busy.median))?;
            row(&format!("{name}: clips within 0.6 to 1.6 of it"), of(|busy| busy.steady))?;
        }
        row("last 8 bars that repeat an earlier one", measures.repeats)?;
        row("empty bars", measures.empty)?;
        row("stuck bars", measures.stuck)?;
        row("looping bars", measures.looping)?;
        let kinds =
            [("scale consistency", measures.scale), ("pitch-class entropy", measures.pitch_class), ("groove consistency", measures.groove)];
        for (name, kind) in kinds {
            if let Some(Distance { mean, .. }) = kind {
                row(name, mean)?;
            }
        }
        writeln!(out, "{:44} {:>9} {:>9}", "", "distance", "floor")?;
        for (name, kind) in kinds {
            if let Some(Distance { distance, floor, .. }) = kind {
                writeln!(out, "{name:44} {distance:>9.4} {floor:>9.4}")?;
            }
        }
        let similarity = &measures.similarity;
        let floor = similarity.floor.map_or("-".to_owned(), |floor| format!("{floor:.4}"));
        writeln!(out, "{:44} {:>9.4} {floor:>9}", "similarity error", similarity.error)?;
        writeln!(out, "{:44} {:>9} {:>9} {:>9}", "by source", "clips", "steady", "repeats")?;
        for (name, source) in &measures.sources {
            writeln!(out, "{name:44} {:>9} {:>9.4} {:>9.4}", source.clips, source.first_bars.generated.steady, source.repeats.generated)?;
        }
        manifest.too_short.iter().try_for_each(|source| writeln!(out, "no piece is long enough: {source}"))?;
        skipped.iter().try_for_each(|Skipped { path, reason }| writeln!(out, "skipped: {path}: {reason}"))
    }
}
