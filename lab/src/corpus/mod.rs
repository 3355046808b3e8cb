//! `antiphon-lab corpus`: encodes MIDI files as the rows that training reads.

mod file;
pub(crate) mod find;
mod piece;
mod report;
pub(crate) mod split;
pub(crate) mod stored;

use std::path::PathBuf;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::baselines::{Baselines, HeldOut, is_held_out};
use antiphon_cli::output::Output;
use file::Corpus;
use find::Found;
pub(crate) use piece::{Piece, share};
use report::{BaselinesReport, Report};
use split::{Split, SplitRule};

/// Files read in parallel before their pieces are added to the corpus; bounds how many pieces are in memory twice.
const BATCH: usize = 256;

/// Encodes a folder of MIDI files as rows for training.
///
/// Every folder in DIR is a source; its files (.mid, .midi, also in sub-folders) are its pieces. They are encoded by the engine's own codec and
/// written into one safetensors file (docs/model-interface.md, section 4), sorted by path: the same input gives the same bytes. A file that cannot be
/// read is left out and reported.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of sources
    dir: PathBuf,

    /// Output file; it appears only when it is complete
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// CSV file with the columns path,source,split (path from DIR on; split: train, valid or test)
    ///
    /// Pieces of the split "test", and pieces missing from the file although it names their source, are left out. Pieces of a source that the file
    /// does not name are training pieces. A source called NAME-something, where the file names the source NAME, counts as made from NAME: its pieces
    /// train only if the pieces of the same name in NAME do.
    ///
    /// Without this option one piece in twenty is a validation piece, chosen by a hash of its path.
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,

    /// Also fit the baselines on the training split, and write them to this file: n-gram and n-gram + copy, for `antiphon-lab eval --baselines`
    ///
    /// One training piece in 33, chosen by a hash of its path, is held out to fit the mixture weights. A million notes take about five seconds on two
    /// processors and 27 MB of file.
    #[arg(long, value_name = "FILE")]
    baselines_out: Option<PathBuf>,

    /// Only these sources
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    sources: Vec<String>,

    /// Print the report as one JSON object: corpus, bytes, pieces, notes, bars, sources {name: counts}, refused [{path, reason}], baselines
    #[arg(long)]
    json: bool,
}

/// Training pieces, kept in memory if baselines are fitted on them.
#[derive(Default)]
struct Training {
    /// Whether baselines are fitted.
    wanted: bool,
    /// Pieces that the n-grams count.
    counted: Vec<Piece>,
    /// Pieces that the mixture weights are fitted on.
    held_out: HeldOut,
}

impl Training {
    fn keep(&mut self, piece: Piece, file: &find::MidiFile) {
        match (self.wanted, is_held_out(&file.path)) {
            (false, _) => {}
            (true, false) => self.counted.push(piece),
            (true, true) => self.held_out.push(piece, file.source),
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let rule = args.split.as_deref().map_or(Ok(SplitRule::Hashed), SplitRule::read)?;
    let found = find::find(&args.dir, &args.sources)?;
    let output = Output::create(&args.output, "--output")?;
    let baselines_output = args.baselines_out.as_deref().map(|path| Output::create(path, "--baselines-out")).transpose()?;

    let mut training = Training { wanted: baselines_output.is_some(), ..Training::default() };
    let (corpus, mut report) = build(&found, &rule, &mut training)?;
    if corpus.is_empty() {
        let refused = report.refused.first().map(|refused| format!("; the first refused: {}", refused.reason)).unwrap_or_default();
        bail!("{}: none of its {} MIDI files can be used; check the files and --split{refused}", args.dir.display(), found.files.len());
    }
    report.bytes = output.write(|to| corpus.write(to))?;
    report.corpus = args.output.display().to_string();
    drop(corpus);
    if let Some(output) = baselines_output {
        let progress = ProgressBar::no_length().with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} baselines: {wide_msg}")?);
        let baselines = Baselines::fit(&training.counted, &training.held_out, &progress)?;
        progress.finish_and_clear();
        let bytes = output.write(|to| baselines.write(to))?;
        report.baselines = Some(BaselinesReport { bytes, fitted: baselines.fitted });
    }
    report.print(args.json)
}

/// Reads all files and adds their pieces to the corpus, in order.
fn build(found: &Found, rule: &SplitRule, training: &mut Training) -> anyhow::Result<(Corpus, Report)> {
    let mut corpus = Corpus::new(found.sources.clone());
    let mut report = Report::new(&found.sources);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left {wide_msg}").context("progress bar")?;
    let progress = ProgressBar::new(u64::try_from(found.files.len())?).with_style(style);
    for batch in found.files.chunks(BATCH) {
        let read = |file: &find::MidiFile| {
            let split = rule.split(&file.path).filter(|split| *split != Split::Test);
            let piece = split.map(|split| Piece::read(&file.full).map(|piece| (piece.with_chords(), split)));
            progress.inc(1);
            piece
        };
        let pieces: Vec<_> = batch.par_iter().map(read).collect();
        for (file, piece) in batch.iter().zip(pieces) {
            match piece {
                None => report.left_out(file.source),
                Some(Err(error)) => report.refused(&file.path, &error),
                Some(Ok((piece, split))) => {
                    report.count(file.source, &piece, split);
                    corpus.push(&piece, file.path.clone(), u8::try_from(file.source)?, split);
                    if split == Split::Train {
                        training.keep(piece, file);
                    }
                }
            }
        }
    }
    progress.finish_and_clear();
    Ok((corpus, report))
}
