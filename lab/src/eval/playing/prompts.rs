//! Where real pieces are broken off, to be continued.

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

/// Places tried in a piece before it is passed over.
const TRIES: usize = 16;

/// How much is heard, and how much follows.
#[derive(Debug, Clone, Copy)]
pub(in crate::eval) struct Lengths {
    /// Bars that are heard.
    pub(in crate::eval) prompt: u32,
    /// Bars that are to follow, and do follow in the piece.
    pub(in crate::eval) bars: u32,
}

/// A real piece, broken off at a bar line. Each clip begins at its own tick 0.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Excerpt {
    /// The piece's source.
    pub(in crate::eval) source: String,
    /// The piece's path, from the folder of sources on.
    pub(in crate::eval) path: String,
    /// The piece's bar that follows the prompt, counted from 1.
    pub(in crate::eval) bar: u32,
    /// What is heard.
    pub(in crate::eval) heard: Clip,
    /// What follows in the piece.
    pub(in crate::eval) real: Clip,
}

/// Prompts, and the files that could not be read.
pub(in crate::eval) struct Prompts {
    /// In order, sources taking turns.
    pub(in crate::eval) prompts: Vec<Excerpt>,
    /// Sources none of whose pieces is long enough.
    pub(in crate::eval) too_short: Vec<String>,
    /// Files that cannot be read.
    pub(in crate::eval) skipped: Vec<Skipped>,
}

/// Breaks off `count` pieces: sources take turns, in each the pieces in an order shuffled by the seed, each at a bar drawn by it. The same files,
/// lengths and seed make the same prompts.
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
) -> Result<Prompts> {
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
    let mut decks: Vec<(String, Vec<(String, Clip)>)> = sources.into_iter().collect();
    let too_short = decks.iter().filter(|(_, pieces)| pieces.is_empty()).map(|(source, _)| source.clone()).collect();
    decks.retain(|(_, pieces)| !pieces.is_empty());
    if decks.is_empty() {
        let Lengths { prompt, bars } = lengths;
        bail!("{}: no piece has {prompt} bars to hear and {bars} that follow; lower --bars or --prompt-bars", dir.display());
    }
    let mut rng = Rng::with_seed(seed);
    decks.iter_mut().for_each(|(_, pieces)| rng.shuffle(pieces));
    let mut prompts = Vec::with_capacity(count);
    let most_turns = count.saturating_mul(TRIES);
    for turn in 0..most_turns {
        if prompts.len() == count {
            break;
        }
        let (source, pieces) = &decks[turn % decks.len()];
        let (path, clip) = &pieces[turn / decks.len() % pieces.len()];
        prompts.extend(broken_off(clip, lengths, &mut rng).map(|(bar, heard, real)| Excerpt {
            source: source.clone(),
            path: path.clone(),
            bar,
            heard,
            real,
        }));
    }
    if prompts.len() < count {
        bail!("{}: only {} prompts can be drawn from its pieces; ask for fewer", dir.display(), prompts.len());
    }
    Ok(Prompts { prompts, too_short, skipped })
}

/// The bars before which a piece can be broken off: enough of it lies before and after. `None` if there is none.
fn places(clip: &Clip, lengths: Lengths) -> Option<std::ops::RangeInclusive<u32>> {
    let bar = |tick: Tick| clip.metres.bar_at(tick).index;
    let first = bar(clip.first_onset()?).checked_add(lengths.prompt)?;
    let last = bar(clip.last_onset()?).checked_add(1)?.checked_sub(lengths.bars)?;
    (first <= last).then_some(first..=last)
}

/// A piece broken off somewhere: the bar, counted from 1, what comes before and what comes after. `None` where nothing much was played before it.
fn broken_off(clip: &Clip, lengths: Lengths, rng: &mut Rng) -> Option<(u32, Clip, Clip)> {
    let places = places(clip, lengths)?;
    let line = |bar: u32| clip.metres.bar(bar).start;
    let played = |bar: &u32| plays(clip, line(bar - RECENT_BARS.min(*bar)), line(*bar), &clip.metres);
    let bar = (0..TRIES).map(|_| rng.u32(places.clone())).find(played)?;
    let heard = clip.slice(line(bar - lengths.prompt), line(bar));
    let real = clip.slice(line(bar), line(bar + lengths.bars));
    Some((bar + 1, heard, real))
}

/// Whether notes start in at least half of the bars from one bar line to another, and in the last of them.
fn plays(clip: &Clip, from: Tick, to: Tick, metres: &MetreMap) -> bool {
    let onsets = clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.onset).filter(|onset| (from..to).contains(onset));
    let played: std::collections::BTreeSet<u32> = onsets.map(|onset| metres.bar_at(onset).index).collect();
    let end = metres.bar_at(to).index;
    let bars = end - metres.bar_at(from).index;
    let bars = usize::try_from(bars).unwrap_or(usize::MAX);
    played.contains(&end.saturating_sub(1)) && 2 * played.len() >= bars
}

/// The roles with a note in a clip, each once, in canonical order.
pub(in crate::eval) fn roles(clip: &Clip) -> Vec<Role> {
    let roles = clip.parts.iter().flat_map(|part| &part.notes).map(|note| note.role);
    roles.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Note, Part};

    use super::*;

    /// One quarter note on every bar line of `bars` bars of 4/4, each a semitone higher, after `rests` empty ones.
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
    fn a_piece_is_broken_off_where_enough_lies_on_both_sides() {
        let lengths = Lengths { prompt: 4, bars: 3 };
        assert_eq!(places(&clip(2, 10), lengths), Some(6..=9));
        assert_eq!(places(&clip(2, 6), lengths), None);
        let mut rng = Rng::with_seed(1);
        for _ in 0..20 {
            let (bar, heard, real) = broken_off(&clip(2, 10), lengths, &mut rng).unwrap();
            let pitches = |clip: &Clip| clip.parts[0].notes.iter().map(|note| u32::from(note.pitch)).collect::<Vec<_>>();
            assert!((7..=10).contains(&bar));
            assert_eq!(pitches(&heard), (bar - 5..bar - 1).collect::<Vec<_>>());
            assert_eq!(pitches(&real), (bar - 1..bar + 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_a_long_rest_nothing_is_broken_off() {
        let mut clip = clip(0, 10);
        clip.parts[0].notes.retain(|note| note.pitch == 0 || note.pitch == 9);
        assert!(broken_off(&clip, Lengths { prompt: 6, bars: 3 }, &mut Rng::with_seed(1)).is_none());
    }

    #[test]
    fn sources_take_turns_and_the_seed_decides() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (source, piece, bars) in [("a", 1, 20), ("a", 2, 20), ("b", 1, 30), ("c", 1, 3)] {
            let full = dir.path().join(format!("{source}{piece}.mid"));
            smf::write_file(&clip(0, bars), &full).unwrap();
            files.push(ChosenFile::new(source, &format!("{source}/{piece}.mid"), full));
        }
        let draw = |seed| draw(files.clone(), dir.path(), 5, Lengths { prompt: 8, bars: 4 }, seed, &ProgressBar::hidden()).unwrap();
        let names = |prompts: &Prompts| prompts.prompts.iter().map(|prompt| (prompt.path.clone(), prompt.bar)).collect::<Vec<_>>();
        let drawn = draw(1);
        assert_eq!(drawn.prompts.iter().map(|prompt| prompt.source.as_str()).collect::<Vec<_>>(), ["a", "b", "a", "b", "a"]);
        assert_ne!(drawn.prompts[0].path, drawn.prompts[2].path);
        assert_eq!(drawn.too_short, ["c"]);
        assert_eq!(names(&draw(1)), names(&drawn));
        assert_ne!(names(&draw(2)), names(&drawn));
    }
}
