//! How the program behaves among others: standard input and output, pipes, links, permissions, Ctrl-C.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use antiphon_engine::music::smf;
use common::fixture;
use program::{demo, refusal, run, text};
use serde_json::Value;

/// The program with the tiny model and a seed, not yet started.
fn program(command: &str, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    program.arg(command).args(arguments).args(["--seed", "1", "--model"]).arg(fixture("tiny.onnx"));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

/// The program with this on its standard input.
fn fed(command: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = program(command, arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A reader of a FIFO that ends with the test.
struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn dash_reads_standard_input_and_writes_standard_output() {
    let pop = fs::read(demo("pop.mid")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (command, more) in [("fill", &["--bars", "5"][..]), ("accompany", &["--roles", "bass"]), ("continue", &["--bars", "2"])] {
        let output = fed(command, &[&["-", "-o", "-", "--json"], more].concat(), &pop);
        assert!(output.status.success(), "{output:?}");
        assert!(!smf::read(&output.stdout).unwrap().clip.is_silent(), "{command}");
        let report: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(report["seed"], 1, "{command}");
        let out = folder.path().join("out");
        let named = fed(command, &[&[text(&demo("pop.mid")), "-o", text(&out)], more].concat(), b"");
        assert!(named.status.success(), "{named:?}");
        let file = if out.is_dir() { out.join("pop-seed1.mid") } else { out.clone() };
        assert_eq!(fs::read(&file).unwrap(), output.stdout, "{command}");
        let _ = if out.is_dir() { fs::remove_dir_all(&out) } else { fs::remove_file(&out) };
    }
    let empty = fed("fill", &["-", "-o", "-", "--bars", "5"], b"");
    assert!(empty.status.code() == Some(2) && empty.stdout.is_empty());
    assert_eq!(String::from_utf8(empty.stderr).unwrap(), "antiphon: standard input: the file is empty (0 bytes); export it again\n");
}

#[test]
fn output_goes_into_a_fifo_and_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let (fifo, copy) = (folder.path().join("fifo"), folder.path().join("copy"));
    make_fifo(&fifo);
    let cat = Command::new("cat").arg(&fifo).stdout(fs::File::create(&copy).unwrap()).spawn().unwrap();
    let mut cat = Reader(cat);
    let output = run("fill", &[text(&demo("pop.mid")), "--bars", "5", "--seed", "1", "-o", text(&fifo)]);
    assert!(output.status.success(), "{output:?}");
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
    cat.0.wait().unwrap();
    assert!(!smf::read_file(&copy).unwrap().clip.is_silent());
}

#[test]
fn output_follows_links_and_keeps_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("song.mid"), folder.path().join("link.mid"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("song.mid", &link).unwrap();
    let output = run("fill", &[text(&demo("pop.mid")), "--bars", "5", "--seed", "1", "-o", text(&link)]);
    assert!(output.status.success(), "{output:?}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(!smf::read_file(&file).unwrap().clip.is_silent());
    assert_eq!(folder.path().read_dir().unwrap().count(), 2);
}

#[test]
fn ctrl_c_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("in.mid");
    make_fifo(&fifo);
    let mut child = program("fill", &[text(&fifo), "--bars", "5", "-o", text(&folder.path().join("out.mid"))]).spawn().unwrap();
    // Opens when the program reads: by then it has looked at its output.
    let song = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
    drop(song);
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["in.mid"]);
}

#[test]
fn closed_pipe_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.mid");
    for (command, arguments) in [
        ("fill", &["--bars", "5", "-o", text(&out)][..]),
        ("fill", &["--bars", "5", "-o", text(&out), "--json"]),
        ("fill", &["--bars", "5", "-o", "-"]),
        ("continue", &["--bars", "1", "-o", text(folder.path())]),
    ] {
        let mut child = program(command, &[&[text(&demo("pop.mid"))], arguments].concat()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked") && !said.contains("pipe"), "{said}");
    }
}

#[test]
fn refusals_name_the_real_cause_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let absent = refusal("fill", &[&at("absent.mid"), "--bars", "2"]);
    assert!(absent.contains("No such file") && absent.contains("check the path") && !absent.contains("space"), "{absent}");
    let directory = refusal("fill", &[text(folder.path()), "--bars", "2"]);
    assert!(directory.contains("directory") && directory.contains("name a file in it"), "{directory}");
    let nowhere = run("fill", &[text(&demo("pop.mid")), "--bars", "2", "-o", &at("no/such/out.mid")]);
    let message = String::from_utf8(nowhere.stderr).unwrap();
    assert_eq!(
        message,
        format!(
            "antiphon: {}: cannot be written: there is no folder {}; make it, or change --output\n",
            at("no/such/out.mid"),
            at("no/such")
        )
    );
}
