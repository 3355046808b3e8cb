//! Where the files are: odd and long paths, read-only folders, a missing C++ runtime.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use antiphon_tests::foreign::{clip, named, text_of, texts, value};

use crate::windows::{Desktop, FORMATS, SMALL, seen};

/// Top folder of a library's bundle.
fn bundle_of(format: &str, library: &Path) -> PathBuf {
    library.ancestors().nth(if format == "clap" { 1 } else { 3 }).unwrap().to_owned()
}

/// Copies a folder, and takes the right to write from everything in it.
fn copy_read_only(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy_read_only(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o444)).unwrap();
        }
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o555)).unwrap();
}

/// Gives the rights back, so that the folder can be removed.
fn make_writable(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            make_writable(&path);
        }
    }
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn read_only_bundle_in_a_long_path_with_blanks_and_umlauts_plays() {
    let desktop = Desktop::start(SMALL);
    for (format, library) in FORMATS {
        let library = named(library);
        let bundle = bundle_of(format, &library);
        let folder = tempfile::tempdir().unwrap();
        // Windows' own limit for the path of a library is 260 characters.
        let missing = 200 - folder.path().to_str().unwrap().len() - bundle.file_name().unwrap().len();
        let place = folder.path().join(format!("Prögramme ♪ {}", "x".repeat(missing / 2))).join(bundle.file_name().unwrap());
        copy_read_only(&bundle, &place);
        let copied = place.join(library.strip_prefix(&bundle).unwrap());
        let text = text_of(desktop.host("allocations", format, &copied).arg("--clip").arg(seen(&clip("pop.mid"))));
        assert!(value(&text, "blocks").parse::<u64>().unwrap() > 300, "{format}: a plan sounded: {text}");
        make_writable(&place);
    }
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn command_line_writes_to_a_path_longer_than_windows_limit() {
    let desktop = Desktop::start(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a folder of fifty-two letters, which is a long name").join("b".repeat(100)).join("c".repeat(120));
    fs::create_dir_all(&deep).unwrap();
    assert!(seen(&deep).len() > 260);
    let mut start = desktop.program("ANTIPHON_WINDOWS_CLI");
    text_of(start.arg("continue").arg(seen(&clip("waltz.mid"))).args(["--bars", "2", "--seed", "7", "-o"]).arg(seen(&deep)));
    assert!(fs::read(deep.join("waltz-seed7.mid")).unwrap().starts_with(b"MThd"));
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn missing_cpp_runtime_is_named_with_its_cure() {
    let desktop = Desktop::start(SMALL);
    let folder = tempfile::tempdir().unwrap();
    let mut start = desktop.program("ANTIPHON_WINDOWS_CLI");
    // Wine's own is switched off.
    let overrides = format!("{};vcruntime140_1=", std::env::var("WINEDLLOVERRIDES").unwrap());
    start
        .env("WINEDLLOVERRIDES", overrides)
        .arg("continue")
        .arg(seen(&clip("waltz.mid")))
        .arg("-o")
        .arg(seen(&folder.path().join("out.mid")));
    let output = start.output().unwrap();
    let (_, errors) = texts(&output);
    assert!(!output.status.success());
    for part in ["VCRUNTIME140_1.dll", "Visual C++ Redistributable", "vc_redist.x64.exe"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}
