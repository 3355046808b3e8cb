//! `antiphon-lab corpus`, run as a program.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/clips.rs"]
#[allow(dead_code, reason = "one of the clips is enough here")]
mod clips;

use std::path::Path;
use std::process::{Command, Output};

use antiphon_engine::music::{Clip, Tick, smf};
use clips::hymn;
use serde_json::{Value, json};

fn corpus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antiphon-lab")).arg("corpus").args(arguments).output().unwrap()
}

/// Error message of a run that must fail and write nothing.
fn refusal(arguments: &[&str], folder: &Path) -> String {
    let output = corpus(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty());
    let names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("rows") && !name.to_string_lossy().starts_with('.')), "{names:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with one source: one valid clip and the given files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let good = smf::write(&hymn()).unwrap();
    for (name, bytes) in [("in/good/hymn.mid", good.as_slice())].iter().chain(files) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn unreadable_file_is_reported_and_the_others_are_written() {
    let silent = smf::write(&Clip { end: Tick(96), ..Clip::default() }).unwrap();
    let folder = folder(&[("in/bad/cut.mid", b"MThd\0\0\0\x06\0\x01"), ("in/bad/silent.mid", &silent)]);
    let (dir, out) = (folder.path().join("in"), folder.path().join("out.rows"));
    let output = corpus(&[dir.to_str().unwrap(), "-o", out.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{output:?}");

    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pieces"], 1);
    assert_eq!(report["bytes"], std::fs::metadata(&out).unwrap().len());
    assert_eq!(report["sources"]["good"]["notes"], report["notes"]);
    let refused = |index: usize| (report["refused"][index]["path"].as_str().unwrap(), report["refused"][index]["reason"].as_str().unwrap());
    assert_eq!(refused(0).0, "bad/cut.mid");
    assert!(refused(0).1.contains("cut short"), "{report}");
    assert_eq!(refused(1).0, "bad/silent.mid");
    assert!(refused(1).1.contains("no notes"), "{report}");

    let table = corpus(&[dir.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("refused: bad/cut.mid") && table.lines().any(|line| line.starts_with("good ")), "{table}");
}

#[test]
fn folder_without_music_is_refused() {
    let folder = folder(&[("damaged/source/x.mid", b"no MIDI"), ("empty/source/readme.txt", b"")]);
    let (root, out) = (folder.path(), folder.path().join("out.rows"));
    let run = |dir: &str, extra: &[&str]| {
        let dir = root.join(dir);
        refusal(&[&[dir.to_str().unwrap(), "-o", out.to_str().unwrap()], extra].concat(), root)
    };
    let missing = run("missing", &[]);
    assert!(missing.contains("missing: cannot be read; check the path"), "{missing}");
    let empty = run("empty", &[]);
    assert!(empty.contains("no MIDI files"), "{empty}");
    let damaged = run("damaged", &[]);
    assert!(damaged.contains("none of its 1 MIDI files can be used") && damaged.contains("not a Standard MIDI File"), "{damaged}");
    let unknown = run("in", &["--sources", "good,bad"]);
    assert!(unknown.contains("no folder \"bad\""), "{unknown}");
    let split = run("in", &["--split", root.join("in/good/hymn.mid").to_str().unwrap()]);
    assert!(split.contains("hymn.mid: not a split file"), "{split}");
}

#[test]
fn output_that_cannot_be_written_is_refused() {
    let folder = folder(&[]);
    let dir = folder.path().join("in");
    for place in ["no/such/out.rows", "in"] {
        let place = folder.path().join(place);
        let message = refusal(&[dir.to_str().unwrap(), "-o", place.to_str().unwrap()], folder.path());
        assert!(message.contains(place.to_str().unwrap()), "{message}");
    }
}

#[test]
fn split_and_sources_select_the_pieces() {
    let again = smf::write(&hymn()).unwrap();
    let split = b"path,source,split\ngood/hymn.mid,good,valid\ngood/test.mid,good,test\n";
    let files = [("in/good/test.mid", again.as_slice()), ("in/more/a.mid", &again), ("split.csv", split)];
    let folder = folder(&files);
    let (dir, out, split) = (folder.path().join("in"), folder.path().join("out.rows"), folder.path().join("split.csv"));
    let run = |extra: &[&str]| -> Value {
        let common = [dir.to_str().unwrap(), "-o", out.to_str().unwrap(), "--split", split.to_str().unwrap(), "--json"];
        let output = corpus(&[&common, extra].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = run(&[]);
    let good = &all["sources"]["good"];
    assert_eq!((&good["pieces"], &good["valid"], &good["left_out"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&all["pieces"], &all["valid"]), (&json!(2), &json!(1)));
    let one = run(&["--sources", "more"]);
    assert_eq!((&one["pieces"], one["sources"].as_object().unwrap().len()), (&json!(1), 1));
}
