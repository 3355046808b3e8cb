//! Clip with some of its notes replaced: those of generated bars in its middle, or of generated roles.

use std::cmp::Reverse;
use std::ops::Range;

use super::{Clip, Note, Part, Tick, distribute};

/// How many bars a clip has, from its first to the one that its last note starts in, or its end lies in.
#[must_use]
pub fn bars(clip: &Clip) -> u32 {
    let last = clip.last_onset().map_or(clip.end, |onset| clip.end.max(onset + Tick(1)));
    let bar = clip.metres.bar_at(last);
    bar.index + u32::from(bar.start < last)
}

/// The clip without the notes that `replaced` names. Its parts stay, also those left without notes.
#[must_use]
pub fn without(clip: &Clip, replaced: impl Fn(&Note) -> bool) -> Clip {
    let part = |part: &Part| {
        let notes = part.notes.iter().filter(|note| !replaced(note)).copied().collect();
        part.with_notes(notes)
    };
    Clip { parts: clip.parts.iter().map(part).collect(), metres: clip.metres.clone(), tempos: clip.tempos.clone(), end: clip.end }
}

/// The notes that start in the last `bars` bars before a stretch of a clip that begins on a bar line, or in the first ones behind it; part by part.
#[must_use]
pub fn notes_around(clip: &Clip, stretch: Range<Tick>, bars: u32) -> Vec<Note> {
    let (first, last) = (clip.metres.bar_at(stretch.start).index, clip.metres.bar_at(stretch.end).index);
    let before = clip.metres.bar(first.saturating_sub(bars)).start..stretch.start;
    let after = stretch.end..clip.metres.bar(last.saturating_add(bars)).start;
    let near = |note: &&Note| before.contains(&note.onset) || after.contains(&note.onset);
    clip.parts.iter().flat_map(|part| &part.notes).filter(near).copied().collect()
}

/// `kept`, which is `whole` without some of its notes, with `notes` in their place.
///
/// A note goes to the part that plays its role in `whole` ([`distribute`]). It ends before the same key is struck again in its part, and what sounds there on its
/// key ends where it starts; where a kept note is struck at the same time on the same key, that one stays. Otherwise kept notes stay as they are.
#[must_use]
pub fn inserted(whole: &Clip, kept: &Clip, notes: &[Note]) -> Clip {
    let mut parts = distribute(&whole.parts, notes);
    for (part, kept) in parts.iter_mut().zip(&kept.parts) {
        part.notes = woven(std::mem::take(&mut part.notes), kept.notes.clone());
    }
    for part in parts.iter_mut().skip(kept.parts.len()) {
        part.notes = woven(std::mem::take(&mut part.notes), Vec::new());
    }
    Clip { parts, metres: whole.metres.clone(), tempos: whole.tempos.clone(), end: whole.end }
}

/// New and kept notes of one part, in canonical order.
fn woven(mut new: Vec<Note>, mut kept: Vec<Note>) -> Vec<Note> {
    // By key, then time, longest first: what `dedup` drops is the shorter of two.
    new.sort_by_key(|note| (note.pitch, note.onset, Reverse(note.duration)));
    new.dedup_by_key(|note| (note.pitch, note.onset));
    new.retain(|note| !kept.iter().any(|other| (other.pitch, other.onset) == (note.pitch, note.onset)));
    let strikes: Vec<(u8, Tick)> = new.iter().chain(&kept).map(|note| (note.pitch, note.onset)).collect();
    for note in &mut new {
        let next = strikes.iter().filter(|(pitch, onset)| *pitch == note.pitch && *onset > note.onset).map(|(_, onset)| *onset).min();
        note.duration = next.map_or(note.duration, |next| note.duration.min(next - note.onset));
    }
    for note in &mut kept {
        let struck = new.iter().filter(|other| other.pitch == note.pitch && note.onset < other.onset && other.onset < note.end());
        note.duration = struck.map(|other| other.onset - note.onset).min().unwrap_or(note.duration);
    }
    new.extend(kept);
    new.sort_by_key(Note::order);
    new
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    /// Four bars of 4/4: a tune, and a bass that overlaps itself.
    fn duo() -> Clip {
        let tune = (0..16).map(|beat| note(24 * beat, 24, 70, Role::Melody)).collect();
        let bass = vec![note(0, 200, 40, Role::Bass), note(48, 200, 40, Role::Bass), note(288, 96, 43, Role::Bass)];
        let part = |name: &str, notes| Part { name: name.into(), notes, ..Part::default() };
        Clip { parts: vec![part("Tune", tune), part("Low", bass)], end: Tick(384), ..Clip::default() }
    }

    #[test]
    fn bars_are_counted_to_the_last_note_and_the_end() {
        assert_eq!(bars(&duo()), 4);
        assert_eq!(bars(&Clip { end: Tick(0), ..duo() }), 4);
        assert_eq!(bars(&Clip { end: Tick(385), ..duo() }), 5);
        assert_eq!(bars(&Clip::default()), 0);
    }

    #[test]
    fn clip_without_replaced_notes_keeps_its_parts() {
        let rest = without(&duo(), |note| note.role == Role::Bass || note.onset >= Tick(96));
        assert_eq!(rest.parts.iter().map(|part| part.notes.len()).collect::<Vec<_>>(), [4, 0]);
        assert_eq!((rest.parts[1].name.as_str(), rest.end), ("Low", Tick(384)));
    }

    #[test]
    fn notes_around_are_those_of_the_next_bars_on_both_sides() {
        let around = notes_around(&duo(), Tick(96)..Tick(192), 1);
        let onsets: Vec<i64> = around.iter().map(|note| note.onset.0).collect();
        assert_eq!(onsets, [0, 24, 48, 72, 192, 216, 240, 264, 0, 48]);
    }

    #[test]
    fn new_notes_go_to_the_part_that_had_their_role_and_the_others_stay_as_they_are() {
        let kept = without(&duo(), |note| note.onset >= Tick(96) && note.onset < Tick(192) || note.role == Role::Bass);
        let new = [note(96, 40, 71, Role::Melody), note(0, 96, 36, Role::Bass), note(96, 24, 60, Role::Keys)];
        let clip = inserted(&duo(), &kept, &new);
        assert_eq!(clip.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["Tune", "Low", "Keys"]);
        assert_eq!(clip.parts[1].notes, [new[1]]);
        assert_eq!(clip.parts[0].notes.len(), 13);
        assert!(kept.parts[0].notes.iter().all(|note| clip.parts[0].notes.contains(note)));
    }

    #[test]
    fn note_on_the_key_of_a_new_note_ends_before_it() {
        let new = [note(24, 60, 40, Role::Bass), note(24, 20, 40, Role::Bass), note(48, 10, 40, Role::Bass), note(90, 300, 43, Role::Bass)];
        let bass = &inserted(&duo(), &duo(), &new).parts[1].notes;
        let spans: Vec<_> = bass.iter().map(|note| (note.onset.0, note.end().0, note.pitch)).collect();
        // The first bass note ends where the new one starts; the second one, which nothing new touches, rings on as it did.
        assert_eq!(spans, [(0, 24, 40), (24, 48, 40), (48, 248, 40), (90, 288, 43), (288, 384, 43)]);
    }
}
