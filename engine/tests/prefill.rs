//! Prefill: the state equals that of a new decoder that has read the prompt's bars, independent of the bars in the cache before.

mod common;

use std::sync::Arc;

use antiphon_engine::{
    cache::FineCoarse,
    codec::{BarRows, NoteClasses, prefix_rows},
    decode::{Constraints, DecodeError, Decoder, Draw, Prefill, Prompt, PromptBar, Sampling},
    model::Model,
};
use common::{music::piece, tiny};

const SEED: u64 = 5;

fn decoder(model: &Arc<Model>) -> Decoder {
    let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
    let mut decoder = Decoder::new(Arc::clone(model), policy, &prefix_rows(0, &[])).expect("a decoder");
    decoder.set_sampling(Sampling::PLAIN);
    decoder.set_seed(SEED);
    decoder
}

fn shared(bars: &[BarRows]) -> Vec<Arc<PromptBar>> {
    bars.iter().map(|bar| Arc::new(bar.clone().into())).collect()
}

/// Bars without notes, with index and length alone.
fn frames(bars: &[BarRows]) -> Vec<PromptBar> {
    bars.iter().map(|bar| BarRows { notes: Vec::new(), ..bar.clone() }.into()).collect()
}

/// A prompt whose gap is bars `from` to `to` of the music.
fn prompt(music: &[BarRows], from: usize, to: usize) -> Prompt {
    Prompt::of_bars(shared(&music[..from]), frames(&music[from..to]), Vec::new(), Constraints::default())
}

/// The notes of each bar of the gap.
fn generated(decoder: &mut Decoder, prompt: &Prompt) -> Vec<Vec<NoteClasses>> {
    decoder.prefill(prompt).expect("a prompt that can be read");
    let bars = (0..prompt.gap.len()).map(|place| {
        decoder.open_gap_bar(prompt, place, Draw::FIRST).expect("a bar that fits");
        decoder.generate_bar().expect("a bar").notes
    });
    bars.collect()
}

#[test]
fn decoder_with_other_bars_in_its_cache_generates_the_same_as_a_new_one() {
    let (model, music, other) = (Arc::new(tiny()), piece(3, 20, 8), piece(9, 20, 8));
    let wanted = prompt(&music, 12, 19);
    let expected = generated(&mut decoder(&model), &wanted);
    assert!(expected.concat().len() > 3, "the tiny model made {expected:?}");
    let mut used = decoder(&model);
    assert_eq!(generated(&mut used, &wanted), expected);
    // The same gap once more: only the generated bars are rolled back.
    assert_eq!(generated(&mut used, &wanted), expected);
    // Bars of another piece in the place of the last ones, further ones, and back.
    let mixed = [&music[..9], &other[9..]].concat();
    assert_eq!(generated(&mut used, &prompt(&mixed, 12, 15)), generated(&mut decoder(&model), &prompt(&mixed, 12, 15)));
    assert_eq!(generated(&mut used, &prompt(&music, 16, 17)), generated(&mut decoder(&model), &prompt(&music, 16, 17)));
    assert_eq!(generated(&mut used, &wanted), expected);
}

#[test]
fn bar_shared_with_the_last_prompt_is_not_run_again() {
    let (model, music) = (Arc::new(tiny()), piece(3, 20, 8));
    let mut decoder = decoder(&model);
    let steps = |decoder: &mut Decoder, prompt: &Prompt| {
        let step = |_: &i32| decoder.prefill_step(prompt).expect("a prompt that can be read") == Prefill::Nearer;
        (0..100).take_while(step).count()
    };
    assert_eq!(steps(&mut decoder, &prompt(&music, 10, 11)), 10);
    assert_eq!(steps(&mut decoder, &prompt(&music, 10, 11)), 0);
    assert_eq!(steps(&mut decoder, &prompt(&music, 12, 13)), 2);
    let mut changed = music.clone();
    changed[10].notes.clear();
    assert_eq!(steps(&mut decoder, &prompt(&changed, 12, 13)), if music[10].notes.is_empty() { 0 } else { 3 }, "back, and two bars");
    assert_eq!(steps(&mut decoder, &Prompt::of_context(Vec::new())), 0, "a prompt without bars needs no step");
    assert_eq!(decoder.bar(), 12);
}

#[test]
fn change_too_long_ago_is_refused() {
    let (model, music) = (Arc::new(tiny()), piece(3, 20, 8));
    let mut decoder = decoder(&model);
    decoder.prefill(&prompt(&music, 19, 20)).expect("a prompt that can be read");
    let mut changed = music.clone();
    changed[1].fields.density = (music[1].fields.density + 1) % 9;
    assert!(matches!(decoder.prefill(&prompt(&changed, 19, 20)), Err(DecodeError::Rewind(_))));
}

#[test]
fn prefill_with_a_far_side_equals_leave_gap_append_and_fill() {
    let (model, music) = (Arc::new(tiny()), piece(6, 24, 8));
    let infill = Prompt { far_side: shared(&music[14..20]), ..prompt(&music, 12, 14) };
    let made = generated(&mut decoder(&model), &infill);
    let mut by_hand = decoder(&model);
    music[..12].iter().for_each(|bar| by_hand.append_bar(bar).expect("a bar that fits"));
    by_hand.leave_gap(2).expect("a gap");
    music[14..20].iter().for_each(|bar| by_hand.append_bar(bar).expect("a bar that fits"));
    by_hand.fill().expect("a gap to fill");
    let bars = music[12..14].iter().map(|bar| {
        by_hand.begin_bar(bar.ticks, bar.fields).expect("a bar that fits");
        by_hand.generate_bar().expect("a bar").notes
    });
    assert_eq!(made, bars.collect::<Vec<_>>());
}

#[test]
fn far_side_is_read_bar_by_bar_once_and_another_is_refused() {
    let (model, music) = (Arc::new(tiny()), piece(6, 24, 8));
    let infill = |to: usize| Prompt { far_side: shared(&music[14..to]), ..prompt(&music, 12, 14) };
    let mut decoder = decoder(&model);
    let steps = std::iter::from_fn(|| (decoder.prefill_step(&infill(20)).expect("a step") == Prefill::Nearer).then_some(())).count();
    assert_eq!((steps, decoder.bar()), (12 + 1 + 6, 12), "the bars before, the gap, the bars behind it");
    assert_eq!(decoder.prefill_step(&infill(20)).expect("a step"), Prefill::Done, "nothing is left to read");
    for other in [infill(19), prompt(&music, 12, 14), Prompt { far_side: shared(&music[14..20]), ..prompt(&music, 11, 14) }] {
        assert!(matches!(decoder.prefill_step(&other), Err(DecodeError::Rewind(_))));
    }
    assert_eq!(generated(&mut decoder, &infill(20)).len(), 2, "and it can still be filled");
    assert!(matches!(decoder.prefill_step(&infill(20)), Err(DecodeError::Rewind(_))), "bars were generated");
}
