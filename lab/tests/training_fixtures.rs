//! Fixtures that keep the training package consistent with the codec: clips of our own, the corpus made of them, and their aligned rows.
//!
//! `aligned.json` has four lists for every sequence of rows: `rows` (their columns), `keys` and `queries` (bar, tick, index), `targets`. They are
//! under `prefix.aligned` (with its `style` and `roles`), `pieces` (one for each piece of the corpus, from its first bar to its end), `given`: a
//! `piece` by number, the `roles` whose notes are given, and the `aligned` rows; `own`: a `piece` by number, the `own`
//! roles, whether the others' rows are interleaved `by_beat`, the bar and tick from which own notes are `planned` (if they are), and the `aligned` rows; and `gaps`: a `piece` by number, that many `times` over, its `bars` in sequence order, the
//! number of those on the `far` side, the `aligned` rows, and the bars that each bar has `seen` row by row under fine/coarse attention.
//!
//! `ANTIPHON_WRITE_FIXTURES=1 cargo test -p antiphon-lab --test training_fixtures` rewrites them.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/clips.rs"]
mod clips;
#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use antiphon_engine::cache::{FineCoarse, Selection, TopK};
use antiphon_engine::codec::{
    BarEnd, BarFields, BarRows, GivenOrder, Layout, NoteClasses, OwnRoles, Position, Recall, Row, Targets, align_given, prefix_rows,
};
use antiphon_engine::decode::Decoder;
use antiphon_engine::music::analysis::{Chord, ChordKind};
use antiphon_engine::music::{Role, Tick, smf};
use clips::{answer, changes, hymn};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// Folder of the fixtures.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/training/tests/fixtures")
}

/// Bars of each piece of a corpus file.
fn pieces(bytes: &[u8]) -> Vec<Vec<BarRows>> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let data = |name: &str| file.tensor(name).unwrap().data().to_vec();
    let words = |name: &str| -> Vec<usize> {
        data(name).chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()).try_into().unwrap()).collect()
    };
    let (notes, bars, ticks) = (data("notes"), data("bars"), data("bar_ticks"));
    let (bar_notes, piece_bars) = (words("bar_notes"), words("piece_bars"));
    let note = |index: usize| {
        let [beat, sub, role, pitch, duration, velocity, offset, _part] = notes[8 * index..8 * index + 8].try_into().unwrap();
        NoteClasses { beat, sub, role, pitch, duration, velocity, offset }
    };
    let chords = data("chords");
    let chord = |bar: usize, half: usize| {
        let place = 8 * bar + 4 * half;
        let tones: Vec<u8> = chords[place..place + 4].iter().filter(|&&value| value > 0).map(|value| value - 1).collect();
        let kinds = ChordKind::ALL.map(|kind| Chord { root: *tones.first().unwrap_or(&0), kind });
        kinds.into_iter().find(|chord| !tones.is_empty() && chord.tones().eq(tones.iter().copied()))
    };
    let bar = |first: usize, bar: usize| {
        let [metre, tempo, key, density, register, span, voices, mood, repeats] = bars[9 * bar..9 * bar + 9].try_into().unwrap();
        BarRows {
            index: u32::try_from(bar - first).unwrap(),
            ticks: u16::from_le_bytes(ticks[2 * bar..2 * bar + 2].try_into().unwrap()),
            fields: BarFields {
                metre,
                tempo,
                key,
                density,
                register,
                span,
                voices,
                mood,
                repeats,
                chords: [0, 1].map(|half| chord(bar, half)),
            },
            notes: (bar_notes[bar]..bar_notes[bar + 1]).map(note).collect(),
        }
    };
    piece_bars.windows(2).map(|piece| (piece[0]..piece[1]).map(|index| bar(piece[0], index)).collect()).collect()
}

/// Rows in the form of the fixture: four lists.
fn listed(rows: &[Row], targets: &[Targets]) -> Value {
    let triple = |position: Position| [position.bar, position.tick, position.index];
    json!({
        "rows": rows.iter().map(|row| row.columns.to_vec()).collect::<Vec<_>>(),
        "keys": rows.iter().map(|row| triple(row.key)).collect::<Vec<_>>(),
        "queries": rows.iter().map(|row| triple(row.query)).collect::<Vec<_>>(),
        "targets": targets,
    })
}

/// A whole piece, aligned, with the notes of some roles given.
fn aligned_piece(bars: &[BarRows], given: &[u8]) -> Value {
    aligned_bars(bars, bars.len(), |_, note| given.contains(&note.role))
}

/// Bars of a piece of `count` bars, aligned in this order, with some of their notes given.
fn aligned_bars(bars: &[BarRows], count: usize, is_given: impl Fn(&BarRows, &NoteClasses) -> bool) -> Value {
    let (mut rows, mut targets, mut recall) = (Vec::new(), Vec::new(), Recall::default());
    for bar in bars {
        let end = if usize::try_from(bar.index).unwrap() + 1 == count { BarEnd::Piece } else { BarEnd::Bar };
        let (known, own): (Vec<_>, Vec<_>) = bar.notes.iter().partition(|note| is_given(bar, note));
        let (mut bar_rows, bar_targets) = align_given(&BarRows { notes: own, ..bar.clone() }, &known, end);
        let mut recalled = recall.begin(bar.index);
        recalled.fill_in(&mut bar_rows);
        recall.finish(recalled);
        rows.extend(bar_rows);
        targets.extend(bar_targets);
    }
    listed(&rows, &targets)
}

/// A piece with own roles, aligned from its first bar to its end: the others given first, interleaved by beat, or interleaved up to a tick of a bar.
fn aligned_own(bars: &[BarRows], own: OwnRoles, order: impl Fn(u32) -> GivenOrder) -> Value {
    let (mut rows, mut targets, mut recall) = (Vec::new(), Vec::new(), Recall::default());
    recall.set_own(own);
    let mut is_over = false;
    for bar in bars {
        let end = if usize::try_from(bar.index).unwrap() + 1 == bars.len() { BarEnd::Piece } else { BarEnd::Bar };
        let (bar, mut others) = own.partition(bar);
        let layout = Layout { own, given: order(bar.index) };
        if let GivenOrder::Planned(from) = layout.given {
            others.retain(|note| note.tick() < from);
        }
        if is_over {
            others.clear();
        }
        is_over |= matches!(layout.given, GivenOrder::Planned(_));
        let (mut bar_rows, bar_targets) = layout.align(&bar, &others, end);
        let mut recalled = recall.begin(bar.index);
        recalled.fill_in(&mut bar_rows);
        recall.finish(recalled);
        rows.extend(bar_rows);
        targets.extend(bar_targets);
    }
    listed(&rows, &targets)
}

/// The band with own roles, in each order.
fn cases_of_own_roles(bars: &[BarRows]) -> Vec<Value> {
    let case = |roles: &[Role], by_beat: bool, planned: Option<(u32, i64)>| {
        let own = OwnRoles::new(roles.iter().copied()).unwrap();
        let order = |bar: u32| match planned {
            Some((at, tick)) if at == bar => GivenOrder::Planned(Tick(tick)),
            _ if by_beat => GivenOrder::ByBeat,
            _ => GivenOrder::First,
        };
        let roles: Vec<u8> = roles.iter().copied().map(Role::class).collect();
        json!({ "piece": 0, "own": roles, "by_beat": by_beat, "planned": planned, "aligned": aligned_own(bars, own, order) })
    };
    let last = u32::try_from(bars.len()).unwrap() - 1;
    vec![
        case(&[Role::Bass], false, None),
        case(&[Role::Drums, Role::Bass], false, None),
        case(&[Role::Bass], true, None),
        case(&[Role::Bass, Role::Drums], true, None),
        case(&[Role::Bass], true, Some((last, 48))),
        case(&[Role::Drums], true, Some((last - 1, 24))),
        case(&[Role::Melody], true, Some((last, 0))),
    ]
}

/// A piece, so many `times` over, whose bars `gap` are filled last: aligned rows, and the bars that the engine attends to.
fn aligned_gap(piece: &[BarRows], times: usize, gap: Range<usize>) -> Value {
    let bars: Vec<BarRows> =
        std::iter::repeat_n(piece, times).flatten().zip(0..).map(|(bar, index)| BarRows { index, ..bar.clone() }).collect();
    let (far, first_far) = (bars.len() - gap.end, u32::try_from(gap.end).unwrap());
    let order = [&bars[..gap.start], &bars[gap.end..], &bars[gap.clone()]].concat();
    let model = Arc::new(common::tiny());
    let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
    let mut decoder = Decoder::new(model, policy, &prefix_rows(0, &[])).unwrap();
    let mut seen = Vec::new();
    for (place, bar) in order.iter().enumerate() {
        if place == gap.start {
            decoder.leave_gap(u32::try_from(gap.len()).unwrap()).unwrap();
        }
        if place == gap.start + far {
            decoder.fill().unwrap();
        }
        decoder.append_bar(bar).unwrap();
        let Selection::Bars(bars) = decoder.seen().clone() else { panic!("one choice for all layers") };
        seen.push(bars);
    }
    let aligned = aligned_bars(&order, bars.len(), |bar, _| bar.index >= first_far);
    json!({ "times": times, "bars": order.iter().map(|bar| bar.index).collect::<Vec<_>>(), "far": far, "aligned": aligned, "seen": seen })
}

/// All pieces of a corpus file aligned, without and with given notes, and a prefix.
fn aligned(bytes: &[u8]) -> Value {
    let pieces = pieces(bytes);
    // The band without the melody; one hand of two; a piece with all notes given, like the far side of a gap.
    let first_role = |piece: usize| pieces[piece].iter().flat_map(|bar| &bar.notes).map(|note| note.role).min().unwrap();
    let every_role: Vec<u8> = Role::ALL.map(Role::class).to_vec();
    let given = [(0, vec![Role::Bass.class(), Role::Drums.class()]), (1, vec![first_role(1)]), (2, every_role)];
    let given = given.map(|(piece, roles)| json!({ "piece": piece, "roles": roles, "aligned": aligned_piece(&pieces[piece], &roles) }));
    // Before the gaps of those that are repeated, the bars are those of the far side: evidence for the bars ahead.
    let gaps = [(1, 1, 3..5), (2, 4, 5..9), (0, 3, 6..9)].map(|(piece, times, gap)| {
        let mut case = aligned_gap(&pieces[piece], times, gap);
        case["piece"] = json!(piece);
        case
    });
    let roles = [Role::Melody, Role::Bass, Role::Drums];
    let prefix = prefix_rows(3, &roles);
    json!({
        "prefix": { "style": 3, "roles": roles.map(Role::class), "aligned": listed(&prefix, &vec![[-1; 8]; prefix.len()]) },
        "pieces": pieces.iter().map(|bars| aligned_piece(bars, &[])).collect::<Vec<_>>(),
        "given": given,
        "own": cases_of_own_roles(&pieces[0]),
        "gaps": gaps,
    })
}

#[test]
fn training_fixtures_are_what_this_codec_writes() {
    let written = tempfile::tempdir().unwrap();
    let clips = [("band/answer.mid", answer()), ("score/changes.mid", changes()), ("score/hymn.mid", hymn())];
    let mut files: Vec<(&str, Vec<u8>)> = clips.iter().map(|(name, clip)| (*name, smf::write(clip).unwrap())).collect();
    files.push(("split.csv", b"path,source,split\nscore/changes.mid,score,train\nscore/hymn.mid,score,valid\n".to_vec()));
    for (name, bytes) in &files {
        let path = written.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let (out, split) = (written.path().join("corpus.rows"), written.path().join("split.csv"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon-lab"));
    let output = command.arg("corpus").arg(written.path()).arg("-o").arg(&out).arg("--split").arg(&split).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows = std::fs::read(&out).unwrap();
    let mut text = serde_json::to_string(&aligned(&rows)).unwrap().into_bytes();
    text.push(b'\n');
    files.extend([("corpus.rows", rows), ("aligned.json", text)]);

    if std::env::var_os("ANTIPHON_WRITE_FIXTURES").is_some() {
        for (name, bytes) in &files {
            let path = fixtures().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    for (name, bytes) in &files {
        let committed = std::fs::read(fixtures().join(name)).unwrap_or_default();
        assert!(
            committed == *bytes,
            "fixtures/{name} is not what this code writes; rewrite it (see the head of this file) if that is meant"
        );
    }
}

/// `topk.json` is written by the training package (`tests/test_topk.py`), which selects over whole sequences.
#[test]
fn top_k_selects_the_same_bars_as_training() {
    let written: Value = serde_json::from_slice(&std::fs::read(fixtures().join("topk.json")).unwrap()).unwrap();
    let once = pieces(&std::fs::read(fixtures().join("corpus.rows")).unwrap()).concat();
    let music = once.iter().chain(&once).zip(0..).map(|(bar, index)| BarRows { index, ..bar.clone() });
    let prefix = prefix_rows(3, &[Role::Melody, Role::Bass, Role::Drums]);
    let bars = u32::try_from(written["bars"].as_u64().unwrap()).unwrap();
    let mut decoder = Decoder::new(Arc::new(common::tiny()), Arc::new(TopK { bars }), &prefix).unwrap();
    let mut choices = Vec::new();
    for bar in music {
        decoder.append_bar(&bar).unwrap();
        let Selection::ByLayer(mut layers) = decoder.seen().clone() else { panic!("each layer chooses") };
        layers.iter_mut().for_each(|layer| layer.sort_unstable());
        choices.push(layers);
    }
    assert!(choices.len() > 20 && choices.iter().any(|layers| layers[0] != layers[1]));
    assert_eq!(json!(choices), written["chosen"]);
}
