//! `antiphon corpus`: MIDI files to the rows that training reads.

mod file;
mod find;
mod piece;
mod report;
mod split;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use file::Corpus;
use find::Found;
use piece::Piece;
use report::Report;
use split::{Split, SplitRule};

/// Files read before their pieces are added to the corpus: it bounds what is held twice.
const BATCH: usize = 256;

/// Writes a folder of MIDI files as rows for training.
///
/// Every folder in DIR is a source; its files (.mid, .midi, also in folders further down) are its pieces. They are read in parallel, encoded by
/// the engine's own codec, and written into one safetensors file (docs/model-interface.md, section 4) in the order of their paths: the same input
/// gives the same bytes. A file that cannot be read is left out and reported; the others are written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of sources
    dir: PathBuf,

    /// File to write; it appears only when it is whole
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// CSV file with the columns path,source,split (path from DIR on; split: train, valid or test)
    ///
    /// Pieces of the split "test", and pieces that a source named in the file has but the file lacks, are left out. A source the file does not name
    /// is trained on; if it is called NAME-something after a source NAME that is, only those of its pieces whose namesakes are trained on.
    /// Without this option one piece in twenty validates, chosen by a hash of its path.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    split: Option<PathBuf>,

    /// Only these sources
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    sources: Vec<String>,

    /// Print the report as one JSON object: corpus, bytes, pieces, notes, bars, sources {name: counts}, refused [{path, reason}]
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let rule = args.split.as_deref().map_or(Ok(SplitRule::Hashed), SplitRule::read)?;
    let found = find::find(&args.dir, &args.sources)?;
    let output = Output::create(&args.output)?;

    let (corpus, mut report) = build(&found, &rule)?;
    if corpus.is_empty() {
        let refused = report.refused.first().map(|refused| format!("; the first refused: {}", refused.reason)).unwrap_or_default();
        bail!("{}: none of its {} MIDI files can be used; check the files and --split{refused}", args.dir.display(), found.files.len());
    }
    report.bytes = output.write(&corpus)?;
    report.corpus = args.output.display().to_string();
    report.print(args.json)
}

/// Reads all files and gathers their pieces in order.
fn build(found: &Found, rule: &SplitRule) -> anyhow::Result<(Corpus, Report)> {
    let mut corpus = Corpus::new(found.sources.clone());
    let mut report = Report::new(&found.sources);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left {wide_msg}").context("progress bar")?;
    let progress = ProgressBar::new(u64::try_from(found.files.len())?).with_style(style);
    for batch in found.files.chunks(BATCH) {
        let read = |file: &find::MidiFile| {
            let split = rule.split(&file.path).filter(|split| *split != Split::Test);
            let piece = split.map(|split| Piece::read(&file.full).map(|piece| (piece, split)));
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
                }
            }
        }
    }
    progress.finish_and_clear();
    Ok((corpus, report))
}

/// The file to be written, under another name until it is whole.
struct Output<'a> {
    path: &'a Path,
    file: tempfile::NamedTempFile,
}

impl<'a> Output<'a> {
    /// Begins the file now, so that a place that cannot be written is known before the work is done.
    fn create(path: &'a Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("{}: is a folder; give --output a file name", path.display());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".antiphon-corpus");
        // Like any new file, not private as temporary ones are.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).with_context(|| format!("{}: cannot be written; check --output", path.display()))?;
        Ok(Self { path, file })
    }

    /// Writes the corpus and gives the file its name. Returns its size in bytes.
    fn write(self, corpus: &Corpus) -> anyhow::Result<usize> {
        let failed = || format!("{}: cannot be written; check the free space", self.path.display());
        let bytes = corpus.write(BufWriter::new(self.file.as_file() as &File)).with_context(failed)?;
        self.file.persist(self.path).with_context(|| format!("{}: cannot be written; check --output", self.path.display()))?;
        Ok(bytes)
    }
}
