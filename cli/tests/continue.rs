//! `antiphon continue` as its users see it, with a tiny model of random weights: what it writes is no music, but keeps every promise.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Part, Role, Tempo, TempoMap, Tick};
use program::{clip, demo, names, refusal, report, run, shipped, source, text};
use serde_json::Value;

/// What a run that must succeed says.
fn continued(arguments: &[&str]) -> Value {
    report(&run("continue", &[arguments, &["--json"]].concat()))
}

fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
}

/// Metres change, the last bar is in 7/8, and the last note ends in its middle; the tempo has changed, and a part has fallen silent.
fn changing() -> Clip {
    let metre = |numerator, denominator| Metre::new(numerator, denominator).unwrap();
    let tune: Vec<Note> = (0..14).map(|n| note(12 * n, 12, u8::try_from(60 + (n * 5) % 12).unwrap(), Role::Keys)).collect();
    Clip {
        parts: vec![
            Part { name: "Celesta".into(), channel: 3, program: Some(8), notes: tune, ..Part::default() },
            Part { name: "Timpani".into(), channel: 5, program: Some(47), notes: vec![note(0, 24, 41, Role::Other)], ..Part::default() },
        ],
        metres: MetreMap::new([(Tick::ZERO, metre(3, 4)), (Tick(72), metre(7, 8))]),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(100.0).unwrap()), (Tick(80), Tempo::from_bpm(72.0).unwrap())]),
        end: Tick(240),
    }
}

#[test]
fn continuation_starts_on_the_bar_line_after_the_last_note_and_is_whole_bars_long() {
    let (folder, path) = source(&changing());
    let out = folder.path().join("out");
    let report = continued(&[text(&path), "-o", text(&out), "--bars", "3", "--variations", "3", "--seed", "5", "--adventurousness", "1"]);
    // 3/4, then 7/8 from tick 72 on: the last note ends at 168, inside the third bar.
    let mut notes = 0;
    for file in report["files"].as_array().unwrap() {
        assert_eq!((&file["start_bar"], &file["bars"]), (&4.into(), &3.into()));
        let clip = clip(Path::new(file["path"].as_str().unwrap()));
        assert_eq!(clip.end, Tick(3 * 84), "three bars of 7/8");
        assert_eq!(clip.metres.changes(), [(Tick::ZERO, Metre::new(7, 8).unwrap())]);
        assert_eq!(clip.tempos.changes().len(), 1);
        assert!((clip.tempos.at(Tick::ZERO).bpm() - 72.0).abs() < 1e-3);
        let parts: Vec<_> = clip.parts.iter().map(|part| (part.name.as_str(), part.channel, part.program)).collect();
        assert_eq!(parts[..2], [("Celesta", 3, Some(8)), ("Timpani", 5, Some(47))]);
        assert!(clip.notes().iter().all(|note| note.onset >= Tick::ZERO && note.end() <= clip.end), "{:?}", clip.notes());
        assert_eq!(clip.note_count(), usize::try_from(file["notes"].as_u64().unwrap()).unwrap());
        notes += clip.note_count();
    }
    assert!(notes > 0, "the three together have to have a note, or this shows nothing");
}

#[test]
fn music_whose_last_chord_rings_for_ten_bars_goes_on_from_its_first_bar() {
    let tune = (0..32).map(|n| note(24 * n, 24, u8::try_from(60 + (n * 5) % 12).unwrap(), Role::Keys));
    let last = [48, 60, 64, 67].map(|pitch| note(96 * 8, 96 * 10, pitch, Role::Keys));
    let keys = Part { name: "Piano".into(), notes: tune.chain(last).collect(), ..Part::default() };
    let (folder, path) = source(&Clip { parts: vec![keys], end: Tick(96 * 18), ..Clip::default() });
    let out = folder.path().join("out");
    let report = continued(&[text(&path), "-o", text(&out), "-k", "3", "--seed", "1"]);
    assert_eq!(report["roles"], serde_json::json!(["keys"]));
    for file in report["files"].as_array().unwrap() {
        let clip = clip(Path::new(file["path"].as_str().unwrap()));
        assert_eq!(file["start_bar"], 19);
        assert!(clip.first_onset().is_some_and(|onset| onset < Tick(96)), "{:?}", clip.notes());
    }
}

/// Eight bars of a band, twice: conditioned to repeat them, the model does so note for note.
fn repetitive() -> Clip {
    let tune =
        [72, 74, 76, 79, 79, 76, 74, 72, 71, 74, 77, 74, 76, 72, 69, 67, 69, 72, 77, 76, 74, 77, 81, 79, 77, 76, 74, 71, 72, 76, 74, 72];
    let roots: [u8; 8] = [60, 57, 53, 55, 60, 62, 55, 60];
    let melody = (0..64).zip(tune.into_iter().cycle()).map(|(beat, pitch)| note(24 * beat, 24, pitch, Role::Melody)).collect();
    let bars = || (0..16).map(|bar| 96 * bar).zip(roots.into_iter().cycle());
    let chord = |(start, root): (i64, u8)| {
        let third = if [57, 62].contains(&root) { 3 } else { 4 };
        [0, third, 7].map(|above| note(start, 96, root - 12 + above, Role::Chords))
    };
    let bass = |(start, root): (i64, u8)| [0, 24, 48, 72].map(|beat| note(start + beat, 24, root - 24, Role::Bass));
    let hat = (0..128).map(|eighth| note(12 * eighth, 6, 42, Role::Drums));
    let beat = (0..64).map(|beat| note(24 * beat, 6, if beat % 2 == 0 { 36 } else { 38 }, Role::Drums));
    let part = |name: &str, channel, program, mut notes: Vec<Note>| {
        notes.sort_by_key(Note::order);
        Part { name: name.into(), channel, program, notes, ..Part::default() }
    };
    let parts = vec![
        part("Melody", 0, Some(73), melody),
        part("Chords", 1, Some(4), bars().flat_map(chord).collect()),
        part("Bass", 2, Some(33), bars().flat_map(bass).collect()),
        part("Drums", 9, None, hat.chain(beat).collect()),
    ];
    Clip { parts, end: Tick(96 * 16), ..Clip::default() }
}

#[test]
fn variations_of_repetitive_music_differ_in_what_they_strike() {
    let (folder, path) = source(&repetitive());
    let out = folder.path().join("out");
    let output = shipped("continue", &[text(&path), "-o", text(&out), "-k", "4", "--seed", "1", "--json"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let struck = |file: &Value| {
        let notes = clip(Path::new(file["path"].as_str().unwrap())).notes();
        notes.iter().map(|note| (note.onset, note.role, note.pitch)).collect::<Vec<_>>()
    };
    let variations: std::collections::BTreeSet<_> = report["files"].as_array().unwrap().iter().map(struck).collect();
    assert_eq!(variations.len(), 4);
}

#[test]
fn drums_are_known_on_any_channel_and_parts_can_be_cast() {
    let beat = || (0..16).flat_map(|n| [note(24 * n, 6, 42, Role::Other), note(24 * n, 6, if n % 2 == 0 { 36 } else { 38 }, Role::Other)]);
    let played = |name: &str, program, more: &[&str]| {
        let drums = Part { name: name.into(), program, notes: beat().collect(), ..Part::default() };
        let keys =
            Part { name: "Keys".into(), channel: 1, notes: (0..8).map(|n| note(48 * n, 48, 60, Role::Other)).collect(), ..Part::default() };
        let (folder, path) = source(&Clip { parts: vec![drums, keys], end: Tick(384), ..Clip::default() });
        let out = folder.path().join("out");
        continued(&[&[text(&path), "-o", text(&out), "--bars", "1", "--seed", "1"], more].concat())["roles"].clone()
    };
    assert_eq!(played("Drums", Some(0), &[]), serde_json::json!(["drums", "keys"]));
    assert_eq!(played("", None, &[]), serde_json::json!(["drums", "keys"]), "by the keys of a kit");
    assert_eq!(played("Beat", Some(118), &[]), serde_json::json!(["keys", "other"]));
    assert_eq!(played("Beat", Some(118), &["--roles", "Beat=drums"]), serde_json::json!(["drums", "keys"]));
    assert_eq!(played("Beat", Some(118), &["--roles", "Beat=drums,drums"]), serde_json::json!(["drums"]));
    let message = refusal("continue", &[text(&demo("pop.mid")), "--roles", "Beat=drums"]);
    assert!(message.contains("no part named Beat") && message.contains("Melody"), "{message}");
}

#[test]
fn demo_clips_can_be_continued_and_drawn() {
    for name in ["pop.mid", "band.mid", "waltz.mid"] {
        let out = tempfile::tempdir().unwrap();
        let report = continued(&[text(&demo(name)), "-o", text(out.path()), "--bars", "2", "--seed", "3", "--picture"]);
        assert_eq!(report["files"][0]["start_bar"], 17, "{name}");
        let stem = name.trim_end_matches(".mid");
        assert_eq!(names(out.path()), [format!("{stem}-seed3.mid"), format!("{stem}-seed3.png")]);
        let png = fs::read(report["files"][0]["picture"].as_str().unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    }
}

#[test]
fn same_seed_gives_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let written = |folder: &str, bars: &str, variations: &str, seed: &str| {
        let folder = out.path().join(folder);
        continued(&[
            text(&demo("band.mid")),
            "-o",
            text(&folder),
            "--bars",
            bars,
            "-k",
            variations,
            "--seed",
            seed,
            "--adventurousness",
            "1",
        ]);
        names(&folder).into_iter().map(|name| (fs::read(folder.join(&name)).unwrap(), name)).collect::<Vec<_>>()
    };
    // Few bars are taken back between variations, many are begun again from the context.
    for bars in ["2", "13"] {
        let both = written(&format!("both-{bars}"), bars, "2", "8");
        assert_eq!(both, written(&format!("again-{bars}"), bars, "2", "8"));
        assert_ne!(both[0].0, both[1].0, "another seed has to give other notes");
        assert_eq!(both[1..], written(&format!("alone-{bars}"), bars, "1", "9"), "a variation does not depend on those before it");
    }
}

#[test]
fn seed_that_was_chosen_gives_the_same_notes_again() {
    let out = tempfile::tempdir().unwrap();
    let (first, second) = (out.path().join("first"), out.path().join("second"));
    let drawn = continued(&[text(&demo("pop.mid")), "-o", text(&first), "--bars", "2"]);
    let seed = drawn["seed"].to_string();
    continued(&[text(&demo("pop.mid")), "-o", text(&second), "--bars", "2", "--seed", &seed]);
    let name = format!("pop-seed{seed}.mid");
    assert_eq!(fs::read(first.join(&name)).unwrap(), fs::read(second.join(&name)).unwrap());
}

#[test]
fn report_is_one_json_object_with_stable_keys() {
    let out = tempfile::tempdir().unwrap();
    let report = continued(&[text(&demo("pop.mid")), "-o", text(out.path()), "--bars", "2", "--seed", "7"]);
    let file = &report["files"][0];
    assert_eq!(file["path"], text(&out.path().join("pop-seed7.mid")));
    assert!(file["notes"].is_u64() && file["start_bar"] == 17 && file["bars"] == 2 && file["seed"] == 7);
    assert!(report["ms_per_note"].is_f64() && report["seed"] == 7 && report["model"].is_string());
    assert_eq!(report["roles"], serde_json::json!(["melody", "keys"]));

    let table = run("continue", &[text(&demo("pop.mid")), "-o", text(out.path()), "--bars", "2", "--seed", "7"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("17-18") && table.contains("pop-seed7.mid"), "{table}");
}

#[test]
fn steering_is_obeyed_by_every_note() {
    let out = tempfile::tempdir().unwrap();
    let steer = |arguments: &[&str]| {
        let common = [text(&demo("band.mid")), "-o", text(out.path()), "--bars", "4", "-k", "3", "--seed", "1", "--adventurousness", "1"]
            .map(String::from);
        let report = continued(&common.iter().map(String::as_str).chain(arguments.iter().copied()).collect::<Vec<_>>());
        let read = |file: &Value| clip(Path::new(file["path"].as_str().unwrap())).notes();
        let notes: Vec<Note> = report["files"].as_array().unwrap().iter().flat_map(read).collect();
        assert!(!notes.is_empty(), "{arguments:?} made nothing");
        notes
    };
    assert!(steer(&["--roles", "drums"]).iter().all(|note| note.role == Role::Drums));
    let roles: Vec<_> = steer(&["--roles", "bass,keys"]).iter().map(|note| note.role).collect();
    assert!(roles.iter().all(|role| [Role::Bass, Role::Keys].contains(role)), "{roles:?}");
    let pitches: Vec<_> = steer(&["--roles", "lead,keys", "--register", "c4:60"]).iter().map(|note| note.pitch).collect();
    assert!(pitches.iter().all(|pitch| *pitch == 60), "{pitches:?}");
    let pitches: Vec<_> = steer(&["--roles", "lead,keys", "--key", "C# major", "--scale-lock"]).iter().map(|note| note.pitch).collect();
    assert!(pitches.iter().all(|pitch| [1, 3, 5, 6, 8, 10, 0].contains(&(pitch % 12))), "{pitches:?}");
}

#[test]
fn help_names_every_role_and_shows_examples() {
    let help = String::from_utf8(run("continue", &["--help"]).stdout).unwrap();
    let words: Vec<_> = help.split(|c: char| c.is_whitespace() || c == ',' || c == '.').collect();
    for role in Role::ALL {
        assert!(words.contains(&role.name().replace(' ', "-").as_str()), "{}", role.name());
    }
    assert!(help.contains("Examples:"));
}

#[test]
fn continuation_works_under_every_policy() {
    let out = tempfile::tempdir().unwrap();
    for policy in ["fine_coarse", "summaries", "window:8", "strided:4", "fixed:4,1", "topk:3", "lsh", "kmeans:4", "dense"] {
        continued(&[text(&demo("waltz.mid")), "-o", text(out.path()), "--bars", "1", "--seed", "2", "--policy", policy]);
    }
}

#[test]
fn built_in_model_continues_a_band() {
    let out = tempfile::tempdir().unwrap();
    let output = shipped("continue", &[text(&demo("band.mid")), "-o", text(out.path()), "--bars", "4", "--seed", "1", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["model"].as_str().unwrap().starts_with("antiphon"), "{report}");
    let clip = clip(Path::new(report["files"][0]["path"].as_str().unwrap()));
    // The band keeps playing: every bar has notes, drums and bass among them.
    for bar in clip.metres.bars(clip.end) {
        assert!(clip.notes().iter().any(|note| (bar.start..bar.end()).contains(&note.onset)), "bar {} is silent", bar.index + 1);
    }
    for role in [Role::Drums, Role::Bass] {
        assert!(clip.notes().iter().any(|note| note.role == role), "no {}", role.name());
    }
}
