//! Longest passages that clips share with a corpus.
//!
//! A suffix automaton is built over the lines of all clips, and the corpus is read through it once. Memory grows with the clips, and the corpus needs
//! no index.

use std::collections::HashSet;

use general_sam::{BTreeTransTable, GeneralSam, SAM_NIL_NODE_ID, SAM_ROOT_NODE_ID};
use rayon::prelude::*;

use super::line::{Line, Step};

/// Length in steps of the figures of which each counts once in the length of a passage.
const FIGURE_STEPS: usize = 3;

/// Position in the corpus where a passage ends. Ordered, so that ties go to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index of the piece.
    pub(super) piece: usize,
    /// Index of the line in the piece.
    pub(super) line: usize,
    /// Index of the passage's last note in the line.
    pub(super) last: usize,
}

/// A passage of a clip that also occurs in the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared {
    /// Index of the line in the clip.
    pub(super) line: usize,
    /// Index of the first note in that line.
    pub(super) first: usize,
    /// Length in notes.
    pub(super) notes: usize,
    /// Length in notes, repeated figures counted once ([`notes_once`]).
    pub(super) notes_once: usize,
    /// First position in the corpus where it ends.
    pub(super) place: Place,
}

/// Longest passages of one clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Longest {
    /// Longest with repeated figures counted once; ties go to more notes, then to the first.
    pub(super) once: Option<Shared>,
    /// Longest with repetitions included.
    pub(super) plain: Option<Shared>,
}

/// Longest corpus match that ends in a state of the automaton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CorpusMatch {
    steps: usize,
    place: Place,
}

impl CorpusMatch {
    /// The longer match; ties go to the first place.
    fn longer_of(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        [one, other].into_iter().flatten().min_by_key(|found| (std::cmp::Reverse(found.steps), found.place))
    }
}

/// Automaton over the clips' lines.
pub(super) struct Searcher<'a> {
    clips: &'a [Vec<Line>],
    automaton: GeneralSam<BTreeTransTable<u32>>,
}

impl<'a> Searcher<'a> {
    /// Builds the automaton.
    pub(super) fn new(clips: &'a [Vec<Line>]) -> Self {
        let lines = clips.iter().flatten();
        let text: Vec<u32> = lines.flat_map(|line| line.steps().chain([Step::BREAK])).map(Step::symbol).collect();
        Self { clips, automaton: GeneralSam::from_utf32(text) }
    }

    /// Longest passages that each clip shares with the corpus; `piece` returns the lines of a piece by index.
    pub(super) fn search(&self, pieces: &[usize], piece: impl Fn(usize) -> Vec<Line> + Sync) -> Vec<Longest> {
        let none = || vec![None; self.automaton.num_of_nodes()];
        let read = |mut found: Vec<Option<CorpusMatch>>, index: &usize| {
            for (number, line) in piece(*index).iter().enumerate() {
                self.read(line, Place { piece: *index, line: number, last: 0 }, &mut found);
            }
            found
        };
        let both = |mut one: Vec<Option<CorpusMatch>>, other: Vec<Option<CorpusMatch>>| {
            one.iter_mut().zip(other).for_each(|(one, other)| *one = CorpusMatch::longer_of(*one, other));
            one
        };
        let mut found = pieces.par_iter().fold(none, read).reduce(none, both);
        self.propagate_to_suffixes(&mut found);
        self.clips.par_iter().map(|lines| self.longest(lines, &found)).collect()
    }

    fn next(&self, state: usize, step: Step) -> Option<usize> {
        self.automaton.get_node(state)?.get_trans().get(&step.symbol()).copied()
    }

    /// Suffix link: the state of the longest suffix that occurs elsewhere too.
    fn parent(&self, state: usize) -> usize {
        self.automaton.get_node(state).map_or(SAM_NIL_NODE_ID, |node| node.get_suffix_parent_id())
    }

    /// Length in steps of a state's longest string.
    fn length(&self, state: usize) -> usize {
        self.automaton.get_node(state).map_or(0, |node| node.max_suffix_len())
    }

    /// Runs a line of the corpus through the automaton, and records the longest match that ends in each state reached.
    fn read(&self, line: &Line, place: Place, found: &mut [Option<CorpusMatch>]) {
        let (mut state, mut steps) = (SAM_ROOT_NODE_ID, 0);
        for (step, last) in line.steps().zip(1..) {
            loop {
                if let Some(next) = self.next(state, step) {
                    (state, steps) = (next, steps + 1);
                    break;
                }
                state = self.parent(state);
                if state == SAM_NIL_NODE_ID {
                    (state, steps) = (SAM_ROOT_NODE_ID, 0);
                    break;
                }
                steps = self.length(state);
            }
            if steps > 0 {
                found[state] = CorpusMatch::longer_of(found[state], Some(CorpusMatch { steps, place: Place { last, ..place } }));
            }
        }
    }

    /// Copies matches along the suffix links: a match of a string is a match of its suffixes.
    fn propagate_to_suffixes(&self, found: &mut [Option<CorpusMatch>]) {
        let mut states: Vec<usize> = (SAM_ROOT_NODE_ID + 1..self.automaton.num_of_nodes()).collect();
        states.sort_by_key(|state| std::cmp::Reverse(self.length(*state)));
        for state in states {
            let parent = self.parent(state);
            if let (Some(longer), true) = (found[state], parent > SAM_ROOT_NODE_ID) {
                let whole = CorpusMatch { steps: self.length(parent), place: longer.place };
                found[parent] = CorpusMatch::longer_of(found[parent], Some(whole));
            }
        }
    }

    /// Longest passages of a clip's lines.
    fn longest(&self, lines: &[Line], found: &[Option<CorpusMatch>]) -> Longest {
        let mut longest = Longest::default();
        for (number, line) in lines.iter().enumerate() {
            let steps: Vec<Step> = line.steps().collect();
            let matches = self.matches(&steps, found);
            for (end, this) in matches.iter().enumerate() {
                let Some(CorpusMatch { steps: length, place }) = *this else { continue };
                let continues = matches.get(end + 1).copied().flatten().is_some_and(|next| next.steps > length);
                if continues {
                    continue;
                }
                let first = end + 1 - length;
                let shared = Shared { line: number, first, notes: length + 1, notes_once: notes_once(&steps[first..=end]), place };
                let best = |best: Option<Shared>, key: fn(&Shared) -> (usize, usize)| match best {
                    Some(best) if key(&best) >= key(&shared) => Some(best),
                    _ => Some(shared),
                };
                longest.once = best(longest.once, |shared| (shared.notes_once, shared.notes));
                longest.plain = best(longest.plain, |shared| (shared.notes, shared.notes_once));
            }
        }
        longest
    }

    /// Longest match that ends at each step of a clip's line.
    fn matches(&self, steps: &[Step], found: &[Option<CorpusMatch>]) -> Vec<Option<CorpusMatch>> {
        let mut state = SAM_ROOT_NODE_ID;
        let match_at = |step: &Step| {
            // The automaton holds every line of the clips, so the transition exists.
            state = self.next(state, *step).unwrap_or(SAM_ROOT_NODE_ID);
            let mut shorter = state;
            while shorter > SAM_ROOT_NODE_ID && found[shorter].is_none() {
                shorter = self.parent(shorter);
            }
            found[shorter]
        };
        steps.iter().map(match_at).collect()
    }
}

/// Length of a passage in notes, repeated figures counted once: the number of distinct figures of three consecutive steps, plus three. A repeated
/// single note counts as four; a melody without repeated figures counts all its notes.
fn notes_once(steps: &[Step]) -> usize {
    let figures: HashSet<&[Step]> = steps.windows(FIGURE_STEPS).collect();
    if figures.is_empty() { steps.len() + 1 } else { figures.len() + FIGURE_STEPS }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;
    use proptest::prelude::*;

    use super::super::line::lines;
    use super::super::line::tests::piece;
    use super::*;

    /// A line of quarter notes.
    fn tune(pitches: &[u8]) -> Vec<Line> {
        let notes: Vec<Vec<_>> =
            pitches.chunks(4).map(|bar| bar.iter().zip(0..).map(|(&pitch, beat)| (beat, 0, Role::Melody, pitch, 0)).collect()).collect();
        lines(&piece(&notes.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    fn search(clips: &[&[u8]], corpus: &[&[u8]]) -> Vec<Longest> {
        let clips: Vec<_> = clips.iter().map(|pitches| tune(pitches)).collect();
        let pieces: Vec<usize> = (0..corpus.len()).collect();
        Searcher::new(&clips).search(&pieces, |index| tune(corpus[index]))
    }

    #[test]
    fn longest_passage_is_found_in_any_key_with_its_place() {
        let corpus: [&[u8]; 3] = [&[60, 62, 60], &[50, 52, 54, 55, 57, 54, 50, 61], &[70, 72, 74, 75, 77, 74, 70, 40]];
        // A fourth above the second piece, after two other notes.
        let found = search(&[&[80, 61, 55, 57, 59, 60, 62, 59, 55, 56]], &corpus)[0].once.unwrap();
        assert_eq!((found.line, found.first, found.notes, found.notes_once), (0, 2, 7, 7));
        assert_eq!(found.place, Place { piece: 1, line: 0, last: 6 });
    }

    #[test]
    fn search_does_not_match_clips_with_each_other() {
        let found = search(&[&[60, 61, 63, 66], &[60, 61, 63, 66], &[60, 72]], &[&[60, 61, 64]]);
        assert_eq!(found.iter().map(|clip| clip.once.map(|shared| shared.notes)).collect::<Vec<_>>(), [Some(2), Some(2), None]);
    }

    #[test]
    fn repeated_figures_count_once() {
        let repeated = [60; 40];
        let trill: Vec<u8> = (0..40).map(|n| 60 + n % 2).collect();
        let found = search(&[&repeated, &trill], &[&repeated, &trill]);
        let counted: Vec<_> = found.iter().map(|clip| clip.once.map(|shared| (shared.notes, shared.notes_once)).unwrap()).collect();
        assert_eq!(counted, [(40, 4), (40, 5)]);
    }

    #[test]
    fn melody_ranks_before_a_longer_repeated_figure() {
        let repeated = [60; 30];
        let tune = [60, 65, 61, 70, 62, 75, 63, 50];
        let both: Vec<u8> = repeated.iter().chain(&[99]).chain(&tune).copied().collect();
        let found = search(&[&both], &[&repeated, &tune])[0];
        assert_eq!(found.once.map(|shared| (shared.notes, shared.notes_once, shared.place.piece)), Some((8, 8, 1)));
        assert_eq!(found.plain.map(|shared| (shared.notes, shared.notes_once, shared.place.piece)), Some((30, 4, 0)));
    }

    /// Most common notes, by brute force.
    fn brute_force(clip: &[u8], corpus: &[&[u8]]) -> usize {
        let steps = |tune: &[u8]| tune.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect::<Vec<_>>();
        let clip = steps(clip);
        let mut longest = 0;
        for piece in corpus.iter().map(|tune| steps(tune)) {
            for (from, start) in (0..clip.len()).flat_map(|from| (0..piece.len()).map(move |start| (from, start))) {
                longest = longest.max(clip[from..].iter().zip(&piece[start..]).take_while(|(a, b)| a == b).count());
            }
        }
        if longest > 0 { longest + 1 } else { 0 }
    }

    proptest! {
        #[test]
        fn search_agrees_with_brute_force(
            clips in prop::collection::vec(prop::collection::vec(60u8..64, 2..30), 1..4),
            corpus in prop::collection::vec(prop::collection::vec(60u8..64, 2..30), 1..5),
        ) {
            let corpus: Vec<&[u8]> = corpus.iter().map(Vec::as_slice).collect();
            let found = search(&clips.iter().map(Vec::as_slice).collect::<Vec<_>>(), &corpus);
            for (clip, found) in clips.iter().zip(found) {
                prop_assert_eq!(found.plain.map_or(0, |shared| shared.notes), brute_force(clip, &corpus));
            }
        }
    }
}
