//! `antiphon fill`: bars of a MIDI file, generated so that they lead from the bars before them into the bars after.

mod span;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use antiphon_engine::cache::GapError;
use antiphon_engine::codec::{self, BarRows};
use antiphon_engine::decode::{DecodeError, Draw, Prompt};
use antiphon_engine::music::{Note, Role, insertion};
use anyhow::{Context, Result, bail, ensure};

use self::span::BarSpan;
use crate::cast::{self, Casting};
use crate::drawing::Earlier;
use crate::making::{Generation, Work, in_order, milliseconds_each, progress, roles_in, thin_out};
use crate::piece::{self, Opening, Piece};
use crate::steering::Measured;
use antiphon_cli::phrase::RECENT_BARS;
use antiphon_cli::policy::ample;

const EXAMPLES: &str = "\
Examples:
  antiphon fill song.mid --bars 17..20 -o filled.mid
  antiphon fill loop.mid --bars 4 --roles drums --seed 7 -o loop2.mid";

/// Fills bars of a MIDI file so that they lead from the music before them into the music after, or rewrites them.
///
/// The notes that the playing roles had in those bars are replaced, and nothing but notes. Everything else in the file stays as it is, byte for byte:
/// controllers, pitch bends, programs, texts, other tracks. That includes what is inside the bars: the pedal goes down and up where it did, also under new
/// notes. A note that rings into the bars stays as it is. Every new note ends before their last bar line; one on a key that still sounds is left out. Each new
/// note goes to the track that plays its role. The model sees up to 64 bars before and 16 after; it was trained to fill up to
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

    /// First and last bar to fill, counted from 1, for instance 17..20; or a single bar
    #[arg(short, long, value_name = "A..B", value_parser = BarSpan::read)]
    bars: BarSpan,

    /// Roles that play in those bars, for instance melody,bass; the notes of other roles stay. Or the role of a part of the file, for instance Beat=drums
    ///
    /// By default every role that plays in the 8 bars before or the 8 bars after, and all notes in the bars are replaced. A role that no track of the file plays
    /// gets a track of its own. NAME=ROLE sets the role of the track of that name, where the file does not show it (`antiphon check` lists the roles it found).
    #[arg(long, value_name = "ROLE,...", value_delimiter = ',', value_parser = cast::read, help_heading = "Steering")]
    roles: Vec<Casting>,

    /// Let every role use the whole keyboard, chords of any size and as many notes as it likes
    ///
    /// By default each role stays within the range that it plays in the 8 bars before and after, extended by a fourth at both ends, and its chords get no fuller;
    /// and the whole gets no busier.
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
    let requested = cast::cast(&args.roles, &mut clip, &args.input)?;
    let name = piece::name(&args.input);
    let bars = insertion::bars(&clip);
    let BarSpan { first, last } = args.bars;
    ensure!(
        last <= bars,
        "{name}: has {bars} bars, so bars {first} to {last} cannot be filled; change --bars, or go on after the end with `antiphon continue`"
    );
    let (from, until) = (clip.metres.bar(first - 1).start, clip.metres.bar(last).start);
    let is_inside = |note: &Note| (from..until).contains(&note.onset);
    let is_replaced = |note: &Note| is_inside(note) && (requested.is_empty() || requested.contains(&note.role));
    let kept = insertion::without(&clip, is_replaced);
    let outside = insertion::without(&clip, is_inside);
    ensure!(
        !outside.is_silent(),
        "{name}: has no notes before bar {first} or after bar {last} to lead from or to; choose fewer bars with --bars"
    );

    let around = insertion::notes_around(&outside, from..until, RECENT_BARS);
    let roles = if requested.is_empty() { in_order(around.iter().map(|note| note.role)) } else { in_order(requested.into_iter()) };
    if roles.is_empty() {
        bail!(
            "{name}: nothing plays in the 8 bars before bar {first} or after bar {last}; name the roles that should, for instance --roles keys"
        );
    }
    let generator = args.generation.open()?;
    ensure!(generator.policy.fills(), "--policy: {}", GapError::Policy { policy: generator.policy.name() });

    let mut prompt = Prompt::infill(&kept, first - 1, last, steering.key());
    prompt.condition(|fields| steering.conditioning(fields));
    let is_new = |role: &&Role| around.iter().all(|note| note.role != **role);
    let newcomers: Vec<Role> = roles.iter().filter(is_new).copied().collect();
    let measured = (!args.free).then_some(Measured { newcomers: &newcomers, beside: &around, own: &around });
    steering.constrain(&mut prompt, &roles, measured, &args.input)?;
    let ensemble = in_order(roles_in(&clip).chain(roles.iter().copied()));
    let seed = finish.seed();

    let progress = progress(prompt.bars())?;
    let mut spent = Duration::ZERO;
    let generate = |draw: Draw| -> Result<Vec<Note>, DecodeError> {
        let mut decoder = generator.decoder(&ensemble, ample(), seed, draw)?;
        decoder.prefill_with(&prompt, || progress.inc(1))?;
        let began = Instant::now();
        let bars = (0..prompt.gap.len()).map(|place| {
            decoder.open_gap_bar(&prompt, place, draw)?;
            progress.inc(1);
            decoder.generate_bar()
        });
        let made: Vec<BarRows> = bars.collect::<Result<_, DecodeError>>()?;
        spent += began.elapsed();
        Ok(codec::decode(&made, from))
    };
    let drawn = Earlier::default().draw_or_remark(seed, seed, &name, generate);
    progress.finish_and_clear();
    let mut notes = drawn.with_context(|| format!("{name}: filling it failed"))?;
    thin_out(&mut notes, &newcomers);
    let whole = insertion::inserted(&clip, &kept, &notes);
    let work = Work {
        first_bar: first,
        bars: last - first + 1,
        notes: notes.len(),
        ms_per_note: milliseconds_each(spent, notes.len()),
        seed,
        model: generator.model.info().name.clone(),
        roles: roles.iter().map(|role| role.name()).collect(),
    };
    finish.write(output, &source, (&kept, &whole), "filled", &args.input, &work)
}
