//! `antiphon fill`: bars of a MIDI file, made so that they lead from what comes before them into what follows.

mod score;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::cache::GapError;
use antiphon_engine::codec::{self, prefix_rows};
use antiphon_engine::decode::{Constraints, DecodeError, Decoder, Draw, MONOPHONIC_ROLES};
use antiphon_engine::music::analysis::habits;
use antiphon_engine::music::{Note, Role, Tick, insertion, one_at_a_time};
use anyhow::{Context, Result, bail, ensure};

use self::score::{BarSpan, Score};
use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{Finish, Work, in_order, milliseconds_each, progress, roles_in};
use crate::piece::{self, Opening, Piece};
use crate::steering::Steering;
use antiphon_cli::model::ModelArgs;
use antiphon_cli::phrase::{ANY_STYLE, RECENT_BARS};
use antiphon_cli::policy::{PolicyArgs, ample};

const EXAMPLES: &str = "\
Examples:
  antiphon fill song.mid --bars 17..20 -o filled.mid
  antiphon fill loop.mid --bars 4 --roles drums --seed 7 -o loop2.mid";

/// Fills bars of a MIDI file so that they lead from the music before them into the music after, or writes them anew.
///
/// What the roles that play had in those bars is replaced: their notes, and nothing but notes. Everything else in the file stays as it is, byte for byte:
/// controllers, pitch bends, programmes, texts, other tracks. That holds inside the bars, too: the pedal goes down and up there where it did, also under new
/// notes. A note that rings into the bars is left as it is, and every new note ends inside them; one on a key that still sounds is left out. A new note goes to
/// the track that plays its role. Up to 64 bars before and 16 after are heard; the model was trained to fill up to
/// eight bars at once.
/// The same file, model, options and seed give the same bytes on the same machine.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    #[command(flatten)]
    opening: Opening,

    /// The first and the last bar to fill, counted from 1, for instance 17..20; or one bar
    #[arg(short, long, value_name = "A..B", value_parser = BarSpan::read)]
    bars: BarSpan,

    /// Roles that play in those bars, for instance melody,bass; notes of others stay. Or what a part of the file is, for instance Beat=drums
    ///
    /// Without it: every role that plays in the 8 bars before them or the 8 bars after, and no note in the bars stays. A role that no track of the source plays
    /// gets a track of its own. NAME=ROLE says what the track of that name is, where the file does not tell (`antiphon check` shows what was understood).
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', value_parser = cast::read, help_heading = "Steering")]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// Without it each keeps to where it plays in the 8 bars before and after, a fourth more at both ends, and to chords no fuller than there;
    /// and it all gets no busier than it is there.
    #[arg(long, help_heading = "Steering")]
    free: bool,

    #[command(flatten)]
    finish: Finish,

    #[command(flatten)]
    steering: Steering,

    #[command(flatten, next_help_heading = "Model")]
    model: ModelArgs,

    #[command(flatten, next_help_heading = "Model")]
    policy: PolicyArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let output = args.finish.create()?;
    let Piece { source, mut clip } = piece::read(&args.input, &args.opening)?;
    let wanted = cast::cast(&args.roles, &mut clip, &args.input)?;
    let name = piece::name(&args.input);
    let bars = insertion::bars(&clip);
    let BarSpan { first, last } = args.bars;
    ensure!(
        last <= bars,
        "{name}: has {bars} bars, so bars {first} to {last} cannot be filled; change --bars, or let `antiphon continue` go on after the end"
    );
    let (from, until) = (clip.metres.bar(first - 1).start, clip.metres.bar(last).start);
    let is_inside = |note: &Note| (from..until).contains(&note.onset);
    let asked = |note: &Note| wanted.is_empty() || wanted.contains(&note.role);
    let kept = insertion::without(&clip, |note| is_inside(note) && asked(note));
    let outside = insertion::without(&clip, is_inside);
    ensure!(!outside.is_silent(), "{name}: has no note before bar {first} or after bar {last} to lead from or to; choose fewer --bars");

    let around = insertion::notes_around(&outside, from..until, RECENT_BARS);
    let roles = if wanted.is_empty() { in_order(around.iter().map(|note| note.role)) } else { in_order(wanted.into_iter()) };
    if roles.is_empty() {
        bail!("{name}: nobody plays in the 8 bars before bar {first} or after bar {last}; say who shall, for instance --roles keys");
    }
    let model = Arc::new(args.model.open()?);
    let policy = args.policy.open(&model)?;
    ensure!(policy.fills(), "--policy: {}", GapError::Policy { policy: policy.name() });

    let mut score = Score::new(&kept, args.bars, args.steering.key());
    score.ask(|fields| args.steering.told(fields));
    let is_new = |role: &&Role| around.iter().all(|note| note.role != **role);
    let newcomers: Vec<Role> = roles.iter().filter(is_new).copied().collect();
    let (until, rests_from) = (score.end(), score.start() + Tick(1));
    let mut constraints = Constraints { roles: roles.iter().copied().collect(), until, rests_from, ..Constraints::default() };
    if !args.free {
        newcomers.iter().for_each(|role| constraints.introduce(*role, &around));
        constraints.keep_to(&habits(&around));
    }
    args.steering.limit(&mut constraints, score.key(), &args.input)?;
    let ensemble = in_order(roles_in(&clip).chain(roles.iter().copied()));
    let prefix = prefix_rows(ANY_STYLE, &ensemble);
    let seed = args.finish.seed();

    let progress = progress(score.bars())?;
    let mut spent = Duration::ZERO;
    let make = |draw: Draw| -> Result<Vec<Note>, DecodeError> {
        let mut decoder = Decoder::with_options(Arc::clone(&model), Arc::clone(&policy), &prefix, ample())?;
        decoder.set_sampling(draw.sampling(args.steering.sampling()));
        decoder.set_constraints(constraints.clone());
        decoder.set_seed(draw.seed(seed));
        score.listen(&mut decoder, &progress)?;
        let began = Instant::now();
        let made = score.fill(&mut decoder, &progress)?;
        spent += began.elapsed();
        Ok(codec::decode(&made, from))
    };
    let (mut notes, fault) = Earlier::default().draw(seed, make).with_context(|| format!("{name}: filling it failed"))?;
    progress.finish_and_clear();
    if let Some(fault) = fault {
        eprintln!("antiphon: {name}: {}", fault.describe(seed));
    }
    newcomers.iter().filter(|role| MONOPHONIC_ROLES.contains(role)).for_each(|role| one_at_a_time(&mut notes, *role));
    let whole = insertion::inserted(&clip, &kept, &notes);
    let work = Work {
        first_bar: first,
        bars: last - first + 1,
        notes: notes.len(),
        ms_per_note: milliseconds_each(spent, notes.len()),
        seed,
        model: model.info().name.clone(),
        roles: roles.iter().map(|role| role.name()).collect(),
    };
    args.finish.write(output, &source, (&kept, &whole), "filled", &args.input, &work)
}
