//! Infill: bars of a gap are generated last and attend to both sides of it; equal to a whole-sequence Transformer over that order with the policy's mask.

mod common;

use std::sync::Arc;

use antiphon_engine::{
    cache::{CacheOptions, FAR_BARS, Forget, GapError, MOST_BARS, PagePolicy, Selection},
    codec::{BarEnd, BarRows, NoteClasses},
    decode::{BarScore, DecodeError, Decoder, Sampling},
    model::Model,
};
use common::{
    exact::{
        Case, Rule, TOLERANCE, by_name, compare, compare_scores, finish_bar, for_every_policy, music, plain_decoder, prefix, runnable, tiny,
    },
    music::piece,
    reference::View,
};

/// Bars of the gap.
const GAP: std::ops::Range<usize> = 20..27;

/// The policies that can fill a gap: all but lsh and k-means.
fn filling(model: &Model) -> Vec<(&'static str, Option<Rule>, Arc<dyn PagePolicy>)> {
    let filling: Vec<_> = runnable(model).filter(|(.., policy)| policy.fills()).collect();
    assert!(filling.len() >= 6, "all but lsh and k-means: {filling:?}");
    filling
}

/// Bars of a piece in sequence order: before the gap, its far side, the gap.
fn in_order(music: &[BarRows]) -> Vec<BarRows> {
    [&music[..GAP.start], &music[GAP.end..], &music[GAP]].concat()
}

/// The same with own and given notes: on the far side all notes are given.
fn for_reference(music: &[BarRows]) -> Vec<(BarRows, Vec<NoteClasses>)> {
    let bar = |bar: BarRows| {
        let index = usize::try_from(bar.index).expect("small");
        if index < GAP.end { (bar, Vec::new()) } else { (BarRows { notes: Vec::new(), ..bar.clone() }, bar.notes) }
    };
    in_order(music).into_iter().map(bar).collect()
}

/// Decodes a piece with its gap last; `each` appends one bar. Returns what each bar attended to, after checking it against the rule.
fn decode<T>(
    decoder: &mut Decoder,
    music: &[BarRows],
    (policy, rule): (&dyn PagePolicy, Option<Rule>),
    each: impl Fn(&mut Decoder, &BarRows) -> T,
) -> (Vec<T>, Vec<View>) {
    let (mut decoded, mut views) = (Vec::new(), Vec::new());
    let bars = in_order(music);
    for (order, bar) in bars.iter().enumerate() {
        if order == GAP.start {
            decoder.leave_gap(u32::try_from(GAP.len()).expect("small")).expect("a gap");
        }
        if order == bars.len() - GAP.len() {
            decoder.fill().expect("filled");
        }
        assert_eq!(decoder.bar(), bar.index);
        decoded.push(each(decoder, bar));
        if let Some(rule) = rule {
            let mut expected: Vec<u32> = bars[..order].iter().map(|bar| bar.index).filter(|&other| rule(bar.index, other)).collect();
            expected.sort_unstable();
            assert_eq!(*decoder.seen(), Selection::Bars(expected), "{} in bar {}", policy.name(), bar.index);
        }
        views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
    }
    (decoded, views)
}

fn score(decoder: &mut Decoder, bar: &BarRows) -> BarScore {
    decoder.score_bar(bar, &[], BarEnd::Bar).expect("scored")
}

/// Prefills both sides of the gap.
fn prefill(decoder: &mut Decoder, music: &[BarRows]) {
    music[..GAP.start].iter().for_each(|bar| decoder.append_bar(bar).expect("before the gap"));
    decoder.leave_gap(u32::try_from(GAP.len()).expect("small")).expect("a gap");
    music[GAP.end..].iter().for_each(|bar| decoder.append_bar(bar).expect("behind the gap"));
    decoder.fill().expect("filled");
}

/// Generates the bars of the gap.
fn generate_gap(decoder: &mut Decoder, music: &[BarRows]) -> Vec<BarRows> {
    let bar = |bar: &BarRows| {
        if decoder.open().is_none() {
            decoder.begin_bar(bar.ticks, bar.fields).expect("opened");
        }
        finish_bar(decoder)
    };
    music[GAP].iter().map(bar).collect()
}

#[test]
fn whole_bars_around_and_in_a_gap_equal_the_reference() {
    for_every_policy(
        |policy| policy.fills(),
        |model, reference, Case { what, rule, policy }| {
            let (scores, views) = decode(&mut plain_decoder(model, policy), &music(), (&**policy, *rule), score);
            let whole = reference.run_given(model.info(), &prefix(), &for_reference(&music()), &views);
            compare_scores(&scores, &whole, what);
        },
    );
}

#[test]
fn row_by_row_in_a_gap_equals_the_reference() {
    for_every_policy(
        |policy| policy.fills(),
        |model, reference, Case { what, rule, policy }| {
            let (decoded, views) = decode(&mut plain_decoder(model, policy), &music(), (&**policy, *rule), |decoder, bar| {
                if !GAP.contains(&usize::try_from(bar.index).expect("small")) {
                    decoder.append_bar(bar).expect("appended");
                    return Vec::new();
                }
                decoder.begin_bar(bar.ticks, bar.fields).expect("opened");
                let mut hidden = vec![decoder.hidden().to_vec()];
                for note in &bar.notes {
                    decoder.push(&[*note]).expect("pushed");
                    hidden.push(decoder.hidden().to_vec());
                }
                assert_eq!(&decoder.end_bar().expect("ended"), bar);
                hidden
            });
            let whole = reference.run_given(model.info(), &prefix(), &for_reference(&music()), &views);
            let compared = decoded.iter().enumerate().filter(|(_, hidden)| !hidden.is_empty());
            assert_eq!(compared.clone().count(), GAP.len());
            for (order, hidden) in compared {
                compare(hidden.iter().map(Vec::as_slice), &whole.hidden[order], &format!("{what}, {order}"));
            }
        },
    );
}

/// Bars more than 256 apart do not attend to each other across a gap.
#[test]
fn bars_beyond_the_reach_are_not_attended_to_across_a_gap() {
    let (model, mut reference) = tiny();
    let before = piece(6, 40, 3);
    let after: Vec<BarRows> = piece(7, 6, 3).into_iter().map(|bar| BarRows { index: bar.index + 293, ..bar }).collect();
    let inside: Vec<BarRows> = piece(8, 4, 3).into_iter().map(|bar| BarRows { index: bar.index + 40, ..bar }).collect();
    for (name, _, policy) in filling(&model) {
        // Dense attention has no bound.
        let mut decoder = plain_decoder(&model, &policy);
        let (mut scores, mut views) = (Vec::new(), Vec::new());
        let mut take = |decoder: &mut Decoder, bar: &BarRows| {
            scores.push(score(decoder, bar));
            views.push(View { seen: decoder.seen().clone(), rest: policy.rest() });
        };
        before.iter().for_each(|bar| take(&mut decoder, bar));
        decoder.leave_gap(293 - 40).expect("a gap");
        after.iter().for_each(|bar| take(&mut decoder, bar));
        decoder.fill().expect("filled");
        inside.iter().for_each(|bar| take(&mut decoder, bar));
        if policy.reach().is_some() {
            let too_far = |bar: u32, view: &View| match &view.seen {
                Selection::Bars(bars) => bars.iter().any(|other| other.abs_diff(bar) > MOST_BARS),
                Selection::ByLayer(layers) => layers.iter().flatten().any(|(other, _)| other.abs_diff(bar) > MOST_BARS),
            };
            assert!(!before.iter().chain(&after).chain(&inside).zip(&views).any(|(bar, view)| too_far(bar.index, view)), "{name}");
        }
        let own = |bar: &BarRows| (bar.clone(), Vec::new());
        let given = |bar: &BarRows| (BarRows { notes: Vec::new(), ..bar.clone() }, bar.notes.clone());
        let bars: Vec<_> = before.iter().map(own).chain(after.iter().map(given)).chain(inside.iter().map(own)).collect();
        let whole = reference.run_given(model.info(), &prefix(), &bars, &views);
        for (order, score) in scores.iter().enumerate() {
            let width = score.hidden.len() / score.rows.len();
            compare(score.hidden.chunks(width), &whole.hidden[order], &format!("{name}, {order}"));
        }
    }
}

#[test]
fn far_side_changes_the_first_bar_of_the_gap() {
    let (model, _) = tiny();
    for (name, _, policy) in filling(&model) {
        let first = |music: &[BarRows]| {
            let mut decoder = plain_decoder(&model, &policy);
            prefill(&mut decoder, music);
            score(&mut decoder, &music[GAP.start]).hidden
        };
        let mut other = music();
        other[GAP.end..].iter_mut().for_each(|bar| bar.notes.clear());
        let off = first(&music()).iter().zip(&first(&other)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // The window of four bars ends within the gap.
        assert!(name == "window:4" || off > 100.0 * TOLERANCE, "{name}: {off}");
    }
}

#[test]
fn filled_gap_depends_on_the_seed_only_and_can_be_rolled_back() {
    let (model, _) = tiny();
    for (name, _, policy) in filling(&model) {
        let music = music();
        let (mut plain, mut rewound) = (plain_decoder(&model, &policy), plain_decoder(&model, &policy));
        prefill(&mut plain, &music);
        prefill(&mut rewound, &music);
        assert_eq!(plain.line(), rewound.line());
        plain.set_seed(9);
        let filled = generate_gap(&mut plain, &music);
        assert!(filled.iter().map(|bar| bar.notes.len()).sum::<usize>() > 8, "{name} generated nothing to compare: {filled:?}");
        rewound.set_seed(99);
        generate_gap(&mut rewound, &music);
        rewound.rewind(music[GAP.start].index, 0).expect("all of it");
        rewound.set_seed(9);
        assert_eq!(generate_gap(&mut rewound, &music), filled, "{name}");
        let line = music[..GAP.end].iter().map(|bar| i64::from(bar.ticks)).sum::<i64>();
        assert_eq!(plain.line().0, line, "the line is in musical order, not in sequence order");
    }
}

/// With a small memory limit fewer bars are attended to row by row; dropping pages changes nothing and keeps the limit.
#[test]
fn memory_limit_holds_with_a_gap_and_dropped_pages_change_nothing() {
    let (model, _) = tiny();
    let bytes = 1400 * model.info().row_bytes();
    for name in ["fine_coarse", "summaries", "window:6", "strided:7", "fixed:7,1", "topk:4"] {
        let policy = by_name(&model, name);
        let options = CacheOptions { bytes, forget: Forget::Unreachable };
        let with = |options| {
            let mut decoder = Decoder::with_options(Arc::clone(&model), Arc::clone(&policy), &prefix(), options).expect("a decoder");
            decoder.set_sampling(Sampling::PLAIN);
            decoder
        };
        let (mut dropping, mut keeping) = (with(options), with(CacheOptions { forget: Forget::Nothing, ..options }));
        let before = piece(21, 301, 30);
        let after: Vec<BarRows> = piece(22, FAR_BARS, 30).into_iter().map(|bar| BarRows { index: bar.index + 320, ..bar }).collect();
        let mut highest = 0;
        for decoder in [&mut dropping, &mut keeping] {
            before.iter().for_each(|bar| decoder.append_bar(bar).expect("before the gap"));
            decoder.leave_gap(19).expect("a gap");
            after.iter().for_each(|bar| decoder.append_bar(bar).expect("behind the gap"));
            decoder.fill().expect("filled");
        }
        for bar in piece(23, 19, 30) {
            let bar = BarRows { index: bar.index + 301, ..bar };
            let (one, other) = (score(&mut dropping, &bar), score(&mut keeping, &bar));
            assert_eq!((one.hidden, dropping.seen()), (other.hidden, keeping.seen()), "{name}");
            highest = highest.max(dropping.bytes());
        }
        assert!(highest <= bytes, "{name}: {highest} of {bytes} bytes");
        assert!(dropping.bytes() < keeping.bytes());
    }
}

#[test]
fn gap_at_the_beginning_or_the_end_is_filled_from_one_side() {
    let (model, _) = tiny();
    let music = music();
    let policy = by_name(&model, "fine_coarse");
    let mut first = plain_decoder(&model, &policy);
    first.leave_gap(3).expect("a gap");
    music[3..9].iter().for_each(|bar| first.append_bar(bar).expect("behind"));
    first.fill().expect("filled");
    music[..3].iter().for_each(|bar| first.append_bar(bar).expect("in the gap"));
    // Without a far side a gap is a continuation.
    let (mut last, mut plain) = (plain_decoder(&model, &policy), plain_decoder(&model, &policy));
    for bar in &music[..9] {
        last.append_bar(bar).expect("before");
        plain.append_bar(bar).expect("before");
    }
    last.leave_gap(3).expect("a gap");
    last.fill().expect("filled");
    assert_eq!(score(&mut last, &music[9]).hidden, score(&mut plain, &music[9]).hidden);
}

#[test]
fn calls_that_a_gap_does_not_allow_are_refused_without_effect() {
    let (model, _) = tiny();
    let music = music();
    for name in ["lsh:16", "kmeans:8"] {
        let mut decoder = plain_decoder(&model, &by_name(&model, name));
        decoder.append_bar(&music[0]).expect("appended");
        let refused = decoder.leave_gap(2);
        assert!(
            matches!(&refused, Err(error @ DecodeError::Gap(GapError::Policy { .. })) if error.to_string().contains(name)),
            "{refused:?}"
        );
        decoder.append_bar(&music[1]).expect("it goes on");
    }

    let mut decoder = plain_decoder(&model, &by_name(&model, "fine_coarse"));
    assert!(matches!(decoder.fill(), Err(DecodeError::Gap(GapError::None))));
    decoder.append_bar(&music[0]).expect("appended");
    for bars in [0, u32::MAX] {
        assert!(matches!(decoder.leave_gap(bars), Err(DecodeError::Gap(GapError::Length { bar: 1, .. }))));
    }
    decoder.begin_bar(96, music[1].fields).expect("opened");
    assert!(matches!(decoder.leave_gap(2), Err(DecodeError::StillOpen(1))));
    decoder.end_bar().expect("ended");

    decoder.leave_gap(2).expect("a gap");
    assert!(matches!(decoder.leave_gap(2), Err(DecodeError::Gap(GapError::Second { far: 4 }))));
    assert!(matches!(decoder.begin_bar(96, music[4].fields), Err(DecodeError::Gap(GapError::Known { bar: 4 }))));
    assert!(matches!(decoder.append_bar(&music[2]), Err(DecodeError::Order { found: 2, expected: 4 })));
    assert!(matches!(decoder.rewind(1, 0), Err(DecodeError::Rewind(_))), "the far side may have attended to it");
    let behind = piece(9, 4 + FAR_BARS + 1, 4);
    behind[4..].iter().take(usize::try_from(FAR_BARS).expect("small")).for_each(|bar| decoder.append_bar(bar).expect("behind"));
    let too_far = decoder.append_bar(behind.last().expect("a bar"));
    assert!(matches!(too_far, Err(DecodeError::Gap(GapError::TooFar { bar: 36 }))), "{too_far:?}");
    assert!(matches!(decoder.rewind(35, 0), Err(DecodeError::Rewind(_))));

    decoder.fill().expect("filled");
    assert!(matches!(decoder.fill(), Err(DecodeError::Gap(GapError::None))));
    assert!(matches!(decoder.rewind(35, 0), Err(DecodeError::Rewind(_))));
    music[2..4].iter().for_each(|bar| decoder.append_bar(bar).expect("in the gap"));
    let filled = decoder.begin_bar(96, music[4].fields);
    assert!(matches!(filled, Err(DecodeError::Gap(GapError::Filled { bar: 4 }))), "{filled:?}");
    decoder.rewind(2, 0).expect("into the gap");
    decoder.end_bar().expect("ended");
}
