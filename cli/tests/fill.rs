//! `antiphon fill` as its users see it.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::path::Path;

use antiphon_engine::music::{Clip, Note, Part, Role, Tick};
use program::{clip, demo, refusal, report, run, shipped, source, text};
use serde_json::{Value, json};

/// What a run that must succeed says, and what it has written.
fn fill(input: &Path, out: &Path, arguments: &[&str]) -> (Value, Clip) {
    let report = report(&run("fill", &[&[text(input), "-o", text(out), "--json"], arguments].concat()));
    (report, clip(out))
}

/// The notes that start in these bars, counted from 1, and the others.
fn parted(clip: &Clip, first: u32, last: u32) -> (Vec<Note>, Vec<Note>) {
    let (from, until) = (clip.metres.bar(first - 1).start, clip.metres.bar(last).start);
    clip.notes().into_iter().partition(|note| (from..until).contains(&note.onset))
}

#[test]
fn filled_bars_are_the_only_ones_that_change() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bars) in [("pop.mid", (5, 8)), ("band.mid", (1, 2)), ("waltz.mid", (16, 16))] {
        let out = folder.path().join(name);
        let span = format!("{}..{}", bars.0, bars.1);
        let (report, filled) = fill(&demo(name), &out, &["--bars", &span, "--seed", "3", "--adventurousness", "1"]);
        let before = clip(&demo(name));
        let ((old, outside), (new, still)) = (parted(&before, bars.0, bars.1), parted(&filled, bars.0, bars.1));
        // What rings into the bars may be cut short by a new note on its key.
        let starts = |notes: &[Note]| notes.iter().map(|note| (note.onset, note.role, note.pitch, note.velocity)).collect::<Vec<_>>();
        assert_eq!(starts(&outside), starts(&still), "{name}");
        assert_ne!(old, new, "{name}");
        let end = before.metres.bar(bars.1).start;
        assert!(new.iter().all(|note| note.end() <= end), "{name}: {new:?}");
        assert_eq!((filled.end, &filled.metres, &filled.tempos), (before.end, &before.metres, &before.tempos));
        let parts = |clip: &Clip| clip.parts.iter().map(|part| (part.name.clone(), part.channel, part.program)).collect::<Vec<_>>();
        assert_eq!(parts(&filled)[..before.parts.len()], parts(&before));
        assert_eq!((&report["first_bar"], &report["bars"]), (&json!(bars.0), &json!(bars.1 - bars.0 + 1)));
        assert!(report["notes"].is_u64() && report["seed"] == 3 && report["model"].is_string() && report["path"] == text(&out));
    }
}

#[test]
fn opening_bars_begin_with_notes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    for (name, seed) in [("pop.mid", "3"), ("band.mid", "3"), ("waltz.mid", "4")] {
        let output = shipped("fill", &[text(&demo(name)), "--bars", "1..4", "-o", text(&out), "--seed", seed, "--json"]);
        assert!(report(&output)["notes"].as_u64().unwrap() > 0, "{name}");
        let (source, filled) = (clip(&demo(name)), clip(&out));
        let first_bar = |clip: &Clip| clip.notes().iter().filter(|note| note.onset < source.metres.bar(1).start).count();
        assert!(first_bar(&filled) > 0, "{name}: nothing in the first bar");
        // Roughly as much as what follows has, not a stray note.
        let count = |clip: &Clip, bars: (u32, u32)| parted(clip, bars.0, bars.1).0.len();
        assert!(4 * count(&filled, (1, 4)) >= count(&source, (5, 8)), "{name}: {} notes", count(&filled, (1, 4)));
    }
}

#[test]
fn roles_that_were_not_requested_stay_in_the_bars() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let mut drums = 0;
    for seed in ["1", "2", "3"] {
        let (_, filled) = fill(&demo("band.mid"), &out, &["--bars", "5..8", "--roles", "drums", "--seed", seed, "--adventurousness", "1"]);
        let ((old, _), (new, _)) = (parted(&clip(&demo("band.mid")), 5, 8), parted(&filled, 5, 8));
        let of = |notes: &[Note], drums| notes.iter().filter(|note| (note.role == Role::Drums) == drums).copied().collect::<Vec<_>>();
        assert_eq!(of(&old, false), of(&new, false));
        assert_ne!(of(&old, true), of(&new, true));
        drums += of(&new, true).len();
    }
    assert!(drums > 0, "the three together have to have a note, or this shows nothing");
}

#[test]
fn same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, seed: &str, input: &str| {
        let out = folder.path().join(name);
        fill(&demo(input), &out, &["--bars", "7..9", "--seed", seed, "--adventurousness", "1"]);
        std::fs::read(out).unwrap()
    };
    let first = written("a.mid", "5", "band.mid");
    assert_eq!(first, written("b.mid", "5", "band.mid"));
    assert_ne!(first, written("c.mid", "6", "band.mid"));
}

/// Otherwise it would be a continuation.
#[test]
fn filled_bars_depend_on_what_follows_them() {
    let (_folder, path) = source(&clip(&demo("band.mid")));
    let filled = |clip: &Clip, name: &str| {
        let (folder, path) = source(clip);
        let out = folder.path().join(name);
        parted(&fill(&path, &out, &["--bars", "9..10", "--seed", "5", "--adventurousness", "1", "--free", "--key", "C"]).1, 9, 10).0
    };
    let whole = clip(&path);
    let mut other = whole.clone();
    let after = whole.metres.bar(10).start;
    other
        .parts
        .iter_mut()
        .flat_map(|part| &mut part.notes)
        .filter(|note| note.onset >= after && note.role != Role::Drums)
        .for_each(|note| note.pitch += 7);
    assert_ne!(filled(&whole, "a.mid"), filled(&other, "b.mid"));
}

#[test]
fn gap_is_filled_under_every_policy_but_those_that_go_by_succession() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    for policy in ["fine_coarse", "summaries", "window:8", "strided:4", "fixed:4,1", "topk:3", "dense"] {
        fill(&demo("waltz.mid"), &out, &["--bars", "8", "--seed", "2", "--policy", policy]);
    }
    for policy in ["lsh:16", "kmeans:4"] {
        let message = refusal("fill", &[text(&demo("waltz.mid")), "--bars", "8", "--policy", policy]);
        assert!(message.contains(policy) && message.contains("--policy") && message.contains("fine_coarse"), "{message}");
    }
}

#[test]
fn built_in_model_fills_a_band() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let output = shipped("fill", &[text(&demo("band.mid")), "--bars", "7..10", "-o", text(&out), "--seed", "1", "--json"]);
    assert!(report(&output)["model"].as_str().unwrap().starts_with("antiphon"));
    let filled = clip(&out);
    let (new, _) = parted(&filled, 7, 10);
    for bar in filled.metres.bars(filled.metres.bar(10).start).skip(6) {
        assert!(new.iter().any(|note| (bar.start..bar.end()).contains(&note.onset)), "bar {} is silent", bar.index + 1);
    }
    for role in [Role::Drums, Role::Bass] {
        assert!(new.iter().any(|note| note.role == role), "no {}", role.name());
    }
}

#[test]
fn other_seed_fills_repetitive_music_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    for (name, (first, last)) in [("pop.mid", (9, 12)), ("band.mid", (5, 6)), ("waltz.mid", (5, 6))] {
        let keys = |seed: &str| {
            let (out, span) = (folder.path().join(name), format!("{first}..{last}"));
            report(&shipped("fill", &[text(&demo(name)), "--bars", &span, "-o", text(&out), "--seed", seed, "--json"]));
            let (new, _) = parted(&clip(&out), first, last);
            new.into_iter().map(|note| (note.onset, note.pitch)).collect::<Vec<_>>()
        };
        assert_ne!(keys("1"), keys("2"), "{name}");
    }
}

#[test]
fn bars_that_cannot_be_filled_are_refused_with_a_cure() {
    let pop = demo("pop.mid");
    let note = |bar: i64| Note { onset: Tick(96 * bar), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
    let lone = Clip { parts: vec![Part { notes: vec![note(2)], ..Part::default() }], end: Tick(96 * 40), ..Clip::default() };
    let (_folder, lone) = source(&lone);
    let cases: [(&[&str], &[&str]); 8] = [
        (&[text(&pop), "--bars", "17..20"], &["pop.mid", "16 bars", "--bars", "antiphon continue"]),
        (&[text(&pop), "--bars", "8..5"], &["--bars", "swap"]),
        (&[text(&pop), "--bars", "0..5"], &["--bars", "17..20"]),
        (&[text(&pop), "--bars", "chorus"], &["--bars", "17..20"]),
        (&[text(&pop), "--bars", "1..400"], &["--bars", "64"]),
        (&[text(&pop), "--bars", "1..16"], &["pop.mid", "no note", "--bars"]),
        (&[text(&lone), "--bars", "20..21"], &["source.mid", "--roles"]),
        (&["absent.mid", "--bars", "2"], &["absent.mid"]),
    ];
    for (arguments, says) in cases {
        let message = refusal("fill", arguments);
        assert!(says.iter().all(|word| message.contains(word)), "{arguments:?}: {message}");
    }
    let nowhere = run("fill", &[text(&pop), "--bars", "2", "-o", "no/such/folder/out.mid"]);
    assert!(nowhere.status.code() == Some(2) && String::from_utf8_lossy(&nowhere.stderr).contains("--output"));
}
