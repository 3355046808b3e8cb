//! Prediction of one role of a bar from the other roles: from their whole bar (`clip`), or from the bar up to a beat (`live`).

use std::collections::BTreeSet;
use std::sync::Arc;

use antiphon_engine::codec::vocabulary::duration_ticks;
use antiphon_engine::codec::{BarRows, NoteClasses, OPEN, OwnRoles};
use antiphon_engine::decode::{Accompanied, Constraints, DecodeError, Decoder, Draw, Prompt, PromptBar, Sampling};
use antiphon_engine::music::{Role, TICKS_PER_QUARTER, Tick};
use fastrand::Rng;

use super::metrics::{COPY_DISTANCES, Metrics, count_copies};
use super::tally::Tally;
use super::{MIN_CONTEXT_BARS, NEAR_GREEDY, count_pitch_ranks, empty_bar, evenly_spaced, fill, generate_bar, new_decoder, reopen_bar};
use crate::corpus::Piece;
use crate::eval::model::{EvalModel, with_metre_only};

/// A role of a bar to be predicted.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Index of the bar in the piece.
    bar: usize,
    /// Class of the role.
    role: u8,
    /// Tick of the bar at which the input ends in the live case; on a beat.
    cut: Tick,
}

/// Predicts `bars` bars of a piece, evenly spaced: the `clip` tally, then the `live` one. Both are empty for a piece of one role.
pub(super) fn predict(piece: &Piece, bars: usize, seed: u64, model: &EvalModel) -> Result<Vec<Tally>, DecodeError> {
    let places = choose_places(piece, bars, seed);
    let tally = || Tally { bars: places.len(), ..Tally::new(fill::predictors().len()) };
    let (mut clip, mut live) = (tally(), tally());
    let has_own_roles = model.model.info().has_own_roles();
    if !has_own_roles {
        clip.predictors[2] += predict_live(piece, &places, &mut new_decoder(model, seed)?, &mut live)?;
    }
    for role in places.iter().map(|place| place.role).collect::<BTreeSet<u8>>() {
        let of_role: Vec<Place> = places.iter().filter(|place| place.role == role).copied().collect();
        let mut clip_decoder = new_decoder(model, seed)?;
        if let Some(own) = OwnRoles::new(Role::from_class(role)).filter(|_| has_own_roles) {
            clip_decoder.accompanies(Accompanied::Clip(own))?;
            let mut live_decoder = new_decoder(model, seed)?;
            live_decoder.accompanies(Accompanied::Player(own))?;
            clip.predictors[2] += predict_live(piece, &of_role, &mut live_decoder, &mut live)?;
        }
        predict_clip(piece, role, &of_role, &mut clip_decoder, &mut clip)?;
    }
    for Place { bar, role, cut } in places {
        let part = |index: usize, from: Tick| part_from(&piece.bars[index], role, from);
        for (tally, from) in [(&mut clip, Tick::ZERO), (&mut live, cut)] {
            let copies = COPY_DISTANCES.map(|back| part(bar - back, from));
            count_copies(&mut tally.predictors[3..], copies.each_ref().map(Vec::as_slice), &part(bar, from));
        }
    }
    Ok(vec![clip, live])
}

/// Evenly spaced bars, the roles of the piece in rotation, each with a random beat of its bar.
fn choose_places(piece: &Piece, bars: usize, seed: u64) -> Vec<Place> {
    let roles: Vec<u8> = piece.bars.iter().flat_map(|bar| &bar.notes).map(|note| note.role).collect::<BTreeSet<_>>().into_iter().collect();
    if roles.len() < 2 {
        return Vec::new();
    }
    let mut rng = Rng::with_seed(seed);
    let place = |(number, bar): (usize, usize)| {
        let beats = (i64::from(piece.bars[bar].ticks) / TICKS_PER_QUARTER).max(1);
        Place { bar, role: roles[number % roles.len()], cut: Tick(TICKS_PER_QUARTER * rng.i64(0..beats)) }
    };
    evenly_spaced(MIN_CONTEXT_BARS..piece.bars.len(), bars).into_iter().enumerate().map(place).collect()
}

/// Notes of a role that start at or after a tick of the bar.
fn part_from(bar: &BarRows, role: u8, from: Tick) -> Vec<NoteClasses> {
    bar.notes.iter().filter(|note| note.role == role && note.tick() >= from).copied().collect()
}

/// A prompt of one bar, in which every other role is masked.
fn prompt(context: &[Arc<PromptBar>], bar: PromptBar, role: u8) -> Prompt {
    let constraints = Constraints { roles: Role::from_class(role).into_iter().collect(), ..Constraints::default() };
    Prompt::of_bars(context.to_vec(), vec![bar], Vec::new(), constraints)
}

/// Counts the live case: the part of each bar after its cut. Returns the metrics of the whole bars predicted from the bars before alone: the `past`
/// predictor of the clip case.
fn predict_live(piece: &Piece, places: &[Place], decoder: &mut Decoder, tally: &mut Tally) -> Result<Metrics, DecodeError> {
    let mut past_whole_bars = Metrics::default();
    let Some(last) = places.last() else { return Ok(past_whole_bars) };
    let [near_greedy, sampled, past_only, ..] = tally.predictors.as_mut_slice() else { return Ok(past_whole_bars) };
    let mut context = Vec::new();
    for (index, bar) in piece.bars[..=last.bar].iter().enumerate() {
        let bar = with_metre_only(bar);
        let place = places.iter().find(|place| place.bar == index);
        // Prefill at every bar, so that the decoder has seen the whole piece, not only the context of a prompt.
        let prompt = prompt(&context, empty_bar(&bar), place.unwrap_or(last).role);
        decoder.prefill(&prompt)?;
        if let Some(&Place { role, cut, .. }) = place {
            let (whole, rest) = (part_from(&bar, role, Tick::ZERO), part_from(&bar, role, cut));
            decoder.open_gap_bar(&prompt, 0, Draw::FIRST)?;
            let generated = generate_bar(decoder, NEAR_GREEDY)?;
            past_whole_bars.count_bar(&generated, &whole);
            past_only.count_bar(&generated.into_iter().filter(|note| note.tick() >= cut).collect::<Vec<_>>(), &rest);
            let mut before = Metrics::default();
            count_pitch_ranks(decoder, &whole[..whole.len() - rest.len()], &mut before)?;
            past_whole_bars += before;
            let mut after = Metrics::default();
            count_pitch_ranks(decoder, &rest, &mut after)?;
            past_whole_bars += after;
            *past_only += after;
            reopen_bar(decoder, bar.index)?;

            let input = input_up_to(&bar, role, cut);
            decoder.accompany_live(&input, cut)?;
            near_greedy.count_bar(&generate_bar(decoder, NEAR_GREEDY)?, &rest);
            sampled.count_bar(&generate_bar(decoder, Sampling::default())?, &rest);
            count_pitch_ranks(decoder, &rest, near_greedy)?;
            reopen_bar(decoder, bar.index)?;
        }
        context.push(Arc::new(bar.into()));
    }
    Ok(past_whole_bars)
}

/// The bar as a live session has it at a tick: notes that start before it. Notes of other roles that still sound then have an open end, because their
/// note-offs have not happened; those of the predicted role keep their durations, because the model chose them.
fn input_up_to(bar: &BarRows, role: u8, cut: Tick) -> BarRows {
    let note = |note: &NoteClasses| {
        let sounds = duration_ticks(note.duration).is_none_or(|length| note.tick() + length > cut);
        NoteClasses { duration: if sounds && note.role != role { OPEN } else { note.duration }, ..*note }
    };
    BarRows { notes: bar.notes.iter().filter(|note| note.tick() < cut).map(note).collect(), ..bar.clone() }
}

/// Counts the clip case for one role: in every bar the notes of the other roles are given.
fn predict_clip(piece: &Piece, role: u8, places: &[Place], decoder: &mut Decoder, tally: &mut Tally) -> Result<(), DecodeError> {
    let Some(last) = places.last() else { return Ok(()) };
    let [near_greedy, sampled, ..] = tally.predictors.as_mut_slice() else { return Ok(()) };
    let mut context: Vec<Arc<PromptBar>> = Vec::new();
    for (index, bar) in piece.bars[..=last.bar].iter().enumerate() {
        let (notes, given): (Vec<_>, Vec<_>) = bar.notes.iter().partition(|note| note.role == role);
        let mut bar = BarRows { notes, ..with_metre_only(bar) };
        // Prefill at every bar: a prompt shows the model the end of a long piece, but a decoder that is there already has seen all of it.
        let prompt = prompt(&context, PromptBar { given: given.clone(), ..empty_bar(&bar) }, role);
        decoder.prefill(&prompt)?;
        if places.iter().any(|place| place.bar == index) {
            decoder.open_gap_bar(&prompt, 0, Draw::FIRST)?;
            near_greedy.count_bar(&generate_bar(decoder, NEAR_GREEDY)?, &bar.notes);
            sampled.count_bar(&generate_bar(decoder, Sampling::default())?, &bar.notes);
            count_pitch_ranks(decoder, &bar.notes, near_greedy)?;
            bar = decoder.end_bar()?;
        }
        context.push(Arc::new(PromptBar { bar, given }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(beat: u8, role: u8, duration: u8) -> NoteClasses {
        NoteClasses { beat, sub: 0, role, pitch: 60, duration, velocity: 20, offset: 4 }
    }

    #[test]
    fn places_rotate_through_the_roles_and_cut_on_a_beat_of_the_bar() {
        let bar = |index| BarRows { index, ticks: 72, notes: vec![note(0, 2, 23), note(1, 5, 23)], ..BarRows::default() };
        let piece = Piece { bars: (0..20).map(bar).collect(), ..Piece::default() };
        let places = choose_places(&piece, 4, 1);
        assert_eq!(places.iter().map(|place| (place.bar, place.role)).collect::<Vec<_>>(), [(8, 2), (11, 5), (14, 2), (17, 5)]);
        assert!(places.iter().all(|place| (0..72).contains(&place.cut.0) && place.cut.0 % 24 == 0));
    }

    #[test]
    fn places_of_a_piece_with_one_role_are_none() {
        let bar = |index| BarRows { index, ticks: 72, notes: vec![note(0, 2, 23)], ..BarRows::default() };
        let piece = Piece { bars: (0..20).map(bar).collect(), ..Piece::default() };
        assert!(choose_places(&piece, 4, 1).is_empty());
    }

    #[test]
    fn input_up_to_a_tick_leaves_sounding_notes_of_other_roles_open() {
        // Class 23 is a quarter note, 49 six quarters.
        let bar = BarRows { ticks: 96, notes: vec![note(0, 1, 49), note(0, 2, 49), note(1, 1, 23), note(2, 1, 23)], ..BarRows::default() };
        let durations: Vec<u8> = input_up_to(&bar, 2, Tick(48)).notes.iter().map(|note| note.duration).collect();
        assert_eq!(durations, [OPEN, 49, 23]);
    }
}
