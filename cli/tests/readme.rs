//! The examples of README's command line run as they stand there.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use antiphon_engine::music::smf;

/// The lines of the block of shell commands under a heading that call `antiphon`.
fn examples(readme: &str) -> Vec<&str> {
    let section = readme.split("\n## The command line\n").nth(1).expect("README has no section on the command line");
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the section has no shell commands");
    block.lines().filter(|line| line.starts_with("antiphon ")).collect()
}

#[test]
fn examples_of_readme_run_as_they_stand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let examples = examples(&readme);
    let commands: Vec<_> = examples.iter().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(commands, ["continue", "fill", "accompany", "check"]);

    // The reader is in the checkout; what the commands write must not be.
    let folder = tempfile::tempdir().unwrap();
    symlink(root.join("assets"), folder.path().join("assets")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_antiphon")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for line in examples {
        let output = Command::new("sh").args(["-c", line]).current_dir(folder.path()).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(folder.path().join("pop.png").is_file());
    let notes = |name: &Path| smf::read_file(&folder.path().join(name)).unwrap().clip.notes().len();
    let ideas: Vec<_> = fs::read_dir(folder.path().join("ideas")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let clips: Vec<_> = ideas.iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "mid")).collect();
    assert_eq!(clips.len(), 4, "{ideas:?}");
    assert!(ideas.iter().any(|path| path.extension().is_some_and(|suffix| suffix == "png")), "{ideas:?}");
    for clip in clips.into_iter().map(|path| path.as_path()).chain([Path::new("filled.mid"), Path::new("band.mid")]) {
        assert!(notes(clip) > 0, "{} has no note", clip.display());
    }
}
