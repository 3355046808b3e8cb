//! `antiphon-lab eval`: bits per note of a model and of the baselines, on the same rows.

mod agreement;
mod by_piece;
mod copying;
mod foretelling;
mod model;
mod percentile;
mod pieces;
mod playing;
mod report;
mod steering;
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
use model::Listener;
use pieces::{Choice, ChosenFile, ReadPieces};
use report::Report;
use tally::{PieceNats, Predictor, Tally};

/// Scores a model on MIDI files it should not have seen: bits per note, by field and source, with
/// the baselines beside it.
///
/// Every folder in DIR is a source. Bits per note are the bits of all eight fields of every note
/// and of every bar's end, divided by the notes: the lower the better, and the same rows for
/// everyone. In pieces of one velocity the velocity is left out, in pieces without performed
/// timing the offset, for the model and the baselines alike. The model knows the notes before and
/// the metre; style and controls are unset. A file that cannot be read is skipped and named.
///
/// The baselines (fitted by `antiphon-lab corpus --baselines-out`):
///   uniform      every class is as likely as any other
///   n-gram       contexts of up to five notes, Witten-Bell and absolute discount, mixed
///   n-gram+copy  that, mixed with copies of the bars 1, 2, 4 and 8 back
///
/// --json prints one object:
///   bits_per_note        the model's, mean over sources (each source weighs the same)
///   bits_per_note_micro  the model's, over all notes (each note weighs the same)
///   notes, pieces        what was scored
///   fields               {field: bits per note}, mean over sources; they sum to bits_per_note
///   bars                 {"1-8", "9-32", "33+": {bits_per_note, notes, baselines}}: by bar of the
///                        piece, mean over sources
///   sources              {name: {bits_per_note, notes, pieces, fields, bars, baselines,
///                        baseline_fields}}
///   baselines            {ngram, ngram_copy, uniform}: bits per note, mean over sources
///   baselines_micro      the same over all notes
///   baseline_fields      {ngram, ngram_copy, uniform: {field: bits per note}}, mean over sources
///   model, policy        what was scored; null with --baselines-only
///   beside               {graph, bits_per_note_micro, loss, top1} with --beside
///   skipped              [{path, reason}]
/// What was not scored is null.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folder of sources
    #[arg(required_unless_present_any = ["copy_check", "measure"])]
    dir: Option<PathBuf>,

    /// Baselines to score beside the model, as written by `antiphon-lab corpus --baselines-out`
    #[arg(long, value_name = "FILE")]
    baselines: Option<PathBuf>,

    /// Score no model
    #[arg(long, conflicts_with_all = ["model", "onnxruntime", "policy"])]
    baselines_only: bool,

    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    policy: PolicyArgs,

    /// CSV file with the columns path,source,split: score only the pieces of one split
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,

    /// Which split of --split is scored
    #[arg(long, value_name = "SPLIT", default_value = "valid", requires = "split")]
    only: Split,

    /// Only these sources
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    sources: Vec<String>,

    /// At most N pieces of each source, chosen by a hash of their paths: always the same ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit_pieces: Option<u32>,

    /// Threads; 0 = one for each processor
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,

    /// Another graph of the same weights, to see what storing them differently costs: its bits, and how often both find the same class most likely
    #[arg(long, value_name = "FILE", conflicts_with = "baselines_only")]
    beside: Option<PathBuf>,

    /// Also write a CSV line for each piece, stretch of bars and predictor: notes, and the bits of each field
    #[arg(long, value_name = "FILE")]
    by_piece: Option<PathBuf>,

    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    #[command(flatten, next_help_heading = "Memorisation")]
    copying: copying::Options,

    #[command(flatten, next_help_heading = "What it plays")]
    playing: playing::Options,

    #[command(flatten, next_help_heading = "Whether it does as asked")]
    steering: steering::Options,

    #[command(flatten, next_help_heading = "What comes next")]
    foretelling: foretelling::Options,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build().context("cannot start the threads; lower --threads")?;
    threads.install(|| {
        if let Some(clips) = &args.copying.copy_check {
            return copying::run(&args.copying, clips, args.json);
        }
        if let Some(folder) = &args.playing.measure {
            playing::measure_folder(folder, Vec::new(), args.json)?;
        } else if let Some(dir) = &args.dir {
            evaluate(args, dir)?;
        } else {
            bail!("name a folder of sources");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What needs the music of a folder.
fn evaluate(args: &Args, dir: &Path) -> anyhow::Result<()> {
    // What is cheap to find wrong comes first.
    let rule = args.split.as_deref().map(SplitRule::read).transpose()?;
    let choice = Choice { split: rule.as_ref().map(|rule| (rule, args.only)), limit: args.limit_pieces };
    let files = choice.of(find::find(dir, &args.sources)?, dir)?;
    if args.playing.generate.is_some() || args.steering.controls.is_some() || args.foretelling.task().is_some() {
        let Some(Listener { model, policy }) = args.listener()? else { bail!("--baselines-only: nothing plays then; leave it out") };
        let player = playing::Player { model, policy };
        return match (args.steering.controls, args.foretelling.task()) {
            (Some(prompts), _) => steering::run(prompts, &args.playing, files, dir, &player, args.json),
            (None, Some(task)) => foretelling::run(task, args.playing.seed, files, dir, &player, args.json),
            (None, None) => playing::generate(&args.playing, files, dir, &player, args.json),
        };
    }
    let report = score(args, files, dir)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report.json())?;
        writeln!(out)?;
    } else {
        report.print(&mut out)?;
    }
    Ok(())
}

/// Bits per note.
fn score(args: &Args, files: Vec<ChosenFile>, dir: &Path) -> anyhow::Result<Report> {
    let baselines = args.baselines.as_deref().map(Baselines::from_file).transpose()?;
    let listener = args.listener()?;

    let progress = progress_bar("files");
    let ReadPieces { files, pieces, skipped } = pieces::read(files, dir, &progress)?;
    let mut scores: Vec<PieceNats> = pieces.par_iter().map(|piece| [None, None, None, Some(uniform_nats(piece))]).collect();
    if let Some(baselines) = &baselines {
        let progress = progress_bar("fields of the baselines");
        progress.set_length(u64::try_from(FIELDS)?);
        for (scores, nats) in scores.iter_mut().zip(baselines.score(&pieces, &progress)?) {
            scores[Predictor::Ngram as usize] = Some(nats.ngram);
            scores[Predictor::NgramCopy as usize] = Some(nats.ngram_copy);
        }
        progress.finish_and_clear();
    }

    let mut beside = None;
    if let Some(listener) = &listener {
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let heard = listener.score(&pieces, &names, &progress_bar("notes"))?;
        if let Some(graph) = &args.beside {
            let other = listener.with(args.model.open_other(graph)?).score(&pieces, &names, &progress_bar("notes of the other graph"))?;
            beside = Some(Agreement::of(graph.display().to_string(), &pieces, &heard, &other));
        }
        for (scores, heard) in scores.iter_mut().zip(heard) {
            scores[Predictor::Model as usize] = Some(heard.into_iter().map(|heard| heard.nats).collect());
        }
    }

    if let Some(table) = &args.by_piece {
        by_piece::write(table, &files, &pieces, &scores)?;
    }
    let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
    for ((file, piece), scores) in files.iter().zip(&pieces).zip(&scores) {
        sources.entry(file.source.clone()).or_default().add(piece, scores);
    }
    Ok(Report {
        model: listener.as_ref().map(|listener| listener.model.info().name.clone()),
        policy: listener.as_ref().map(|listener| listener.policy.name()),
        baselines: baselines.is_some(),
        sources: sources.into_iter().collect(),
        beside,
        skipped,
    })
}

impl Args {
    /// The model and its policy; `None` with --baselines-only.
    fn listener(&self) -> anyhow::Result<Option<Listener>> {
        if self.baselines_only {
            return Ok(None);
        }
        let model = Arc::new(self.model.open()?);
        let policy = self.policy.open(&model)?;
        Ok(Some(Listener { model, policy }))
    }
}

/// A progress bar on standard error; nothing where that is no terminal.
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

    /// Bars with a note each.
    pub(super) fn one_note_bars(bars: usize) -> Piece {
        let note = NoteClasses { beat: 0, sub: 0, role: 0, pitch: 60, duration: 23, velocity: 20, offset: 4 };
        let bar = |index| BarRows { index, ticks: 96, notes: vec![note], ..BarRows::default() };
        let bars = (0..u32::try_from(bars).unwrap()).map(bar).collect();
        Piece { bars, performed_timing: true, ..Piece::default() }
    }

    /// Scores of one predictor: so many nats for each field of each bar.
    pub(super) fn scored(piece: &Piece, predictor: Predictor, nats: f64) -> PieceNats {
        let mut scores: PieceNats = Default::default();
        let bar: FieldNats = [nats; 8];
        scores[predictor as usize] = Some(vec![bar; piece.bars.len()]);
        scores
    }
}
