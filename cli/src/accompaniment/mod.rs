//! `antiphon accompany`: further roles for a MIDI file whose other parts are known.

use std::path::PathBuf;
use std::time::Instant;

use antiphon_engine::codec::{self, BarRows, OwnRoles};
use antiphon_engine::decode::{Accompanied, Constraints, DecodeError, Decoder, Draw, Prompt};
use antiphon_engine::music::{Clip, Note, Role, Tick, insertion};
use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;

use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{Generation, Work, in_order, milliseconds_each, progress, roles_in, thin_out};
use crate::piece::{self, Opening, Piece};
use crate::steering::{Measured, Steering};
use antiphon_cli::policy::memory;

/// Most bars in succession that a role which is new to the music rests while the others play: it has no conditioning for its density.
const MOST_RESTS: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  antiphon accompany song.mid --roles bass,drums -o band.mid
  antiphon accompany song.mid --roles melody --key \"A minor\" --scale-lock --seed 7 -o tune.mid";

/// Adds roles to a MIDI file: what a bass, a drummer or a second voice would play along with it.
///
/// The roles are added in the order in which they are named, each to everything that the others play in the same bar and in those before, including the roles
/// named before it. Roles that the file has already are rewritten, in the same tracks; a role
/// that it lacks gets a track of its own. Only their notes change: everything else in the file stays as it is, byte for byte, including the controllers, the
/// pedal and the pitch bends in their tracks. A new note on a key that another part of its channel holds is left out. No new note sounds beyond the last bar
/// with music.
/// The same file, model, options and seed give the same bytes on the same machine.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file to accompany, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    #[command(flatten)]
    opening: Opening,

    /// Roles to add, one after the other, for instance bass,drums; or the role of a part of the file, for instance Beat=drums
    ///
    /// NAME=ROLE sets the role of the track of that name, where the file does not show it (`antiphon check` lists the roles it found). The roles are melody, chords, bass, drums, lead, pad, arp, strings, low-strings, keys, left-hand, guitar, organ, winds, brass and other.
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', required = true, value_parser = cast::read)]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// By default a role that is rewritten stays within its range in the file, extended by a fourth at both ends, with chords no fuller and about as many notes
    /// as there. Of the roles that are new, melody, lead and bass play one note at a time, and a bass stays below everything that sounds with it.
    #[arg(long, help_heading = "Steering")]
    free: bool,

    #[command(flatten)]
    generation: Generation,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Generation { finish, steering, .. } = &args.generation;
    let output = finish.create()?;
    let Piece { source, mut clip } = piece::read(&args.input, &args.opening)?;
    let name = piece::name(&args.input);
    let roles = cast::cast(&args.roles, &mut clip, &args.input)?;
    ensure!(!roles.is_empty(), "--roles sets the roles of parts of {name}, but names none to add; name one, for instance --roles bass");
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let others = insertion::without(&clip, |note| roles.contains(&note.role));
    ensure!(!clip.is_silent(), "{name}: has no notes to accompany; use a file with music in it");
    ensure!(
        !others.is_silent(),
        "{name}: has only the notes of {}, which are to be rewritten, so nothing is left to accompany; choose other --roles",
        names.join(", ")
    );
    let generator = args.generation.open()?;
    let seed = finish.seed();
    let (first, bars) = (others.first_onset().map_or(0, |onset| others.metres.bar_at(onset).index), insertion::bars(&others));

    let ensemble = in_order(roles_in(&others).chain(roles.iter().copied()));
    let progress = progress(usize::try_from(bars.saturating_sub(first))? * roles.len())?;
    let began = Instant::now();
    let (mut whole, mut known, mut count) = (clip, others.clone(), 0);
    for (number, &role) in (0..).zip(&roles) {
        let own = seed.wrapping_add(number);
        let prompt = prompt(args, steering, &known, &whole, role)?;
        let from = known.metres.bar_at(known.first_onset().unwrap_or(Tick::ZERO)).start;
        let most_rests = is_new(role, &whole).then_some(MOST_RESTS);
        let generate = |draw: Draw| -> Result<Vec<Note>, DecodeError> {
            let mut decoder = generator.decoder(&ensemble, memory(&*generator.policy), own, draw)?;
            if let Some(roles) = OwnRoles::new([role]).filter(|_| generator.model.info().has_own_roles()) {
                decoder.accompanies(Accompanied::Clip(roles))?;
            }
            Ok(codec::decode(&accompany(&mut decoder, &prompt, draw, most_rests, &progress)?, from))
        };
        let mut notes = Earlier::default()
            .draw_or_remark(own, seed, &format!("{name}: {}", role.name()), generate)
            .with_context(|| format!("{name}: accompanying it failed"))?;
        if most_rests.is_some() {
            thin_out(&mut notes, &[role]);
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
        model: generator.model.info().name.clone(),
        roles: names,
    };
    finish.write(output, &source, (&others, &known), "accompanied", &args.input, &work)
}

/// Whether no part plays this role yet.
fn is_new(role: Role, whole: &Clip) -> bool {
    insertion::without(whole, |note| note.role != role).is_silent()
}

/// Prompt of a role over the notes of the others. Its constraints are measured in `whole`, or are those of a new role if it is not there yet, and does not begin with a
/// silent bar.
fn prompt(args: &Args, steering: &Steering, known: &Clip, whole: &Clip, role: Role) -> Result<Prompt> {
    let own = insertion::without(whole, |note| note.role != role).notes();
    let before = (!own.is_empty()).then(|| insertion::inserted(whole, known, &own));
    let mut prompt = Prompt::accompaniment(known, before.as_ref(), steering.key());
    prompt.condition(|fields| steering.conditioning(fields));
    let newcomers: &[Role] = if own.is_empty() { &[role] } else { &[] };
    let beside = whole.notes();
    let measured = (!args.free).then_some(Measured { newcomers, beside: &beside, own: &own });
    steering.constrain(&mut prompt, &[role], measured, &args.input)?;
    Ok(prompt)
}

/// Generated notes of the role; at most `most_rests` bars in succession without a note of its own where the others play.
fn accompany(
    decoder: &mut Decoder,
    prompt: &Prompt,
    draw: Draw,
    most_rests: Option<u32>,
    progress: &ProgressBar,
) -> Result<Vec<BarRows>, DecodeError> {
    decoder.prefill(prompt)?;
    let mut rests = 0;
    let bars = prompt.gap.iter().enumerate().map(|(place, bar)| {
        let is_due = !bar.given.is_empty() && most_rests.is_some_and(|most| rests >= most);
        let rests_from = if is_due { decoder.line() + Tick(1) } else { prompt.constraints.rests_from };
        decoder.set_constraints(Constraints { rests_from, ..prompt.constraints.clone() });
        decoder.open_gap_bar(prompt, place, draw)?;
        let made = decoder.generate_bar()?;
        progress.inc(1);
        rests = if made.notes.is_empty() { rests + 1 } else { 0 };
        Ok(made)
    });
    bars.collect()
}
