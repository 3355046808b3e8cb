//! `cargo xtask demo`: from a fresh checkout to a phrase played by the plug-in in a host.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::layout::Format;
use crate::target::Target;
use crate::{bundle, process, system};

/// The clip to play: a tune over a piano, whose continuation is easy to judge by ear and by eye.
const CLIP: &str = "assets/demo/pop.mid";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Put this ONNX Runtime library into the bundles instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
    /// Play this MIDI file instead of our demo clip
    #[arg(long, value_name = "FILE", default_value = CLIP)]
    clip: PathBuf,
    /// Bars of the clip to play
    #[arg(long = "context-bars", default_value_t = 8)]
    context_bars: u32,
    /// Bars to plan and play, 1 to 8
    #[arg(long, default_value_t = 4)]
    bars: u32,
    /// Seed, 1 to 999: the same seed gives the same notes
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Use a virtual X server even if there is a display
    #[arg(long)]
    headless: bool,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let has_display = std::env::var_os("DISPLAY").is_some_and(|name| !name.is_empty());
    if cfg!(target_os = "linux") && (args.headless || !has_display) {
        system::ensure(&system::FOR_DISPLAY)?;
    }
    let library = bundle::make(root, Target::here()?, args.onnxruntime.as_deref())?.library(Format::Clap);
    // A relative path is relative to the caller's folder; our own clip is in the checkout.
    let clip = if args.clip == Path::new(CLIP) { root.join(CLIP) } else { args.clip.clone() };

    let mut host = process::cargo();
    host.args(["run", "--release", "--locked", "--manifest-path"]).arg(root.join("Cargo.toml"));
    host.args(["--package", "antiphon-tests", "--no-default-features", "--bin", "demo", "--", "--bundle"]).arg(library);
    host.arg("--clip").arg(clip).arg("--out").arg(root.join("out/demo"));
    for (name, value) in [("--context-bars", args.context_bars), ("--bars", args.bars), ("--seed", args.seed)] {
        host.arg(name).arg(value.to_string());
    }
    if args.headless {
        host.arg("--headless");
    }
    process::run(&mut host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_clip_exists() {
        assert!(crate::root().join(CLIP).is_file());
    }
}
