//! Accompaniment over given notes, compared with the reference; and live, over the input up to a tick of the bar.

mod common;

use std::sync::{Arc, LazyLock};

use antiphon_engine::{
    codec::{BarEnd, BarRows, NoteClasses, vocabulary::Field},
    decode::{Constraints, DecodeError, Decoder, RoleSet},
    model::Model,
    music::{Role, Tick},
};
use common::{
    exact::{Case, by_name, compare, compare_scores, finish_bar, for_every_policy, graphs, music, open, plain_decoder, prefix},
    music::piece,
    reference::{Reference, View},
    tiny,
};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(tiny()));

/// Roles of the test pieces whose notes are given; the others are predicted.
const GIVEN: [Role; 3] = [Role::Melody, Role::Drums, Role::Keys];

fn is_given(note: &NoteClasses) -> bool {
    GIVEN.iter().any(|role| role.class() == note.role)
}

/// Bars with their own notes, and the given notes of each.
fn parted(music: &[BarRows]) -> Vec<(BarRows, Vec<NoteClasses>)> {
    let part = |bar: &BarRows| {
        let (given, notes): (Vec<_>, Vec<_>) = bar.notes.iter().partition(|note| is_given(note));
        (BarRows { notes, ..bar.clone() }, given)
    };
    music.iter().map(part).collect()
}

fn decoder() -> Decoder {
    plain_decoder(&MODEL, &by_name(&MODEL, "fine_coarse"))
}

#[test]
fn whole_bars_over_given_notes_equal_the_reference() {
    for_every_policy(
        |_| true,
        |model, reference, Case { what, policy, .. }| {
            let mut decoder = plain_decoder(model, policy);
            let (mut scores, mut views) = (Vec::new(), Vec::new());
            for (bar, given) in &parted(&music()) {
                scores.push(decoder.score_bar(bar, given, BarEnd::Bar).expect("scored"));
                views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
            }
            let whole = reference.run_given(model.info(), &prefix(), &parted(&music()), &views);
            compare_scores(&scores, &whole, what);
        },
    );
}

#[test]
fn row_by_row_over_given_notes_equals_the_reference() {
    for (step, reference) in graphs() {
        let model = open(&step);
        let mut reference = Reference::open(&reference);
        let policy = by_name(&model, "fine_coarse");
        let mut decoder = plain_decoder(&model, &policy);
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
fn rolled_back_bars_over_given_notes_are_generated_again_the_same() {
    let bars = parted(&piece(31, 24, 12));
    let (input, ahead) = bars.split_at(18);
    let start = || {
        let mut decoder = decoder();
        for (bar, given) in input {
            decoder.score_bar(bar, given, BarEnd::Bar).expect("appended");
        }
        decoder
    };
    let generate = |decoder: &mut Decoder| {
        let bar = |(bar, given): &(BarRows, Vec<NoteClasses>)| {
            if decoder.open().is_none() {
                decoder.accompany(bar.ticks, bar.fields, given).expect("opened");
            }
            finish_bar(decoder)
        };
        ahead.iter().map(bar).collect::<Vec<_>>()
    };
    let (mut plain, mut rewound) = (start(), start());
    let generated = generate(&mut plain);
    assert!(generated.iter().map(|bar| bar.notes.len()).sum::<usize>() > 4, "{generated:?}");
    rewound.set_seed(8);
    generate(&mut rewound);
    rewound.rewind(ahead[0].0.index, 0).expect("all of it");
    assert_eq!(rewound.open().expect("open").given(), ahead[0].1);
    rewound.set_seed(0);
    assert_eq!(generate(&mut rewound), generated);
    assert_eq!(rewound.keys(), plain.keys());
}

#[test]
fn generated_notes_keep_to_the_allowed_roles_and_given_notes_count_as_voices() {
    let roles: RoleSet = [Role::Bass, Role::Lead].into_iter().collect();
    let bars = parted(&piece(32, 40, 14));
    let mut decoder = decoder();
    decoder.set_constraints(Constraints { roles, voices: Some(2), ..Constraints::default() });
    let mut generated = 0;
    for (bar, given) in &bars {
        decoder.accompany(bar.ticks, bar.fields, given).expect("opened");
        let notes = finish_bar(&mut decoder).notes;
        generated += notes.len();
        for note in &notes {
            assert!([Role::Bass.class(), Role::Lead.class()].contains(&note.role), "{note:?}");
            let together = notes.iter().chain(given).filter(|other| other.tick() == note.tick()).count();
            assert!(together <= 2, "{note:?} among {notes:?} over {given:?}");
        }
    }
    assert!(generated > 40, "only {generated} notes");
}

#[test]
fn invalid_given_notes_are_refused_without_effect() {
    let (bar, given) = parted(&piece(33, 30, 14)).into_iter().find(|(_, given)| given.len() > 2).expect("a bar");
    let bar = BarRows { index: 0, ..bar };
    let (mut swapped, mut late) = (given.clone(), given.clone());
    swapped.swap(0, 1);
    late[2].beat = 15;
    let mut decoder = decoder();
    for given in [&swapped, &late] {
        assert!(matches!(decoder.accompany(bar.ticks, bar.fields, given), Err(DecodeError::Note { .. })));
        assert!(matches!(decoder.score_bar(&bar, given, BarEnd::Bar), Err(DecodeError::Note { .. })));
    }
    decoder.score_bar(&bar, &given, BarEnd::Bar).expect("appended");
}

#[test]
fn live_accompaniment_starts_at_the_tick_of_the_input() {
    let bars = piece(34, 30, 14);
    let roles = [Role::Bass, Role::Chords];
    let from = Tick(24);
    let mut generated = 0;
    for (seed, index) in (0..).zip(20..28) {
        let mut decoder = decoder();
        decoder.set_seed(seed);
        bars[..index].iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
        let input = BarRows { notes: bars[index].notes.iter().filter(|note| note.tick() < from).copied().collect(), ..bars[index].clone() };
        decoder.set_constraints(Constraints { roles: roles.into_iter().collect(), ..Constraints::default() });
        decoder.accompany_live(&input, from).expect("opened");
        let bar = finish_bar(&mut decoder);
        let (before, after) = bar.notes.split_at(input.notes.len());
        assert_eq!(before, input.notes);
        assert!(after.iter().all(|note| note.tick() >= from && roles.map(Role::class).contains(&note.role)), "{after:?}");
        generated += after.len();
        // The same with the input pushed note by note.
        let mut plain = self::decoder();
        plain.set_seed(seed);
        bars[..index].iter().for_each(|bar| plain.append_bar(bar).expect("appended"));
        let line = plain.line();
        plain.set_constraints(Constraints { roles: roles.into_iter().collect(), from: line + from, ..Constraints::default() });
        plain.begin_bar(input.ticks, input.fields).expect("opened");
        input.notes.iter().for_each(|note| plain.push(&[*note]).expect("pushed"));
        assert_eq!(finish_bar(&mut plain), bar);
    }
    assert!(generated > 8, "only {generated} notes");
}

#[test]
fn live_input_at_or_after_its_tick_is_refused() {
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
fn pitch_ranks_follow_the_scored_likelihoods() {
    let music = piece(36, 12, 10);
    let (last, before) = music.split_last().expect("bars");
    let mut decoder = decoder();
    before.iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
    let known: Vec<NoteClasses> = piece(37, 9, 9).into_iter().map(|bar| bar.notes).find(|notes| notes.len() >= 3).expect("a bar");
    let known = &known[..2];
    let at = NoteClasses { beat: 3, sub: 0, role: Role::Bass.class(), pitch: 0, duration: 20, velocity: 20, offset: 4 };
    let of = |pitch: u8| NoteClasses { pitch, ..at };

    // Negative log-likelihood of each pitch, by scoring the bar with the note added.
    let mut scored: Vec<(f32, u8)> = Vec::new();
    for pitch in (30..70).step_by(5) {
        let bar = BarRows { notes: [known, &[of(pitch)]].concat(), ticks: 96, ..last.clone() };
        let score = decoder.score_bar(&bar, &[], BarEnd::Bar).expect("scored");
        scored.push((score.rows[known.len() + 1].nll[Field::Pitch as usize], pitch));
        // The next round scores the bar again.
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
    assert!(plain_next.iter().all(Option::is_none), "no rank below its own");

    // Ranking leaves the open bar unchanged.
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
