//! The output folder of `--generate`: `prompt/`, `generated/` and `real/` with a MIDI file per clip and name, and `clips.json`, the manifest.

use std::fs;
use std::path::Path;

use antiphon_engine::files::write_whole;
use antiphon_engine::music::{Clip, smf};
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::prompts::EvalPrompt;

/// File name of the manifest. Written last: a folder with it is complete.
const MANIFEST: &str = "clips.json";

/// Sub-folders, in the order of the fields of [`Triple`].
const FOLDERS: [&str; 3] = ["prompt", "generated", "real"];

/// Most characters that a file name takes from the name of its piece.
const LONGEST_STEM: usize = 60;

/// The manifest: what the folder holds and how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Name of the model.
    pub(super) model: String,
    /// Seed of the first clip; clip n has this seed + n.
    pub(super) seed: u64,
    /// Bars of each prompt.
    pub(super) prompt_bars: u32,
    /// Bars of each clip.
    pub(super) bars: u32,
    /// Sources without a piece that is long enough.
    pub(super) too_short: Vec<String>,
    pub(super) clips: Vec<Entry>,
}

/// A clip of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// File name, the same in all sub-folders.
    pub(super) name: String,
    /// Source of the piece.
    pub(super) source: String,
    /// Path of the piece in the folder of sources.
    pub(super) piece: String,
    /// The piece's bar that follows the prompt, counted from 1.
    pub(super) bar: u32,
}

/// A prompt, its continuation by the model, and its continuation in the piece. Each starts at tick 0.
#[derive(Debug, Clone)]
pub(super) struct Triple {
    pub(super) prompt: Clip,
    pub(super) generated: Clip,
    pub(super) real: Clip,
}

impl Entry {
    /// The entry for a prompt.
    pub(super) fn new(number: usize, prompt: &EvalPrompt) -> Self {
        let stem = prompt.path.rsplit('/').next().unwrap_or_default();
        let stem: String = stem.trim_end_matches(".mid").chars().take(LONGEST_STEM).collect();
        Self {
            name: format!("{number:04}-{}-{stem}.mid", prompt.source),
            source: prompt.source.clone(),
            piece: prompt.path.clone(),
            bar: prompt.bar,
        }
    }
}

/// Creates the folder and its sub-folders, before the work begins.
pub(super) fn create(folder: &Path) -> Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken || folder.is_file() {
        bail!("{}: the folder is not empty; name a new one, or measure this one with --measure", folder.display());
    }
    for name in FOLDERS {
        let path = folder.join(name);
        fs::create_dir_all(&path).with_context(|| format!("{}: cannot be created; check --out", path.display()))?;
    }
    Ok(())
}

/// Writes the files of a clip.
pub(super) fn write(folder: &Path, entry: &Entry, prompt: &EvalPrompt, generated: &Clip) -> Result<()> {
    for (name, clip) in FOLDERS.into_iter().zip([&prompt.context, generated, &prompt.real]) {
        let path = folder.join(name).join(&entry.name);
        let bytes = smf::write(clip).with_context(|| path.display().to_string())?;
        write_whole(&path, &bytes).with_context(|| format!("{}: cannot be written; check --out and the free space", path.display()))?;
    }
    Ok(())
}

/// Writes the manifest, which completes the folder.
pub(super) fn finish(folder: &Path, manifest: &Manifest) -> Result<()> {
    let path = folder.join(MANIFEST);
    let text = serde_json::to_vec_pretty(manifest)?;
    write_whole(&path, &text).with_context(|| format!("{}: cannot be written; check --out and the free space", path.display()))
}

/// Reads the manifest and all clips of a complete folder.
pub(super) fn read(folder: &Path) -> Result<(Manifest, Vec<Triple>)> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).with_context(|| format!("{}: cannot be read; name a folder written by --generate", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .with_context(|| format!("{}: is damaged; generate the clips again with --generate", path.display()))?;
    let clip = |folder_name: &str, entry: &Entry| -> Result<Clip> { Ok(smf::read_file(&folder.join(folder_name).join(&entry.name))?.clip) };
    let [prompt, generated, real] = FOLDERS;
    let triple = |entry: &Entry| -> Result<Triple> {
        Ok(Triple { prompt: clip(prompt, entry)?, generated: clip(generated, entry)?, real: clip(real, entry)? })
    };
    let triples = manifest.clips.par_iter().map(triple).collect::<Result<_>>()?;
    Ok((manifest, triples))
}
