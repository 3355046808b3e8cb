//! Settings of a plan: the controls that it was generated from, by the ids of their host parameters.

use super::{ControlValues, DEFAULT_MEMORY, Hearing, KeyControl, ScaleLock};
use crate::music::Role;
use crate::music::analysis::{Chord, ChordKind, ScaleKind};
use crate::plan::{ChordChart, ControlId, Controls, Setting};

/// Controls that change what is generated, as normalised values. The first three are always listed, the others where they are not as played.
/// Of the chosen chords only that they differ.
pub(super) fn settings(controls: &ControlValues, chart: &ChordChart) -> Controls {
    let role = |role: Option<Role>| role.map_or(0.0, |role| f32::from(role.class() + 1) / 16.0);
    let always = [
        (ControlId::ADVENTUROUSNESS, controls.music.adventurousness),
        (ControlId::INPUT_ROLE, role(controls.roles.input)),
        (ControlId::OUTPUT_ROLE, role(controls.roles.output)),
    ];
    let [second, third] = controls.roles.further;
    let shape = controls.music.shape;
    let step = |step: Option<u8>, most: u8| step.map_or(0.0, |step| f32::from(step) / f32::from(most));
    let further = [
        (ControlId::OUTPUT_ROLE_2, role(second)),
        (ControlId::OUTPUT_ROLE_3, role(third)),
        (ControlId::of("phrase_length"), step(controls.plan.phrase_bars, 8)),
        (ControlId::of("density"), step(shape.density, 8)),
        (ControlId::of("register_low"), step(shape.register[0], 127)),
        (ControlId::of("register_high"), step(shape.register[1], 127)),
        (ControlId::of("span"), step(shape.span, 8)),
        (ControlId::of("voices"), step(shape.voices, 8)),
        (ControlId::of("note_length"), step(shape.note_ticks, 96)),
        (ControlId::of("repetition"), f32::from(shape.repetition) / 100.0),
    ];
    let hearing = match controls.band.hearing {
        Hearing::Nothing => 0.0,
        Hearing::KeyAndChords => 0.5,
        Hearing::Everything => 1.0,
    };
    let band = [(ControlId::of("hears"), hearing), (ControlId::of("hears_whom"), step(controls.band.whom, 16))];
    let harmony = controls.music.harmony;
    let key = match harmony.key {
        KeyControl::Detected => 0.0,
        KeyControl::Off => 1.0 / 13.0,
        KeyControl::Fixed(tonic) => f32::from(tonic + 2) / 13.0,
    };
    let kinds = (0u8..).zip(ScaleKind::ALL);
    let scale = kinds.filter(|(_, kind)| *kind == harmony.scale).map(|(step, _)| f32::from(step) / 8.0).next().unwrap_or(0.0);
    let lock = if harmony.scale_lock == ScaleLock::Locked { 1.0 } else { 0.0 };
    let kinds = |chord: Chord| (0u8..).zip(ChordKind::ALL).find(|(_, kind)| *kind == chord.kind).map_or(0.0, |(step, _)| f32::from(step));
    let harmony = [
        (ControlId::of("key"), key),
        (ControlId::of("scale"), scale),
        (ControlId::of("scale_lock"), lock),
        (ControlId::of("chord"), harmony.chord.map_or(0.0, |chord| f32::from(chord.root + 1) / 12.0)),
        (ControlId::of("chord_kind"), harmony.chord.map_or(0.0, |chord| kinds(chord) / 8.0)),
    ];
    let memory = controls.music.memory;
    let memory = (memory != DEFAULT_MEMORY).then(|| (ControlId::of("memory"), f32::from(memory) / 100.0));
    let chords = [(ControlId::of("chords"), chart.fingerprint())];
    let changed = further.into_iter().chain(harmony).chain(band).chain(chords).filter(|(_, value)| *value != 0.0);
    Controls(always.into_iter().chain(changed).chain(memory).map(|(parameter, value)| Setting { parameter, value }).collect())
}
