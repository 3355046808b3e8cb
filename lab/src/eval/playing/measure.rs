//! From clips to what is measured of them, each number beside that of real music.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::consistency::Consistency;
use super::folder::{List, Triple};
use super::repeats::{Counts, Rate};
use super::sheet::{SheetBar, Voices, sheet};
use super::similarity::Similarity;
use super::spread::{distance, floor, interval};
use crate::corpus::share;
use crate::eval::percentile::{mean, percentile};
use antiphon_cli::phrase::RECENT_BARS;

/// Notes per bar that are neither run-away nor thin, as shares of the prompt's.
const STEADY: std::ops::RangeInclusive<f64> = 0.6..=1.6;

/// A number of generated music and of the real music that follows the same prompts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Pair<T> {
    pub(super) generated: T,
    pub(super) real: T,
}

impl<T> Pair<T> {
    fn of(of: impl Fn(Whose) -> T) -> Self {
        Self { generated: of(Whose::Generated), real: of(Whose::Real) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Generated,
    Real,
}

/// Everything that is measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measures {
    /// Clips measured.
    pub(super) clips: usize,
    /// How busy the first bars are, as a share of how busy the prompt's last ones were.
    pub(super) first_bars: Pair<Busyness>,
    /// The same of the clips' last bars: run-away and thinning.
    pub(super) last_bars: Pair<Busyness>,
    pub(super) similarity: SimilarityMeasure,
    pub(super) scale: Option<Distance>,
    pub(super) pitch_class: Option<Distance>,
    pub(super) groove: Option<Distance>,
    /// Share of the last eight bars that repeat an earlier one.
    pub(super) repeats: Pair<f64>,
    /// Shares of all bars.
    pub(super) empty: Pair<f64>,
    pub(super) stuck: Pair<f64>,
    pub(super) looping: Pair<f64>,
    pub(super) sources: BTreeMap<String, Source>,
}

/// Notes per bar as shares of the prompt's, over clips.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Busyness {
    /// Share of clips that are neither below 0.6 nor above 1.6.
    pub(super) steady: f64,
    /// Share of clips below.
    pub(super) below: f64,
    /// Share of clips above.
    pub(super) above: f64,
    /// The middle clip's.
    pub(super) median: f64,
}

/// Similarity of bars by distance.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SimilarityMeasure {
    /// Of generated against real music.
    pub(super) error: f64,
    /// 95 % of the errors if the clips are drawn anew.
    pub(super) interval: Option<[f64; 2]>,
    /// Of one half of the real music against the other, mean over many halvings. Each half has half the pieces, so by chance alone it is more than the
    /// error of as many pieces would be.
    pub(super) floor: Option<f64>,
    /// Mean similarity of bars 1, 2, ... apart.
    pub(super) distribution: Pair<Vec<f64>>,
}

/// A measure that is neither better high nor low.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Distance {
    /// Means.
    pub(super) mean: Pair<f64>,
    /// Earth mover's distance of the clips' values.
    pub(super) distance: f64,
    /// The same of one half of the real clips from the other, mean over many halvings.
    pub(super) floor: f64,
}

/// What is known by source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Source {
    pub(super) clips: usize,
    pub(super) first_bars: Pair<Busyness>,
    pub(super) last_bars: Pair<Busyness>,
    pub(super) repeats: Pair<f64>,
}

/// What is measured of one clip, or of what really follows its prompt.
#[derive(Debug, Clone)]
struct Reading {
    /// Notes per bar of the first and the last bars, as shares of the prompt's.
    first: f64,
    last: f64,
    similarity: Similarity,
    consistency: Consistency,
    counts: Counts,
}

impl Reading {
    fn new(prompt: &[SheetBar], bars: &[SheetBar], tune: &[SheetBar]) -> Self {
        let recent = usize::try_from(RECENT_BARS).unwrap_or(usize::MAX);
        let before = notes_per_bar(&prompt[prompt.len().saturating_sub(recent)..]);
        let busy = |bars: &[SheetBar]| if before > 0.0 { notes_per_bar(bars) / before } else { 0.0 };
        let whole: Vec<SheetBar> = prompt.iter().chain(bars).cloned().collect();
        Self {
            first: busy(&bars[..recent.min(bars.len())]),
            last: busy(&bars[bars.len().saturating_sub(recent)..]),
            similarity: Similarity::of(tune),
            consistency: Consistency::of(bars),
            counts: Counts::of(&whole, prompt.len()),
        }
    }
}

fn notes_per_bar(bars: &[SheetBar]) -> f64 {
    share(bars.iter().map(|bar| bar.notes.len()).sum(), bars.len())
}

/// Measures all clips of a folder.
pub(super) fn measure(list: &List, triples: &[Triple]) -> Measures {
    let read = |triple: &Triple| {
        let prompt = sheet(&triple.prompt, Some(list.prompt_bars), Voices::All);
        let tune = Voices::tune_of(&triple.prompt);
        Pair::of(|whose| {
            let clip = if whose == Whose::Generated { &triple.generated } else { &triple.real };
            Reading::new(&prompt, &sheet(clip, Some(list.bars), Voices::All), &sheet(clip, Some(list.bars), tune))
        })
    };
    let readings: Vec<Pair<Reading>> = triples.par_iter().map(read).collect();
    let all: Vec<&Pair<Reading>> = readings.iter().collect();
    let mut by_source: BTreeMap<String, Vec<&Pair<Reading>>> = BTreeMap::new();
    for (entry, reading) in list.clips.iter().zip(&readings) {
        by_source.entry(entry.source.clone()).or_default().push(reading);
    }
    let source = |readings: &Vec<&Pair<Reading>>| Source {
        clips: readings.len(),
        first_bars: busyness(readings, |reading| reading.first),
        last_bars: busyness(readings, |reading| reading.last),
        repeats: rate(readings, |counts| counts.repeats),
    };
    Measures {
        clips: readings.len(),
        first_bars: busyness(&all, |reading| reading.first),
        last_bars: busyness(&all, |reading| reading.last),
        similarity: similarity(&readings, list.seed),
        scale: apart(&readings, list.seed, |consistency| consistency.scale),
        pitch_class: apart(&readings, list.seed, |consistency| consistency.pitch_class),
        groove: apart(&readings, list.seed, |consistency| consistency.groove),
        repeats: rate(&all, |counts| counts.repeats),
        empty: rate(&all, |counts| counts.empty),
        stuck: rate(&all, |counts| counts.stuck),
        looping: rate(&all, |counts| counts.looping),
        sources: by_source.iter().map(|(name, readings)| (name.clone(), source(readings))).collect(),
    }
}

fn whose(readings: &Pair<Reading>, whose: Whose) -> &Reading {
    if whose == Whose::Generated { &readings.generated } else { &readings.real }
}

fn busyness(readings: &[&Pair<Reading>], of: fn(&Reading) -> f64) -> Pair<Busyness> {
    Pair::of(|side| {
        let values: Vec<f64> = readings.iter().map(|reading| of(whose(reading, side))).collect();
        let counted = |kind: &dyn Fn(f64) -> bool| share(values.iter().filter(|value| kind(**value)).count(), values.len());
        Busyness {
            steady: counted(&|value| STEADY.contains(&value)),
            below: counted(&|value| value < *STEADY.start()),
            above: counted(&|value| value > *STEADY.end()),
            median: percentile(&values, 50.0).unwrap_or(0.0),
        }
    })
}

fn rate(readings: &[&Pair<Reading>], of: fn(&Counts) -> Rate) -> Pair<f64> {
    Pair::of(|side| Rate::sum(readings.iter().map(|reading| of(&whose(reading, side).counts))).share())
}

fn similarity(readings: &[Pair<Reading>], seed: u64) -> SimilarityMeasure {
    let sum = |side: Whose, of: &[usize]| Similarity::sum(of.iter().map(|index| &whose(&readings[*index], side).similarity));
    let all: Vec<usize> = (0..readings.len()).collect();
    let sums = Pair::of(|side| sum(side, &all));
    SimilarityMeasure {
        error: sums.generated.error(&sums.real),
        interval: interval(readings.len(), seed, |drawn| sum(Whose::Generated, drawn).error(&sums.real)),
        floor: floor(readings.len(), seed, |one, other| Some(sum(Whose::Real, one).error(&sum(Whose::Real, other)))),
        distribution: Pair { generated: sums.generated.distribution().to_vec(), real: sums.real.distribution().to_vec() },
    }
}

/// How far a measure's values lie apart; `None` if it could be taken of no clip.
fn apart(readings: &[Pair<Reading>], seed: u64, of: fn(&Consistency) -> Option<f64>) -> Option<Distance> {
    let values = Pair::of(|side| readings.iter().filter_map(|reading| of(&whose(reading, side).consistency)).collect::<Vec<f64>>());
    let halves = |one: &[usize], other: &[usize]| {
        let some = |of: &[usize]| of.iter().map(|index| values.real[*index]).collect::<Vec<f64>>();
        distance(&some(one), &some(other))
    };
    Some(Distance {
        mean: Pair { generated: mean(&values.generated)?, real: mean(&values.real)? },
        distance: distance(&values.generated, &values.real)?,
        floor: floor(values.real.len(), seed, halves)?,
    })
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Clip, Note, Part, Role, Tick};

    use super::super::folder::Entry;
    use super::*;

    /// Bars of so many notes each; the keys are the bar's number, or always the same.
    fn clip(bars: i64, notes: i64, same: bool) -> Clip {
        let note = |index: i64| Note {
            onset: Tick(96 * (index / notes) + 12 * (index % notes)),
            offset: 0,
            duration: Tick(12),
            pitch: if same { 60 } else { u8::try_from(40 + index / notes).unwrap() },
            velocity: 80,
            role: Role::Melody,
        };
        Clip {
            parts: vec![Part { notes: (0..bars * notes).map(note).collect(), ..Part::default() }],
            end: Tick(96 * bars),
            ..Clip::default()
        }
    }

    fn list(sources: &[&str]) -> List {
        let entry = |(number, source): (usize, &&str)| Entry {
            name: format!("{number}.mid"),
            source: (*source).to_owned(),
            piece: format!("{source}/a.mid"),
            bar: 9,
        };
        let clips = sources.iter().enumerate().map(entry).collect();
        List { model: "m".into(), seed: 1, prompt_bars: 8, bars: 16, too_short: Vec::new(), clips }
    }

    #[test]
    fn music_like_the_real_one_is_at_no_distance() {
        let triple = Triple { prompt: clip(8, 4, false), generated: clip(16, 4, false), real: clip(16, 4, false) };
        let measures = measure(&list(&["a", "b"]), &[triple.clone(), triple]);
        assert_eq!((measures.clips, measures.sources.len(), measures.sources["a"].clips), (2, 2, 1));
        assert_eq!(measures.similarity.error, 0.0);
        assert_eq!(measures.scale.map(|scale| (scale.distance, scale.floor)), Some((0.0, 0.0)));
        assert_eq!(measures.first_bars.generated, Busyness { steady: 1.0, below: 0.0, above: 0.0, median: 1.0 });
        assert_eq!(measures.first_bars.generated, measures.first_bars.real);
        assert_eq!((measures.repeats.generated, measures.looping.generated), (0.0, 0.0), "bars 9 to 16 rise above the prompt's");
    }

    #[test]
    fn running_away_thinning_out_and_standing_still_are_seen() {
        let real = clip(16, 4, false);
        let runs = Triple { prompt: clip(8, 4, false), generated: clip(16, 8, true), real: real.clone() };
        let thins = Triple { prompt: clip(8, 4, false), generated: clip(16, 2, false), real };
        let measures = measure(&list(&["a", "a"]), &[runs, thins]);
        let Busyness { steady, below, above, .. } = measures.first_bars.generated;
        assert_eq!((steady, below, above), (0.0, 0.5, 0.5));
        assert_eq!(measures.first_bars.real.steady, 1.0);
        // One of the two clips stands on one key, and each of its bars is the one before.
        assert_eq!((measures.stuck.generated, measures.looping.generated, measures.repeats.generated), (0.5, 0.5, 0.5));
        assert!(measures.similarity.error > 0.3);
        assert_eq!(measures.similarity.distribution.generated.len(), 40);
    }

    #[test]
    fn a_clip_that_stops_is_counted_bar_by_bar() {
        let stops = Triple { prompt: clip(8, 4, false), generated: clip(4, 4, false), real: clip(16, 4, false) };
        let measures = measure(&list(&["a"]), &[stops]);
        assert_eq!((measures.empty.generated, measures.empty.real), (0.75, 0.0));
        assert_eq!(measures.last_bars.generated.below, 1.0);
        assert_eq!(measures.first_bars.generated.median, 0.5);
    }
}
