//! One role of a bar, from what the others play in it: all of it, or up to a beat.

use std::collections::BTreeSet;

use antiphon_engine::codec::vocabulary::duration_ticks;
use antiphon_engine::codec::{BarRows, NoteClasses, OPEN, OwnRoles};
use antiphon_engine::decode::{Accompanied, Constraints, DecodeError, Decoder, Sampling};
use antiphon_engine::music::{Role, TICKS_PER_QUARTER, Tick};
use fastrand::Rng;

use super::score::{COPIES, Score, count_copies};
use super::tally::Tally;
use super::{HEARD_BARS, LIKELIEST, back_to, fill, listener, places, sampled, tell_pitches};
use crate::corpus::Piece;
use crate::eval::model::known;
use crate::eval::playing::Player;

/// A bar, the role asked, and the tick of the bar up to which a live player was heard.
#[derive(Debug, Clone, Copy)]
struct Place {
    bar: usize,
    role: u8,
    cut: Tick,
}

/// So many bars of a piece: of a clip, and live. None of a piece of one role.
pub(super) fn foretell(piece: &Piece, bars: usize, seed: u64, player: &Player) -> Result<Vec<Tally>, DecodeError> {
    let places = asked(piece, bars, seed);
    let tally = || Tally { bars: places.len(), ..Tally::new(fill::tellers().len()) };
    let (mut clip, mut live) = (tally(), tally());
    let has_own_roles = player.model.info().knows_own_roles();
    if !has_own_roles {
        clip.scores[2] += live_player(piece, &places, &mut listener(player, seed)?, &mut live)?;
    }
    for role in places.iter().map(|place| place.role).collect::<BTreeSet<u8>>() {
        let of_role: Vec<Place> = places.iter().filter(|place| place.role == role).copied().collect();
        let own = OwnRoles::new(Role::from_class(role)).filter(|_| has_own_roles);
        let mut listener_to_clip = listener(player, seed)?;
        if let Some(own) = own {
            listener_to_clip.accompanies(Accompanied::Clip(own))?;
            let mut listener_to_player = listener(player, seed)?;
            listener_to_player.accompanies(Accompanied::Player(own))?;
            clip.scores[2] += live_player(piece, &of_role, &mut listener_to_player, &mut live)?;
        }
        known_clip(piece, role, &of_role, &mut listener_to_clip, &mut clip)?;
    }
    for Place { bar, role, cut } in places {
        let part = |index: usize, from: Tick| own(&piece.bars[index], role, from);
        for (tally, from) in [(&mut clip, Tick::ZERO), (&mut live, cut)] {
            let copies = COPIES.map(|back| part(bar - back, from));
            count_copies(&mut tally.scores[3..], copies.each_ref().map(Vec::as_slice), &part(bar, from));
        }
    }
    Ok(vec![clip, live])
}

/// The bars, each with a role in its turn and a beat.
fn asked(piece: &Piece, bars: usize, seed: u64) -> Vec<Place> {
    let roles: Vec<u8> = piece.bars.iter().flat_map(|bar| &bar.notes).map(|note| note.role).collect::<BTreeSet<_>>().into_iter().collect();
    if roles.len() < 2 {
        return Vec::new();
    }
    let mut rng = Rng::with_seed(seed);
    let place = |(turn, bar): (usize, usize)| {
        let beats = (i64::from(piece.bars[bar].ticks) / TICKS_PER_QUARTER).max(1);
        Place { bar, role: roles[turn % roles.len()], cut: Tick(TICKS_PER_QUARTER * rng.i64(0..beats)) }
    };
    places(HEARD_BARS..piece.bars.len(), bars).into_iter().enumerate().map(place).collect()
}

/// A role's notes from a tick of the bar on.
fn own(bar: &BarRows, role: u8, from: Tick) -> Vec<NoteClasses> {
    bar.notes.iter().filter(|note| note.role == role && note.tick() >= from).copied().collect()
}

fn only(decoder: &mut Decoder, role: u8) {
    decoder.set_constraints(Constraints { roles: Role::from_class(role).into_iter().collect(), ..Constraints::default() });
}

/// The model after a player who was heard up to a beat. Returns what it foretells of whole bars when it has not heard anything of them.
fn live_player(piece: &Piece, places: &[Place], decoder: &mut Decoder, tally: &mut Tally) -> Result<Score, DecodeError> {
    let mut past_of_bars = Score::default();
    let Some(last) = places.last() else { return Ok(past_of_bars) };
    let [likeliest, played, past, ..] = tally.scores.as_mut_slice() else { return Ok(past_of_bars) };
    for (index, bar) in piece.bars[..=last.bar].iter().enumerate() {
        let bar = known(bar);
        if let Some(&Place { role, cut, .. }) = places.iter().find(|place| place.bar == index) {
            only(decoder, role);
            let (whole, rest) = (own(&bar, role, Tick::ZERO), own(&bar, role, cut));
            decoder.begin_bar(bar.ticks, bar.fields)?;
            let made = sampled(decoder, LIKELIEST)?;
            past_of_bars.count_bar(&made, &whole);
            past.count_bar(&made.into_iter().filter(|note| note.tick() >= cut).collect::<Vec<_>>(), &rest);
            let mut before = Score::default();
            tell_pitches(decoder, &whole[..whole.len() - rest.len()], &mut before)?;
            past_of_bars += before;
            let mut after = Score::default();
            tell_pitches(decoder, &rest, &mut after)?;
            past_of_bars += after;
            *past += after;
            back_to(decoder, bar.index)?;

            let heard = heard(&bar, role, cut);
            decoder.accompany_live(&heard, cut)?;
            likeliest.count_bar(&sampled(decoder, LIKELIEST)?, &rest);
            played.count_bar(&sampled(decoder, Sampling::default())?, &rest);
            tell_pitches(decoder, &rest, likeliest)?;
            back_to(decoder, bar.index)?;
        }
        decoder.append_bar(&bar)?;
    }
    Ok(past_of_bars)
}

/// What was heard of a bar up to a tick. What the others still hold then has no end yet; the own notes' ends are known.
fn heard(bar: &BarRows, role: u8, cut: Tick) -> BarRows {
    let note = |note: &NoteClasses| {
        let rings = duration_ticks(note.duration).is_none_or(|length| note.tick() + length > cut);
        NoteClasses { duration: if rings && note.role != role { OPEN } else { note.duration }, ..*note }
    };
    BarRows { notes: bar.notes.iter().filter(|note| note.tick() < cut).map(note).collect(), ..bar.clone() }
}

/// The model over the known parts of a clip, with one role as its own.
fn known_clip(piece: &Piece, role: u8, places: &[Place], decoder: &mut Decoder, tally: &mut Tally) -> Result<(), DecodeError> {
    let Some(last) = places.last() else { return Ok(()) };
    let [likeliest, played, ..] = tally.scores.as_mut_slice() else { return Ok(()) };
    only(decoder, role);
    for (index, bar) in piece.bars[..=last.bar].iter().enumerate() {
        let (notes, given): (Vec<_>, Vec<_>) = bar.notes.iter().partition(|note| note.role == role);
        let bar = BarRows { notes, ..known(bar) };
        if places.iter().all(|place| place.bar != index) {
            decoder.append_accompanied(&bar, &given)?;
            continue;
        }
        decoder.accompany(bar.ticks, bar.fields, &given)?;
        likeliest.count_bar(&sampled(decoder, LIKELIEST)?, &bar.notes);
        played.count_bar(&sampled(decoder, Sampling::default())?, &bar.notes);
        tell_pitches(decoder, &bar.notes, likeliest)?;
        decoder.end_bar()?;
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
    fn every_role_has_its_turn_and_beats_are_in_the_bar() {
        let bar = |index| BarRows { index, ticks: 72, notes: vec![note(0, 2, 23), note(1, 5, 23)], ..BarRows::default() };
        let piece = Piece { bars: (0..20).map(bar).collect(), ..Piece::default() };
        let places = asked(&piece, 4, 1);
        assert_eq!(places.iter().map(|place| (place.bar, place.role)).collect::<Vec<_>>(), [(8, 2), (11, 5), (14, 2), (17, 5)]);
        assert!(places.iter().all(|place| (0..72).contains(&place.cut.0) && place.cut.0 % 24 == 0));
        let alone =
            Piece { bars: piece.bars.iter().map(|bar| BarRows { notes: own(bar, 2, Tick::ZERO), ..bar.clone() }).collect(), ..piece };
        assert!(asked(&alone, 4, 1).is_empty());
    }

    #[test]
    fn what_others_still_hold_has_no_end_yet() {
        // Class 23 is a quarter note, 49 six quarters.
        let bar = BarRows { ticks: 96, notes: vec![note(0, 1, 49), note(0, 2, 49), note(1, 1, 23), note(2, 1, 23)], ..BarRows::default() };
        let durations: Vec<u8> = heard(&bar, 2, Tick(48)).notes.iter().map(|note| note.duration).collect();
        assert_eq!(durations, [OPEN, 49, 23]);
    }
}
