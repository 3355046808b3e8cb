//! The demo on a bundle of the built library: every file it names exists and is what it says.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::{Clip, Tick, smf};
use antiphon_tests::library;

fn clip(path: &Path) -> Clip {
    smf::read_file(path).unwrap().clip
}

/// Width and height.
fn size(path: &Path) -> (u32, u32) {
    let reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    (reader.info().width, reader.info().height)
}

#[test]
fn demo_plays_a_bundle_and_writes_the_files_it_names() {
    let runtime = std::env::var_os(RUNTIME_VARIABLE).expect("run `cargo xtask test`, or name ONNX Runtime in the environment");
    let folder = tempfile::tempdir().unwrap();
    let (bundle, out) = (folder.path().join("Antiphon.clap"), folder.path().join("out"));
    symlink(library::path(), &bundle).unwrap();
    symlink(runtime, folder.path().join("libonnxruntime.so")).unwrap();
    let song = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/waltz.mid");

    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.args(["--offline", "--headless", "--context-bars", "4", "--bars", "2", "--bundle"]).arg(&bundle).arg("--clip").arg(&song);
    let output = demo.arg("--out").arg(&out).output().unwrap();
    let output_text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{output_text}\n{}", String::from_utf8_lossy(&output.stderr));

    let (suggestion, whole) = (clip(&out.join("suggestion.mid")), clip(&out.join("song.mid")));
    assert_eq!((suggestion.end, whole.end), (Tick(2 * 72), Tick(6 * 72)), "bars of three quarters");
    let notes = suggestion.notes();
    assert!(notes.len() >= 4, "{output_text}");
    let shifted: Vec<_> =
        whole.notes().into_iter().filter(|note| note.onset >= Tick(4 * 72)).map(|note| note.onset - Tick(4 * 72)).collect();
    assert_eq!(shifted, notes.iter().map(|note| note.onset).collect::<Vec<_>>());
    assert!(output_text.contains(&format!("answered with {} notes in 2 bars, from bar 5 on", notes.len())), "{output_text}");
    assert!(output_text.contains(" 0 late notes"), "{output_text}");
    assert_eq!(size(&out.join("editor.png")), (1000, 600));
    assert!(size(&out.join("roll.png")).0 > 900);
    for name in ["suggestion.mid", "song.mid", "roll.png", "editor.png"] {
        assert!(output_text.contains(out.join(name).to_str().unwrap()), "{name}: {output_text}");
    }
}
