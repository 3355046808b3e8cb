//! Prompts from notes, metres and controls: for a continuation, a gap, an accompaniment, and for the bars that a session is about to play.

use std::sync::Arc;

use super::likely_repeat::likely_repeats;
use super::{FAR_SIDE_BARS, Prompt, PromptBar};
use crate::codec::{self, BarFields, BarRows, OwnRoles};
use crate::decode::{Constraints, RoleSet};
use crate::music::analysis::{KeySignature, habits};
use crate::music::{Bar, Clip, Note, Tick, insertion};

/// Bars of the shortest phrase that counts.
const LEAST_PHRASE: usize = 4;

/// Lengths of substitute contexts in bars: whole phases first, then whole phrases.
const STAND_INS: [usize; 5] = [codec::PHASE_BARS as usize, 8, 4, 2, 1];

/// Bars that come next, some of their notes known.
#[derive(Debug, Clone, Copy)]
pub struct Upcoming<'a> {
    /// The bars, in order.
    pub bars: &'a [Bar],
    /// Notes of them that are known, in any order.
    pub known: &'a [Note],
    /// Notes are known up to here. Those of other roles than `own` that sound across it have no end yet.
    pub cut: Tick,
    /// Roles that are generated beside a player's, whose durations are therefore known; all roles where there are none. A note of theirs that is held has
    /// no end yet.
    pub own: OwnRoles,
    /// Tempo bucket, 1 to 8; 0 for unset.
    pub tempo: u8,
    /// Index of the first of them.
    pub index: u32,
    /// Bars between the context and the first of them.
    pub ahead: usize,
}

impl Upcoming<'_> {
    /// The bars with their known notes.
    fn encode(&self) -> Vec<BarRows> {
        let Self { bars, known, cut, own, .. } = *self;
        if own == OwnRoles::ALL {
            let known: Vec<Note> = known.iter().filter(|note| note.onset < cut).copied().collect();
            return codec::encode(&known, bars, None).bars;
        }
        let (planned, played): (Vec<Note>, Vec<Note>) =
            known.iter().filter(|note| note.onset < cut).partition(|note| own.contains(note.role.class()));
        let mut rows = codec::encode(&played, bars, Some(cut)).bars;
        for (row, planned) in rows.iter_mut().zip(codec::encode(&planned, bars, None).bars) {
            row.notes.extend(planned.notes);
            row.notes.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        }
        rows
    }
}

/// Constraints if none are requested: `roles` in the range and chord size of their `recent` notes, with the density limit measured on those.
#[must_use]
pub fn default_constraints(roles: RoleSet, recent: &[Note]) -> Constraints {
    let mut constraints = Constraints { roles, ..Constraints::default() };
    constraints.keep_to(&habits(recent));
    constraints
}

impl Prompt {
    /// The last bars of `clip` before `start`, a bar line, and the `bars` bars from there on, which are conditioned on the phrase before, and on `key` in place
    /// of its key if one is requested. Without a note before `start` there is no context. The first bar of the gap is not silent, and no note outlasts the gap.
    #[must_use]
    pub fn continuation(clip: &Clip, start: Tick, bars: u32, key: Option<KeySignature>) -> Self {
        let metres = &clip.metres;
        let (first, seam) = (metres.bar_at(clip.first_onset().unwrap_or(start)).index, metres.bar_at(start).index);
        let first = first + codec::skipped_bars(seam.saturating_sub(first));
        let mut context = Labelled::new(clip, first..seam.saturating_add(bars), Some(start));
        let mut gap = context.split_off(start);
        close_up(&mut context.bars, &mut gap.bars);
        let gap = gap.bars.into_iter().map(PromptBar::from).collect();
        Self::conditioned(context.bars, gap, Vec::new(), key)
    }

    /// Bars `first` up to `after` (counted from 0, exclusive) of a clip, whose notes there are given; up to [`CONTEXT_BARS`](codec::CONTEXT_BARS) before them and
    /// [`FAR_SIDE_BARS`] after are read. They are conditioned as the bars of a [`continuation`](Self::continuation) are, but for what they repeat.
    #[must_use]
    pub fn infill(known: &Clip, first: u32, after: u32, key: Option<KeySignature>) -> Self {
        let metres = &known.metres;
        let bar_of = |tick: Option<Tick>, otherwise: u32| tick.map_or(otherwise, |tick| metres.bar_at(tick).index);
        let oldest = bar_of(known.first_onset(), first).min(first);
        let end = bar_of(known.last_onset(), 0).saturating_add(1).clamp(after, after + FAR_SIDE_BARS);
        let mut context = Labelled::new(known, oldest + codec::skipped_bars(first - oldest)..end, None);
        let mut far_side = context.split_off(metres.bar(after).start).bars;
        let mut gap = context.split_off(metres.bar(first).start).bars;
        // A bar of more than 16 quarters is several of the model's.
        far_side.truncate(usize::try_from(FAR_SIDE_BARS).unwrap_or(usize::MAX));
        let mut context = context.bars;
        if context.is_empty() {
            context = stand_ins(&mut gap, &mut far_side);
        }
        Self::filled(context, gap.into_iter().map(given).collect(), far_side, key)
    }

    /// The same of bars in class form; those of the context with their labels. Each bar of the gap is asked to repeat the bar that it is likely to, by the
    /// bars around the gap, and has its density, register, span and voices.
    #[must_use]
    pub fn filled(context: Vec<BarRows>, gap: Vec<PromptBar>, far_side: Vec<BarRows>, key: Option<KeySignature>) -> Self {
        let repeats = likely_repeats(&context, gap.len(), &far_side);
        let repeated: Vec<_> = repeats.into_iter().map(|repeat| repeat.map(|repeat| (repeat.value, context[repeat.of].fields))).collect();
        let mut prompt = Self::conditioned(context, gap, far_side, key);
        for (fields, repeated) in prompt.conditioning.iter_mut().zip(repeated) {
            if let Some((repeats, BarFields { density, register, span, voices, .. })) = repeated {
                *fields = BarFields { density, register, span, voices, repeats, ..*fields };
            }
        }
        prompt
    }

    /// All bars of `known` from its first note on, whose notes are given: the gap of an accompaniment. Each is conditioned on its own tempo, key and repeats; where
    /// `before` has the clip with the roles to be rewritten, also on its density, register, span and voices.
    #[must_use]
    pub fn accompaniment(known: &Clip, before: Option<&Clip>, key: Option<KeySignature>) -> Self {
        let first = known.first_onset().map_or(0, |onset| known.metres.bar_at(onset).index);
        let shown = first..insertion::bars(known);
        let bars = Labelled::new(known, shown.clone(), None).bars;
        let whole = before.map(|before| Labelled::new(before, shown, None).bars);
        let conditioning = bars.iter().enumerate().map(|(place, bar)| {
            let BarFields { metre, tempo, key: found, repeats, .. } = bar.fields;
            let measured = whole.as_ref().and_then(|whole| whole.get(place)).map_or(BarFields::default(), |bar| bar.fields);
            BarFields { metre, tempo, key: key.map_or(found, KeySignature::value), repeats, mood: 0, ..measured }
        });
        let conditioning = conditioning.collect();
        let gap: Vec<PromptBar> = bars.into_iter().map(given).collect();
        Self { conditioning, ..Self::of_bars(Vec::new(), gap, Vec::new(), Constraints::default()) }.bounded()
    }

    /// The bars that come next after a context of finished bars. Constraints are left open.
    #[must_use]
    pub fn upcoming(context: Vec<Arc<PromptBar>>, upcoming: &Upcoming<'_>) -> Self {
        let Upcoming { tempo, index, ahead, .. } = *upcoming;
        let mut rows = upcoming.encode();
        for (index, row) in (index..).zip(&mut rows) {
            row.index = index;
            row.fields.tempo = tempo;
        }
        let fields: Vec<BarFields> = context.iter().map(|bar| bar.bar.fields).collect();
        let conditioning = (ahead..).zip(&rows).map(|(ahead, row)| gap_conditioning(&fields, ahead, row, None)).collect();
        let gap = rows.into_iter().map(PromptBar::from).collect();
        Self { conditioning, ..Self::of_bars(context, gap, Vec::new(), Constraints::default()) }
    }

    /// A prompt whose gap is conditioned on the last phrase of its context.
    fn conditioned(context: Vec<BarRows>, gap: Vec<PromptBar>, far_side: Vec<BarRows>, key: Option<KeySignature>) -> Self {
        let shared = |bars: Vec<BarRows>| bars.into_iter().map(|bar| Arc::new(PromptBar::from(bar))).collect();
        let fields: Vec<BarFields> = context.iter().map(|bar| bar.fields).collect();
        let conditioning = gap.iter().enumerate().map(|(ahead, bar)| gap_conditioning(&fields, ahead, &bar.bar, key)).collect();
        Self { conditioning, ..Self::of_bars(shared(context), gap, shared(far_side), Constraints::default()) }.bounded()
    }

    /// The prompt with the constraints of its ends: the first bar of the gap is not silent, and no note outlasts the gap.
    fn bounded(mut self) -> Self {
        self.constraints = Constraints { until: self.end(), rests_from: self.start() + Tick(1), ..self.constraints };
        self
    }
}

/// Conditioning of the bar `ahead` bars after the first one that follows the context, if nothing is requested: that of one phrase before
/// ([`codec::default_conditioning`]), in its own metre and tempo. A bar in which notes are known that follow on the context has begun, and no longer repeats another.
fn gap_conditioning(context: &[BarFields], ahead: usize, bar: &BarRows, key: Option<KeySignature>) -> BarFields {
    let expected = codec::default_conditioning(context, ahead);
    let repeats = if bar.notes.is_empty() { expected.repeats } else { 0 };
    BarFields { metre: bar.fields.metre, tempo: bar.fields.tempo, key: key.map_or(expected.key, KeySignature::value), repeats, ..expected }
}

/// Bars of a clip as rows, with the labels that are measured on them.
struct Labelled {
    bars: Vec<BarRows>,
    /// The bar line of each.
    lines: Vec<Tick>,
}

impl Labelled {
    /// The bars of these indices. With a `cut`, only notes that start before it are taken.
    fn new(clip: &Clip, indices: std::ops::Range<u32>, cut: Option<Tick>) -> Self {
        let shown: Vec<Bar> = indices.map(|index| clip.metres.bar(index)).collect();
        let from = shown.first().map_or(cut.unwrap_or(Tick::ZERO), |bar| bar.start);
        let notes: Vec<Note> = clip.parts.iter().flat_map(|part| &part.notes).copied().collect();
        let mut bars = codec::encode(&notes, &shown, cut).bars;
        codec::label(&mut bars, from, &clip.tempos);
        let mut line = from;
        let start = |bar: &BarRows| {
            let start = line;
            line += Tick(bar.ticks.into());
            start
        };
        let lines = bars.iter().map(start).collect();
        Self { bars, lines }
    }

    /// Splits off the bars from this bar line on.
    fn split_off(&mut self, line: Tick) -> Self {
        let place = self.lines.partition_point(|other| *other < line);
        Self { bars: self.bars.split_off(place), lines: self.lines.split_off(place) }
    }
}

/// A bar all of whose notes are given.
fn given(mut bar: BarRows) -> PromptBar {
    let given = std::mem::take(&mut bar.notes);
    PromptBar { bar, given }
}

/// Leaves out whole phrases of empty bars before the seam, where a last chord rings on or a file is silent: after a long silence a model goes on with silence.
/// The position of a bar within its phrase stays the same.
fn close_up(context: &mut Vec<BarRows>, gap: &mut [BarRows]) {
    let empty = context.iter().rev().take_while(|bar| bar.notes.is_empty()).count();
    context.truncate(context.len() - empty / LEAST_PHRASE * LEAST_PHRASE);
    renumber(gap.iter_mut(), context.len());
}

/// Bars of the far side used as the context if no bar comes before the gap: no gap that a model was trained with begins a piece, and without bars
/// before it one stays empty half of the time.
fn stand_ins(gap: &mut [BarRows], far_side: &mut [BarRows]) -> Vec<BarRows> {
    let Some(bars) = STAND_INS.into_iter().find(|bars| *bars <= far_side.len()) else { return Vec::new() };
    let mut context = far_side[..bars].to_vec();
    renumber(context.iter_mut().chain(gap).chain(far_side), 0);
    context
}

fn renumber<'a>(bars: impl Iterator<Item = &'a mut BarRows>, from: usize) {
    for (index, bar) in (u32::try_from(from).unwrap_or(u32::MAX)..).zip(bars) {
        bar.index = index;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Draw;
    use crate::music::analysis::{Chord, NEW_BAR, ScaleMode};
    use crate::music::{Metre, MetreMap, Part, Role};

    /// One quarter note on every bar line of `bars` bars after `rests` empty ones, in 3/4.
    fn clip(rests: i64, bars: i64) -> Clip {
        let note = |bar| Note { onset: Tick(72 * bar), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
        Clip {
            parts: vec![Part { notes: (rests..rests + bars).map(note).collect(), ..Part::default() }],
            metres: MetreMap::new([(Tick::ZERO, Metre::new(3, 4).unwrap())]),
            end: Tick(72 * (rests + bars)),
            ..Clip::default()
        }
    }

    /// The clip with the third bar of each phrase of four busier and higher.
    fn phrases(bars: i64) -> Clip {
        let mut clip = clip(0, bars);
        let first = clip.parts[0].notes[0];
        let busy = (2..bars).step_by(4).flat_map(|bar| (0..12).map(move |place| Tick(72 * bar + 6 * place)));
        clip.parts[0].notes.extend(busy.map(|onset| Note { onset, pitch: 84, ..first }));
        clip.parts[0].notes.sort_by_key(|note| note.onset);
        clip
    }

    fn shape(fields: &BarFields) -> (u8, u8) {
        (fields.density, fields.register)
    }

    #[test]
    fn context_begins_with_the_first_note_and_ends_at_the_seam() {
        let prompt = Prompt::continuation(&clip(5, 10), Tick(72 * 15), 4, None);
        assert_eq!((prompt.context.len(), prompt.gap.len(), prompt.end()), (10, 4, Tick(72 * 14)));
        assert!(prompt.context.iter().all(|bar| bar.bar.notes.len() == 1) && prompt.gap.iter().all(|bar| bar.bar.notes.is_empty()));
        assert_eq!((prompt.first(), prompt.seam(), prompt.check()), (0, 10, Ok(())));
        assert_eq!((prompt.constraints.until, prompt.constraints.rests_from), (Tick(72 * 14), Tick(72 * 10 + 1)));
    }

    #[test]
    fn long_piece_is_read_from_its_last_bars_with_the_phase_kept() {
        for bars in [64, 65, 80, 81, 1000] {
            let prompt = Prompt::continuation(&clip(3, bars), Tick(72 * (3 + bars)), 2, None);
            let read = i64::try_from(prompt.context.len()).unwrap();
            assert!((49..=64).contains(&read), "{read} of {bars} bars");
            assert_eq!((bars - read) % i64::from(codec::PHASE_BARS), 0, "{read} of {bars} bars");
        }
    }

    #[test]
    fn gap_is_in_the_requested_key_or_in_the_last_one() {
        let minor = KeySignature::new(9, ScaleMode::Minor).unwrap();
        assert_eq!(Prompt::continuation(&clip(0, 4), Tick(72 * 4), 2, Some(minor)).key(), Some(minor));
        let prompt = Prompt::continuation(&clip(0, 4), Tick(72 * 4), 2, None);
        assert_eq!(prompt.conditioning[1].key, prompt.context[3].bar.fields.key);
    }

    #[test]
    fn chosen_chord_is_what_its_bar_is_conditioned_on() {
        let mut prompt = Prompt::continuation(&clip(0, 4), Tick(72 * 4), 2, None);
        let chord = Chord::named("Am7").unwrap();
        prompt.choose_chord(1, chord);
        let conditioned = [0, 1].map(|place| prompt.gap_bar(place, Draw::FIRST).unwrap().bar.fields.chords);
        assert_eq!(conditioned, [[None; 2], [Some(chord); 2]]);
    }

    #[test]
    fn continuation_and_infill_are_conditioned_on_the_phrase_before() {
        let clip = phrases(16);
        let prompts = [Prompt::continuation(&clip, Tick(72 * 8), 4, None), {
            let known = insertion::without(&clip, |note| (72 * 8..72 * 12).contains(&note.onset.0));
            Prompt::infill(&known, 8, 12, None)
        }];
        assert_eq!([prompts[0].far_side.len(), prompts[1].far_side.len()], [0, 4]);
        for prompt in prompts {
            let context: Vec<_> = prompt.context.iter().map(|bar| shape(&bar.bar.fields)).collect();
            assert!((0..4).all(|bar| shape(&prompt.conditioning[bar]) == context[bar]));
            assert!(context[2] > context[1]);
            assert!(prompt.conditioning.iter().all(|fields| fields.mood == 0 && fields.key == prompt.context[7].bar.fields.key));
        }
    }

    #[test]
    fn gap_at_the_start_is_conditioned_on_its_substitute_context() {
        let known = insertion::without(&phrases(16), |note| note.onset < Tick(72 * 4));
        let prompt = Prompt::infill(&known, 0, 4, None);
        assert_eq!((prompt.context.len(), prompt.gap.len(), prompt.far_side.len(), prompt.check()), (8, 4, 12, Ok(())));
        assert!(shape(&prompt.conditioning[2]) > shape(&prompt.conditioning[1]));
    }

    #[test]
    fn accompaniment_is_conditioned_on_each_bar_and_on_its_rewritten_roles() {
        let whole = phrases(8);
        let known = insertion::without(&whole, |note| note.pitch == 84);
        let new = Prompt::accompaniment(&known, None, None);
        assert!(new.gap.iter().all(|bar| bar.bar.notes.is_empty() && bar.given.len() == 1));
        assert!(new.conditioning.iter().all(|fields| fields.density == 0 && fields.metre > 0 && fields.tempo > 0));
        assert!(new.conditioning[1].repeats > NEW_BAR, "the bar before is the same");
        let rewritten = Prompt::accompaniment(&known, Some(&whole), None);
        assert!(rewritten.conditioning[2].density > rewritten.conditioning[1].density);
    }

    #[test]
    fn upcoming_bar_that_has_begun_no_longer_repeats_another() {
        let clip = clip(0, 8);
        let context = Prompt::continuation(&clip, Tick(72 * 8), 1, None).context;
        let bars = [8, 9].map(|index| clip.metres.bar(index));
        let known = [Note { onset: Tick(72 * 8), ..clip.parts[0].notes[0] }];
        let upcoming = Upcoming { bars: &bars, known: &known, cut: Tick(72 * 8 + 24), own: OwnRoles::ALL, tempo: 5, index: 8, ahead: 0 };
        let prompt = Prompt::upcoming(context, &upcoming);
        let repeats: Vec<bool> = prompt.conditioning.iter().map(|fields| fields.repeats > NEW_BAR).collect();
        assert_eq!((repeats, prompt.check()), (vec![false, true], Ok(())));
        assert!(prompt.conditioning.iter().all(|fields| fields.tempo == 5));
    }

    #[test]
    fn notes_of_own_roles_keep_the_ends_that_others_do_not_have_yet() {
        let metre = Metre::new(4, 4).unwrap();
        let bars = [Bar { index: 0, start: Tick(96), length: Tick(96), metre }];
        let note = |onset, role, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(48), pitch, velocity: 80, role };
        let known = |held| {
            [
                note(96, Role::Keys, 60),
                note(108, Role::Keys, 64),
                Note { duration: held, ..note(120, Role::Bass, 40) },
                note(108, Role::Bass, 41),
                note(144, Role::Bass, 42),
            ]
        };
        let durations = |own, held| {
            let known = known(held);
            let upcoming = Upcoming { bars: &bars, known: &known, cut: Tick(144), own, tempo: 5, index: 3, ahead: 0 };
            let prompt = Prompt::upcoming(Vec::new(), &upcoming);
            assert!(prompt.gap[0].bar.is_canonical());
            prompt.gap[0].bar.notes.iter().map(|note| (note.pitch, note.duration == codec::OPEN)).collect::<Vec<_>>()
        };
        assert_eq!(
            durations(OwnRoles::ALL, Tick::MAX),
            [(60, false), (41, false), (64, false), (40, true)],
            "all are planned, but one is held"
        );
        let own = OwnRoles::new([Role::Bass]).unwrap();
        assert_eq!(
            durations(own, Tick(48)),
            [(60, false), (41, false), (64, true), (40, false)],
            "in the same order, and without what is not known yet"
        );
    }
}
