//! `cargo xtask demo`: from a fresh checkout to a phrase of Antiphon's own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{process, runtime};

/// The clip that is continued: a tune over a piano, whose next phrase is easy to judge by ear and by eye.
const CLIP: &str = "assets/demo/pop.mid";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Use this ONNX Runtime library instead of fetching the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
    /// Continue this MIDI file instead of our demo clip
    #[arg(long, value_name = "FILE", default_value = CLIP)]
    clip: PathBuf,
    /// How many bars to add
    #[arg(long, default_value_t = 8)]
    bars: u32,
    /// The same seed gives the same notes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What `antiphon continue --json` prints, as far as it is read here.
#[derive(Deserialize)]
struct Answer {
    files: Vec<Written>,
    ms_per_note: f64,
}

#[derive(Deserialize)]
struct Written {
    path: PathBuf,
    picture: PathBuf,
    start_bar: u32,
    bars: u32,
    notes: u32,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let library = runtime::obtain(root, args.onnxruntime.as_deref())?;
    // A relative path is the caller's; our own clip is the checkout's.
    let clip = if args.clip == Path::new(CLIP) { root.join(CLIP) } else { args.clip.clone() };
    let folder = root.join("out/demo");
    let program = ["--release", "--locked", "--package", "antiphon-engine", "--features", "cli", "--bin", "antiphon"];
    process::run(process::cargo().current_dir(root).arg("build").args(program))?;

    let (bars, seed) = (args.bars.to_string(), args.seed.to_string());
    let mut antiphon = process::cargo();
    antiphon.arg("run").arg("--quiet").args(["--manifest-path".as_ref(), root.join("Cargo.toml").as_os_str()]).args(program);
    antiphon.args(["--", "continue"]).arg(&clip).args(["--bars", &bars, "--seed", &seed, "--picture", "--json", "-o"]).arg(&folder);
    let answer = process::read(antiphon.env(runtime::VARIABLE, &library))?;
    let answer: Answer = serde_json::from_str(&answer).context("reading what `antiphon continue --json` printed")?;
    for file in &answer.files {
        let milliseconds = answer.ms_per_note;
        println!(
            "\n{} is continued: {} notes in {} bars from bar {} on, {milliseconds:.2} ms a note.",
            args.clip.display(),
            file.notes,
            file.bars,
            file.start_bar
        );
        println!("  MIDI     {}", file.path.display());
        println!("  picture  {}", file.picture.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_clip_is_there() {
        assert!(crate::root().join(CLIP).is_file());
    }

    #[test]
    fn what_the_command_line_prints_is_understood() {
        let printed = r#"{"files":[{"path":"a.mid","picture":"a.png","start_bar":17,"bars":8,"notes":93}],"ms_per_note":0.8,"seed":2,"model":"first"}"#;
        let answer: Answer = serde_json::from_str(printed).unwrap();
        assert_eq!((answer.files[0].notes, answer.files[0].start_bar), (93, 17));
    }
}
