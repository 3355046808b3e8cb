//! `antiphon continue`: a MIDI file's next phrase.

mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use antiphon_engine::decode::{Constraints, MONOPHONIC_ROLES};
use antiphon_engine::music::analysis::{Key, habits};
use antiphon_engine::music::{Clip, Note, Role, Tick, continuation, one_at_a_time, recent_notes, recent_roles, smf};
use antiphon_roll::picture::Picture;

use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{draw_seed, in_order, milliseconds_each, progress, roles_in};
use crate::piece::{self, Opening};
use crate::steering::Steering;
use antiphon_cli::console::{Stream, remark};
use antiphon_cli::model::ModelArgs;
use antiphon_cli::output::{Output, is_standard};
use antiphon_cli::phrase::{Phrases, RECENT_BARS, Score};
use antiphon_cli::policy::PolicyArgs;
use report::{Report, Written};

/// Most bars and most variations of one call: what a plug-in would ever ask for, many times over.
const MOST_BARS: i64 = 256;
const MOST_VARIATIONS: i64 = 64;

const EXAMPLES: &str = "\
Examples:
  antiphon continue song.mid --bars 8 --picture -o out
  antiphon continue song.mid -k 4 --seed 7 --roles melody,bass --key \"D minor\" --scale-lock";

/// Continues a MIDI file: writes the bars that follow it, as MIDI and, if asked, as a picture.
///
/// The continuation starts on the bar line after the last note, or behind the rest that a loop ends with, if its tracks go on so far and that is no more than 4
/// bars; --from says otherwise. A last note that is let go up to a sixteenth late does not count for another bar. It is whole bars long. In its file, tick 0 is
/// that bar line and every note ends inside; metre, track names, banks and programmes are those in force there, the tempo is the one that held longest in the
/// last 8 bars, and a new note goes to the track that plays its role.
/// The same file, model, options and seed give the same bytes on the same machine.
///
/// Files are named after the source and the seed, IN-seedS.mid; an older file of that name is replaced. Each appears only when it is whole, and none
/// before all variations are made.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file to continue, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    /// Bar to begin with, counted from 1: what the source has there and later does not count
    #[arg(long, value_name = "BAR", value_parser = clap::value_parser!(u32).range(2..))]
    from: Option<u32>,

    #[command(flatten)]
    opening: Opening,

    /// How many bars to add
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=MOST_BARS))]
    bars: u32,

    /// How many different continuations to write; they have the seeds S, S+1, ...
    ///
    /// One that comes out as an earlier one did is drawn again, ever more freely; if the music allows nothing else, that is said.
    #[arg(short = 'k', long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST_VARIATIONS))]
    variations: u32,

    /// Where chance starts from: a number. Without it one is drawn, and printed
    #[arg(short, long, value_name = "S")]
    seed: Option<u64>,

    /// Folder to write to; made if it is not there. - writes the one continuation to standard output, and the report to standard error
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,

    /// Also draw each continuation with the bars before it: a piano roll, IN-seedS.png
    #[arg(short, long)]
    picture: bool,

    /// Print the result as one JSON object
    ///
    /// Its keys: files [{path, picture (with --picture), seed, start_bar (counted from 1 in the source), bars, notes}],
    /// ms_per_note (making them, without loading and listening), seed (of the first), model (its name),
    /// key (null if none was named or heard), roles.
    #[arg(long)]
    json: bool,

    /// Roles that play, for instance melody,bass,left-hand; or what a part of the source is, for instance Beat=drums
    ///
    /// Without it: those that sound in the last 8 bars of the source. A role that no track of the source plays gets a track of its own. NAME=ROLE says what
    /// the track of that name is, where the source does not tell (`antiphon check` shows what was understood). There are
    /// melody, chords, bass, drums, lead, pad, arp, strings, low-strings, keys, left-hand, guitar, organ, winds, brass and other.
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', value_parser = cast::read, help_heading = "Steering")]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// Without it each keeps to where it has played in the last 8 bars, a fourth more at both ends, and to chords no fuller than there;
    /// and it all gets no busier than it was.
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

/// One continuation, not yet written.
struct Made {
    written: Written,
    contents: Vec<(PathBuf, Vec<u8>)>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let to_standard_output = is_standard(&args.output);
    ensure!(!to_standard_output || args.variations == 1 && !args.picture, "--output -: takes one file: neither --variations nor --picture");
    let source = Source::read(args)?;
    if !to_standard_output && args.output.exists() && !args.output.is_dir() {
        bail!("{}: is a file; give --output a folder", args.output.display());
    }
    let model = Arc::new(args.model.open()?);
    let name = model.info().name.clone();
    let policy = args.policy.open(&model)?;
    let mut score = Score::new(&source.clip, source.start, args.bars, args.steering.key());
    score.ask(|fields| args.steering.told(fields));
    let constraints = constraints(args, &source, score.key())?;
    let ensemble = source.ensemble();
    let sampling = args.steering.sampling();
    let mut phrases = Phrases::new(&score, model, policy, &ensemble, sampling, constraints);

    let seed = args.seed.unwrap_or_else(draw_seed);
    let progress = progress(score.heard_bars() + score.bars_ahead() * usize::try_from(args.variations)?)?;
    let mut made = Vec::new();
    let mut earlier = Earlier::default();
    let newcomers = source.newcomers();
    for variation in 0..args.variations {
        let seed = seed.wrapping_add(variation.into());
        let (mut notes, fault) = earlier
            .draw(seed, |draw| phrases.phrase(seed, draw, || progress.inc(1)))
            .with_context(|| format!("{}: continuing it failed", piece::name(&args.input)))?;
        if let Some(fault) = fault {
            remark(&format!("{}: {}", piece::name(&args.input), fault.describe(seed)));
        }
        newcomers.iter().filter(|role| MONOPHONIC_ROLES.contains(role)).for_each(|role| one_at_a_time(&mut notes, *role));
        let clip = continuation::continued(&source.clip, source.start, args.bars, &notes, RECENT_BARS);
        made.push(source.made(args, &name, seed, &clip)?);
    }
    progress.finish_and_clear();

    let report = Report {
        files: write(made, &args.output)?,
        ms_per_note: milliseconds_each(phrases.spent, phrases.notes),
        seed,
        model: name,
        key: score.key().map(|key| key.to_string()),
        roles: source.roles.iter().map(|role| role.name()).collect(),
    };
    report.print(&args.input, args.json, Stream::beside(&args.output))
}

impl<'a> Source<'a> {
    /// Reads the file, and refuses what cannot be continued.
    fn read(args: &'a Args) -> Result<Self> {
        let path = args.input.as_path();
        let name = piece::name(path);
        let mut clip = piece::read(path, &args.opening)?.clip;
        let wanted = cast::cast(&args.roles, &mut clip, path)?;
        let Some(after_the_end) = continuation::start(&clip) else {
            bail!("{name}: has no note to continue; give a file with music in it");
        };
        let start = args.from.map_or(after_the_end, |bar| clip.metres.bar(bar - 1).start);
        let clip = continuation::context(&clip, start, RECENT_BARS);
        let index = clip.metres.bar_at(start).index;
        let bar = index.saturating_add(1);
        let Some(last) = clip.last_onset().map(|onset| clip.metres.bar_at(onset).index) else {
            bail!("{name}: has no note before bar {bar} to continue; choose a later bar with --from");
        };
        ensure!(
            args.from.is_none() || index - last <= RECENT_BARS,
            "{name}: nobody plays in the {RECENT_BARS} bars before bar {bar}; choose an earlier bar with --from"
        );
        let only_drums = clip.parts.iter().flat_map(|part| &part.notes).all(|note| note.role == Role::Drums);
        if only_drums && wanted.is_empty() {
            let cure = "add a part with pitches, say what shall play, for instance --roles drums or --roles drums,bass, or what a part is, for instance --roles Loop=keys";
            bail!("{name}: holds nothing but drums (by channel 10, by name or by their keys), so there is no harmony to continue; {cure}");
        }
        let roles = if wanted.is_empty() { recent_roles(&clip, start, RECENT_BARS) } else { in_order(wanted.into_iter()) };
        Ok(Self { path, clip, start, roles })
    }

    /// Every role that is heard or to be played.
    fn ensemble(&self) -> Vec<Role> {
        in_order(roles_in(&self.clip).chain(self.roles.iter().copied()))
    }

    /// What has sounded of late.
    fn recent(&self) -> Vec<Note> {
        recent_notes(&self.clip, self.start, RECENT_BARS)
    }

    /// Roles that play although they have not of late.
    fn newcomers(&self) -> Vec<Role> {
        let recent = self.recent();
        self.roles.iter().copied().filter(|role| recent.iter().all(|note| note.role != *role)).collect()
    }

    /// One continuation as files.
    fn made(&self, args: &Args, model: &str, seed: u64, clip: &Clip) -> Result<Made> {
        let stem = if is_standard(self.path) { "stdin".into() } else { self.path.file_stem().unwrap_or_default().to_string_lossy() };
        let path = if is_standard(&args.output) { args.output.clone() } else { args.output.join(format!("{stem}-seed{seed}.mid")) };
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
        Ok(Made { written: Written { path, picture, seed, start_bar, bars: args.bars, notes }, contents })
    }
}

/// What may be chosen.
fn constraints(args: &Args, source: &Source<'_>, key: Option<Key>) -> Result<Constraints> {
    let mut constraints = Constraints { roles: source.roles.iter().copied().collect(), ..Constraints::default() };
    if !args.free {
        let recent = source.recent();
        source.newcomers().into_iter().for_each(|role| constraints.introduce(role, &recent));
        constraints.keep_to(&habits(&recent));
    }
    args.steering.limit(&mut constraints, key, &args.input)?;
    Ok(constraints)
}

/// Writes what was made, each file whole.
fn write(made: Vec<Made>, folder: &Path) -> Result<Vec<Written>> {
    if !is_standard(folder) {
        fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made; check --output", folder.display()))?;
    }
    let mut written = Vec::with_capacity(made.len());
    for continuation in made {
        for (path, bytes) in &continuation.contents {
            Output::create(path, "--output")?.write(|to| to.write_all(bytes).map(|()| bytes.len()))?;
        }
        written.push(continuation.written);
    }
    Ok(written)
}
