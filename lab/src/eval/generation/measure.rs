//! Measures of generated clips, each beside the same measure of the real music that follows the same prompts.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::consistency::Consistency;
use super::folder::{Manifest, Triple};
use super::repeats::{Counts, Rate};
use super::sheet::{SheetBar, Voices, sheet};
use super::similarity::Similarity;
use super::statistics::{bootstrap_interval, earth_movers_distance, split_half_floor};
use crate::corpus::share;
use crate::eval::percentile::{mean, percentile};
use antiphon_cli::phrase::RECENT_BARS;

/// Steady note density, as a ratio to the prompt's. Below is thinning out, above is running away.
const STEADY: std::ops::RangeInclusive<f64> = 0.6..=1.6;

/// A value for generated music and for the real music that follows the same prompts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Pair<T> {
    pub(super) generated: T,
    pub(super) real: T,
}

impl<T> Pair<T> {
    fn of(of: impl Fn(Side) -> T) -> Self {
        Self { generated: of(Side::Generated), real: of(Side::Real) }
    }

    fn get(&self, side: Side) -> &T {
        if side == Side::Generated { &self.generated } else { &self.real }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Generated,
    Real,
}

/// All measures. Field names are the keys of the JSON report.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measures {
    /// Number of clips.
    pub(super) clips: usize,
    /// Notes per bar of the first bars, as a ratio to the last bars of the prompt.
    pub(super) first_bars: Pair<DensityRatio>,
    /// The same for the last bars of the clips.
    pub(super) last_bars: Pair<DensityRatio>,
    pub(super) similarity: SimilarityMeasure,
    pub(super) scale: Option<Distance>,
    pub(super) pitch_class: Option<Distance>,
    pub(super) groove: Option<Distance>,
    /// Share of the last eight bars that repeat an earlier bar; 0..=1, as the three below.
    pub(super) repeats: Pair<f64>,
    /// Shares of all bars: without notes, in a standstill, in a loop.
    pub(super) empty: Pair<f64>,
    pub(super) stuck: Pair<f64>,
    pub(super) looping: Pair<f64>,
    pub(super) sources: BTreeMap<String, Source>,
}

/// Ratio of notes per bar to the prompt's, over clips.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct DensityRatio {
    /// Share of clips from 0.6 to 1.6.
    pub(super) steady: f64,
    /// Share of clips below 0.6.
    pub(super) below: f64,
    /// Share of clips above 1.6.
    pub(super) above: f64,
    /// Median over clips.
    pub(super) median: f64,
}

/// Similarity of bars as a function of their distance.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SimilarityMeasure {
    /// Similarity error of generated against real music; 0..=1.
    pub(super) error: f64,
    /// 95 % bootstrap interval of the error, over clips.
    pub(super) interval: Option<[f64; 2]>,
    /// Error of one half of the real music against the other, mean over random splits. Each half has half the pieces, so its sampling noise is larger
    /// than that of the whole set.
    pub(super) floor: Option<f64>,
    /// Mean similarity of bars at distance 1, 2, ...
    pub(super) distribution: Pair<Vec<f64>>,
}

/// Comparison of a measure's distribution in generated and in real music. Neither high nor low values are better, only closeness to real music.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Distance {
    /// Means over clips.
    pub(super) mean: Pair<f64>,
    /// Earth mover's distance between generated and real clips.
    pub(super) distance: f64,
    /// The same distance between halves of the real clips, mean over random splits.
    pub(super) floor: f64,
}

/// Measures of one source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Source {
    pub(super) clips: usize,
    pub(super) first_bars: Pair<DensityRatio>,
    pub(super) last_bars: Pair<DensityRatio>,
    pub(super) repeats: Pair<f64>,
}

/// Measures of one clip: generated, or the real continuation.
#[derive(Debug, Clone)]
struct ClipMeasures {
    /// Notes per bar of the first bars, as a ratio to the prompt's last bars.
    first: f64,
    /// The same for the last bars.
    last: f64,
    similarity: Similarity,
    consistency: Consistency,
    counts: Counts,
}

impl ClipMeasures {
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
pub(super) fn measure(manifest: &Manifest, triples: &[Triple]) -> Measures {
    let read = |triple: &Triple| {
        let prompt = sheet(&triple.prompt, Some(manifest.prompt_bars), Voices::All);
        let tune = Voices::tune_of(&triple.prompt);
        Pair::of(|side| {
            let clip = if side == Side::Generated { &triple.generated } else { &triple.real };
            ClipMeasures::new(&prompt, &sheet(clip, Some(manifest.bars), Voices::All), &sheet(clip, Some(manifest.bars), tune))
        })
    };
    let clips: Vec<Pair<ClipMeasures>> = triples.par_iter().map(read).collect();
    let all: Vec<&Pair<ClipMeasures>> = clips.iter().collect();
    let mut by_source: BTreeMap<String, Vec<&Pair<ClipMeasures>>> = BTreeMap::new();
    for (entry, clip) in manifest.clips.iter().zip(&clips) {
        by_source.entry(entry.source.clone()).or_default().push(clip);
    }
    let source = |clips: &Vec<&Pair<ClipMeasures>>| Source {
        clips: clips.len(),
        first_bars: density_ratio(clips, |clip| clip.first),
        last_bars: density_ratio(clips, |clip| clip.last),
        repeats: rate(clips, |counts| counts.repeats),
    };
    Measures {
        clips: clips.len(),
        first_bars: density_ratio(&all, |clip| clip.first),
        last_bars: density_ratio(&all, |clip| clip.last),
        similarity: similarity(&clips, manifest.seed),
        scale: distribution_distance(&clips, manifest.seed, |consistency| consistency.scale),
        pitch_class: distribution_distance(&clips, manifest.seed, |consistency| consistency.pitch_class),
        groove: distribution_distance(&clips, manifest.seed, |consistency| consistency.groove),
        repeats: rate(&all, |counts| counts.repeats),
        empty: rate(&all, |counts| counts.empty),
        stuck: rate(&all, |counts| counts.stuck),
        looping: rate(&all, |counts| counts.looping),
        sources: by_source.iter().map(|(name, clips)| (name.clone(), source(clips))).collect(),
    }
}

fn density_ratio(clips: &[&Pair<ClipMeasures>], of: fn(&ClipMeasures) -> f64) -> Pair<DensityRatio> {
    Pair::of(|side| {
        let values: Vec<f64> = clips.iter().map(|clip| of(clip.get(side))).collect();
        let counted = |kind: &dyn Fn(f64) -> bool| share(values.iter().filter(|value| kind(**value)).count(), values.len());
        DensityRatio {
            steady: counted(&|value| STEADY.contains(&value)),
            below: counted(&|value| value < *STEADY.start()),
            above: counted(&|value| value > *STEADY.end()),
            median: percentile(&values, 50.0).unwrap_or(0.0),
        }
    })
}

fn rate(clips: &[&Pair<ClipMeasures>], of: fn(&Counts) -> Rate) -> Pair<f64> {
    Pair::of(|side| Rate::sum(clips.iter().map(|clip| of(&clip.get(side).counts))).share())
}

fn similarity(clips: &[Pair<ClipMeasures>], seed: u64) -> SimilarityMeasure {
    let sum = |side: Side, of: &[usize]| Similarity::sum(of.iter().map(|index| &clips[*index].get(side).similarity));
    let all: Vec<usize> = (0..clips.len()).collect();
    let sums = Pair::of(|side| sum(side, &all));
    SimilarityMeasure {
        error: sums.generated.error(&sums.real),
        interval: bootstrap_interval(clips.len(), seed, |drawn| sum(Side::Generated, drawn).error(&sums.real)),
        floor: split_half_floor(clips.len(), seed, |one, other| Some(sum(Side::Real, one).error(&sum(Side::Real, other)))),
        distribution: Pair { generated: sums.generated.distribution().to_vec(), real: sums.real.distribution().to_vec() },
    }
}

/// Compares the distributions of a measure; `None` if no clip has a value.
fn distribution_distance(clips: &[Pair<ClipMeasures>], seed: u64, of: fn(&Consistency) -> Option<f64>) -> Option<Distance> {
    let values = Pair::of(|side| clips.iter().filter_map(|clip| of(&clip.get(side).consistency)).collect::<Vec<f64>>());
    let halves = |one: &[usize], other: &[usize]| {
        let some = |of: &[usize]| of.iter().map(|index| values.real[*index]).collect::<Vec<f64>>();
        earth_movers_distance(&some(one), &some(other))
    };
    Some(Distance {
        mean: Pair { generated: mean(&values.generated)?, real: mean(&values.real)? },
        distance: earth_movers_distance(&values.generated, &values.real)?,
        floor: split_half_floor(values.real.len(), seed, halves)?,
    })
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Clip, Note, Part, Role, Tick};

    use super::super::folder::Entry;
    use super::*;

    /// A clip with `notes` notes per bar: all on one key, or each bar a semitone above the one before.
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

    fn manifest(sources: &[&str]) -> Manifest {
        let entry = |(number, source): (usize, &&str)| Entry {
            name: format!("{number}.mid"),
            source: (*source).to_owned(),
            piece: format!("{source}/a.mid"),
            bar: 9,
        };
        let clips = sources.iter().enumerate().map(entry).collect();
        Manifest { model: "m".into(), seed: 1, prompt_bars: 8, bars: 16, too_short: Vec::new(), clips }
    }

    #[test]
    fn generated_music_equal_to_the_real_music_has_distance_0() {
        let triple = Triple { prompt: clip(8, 4, false), generated: clip(16, 4, false), real: clip(16, 4, false) };
        let measures = measure(&manifest(&["a", "b"]), &[triple.clone(), triple]);
        assert_eq!((measures.clips, measures.sources.len(), measures.sources["a"].clips), (2, 2, 1));
        assert_eq!(measures.similarity.error, 0.0);
        assert_eq!(measures.scale.map(|scale| (scale.distance, scale.floor)), Some((0.0, 0.0)));
        assert_eq!(measures.first_bars.generated, DensityRatio { steady: 1.0, below: 0.0, above: 0.0, median: 1.0 });
        assert_eq!(measures.first_bars.generated, measures.first_bars.real);
        assert_eq!((measures.repeats.generated, measures.looping.generated), (0.0, 0.0), "bars 9 to 16 rise above the prompt's");
    }

    #[test]
    fn runaway_thinning_and_standstill_are_measured() {
        let real = clip(16, 4, false);
        let runs = Triple { prompt: clip(8, 4, false), generated: clip(16, 8, true), real: real.clone() };
        let thins = Triple { prompt: clip(8, 4, false), generated: clip(16, 2, false), real };
        let measures = measure(&manifest(&["a", "a"]), &[runs, thins]);
        let DensityRatio { steady, below, above, .. } = measures.first_bars.generated;
        assert_eq!((steady, below, above), (0.0, 0.5, 0.5));
        assert_eq!(measures.first_bars.real.steady, 1.0);
        // One of the two clips has a single key, and each of its bars repeats the one before.
        assert_eq!((measures.stuck.generated, measures.looping.generated, measures.repeats.generated), (0.5, 0.5, 0.5));
        assert!(measures.similarity.error > 0.3);
        assert_eq!(measures.similarity.distribution.generated.len(), 40);
    }

    #[test]
    fn clip_that_stops_early_counts_its_missing_bars_as_empty() {
        let stops = Triple { prompt: clip(8, 4, false), generated: clip(4, 4, false), real: clip(16, 4, false) };
        let measures = measure(&manifest(&["a"]), &[stops]);
        assert_eq!((measures.empty.generated, measures.empty.real), (0.75, 0.0));
        assert_eq!(measures.last_bars.generated.below, 1.0);
        assert_eq!(measures.first_bars.generated.median, 0.5);
    }
}
