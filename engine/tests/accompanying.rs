//! Playing along: over given notes, exactly as a whole sequence with them; and after what was heard of a bar.

mod common;

use std::sync::{Arc, LazyLock};

use antiphon_engine::{
    cache::PagePolicy,
    codec::{BarEnd, BarRows, NoteClasses, vocabulary::Field},
    decode::{Constraints, DecodeError, Decoder, RoleSet, Sampling, Step},
    model::Model,
    music::{Role, Tick},
};
use common::{
    exact::{by_name, compare, compare_scores, graphs, music, open, prefix, runnable},
    music::piece,
    reference::{Reference, View},
    tiny,
};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(tiny()));

/// The invented pieces' roles that are given here; the others accompany.
const GIVEN: [Role; 3] = [Role::Melody, Role::Drums, Role::Keys];

fn is_given(note: &NoteClasses) -> bool {
    GIVEN.iter().any(|role| role.class() == note.role)
}

/// Bars with their own notes, and those that are given.
fn parted(music: &[BarRows]) -> Vec<(BarRows, Vec<NoteClasses>)> {
    let part = |bar: &BarRows| {
        let (given, notes): (Vec<_>, Vec<_>) = bar.notes.iter().partition(|note| is_given(note));
        (BarRows { notes, ..bar.clone() }, given)
    };
    music.iter().map(part).collect()
}

fn decoder_of(model: &Arc<Model>, policy: &Arc<dyn PagePolicy>) -> Decoder {
    let mut decoder = Decoder::new(Arc::clone(model), Arc::clone(policy), &prefix()).expect("a decoder");
    decoder.set_sampling(Sampling::PLAIN);
    decoder
}

fn decoder() -> Decoder {
    decoder_of(&MODEL, &by_name(&MODEL, "fine_coarse"))
}

/// Lets the model finish the open bar.
fn finish_bar(decoder: &mut Decoder) -> BarRows {
    while let Step::Note(_) = decoder.sample().expect("sampled") {}
    decoder.end_bar().expect("ended")
}

#[test]
fn whole_bars_over_given_notes_equal_the_reference() {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        for (name, _, policy) in runnable(&model) {
            let mut decoder = decoder_of(&model, &policy);
            let (mut scores, mut views) = (Vec::new(), Vec::new());
            for (bar, given) in &parted(&music()) {
                scores.push(decoder.score_accompanied(bar, given, BarEnd::Bar).expect("scored"));
                views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
            }
            let whole = reference.run_given(model.info(), &prefix(), &parted(&music()), &views);
            compare_scores(&scores, &whole, &format!("{}, {name}", step.display()));
        }
    }
}

#[test]
fn row_by_row_over_given_notes_equals_the_reference() {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        let policy = by_name(&model, "fine_coarse");
        let mut decoder = decoder_of(&model, &policy);
        let (mut decoded, mut views) = (Vec::new(), Vec::new());
        for (bar, given) in &parted(&music()) {
            decoder.accompany(bar.ticks, bar.fields, given).expect("opened");
            assert_eq!(decoder.open().expect("open").given(), given);
            let mut hidden = vec![decoder.hidden().to_vec()];
            for note in &bar.notes {
                decoder.push(&[*note]).expect("pushed");
                hidden.push(decoder.hidden().to_vec());
            }
            assert_eq!(&decoder.end_bar().expect("ended"), bar);
            decoded.push(hidden);
            views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
        }
        let whole = reference.run_given(model.info(), &prefix(), &parted(&music()), &views);
        for (bar, (hidden, (_, given))) in decoded.iter().zip(&parted(&music())).enumerate() {
            compare(hidden.iter().map(Vec::as_slice), &whole.hidden[bar][given.len()..], &format!("{}, bar {bar}", step.display()));
        }
    }
}

#[test]
fn bars_over_given_notes_are_taken_back_and_made_again() {
    let bars = parted(&piece(31, 24, 12));
    let (heard, ahead) = bars.split_at(18);
    let start = || {
        let mut decoder = decoder();
        heard.iter().for_each(|(bar, given)| decoder.append_accompanied(bar, given).expect("appended"));
        decoder
    };
    let make = |decoder: &mut Decoder| {
        let bar = |(bar, given): &(BarRows, Vec<NoteClasses>)| {
            if decoder.open().is_none() {
                decoder.accompany(bar.ticks, bar.fields, given).expect("opened");
            }
            finish_bar(decoder)
        };
        ahead.iter().map(bar).collect::<Vec<_>>()
    };
    let (mut plain, mut wavering) = (start(), start());
    let made = make(&mut plain);
    assert!(made.iter().map(|bar| bar.notes.len()).sum::<usize>() > 4, "{made:?}");
    wavering.set_seed(8);
    make(&mut wavering);
    wavering.rewind(ahead[0].0.index, 0).expect("all of it");
    assert_eq!(wavering.open().expect("open").given(), ahead[0].1);
    wavering.set_seed(0);
    assert_eq!(make(&mut wavering), made);
    assert_eq!(wavering.keys(), plain.keys());
}

#[test]
fn only_asked_roles_play_and_given_notes_count_as_voices() {
    let roles: RoleSet = [Role::Bass, Role::Lead].into_iter().collect();
    let bars = parted(&piece(32, 40, 14));
    let mut decoder = decoder();
    decoder.set_constraints(Constraints { roles, voices: Some(2), ..Constraints::default() });
    let mut made = 0;
    for (bar, given) in &bars {
        decoder.accompany(bar.ticks, bar.fields, given).expect("opened");
        let notes = finish_bar(&mut decoder).notes;
        made += notes.len();
        for note in &notes {
            assert!([Role::Bass.class(), Role::Lead.class()].contains(&note.role), "{note:?}");
            let together = notes.iter().chain(given).filter(|other| other.tick() == note.tick()).count();
            assert!(together <= 2, "{note:?} among {notes:?} over {given:?}");
        }
    }
    assert!(made > 40, "only {made} notes");
}

#[test]
fn impossible_given_notes_are_refused_and_change_nothing() {
    let (bar, given) = parted(&piece(33, 30, 14)).into_iter().find(|(_, given)| given.len() > 2).expect("a bar");
    let bar = BarRows { index: 0, ..bar };
    let (mut swapped, mut late) = (given.clone(), given.clone());
    swapped.swap(0, 1);
    late[2].beat = 15;
    let mut decoder = decoder();
    for given in [&swapped, &late] {
        assert!(matches!(decoder.accompany(bar.ticks, bar.fields, given), Err(DecodeError::Note { .. })));
        assert!(matches!(decoder.append_accompanied(&bar, given), Err(DecodeError::Note { .. })));
    }
    decoder.append_accompanied(&bar, &given).expect("appended");
}

#[test]
fn live_the_asked_roles_go_on_from_where_the_player_is() {
    let bars = piece(34, 30, 14);
    let asked = [Role::Bass, Role::Chords];
    let from = Tick(24);
    let mut made = 0;
    for (seed, index) in (0..).zip(20..28) {
        let mut decoder = decoder();
        decoder.set_seed(seed);
        bars[..index].iter().for_each(|bar| decoder.append_bar(bar).expect("heard"));
        let heard = BarRows { notes: bars[index].notes.iter().filter(|note| note.tick() < from).copied().collect(), ..bars[index].clone() };
        decoder.set_constraints(Constraints { roles: asked.into_iter().collect(), ..Constraints::default() });
        decoder.accompany_live(&heard, from).expect("opened");
        let bar = finish_bar(&mut decoder);
        let (before, after) = bar.notes.split_at(heard.notes.len());
        assert_eq!(before, heard.notes);
        assert!(after.iter().all(|note| note.tick() >= from && asked.map(Role::class).contains(&note.role)), "{after:?}");
        made += after.len();
        // Said note by note it is the same.
        let mut plain = self::decoder();
        plain.set_seed(seed);
        bars[..index].iter().for_each(|bar| plain.append_bar(bar).expect("heard"));
        let line = plain.line();
        plain.set_constraints(Constraints { roles: asked.into_iter().collect(), from: line + from, ..Constraints::default() });
        plain.begin_bar(heard.ticks, heard.fields).expect("opened");
        heard.notes.iter().for_each(|note| plain.push(&[*note]).expect("pushed"));
        assert_eq!(finish_bar(&mut plain), bar);
    }
    assert!(made > 8, "only {made} notes");
}

#[test]
fn what_was_not_heard_yet_is_refused() {
    let bar = piece(35, 30, 14).into_iter().find(|bar| bar.notes.len() > 4).map(|bar| BarRows { index: 0, ..bar }).expect("a bar");
    let mut decoder = decoder();
    let last = bar.notes.last().expect("a note").tick();
    let refused = decoder.accompany_live(&bar, last);
    assert!(matches!(refused, Err(DecodeError::Note { bar: 0, .. })), "{refused:?}");
    assert!(decoder.open().is_none());
    assert!(matches!(decoder.accompany_live(&BarRows { index: 3, ..bar.clone() }, Tick(384)), Err(DecodeError::Order { .. })));
    decoder.accompany_live(&bar, last + Tick(1)).expect("opened");
}

#[test]
fn pitches_are_ranked_as_the_model_finds_them_likely() {
    let music = piece(36, 12, 10);
    let (last, before) = music.split_last().expect("bars");
    let mut decoder = decoder();
    before.iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
    let known: Vec<NoteClasses> = piece(37, 9, 9).into_iter().map(|bar| bar.notes).find(|notes| notes.len() >= 3).expect("a bar");
    let known = &known[..2];
    let at = NoteClasses { beat: 3, sub: 0, role: Role::Bass.class(), pitch: 0, duration: 20, velocity: 20, offset: 4 };
    let of = |pitch: u8| NoteClasses { pitch, ..at };

    // What scoring the whole bar says of the note that is added.
    let mut scored: Vec<(f32, u8)> = Vec::new();
    for pitch in (30..70).step_by(5) {
        let bar = BarRows { notes: [known, &[of(pitch)]].concat(), ticks: 96, ..last.clone() };
        let score = decoder.score_bar(&bar, BarEnd::Bar).expect("scored");
        scored.push((score.rows[known.len() + 1].nll[Field::Pitch as usize], pitch));
        // The bar is made anew in the next round.
        decoder.rewind(last.index - 1, usize::MAX).expect("back");
        decoder.end_bar().expect("ended");
    }
    scored.sort_by(|one, other| one.0.total_cmp(&other.0));

    decoder.begin_bar(96, last.fields).expect("opened");
    decoder.push(known).expect("pushed");
    let mut plain_next = Vec::new();
    let ranks: Vec<usize> = scored
        .iter()
        .map(|(_, pitch)| {
            let rank = decoder.likelier_pitches(&of(*pitch), 256).expect("ranked").expect("there are 256 pitches");
            plain_next.push(decoder.likelier_pitches(&of(*pitch), rank).expect("ranked"));
            rank
        })
        .collect();
    assert!(ranks.is_sorted_by(|one, other| one < other), "{ranks:?} for {scored:?}");
    assert!(plain_next.iter().all(Option::is_none), "none of as few as are likelier is it");

    // Nothing has changed.
    let after = finish_bar(&mut decoder);
    decoder.rewind(last.index - 1, usize::MAX).expect("back");
    decoder.end_bar().expect("ended");
    decoder.begin_bar(96, last.fields).expect("opened");
    decoder.push(known).expect("pushed");
    assert_eq!(finish_bar(&mut decoder), after);
    assert!(matches!(decoder.likelier_pitches(&at, 5), Err(DecodeError::NoOpenBar)));
    decoder.rewind(last.index, 2).expect("back");
    assert!(matches!(decoder.likelier_pitches(&known[0], 5), Err(DecodeError::Note { .. })), "the place is gone");
}
