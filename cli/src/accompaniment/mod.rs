//! `antiphon accompany`: further roles for a MIDI file whose other parts are known.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use antiphon_engine::codec::{self, BarFields, BarRows, OwnRoles, prefix_rows};
use antiphon_engine::decode::{Accompanied, Constraints, DecodeError, Decoder, Draw, MONOPHONIC_ROLES, Step};
use antiphon_engine::music::analysis::{Key, habits};
use antiphon_engine::music::{Bar, Clip, Note, Role, Tick, insertion, one_at_a_time};
use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;

use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{Finish, Work, in_order, milliseconds_each, progress, roles_in};
use crate::piece::{self, Opening, Piece};
use crate::steering::Steering;
use antiphon_cli::model::ModelArgs;
use antiphon_cli::phrase::ANY_STYLE;
use antiphon_cli::policy::{PolicyArgs, memory};

/// Bars in succession that a role rests at most that is new to the music, where the others play: nothing tells the model how much of a part is wanted.
const MOST_RESTS: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  antiphon accompany song.mid --roles bass,drums -o band.mid
  antiphon accompany song.mid --roles melody --key \"A minor\" --scale-lock --seed 7 -o tune.mid";

/// Writes further roles for a MIDI file: what a bass, a drummer, a second voice would play along with it.
///
/// The roles play in the order in which they are named, each over everything that the others play in the bar and in those before, the roles named before it
/// among them. Roles that the file has already are written anew, in the same tracks; a role
/// that it lacks gets a track of its own. Only their notes change: all else in the file stays as it is, byte for byte, also the controllers, the pedal and the
/// pitch bends in their tracks. A new note on a key that another part of its channel holds is left out. No new note sounds beyond the last bar with music.
/// The same file, model, options and seed give the same bytes on the same machine.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file to accompany, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    #[command(flatten)]
    opening: Opening,

    /// Roles that play along, one after the other, for instance bass,drums; or what a part of the file is, for instance Beat=drums
    ///
    /// NAME=ROLE says what the track of that name is, where the file does not tell (`antiphon check` shows what was understood). There are melody, chords, bass, drums, lead, pad, arp, strings, low-strings, keys, left-hand, guitar, organ, winds, brass and other.
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', required = true, value_parser = cast::read)]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// Without it a role that is written anew keeps to where the file had it, a fourth more at both ends, to chords no fuller than there and about as many
    /// notes; of the others melody, lead and bass play one note at a time, and a bass lies below all that sounds with it.
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
    let name = piece::name(&args.input);
    let roles = cast::cast(&args.roles, &mut clip, &args.input)?;
    ensure!(!roles.is_empty(), "--roles says what parts of {name} are, but not who plays along; add a role, for instance --roles bass");
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let others = insertion::without(&clip, |note| roles.contains(&note.role));
    ensure!(!clip.is_silent(), "{name}: has no note to accompany; give a file with music in it");
    ensure!(
        !others.is_silent(),
        "{name}: has no notes but those of {}, which are to be written anew: nothing is left to accompany; ask for other --roles",
        names.join(", ")
    );
    let model = Arc::new(args.model.open()?);
    let policy = args.policy.open(&model)?;
    let seed = args.finish.seed();
    let (first, bars) = (others.first_onset().map_or(0, |onset| others.metres.bar_at(onset).index), insertion::bars(&others));

    let ensemble = in_order(roles_in(&others).chain(roles.iter().copied()));
    let prefix = prefix_rows(ANY_STYLE, &ensemble);
    let progress = progress(usize::try_from(bars.saturating_sub(first))? * roles.len())?;
    let began = Instant::now();
    let (mut whole, mut known, mut count) = (clip, others.clone(), 0);
    for (turn, &role) in (0..).zip(&roles) {
        let song = Song::new(&known, args.steering.key());
        let own = seed.wrapping_add(turn);
        let constraints = constraints(args, &whole, role, &song)?;
        let most_rests = is_new(role, &whole).then_some(MOST_RESTS);
        let make = |draw: Draw| -> Result<Vec<Note>, DecodeError> {
            let mut decoder = Decoder::with_options(Arc::clone(&model), Arc::clone(&policy), &prefix, memory(&*policy))?;
            decoder.set_sampling(draw.sampling(args.steering.sampling()));
            decoder.set_seed(draw.seed(own));
            if let Some(roles) = OwnRoles::new([role]).filter(|_| model.info().knows_own_roles()) {
                decoder.accompanies(Accompanied::Clip(roles))?;
            }
            Ok(codec::decode(&song.accompany(&mut decoder, &constraints, most_rests, &progress)?, song.from))
        };
        let (mut notes, fault) = Earlier::default().draw(own, make).with_context(|| format!("{name}: accompanying it failed"))?;
        if let Some(fault) = fault {
            eprintln!("antiphon: {name}: {}: {}", role.name(), fault.describe(seed));
        }
        if most_rests.is_some() && MONOPHONIC_ROLES.contains(&role) {
            one_at_a_time(&mut notes, role);
        }
        count += notes.len();
        known = insertion::inserted(&whole, &known, &notes);
        // Tracks that were not there before.
        let tracks = whole.parts.len();
        whole.parts.extend(known.parts[tracks..].iter().cloned());
    }
    let spent = began.elapsed();
    progress.finish_and_clear();

    let work = Work {
        first_bar: first + 1,
        bars: bars.saturating_sub(first),
        notes: count,
        ms_per_note: milliseconds_each(spent, count),
        seed,
        model: model.info().name.clone(),
        roles: names,
    };
    args.finish.write(output, &source, (&others, &known), "accompanied", &args.input, &work)
}

/// Whether nobody plays this role yet.
fn is_new(role: Role, whole: &Clip) -> bool {
    insertion::without(whole, |note| note.role != role).is_silent()
}

/// What a role may play: as it did in `whole`, or as a newcomer does if it is not there yet. It does not begin with a silent bar.
fn constraints(args: &Args, whole: &Clip, role: Role, song: &Song) -> Result<Constraints> {
    let roles = [role].into_iter().collect();
    let mut constraints = Constraints { roles, until: song.end(), rests_from: Tick(1), ..Constraints::default() };
    if !args.free {
        if is_new(role, whole) {
            constraints.introduce(role, &whole.notes());
        }
        constraints.keep_to(&habits(&insertion::without(whole, |note| note.role != role).notes()));
    }
    args.steering.limit(&mut constraints, song.key(), &args.input)?;
    Ok(constraints)
}

/// What is accompanied, bar by bar.
struct Song {
    /// Where its first bar with a note starts.
    from: Tick,
    /// The notes of these are given. The bars are told their metre, tempo and key: the rest would be measured on what is not there yet.
    bars: Vec<BarRows>,
}

impl Song {
    /// The bars of `known`, in `key` or, if none is given, each in the one that is heard in it.
    fn new(known: &Clip, key: Option<Key>) -> Self {
        let first = known.first_onset().map_or(0, |onset| known.metres.bar_at(onset).index);
        let shown: Vec<Bar> = (first..insertion::bars(known)).map(|index| known.metres.bar(index)).collect();
        let from = shown.first().map_or(Tick::ZERO, |bar| bar.start);
        let notes: Vec<Note> = known.parts.iter().flat_map(|part| &part.notes).copied().collect();
        let mut bars = codec::encode(&notes, &shown, None).bars;
        codec::label(&mut bars, from, &known.tempos);
        for bar in &mut bars {
            let BarFields { metre, tempo, key: heard, .. } = bar.fields;
            bar.fields = BarFields { metre, tempo, key: key.map_or(heard, Key::value), ..BarFields::default() };
        }
        Self { from, bars }
    }

    /// The key of the first bar, if there is one.
    fn key(&self) -> Option<Key> {
        self.bars.first().and_then(|bar| Key::from_value(bar.fields.key))
    }

    /// The tick of the sequence at which it ends; its first bar line is tick 0.
    fn end(&self) -> Tick {
        Tick(self.bars.iter().map(|bar| i64::from(bar.ticks)).sum())
    }

    /// What the model plays along; at most `most_rests` bars in succession without a note of its own where the others play.
    fn accompany(
        &self,
        decoder: &mut Decoder,
        constraints: &Constraints,
        most_rests: Option<u32>,
        progress: &ProgressBar,
    ) -> Result<Vec<BarRows>, DecodeError> {
        let mut rests = 0;
        let bars = self.bars.iter().map(|bar| {
            let is_due = !bar.notes.is_empty() && most_rests.is_some_and(|most| rests >= most);
            let rests_from = if is_due { decoder.line() + Tick(1) } else { constraints.rests_from };
            decoder.set_constraints(Constraints { rests_from, ..constraints.clone() });
            decoder.accompany(bar.ticks, bar.fields, &bar.notes)?;
            while let Step::Note(_) = decoder.sample()? {}
            progress.inc(1);
            let made = decoder.end_bar()?;
            rests = if made.notes.is_empty() { rests + 1 } else { 0 };
            Ok(made)
        });
        bars.collect()
    }
}
