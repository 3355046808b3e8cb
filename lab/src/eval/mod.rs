//! `antiphon-lab eval`: bits per note of a model and of the baselines on the same rows, and the measures of generated music.

mod agreement;
mod by_piece;
mod controls;
mod generation;
mod memorisation;
mod model;
mod percentile;
mod pieces;
mod player_memory;
mod prediction;
mod report;
mod tally;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use antiphon_engine::codec::vocabulary::FIELDS;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::baselines::{Baselines, uniform_nats};
use crate::corpus::find;
use crate::corpus::split::{Split, SplitRule};
use agreement::Agreement;
use antiphon_cli::model::ModelArgs;
use antiphon_cli::policy::PolicyArgs;
use model::EvalModel;
use pieces::{Choice, ChosenFile, ReadPieces};
use report::Report;
use tally::{PieceNats, Predictor, Tally};

/// Measures a model on MIDI files that it was not trained on: bits per note, by field and source, with
/// the baselines beside it.
///
/// Every folder in DIR is a source. Bits per note are the bits of all eight fields of every note and
/// of every bar end, divided by the number of notes: lower is better. All predictors see the same
/// rows. In pieces of one velocity the velocity is left out, in pieces without performed timing the
/// offset, for the model and the baselines alike. The model is conditioned on the notes before and
/// the metre; style and controls are unset. A file that cannot be read is skipped and named.
///
/// The baselines (fitted by `antiphon-lab corpus --baselines-out`):
///   uniform      all classes equally likely
///   n-gram       contexts of up to five notes, Witten-Bell and absolute discount, mixed
///   n-gram+copy  the n-gram mixed with copies of the bars 1, 2, 4 and 8 back
///
/// --json prints one object:
///   bits_per_note        of the model, mean over sources (each source weighs the same)
///   bits_per_note_micro  of the model, over all notes (each note weighs the same)
///   notes, pieces        how many were evaluated
///   fields               {field: bits per note}, mean over sources; they sum to bits_per_note
///   bars                 {"1-8", "9-32", "33+": {bits_per_note, notes, baselines}}: by bar of the
///                        piece, mean over sources
///   sources              {name: {bits_per_note, notes, pieces, fields, bars, baselines,
///                        baseline_fields}}
///   baselines            {ngram, ngram_copy, uniform}: bits per note, mean over sources
///   baselines_micro      the same over all notes
///   baseline_fields      {ngram, ngram_copy, uniform: {field: bits per note}}, mean over sources
///   model, policy        what was evaluated; null with --baselines-only
///   beside               {graph, bits_per_note_micro, loss, top1} with --beside
///   skipped              [{path, reason}]
/// Values of a predictor that was not evaluated are null.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folder of sources
    #[arg(required_unless_present_any = ["copy_check", "measure"])]
    dir: Option<PathBuf>,

    /// Baselines to evaluate beside the model, as written by `antiphon-lab corpus --baselines-out`
    #[arg(long, value_name = "FILE")]
    baselines: Option<PathBuf>,

    /// Evaluate no model
    #[arg(long, conflicts_with_all = ["model", "onnxruntime", "policy"])]
    baselines_only: bool,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    policy: PolicyArgs,

    /// CSV file with the columns path,source,split: only the pieces of one split
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,

    /// Which split of --split
    #[arg(long, value_name = "SPLIT", default_value = "valid", requires = "split")]
    only: Split,

    /// Only these sources
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    sources: Vec<String>,

    /// At most N pieces of each source, chosen by a hash of their paths: the same ones every time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit_pieces: Option<u32>,

    /// Threads; 0 = one per processor
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,

    /// Another graph of the same weights, for example a quantised one: its bits, and how often both rank the same class first
    #[arg(long, value_name = "FILE", conflicts_with = "baselines_only")]
    beside: Option<PathBuf>,

    /// Also write a CSV file with a line for each piece, range of bars and predictor: notes, and the bits of each field
    #[arg(long, value_name = "FILE")]
    by_piece: Option<PathBuf>,

    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    #[command(flatten, next_help_heading = "Memorisation")]
    memorisation: memorisation::Options,

    #[command(flatten, next_help_heading = "Generated music")]
    generation: generation::Options,

    #[command(flatten, next_help_heading = "Controls")]
    controls: controls::Options,

    #[command(flatten, next_help_heading = "Prediction of bars")]
    prediction: prediction::Options,

    /// Measure what a memory of the player is worth: bits per note of the first 16 bars of each piece, after 32 later bars of itself, of other pieces of its
    /// source and of another source, in several ways to remember them
    ///
    /// context: the earlier bars are the beginning of the piece. entries: only their memory entries are kept. Either also transposed to the key of the piece.
    /// ngram: intervals of the earlier bars' notes, mixed with the model's pitches. With --json one object: for each source, notes and the bits per note of
    /// each way.
    #[arg(long, requires = "dir", conflicts_with_all = ["generate", "measure", "controls", "next_bar", "fill", "accompany"])]
    player_memory: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build().context("cannot start the threads; lower --threads")?;
    threads.install(|| {
        if let Some(clips) = &args.memorisation.copy_check {
            return memorisation::run(&args.memorisation, clips, args.json);
        }
        if let Some(folder) = &args.generation.measure {
            generation::measure_folder(folder, Vec::new(), args.json)?;
        } else if let Some(dir) = &args.dir {
            evaluate(args, dir)?;
        } else {
            bail!("name a folder of sources");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Runs the measures that need a folder of sources.
fn evaluate(args: &Args, dir: &Path) -> anyhow::Result<()> {
    // Cheap checks first: a wrong option should not cost minutes.
    let rule = args.split.as_deref().map(SplitRule::read).transpose()?;
    let choice = Choice { split: rule.as_ref().map(|rule| (rule, args.only)), limit: args.limit_pieces };
    let files = choice.of(find::find(dir, &args.sources)?, dir)?;
    if args.generation.generate.is_some() || args.controls.controls.is_some() || args.prediction.task().is_some() {
        let Some(model) = args.eval_model()? else { bail!("--baselines-only: this measure needs a model; leave it out") };
        return match (args.controls.controls, args.prediction.task()) {
            (Some(prompts), _) => controls::run(prompts, &args.generation, files, dir, &model, args.json),
            (None, Some(task)) => prediction::run(task, args.generation.seed, files, dir, &model, args.json),
            (None, None) => generation::generate(&args.generation, files, dir, &model, args.json),
        };
    }
    if args.player_memory {
        let Some(model) = args.eval_model()? else { bail!("--baselines-only: this measure needs a model; leave it out") };
        return player_memory::run(files, dir, &model, args.json);
    }
    let report = bits_per_note(args, files, dir)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report.json())?;
        writeln!(out)?;
    } else {
        report.print(&mut out)?;
    }
    Ok(())
}

/// Computes bits per note of the model and the baselines.
fn bits_per_note(args: &Args, files: Vec<ChosenFile>, dir: &Path) -> anyhow::Result<Report> {
    let baselines = args.baselines.as_deref().map(Baselines::from_file).transpose()?;
    let model = args.eval_model()?;

    let progress = progress_bar("files");
    let ReadPieces { files, pieces, skipped } = pieces::read(files, dir, &progress)?;
    let mut nats: Vec<PieceNats> = pieces.par_iter().map(|piece| [None, None, None, Some(uniform_nats(piece))]).collect();
    if let Some(baselines) = &baselines {
        let progress = progress_bar("fields of the baselines");
        progress.set_length(u64::try_from(FIELDS)?);
        for (nats, baseline) in nats.iter_mut().zip(baselines.predict(&pieces, &progress)?) {
            nats[Predictor::Ngram as usize] = Some(baseline.ngram);
            nats[Predictor::NgramCopy as usize] = Some(baseline.ngram_copy);
        }
        progress.finish_and_clear();
    }

    let mut beside = None;
    if let Some(model) = &model {
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let predictions = model.predict(&pieces, &names, &progress_bar("notes"))?;
        if let Some(graph) = &args.beside {
            let other = model.with(args.model.open_other(graph)?).predict(&pieces, &names, &progress_bar("notes of the other graph"))?;
            beside = Some(Agreement::of(graph.display().to_string(), &pieces, &predictions, &other));
        }
        for (nats, predictions) in nats.iter_mut().zip(predictions) {
            nats[Predictor::Model as usize] = Some(predictions.into_iter().map(|bar| bar.nats).collect());
        }
    }

    if let Some(table) = &args.by_piece {
        by_piece::write(table, &files, &pieces, &nats)?;
    }
    let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
    for ((file, piece), nats) in files.iter().zip(&pieces).zip(&nats) {
        sources.entry(file.source.clone()).or_default().add(piece, nats);
    }
    Ok(Report {
        model: model.as_ref().map(|model| model.model.info().name.clone()),
        policy: model.as_ref().map(|model| model.policy.name()),
        baselines: baselines.is_some(),
        sources: sources.into_iter().collect(),
        beside,
        skipped,
    })
}

impl Args {
    /// The model and its policy; `None` with --baselines-only.
    fn eval_model(&self) -> anyhow::Result<Option<EvalModel>> {
        if self.baselines_only {
            return Ok(None);
        }
        let model = Arc::new(self.model.open()?);
        let policy = self.policy.open(&model)?;
        Ok(Some(EvalModel { model, policy }))
    }
}

/// A progress bar on standard error; hidden if that is no terminal.
fn progress_bar(of: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
    // The template is a constant that parses.
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(of)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::codec::{BarRows, NoteClasses};

    use super::tally::{PieceNats, Predictor};
    use crate::baselines::FieldNats;
    use crate::corpus::Piece;

    /// A piece with one note in each bar.
    pub(super) fn one_note_bars(bars: usize) -> Piece {
        let note = NoteClasses { beat: 0, sub: 0, role: 0, pitch: 60, duration: 23, velocity: 20, offset: 4 };
        let bar = |index| BarRows { index, ticks: 96, notes: vec![note], ..BarRows::default() };
        let bars = (0..u32::try_from(bars).unwrap()).map(bar).collect();
        Piece { bars, performed_timing: true, ..Piece::default() }
    }

    /// Results in which one predictor has `nats` for each field of each bar.
    pub(super) fn constant_nats(piece: &Piece, predictor: Predictor, nats: f64) -> PieceNats {
        let mut of_predictors: PieceNats = Default::default();
        let bar: FieldNats = [nats; 8];
        of_predictors[predictor as usize] = Some(vec![bar; piece.bars.len()]);
        of_predictors
    }
}
