//! Shared parts of the commands that generate music: the seed, the progress bar, and the output file.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::cache::{CacheOptions, PagePolicy};
use antiphon_engine::codec::prefix_rows;
use antiphon_engine::decode::{DecodeError, Decoder, Draw, MONOPHONIC_ROLES, Sampling};
use antiphon_engine::model::Model;
use antiphon_engine::music::smf::{Edited, Source};
use antiphon_engine::music::{Clip, Note, Role, one_at_a_time};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::piece::name;
use crate::steering::Steering;
use antiphon_cli::console::{Stream, remark};
use antiphon_cli::model::ModelArgs;
use antiphon_cli::output::Output;
use antiphon_cli::phrase::ANY_STYLE;
use antiphon_cli::policy::PolicyArgs;

/// Options of the commands that write notes into a file.
#[derive(clap::Args)]
pub(crate) struct Generation {
    #[command(flatten)]
    pub(crate) finish: Finish,

    #[command(flatten)]
    pub(crate) steering: Steering,

    #[command(flatten, next_help_heading = "Model")]
    model: ModelArgs,

    #[command(flatten, next_help_heading = "Model")]
    policy: PolicyArgs,
}

impl Generation {
    /// Loads the model.
    pub(crate) fn open(&self) -> Result<Generator> {
        let model = Arc::new(self.model.open()?);
        let policy = self.policy.open(&model)?;
        Ok(Generator { model, policy, sampling: self.steering.sampling() })
    }
}

/// What generates the notes: the model with its attention policy and sampling.
pub(crate) struct Generator {
    pub(crate) model: Arc<Model>,
    pub(crate) policy: Arc<dyn PagePolicy>,
    sampling: Sampling,
}

impl Generator {
    /// A decoder of an ensemble for one draw of a seed.
    pub(crate) fn decoder(&self, ensemble: &[Role], memory: CacheOptions, seed: u64, draw: Draw) -> Result<Decoder, DecodeError> {
        let prefix = prefix_rows(ANY_STYLE, ensemble);
        let mut decoder = Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &prefix, memory)?;
        decoder.set_sampling(draw.sampling(self.sampling));
        decoder.set_seed(draw.seed(seed));
        Ok(decoder)
    }
}

/// Where the result goes, and how it is reported.
#[derive(clap::Args)]
pub(crate) struct Finish {
    /// MIDI file to write; an older file of that name is replaced and keeps its permissions. - is standard output, and the report goes to standard error
    #[arg(short, long, value_name = "OUT.mid", visible_alias = "out")]
    output: PathBuf,

    /// Seed of the random choices: a number. By default one is chosen and printed
    #[arg(short, long, value_name = "S")]
    seed: Option<u64>,

    /// Print the result as one JSON object
    ///
    /// Its keys: path, first_bar (counted from 1 in the source), bars, notes (new ones), ms_per_note (generation alone, without loading and prefill), seed, model
    /// (its name), roles.
    #[arg(long)]
    json: bool,
}

/// Summary of a generation. Its JSON keys are documented in the commands' help and are kept.
#[derive(Debug, Serialize)]
pub(crate) struct Work {
    pub(crate) first_bar: u32,
    pub(crate) bars: u32,
    pub(crate) notes: usize,
    pub(crate) ms_per_note: f64,
    pub(crate) seed: u64,
    pub(crate) model: String,
    pub(crate) roles: Vec<&'static str>,
}

impl Finish {
    /// Checks the place, so that one that cannot be written is known before the work is done.
    pub(crate) fn create(&self) -> Result<Output<'_>> {
        Output::create(&self.output, "--output")
    }

    /// The requested seed, or one by chance.
    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(draw_seed)
    }

    /// Writes `piece` with the notes of `whole` that are not in `kept` in place of its own, and prints a report in which `done` is the verb.
    pub(crate) fn write(
        &self,
        output: Output<'_>,
        piece: &Source,
        (kept, whole): (&Clip, &Clip),
        done: &str,
        input: &Path,
        work: &Work,
    ) -> Result<()> {
        let path = self.output.display();
        let Edited { bytes, left_out } = piece.edited(kept, whole).with_context(|| path.to_string())?;
        output.write(|to| to.write_all(&bytes).map(|()| bytes.len()))?;
        if left_out > 0 {
            remark(&format!("{}: new notes left out, because notes that stay in the file hold their keys: {left_out}", name(input)));
        }
        let stream = Stream::beside(&self.output);
        let notes = work.notes.saturating_sub(left_out);
        if self.json {
            let mut report = serde_json::to_value(work)?;
            report["path"] = serde_json::json!(self.output);
            report["notes"] = serde_json::json!(notes);
            return stream.print(&format!("{report}\n"));
        }
        let Work { first_bar, bars, ms_per_note, seed, model, roles, .. } = work;
        let last = first_bar.saturating_add(*bars) - 1;
        let mut text = String::new();
        writeln!(text, "{}: bars {first_bar} to {last} {done} by {model}, {ms_per_note:.2} ms per note", name(input))?;
        writeln!(text, "roles: {}\nseed: {seed}\n{notes} notes: {path}", roles.join(", "))?;
        stream.print(&text)
    }
}

/// The role of every note.
pub(crate) fn roles_in(clip: &Clip) -> impl Iterator<Item = Role> {
    clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.role)
}

/// Roles in canonical order, each once.
pub(crate) fn in_order(roles: impl Iterator<Item = Role>) -> Vec<Role> {
    roles.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Leaves one note at a time of the roles that are monophonic and new to the music.
pub(crate) fn thin_out(notes: &mut [Note], newcomers: &[Role]) {
    newcomers.iter().filter(|role| MONOPHONIC_ROLES.contains(role)).for_each(|role| one_at_a_time(notes, *role));
}

/// A seed short enough to type again.
pub(crate) fn draw_seed() -> u64 {
    const SEEDS: u64 = 1_000_000;
    // The standard library keys its hash maps with the system's randomness.
    std::hash::RandomState::new().build_hasher().finish() % SEEDS
}

/// A bar on standard error, if that is a terminal.
pub(crate) fn progress(bars: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} bars, {eta} left")?;
    Ok(ProgressBar::new(u64::try_from(bars)?).with_style(style))
}

/// Mean in milliseconds; 0 without notes.
pub(crate) fn milliseconds_each(spent: Duration, notes: usize) -> f64 {
    u32::try_from(notes).ok().filter(|notes| *notes > 0).map_or(0.0, |notes| spent.as_secs_f64() * 1e3 / f64::from(notes))
}
