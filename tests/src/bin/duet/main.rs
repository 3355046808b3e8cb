//! Accompany on a virtual clock: one part of each piece is played to a session, which accompanies it beat by beat with another part's role. What it plays is
//! measured beside a copy of the real part, the same model that knows the whole piece, and the real part itself.

mod live;
mod measure;
mod offline;
mod piece;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use antiphon_engine::model::{Model, Runtime, RuntimeSearch};
use antiphon_engine::music::Note;
use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};

use live::Performance;
use measure::{Figures, bars_until_consonant};
use piece::Duet;

/// Semitones by which the player's part is transposed from its middle on.
const TRANSPOSED: i16 = 3;

/// Plays one part of each piece to a session in Accompany, on a virtual clock.
#[derive(Debug, Parser)]
struct Args {
    /// Folder of the music
    music: PathBuf,
    /// CSV file with the columns path,source,split; the pieces of its valid split are played
    #[arg(long, value_name = "FILE")]
    split: PathBuf,
    /// Number of pieces, of each source in turn
    #[arg(long, default_value_t = 20)]
    pieces: usize,
    /// Bars of each piece
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(i64::from(piece::LEAST_BARS)..))]
    bars: u32,
    /// Seed of the session
    #[arg(long, default_value_t = 7)]
    seed: u32,
    /// Print the result as one JSON object
    ///
    /// Its keys: pieces, notes, in_time (share of planned notes that are there before they sound), on_time (share of near bars), staleness_beats (age of a note's
    /// plan), and for live, offline, copy and real: in_key, consonant (shares of notes), distinct (bars of 32); transposed: returned (pieces), bars.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<()> {
    ensure!(args.pieces > 0, "--pieces must be above 0");
    let model = Arc::new(Model::shipped(Runtime::load(&RuntimeSearch::default())?)?);
    let duets = piece::choose(&args.music, &args.split, args.pieces, args.bars)?;
    let mut total = Total::default();
    for duet in &duets {
        let performance = live::perform(&model, duet, args.seed, None).with_context(|| duet.name.clone())?;
        let middle = duet.bars[duet.bars.len() / 2].start;
        let transposed = live::perform(&model, duet, args.seed, Some((middle, TRANSPOSED))).with_context(|| duet.name.clone())?;
        let offline = offline::accompany(&model, duet, args.seed).with_context(|| duet.name.clone())?;
        total.add(duet, &performance, &transposed, &offline);
        eprintln!("{}: {} notes, {:.1} % in time", duet.name, performance.notes.len(), 100.0 * performance.in_time());
    }
    let report = total.report();
    if args.json {
        println!("{report}");
    } else if let Some(entries) = report.as_object() {
        entries.iter().for_each(|(name, value)| println!("{name:16} {value}"));
    }
    Ok(())
}

/// Sums over pieces.
#[derive(Default)]
struct Total {
    pieces: usize,
    planned: usize,
    late: usize,
    near_bars: (u64, u64),
    /// Sum of the ages of the plans of notes in beats.
    staleness: f64,
    played: usize,
    /// Live, offline, copy, real.
    figures: [Figures; 4],
    /// Bars until consonance is back after the transposition, of each piece in which it came back.
    returns: Vec<usize>,
    /// Pieces in which it can be said.
    transposed: usize,
}

impl Total {
    fn add(&mut self, duet: &Duet, live: &Performance, transposed: &Performance, offline: &[Note]) {
        self.pieces += 1;
        self.planned += live.notes.len() + live.late;
        self.late += live.late;
        self.near_bars.0 += live.plans.on_time;
        self.near_bars.1 += live.plans.late;
        self.staleness += live.ages.iter().sum::<f64>();
        self.played += live.ages.len();
        let copy = duet.copied(2);
        for (figures, notes) in self.figures.iter_mut().zip([&live.notes[..], offline, &copy, &duet.real]) {
            figures.add(duet, notes);
        }
        if let Some(bars) = bars_until_consonant(duet, transposed, TRANSPOSED) {
            self.transposed += 1;
            self.returns.extend(bars);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "shares need no more than 53 bits")]
    fn report(&mut self) -> Value {
        self.returns.sort_unstable();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let near = self.near_bars.0 + self.near_bars.1;
        let mean = (!self.returns.is_empty()).then(|| self.returns.iter().sum::<usize>() as f64 / self.returns.len() as f64);
        let [live, offline, copy, real] = self.figures.each_ref().map(Figures::json);
        json!({
            "pieces": self.pieces,
            "notes": self.planned,
            "in_time": share(self.planned - self.late, self.planned),
            "on_time": (near > 0).then(|| self.near_bars.0 as f64 / near as f64),
            "staleness_beats": (self.played > 0).then(|| self.staleness / self.played as f64),
            "live": live,
            "offline": offline,
            "copy": copy,
            "real": real,
            "transposed": {
                "pieces": self.transposed,
                "returned": self.returns.len(),
                "bars_mean": mean,
                "bars_median": self.returns.get(self.returns.len() / 2),
            },
        })
    }
}
