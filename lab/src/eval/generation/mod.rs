//! `antiphon-lab eval --generate`: continues real pieces, keeps the results, and measures them beside the real continuations.

mod consistency;
mod folder;
mod measure;
pub(super) mod prompts;
mod repeats;
mod report;
mod rows;
mod sheet;
mod similarity;
mod statistics;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_engine::decode::{DecodeError, Draw, Prompt, Sampling};
use antiphon_engine::music::analysis::habits;
use antiphon_engine::music::{Clip, continuation, recent_notes, recent_roles};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use rayon::prelude::*;

use self::folder::{Entry, Manifest};
use self::prompts::{EvalPrompt, EvalPrompts, Lengths};
use self::report::Report;
use super::model::EvalModel;
use super::pieces::ChosenFile;
use super::progress_bar;
use super::report::Skipped;
use antiphon_cli::phrase::Phrases;
use antiphon_cli::phrase::RECENT_BARS;

/// The command's options.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Options {
    /// Measure generated music instead of bits per note: continue N pieces, write the results to --out, and compare them with the real continuations
    ///
    /// The sources alternate; each one's pieces are in an order shuffled by --seed, and each piece is cut at a bar drawn with it, so that the piece
    /// goes on for --bars bars. The context is --prompt-bars bars, and the options those of `antiphon continue` by default. OUT/prompt, OUT/generated
    /// and OUT/real then hold the context, the generated and the real continuation, as MIDI files of the same names, and OUT/clips.json lists them.
    ///
    /// The measures, each for generated and real music:
    ///   first_bars, last_bars  notes per bar of the first and last 8 bars as a ratio to the prompt's last 8: the median, and the shares of clips
    ///                          below 0.6, above 1.6 and between (steady)
    ///   similarity             Museformer's similarity error over distances of 1 to 40 bars, of the melody (the lead, the highest notes where there is
    ///                          none): the mean difference in similarity of bars at a distance; with a 95 % interval, and the floor: real against real
    ///   scale, pitch_class, groove
    ///                          share of notes in the best major scale, entropy of pitch classes in bits, similarity of the onsets of neighbouring
    ///                          bars; each as earth mover's distance to real music, with the floor
    ///   repeats                share of the last 8 bars (those with notes) that have the same keys at the same times as an earlier bar
    ///   empty                  share of bars without a note
    ///   stuck                  share of bars in a run of four or more whose notes all start at one place of the bar, or all have one key
    ///   looping                share of bars in a passage of one, two or four bars that occurs four times or more in succession
    /// With --json: these, clips, sources {name: {clips, first_bars, last_bars, repeats}}, folder, model, seed, bars, prompt_bars, too_short, skipped.
    #[arg(long, value_name = "N", requires_all = ["out", "dir"], verbatim_doc_comment, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) generate: Option<u32>,

    /// Output folder; it must be new or empty
    #[arg(long, value_name = "OUT", requires = "generate")]
    out: Option<PathBuf>,

    /// Also continue each prompt V times, with seeds of their own, and write the classes of all its clips to OUT/rows, from which models/training/judge.py learns
    /// to tell them from the real ones
    ///
    /// OUT/rows/NAME.json has source, piece, the bars of the prompt, and for real and for each of generated: bars {ticks, fields, notes}, nats and hidden. fields
    /// are key, density, register, span, voices, mood and repeats, notes are beat, sub, role, pitch, duration, velocity and offset, all as classes. nats are
    /// the model's for each field, hidden its last hidden state, mean over the clip. The first of generated is the clip in OUT/generated; of clip n, counted
    /// from 0, it has the seed S + n V, and the others the seeds after it.
    #[arg(long, value_name = "V", requires = "generate", verbatim_doc_comment, value_parser = clap::value_parser!(u32).range(1..=64))]
    variations: Option<u32>,

    /// Measure the clips of a folder written by --generate again
    #[arg(long, value_name = "OUT", conflicts_with = "generate")]
    pub(super) measure: Option<PathBuf>,

    /// Bars to generate for each piece
    #[arg(long, value_name = "B", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) bars: u32,

    /// Bars of context from each piece
    #[arg(long, value_name = "B", default_value_t = 16, value_parser = clap::value_parser!(u32).range(8..=64))]
    pub(super) prompt_bars: u32,

    /// Random seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
}

/// Generates continuations of pieces among these files, and measures them.
pub(super) fn generate(options: &Options, files: Vec<ChosenFile>, dir: &Path, model: &EvalModel, json: bool) -> Result<()> {
    let (Some(count), Some(out)) = (options.generate, &options.out) else {
        bail!("--generate needs an output folder; name one with --out")
    };
    folder::create(out)?;
    let lengths = Lengths { prompt: options.prompt_bars, bars: options.bars };
    let EvalPrompts { prompts, too_short, skipped } =
        prompts::draw(files, dir, usize::try_from(count)?, lengths, options.seed, &progress_bar("files"))?;
    let variations = u64::from(options.variations.unwrap_or(1));
    let progress = progress_bar("bars");
    progress.set_length(u64::from(lengths.bars) * u64::from(count) * variations);
    let make = |(number, prompt): (usize, &EvalPrompt)| -> Result<Entry> {
        let entry = Entry::new(number, prompt);
        let first = options.seed.wrapping_add(u64::try_from(number)?.wrapping_mul(variations));
        let seeds = (0..variations).map(|variation| first.wrapping_add(variation));
        let clips = model.continued(&prompt.context, lengths.bars, seeds, &progress);
        let clips =
            clips.with_context(|| format!("{}: the model cannot continue it; try another --model or --onnxruntime", prompt.path))?;
        folder::write(out, &entry, prompt, &clips[0])?;
        if options.variations.is_some() {
            rows::write(out, &entry, prompt, &clips, model)?;
        }
        Ok(entry)
    };
    let clips: Vec<Entry> = prompts.par_iter().enumerate().map(make).collect::<Result<_>>()?;
    progress.finish_and_clear();
    let Lengths { prompt: prompt_bars, bars } = lengths;
    let manifest = Manifest { model: model.model.info().name.clone(), seed: options.seed, prompt_bars, bars, too_short, clips };
    folder::finish(out, &manifest)?;
    measure_folder(out, skipped, json)
}

/// Measures a folder of generated clips.
pub(super) fn measure_folder(folder: &Path, skipped: Vec<Skipped>, json: bool) -> Result<()> {
    let (manifest, triples) = folder::read(folder)?;
    let measures = measure::measure(&manifest, &triples);
    Report { folder, manifest: &manifest, measures, skipped }.print(json)
}

impl EvalModel {
    /// The continuations of a prompt with these seeds, as `antiphon continue` makes them by default. They start at tick 0, the end of the prompt.
    fn continued(
        &self,
        context: &Clip,
        bars: u32,
        seeds: impl Iterator<Item = u64>,
        progress: &ProgressBar,
    ) -> Result<Vec<Clip>, DecodeError> {
        let start = context.end;
        let recent = recent_notes(context, start, RECENT_BARS);
        let roles = recent_roles(context, start, RECENT_BARS);
        let mut prompt = Prompt::continuation(context, start, bars, None);
        prompt.constraints.roles = roles.iter().copied().collect();
        prompt.constraints.keep_to(&habits(&recent));
        let ensemble = prompts::roles(context);
        let (model, policy) = (Arc::clone(&self.model), Arc::clone(&self.policy));
        let mut phrases = Phrases::new(&prompt, model, policy, &ensemble, Sampling::default());
        let continued = |seed| {
            let notes = phrases.phrase(seed, Draw::FIRST, || {})?;
            progress.inc(bars.into());
            Ok(continuation::continued(context, start, bars, &notes, RECENT_BARS))
        };
        seeds.map(continued).collect()
    }
}
