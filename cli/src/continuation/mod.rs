//! `antiphon continue`: a MIDI file's next phrase.

mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use antiphon_engine::decode::Prompt;
use antiphon_engine::music::{Clip, Note, Role, Tick, continuation, recent_notes, recent_roles, smf};
use antiphon_roll::picture::Picture;

use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{draw_seed, in_order, milliseconds_each, progress, roles_in, thin_out};
use crate::piece::{self, Opening};
use crate::steering::{Measured, Steering};
use antiphon_cli::console::Stream;
use antiphon_cli::model::ModelArgs;
use antiphon_cli::output::{Output, check_new_folder, is_standard};
use antiphon_cli::phrase::{Phrases, RECENT_BARS};
use antiphon_cli::policy::PolicyArgs;
use report::{Report, Written};

/// Most bars and most variations of one call: far more than the plug-in requests.
const MOST_BARS: i64 = 256;
const MOST_VARIATIONS: i64 = 64;

const EXAMPLES: &str = "\
Examples:
  antiphon continue song.mid --bars 8 --picture -o out
  antiphon continue song.mid -k 4 --seed 7 --roles melody,bass --key \"D minor\" --scale-lock";

/// Continues a MIDI file: generates the bars that follow it, and writes them as MIDI and, with --picture, as a piano roll.
///
/// The continuation starts on the bar line after the last note. If the tracks go on for up to 4 bars of rest, as in a loop whose last bar is silent, it starts
/// after that rest; --from sets another bar. A last note that is released up to a sixteenth late does not cost a bar. The continuation is a whole number of bars
/// long. In its file, tick 0 is that bar line and every note ends before the last bar line; metre, track names, banks and programs are those in force at the
/// start, the tempo is the one that held longest in the last 8 bars, and each new note goes to the track that plays its role.
/// The same file, model, options and seed give the same bytes on the same machine.
///
/// Files are named after the source and the seed, IN-seedS.mid, and replace older files of that name. They are written when all variations are done, and each
/// appears only when it is complete.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file to continue, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    /// Bar to start at, counted from 1: the music of the source from there on is ignored
    #[arg(long, value_name = "BAR", value_parser = clap::value_parser!(u32).range(2..))]
    from: Option<u32>,

    #[command(flatten)]
    opening: Opening,

    /// How many bars to add
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=MOST_BARS))]
    bars: u32,

    /// How many different continuations to write, with the seeds S, S+1, ...
    ///
    /// One that turns out the same as an earlier one is generated again, more freely each time. If no different one is found, a message says so.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST_VARIATIONS))]
    variations: u32,

    /// Seed of the random choices: a number. By default one is chosen and printed
    #[arg(short, long, value_name = "S")]
    seed: Option<u64>,

    /// Folder to write to, created if it does not exist; - writes the one continuation to standard output and the report to standard error
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,

    /// Also draw each continuation, after the bars before it, as a piano roll: IN-seedS.png
    #[arg(short, long)]
    picture: bool,

    /// Print the result as one JSON object
    ///
    /// Its keys: files [{path, picture (with --picture), seed, start_bar (counted from 1 in the source), bars, notes}],
    /// ms_per_note (generation alone, without loading and prefill), seed (of the first), model (its name),
    /// key (null if none was given or detected), roles.
    #[arg(long)]
    json: bool,

    /// Roles that play, for instance melody,bass,left-hand; or the role of a part of the source, for instance Beat=drums
    ///
    /// By default the roles that play in the last 8 bars of the source. A role that no track of the source plays gets a track of its own. NAME=ROLE sets the role
    /// of the track of that name, where the file does not show it (`antiphon check` lists the roles it found). The roles are
    /// melody, chords, bass, drums, lead, pad, arp, strings, low-strings, keys, left-hand, guitar, organ, winds, brass and other.
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', value_parser = cast::read, help_heading = "Steering")]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// By default each role stays within the range that it played in the last 8 bars, extended by a fourth at both ends, and its chords get no fuller; and the
    /// whole gets no busier.
    #[arg(long, help_heading = "Steering")]
    free: bool,

    #[command(flatten)]
    steering: Steering,

    #[command(flatten, next_help_heading = "Model")]
    model: ModelArgs,

    #[command(flatten, next_help_heading = "Model")]
    policy: PolicyArgs,
}

/// A MIDI file and where it is continued.
struct Source<'a> {
    path: &'a Path,
    clip: Clip,
    /// The bar line after the last note.
    start: Tick,
    /// The roles to play.
    roles: Vec<Role>,
}

/// One continuation, generated but not yet written.
struct Generated {
    written: Written,
    contents: Vec<(PathBuf, Vec<u8>)>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let to_standard_output = is_standard(&args.output);
    ensure!(
        !to_standard_output || args.variations == 1 && !args.picture,
        "--output -: takes one file, so it goes with neither --variations nor --picture"
    );
    let seed = args.seed.unwrap_or_else(draw_seed);
    if !to_standard_output {
        check_output(args, seed)?;
    }
    let source = Source::read(args)?;
    let model = Arc::new(args.model.open()?);
    let name = model.info().name.clone();
    let policy = args.policy.open(&model)?;
    let mut prompt = Prompt::continuation(&source.clip, source.start, args.bars, args.steering.key());
    prompt.condition(|fields| args.steering.conditioning(fields));
    let (newcomers, recent) = (source.newcomers(), source.recent());
    let measured = (!args.free).then_some(Measured { newcomers: &newcomers, beside: &recent, own: &recent });
    args.steering.constrain(&mut prompt, &source.roles, measured, &args.input)?;
    let ensemble = source.ensemble();
    let sampling = args.steering.sampling();
    let mut phrases = Phrases::new(&prompt, model, policy, &ensemble, sampling);

    let progress = progress(prompt.context.len() + prompt.gap.len() * usize::try_from(args.variations)?)?;
    let mut generated = Vec::new();
    let mut earlier = Earlier::default();
    for variation in 0..args.variations {
        let seed = seed.wrapping_add(variation.into());
        let phrase = |draw| phrases.phrase(seed, draw, || progress.inc(1));
        let mut notes = earlier
            .draw_or_remark(seed, seed, &piece::name(&args.input), phrase)
            .with_context(|| format!("{}: continuing it failed", piece::name(&args.input)))?;
        thin_out(&mut notes, &newcomers);
        let clip = continuation::continued(&source.clip, source.start, args.bars, &notes, RECENT_BARS);
        generated.push(source.generated(args, &name, seed, &clip)?);
    }
    progress.finish_and_clear();

    let report = Report {
        files: write(generated, &args.output)?,
        ms_per_note: milliseconds_each(phrases.spent, phrases.notes),
        seed,
        model: name,
        key: prompt.key().map(|key| key.to_string()),
        roles: source.roles.iter().map(|role| role.name()).collect(),
    };
    report.print(&args.input, args.json, Stream::beside(&args.output))
}

impl<'a> Source<'a> {
    /// Reads the file, and refuses one that cannot be continued.
    fn read(args: &'a Args) -> Result<Self> {
        let path = args.input.as_path();
        let name = piece::name(path);
        let mut clip = piece::read(path, &args.opening)?.clip;
        let requested = cast::cast(&args.roles, &mut clip, path)?;
        let Some(after_the_end) = continuation::start(&clip) else {
            bail!("{name}: has no notes to continue; use a file with music in it");
        };
        let start = args.from.map_or(after_the_end, |bar| clip.metres.bar(bar - 1).start);
        let clip = continuation::context(&clip, start, RECENT_BARS);
        let index = clip.metres.bar_at(start).index;
        let bar = index.saturating_add(1);
        let Some(last) = clip.last_onset().map(|onset| clip.metres.bar_at(onset).index) else {
            bail!("{name}: has no notes before bar {bar} to continue; choose a later bar with --from");
        };
        ensure!(
            args.from.is_none() || index - last <= RECENT_BARS,
            "{name}: nothing plays in the {RECENT_BARS} bars before bar {bar}; choose an earlier bar with --from"
        );
        let only_drums = clip.parts.iter().flat_map(|part| &part.notes).all(|note| note.role == Role::Drums);
        if only_drums && requested.is_empty() {
            let cure = "add a pitched part, name the roles that should play, for instance --roles drums or --roles drums,bass, or set the role of a part, for instance --roles Loop=keys";
            bail!(
                "{name}: has nothing but drums (by channel 10, by name or by the keys they strike), so there is no harmony to continue; {cure}"
            );
        }
        let roles = if requested.is_empty() { recent_roles(&clip, start, RECENT_BARS) } else { in_order(requested.into_iter()) };
        Ok(Self { path, clip, start, roles })
    }

    /// Every role of the context and of the continuation.
    fn ensemble(&self) -> Vec<Role> {
        in_order(roles_in(&self.clip).chain(self.roles.iter().copied()))
    }

    /// The notes of the last bars.
    fn recent(&self) -> Vec<Note> {
        recent_notes(&self.clip, self.start, RECENT_BARS)
    }

    /// Roles of the continuation that the last bars do not have.
    fn newcomers(&self) -> Vec<Role> {
        let recent = self.recent();
        self.roles.iter().copied().filter(|role| recent.iter().all(|note| note.role != *role)).collect()
    }

    /// One continuation as files.
    fn generated(&self, args: &Args, model: &str, seed: u64, clip: &Clip) -> Result<Generated> {
        let path = if is_standard(&args.output) { args.output.clone() } else { file_in_folder(args, seed) };
        let mut contents = vec![(path.clone(), smf::write(clip).with_context(|| path.display().to_string())?)];
        let start_bar = self.clip.metres.bar_at(self.start).index.saturating_add(1);
        let notes = clip.note_count();
        let picture = args.picture.then(|| path.with_extension("png"));
        if let Some(picture) = &picture {
            let title = self.path.file_name().unwrap_or_default().to_string_lossy();
            let subtitle = format!("{} bars, {notes} notes by {model}, seed {seed}", args.bars);
            let png = Picture { title: &title, subtitle: &subtitle, context: &self.clip, seam: self.start, continuation: clip }.png();
            contents.push((picture.clone(), png.with_context(|| picture.display().to_string())?));
        }
        Ok(Generated { written: Written { path, picture, seed, start_bar, bars: args.bars, notes }, contents })
    }
}

/// The continuation with this seed.
fn file_in_folder(args: &Args, seed: u64) -> PathBuf {
    let stem = if is_standard(&args.input) { "stdin".into() } else { args.input.file_stem().unwrap_or_default().to_string_lossy() };
    args.output.join(format!("{stem}-seed{seed}.mid"))
}

/// Refuses a folder that cannot be made, or in which a file cannot be written, before the work is done.
fn check_output(args: &Args, seed: u64) -> Result<()> {
    if !args.output.is_dir() {
        return check_new_folder(&args.output, "--output");
    }
    for variation in 0..args.variations {
        let file = file_in_folder(args, seed.wrapping_add(variation.into()));
        Output::create(&file, "--output")?;
        if args.picture {
            Output::create(&file.with_extension("png"), "--output")?;
        }
    }
    Ok(())
}

/// Writes the continuations, each file whole.
fn write(generated: Vec<Generated>, folder: &Path) -> Result<Vec<Written>> {
    if !is_standard(folder) {
        fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made; check --output", folder.display()))?;
    }
    let mut written = Vec::with_capacity(generated.len());
    for continuation in generated {
        for (path, bytes) in &continuation.contents {
            Output::create(path, "--output")?.write(|to| to.write_all(bytes).map(|()| bytes.len()))?;
        }
        written.push(continuation.written);
    }
    Ok(written)
}
