//! Prompts for generation: real pieces cut at a bar line.

use std::collections::BTreeMap;
use std::path::Path;

use antiphon_engine::music::{Clip, MetreMap, Role, Tick, smf};
use anyhow::{Result, bail};
use fastrand::Rng;
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::super::pieces::ChosenFile;
use super::super::report::Skipped;
use antiphon_cli::phrase::RECENT_BARS;

/// Cut points tried in a piece before it is skipped.
const TRIES: usize = 16;

/// Lengths of the two sides of a cut.
#[derive(Debug, Clone, Copy)]
pub(in crate::eval) struct Lengths {
    /// Bars of context before the cut.
    pub(in crate::eval) prompt: u32,
    /// Bars to generate after the cut; the piece has as many there.
    pub(in crate::eval) bars: u32,
}

/// A real piece cut at a bar line. Each clip starts at tick 0.
#[derive(Debug, Clone)]
pub(in crate::eval) struct EvalPrompt {
    /// Source of the piece.
    pub(in crate::eval) source: String,
    /// Path of the piece in the folder of sources.
    pub(in crate::eval) path: String,
    /// The piece's bar that follows the prompt, counted from 1.
    pub(in crate::eval) bar: u32,
    /// Bars before the cut.
    pub(in crate::eval) context: Clip,
    /// Bars after the cut.
    pub(in crate::eval) real: Clip,
}

/// Result of [`draw`].
pub(in crate::eval) struct EvalPrompts {
    /// In the order drawn: sources alternate.
    pub(in crate::eval) prompts: Vec<EvalPrompt>,
    /// Sources without a piece that is long enough.
    pub(in crate::eval) too_short: Vec<String>,
    /// Files that could not be read.
    pub(in crate::eval) skipped: Vec<Skipped>,
}

/// Draws `count` prompts. Sources alternate; each one's pieces are in an order shuffled by the seed, each piece is cut at a bar drawn with it.
/// Deterministic in files, lengths and seed.
///
/// # Errors
/// If no file can be read, or no piece is long enough.
pub(in crate::eval) fn draw(
    files: Vec<ChosenFile>,
    dir: &Path,
    count: usize,
    lengths: Lengths,
    seed: u64,
    progress: &ProgressBar,
) -> Result<EvalPrompts> {
    progress.set_length(u64::try_from(files.len())?);
    let read = |file: ChosenFile| {
        let clip = smf::read_file(file.full()).map(|import| import.clip);
        progress.inc(1);
        (file, clip)
    };
    let read: Vec<_> = files.into_par_iter().map(read).collect();
    progress.finish_and_clear();
    let mut skipped = Vec::new();
    let mut sources: BTreeMap<String, Vec<(String, Clip)>> = BTreeMap::new();
    for (ChosenFile { source, path, .. }, clip) in read {
        let long_enough = |clip: &Clip| places(clip, lengths).is_some();
        let pieces = sources.entry(source).or_default();
        match clip {
            Ok(clip) if long_enough(&clip) => pieces.push((path, clip)),
            Ok(_) => {}
            Err(error) => skipped.push(Skipped { path, reason: error.to_string() }),
        }
    }
    let mut sources_with_pieces: Vec<(String, Vec<(String, Clip)>)> = sources.into_iter().collect();
    let too_short = sources_with_pieces.iter().filter(|(_, pieces)| pieces.is_empty()).map(|(source, _)| source.clone()).collect();
    sources_with_pieces.retain(|(_, pieces)| !pieces.is_empty());
    if sources_with_pieces.is_empty() {
        let Lengths { prompt, bars } = lengths;
        bail!("{}: no piece has {prompt} bars of context and {bars} after them; lower --bars or --prompt-bars", dir.display());
    }
    let mut rng = Rng::with_seed(seed);
    sources_with_pieces.iter_mut().for_each(|(_, pieces)| rng.shuffle(pieces));
    let mut prompts = Vec::with_capacity(count);
    let most_tries = count.saturating_mul(TRIES);
    for number in 0..most_tries {
        if prompts.len() == count {
            break;
        }
        let (source, pieces) = &sources_with_pieces[number % sources_with_pieces.len()];
        let (path, clip) = &pieces[number / sources_with_pieces.len() % pieces.len()];
        prompts.extend(cut(clip, lengths, &mut rng).map(|(bar, context, real)| EvalPrompt {
            source: source.clone(),
            path: path.clone(),
            bar,
            context,
            real,
        }));
    }
    if prompts.len() < count {
        bail!("{}: only {} prompts can be drawn from its pieces; request fewer", dir.display(), prompts.len());
    }
    Ok(EvalPrompts { prompts, too_short, skipped })
}

/// Range of bars at which a piece can be cut: enough bars with notes lie before and after. `None` if there are none.
fn places(clip: &Clip, lengths: Lengths) -> Option<std::ops::RangeInclusive<u32>> {
    let bar = |tick: Tick| clip.metres.bar_at(tick).index;
    let first = bar(clip.first_onset()?).checked_add(lengths.prompt)?;
    let last = bar(clip.last_onset()?).checked_add(1)?.checked_sub(lengths.bars)?;
    (first <= last).then_some(first..=last)
}

/// Cuts a piece at a random bar: the number of the bar after the cut, counted from 1, the context and the real continuation. `None` if no cut was
/// found with enough notes right before it.
fn cut(clip: &Clip, lengths: Lengths, rng: &mut Rng) -> Option<(u32, Clip, Clip)> {
    let places = places(clip, lengths)?;
    let line = |bar: u32| clip.metres.bar(bar).start;
    let is_dense_enough = |bar: &u32| has_enough_notes(clip, line(bar - RECENT_BARS.min(*bar)), line(*bar), &clip.metres);
    let bar = (0..TRIES).map(|_| rng.u32(places.clone())).find(is_dense_enough)?;
    let context = clip.slice(line(bar - lengths.prompt), line(bar));
    let real = clip.slice(line(bar), line(bar + lengths.bars));
    Some((bar + 1, context, real))
}

/// Whether notes start in at least half of the bars of a range, and in its last one.
fn has_enough_notes(clip: &Clip, from: Tick, to: Tick, metres: &MetreMap) -> bool {
    let onsets = clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.onset).filter(|onset| (from..to).contains(onset));
    let with_onsets: std::collections::BTreeSet<u32> = onsets.map(|onset| metres.bar_at(onset).index).collect();
    let end = metres.bar_at(to).index;
    let bars = end - metres.bar_at(from).index;
    let bars = usize::try_from(bars).unwrap_or(usize::MAX);
    with_onsets.contains(&end.saturating_sub(1)) && 2 * with_onsets.len() >= bars
}

/// Roles with a note in the clip, in canonical order.
pub(in crate::eval) fn roles(clip: &Clip) -> Vec<Role> {
    let roles = clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.role);
    roles.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Note, Part};

    use super::*;

    /// `bars` bars of 4/4 with a quarter note on each bar line, each a semitone higher, after `rests` empty bars.
    fn clip(rests: i64, bars: i64) -> Clip {
        let note = |bar: i64| Note {
            onset: Tick(96 * bar),
            offset: 0,
            duration: Tick(24),
            pitch: u8::try_from(bar).unwrap(),
            velocity: 80,
            role: Role::Keys,
        };
        let notes = (rests..rests + bars).map(note).collect();
        Clip { parts: vec![Part { notes, ..Part::default() }], end: Tick(96 * (rests + bars)), ..Clip::default() }
    }

    #[test]
    fn cut_leaves_enough_bars_on_both_sides() {
        let lengths = Lengths { prompt: 4, bars: 3 };
        assert_eq!(places(&clip(2, 10), lengths), Some(6..=9));
        assert_eq!(places(&clip(2, 6), lengths), None);
        let mut rng = Rng::with_seed(1);
        for _ in 0..20 {
            let (bar, context, real) = cut(&clip(2, 10), lengths, &mut rng).unwrap();
            let pitches = |clip: &Clip| clip.parts[0].notes.iter().map(|note| u32::from(note.pitch)).collect::<Vec<_>>();
            assert!((7..=10).contains(&bar));
            assert_eq!(pitches(&context), (bar - 5..bar - 1).collect::<Vec<_>>());
            assert_eq!(pitches(&real), (bar - 1..bar + 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn cut_after_a_long_rest_is_not_made() {
        let mut clip = clip(0, 10);
        clip.parts[0].notes.retain(|note| note.pitch == 0 || note.pitch == 9);
        assert!(cut(&clip, Lengths { prompt: 6, bars: 3 }, &mut Rng::with_seed(1)).is_none());
    }

    #[test]
    fn drawn_prompts_alternate_between_sources_and_depend_on_the_seed() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (source, piece, bars) in [("a", 1, 20), ("a", 2, 20), ("b", 1, 30), ("c", 1, 3)] {
            let full = dir.path().join(format!("{source}{piece}.mid"));
            smf::write_file(&clip(0, bars), &full).unwrap();
            files.push(ChosenFile::new(source, &format!("{source}/{piece}.mid"), full));
        }
        let draw = |seed| draw(files.clone(), dir.path(), 5, Lengths { prompt: 8, bars: 4 }, seed, &ProgressBar::hidden()).unwrap();
        let names = |prompts: &EvalPrompts| prompts.prompts.iter().map(|prompt| (prompt.path.clone(), prompt.bar)).collect::<Vec<_>>();
        let drawn = draw(1);
        assert_eq!(drawn.prompts.iter().map(|prompt| prompt.source.as_str()).collect::<Vec<_>>(), ["a", "b", "a", "b", "a"]);
        assert_ne!(drawn.prompts[0].path, drawn.prompts[2].path);
        assert_eq!(drawn.too_short, ["c"]);
        assert_eq!(names(&draw(1)), names(&drawn));
        assert_ne!(names(&draw(2)), names(&drawn));
    }
}
