//! `antiphon accompany` as its users see it.

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
fn accompany(input: &Path, out: &Path, arguments: &[&str]) -> (Value, Clip) {
    let report = report(&run("accompany", &[&[text(input), "-o", text(out), "--json"], arguments].concat()));
    (report, clip(out))
}

fn notes(clip: &Clip, roles: &[Role]) -> (Vec<Note>, Vec<Note>) {
    clip.notes().into_iter().partition(|note| roles.contains(&note.role))
}

#[test]
fn roles_are_added_and_all_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let source = clip(&demo("pop.mid"));
    let (report, made) = accompany(&demo("pop.mid"), &out, &["--roles", "drums,bass", "--seed", "4", "--adventurousness", "1"]);
    let ((none, before), (new, after)) = (notes(&source, &[Role::Bass, Role::Drums]), notes(&made, &[Role::Bass, Role::Drums]));
    assert!(none.is_empty() && new.len() > 8, "{new:?}");
    assert_eq!(before, after);
    assert_eq!((made.end, &made.metres, &made.tempos), (source.end, &source.metres, &source.tempos));
    assert!(new.iter().all(|note| note.end() <= source.end));
    assert_eq!(made.parts.len(), source.parts.len() + 2, "each has a track of its own");
    let bass = notes(&made, &[Role::Bass]).0;
    assert!(bass.windows(2).all(|pair| pair[0].onset < pair[1].onset), "a bass that is new plays one note at a time");
    assert_eq!((&report["roles"], &report["first_bar"], &report["bars"]), (&json!(["drums", "bass"]), &json!(1), &json!(16)));
    assert!(report["notes"].as_u64().unwrap() >= u64::try_from(new.len()).unwrap(), "a key struck twice at once is one note");
}

#[test]
fn roles_that_the_file_has_are_rewritten_in_their_tracks() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let source = clip(&demo("band.mid"));
    let (_, made) = accompany(&demo("band.mid"), &out, &["--roles", "bass", "--seed", "4", "--adventurousness", "1"]);
    let ((old, before), (new, after)) = (notes(&source, &[Role::Bass]), notes(&made, &[Role::Bass]));
    assert_eq!(before, after);
    assert!(old != new && !new.is_empty());
    assert_eq!(made.parts.len(), source.parts.len());
    // It keeps to where the bass was, a fourth more at both ends.
    let (low, high) = (old.iter().map(|note| note.pitch).min().unwrap(), old.iter().map(|note| note.pitch).max().unwrap());
    assert!(new.iter().all(|note| (low - 5..=high + 5).contains(&note.pitch)), "{new:?}");
}

/// Whatever the weights: these are of chance.
#[test]
fn new_bass_lies_below_the_chords_plays_one_note_at_a_time_and_begins_with_them() {
    let note =
        |onset: i64, length: i64, pitch, role| Note { onset: Tick(onset), offset: 0, duration: Tick(length), pitch, velocity: 80, role };
    let roots = [60, 57, 53, 55];
    let chord = |bar: i64| {
        let root = roots[usize::try_from(bar % 4).unwrap()];
        [0, 4, 7].map(|above| note(96 * bar, 96, root - 12 + above, Role::Chords))
    };
    let chords: Vec<Note> = (0..16).flat_map(chord).collect();
    let melody = (0..64).map(|beat| note(24 * beat, 24, 72 + u8::try_from(beat % 5).unwrap(), Role::Melody)).collect();
    let part = |name: &str, channel, notes| Part { name: name.into(), channel, notes, ..Part::default() };
    let clip = Clip { parts: vec![part("Melody", 0, melody), part("Chords", 1, chords.clone())], end: Tick(96 * 16), ..Clip::default() };
    let (folder, path) = source(&clip);
    for seed in ["1", "2", "3"] {
        let (_, made) = accompany(&path, &folder.path().join("out.mid"), &["--roles", "bass", "--seed", seed, "--adventurousness", "1"]);
        let bass = notes(&made, &[Role::Bass]).0;
        for note in &bass {
            let lowest = chords.iter().filter(|chord| chord.onset <= note.onset && note.onset < chord.end()).map(|chord| chord.pitch).min();
            assert!(note.pitch < lowest.unwrap() && note.pitch >= 28, "{note:?} under {lowest:?}");
        }
        assert!(bass.windows(2).all(|pair| pair[0].onset < pair[1].onset && pair[0].end() <= pair[1].onset), "two notes at a time");
        for bar in made.metres.bars(made.end).step_by(2) {
            let two = bar.start..bar.end() + bar.length;
            assert!(bass.iter().any(|note| two.contains(&note.onset)), "seed {seed}: silent from bar {} on", bar.index + 1);
        }
        assert!(bass.first().is_some_and(|note| note.onset < Tick(96)), "the first bar is silent");
    }
}

#[test]
fn same_seed_gives_the_same_bytes_and_the_known_notes_matter() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, input: &Path, seed: &str| {
        let out = folder.path().join(name);
        accompany(input, &out, &["--roles", "bass", "--seed", seed, "--adventurousness", "1", "--key", "C"]);
        std::fs::read(&out).map(|bytes| (bytes, notes(&clip(&out), &[Role::Bass]).0)).unwrap()
    };
    let pop = demo("pop.mid");
    let first = written("a.mid", &pop, "5");
    assert_eq!(first, written("b.mid", &pop, "5"));
    assert_ne!(first.1, written("c.mid", &pop, "6").1);
    let mut other = clip(&pop);
    other.parts.iter_mut().flat_map(|part| &mut part.notes).for_each(|note| note.pitch += 3);
    let (_folder, path) = source(&other);
    assert_ne!(first.1, written("d.mid", &path, "5").1);
}

/// The second role depends on the first.
#[test]
fn roles_play_in_the_order_in_which_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let played = |roles: &str, role: Role| {
        let (_, made) = accompany(&demo("pop.mid"), &out, &["--roles", roles, "--seed", "4", "--adventurousness", "1", "--key", "C"]);
        notes(&made, &[role]).0
    };
    assert_eq!(played("bass", Role::Bass), played("bass,bass", Role::Bass));
    assert_ne!(played("drums,bass", Role::Bass), played("bass,drums", Role::Bass));
}

#[test]
fn accompaniment_works_under_every_policy() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    for policy in ["fine_coarse", "summaries", "window:8", "strided:4", "fixed:4,1", "topk:3", "lsh", "kmeans:4", "dense"] {
        accompany(&demo("waltz.mid"), &out, &["--roles", "strings", "--seed", "2", "--policy", policy]);
    }
}

#[test]
fn steering_is_obeyed_by_every_note() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let limits = ["--roles", "lead", "--register", "c4:c5", "--key", "D major", "--scale-lock", "--seed", "3", "--adventurousness", "1"];
    let (_, made) = accompany(&demo("pop.mid"), &out, &limits);
    let lead = notes(&made, &[Role::Lead]).0;
    assert!(!lead.is_empty());
    assert!(lead.iter().all(|note| (60..=72).contains(&note.pitch) && [2, 4, 6, 7, 9, 11, 1].contains(&(note.pitch % 12))), "{lead:?}");
}

#[test]
fn built_in_model_plays_along() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    let output = shipped("accompany", &[text(&demo("pop.mid")), "--roles", "bass,drums", "-o", text(&out), "--seed", "1", "--json"]);
    assert!(report(&output)["model"].as_str().unwrap().starts_with("antiphon"));
    let made = clip(&out);
    for role in [Role::Drums, Role::Bass] {
        let own = notes(&made, &[role]).0;
        let played = made.metres.bars(made.end).filter(|bar| own.iter().any(|note| (bar.start..bar.end()).contains(&note.onset))).count();
        assert!(played >= 4, "{} plays in {played} of 16 bars", role.name());
    }
}

#[test]
fn file_that_cannot_be_accompanied_is_refused_with_a_cure() {
    let pop = demo("pop.mid");
    let note = Note { onset: Tick(96), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
    let (_folder, keys) = source(&Clip { parts: vec![Part { notes: vec![note], ..Part::default() }], end: Tick(192), ..Clip::default() });
    let (_other, silent) = source(&Clip { end: Tick(96), ..Clip::default() });
    let cases: [(&[&str], &[&str]); 5] = [
        (&[text(&pop)], &["--roles"]),
        (&[text(&pop), "--roles", "kazoo"], &["--roles", "low-strings"]),
        (&[text(&keys), "--roles", "keys,bass"], &["source.mid", "keys", "--roles"]),
        (&[text(&silent), "--roles", "keys"], &["source.mid", "no note"]),
        (&["absent.mid", "--roles", "bass"], &["absent.mid"]),
    ];
    for (arguments, says) in cases {
        let message = refusal("accompany", arguments);
        assert!(says.iter().all(|word| message.contains(word)), "{arguments:?}: {message}");
    }
}
