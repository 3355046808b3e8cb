//! `antiphon-lab eval --generate`: continues real pieces, keeps what was made, and measures it beside what really follows.

mod consistency;
mod folder;
mod measure;
pub(super) mod prompts;
mod repeats;
mod report;
mod sheet;
mod similarity;
mod spread;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_engine::cache::PagePolicy;
use antiphon_engine::decode::{DecodeError, Draw, Prompt, Sampling};
use antiphon_engine::model::Model;
use antiphon_engine::music::analysis::habits;
use antiphon_engine::music::{Clip, continuation, recent_notes, recent_roles};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use rayon::prelude::*;

use self::folder::{Entry, List};
use self::prompts::{Excerpt, Lengths, Prompts};
use self::report::Report;
use super::pieces::ChosenFile;
use super::progress_bar;
use super::report::Skipped;
use antiphon_cli::phrase::Phrases;
use antiphon_cli::phrase::RECENT_BARS;

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Do not score the model on DIR: let it continue N of its pieces, keep what it plays in --out, and measure that beside what really follows
    ///
    /// Sources take turns, in each the pieces in an order shuffled by --seed, each broken off at a bar drawn by it; the bars that are to follow must
    /// be there. The model hears --prompt-bars bars and continues as `antiphon continue` does without options. OUT/prompt, OUT/generated and OUT/real
    /// then hold what was heard, what was made and what really follows, as MIDI files of the same names, and OUT/clips.json lists them.
    ///
    /// What is measured, each beside the same of what really follows:
    ///   first_bars, last_bars  notes per bar of the first and last 8 bars as shares of the prompt's last 8: the middle clip's, and the shares of
    ///                          clips below 0.6, above 1.6 and between (steady)
    ///   similarity             Museformer's similarity error over bars 1 to 40 apart, of the melody (the lead, the highest notes where there is none):
    ///                          the mean difference of how alike bars so far apart are; with a 95 % interval, and the floor: real against real music
    ///   scale, pitch_class, groove
    ///                          the share of notes in the best major scale, the entropy of pitch classes in bits, and how alike the onsets of
    ///                          neighbouring bars are, as earth mover's distance to real music's, with the floor
    ///   repeats                share of the last 8 bars (those with notes) that strike the same keys at the same times as an earlier one
    ///   empty                  share of bars without a note
    ///   stuck                  share of bars in a row of four or more whose notes all start at one place of the bar, or all have one key
    ///   looping                share of bars in a passage of one, two or four bars that is played four times or more in succession
    /// With --json: these, clips, sources {name: {clips, first_bars, last_bars, repeats}}, folder, model, seed, bars, prompt_bars, too_short, skipped.
    #[arg(long, value_name = "N", requires_all = ["out", "dir"], verbatim_doc_comment, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) generate: Option<u32>,

    /// Folder for what is generated; it must be new or empty
    #[arg(long, value_name = "OUT", requires = "generate")]
    out: Option<PathBuf>,

    /// Measure a folder made with --generate once more
    #[arg(long, value_name = "OUT", conflicts_with = "generate")]
    pub(super) measure: Option<PathBuf>,

    /// How many bars to continue each piece by
    #[arg(long, value_name = "B", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) bars: u32,

    /// How many bars are heard of each piece
    #[arg(long, value_name = "B", default_value_t = 16, value_parser = clap::value_parser!(u32).range(8..=64))]
    pub(super) prompt_bars: u32,

    /// Where chance starts from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
}

/// The model that plays.
pub(super) struct Player {
    pub(super) model: Arc<Model>,
    pub(super) policy: Arc<dyn PagePolicy>,
}

/// Generates clips from these files, and measures them.
pub(super) fn generate(options: &Options, files: Vec<ChosenFile>, dir: &Path, player: &Player, json: bool) -> Result<()> {
    let (Some(count), Some(out)) = (options.generate, &options.out) else { bail!("--generate needs a folder to write to: --out") };
    folder::create(out)?;
    let lengths = Lengths { prompt: options.prompt_bars, bars: options.bars };
    let Prompts { prompts, too_short, skipped } =
        prompts::draw(files, dir, usize::try_from(count)?, lengths, options.seed, &progress_bar("files"))?;
    let progress = progress_bar("bars");
    progress.set_length(u64::from(lengths.bars) * u64::from(count));
    let make = |(number, prompt): (usize, &Excerpt)| -> Result<Entry> {
        let entry = Entry::new(number, prompt);
        let seed = options.seed.wrapping_add(u64::try_from(number)?);
        let clip = player.continued(&prompt.heard, lengths.bars, seed, &progress);
        let clip = clip.with_context(|| format!("{}: the model cannot continue it; try another --model or --onnxruntime", prompt.path))?;
        folder::write(out, &entry, prompt, &clip)?;
        Ok(entry)
    };
    let clips: Vec<Entry> = prompts.par_iter().enumerate().map(make).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let Lengths { prompt: prompt_bars, bars } = lengths;
    let list = List { model: player.model.info().name.clone(), seed: options.seed, prompt_bars, bars, too_short, clips };
    folder::finish(out, &list)?;
    measure_folder(out, skipped, json)
}

/// Measures a folder of generated clips.
pub(super) fn measure_folder(folder: &Path, skipped: Vec<Skipped>, json: bool) -> Result<()> {
    let (list, triples) = folder::read(folder)?;
    let measures = measure::measure(&list, &triples);
    Report { folder, list: &list, measures, skipped }.print(json)
}

impl Player {
    /// What the model makes of a prompt, as `antiphon continue` would without options. Its tick 0 is the end of the prompt.
    fn continued(&self, heard: &Clip, bars: u32, seed: u64, progress: &ProgressBar) -> Result<Clip, DecodeError> {
        let start = heard.end;
        let recent = recent_notes(heard, start, RECENT_BARS);
        let roles = recent_roles(heard, start, RECENT_BARS);
        let mut prompt = Prompt::continuation(heard, start, bars, None);
        prompt.constraints.roles = roles.iter().copied().collect();
        prompt.constraints.keep_to(&habits(&recent));
        let ensemble = prompts::roles(heard);
        let (model, policy) = (Arc::clone(&self.model), Arc::clone(&self.policy));
        let mut phrases = Phrases::new(&prompt, model, policy, &ensemble, Sampling::default());
        let notes = phrases.phrase(seed, Draw::FIRST, || {})?;
        progress.inc(bars.into());
        Ok(continuation::continued(heard, start, bars, &notes, RECENT_BARS))
    }
}
