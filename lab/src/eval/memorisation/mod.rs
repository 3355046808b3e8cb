//! `antiphon-lab eval --copy-check`: the longest passages that clips share with the training music, compared with those of unseen music.

mod line;
mod report;
mod search;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use self::line::{Line, excerpt, lines};
use self::report::{Clip, Report};
use self::search::{Searcher, Shared};
use super::percentile::percentile;
use crate::corpus::Piece;
use crate::corpus::split::Split;
use crate::corpus::stored::StoredCorpus;

/// Percentile of the unseen excerpts whose longest passage is the limit for clips.
const UNSEEN_PERCENT: f64 = 99.0;

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Check for memorisation instead: the longest passage that this MIDI file, or each one in this folder, shares with the training music
    ///
    /// Passages are compared by intervals and rhythm, so that they are found in every key and at every tempo. A line is the highest note at every
    /// onset of a part, or of a role that several parts share, without drums. Onsets are first quantised to sixteenths or eighth triplets; rests
    /// longer than two bars count as two bars. The length of a passage is its number of notes, with repeated figures counted once: a single note
    /// repeated forty times occurs in any two pieces and counts as four.
    ///
    /// The reference is unseen music: from the middle of each validation piece as many bars as the clips have. Exit code 1 means that a clip shares a
    /// longer passage than 99 % of these excerpts do. With --json: training, training_pieces, limit (that length), unseen and lengths {count, bars,
    /// p50, p90, p99, max, values}, share_longer, longer (their paths), and clips [{path, bars, longest, plain}], each passage with notes_once,
    /// notes, voice, bar and the training piece, its voice and bar; plain is the passage with the most notes, repetitions included.
    #[arg(long, value_name = "PATH", requires = "training")]
    pub(super) copy_check: Option<PathBuf>,

    /// Training music: a corpus file written by `antiphon-lab corpus`
    #[arg(long, value_name = "FILE", requires = "copy_check")]
    training: Option<PathBuf>,

    /// Take the unseen music from the MIDI files in this folder instead of the validation pieces of the corpus file
    #[arg(long, value_name = "DIR", requires = "copy_check")]
    unseen: Option<PathBuf>,
}

/// Runs the check on `path` and prints it.
pub(super) fn run(options: &Options, path: &Path, json: bool) -> Result<ExitCode> {
    let Some(training) = &options.training else {
        bail!("--copy-check needs the training music: --training FILE, written by `antiphon-lab corpus`")
    };
    let clips = Clips::read(path)?;
    let unseen = options.unseen.as_deref().map(Clips::read).transpose()?;
    let corpus = StoredCorpus::open(training)?;
    let report = check(&corpus, training, &clips, unseen)?;
    report.print(json)?;
    Ok(if report.longer().next().is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Pieces with their file names.
struct Clips {
    names: Vec<String>,
    pieces: Vec<Piece>,
}

impl Clips {
    /// Reads a MIDI file, or all those in a folder.
    fn read(path: &Path) -> Result<Self> {
        let files = if path.is_dir() { midi_files(path)? } else { vec![path.to_owned()] };
        let pieces = files.par_iter().map(|file| Piece::read(file)).collect::<Result<_>>()?;
        Ok(Self { names: files.iter().map(|file| file.display().to_string()).collect(), pieces })
    }

    /// Median length in bars.
    fn bars(&self) -> usize {
        let mut bars: Vec<usize> = self.pieces.iter().map(|piece| piece.bars.len()).collect();
        bars.sort_unstable();
        bars.get(bars.len() / 2).copied().unwrap_or(0)
    }
}

/// MIDI files in a folder (not in its sub-folders), sorted by name.
fn midi_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> { std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
    let mut files = read().with_context(|| format!("{}: cannot be read; check the path", folder.display()))?;
    files
        .retain(|path| path.extension().is_some_and(|end| ["mid", "midi", "kar", "rmi"].iter().any(|midi| end.eq_ignore_ascii_case(midi))));
    files.sort();
    if files.is_empty() {
        bail!("{}: no MIDI files (.mid, .midi) in it; name a folder of clips or one clip", folder.display());
    }
    Ok(files)
}

fn check(corpus: &StoredCorpus, training: &Path, clips: &Clips, unseen: Option<Clips>) -> Result<Report> {
    let bars = clips.bars();
    let pieces = corpus.pieces(Split::Train);
    let unseen: Vec<Piece> = match unseen {
        Some(unseen) => unseen.pieces,
        None => corpus.pieces(Split::Valid).into_par_iter().map(|index| middle(&corpus.piece(index), bars)).collect(),
    };
    if pieces.is_empty() || unseen.is_empty() {
        bail!(
            "{}: no training pieces or no validation pieces in it; write it again with `antiphon-lab corpus --split`",
            training.display()
        );
    }
    let all: Vec<Vec<Line>> = clips.pieces.par_iter().chain(&unseen).map(lines).collect();
    let found = Searcher::new(&all).search(&pieces, |index| lines(&corpus.piece(index)));
    let (of_clips, of_unseen) = found.split_at(clips.pieces.len());
    let once = |shared: Option<Shared>| shared.map_or(0, |shared| shared.notes_once);
    let unseen_lengths: Vec<usize> = of_unseen.iter().map(|longest| once(longest.once)).collect();
    let clip = |(index, longest): (usize, &search::Longest)| {
        let passage = |shared: Shared| report::Passage::new(&all[index], shared, corpus);
        Clip {
            path: clips.names[index].clone(),
            bars: clips.pieces[index].bars.len(),
            longest: longest.once.map(passage),
            plain: longest.plain.map(passage),
        }
    };
    Ok(Report {
        training: training.display().to_string(),
        training_pieces: pieces.len(),
        limit: percentile(&unseen_lengths, UNSEEN_PERCENT).unwrap_or(0),
        unseen_bars: bars,
        clips: of_clips.iter().enumerate().map(clip).collect(),
        unseen: unseen_lengths,
    })
}

/// `bars` bars from the middle of a piece; all of it if it has no more.
fn middle(piece: &Piece, bars: usize) -> Piece {
    let bars = bars.min(piece.bars.len());
    let from = (piece.bars.len() - bars) / 2;
    excerpt(piece, from, from + bars)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;

    use super::line::tests::piece;
    use super::*;

    #[test]
    fn middle_of_a_piece_has_the_requested_bars_or_all() {
        let notes: Vec<_> = (0..9).map(|index| [(0, 0, Role::Melody, 60 + index, 0)]).collect();
        let whole = piece(&notes.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
        let pitches = |piece: &Piece| piece.bars.iter().map(|bar| bar.notes[0].pitch).collect::<Vec<_>>();
        assert_eq!(pitches(&middle(&whole, 3)), [63, 64, 65]);
        assert_eq!(pitches(&middle(&whole, 4)), [62, 63, 64, 65]);
        assert_eq!(middle(&whole, 99).bars.len(), 9);
    }
}
