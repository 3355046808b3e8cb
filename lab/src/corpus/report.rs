//! Report of `antiphon-lab corpus`: counts by source.

use std::io::{self, Write};

use antiphon_engine::codec::EncodeReport;
use serde::Serialize;

use super::piece::{Piece, share};
use super::split::Split;
use crate::baselines::Fitted;

/// The report; its serialisation is the JSON report.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Path of the file written.
    pub(crate) corpus: String,
    /// Size of the file.
    pub(crate) bytes: usize,
    /// Sum over the sources.
    #[serde(flatten)]
    total: SourceReport,
    #[serde(serialize_with = "as_map")]
    sources: Vec<(String, SourceReport)>,
    /// Files that could not be used.
    pub(crate) refused: Vec<Refused>,
    /// The fitted baselines (`--baselines-out`).
    pub(crate) baselines: Option<BaselinesReport>,
}

/// Size and training data of the baselines.
#[derive(Serialize)]
pub(crate) struct BaselinesReport {
    /// Size of their file in bytes.
    pub(crate) bytes: usize,
    /// Training data.
    #[serde(flatten)]
    pub(crate) fitted: Fitted,
}

/// A file that could not be used.
#[derive(Serialize)]
pub(crate) struct Refused {
    path: String,
    pub(crate) reason: String,
}

/// Counts of one source, or of all.
#[derive(Default, Clone, Serialize)]
struct SourceReport {
    pieces: usize,
    /// Pieces in the validation split.
    valid: usize,
    /// Pieces whose velocities carry no dynamics.
    flat_velocity: usize,
    /// Pieces with performed timing.
    performed_timing: usize,
    bars: usize,
    #[serde(flatten)]
    codec: EncodeReport,
    /// Duplicate notes within a part that the MIDI reader removed. Those between parts of one role are in `codec`.
    read_duplicates: u64,
    /// Files that the split leaves out.
    left_out: usize,
}

impl Report {
    pub(crate) fn new(sources: &[String]) -> Self {
        let sources = sources.iter().map(|name| (name.clone(), SourceReport::default())).collect();
        Self { corpus: String::new(), bytes: 0, total: SourceReport::default(), sources, refused: Vec::new(), baselines: None }
    }

    /// Adds a piece that was written.
    pub(crate) fn count(&mut self, source: usize, piece: &Piece, split: Split) {
        for counts in [&mut self.total, &mut self.sources[source].1] {
            counts.pieces += 1;
            counts.valid += usize::from(split == Split::Valid);
            counts.flat_velocity += usize::from(piece.flat_velocity);
            counts.performed_timing += usize::from(piece.performed_timing);
            counts.bars += piece.bars.len();
            counts.codec += piece.report;
            counts.read_duplicates += piece.read_duplicates;
        }
    }

    /// Adds a file that the split leaves out.
    pub(crate) fn left_out(&mut self, source: usize) {
        self.total.left_out += 1;
        self.sources[source].1.left_out += 1;
    }

    /// Adds a file that could not be used.
    pub(crate) fn refused(&mut self, path: &str, error: &anyhow::Error) {
        self.refused.push(Refused { path: path.to_owned(), reason: format!("{error:#}") });
    }

    /// Prints the report to standard output.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
        } else {
            self.print_table(&mut out)?;
        }
        Ok(())
    }

    fn print_table(&self, mut out: impl Write) -> io::Result<()> {
        let width = self.sources.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("source".len());
        writeln!(
            out,
            "{:width$}  {:>6} {:>6} {:>9} {:>9} {:>8} {:>8} {:>9} {:>6} {:>10} {:>9}",
            "source", "pieces", "valid", "notes", "bars", "doubled", "clamped", "off-grid", "flat", "performed", "left out"
        )?;
        let total = ("total".to_owned(), self.total.clone());
        for (name, counts) in self.sources.iter().chain([&total]) {
            let SourceReport { pieces, valid, bars, codec, flat_velocity, performed_timing, left_out, .. } = counts;
            let doubled = u64::try_from(codec.duplicates).unwrap_or(u64::MAX).saturating_add(counts.read_duplicates);
            writeln!(
                out,
                "{name:width$}  {pieces:>6} {valid:>6} {:>9} {bars:>9} {doubled:>8} {:>8} {:>8.1}% {flat_velocity:>6} {performed_timing:>10} {left_out:>9}",
                codec.notes,
                codec.clamped(),
                100.0 * share(codec.off_grid, codec.notes),
            )?;
        }
        for Refused { path, reason } in &self.refused {
            writeln!(out, "refused: {path}: {reason}")?;
        }
        writeln!(out, "{}: {} bytes", self.corpus, self.bytes)?;
        if let Some(BaselinesReport { bytes, fitted }) = &self.baselines {
            let Fitted { pieces, notes, held_out_pieces, held_out_notes } = fitted;
            writeln!(
                out,
                "baselines: {bytes} bytes; {notes} notes of {pieces} pieces counted, {held_out_notes} of {held_out_pieces} held out"
            )?;
        }
        Ok(())
    }
}

/// Serialises the sources as a map by name.
fn as_map<S: serde::Serializer>(sources: &[(String, SourceReport)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sources.iter().map(|(name, counts)| (name, counts)))
}
