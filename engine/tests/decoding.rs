//! Rollback, dropping of pages, seeds, memory limit: a rollback restores the exact state.

mod common;

use std::sync::{Arc, LazyLock};

use antiphon_engine::{
    cache::{CacheOptions, FineCoarse, Forget, PagePolicy, REWIND_BARS, policy},
    codec::{BarFields, BarRows, NoteClasses, prefix_rows},
    decode::{DecodeError, Decoder, Sampling, Step},
    model::Model,
    music::{Role, Tick},
};
use common::{
    exact::{POLICIES, finish_bar},
    music::piece,
    tiny,
};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(tiny()));

fn by_name(name: &str) -> Arc<dyn PagePolicy> {
    policy(name, &MODEL.info().fine_bars).expect("a policy")
}

fn fine_coarse() -> Arc<dyn PagePolicy> {
    Arc::new(FineCoarse::new(&MODEL.info().fine_bars))
}

fn decoder_with(policy: Arc<dyn PagePolicy>, options: CacheOptions) -> Decoder {
    let mut decoder = Decoder::with_options(Arc::clone(&MODEL), policy, &prefix_rows(0, &[Role::Keys]), options).expect("a decoder");
    decoder.set_sampling(Sampling::PLAIN);
    decoder
}

fn decoder() -> Decoder {
    decoder_with(fine_coarse(), CacheOptions::default())
}

/// Generates `bars` bars of 4/4.
fn generate(decoder: &mut Decoder, bars: u32) -> Vec<BarRows> {
    let fields = piece(0, 1, 0)[0].fields;
    (0..bars)
        .map(|_| {
            decoder.begin_bar(96, fields).expect("opened");
            finish_bar(decoder)
        })
        .collect()
}

/// Hidden state of a row after everything so far: equal bits mean an equal context.
fn fingerprint(decoder: &mut Decoder) -> Vec<f32> {
    decoder.begin_bar(96, piece(0, 1, 0)[0].fields).expect("opened");
    decoder.hidden().to_vec()
}

#[test]
fn reconditioned_bar_equals_one_begun_with_that_conditioning() {
    let fields = |density| BarFields { density, repeats: 2, ..piece(0, 1, 0)[0].fields };
    let mut made = [false, true].map(|reconditioned| {
        let mut decoder = decoder();
        generate(&mut decoder, 2);
        decoder.begin_bar(96, if reconditioned { fields(1) } else { fields(8) }).expect("opened");
        if reconditioned {
            decoder.recondition(fields(8)).expect("an open bar");
        }
        let bar = finish_bar(&mut decoder);
        (bar, fingerprint(&mut decoder))
    });
    assert_eq!(made[0], made[1]);
    assert_eq!(made[0].0.fields.density, 8);
    // After the first note the conditioning is fixed.
    let mut decoder = decoder();
    decoder.begin_bar(96, fields(1)).expect("opened");
    decoder.push(&made[0].0.notes.split_off(0)).expect("notes that fit");
    decoder.recondition(fields(8)).expect("an open bar");
    assert!(decoder.open().is_some_and(|open| open.bar().notes.is_empty() || open.bar().fields.density == 1));
}

/// Training never shows a repeat of an empty bar, and conditioning on one makes the next bar empty as well.
#[test]
fn empty_bar_is_not_repeated() {
    let mut decoder = decoder();
    let fields = piece(0, 1, 0)[0].fields;
    let empty = BarRows { index: 0, ticks: 96, fields, notes: Vec::new() };
    let note = NoteClasses { beat: 0, sub: 0, role: Role::Keys.class(), pitch: 60, duration: 11, velocity: 20, offset: 4 };
    decoder.append_bar(&empty).expect("a bar that fits");
    let repeats = |decoder: &Decoder| decoder.open().expect("an open bar").bar().fields.repeats;
    decoder.begin_bar(96, BarFields { repeats: 2, ..fields }).expect("opened");
    assert_eq!(repeats(&decoder), 0);
    decoder.end_bar().expect("ended");
    decoder.append_bar(&BarRows { index: 2, notes: vec![note], ..empty }).expect("a bar that fits");
    decoder.begin_bar(96, BarFields { repeats: 2, ..fields }).expect("opened");
    assert_eq!(repeats(&decoder), 2);
}

#[test]
fn truncated_notes_leave_no_trace() {
    let music = piece(11, 12, 10);
    let (open, before) = music.split_last().unwrap();
    assert!(open.notes.len() >= 4, "the test needs a bar with notes");
    let start = |decoder: &mut Decoder| {
        for bar in before {
            decoder.append_bar(bar).unwrap();
        }
        decoder.begin_bar(open.ticks, open.fields).unwrap();
    };
    let mut plain = decoder();
    start(&mut plain);
    for note in &open.notes {
        plain.push(&[*note]).unwrap();
    }
    let expected = plain.hidden().to_vec();
    plain.end_bar().unwrap();

    let mut rewound = decoder();
    start(&mut rewound);
    for (index, note) in open.notes.iter().enumerate() {
        // Each time it generates a continuation and truncates it again.
        while let Step::Note(_) = rewound.sample().unwrap() {}
        rewound.truncate(index).unwrap();
        rewound.push(&[*note]).unwrap();
    }
    assert_eq!(rewound.hidden(), expected);
    rewound.end_bar().unwrap();
    assert_eq!(fingerprint(&mut rewound), fingerprint(&mut plain));
}

#[test]
fn rewound_bars_leave_no_trace_under_any_policy() {
    let music = piece(12, 50, 8);
    let policies = POLICIES.into_iter().flat_map(|(name, _)| [by_name(name), by_name(name)]);
    for (kept_notes, policy) in [0, 3, 2].into_iter().cycle().zip(policies) {
        let mut plain = decoder_with(Arc::clone(&policy), CacheOptions::default());
        let mut rewound = decoder_with(policy, CacheOptions::default());
        for bar in &music {
            plain.append_bar(bar).unwrap();
            rewound.append_bar(bar).unwrap();
        }
        let played: Vec<NoteClasses> = piece(13, 5, 9).into_iter().map(|bar| bar.notes).find(|notes| notes.len() >= 4).unwrap();
        for decoder in [&mut plain, &mut rewound] {
            decoder.begin_bar(96, music[0].fields).unwrap();
            for note in &played[..kept_notes] {
                decoder.push(&[*note]).unwrap();
            }
        }
        let bar = rewound.bar();
        finish_bar(&mut rewound);
        // The longest rollback: the pages that the oldest bar attends to must still be there.
        generate(&mut rewound, REWIND_BARS - 1);
        rewound.rewind(bar, kept_notes).unwrap();
        assert_eq!(rewound.open().unwrap().bar(), plain.open().unwrap().bar());
        assert_eq!((rewound.bar(), rewound.line(), rewound.keys()), (plain.bar(), plain.line(), plain.keys()));
        for note in &played[kept_notes..] {
            plain.push(&[*note]).unwrap();
            rewound.push(&[*note]).unwrap();
            assert_eq!(rewound.hidden(), plain.hidden());
        }
        assert_eq!(finish_bar(&mut rewound), finish_bar(&mut plain));
        assert_eq!(generate(&mut rewound, 40), generate(&mut plain, 40));
        assert_eq!(fingerprint(&mut rewound), fingerprint(&mut plain));
    }
}

#[test]
fn rewind_too_far_is_refused_without_effect() {
    let mut decoder = decoder();
    for bar in piece(14, 60, 6) {
        decoder.append_bar(&bar).unwrap();
    }
    let last = decoder.bar() - 1;
    for bar in [0, last - REWIND_BARS, last + 1, u32::MAX] {
        assert!(matches!(decoder.rewind(bar, 0), Err(DecodeError::Rewind(_))), "bar {bar}");
    }
    let before = fingerprint(&mut decoder);
    decoder.end_bar().unwrap();
    decoder.rewind(last + 1, 0).unwrap();
    decoder.end_bar().unwrap();
    decoder.rewind(last + 2 - REWIND_BARS, 0).unwrap();
    assert_eq!(decoder.bar(), last + 2 - REWIND_BARS);
    assert!(!before.is_empty());
}

#[test]
fn dropped_pages_change_nothing_under_any_policy() {
    // The second limit is small enough that long bars push pages out too; the number of bars exceeds every reach.
    for bytes in [CacheOptions::default().bytes, 900 * MODEL.info().row_bytes()] {
        for policy in POLICIES.into_iter().map(|(name, _)| by_name(name)).filter(|policy| policy.reach().is_some()) {
            let options = CacheOptions { bytes, ..CacheOptions::default() };
            let mut dropping = decoder_with(Arc::clone(&policy), options);
            let mut keeping = decoder_with(policy, CacheOptions { forget: Forget::Nothing, ..options });
            for bar in piece(15, 301, 5) {
                dropping.append_bar(&bar).unwrap();
                keeping.append_bar(&bar).unwrap();
                assert_eq!(dropping.keys(), keeping.keys());
            }
            assert!(dropping.bytes() < keeping.bytes());
            assert_eq!(generate(&mut dropping, 3), generate(&mut keeping, 3));
            assert_eq!(fingerprint(&mut dropping), fingerprint(&mut keeping));
        }
    }
}

#[test]
fn memory_limit_holds_for_any_length_of_the_piece() {
    // As many rows as the shipped size has in its 32 MiB.
    let bytes = 2730 * MODEL.info().row_bytes();
    for (most, name) in
        [(4, "fine_coarse"), (40, "fine_coarse"), (120, "fine_coarse"), (40, "topk:8"), (120, "topk:8"), (40, "lsh:16"), (40, "strided:8")]
    {
        let mut decoder = decoder_with(by_name(name), CacheOptions { bytes, ..CacheOptions::default() });
        let mut highest = 0;
        for bar in piece(16, 330, most) {
            decoder.append_bar(&bar).unwrap();
            highest = highest.max(decoder.bytes());
        }
        assert!(highest <= bytes, "{name}: bars of up to {most} notes took {highest} of {bytes} bytes");
    }
}

#[test]
fn generated_notes_depend_on_the_seed_and_not_on_rolled_back_bars() {
    let music = piece(17, 10, 8);
    let continue_with = |seed: u64, detour: bool| {
        let mut decoder = decoder();
        for bar in &music {
            decoder.append_bar(bar).unwrap();
        }
        if detour {
            decoder.set_seed(99);
            generate(&mut decoder, 3);
            decoder.rewind(10, 0).unwrap();
            decoder.end_bar().unwrap();
            decoder.rewind(10, 0).unwrap();
            decoder.set_seed(seed);
            let mut bars = vec![finish_bar(&mut decoder)];
            bars.extend(generate(&mut decoder, 9));
            return bars;
        }
        decoder.set_seed(seed);
        generate(&mut decoder, 10)
    };
    let plain = continue_with(1, false);
    assert!(plain.iter().map(|bar| bar.notes.len()).sum::<usize>() > 8, "the test needs notes: {plain:?}");
    assert_eq!(plain, continue_with(1, false));
    assert_ne!(plain, continue_with(2, false));
    let detoured = continue_with(1, true);
    assert_eq!(detoured[1..].iter().map(|bar| bar.ticks).collect::<Vec<_>>(), [96; 9]);
    let notes = |bars: &[BarRows]| bars.iter().map(|bar| bar.notes.clone()).collect::<Vec<_>>();
    assert_eq!(notes(&detoured), notes(&plain));
}

#[test]
fn line_counts_ticks_from_the_first_bar() {
    let mut decoder = decoder();
    let music = piece(18, 6, 3);
    for bar in &music {
        assert_eq!(decoder.bar(), bar.index);
        decoder.append_bar(bar).unwrap();
    }
    assert_eq!(decoder.line(), Tick(music.iter().map(|bar| i64::from(bar.ticks)).sum()));
}

#[test]
fn invalid_bars_are_refused_without_effect() {
    let mut decoder = decoder();
    let good = piece(19, 9, 9).into_iter().find(|bar| bar.notes.len() >= 3).map(|bar| BarRows { index: 0, ..bar }).unwrap();
    let spoil = |change: &dyn Fn(&mut BarRows)| {
        let mut bar = good.clone();
        change(&mut bar);
        bar
    };
    let bad = [
        spoil(&|bar| bar.index = 1),
        spoil(&|bar| bar.ticks = 0),
        spoil(&|bar| bar.ticks = 385),
        spoil(&|bar| bar.fields.metre = 24),
        spoil(&|bar| bar.fields.voices = 9),
        spoil(&|bar| bar.notes.swap(0, 2)),
        spoil(&|bar| bar.notes[1] = bar.notes[0]),
        spoil(&|bar| bar.notes[0].velocity = 32),
        spoil(&|bar| bar.notes[2].sub = 24),
        spoil(&|bar| bar.notes[2].beat = 15),
    ];
    for bar in &bad {
        assert!(decoder.append_bar(bar).is_err(), "{bar:?}");
    }
    assert!(matches!(decoder.sample(), Err(DecodeError::NoOpenBar)));
    assert!(matches!(decoder.end_bar(), Err(DecodeError::NoOpenBar)));
    decoder.append_bar(&good).unwrap();
    decoder.begin_bar(good.ticks, good.fields).unwrap();
    assert!(matches!(decoder.append_bar(&good), Err(DecodeError::StillOpen(1))));
    decoder.push(&good.notes[1..2]).unwrap();
    assert!(decoder.push(&good.notes[..1]).is_err());
    assert_eq!(decoder.open().unwrap().bar().notes, good.notes[1..2]);
    decoder.push(&good.notes[2..]).unwrap();
    decoder.end_bar().unwrap();
}
