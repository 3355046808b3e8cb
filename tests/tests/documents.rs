//! Documents against what they describe: links and paths exist, and statements about the shipped model are true.

use std::fs;
use std::path::{Path, PathBuf};

use antiphon_engine::codec::vocabulary::VOCABULARY_VERSION;
use sha2::{Digest, Sha256};

/// Workspace root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the manifest's folder is `tests`")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Folders that paths in ARCHITECTURE.md are relative to: the root, or the room that the sentence is about.
const BASES: [&str; 6] = ["", "engine/src", "plugin/src", "models/training/antiphon_training", "cli/src", "lab/src"];

/// All documents tracked in the repository; folders of build output and downloads are skipped.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let built = ["target", "dist", "out"].contains(&name.as_str()) || name.starts_with('.');
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !built {
                folders.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// A document without its code blocks.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !is_fence && !in_code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// All texts between `open` and the next `close`, in order.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open) {
        let Some((inside, behind)) = after.split_once(close) else { break };
        found.push(inside);
        rest = behind;
    }
    found
}

/// Anchors of a document's headings, as GitHub makes them; those of two equal headings are the same.
fn anchors(document: &Path) -> Vec<String> {
    let text = prose(&fs::read_to_string(document).expect("a document can be read"));
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |letter: &char| letter.is_alphanumeric() || ['-', '_', ' '].contains(letter);
    headings.map(|heading| heading.chars().filter(kept).map(|letter| if letter == ' ' { '-' } else { letter }).collect()).collect()
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    let documents = documents();
    assert!(documents.len() > 30, "only {} documents were found", documents.len());
    let mut dead = Vec::new();
    for document in &documents {
        let text = prose(&fs::read_to_string(document).unwrap());
        for link in between(&text, "](", ")") {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let is_document = target.extension().is_some_and(|suffix| suffix == "md");
            let leads = target.exists() && (anchor.is_empty() || !is_document || anchors(&target).iter().any(|other| other == anchor));
            if !leads {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// Sentences in the strings of a Rust file, outside of comments and tests: the parts between values that have at least four words.
fn sentences(code: &str) -> Vec<&str> {
    let (code, _) = code.split_once("#[cfg(test)]").unwrap_or((code, ""));
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let strings = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let parts = strings.flat_map(|string| string.split(['{', '}']).step_by(2)).map(str::trim);
    parts.filter(|part| part.split_whitespace().count() >= 4).collect()
}

#[test]
fn manual_has_every_sentence_of_the_status_line() {
    let manual = read("docs/guide/troubleshooting.md");
    let sources = [
        "engine/src/session/planner/status.rs",
        "engine/src/session/planner/infill.rs",
        "plugin/src/host_issues.rs",
        "plugin/src/status_messages.rs",
        "plugin/src/state/mod.rs",
    ];
    for source in sources {
        let code = read(source);
        let sentences = sentences(&code);
        assert!(!sentences.is_empty(), "{source}");
        // Where there may be one thing or several, the manual names several.
        let plural = sentences.iter().filter(|sentence| !sentence.starts_with("1 ") && !sentence.starts_with("One "));
        let missing: Vec<_> = plural.filter(|sentence| !manual.contains(**sentence)).collect();
        assert!(missing.is_empty(), "{source}: {missing:#?}");
    }
}

#[test]
fn paths_of_the_architecture_exist() {
    let text = prose(&read("ARCHITECTURE.md"));
    let paths: Vec<_> = between(&text, "`", "`")
        .into_iter()
        .filter(|word| word.contains('/') && !word.contains(char::is_whitespace) && !word.contains(['*', '<', '(', ':', '$', '-']))
        .collect();
    assert!(paths.len() > 20, "only {paths:?}");
    let gone: Vec<_> = paths.iter().filter(|path| !BASES.iter().any(|base| root().join(base).join(path).exists())).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

/// Text of the Rust and Python files of a path, which may be a folder.
fn text_of(path: &Path) -> String {
    if path.is_dir() {
        fs::read_dir(path).expect("a folder can be read").flatten().map(|entry| text_of(&entry.path())).collect()
    } else if path.extension().is_some_and(|suffix| suffix == "rs" || suffix == "py") {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    } else {
        String::new()
    }
}

#[test]
fn names_in_the_table_of_changes_are_in_the_files_of_their_row() {
    let text = read("ARCHITECTURE.md");
    let table = text.split("## Where do I change").nth(1).expect("the table");
    let (mut checked, mut gone) = (0, Vec::new());
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let words = between(row, "`", "`");
        // A file named without its folder lies beside the one before it.
        let files: Vec<_> = words.iter().filter(|word| word.contains(['/', '.'])).collect();
        let mut folder = PathBuf::new();
        let mut code = String::new();
        for file in files {
            let found = BASES.iter().map(|base| root().join(base).join(file)).find(|path| path.exists());
            let path = found.unwrap_or_else(|| folder.join(file));
            folder = path.parent().unwrap_or(&path).to_path_buf();
            if path.exists() {
                code.push_str(&text_of(&path));
            }
        }
        for name in words.iter().filter(|word| word.chars().all(|letter| letter.is_alphanumeric() || letter == '_')) {
            checked += 1;
            if !code.contains(name) {
                gone.push(format!("`{name}` is in no file of the row: {row}"));
            }
        }
    }
    assert!(checked > 8, "only {checked} names");
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn table_of_changes_answers_what_newcomers_ask_first() {
    let text = read("ARCHITECTURE.md");
    let table = text.split("## Where do I change").nth(1).expect("the table");
    for question in ["a control", "the commit line", "a host quirk", "the colour of a note", "the attention policy"] {
        assert!(table.contains(&format!("| **{question}**")), "{question}");
    }
}

#[test]
fn model_interface_names_the_vocabulary_of_the_code() {
    let text = read("docs/model-interface.md");
    let versions: Vec<_> = between(&text, "vocabulary` \"", "\"");
    assert!(versions.len() >= 2, "{versions:?}");
    assert!(versions.iter().all(|version| *version == VOCABULARY_VERSION.to_string()), "{versions:?}, the code has {VOCABULARY_VERSION}");
}

#[test]
fn model_card_names_the_vocabulary_of_the_shipped_model() {
    let graph = fs::read(root().join("models/antiphon.onnx")).unwrap();
    // A metadata entry: the key, then tag and length of the value.
    let entry = b"antiphon.vocabulary\x12\x01";
    let at = graph.windows(entry.len()).position(|window| window == entry).unwrap();
    let vocabulary = char::from(graph[at + entry.len()]);
    assert!(vocabulary.is_ascii_digit());
    let card = read("models/MODEL_CARD.md");
    assert!(card.contains(&format!("| vocabulary | {vocabulary} |")), "the graph's vocabulary is {vocabulary}");
}

#[test]
fn model_card_has_the_hashes_of_the_shipped_files() {
    let card = read("models/MODEL_CARD.md");
    for file in ["antiphon.onnx", "antiphon-fp16.onnx", "reference.onnx"] {
        let sum: String =
            Sha256::digest(fs::read(root().join("models").join(file)).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(card.contains(&format!("`{sum}` {file}")), "the card lacks {sum} for {file}");
    }
}

#[test]
fn model_card_and_evaluation_agree_about_the_bits_per_note() {
    let evaluation = read("models/EVALUATION.md");
    let section = evaluation.split("## Bits per note").nth(1).unwrap();
    // | source | pieces | notes | **bits** (interval) | ...
    let bits: Vec<f64> = section
        .lines()
        .skip_while(|line| !line.starts_with("| source | pieces"))
        .skip(2)
        .take_while(|line| line.starts_with('|') && !line.contains(" pool |"))
        .map(|line| between(line, "**", "**")[0].parse().unwrap())
        .collect();
    assert!(bits.len() >= 12, "{bits:?}");
    let sum: f64 = bits.iter().sum();
    let mean = sum / f64::from(u32::try_from(bits.len()).unwrap());
    let card = read("models/MODEL_CARD.md");
    let stated: f64 = between(&card, "| mean of the sources | ", " ")[0].parse().unwrap();
    // Both are rounded to a hundredth.
    assert!((stated - mean).abs() < 0.011, "the card states {stated}, the table's mean is {mean:.3}");
}
