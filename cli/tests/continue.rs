//! `antiphon continue` as its users see it, with a tiny model of random weights: what it writes is no music, but keeps every promise.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Part, Role, Tempo, TempoMap, Tick, smf};
use common::tiny_without_queries;
use serde_json::Value;
use tempfile::TempDir;

/// The command with the tiny model, unless `arguments` name another.
fn run(arguments: &[&str]) -> Output {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/fixtures/tiny.onnx");
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.arg("continue").args(arguments);
    if !arguments.contains(&"--model") {
        command.arg("--model").arg(model);
    }
    command.output().unwrap()
}

/// A run that must succeed, and its report.
fn report(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
}

/// The clip as a file in a folder of its own, and an output folder that is not there yet.
fn source(clip: &Clip) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("source.mid");
    smf::write_file(clip, &path).unwrap();
    let out = folder.path().join("out");
    (folder, path, out)
}

/// Metres change, the last bar is in 7/8, and the last note ends in its middle; the tempo has changed, and a part has fallen silent.
fn changing() -> Clip {
    let metre = |numerator, denominator| Metre::new(numerator, denominator).unwrap();
    let tune: Vec<Note> = (0..14).map(|n| note(12 * n, 12, u8::try_from(60 + (n * 5) % 12).unwrap(), Role::Keys)).collect();
    Clip {
        parts: vec![
            Part { name: "Celesta".into(), channel: 3, programme: Some(8), notes: tune, ..Part::default() },
            Part { name: "Timpani".into(), channel: 5, programme: Some(47), notes: vec![note(0, 24, 41, Role::Other)], ..Part::default() },
        ],
        metres: MetreMap::new([(Tick::ZERO, metre(3, 4)), (Tick(72), metre(7, 8))]),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(100.0).unwrap()), (Tick(80), Tempo::from_bpm(72.0).unwrap())]),
        end: Tick(240),
    }
}

#[test]
fn continuation_starts_on_the_bar_line_after_the_last_note_and_is_whole_bars_long() {
    let (_folder, path, out) = source(&changing());
    let report = report(&[text(&path), "-o", text(&out), "--bars", "3", "--variations", "3", "--seed", "5", "--adventurousness", "1"]);
    // 3/4, then 7/8 from tick 72 on: the last note ends at 168, inside the third bar.
    let mut notes = 0;
    for file in report["files"].as_array().unwrap() {
        assert_eq!((&file["start_bar"], &file["bars"]), (&4.into(), &3.into()));
        let clip = smf::read_file(Path::new(file["path"].as_str().unwrap())).unwrap().clip;
        assert_eq!(clip.end, Tick(3 * 84), "three bars of 7/8");
        assert_eq!(clip.metres.changes(), [(Tick::ZERO, Metre::new(7, 8).unwrap())]);
        assert_eq!(clip.tempos.changes().len(), 1);
        assert!((clip.tempos.at(Tick::ZERO).bpm() - 72.0).abs() < 1e-3);
        let parts: Vec<_> = clip.parts.iter().map(|part| (part.name.as_str(), part.channel, part.programme)).collect();
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
    let (_folder, path, out) = source(&Clip { parts: vec![keys], end: Tick(96 * 18), ..Clip::default() });
    let report = report(&[text(&path), "-o", text(&out), "-k", "3", "--seed", "1"]);
    assert_eq!(report["roles"], serde_json::json!(["keys"]));
    for file in report["files"].as_array().unwrap() {
        let clip = smf::read_file(Path::new(file["path"].as_str().unwrap())).unwrap().clip;
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
    let part = |name: &str, channel, programme, mut notes: Vec<Note>| {
        notes.sort_by_key(Note::order);
        Part { name: name.into(), channel, programme, notes, ..Part::default() }
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
    let (_folder, path, out) = source(&repetitive());
    let output = Command::new(env!("CARGO_BIN_EXE_antiphon"))
        .args(["continue", text(&path), "-o", text(&out), "-k", "4", "--seed", "1", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let struck = |file: &Value| {
        let notes = smf::read_file(Path::new(file["path"].as_str().unwrap())).unwrap().clip.notes();
        notes.iter().map(|note| (note.onset, note.role, note.pitch)).collect::<Vec<_>>()
    };
    let variations: std::collections::BTreeSet<_> = report["files"].as_array().unwrap().iter().map(struck).collect();
    assert_eq!(variations.len(), 4);
}

#[test]
fn drums_are_known_on_any_channel_and_parts_can_be_cast() {
    let beat = || (0..16).flat_map(|n| [note(24 * n, 6, 42, Role::Other), note(24 * n, 6, if n % 2 == 0 { 36 } else { 38 }, Role::Other)]);
    let played = |name: &str, programme, more: &[&str]| {
        let drums = Part { name: name.into(), programme, notes: beat().collect(), ..Part::default() };
        let keys =
            Part { name: "Keys".into(), channel: 1, notes: (0..8).map(|n| note(48 * n, 48, 60, Role::Other)).collect(), ..Part::default() };
        let (_folder, path, out) = source(&Clip { parts: vec![drums, keys], end: Tick(384), ..Clip::default() });
        report(&[&[text(&path), "-o", text(&out), "--bars", "1", "--seed", "1"], more].concat())["roles"].clone()
    };
    assert_eq!(played("Drums", Some(0), &[]), serde_json::json!(["drums", "keys"]));
    assert_eq!(played("", None, &[]), serde_json::json!(["drums", "keys"]), "by the keys of a kit");
    assert_eq!(played("Beat", Some(118), &[]), serde_json::json!(["keys", "other"]));
    assert_eq!(played("Beat", Some(118), &["--roles", "Beat=drums"]), serde_json::json!(["drums", "keys"]));
    assert_eq!(played("Beat", Some(118), &["--roles", "Beat=drums,drums"]), serde_json::json!(["drums"]));
    let message = refusal(&demo("pop.mid"), &["--roles", "Beat=drums"]);
    assert!(message.contains("no part named Beat") && message.contains("Melody"), "{message}");
}

#[test]
fn demo_clips_can_be_continued_and_drawn() {
    for name in ["pop.mid", "band.mid", "waltz.mid"] {
        let out = tempfile::tempdir().unwrap();
        let report = report(&[text(&demo(name)), "-o", text(out.path()), "--bars", "2", "--seed", "3", "--picture"]);
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
        report(&[text(&demo("band.mid")), "-o", text(&folder), "--bars", bars, "-k", variations, "--seed", seed, "--adventurousness", "1"]);
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
    let drawn = report(&[text(&demo("pop.mid")), "-o", text(&first), "--bars", "2"]);
    let seed = drawn["seed"].to_string();
    report(&[text(&demo("pop.mid")), "-o", text(&second), "--bars", "2", "--seed", &seed]);
    let name = format!("pop-seed{seed}.mid");
    assert_eq!(fs::read(first.join(&name)).unwrap(), fs::read(second.join(&name)).unwrap());
}

#[test]
fn report_is_one_json_object_with_stable_keys() {
    let out = tempfile::tempdir().unwrap();
    let report = report(&[text(&demo("pop.mid")), "-o", text(out.path()), "--bars", "2", "--seed", "7"]);
    let file = &report["files"][0];
    assert_eq!(file["path"], text(&out.path().join("pop-seed7.mid")));
    assert!(file["notes"].is_u64() && file["start_bar"] == 17 && file["bars"] == 2 && file["seed"] == 7);
    assert!(report["ms_per_note"].is_f64() && report["seed"] == 7 && report["model"].is_string());
    assert_eq!(report["roles"], serde_json::json!(["melody", "keys"]));

    let table = run(&[text(&demo("pop.mid")), "-o", text(out.path()), "--bars", "2", "--seed", "7"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("17-18") && table.contains("pop-seed7.mid"), "{table}");
}

#[test]
fn steering_is_obeyed_by_every_note() {
    let out = tempfile::tempdir().unwrap();
    let steer = |arguments: &[&str]| {
        let common = [text(&demo("band.mid")), "-o", text(out.path()), "--bars", "4", "-k", "3", "--seed", "1", "--adventurousness", "1"]
            .map(String::from);
        let report = report(&common.iter().map(String::as_str).chain(arguments.iter().copied()).collect::<Vec<_>>());
        let read = |file: &Value| smf::read_file(Path::new(file["path"].as_str().unwrap())).unwrap().clip.notes();
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
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
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
        report(&[text(&demo("waltz.mid")), "-o", text(out.path()), "--bars", "1", "--seed", "2", "--policy", policy]);
    }
}

#[test]
fn built_in_model_continues_a_band() {
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_antiphon"))
        .args(["continue", text(&demo("band.mid")), "-o", text(out.path()), "--bars", "4", "--seed", "1", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["model"].as_str().unwrap().starts_with("antiphon"), "{report}");
    let clip = smf::read_file(Path::new(report["files"][0]["path"].as_str().unwrap())).unwrap().clip;
    // A band that plays on: every bar has notes, drums and bass among them.
    for bar in clip.metres.bars(clip.end) {
        assert!(clip.notes().iter().any(|note| (bar.start..bar.end()).contains(&note.onset)), "bar {} is silent", bar.index + 1);
    }
    for role in [Role::Drums, Role::Bass] {
        assert!(clip.notes().iter().any(|note| note.role == role), "no {}", role.name());
    }
}

/// A run that must be refused with code 2 and nothing written; its message.
fn refusal(input: &Path, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = run(&[&[text(input), "-o", text(&out), "--seed", "1", "--picture", "--json"], more].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty() && names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn bad_midi_files_are_refused_by_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(demo("pop.mid")).unwrap();
    let silent = smf::write(&Clip { end: Tick(96), ..Clip::default() }).unwrap();
    let mut absurd = whole.clone();
    absurd[12..14].copy_from_slice(&[0, 0]);
    // A metre's beats and a tempo's microseconds follow the length of their event.
    let zeroed = |event: &[u8], count: usize| {
        let mut bytes = whole.clone();
        let at = bytes.windows(event.len()).position(|window| window == event).unwrap() + event.len();
        bytes[at..at + count].fill(0);
        bytes
    };
    let (metre, tempo) = (zeroed(&[0xFF, 0x58, 4], 2), zeroed(&[0xFF, 0x51, 3], 3));
    // One track of 129 notes that never end; one of ten million events.
    let track = |events: Vec<u8>| {
        let length = u32::try_from(events.len()).unwrap().to_be_bytes();
        [b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".as_slice(), &length, &events].concat()
    };
    let held = track((0..129_u8).flat_map(|key| [0, 0x90, key % 128, 80]).collect());
    let endless = track([0, 0x90, 60, 80].into_iter().chain([0, 60, 0, 0, 60, 80].repeat(5_000_000)).collect());
    let cases: [(&str, &[u8], &str); 10] = [
        ("metre.mid", &metre, "metre of no beats (0/n) at byte"),
        ("tempo.mid", &tempo, "tempo of zero at byte"),
        ("held.mid", &held, "129 notes are struck and never end, the first at byte 22"),
        ("endless.mid", &endless, "events"),
        ("empty.mid", b"", "empty"),
        ("text.mid", b"Dear diary", "MThd"),
        ("half.mid", &whole[..whole.len() / 2], "byte"),
        ("header.mid", &absurd, "byte"),
        ("riff.mid", b"RIFF\0\0\0\0RMID", "MThd"),
        ("silent.mid", &silent, "no note"),
    ];
    for (name, bytes, says) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let message = refusal(&path, &[]);
        assert!(message.contains(name) && message.contains(says), "{name}: {message}");
    }
    let absent = folder.path().join("absent.mid");
    assert!(refusal(&absent, &[]).contains("absent.mid"));
    assert!(refusal(folder.path(), &[]).contains(text(folder.path())));
}

#[test]
fn drums_alone_are_continued_only_when_asked_for() {
    let beat: Vec<Note> = (0..16).map(|n| note(24 * n, 12, if n % 2 == 0 { 36 } else { 38 }, Role::Drums)).collect();
    let drums = Part { name: "Kit".into(), channel: 9, notes: beat, ..Part::default() };
    let (_folder, path, out) = source(&Clip { parts: vec![drums], end: Tick(384), ..Clip::default() });
    let message = refusal(&path, &[]);
    assert!(message.contains("source.mid") && message.contains("--roles drums"), "{message}");
    let report = report(&[text(&path), "-o", text(&out), "--bars", "1", "--seed", "1", "--roles", "drums"]);
    assert_eq!(report["roles"], serde_json::json!(["drums"]));
}

#[test]
fn bad_model_or_runtime_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.onnx");
    fs::write(&damaged, vec![7; 5000]).unwrap();
    for name in ["damaged.onnx", "absent.onnx"] {
        let message = refusal(&demo("pop.mid"), &["--model", text(&folder.path().join(name))]);
        assert!(message.contains(name), "{message}");
    }
    let message = refusal(&demo("pop.mid"), &["--onnxruntime", text(&damaged)]);
    assert!(message.contains("damaged.onnx") && message.contains("onnxruntime"), "{message}");
}

#[test]
fn policy_that_the_model_cannot_serve_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older.onnx");
    fs::write(&older, tiny_without_queries()).unwrap();
    let message = refusal(&demo("waltz.mid"), &["--policy", "topk", "--model", text(&older)]);
    assert!(message.contains("topk:8") && message.contains("export the model again"), "{message}");
}

#[test]
fn bad_options_are_refused_with_what_there_is() {
    let cases: [(&[&str], &str); 10] = [
        (&["--bars", "0"], "1..=256"),
        (&["--variations", "65"], "1..=64"),
        (&["--policy", "sparse"], "fine_coarse"),
        (&["--policy", "fixed:4"], "fixed:8,1"),
        (&["--policy", "strided:0"], "1 to 256"),
        (&["--roles", "kazoo"], "left-hand"),
        (&["--register", "c6:c3"], "swap"),
        (&["--register", "61:61", "--key", "C", "--scale-lock"], "widen"),
        (&["--adventurousness", "2"], "from 0 to 1"),
        (&["--key", "H dur"], "for instance"),
    ];
    for (options, says) in cases {
        let message = refusal(&demo("pop.mid"), options);
        assert!(message.contains(says), "{options:?}: {message}");
    }
}

#[test]
fn folder_that_cannot_be_made_or_written_is_refused_before_the_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("taken"), "").unwrap();
    fs::create_dir_all(at("folder/pop-seed2.mid")).unwrap();
    for (out, says) in [
        ("taken", "taken: is a file; give --output a folder"),
        ("taken/a/b", "taken is a file; change --output"),
        ("folder", "pop-seed2.mid: is a folder; give --output a file name"),
    ] {
        let out = at(out);
        let output = run(&[text(&demo("pop.mid")), "-o", text(&out), "--seed", "1", "-k", "2", "--model", "absent.onnx"]);
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(says) && !message.contains("absent.onnx"), "{message}");
    }
    assert_eq!(names(&at("folder")), ["pop-seed2.mid"], "the first variation is not written either");
}
