//! `antiphon-lab corpus --baselines-out` and `antiphon-lab eval`, from MIDI files to reports.

#![allow(clippy::unwrap_used, reason = "where the music cannot be set up the test has failed")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use antiphon_engine::music::{Clip, Note, Part, Role, Tick, smf};
use common::fixture;
use serde_json::Value;

/// A melody over a bass in four-bar phrases, different for each seed.
fn compose(seed: i64, bars: i64) -> Clip {
    let scale = [0, 2, 4, 5, 7, 9, 11];
    let pitch = |base: u8, step: i64| base + scale[usize::try_from(step.rem_euclid(7)).unwrap()];
    let part = |role, base: u8, every: i64| {
        let note = |beat: i64| Note {
            onset: Tick(24 * beat * every),
            offset: 0,
            duration: Tick(24),
            pitch: pitch(base, seed + beat % 16 * (2 + seed % 3)),
            velocity: u8::try_from(60 + (seed + beat) % 4 * 10).unwrap(),
            role,
        };
        Part { notes: (0..4 * bars / every).map(note).collect(), ..Part::default() }
    };
    Clip { parts: vec![part(Role::Melody, 60, 1), part(Role::Bass, 36, 2)], end: Tick(96 * bars), ..Clip::default() }
}

/// A folder with two sources of pieces of eight bars; every fifth piece is a validation piece.
fn music() -> tempfile::TempDir {
    music_of(8)
}

fn music_of(bars: i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut split = "path,source,split\n".to_owned();
    for source in ["dances", "songs"] {
        std::fs::create_dir(dir.path().join(source)).unwrap();
        for seed in 0..60 {
            let path = format!("{source}/{seed}.mid");
            smf::write_file(&compose(seed + i64::try_from(source.len()).unwrap(), bars), &dir.path().join(&path)).unwrap();
            split += &format!("{path},{source},{}\n", if seed % 5 == 0 { "valid" } else { "train" });
        }
    }
    std::fs::write(dir.path().join("split.csv"), split).unwrap();
    dir
}

fn antiphon(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antiphon-lab")).current_dir(folder).args(args).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fit(dir: &Path) -> PathBuf {
    let report = json(&antiphon(dir, &["corpus", ".", "--split", "split.csv", "-o", "rows", "--baselines-out", "baselines", "--json"]));
    assert!(report["baselines"]["notes"].as_u64().unwrap() > 1000 && report["baselines"]["held_out_pieces"].as_u64().unwrap() > 0);
    dir.join("baselines")
}

#[test]
fn model_and_baselines_are_evaluated_on_the_same_notes() {
    common::runtime();
    let dir = music();
    fit(dir.path());
    let model = fixture("tiny.onnx").display().to_string();
    let all = ["eval", ".", "--split", "split.csv", "--baselines", "baselines", "--model", &model, "--json"];
    let report = json(&antiphon(dir.path(), &all));
    // 12 pieces of each source, 8 bars of 4 + 2 notes.
    assert_eq!((report["notes"].as_u64(), report["pieces"].as_u64()), (Some(2 * 12 * 48), Some(24)));
    assert_eq!(report["policy"], "fine_coarse");
    let bits = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {report:#}"));
    for prefix in ["", "/sources/dances", "/sources/songs"] {
        let of = |key: &str| bits(&format!("{prefix}{key}"));
        assert!(of("/baselines/ngram_copy") < of("/baselines/ngram") + 0.1 && of("/baselines/ngram") < of("/baselines/uniform") / 2.0);
        // Random weights predict no better than chance.
        assert!(of("/bits_per_note") > of("/baselines/ngram") && of("/bits_per_note") < 2.0 * of("/baselines/uniform"));
        let fields: f64 =
            report.pointer(&format!("{prefix}/fields")).unwrap().as_object().unwrap().values().map(|v| v.as_f64().unwrap()).sum();
        assert!((fields - of("/bits_per_note")).abs() < 1e-9);
    }
    // On the grid there is no timing to predict.
    assert_eq!(bits("/fields/offset"), 0.0);
    assert_eq!(bits("/baseline_fields/ngram/offset"), 0.0);

    let again = json(&antiphon(dir.path(), &[&all[..], &["--threads", "1"]].concat()));
    assert_eq!(again, report);
}

#[test]
fn damaged_file_is_named_and_the_others_are_evaluated() {
    let dir = music();
    std::fs::write(dir.path().join("songs/0.mid"), b"MThd, or not").unwrap();
    let report = json(&antiphon(dir.path(), &["eval", ".", "--split", "split.csv", "--baselines-only", "--limit-pieces", "100", "--json"]));
    assert_eq!(report["skipped"][0]["path"], "songs/0.mid");
    assert!(report["skipped"][0]["reason"].as_str().unwrap().contains("0.mid"));
    assert_eq!((report["sources"]["songs"]["pieces"].as_u64(), report["sources"]["dances"]["pieces"].as_u64()), (Some(11), Some(12)));
    assert!(report["bits_per_note"].is_null() && report["baselines"]["ngram"].is_null());

    let some = json(&antiphon(dir.path(), &["eval", ".", "--sources", "dances", "--baselines-only", "--limit-pieces", "3", "--json"]));
    assert_eq!((some["pieces"].as_u64(), some["sources"].as_object().map(serde_json::Map::len)), (Some(3), Some(1)));
}

#[test]
fn bad_input_is_refused_with_code_2_the_file_and_the_cure() {
    common::runtime();
    let dir = music();
    let baselines = fit(dir.path());
    let sound = std::fs::read(&baselines).unwrap();
    std::fs::write(dir.path().join("cut"), &sound[..sound.len() / 3]).unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    std::fs::create_dir(dir.path().join("nothing")).unwrap();
    let cases: [(&[&str], &[&str]); 9] = [
        (&["eval", "missing", "--baselines-only"], &["missing", "check the path"]),
        (&["eval", "nothing", "--baselines-only"], &["nothing", "no MIDI files"]),
        (&["eval", ".", "--baselines-only", "--baselines", "missing"], &["missing", "--baselines-out"]),
        (&["eval", ".", "--baselines-only", "--baselines", "cut"], &["cut", "bytes long", "--baselines-out"]),
        (&["eval", ".", "--baselines-only", "--baselines", "empty"], &["empty", "too short"]),
        (&["eval", ".", "--baselines-only", "--split", "split.csv", "--only", "test"], &["--only"]),
        (&["eval", ".", "--baselines-only", "--sources", "hymns"], &["hymns", "--sources"]),
        (&["eval", ".", "--model", "missing.onnx"], &["missing.onnx"]),
        (&["eval", ".", "--onnxruntime", "missing.so"], &["missing.so", "Cure"]),
    ];
    for (args, words) in cases {
        let output = antiphon(dir.path(), args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(output.stdout.is_empty() && !message.contains("panicked"), "{args:?}: {message}");
        assert!(words.iter().all(|word| message.contains(word)), "{args:?}: {message}");
    }
    let unknown = antiphon(dir.path(), &["eval", ".", "--model", &fixture("tiny.onnx").display().to_string(), "--policy", "sparse"]);
    assert!(unknown.status.code() == Some(2) && String::from_utf8_lossy(&unknown.stderr).contains("fine_coarse"));
}

#[test]
fn baselines_without_held_out_pieces_are_refused_and_no_file_is_written() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("songs")).unwrap();
    smf::write_file(&compose(1, 4), &dir.path().join("songs/a.mid")).unwrap();
    let output = antiphon(dir.path(), &["corpus", ".", "-o", "rows", "--baselines-out", "baselines"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("give more pieces"));
    assert!(!dir.path().join("baselines").exists());
}

#[test]
fn generated_clips_and_measures_do_not_depend_on_the_number_of_threads() {
    common::runtime();
    let dir = music_of(16);
    let model = fixture("tiny.onnx").display().to_string();
    let args = ["eval", ".", "--split", "split.csv", "--model", &model, "--prompt-bars", "8", "--bars", "8", "--seed", "5", "--json"];
    let generate = |out: &str, threads: &str| {
        json(&antiphon(dir.path(), &[&args[..], &["--generate", "3", "--variations", "2", "--out", out, "--threads", threads]].concat()))
    };
    let report = generate("one", "1");
    assert_eq!((report["clips"].as_u64(), report["sources"]["dances"]["clips"].as_u64()), (Some(3), Some(2)));
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {report:#}"));
    // The real continuations are as dense as their prompts, and repeat them.
    assert_eq!((number("/first_bars/real/steady"), number("/repeats/real"), number("/empty/real")), (1.0, 1.0, 0.0));
    for pointer in
        ["/similarity/error", "/similarity/floor", "/repeats/generated", "/groove/distance", "/groove/floor", "/looping/generated"]
    {
        assert!((0.0..=1.0).contains(&number(pointer)), "{pointer} in {report:#}");
    }

    let list: Value = serde_json::from_slice(&std::fs::read(dir.path().join("one/clips.json")).unwrap()).unwrap();
    let name = list["clips"][0]["name"].as_str().unwrap();
    generate("two", "2");
    let rows = name.replace(".mid", ".json");
    for (folder, name) in [("prompt", name), ("generated", name), ("real", name), ("rows", &rows)] {
        let bytes = |out: &str| std::fs::read(dir.path().join(out).join(folder).join(name)).unwrap();
        assert_eq!(bytes("one"), bytes("two"));
    }
    let rows: Value = serde_json::from_slice(&std::fs::read(dir.path().join("one/rows").join(rows)).unwrap()).unwrap();
    let [first, second] = &rows["generated"].as_array().unwrap()[..] else { panic!("{rows}") };
    assert_eq!(
        (rows["piece"].as_str(), rows["source"].as_str()),
        (list["clips"][0]["piece"].as_str(), list["clips"][0]["source"].as_str())
    );
    assert_ne!(first["bars"], second["bars"]);
    for clip in [&rows["real"], first, second] {
        let numbers = |key: &str| clip[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect::<Vec<f64>>();
        assert_eq!((clip["bars"].as_array().unwrap().len(), numbers("nats").len()), (8, 8));
        assert!(numbers("nats").iter().sum::<f64>() > 0.0 && numbers("hidden").iter().any(|value| *value != 0.0));
    }
    assert_eq!(rows["prompt"].as_array().unwrap().len(), 8);
    let mut again = json(&antiphon(dir.path(), &["eval", "--measure", "two", "--json"]));
    again["folder"] = "one".into();
    assert_eq!(again, report);

    let taken = antiphon(dir.path(), &[&args[..], &["--generate", "1", "--out", "one"]].concat());
    assert_eq!(taken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("--measure"));
    let too_long = antiphon(dir.path(), &["eval", ".", "--model", &model, "--generate", "1", "--bars", "64", "--out", "three"]);
    assert!(too_long.status.code() == Some(2) && String::from_utf8_lossy(&too_long.stderr).contains("--bars"));
}

#[test]
fn copied_passage_is_found_with_its_place_and_gives_code_1() {
    let dir = music();
    json(&antiphon(dir.path(), &["corpus", ".", "--split", "split.csv", "-o", "rows", "--json"]));
    let check = |clip: &str| antiphon(dir.path(), &["eval", "--copy-check", clip, "--training", "rows", "--json"]);
    // A training piece of the dances, a fifth higher.
    let mut copy = compose(7, 8);
    copy.parts.iter_mut().flat_map(|part| &mut part.notes).for_each(|note| note.pitch += 7);
    smf::write_file(&copy, &dir.path().join("copy.mid")).unwrap();
    let found = check("copy.mid");
    let report: Value = serde_json::from_slice(&found.stdout).unwrap();
    let longest = &report["clips"][0]["longest"];
    // The pieces resemble each other, so unseen ones share whole lines too.
    assert_eq!((longest["notes"].as_u64(), longest["bar"].as_u64(), longest["training_bar"].as_u64()), (Some(32), Some(1), Some(1)));
    assert_eq!((report["training_pieces"].as_u64(), report["unseen"]["count"].as_u64()), (Some(96), Some(24)));

    // Compared with music that shares nothing, the copy is above the limit.
    std::fs::create_dir(dir.path().join("unseen")).unwrap();
    let mut other = compose(1, 8);
    let leap = |index: usize| u8::try_from(index * 37 % 61).unwrap();
    other.parts.iter_mut().for_each(|part| part.notes.iter_mut().enumerate().for_each(|(index, note)| note.pitch = 20 + leap(index)));
    smf::write_file(&other, &dir.path().join("unseen/other.mid")).unwrap();
    let args = ["eval", "--copy-check", "copy.mid", "--training", "rows", "--unseen", "unseen"];
    let reported = antiphon(dir.path(), &args);
    let text = String::from_utf8_lossy(&reported.stdout);
    assert_eq!(reported.status.code(), Some(1), "{text}");
    assert!(text.contains("copy.mid: the longest passage shared is") && text.contains("in dances/"), "{text}");
    assert_eq!(check("unseen/other.mid").status.code(), Some(0));

    std::fs::write(dir.path().join("rows"), b"no rows").unwrap();
    let refused = check("copy.mid");
    assert!(refused.status.code() == Some(2) && String::from_utf8_lossy(&refused.stderr).contains("antiphon-lab corpus"));
}

#[test]
fn controls_are_measured_on_every_bar_and_hard_constraints_hold() {
    common::runtime();
    let dir = music_of(16);
    let model = fixture("tiny.onnx").display().to_string();
    let args = ["eval", ".", "--split", "split.csv", "--model", &model, "--prompt-bars", "8", "--bars", "4", "--controls", "3", "--json"];
    let report = json(&antiphon(dir.path(), &args));
    for (control, values) in [("density", 8), ("register", 8), ("span", 8), ("voices", 8), ("key", 24), ("mood", 9)] {
        for side in ["", "/base"] {
            let entry = report.pointer(&format!("/controls/{control}{side}")).unwrap_or_else(|| panic!("{control} in {report:#}"));
            let rows = entry["bars"].as_array().unwrap();
            let bars: u64 = rows.iter().flat_map(|row| row.as_array().unwrap()).map(|bars| bars.as_u64().unwrap()).sum();
            assert_eq!((rows.len(), bars), (values, 3 * 4), "{control}{side}");
            assert!(entry["exact"].as_f64().unwrap() <= entry["near"].as_f64().unwrap());
        }
    }
    let limits = &report["limits"];
    assert!(limits["notes"].as_u64().unwrap() > 0);
    assert_eq!((limits["outside_scale"].as_u64(), limits["outside_register"].as_u64()), (Some(0), Some(0)));
    assert_eq!((report["prompts"].as_u64(), report["role"]["base"].as_f64()), (Some(3), Some(0.0)), "two roles play");
    assert_eq!(json(&antiphon(dir.path(), &[&args[..], &["--threads", "1"]].concat())), report);
}

#[test]
fn bars_farther_apart_than_a_context_are_predicted() {
    common::runtime();
    let dir = music_of(150);
    let model = fixture("tiny.onnx").display().to_string();
    for (task, pointer) in [("--next-bar", "/sources/songs/bars"), ("--accompany", "/live/sources/songs/bars")] {
        let args = ["eval", ".", "--split", "split.csv", "--limit-pieces", "1", "--model", &model, task, "2", "--json"];
        let report = json(&antiphon(dir.path(), &args));
        assert_eq!(report.pointer(pointer).and_then(Value::as_u64), Some(2), "{task}: {report:#}");
    }
}

#[test]
fn next_bars_are_predicted_from_real_context_beside_copies() {
    common::runtime();
    let dir = music_of(12);
    let model = fixture("tiny.onnx").display().to_string();
    let args = ["eval", ".", "--split", "split.csv", "--limit-pieces", "4", "--model", &model, "--next-bar", "3", "--json"];
    let report = json(&antiphon(dir.path(), &args));
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {report:#}"));
    assert_eq!((report["sources"]["dances"]["pieces"].as_u64(), report["sources"]["songs"]["bars"].as_u64()), (Some(4), Some(12)));
    // The rhythm is the same in every bar; the melody's pitches repeat every four bars, the bass's every eight.
    let copied = [number("/tellers/copy_1/onset_f1"), number("/tellers/copy_8/note_f1"), number("/tellers/copy_8/pitch_top1")];
    assert_eq!(copied, [1.0; 3]);
    assert!(number("/tellers/copy_1/note_f1") < number("/tellers/copy_4/note_f1") && number("/tellers/copy_4/note_f1") < 1.0);
    for predictor in ["likeliest", "played"] {
        assert!((0.0..1.0).contains(&number(&format!("/tellers/{predictor}/onset_f1"))), "random weights");
    }
    assert!(number("/tellers/likeliest/pitch_top1") < 1.0 && report["tellers"]["played"]["pitch_top1"].is_null());
    assert_eq!(json(&antiphon(dir.path(), &[&args[..], &["--threads", "1"]].concat())), report);
}

#[test]
fn gaps_are_predicted_from_both_sides_beside_copies() {
    common::runtime();
    let dir = music_of(24);
    let model = fixture("tiny.onnx").display().to_string();
    let common = ["eval", ".", "--split", "split.csv", "--limit-pieces", "8", "--model", &model, "--json"];
    let args = [&common[..], &["--fill", "4", "--gap-bars", "2"]].concat();
    let report = json(&antiphon(dir.path(), &args));
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {report:#}"));
    assert_eq!((report["gap_bars"].as_u64(), report["sources"]["songs"]["bars"].as_u64()), (Some(2), Some(8 * 4 * 2)));
    // The melody's pitches repeat every four bars, the bass's every eight; so do both bars of a gap, each with its own copy.
    assert_eq!([number("/tellers/copy_8/note_f1"), number("/tellers/copy_8/pitch_top1"), number("/tellers/copy_best/note_f1")], [1.0; 3]);
    assert!(number("/tellers/copy_1/note_f1") < number("/tellers/copy_4/note_f1") && number("/tellers/copy_best/pitch_top5") == 1.0);
    for predictor in ["likeliest", "past"] {
        assert!(number(&format!("/tellers/{predictor}/pitch_top1")) <= number(&format!("/tellers/{predictor}/pitch_top5")));
    }
    assert!(report["tellers"]["played"]["pitch_top5"].is_null() && report["tellers"]["copy_8"]["pitch_top5"].is_null());
    assert_ne!(report["tellers"]["likeliest"], report["tellers"]["past"], "the far side is used");
    assert_eq!(json(&antiphon(dir.path(), &[&args[..], &["--threads", "1"]].concat())), report);

    let refused = antiphon(dir.path(), &[&args[..], &["--policy", "lsh"]].concat());
    assert!(refused.status.code() == Some(2) && String::from_utf8_lossy(&refused.stderr).contains("--policy: the page policy lsh:16"));
}

#[test]
fn one_role_is_predicted_from_the_others_beside_copies() {
    common::runtime();
    let dir = music_of(16);
    let model = fixture("tiny.onnx").display().to_string();
    let common = ["eval", ".", "--split", "split.csv", "--limit-pieces", "8", "--model", &model, "--json"];
    let args = [&common[..], &["--accompany", "4"]].concat();
    let report = json(&antiphon(dir.path(), &args));
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {report:#}"));
    for kind in ["clip", "live"] {
        assert_eq!(report[kind]["sources"]["dances"]["bars"].as_u64(), Some(8 * 4));
        assert_eq!([number(&format!("/{kind}/tellers/copy_8/note_f1")), number(&format!("/{kind}/tellers/copy_1/onset_f1"))], [1.0; 2]);
        for predictor in ["likeliest", "past"] {
            let of = |share: &str| number(&format!("/{kind}/tellers/{predictor}/{share}"));
            assert!((0.0..1.0).contains(&of("onset_f1")) && of("pitch_top1") <= of("pitch_top5"), "{kind} {predictor}");
        }
    }
    assert_ne!(report["clip"]["tellers"]["likeliest"], report["clip"]["tellers"]["past"], "the other roles are used");
    assert_ne!(report["clip"], report["live"]);
    assert_eq!(json(&antiphon(dir.path(), &[&args[..], &["--threads", "1"]].concat())), report);
}
