//! `antiphon bench`: speed of decoding on this machine.

mod measure;
mod report;

use std::sync::Arc;

use antiphon_engine::codec::skipped_bars;
use anyhow::{Result, ensure};

use self::report::Report;
use antiphon_cli::machine::Machine;
use antiphon_cli::model::ModelArgs;

/// The policy whose cost grows with the piece.
pub(super) const DENSE: &str = "dense";

/// Dense attention is measured up to this many bars: beyond it the answer is known and the wait is long.
const DENSE_BARS: u32 = 400;

/// Bars of the context from which a first note and a whole horizon are timed.
const HORIZON_CONTEXT: u32 = 100;

/// Measures the cost of a note against the length of the context, for each page policy.
///
/// The context is synthetic: 20 notes per bar, whatever the model. Notes are given, not chosen, but take the same path: one run per note, with masks and
/// noise. A bar's time includes laying out the cache at the bar line and the summary at its end. Each figure is the median of eight bars. horizon_ms is
/// four bars after a context of 100, of which the model sees the last ones, as in `continue`; it includes their prefill. horizon_whole_ms is with all 100
/// in the prefill. No data is needed; leave the machine alone meanwhile.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,

    /// Lengths of context in bars, rising
    #[arg(long, value_name = "BARS,...", value_delimiter = ',', default_values_t = [16, 100, 400, 1600], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    bars: Vec<u32>,

    /// Page policies to measure, one after the other: see `antiphon continue --help`
    #[arg(long = "policy", value_name = "NAME", default_values_t = ["fine_coarse", "window", DENSE].map(String::from), value_parser = antiphon_cli::policy::name)]
    policies: Vec<String>,

    /// Decoders at work at the same time, one thread each; times are those of the slowest
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,

    /// Print the result as one JSON object
    ///
    /// Its keys: ms_per_note {POLICY: {bars: ms}}, first_note_ms (after the prefill), horizon_ms,
    /// horizon_context_bars, horizon_whole_ms, cache_bytes and keys (as ms_per_note; rows a note sees), resident_bytes (null where
    /// the system does not say), threads, model (its name), machine.
    #[arg(long, verbatim_doc_comment)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let apart = |pair: &[u32]| pair[0] + measure::TIMED_BARS <= pair[1];
    ensure!(args.bars.windows(2).all(apart), "--bars: each length has to be at least {} above the one before", measure::TIMED_BARS);
    let model = Arc::new(args.model.open()?);
    let threads = usize::from(args.threads);
    // First, while memory holds one engine with its shipped attention and nothing of the baselines.
    let context = HORIZON_CONTEXT - skipped_bars(HORIZON_CONTEXT);
    let horizons = [measure::horizon(&model, context)?, measure::horizon(&model, HORIZON_CONTEXT)?];
    let mut policies = Vec::new();
    let mut resident = None;
    for name in &args.policies {
        let bars: Vec<u32> = args.bars.iter().copied().filter(|&bars| bars <= DENSE_BARS || name.as_str() != DENSE).collect();
        policies.push(measure::contexts(&model, name, &bars, threads)?);
        resident = resident.or_else(Machine::resident_bytes);
    }
    let report = Report { model: &model, threads, policies, horizons, resident, machine: Machine::this() };
    report.print(args.json)
}
