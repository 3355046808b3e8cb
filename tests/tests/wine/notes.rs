//! The notes are those of the Linux build: same files, controls and seed.

use std::fs;
use std::path::Path;
use std::process::Command;

use antiphon_engine::music::smf;
use antiphon_tests::foreign::{OFFLINE, assert_same_file, assert_same_picture, clip, named, text_of};
use antiphon_tests::library;

use crate::windows::{Desktop, SMALL, seen};

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn offline_suggestion_equals_that_of_linux() {
    let desktop = Desktop::start(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let [linux, windows] = ["linux", "windows"].map(|name| folder.path().join(name));
    let bundle = folder.path().join("Antiphon.clap");
    // Copies: the library looks for ONNX Runtime beside itself, which is not where a link to it lies.
    fs::copy(library::path(), &bundle).unwrap();
    fs::copy(named("ANTIPHON_ONNXRUNTIME"), folder.path().join("libonnxruntime.so")).unwrap();
    let mut here = Command::new(env!("CARGO_BIN_EXE_demo"));
    text_of(here.args(OFFLINE).arg("--bundle").arg(&bundle).arg("--clip").arg(clip("waltz.mid")).arg("--out").arg(&linux));
    let mut there = desktop.program("ANTIPHON_WINDOWS_DEMO");
    there.args(OFFLINE).arg("--bundle").arg(seen(&named("ANTIPHON_WINDOWS_CLAP")));
    text_of(there.arg("--clip").arg(seen(&clip("waltz.mid"))).arg("--out").arg(seen(&windows)));
    for name in ["suggestion.mid", "song.mid"] {
        assert_same_file(&linux, &windows, name);
    }
    assert_same_picture(&linux, &windows, "roll.png");
}

/// Which notes are late depends on the machine. That the clip passes through at its samples, and that no note hangs, does not: the demo
/// fails otherwise.
#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn demo_in_real_time_passes_the_clip_through_and_answers() {
    let desktop = Desktop::start(SMALL);
    let out = tempfile::tempdir().unwrap();
    let mut demo = desktop.program("ANTIPHON_WINDOWS_DEMO");
    demo.args(["--no-editor", "--bundle"]).arg(seen(&named("ANTIPHON_WINDOWS_CLAP")));
    let text = text_of(demo.arg("--clip").arg(seen(&clip("band.mid"))).arg("--out").arg(seen(out.path())));
    eprintln!("{}", text.trim());
    let answer = smf::read_file(&out.path().join("suggestion.mid")).unwrap().clip;
    assert!(answer.note_count() > 0, "{text}");
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn command_line_writes_the_files_of_linux() {
    let desktop = Desktop::start(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let runtime = named("ANTIPHON_ONNXRUNTIME");
    // `continue` writes into a folder, the others a file.
    for (command, piece, options, out, name) in [
        ("continue", "band.mid", ["--bars", "4"], "", "band-seed7.mid"),
        ("fill", "pop.mid", ["--bars", "5..6"], "written.mid", "written.mid"),
        ("accompany", "pop.mid", ["--roles", "bass"], "written.mid", "written.mid"),
    ] {
        let [linux, windows] = ["linux", "wïndows 窓"].map(|name| folder.path().join(command).join(name));
        [&linux, &windows].iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
        let common = |start: &mut Command, piece: String, out: String| {
            text_of(start.arg(command).arg(piece).args(options).args(["--seed", "7", "-o"]).arg(out));
        };
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let written = |folder: &Path| if out.is_empty() { folder.to_owned() } else { folder.join(out) };
        common(Command::new(named("ANTIPHON_LINUX_CLI")).env("ANTIPHON_ONNXRUNTIME", &runtime), text(&clip(piece)), text(&written(&linux)));
        common(&mut desktop.program("ANTIPHON_WINDOWS_CLI"), seen(&clip(piece)), seen(&written(&windows)));
        assert_same_file(&linux, &windows, name);
    }
}
