//! `antiphon-lab bench`: notes per second of Antiphon's model and of published models' shapes, in one run.

mod graph;
mod measure;
mod network;
mod peer;
mod report;
mod shapes;

use std::sync::Arc;

use antiphon_cli::console::Stream;
use antiphon_cli::machine::Machine;
use antiphon_cli::model::ModelArgs;
use anyhow::{Result, ensure};

use self::graph::Storage;
use self::measure::{Ours, compare};
use self::report::Report;
use self::shapes::{SHAPES, Shape};

/// Compares the speed of Antiphon's model with that of published models, in the same ONNX Runtime, on one thread.
///
/// The published models are shapes: networks with their layers, widths, vocabularies and runs per note, and with random weights, on which speed does not
/// depend. Each run has one row and a K/V cache, as they would be run live. Their classes are chosen greedily, in the graph; Antiphon's model samples under
/// its masks. Antiphon's model decodes bars of 20 notes, the runs at the bar lines and the summaries included, after a context of --bars bars; a shape
/// generates notes after a context of --notes notes. The two take turns, a bar's worth of notes each, so that both are measured under the same load: the
/// figures are the medians of --rounds turns, and the ratio is the median of the ratios of the turns. Needs 2 GB of memory for the largest shape in fp32.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,

    /// Shapes to measure, all by default: amt, midi-gpt, skytnt, piano
    #[arg(long = "shape", value_name = "NAME,...", value_delimiter = ',', value_parser = Shape::from_name)]
    shapes: Vec<Shape>,

    /// How the shapes' matrices are stored
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_enum, default_value = "int8,fp32")]
    weights: Vec<Storage>,

    /// Bars of context of Antiphon's model
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    bars: u32,

    /// Notes of context of a shape
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..))]
    notes: u16,

    /// Turns of the two
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Print the result as one JSON object
    ///
    /// Its keys: shapes [{name, weights, parameters, runs_per_note, field_runs_per_note, rows (that a note attends to), notes_per_second, ours_per_second, ratio, about, source}],
    /// model (its name), rows (that a note of ours attends to), rounds, machine.
    #[arg(long, verbatim_doc_comment)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let shapes = if args.shapes.is_empty() { SHAPES.to_vec() } else { args.shapes.clone() };
    let notes = usize::from(args.notes);
    for shape in &shapes {
        let most = shape.notes_in_window() - measure::NOTES_PER_TURN;
        ensure!(notes <= most, "--notes: {} attends to at most {most} notes before those of a turn", shape.name);
    }
    let runtime = args.model.runtime()?;
    let mut ours = Ours::new(Arc::new(args.model.open()?), args.bars)?;
    let mut comparisons = Vec::new();
    for shape in &shapes {
        for storage in &args.weights {
            comparisons.push(compare(runtime, &mut ours, shape, *storage, notes, args.rounds)?);
        }
    }
    let report = Report { comparisons, ours, bars: args.bars, notes, rounds: args.rounds, machine: Machine::this() };
    Stream::Output.print(&if args.json { report.json()? } else { report.text() })
}
