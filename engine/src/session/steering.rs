//! Effect of the musical controls on a prompt: the conditioning of bars that have not begun, logit biases and masks.

use super::{HarmonyControls, KeyControl, MusicControls, ScaleLock, ShapeControls};
use crate::codec::BarFields;
use crate::decode::{Constraints, Prompt, RequestedControls, RequestedKey};
use crate::music::Role;
use crate::music::analysis::{Chord, KeySignature, NEW_BAR, REPEAT_BARS, Register, Scale};

/// Distances in bars at which more repetition looks for a bar to repeat, the likeliest first: a phrase of four, then shorter ones.
const REPEATED: [usize; 3] = [4, 2, 1];
/// Steps of voices from here on mean so many or more.
const OPEN_VOICES: u8 = 8;

/// Applies the controls to the bars of the gap, of which the first `begun` have begun already.
pub(super) fn steer(prompt: &mut Prompt, music: &MusicControls, begun: usize) {
    for fields in prompt.conditioning.iter_mut().skip(begun) {
        *fields = conditioning(*fields, music);
    }
    repeat(prompt, music.shape.repetition, begun);
    let key = prompt.conditioning.last().and_then(|fields| KeySignature::from_value(fields.key));
    constrain(&mut prompt.constraints, music, key);
}

fn conditioning(default: BarFields, MusicControls { shape, harmony, .. }: &MusicControls) -> BarFields {
    let key = match harmony.key {
        KeyControl::Detected => default.key,
        KeyControl::Off => 0,
        KeyControl::Fixed(_) => harmony.fixed_key().map_or(default.key, KeySignature::value),
    };
    // The mean pitch of the music so far may lie outside of the requested register.
    let register = if shape.register == [None; 2] { default.register } else { 0 };
    let (density, span, voices) =
        (shape.density.unwrap_or(default.density), shape.span.unwrap_or(default.span), shape.voices.unwrap_or(default.voices));
    BarFields { key, register, density, span, voices, chords: [harmony.chord; 2], ..default }
}

/// Makes that share of the bars, in percent, repeat an earlier one, or if it is negative that share of repeats new. Which bars depends on their indices alone,
/// so that a plan made a beat later has the same form.
fn repeat(prompt: &mut Prompt, repetition: i8, begun: usize) {
    let share = u64::from(repetition.unsigned_abs().min(100));
    for place in begun..prompt.gap.len() {
        let index = u64::from(prompt.gap[place].bar.index);
        let is_chosen = (index + 1) * share / 100 > index * share / 100;
        let repeats = prompt.conditioning[place].repeats;
        if !is_chosen || repetition == 0 || (repetition > 0) == (repeats > NEW_BAR) {
            continue;
        }
        prompt.conditioning[place].repeats = if repetition > 0 { repeated(prompt, place).unwrap_or(repeats) } else { NEW_BAR };
    }
}

/// Value of the repeats column for the first of [`REPEATED`] at which there is a bar with notes, or one to be generated.
fn repeated(prompt: &Prompt, place: usize) -> Option<u8> {
    let is_there = |back: &usize| match place.checked_sub(*back) {
        Some(_) => true,
        None => prompt.context.len().checked_sub(back - place).is_some_and(|bar| !prompt.context[bar].bar.notes.is_empty()),
    };
    let back = REPEATED.into_iter().find(is_there)?;
    (NEW_BAR + 1..).zip(REPEAT_BARS).find(|(_, distance)| *distance == back).map(|(value, _)| value)
}

/// Sets biases and masks, in a `key` that was requested or detected.
fn constrain(constraints: &mut Constraints, MusicControls { shape, harmony, .. }: &MusicControls, key: Option<KeySignature>) {
    let novelty = shape.repetition.min(0).unsigned_abs();
    constraints.requested = RequestedControls {
        density: shape.density,
        span: shape.span,
        voices: shape.voices,
        length: shape.note_ticks,
        novelty,
        key: requested_key(harmony),
        heard: constraints.requested.heard.map(|heard| heard.in_key(key.filter(|_| harmony.key == KeyControl::Detected))),
        ..constraints.requested
    };
    if let Some(voices) = shape.voices {
        let most = if voices < OPEN_VOICES { voices } else { u8::MAX };
        let drums = Role::Drums.class();
        (0..).zip(&mut constraints.chords).filter(|(class, _)| *class != drums).for_each(|(_, chord)| *chord = most);
    }
    if shape.register != [None; 2] {
        constraints.registers = constraints.registers.map(|recent| register(shape, recent));
    }
    let scale = locked_scale(harmony, key).unwrap_or(Scale::CHROMATIC);
    // A chord that was chosen is in the scale.
    let chord = harmony.chord.map(Chord::scale);
    let scale = chord.map_or(scale, |chord| scale.union(chord));
    constraints.scale = scale.bits();
    constraints.on_beat = chord.unwrap_or(Scale::CHROMATIC).bits();
    // A role whose keys all lie outside of the scale would be silent.
    for register in &mut constraints.registers {
        while !(register.low..=register.high).any(|key| scale.contains(key)) {
            *register = register.widened(1);
        }
    }
}

/// The requested register; where only one end is requested, the other is that of the recent music, if it leaves an octave.
fn register(shape: &ShapeControls, recent: Register) -> Register {
    const OCTAVE: u8 = 12;
    match shape.register {
        [Some(low), Some(high)] => Register { low: low.min(high), high: low.max(high) },
        [Some(low), None] => Register { low, high: recent.high.max(low.saturating_add(OCTAVE)).min(127) },
        [None, Some(high)] => Register { low: recent.low.min(high.saturating_sub(OCTAVE)), high },
        [None, None] => recent,
    }
}

/// The key that was fixed, with its scale and the tones of a chosen chord. One that was detected is a bias only beside others ([`HeardHarmony`](crate::decode::HeardHarmony)): what continues
/// music is in its key already.
fn requested_key(harmony: &HarmonyControls) -> Option<RequestedKey> {
    let key = harmony.fixed_key()?;
    let requested = RequestedKey { key, scale: harmony.scale.on(key.tonic()) };
    Some(harmony.chord.map_or(requested, |chord| requested.with_tones(chord.scale())))
}

/// The scale that notes are locked to; `None` for all.
fn locked_scale(harmony: &HarmonyControls, key: Option<KeySignature>) -> Option<Scale> {
    match (harmony.scale_lock, harmony.key) {
        (ScaleLock::Free, _) | (ScaleLock::Locked, KeyControl::Off) => None,
        (ScaleLock::Locked, KeyControl::Fixed(tonic)) => Some(harmony.scale.on(tonic)),
        (ScaleLock::Locked, KeyControl::Detected) => key.map(Scale::of_key),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codec::{BarRows, NoteClasses};
    use crate::decode::PromptBar;
    use crate::music::analysis::{ChordKind, ScaleKind, ScaleMode};

    fn bar(index: u32, fields: BarFields) -> PromptBar {
        let note = NoteClasses { beat: 0, sub: 0, role: 0, pitch: 60, duration: 5, velocity: 20, offset: 4 };
        BarRows { index, ticks: 96, fields, notes: vec![note] }.into()
    }

    /// Eight bars of context, and eight bars to be generated that are conditioned on `fields`.
    fn prompt(fields: BarFields) -> Prompt {
        let context = (0..8).map(|index| Arc::new(bar(index, BarFields::default()))).collect();
        let gap = (8..16).map(|index| PromptBar::from(BarRows { notes: Vec::new(), ..bar(index, fields).bar })).collect();
        Prompt::of_bars(context, gap, Vec::new(), Constraints::default())
    }

    fn steered(fields: BarFields, music: &MusicControls, begun: usize) -> Prompt {
        let mut prompt = prompt(fields);
        steer(&mut prompt, music, begun);
        prompt
    }

    fn shaped(shape: ShapeControls) -> MusicControls {
        MusicControls { shape, ..MusicControls::default() }
    }

    #[test]
    fn controls_as_played_change_nothing() {
        let fields = BarFields { key: 5, density: 3, register: 4, span: 2, voices: 3, repeats: 2, ..BarFields::default() };
        assert_eq!(steered(fields, &MusicControls::default(), 0), prompt(fields));
    }

    #[test]
    fn requested_shape_conditions_bars_that_have_not_begun_and_biases_all() {
        let shape = ShapeControls { density: Some(7), span: Some(2), voices: Some(1), note_ticks: Some(12), ..ShapeControls::default() };
        let prompt = steered(BarFields { density: 3, ..BarFields::default() }, &shaped(shape), 1);
        let fields =
            |place: usize| (prompt.conditioning[place].density, prompt.conditioning[place].span, prompt.conditioning[place].voices);
        assert_eq!([fields(0), fields(1), fields(7)], [(3, 0, 0), (7, 2, 1), (7, 2, 1)]);
        let requested = prompt.constraints.requested;
        assert_eq!((requested.density, requested.span, requested.voices, requested.length), (Some(7), Some(2), Some(1), Some(12)));
        let chord = |role: Role| prompt.constraints.chords[usize::from(role.class())];
        assert_eq!((chord(Role::Keys), chord(Role::Drums)), (1, u8::MAX));
    }

    #[test]
    fn repetition_chooses_its_share_of_the_bars_by_their_indices() {
        let repeats = |repetition, before| {
            let shape = ShapeControls { repetition, ..ShapeControls::default() };
            steered(BarFields { repeats: before, ..BarFields::default() }, &shaped(shape), 0)
                .conditioning
                .iter()
                .map(|fields| fields.repeats)
                .collect::<Vec<_>>()
        };
        let four_back = NEW_BAR + 3;
        assert_eq!(repeats(100, NEW_BAR), [four_back; 8]);
        assert_eq!(repeats(50, NEW_BAR), [NEW_BAR, four_back, NEW_BAR, four_back, NEW_BAR, four_back, NEW_BAR, four_back]);
        assert_eq!(repeats(100, NEW_BAR + 1), [NEW_BAR + 1; 8], "repeats stay");
        assert_eq!(repeats(-100, NEW_BAR + 1), [NEW_BAR; 8]);
        assert_eq!(repeats(-100, NEW_BAR), [NEW_BAR; 8]);
        assert_eq!(repeats(0, NEW_BAR), [NEW_BAR; 8]);
    }

    #[test]
    fn repeated_bar_has_notes_or_will_have() {
        let mut prompt = prompt(BarFields::default());
        Arc::make_mut(&mut prompt.context[4]).bar.notes.clear();
        assert_eq!([0, 1, 4].map(|place| repeated(&prompt, place)), [Some(NEW_BAR + 2), Some(NEW_BAR + 3), Some(NEW_BAR + 3)]);
        prompt.context.clear();
        assert_eq!([0, 1, 3].map(|place| repeated(&prompt, place)), [None, Some(NEW_BAR + 1), Some(NEW_BAR + 2)]);
    }

    #[test]
    fn one_requested_end_of_the_register_leaves_an_octave() {
        let recent = Register { low: 50, high: 70 };
        let of = |low: Option<u8>, high: Option<u8>| {
            let Register { low, high } = register(&ShapeControls { register: [low, high], ..ShapeControls::default() }, recent);
            (low, high)
        };
        assert_eq!(of(Some(48), Some(60)), (48, 60));
        assert_eq!(of(Some(60), Some(48)), (48, 60), "swapped ends are put right");
        assert_eq!((of(Some(55), None), of(Some(69), None)), ((55, 70), (69, 81)));
        assert_eq!((of(None, Some(65)), of(None, Some(52))), ((50, 65), (40, 52)));
    }

    #[test]
    fn scale_lock_keeps_to_the_fixed_or_the_detected_key() {
        let with = |key, scale_lock| {
            let harmony = HarmonyControls { key, scale: ScaleKind::Dorian, scale_lock, chord: None };
            let a_minor = KeySignature::new(9, ScaleMode::Minor).unwrap().value();
            let prompt =
                steered(BarFields { key: a_minor, ..BarFields::default() }, &MusicControls { harmony, ..MusicControls::default() }, 0);
            (prompt.conditioning[0].key, prompt.constraints.scale)
        };
        let (a_minor, d_minor) = (22, 15);
        let of_a_minor = Scale::of_key(KeySignature::from_value(a_minor).unwrap()).bits();
        assert_eq!(with(KeyControl::Detected, ScaleLock::Locked), (a_minor, of_a_minor));
        assert_eq!(with(KeyControl::Fixed(2), ScaleLock::Locked), (d_minor, ScaleKind::Dorian.on(2).bits()));
        assert_eq!(with(KeyControl::Fixed(2), ScaleLock::Free), (d_minor, 0xfff));
        assert_eq!(with(KeyControl::Off, ScaleLock::Locked), (0, 0xfff));
    }

    #[test]
    fn chosen_chord_binds_notes_on_beats_and_joins_the_locked_scale() {
        let d_flat = Chord { root: 1, kind: ChordKind::Major };
        let harmony =
            HarmonyControls { key: KeyControl::Fixed(0), scale_lock: ScaleLock::Locked, chord: Some(d_flat), ..HarmonyControls::default() };
        let constraints = steered(BarFields::default(), &MusicControls { harmony, ..MusicControls::default() }, 0).constraints;
        assert_eq!(constraints.on_beat, d_flat.scale().bits());
        assert_eq!(constraints.scale, ScaleKind::Major.on(0).bits() | d_flat.scale().bits());
        assert_eq!(constraints.requested.key.map(|requested| requested.scale.bits()), Some(constraints.scale));
    }

    #[test]
    fn fixed_key_has_a_bias_and_a_detected_one_has_none() {
        let requested = |key| {
            let harmony = HarmonyControls { key, scale: ScaleKind::Dorian, ..HarmonyControls::default() };
            let c_major = BarFields { key: 1, ..BarFields::default() };
            steered(c_major, &MusicControls { harmony, ..MusicControls::default() }, 0).constraints.requested.key
        };
        let d_dorian = RequestedKey { key: KeySignature::new(2, ScaleMode::Minor).unwrap(), scale: ScaleKind::Dorian.on(2) };
        assert_eq!([KeyControl::Fixed(2), KeyControl::Detected, KeyControl::Off].map(requested), [Some(d_dorian), None, None]);
    }

    #[test]
    fn register_without_a_key_of_the_locked_scale_is_widened_to_one() {
        let shape = ShapeControls { register: [Some(61), Some(61)], ..ShapeControls::default() };
        let harmony = HarmonyControls { key: KeyControl::Fixed(0), scale: ScaleKind::Major, scale_lock: ScaleLock::Locked, chord: None };
        let prompt = steered(BarFields::default(), &MusicControls { shape, harmony, ..MusicControls::default() }, 0);
        assert_eq!(prompt.constraints.registers[0], Register { low: 60, high: 62 });
    }
}
