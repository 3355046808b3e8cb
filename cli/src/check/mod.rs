//! `antiphon check`: the contents of a MIDI file as the other commands read them, as an explanation of their results.

mod report;

use std::path::PathBuf;

use antiphon_roll::picture::Overview;
use anyhow::{Context, Result};

use crate::cast::{self, Casting};
use crate::piece::{self, Opening, Piece};
use antiphon_cli::console::Stream;
use antiphon_cli::output::{Output, is_standard};
use report::Report;

const EXAMPLES: &str = "\
Examples:
  antiphon check song.mid
  antiphon check song.mid --picture song.png --json";

/// Shows how a MIDI file is understood: bars, metre, tempo, key, parts with role, program and channel, chords, and what had to be repaired.
///
/// Nothing is generated, and no model is loaded. Bars, channels and programs are counted from 1.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// MIDI file, of type 0 or 1; - is standard input
    #[arg(value_name = "IN.mid")]
    input: PathBuf,

    #[command(flatten)]
    opening: Opening,

    /// Role of a part of the file, as in the other commands, for instance Beat=drums
    #[arg(long, value_name = "NAME=ROLE,...", value_delimiter = ',', value_parser = cast::read)]
    roles: Vec<Casting>,

    /// Also draw the last 128 bars, as a piano roll
    #[arg(short, long, value_name = "OUT.png")]
    picture: Option<PathBuf>,

    /// Print the result as one JSON object
    ///
    /// Its keys: path, bars, metres [{bar, metre}], tempos [{bar, bpm}], key (null if none is detected), keys [{bar, key}],
    /// parts [{name, role, channel, program (null if none is set), notes, lowest, highest (MIDI keys)}], chords [{bar, beat, chord}], recent_roles (those that
    /// would play in `continue`), continues_at and continues_in (the bar that `continue` would start at, and its key; null without a note or a key), repaired.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Piece { source, mut clip } = piece::read_unreported(&args.input, &args.opening)?;
    cast::cast(&args.roles, &mut clip, &args.input)?;
    let understood = Report::new(&args.input, &clip, source.report().repaired());
    let mut stream = Stream::Output;
    if let Some(path) = &args.picture {
        let title =
            if is_standard(&args.input) { "standard input".into() } else { args.input.file_name().unwrap_or_default().to_string_lossy() };
        let overview = Overview { title: &title, subtitle: &understood.summary(), clip: &clip };
        let png = overview.png().with_context(|| path.display().to_string())?;
        Output::create(path, "--picture")?.write(|to| to.write_all(&png).map(|()| png.len()))?;
        stream = Stream::beside(path);
    }
    let text = if args.json { format!("{}\n", serde_json::to_string(&understood)?) } else { understood.table()? };
    stream.print(&text)
}
