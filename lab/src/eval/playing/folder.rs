//! The folder that generated clips are kept in: `prompt/`, `generated/` and `real/` with a MIDI file of each name, and `clips.json`, which lists them.

use std::fs;
use std::path::Path;

use antiphon_engine::files::write_whole;
use antiphon_engine::music::{Clip, smf};
use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::prompts::Excerpt;

/// Name of the list.
const LIST: &str = "clips.json";

/// The folders, in the order of [`Triple`].
const FOLDERS: [&str; 3] = ["prompt", "generated", "real"];

/// Longest stem that a file's name takes from its piece.
const LONGEST_STEM: usize = 60;

/// What the folder holds and how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct List {
    /// The model's name.
    pub(super) model: String,
    /// The seed of the first clip; the others have the following ones.
    pub(super) seed: u64,
    /// Bars of each prompt.
    pub(super) prompt_bars: u32,
    /// Bars of each clip.
    pub(super) bars: u32,
    /// Sources none of whose pieces is long enough.
    pub(super) too_short: Vec<String>,
    pub(super) clips: Vec<Entry>,
}

/// A clip of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its files' name.
    pub(super) name: String,
    /// The prompt's source.
    pub(super) source: String,
    /// The prompt's piece.
    pub(super) piece: String,
    /// The piece's bar that follows the prompt, counted from 1.
    pub(super) bar: u32,
}

/// What was heard, what the model made of it, and what the piece makes of it. Each begins at its own tick 0.
#[derive(Debug, Clone)]
pub(super) struct Triple {
    pub(super) prompt: Clip,
    pub(super) generated: Clip,
    pub(super) real: Clip,
}

impl Entry {
    /// The entry of the prompt with this number.
    pub(super) fn new(number: usize, prompt: &Excerpt) -> Self {
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

/// Makes the folder and those in it, before the work begins.
pub(super) fn create(folder: &Path) -> Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken || folder.is_file() {
        bail!("{}: is there already; name a new folder, or measure this one with --measure", folder.display());
    }
    for name in FOLDERS {
        let path = folder.join(name);
        fs::create_dir_all(&path).with_context(|| format!("{}: cannot be made; check --out", path.display()))?;
    }
    Ok(())
}

/// Writes the files of a clip.
pub(super) fn write(folder: &Path, entry: &Entry, prompt: &Excerpt, generated: &Clip) -> Result<()> {
    for (name, clip) in FOLDERS.into_iter().zip([&prompt.heard, generated, &prompt.real]) {
        let path = folder.join(name).join(&entry.name);
        let bytes = smf::write(clip).with_context(|| path.display().to_string())?;
        write_whole(&path, &bytes).with_context(|| format!("{}: cannot be written; check --out and the free space", path.display()))?;
    }
    Ok(())
}

/// Writes the list: the folder is complete then.
pub(super) fn finish(folder: &Path, list: &List) -> Result<()> {
    let path = folder.join(LIST);
    let text = serde_json::to_vec_pretty(list)?;
    write_whole(&path, &text).with_context(|| format!("{}: cannot be written; check --out and the free space", path.display()))
}

/// Reads a complete folder.
pub(super) fn read(folder: &Path) -> Result<(List, Vec<Triple>)> {
    let path = folder.join(LIST);
    let text = fs::read(&path).with_context(|| format!("{}: cannot be read; name a folder made with --generate", path.display()))?;
    let list: List = serde_json::from_slice(&text).with_context(|| format!("{}: is damaged; make the clips anew", path.display()))?;
    let clip = |folder_name: &str, entry: &Entry| -> Result<Clip> { Ok(smf::read_file(&folder.join(folder_name).join(&entry.name))?.clip) };
    let [prompt, generated, real] = FOLDERS;
    let triple = |entry: &Entry| -> Result<Triple> {
        Ok(Triple { prompt: clip(prompt, entry)?, generated: clip(generated, entry)?, real: clip(real, entry)? })
    };
    let triples = list.clips.par_iter().map(triple).collect::<Result<_>>()?;
    Ok((list, triples))
}
