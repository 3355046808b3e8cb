//! Memory of the piece: rolled back bars leave it, and bars beyond every page and summary stay in it.

mod common;

use std::sync::{Arc, LazyLock};

use antiphon_engine::{
    cache::{SlidingWindow, policy},
    codec::{BarEnd, BarFields, BarRows},
    decode::{BarScore, Decoder, Sampling, Step},
    model::Model,
};
use common::{exact::prefix, fixture, music::piece, runtime};

static MODEL: LazyLock<Arc<Model>> =
    LazyLock::new(|| Arc::new(Model::open(runtime(), &fixture("tiny-memory.onnx")).unwrap_or_else(|error| panic!("{error}"))));

fn decoder(policy_name: &str) -> Decoder {
    let policy = policy(policy_name, &MODEL.info().fine_bars).expect("a policy");
    Decoder::new(Arc::clone(&MODEL), policy, &prefix()).expect("a decoder")
}

fn score(decoder: &mut Decoder, bar: &BarRows) -> BarScore {
    decoder.score_bar(bar, &[], BarEnd::Bar).expect("scored")
}

/// Largest differences of log-likelihoods and of hidden values.
fn differences(one: &BarScore, other: &BarScore) -> (f32, f32) {
    let nll = |score: &BarScore| score.rows.iter().flat_map(|row| row.nll).collect::<Vec<_>>();
    let most = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert_eq!(one.rows.len(), other.rows.len());
    (most(&nll(one), &nll(other)), most(&one.hidden, &other.hidden))
}

/// The same bars with other velocities.
fn with_other_velocities(music: &[BarRows]) -> Vec<BarRows> {
    let mut other = music.to_vec();
    other.iter_mut().flat_map(|bar| &mut bar.notes).for_each(|note| note.velocity = (note.velocity + 7) % 32);
    other
}

#[test]
fn rolled_back_bars_and_notes_are_not_in_the_memory() {
    let music = piece(21, 40, 9);
    let other = with_other_velocities(&music);
    let mut plain = decoder("fine_coarse");
    let mut rewound = decoder("fine_coarse");
    for bar in &music[..30] {
        plain.append_bar(bar).expect("appended");
        rewound.append_bar(bar).expect("appended");
    }
    for bar in &other[30..36] {
        rewound.append_bar(bar).expect("appended");
    }
    rewound.rewind(30, 0).expect("rewound");
    for bar in &music[30..33] {
        if rewound.open().is_none() {
            rewound.begin_bar(bar.ticks, bar.fields).expect("begun");
        }
        for (known, (note, wrong)) in bar.notes.iter().zip(&other[usize::try_from(bar.index).expect("small")].notes).enumerate() {
            rewound.push(&[*wrong]).expect("pushed");
            rewound.truncate(known).expect("rolled back");
            rewound.push(&[*note]).expect("pushed");
        }
        rewound.end_bar().expect("ended");
        plain.append_bar(bar).expect("appended");
    }
    for bar in &music[33..] {
        let (nll, hidden) = differences(&score(&mut plain, bar), &score(&mut rewound, bar));
        assert!(nll < 1e-3 && hidden < 1e-4, "bar {}: off by {nll} and {hidden}", bar.index);
    }
}

#[test]
fn bars_beyond_every_page_are_in_the_memory() {
    let music = piece(23, 60, 9);
    let mut changed = music.clone();
    changed[2] = with_other_velocities(&music[2..3]).swap_remove(0);
    assert!(!changed[2].notes.is_empty(), "the test needs a bar with notes");
    let policy = Arc::new(SlidingWindow { bars: 1 });
    let mut decoders = [(); 2].map(|()| Decoder::new(Arc::clone(&MODEL), policy.clone(), &prefix()).expect("a decoder"));
    let mut furthest: f32 = 0.0;
    for (one, other) in music.iter().zip(&changed) {
        let [a, b] = &mut decoders;
        let (nll, hidden) = differences(&score(a, one), &score(b, other));
        // Recall reaches 32 bars back; beyond that bar 2 can act through the memory only.
        if one.index > 36 {
            assert!(hidden < 1e-5, "bar {}: its hidden states differ by {hidden}", one.index);
            furthest = furthest.max(nll);
        }
    }
    assert!(furthest > 1e-4, "bar 2 is not in the memory");
}

#[test]
fn earlier_entries_change_predictions_by_their_weight_and_no_hidden_state() {
    let music = piece(25, 12, 9);
    let mut reader = decoder("fine_coarse");
    music.iter().for_each(|bar| reader.append_bar(bar).expect("appended"));
    let entries = Arc::new(reader.memory_entries());
    assert!(entries.len() > 20, "{} entries", entries.len());
    let largest = |nearer: f32| {
        let (mut plain, mut remembering) = (decoder("fine_coarse"), decoder("fine_coarse"));
        remembering.set_earlier(Arc::clone(&entries), nearer);
        let differences = music.iter().map(|bar| differences(&score(&mut plain, bar), &score(&mut remembering, bar)));
        differences.fold((0.0, 0.0), |most: (f32, f32), (nll, hidden)| (most.0.max(nll), most.1.max(hidden)))
    };
    let (as_own, far) = (largest(0.0), largest(-100.0));
    assert!(as_own.1 < 1e-5 && far.1 < 1e-5, "hidden states differ by {} and {}", as_own.1, far.1);
    assert!(as_own.0 > 1e-3, "the earlier entries have no effect: {}", as_own.0);
    assert!(far.0 < as_own.0 / 10.0, "{} without weight, {} with", far.0, as_own.0);
}

#[test]
fn earlier_entries_that_are_taken_away_have_no_effect() {
    let music = piece(27, 8, 9);
    let mut reader = decoder("fine_coarse");
    music.iter().for_each(|bar| reader.append_bar(bar).expect("appended"));
    let mut remembering = decoder("fine_coarse");
    remembering.set_earlier(Arc::new(reader.memory_entries()), 0.0);
    remembering.set_earlier(Arc::default(), 0.0);
    let mut plain = decoder("fine_coarse");
    for bar in &music {
        let (nll, _) = differences(&score(&mut plain, bar), &score(&mut remembering, bar));
        assert!(nll < 1e-5, "entries that were taken away still act in bar {}: {nll}", bar.index);
    }
}

#[test]
fn distance_from_the_own_rows_changes_what_is_sampled_and_no_score() {
    let music = piece(27, 24, 9);
    let [mut plain, mut away] = [(); 2].map(|()| decoder("fine_coarse"));
    let sampled = |decoder: &mut Decoder, distance: f32| {
        music[..20].iter().for_each(|bar| decoder.append_bar(bar).expect("appended"));
        decoder.begin_bar(music[20].ticks, BarFields { repeats: 0, ..music[20].fields }).expect("begun");
        decoder.set_sampling(Sampling { distance, ..Sampling::PLAIN });
        let bars = (0..12).map(|seed| {
            decoder.set_seed(seed);
            let notes = (0..8).map_while(|_| if let Step::Note(note) = decoder.sample().expect("sampled") { Some(note) } else { None });
            let notes: Vec<_> = notes.collect();
            decoder.truncate(0).expect("rolled back");
            notes
        });
        bars.collect::<Vec<_>>()
    };
    let as_trained = sampled(&mut plain, 0.0);
    assert_ne!(as_trained, sampled(&mut away, 100.0), "the distance has no effect");
    away.set_sampling(Sampling::PLAIN);
    away.set_seed(0);
    assert_eq!(away.sample().expect("sampled"), Step::Note(as_trained[0][0]), "it ends with the sampling that asked for it");
    for decoder in [&mut plain, &mut away] {
        decoder.set_sampling(Sampling { distance: 100.0, ..Sampling::PLAIN });
        decoder.truncate(0).expect("rolled back");
        decoder.push(&music[20].notes).expect("pushed");
        decoder.sample().expect("sampled");
        decoder.truncate(music[20].notes.len()).expect("rolled back");
        decoder.end_bar().expect("ended");
    }
    let mut untouched = decoder("fine_coarse");
    for bar in &music[..20] {
        untouched.append_bar(bar).expect("appended");
    }
    untouched.append_bar(&BarRows { fields: BarFields { repeats: 0, ..music[20].fields }, ..music[20].clone() }).expect("appended");
    for bar in &music[21..] {
        let expected = score(&mut untouched, bar);
        for decoder in [&mut plain, &mut away] {
            let (nll, hidden) = differences(&expected, &score(decoder, bar));
            assert!(nll < 1e-3 && hidden < 1e-4, "bar {}: off by {nll} and {hidden}", bar.index);
        }
    }
}
