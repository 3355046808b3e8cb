//! Rhythm lock: onset, role and duration of every note of the bar are fixed, and its pitches are sampled.

use super::super::mask::{Mask, allow};
use super::super::row::RowContext;
use super::{end_bar, go_on, placed};
use crate::codec::NoteClasses;
use crate::model::SamplingInputs;
use crate::music::Tick;

/// The notes of roles that may start; of a chord of one role only as many as there are pitches for it.
pub(super) fn feasible(notes: Vec<NoteClasses>, mask: &Mask) -> Vec<NoteClasses> {
    let mut kept: Vec<NoteClasses> = Vec::new();
    for note in notes {
        let chord = kept.iter().rev().take_while(|other| other.place() == note.place()).count();
        if chord < mask.pitches_at(note.place()) {
            kept.push(note);
        }
    }
    kept
}

pub(super) fn write(notes: &[NoteClasses], inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, from: Tick) {
    let placed = placed(row, from);
    let target = row.target.filter(|target| target.tick() >= from).and_then(|_| notes.get(placed.checked_sub(1)?));
    if let Some(target) = target {
        let above = notes[placed..].iter().take_while(|note| note.place() == target.place()).count();
        leave_room(inputs.pitch, above);
        // A duration that would outlast the music is sampled among those that do not.
        let duration = usize::from(target.duration);
        if inputs.duration[duration] >= 0.0 {
            allow(inputs.duration, |class| class == duration);
        }
    }
    match notes.get(placed) {
        Some(note) => {
            let role = |role| role == usize::from(note.role);
            go_on(inputs, |tick| tick == note.tick().0, role, role);
        }
        None => end_bar(inputs),
    }
}

/// Masks the highest allowed pitches, so that `above` notes fit over the target.
fn leave_room(pitch: &mut [f32], above: usize) {
    let allowed: Vec<usize> = (0..pitch.len()).filter(|&class| pitch[class] >= 0.0).collect();
    let kept = allowed.len().saturating_sub(above).max(1);
    if let Some(&highest) = allowed.get(kept - 1) {
        allow(pitch, |class| class <= highest && allowed.binary_search(&class).is_ok());
    }
}
