//! Which rooms of the code import which: the arrows of ARCHITECTURE.md point down only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the engine, each with those that it may import. Everything may import `files`.
const ENGINE: [(&str, &[&str]); 8] = [
    ("music", &[]),
    ("codec", &["music"]),
    ("model", &["codec", "music"]),
    ("cache", &["model", "codec", "music"]),
    ("decode", &["cache", "model", "codec", "music"]),
    ("plan", &["music"]),
    ("service", &["plan", "decode", "cache", "model", "codec", "music"]),
    ("session", &["service", "plan", "decode", "cache", "model", "codec", "music"]),
];

/// Folders of the engine that the plug-in may import.
const FOR_THE_PLUGIN: [&str; 4] = ["music", "plan", "session", "files"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the manifest's folder is `tests`")
}

/// Rust files of a folder, without those that contain tests only.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                if name != "tests" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Code of a file, without comments and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Modules of a crate that a text names: `crate::NAME`, also in a group, `crate::{NAME::..., ...}`.
fn imports<'a>(code: &'a str, krate: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for (at, prefix) in code.match_indices(&format!("{krate}::")) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => drop(found.insert(word(rest))),
            Some(group) => {
                let mut depth = 0;
                let mut is_start = true;
                for (index, letter) in group.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => is_start = true,
                        letter if is_start && depth == 0 && letter.is_alphanumeric() => {
                            found.insert(word(&group[index..]));
                            is_start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

/// The identifier at the beginning of a text.
fn word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default()
}

#[test]
fn imports_of_a_group_are_found() {
    let code = "use crate::{\n    codec::{BarEnd, vocabulary::{FIELDS}},\n    model,\n};\nuse crate::music::Tick;";
    assert_eq!(imports(code, "crate"), BTreeSet::from(["codec", "model", "music"]));
}

#[test]
fn engine_folders_import_only_folders_below_them() {
    let mut seen = 0;
    for (folder, below) in ENGINE {
        for path in sources(&root().join("engine/src").join(folder)) {
            let code = code(&path);
            for import in imports(&code, "crate") {
                seen += 1;
                let allowed = import == folder || import == "files" || below.contains(&import);
                assert!(allowed, "{}: imports `{import}`, which is not below `{folder}`", path.display());
            }
        }
    }
    assert!(seen > 150, "only {seen} imports were found");
}

#[test]
fn every_engine_folder_has_its_place() {
    let folders = fs::read_dir(root().join("engine/src")).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let found: BTreeSet<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(found, ENGINE.iter().map(|(folder, _)| (*folder).to_owned()).collect());
}

#[test]
fn plugin_imports_no_rows_tensors_or_decoder() {
    let mut seen = 0;
    for path in sources(&root().join("plugin/src")) {
        let code = code(&path);
        for import in imports(&code, "antiphon_engine") {
            seen += 1;
            assert!(FOR_THE_PLUGIN.contains(&import), "{}: imports `antiphon_engine::{import}`", path.display());
        }
    }
    assert!(seen > 50, "only {seen} imports were found");
}

#[test]
fn engine_imports_no_other_crate_of_ours_and_the_roll_only_its_music() {
    for (folder, allowed) in [("engine/src", &[][..]), ("roll/src", &["antiphon_engine::music"])] {
        for path in sources(&root().join(folder)) {
            let code = code(&path);
            for (at, _) in code.match_indices("antiphon_") {
                let rest = &code[at..];
                let is_crate = rest.split_once("::").is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
                assert!(!is_crate || allowed.iter().any(|name| rest.starts_with(name)), "{}: {}", path.display(), word(rest));
            }
        }
    }
}
