//! `cargo xtask gallery`: pictures of the window's main states, on a virtual X server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{process, system};

/// The pictures that tests compare with how the window looks.
const GOLDEN: &str = "tests/golden";
/// Folder with the pictures of the documents.
const PICTURES: &str = "docs/pictures";
/// Pictures of the guide: the name in the gallery, and the name of the copy.
const GUIDE: [(&str, &str); 10] = [
    ("plan", "editor"),
    ("drawer", "controls"),
    ("plan-dark", "dark"),
    ("answer", "answer"),
    ("trade", "trade"),
    ("accompany", "accompany"),
    ("infill", "infill"),
    ("variations", "variations"),
    ("locked", "locked"),
    ("stopped", "stopped"),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Accept how the window looks now: renew the pictures in tests/golden, which tests compare, and those of the guide
    #[arg(long)]
    accept: bool,
    /// Folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "out/gallery", conflicts_with = "accept")]
    out: PathBuf,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    system::ensure(&system::FOR_DISPLAY)?;
    let golden = root.join(GOLDEN);
    let (which, folder) = if args.accept { ("--golden", &golden) } else { ("--all", &args.out) };
    if args.accept && golden.is_dir() {
        // Pictures that are no longer made must not remain.
        fs::remove_dir_all(&golden).with_context(|| format!("removing {}", golden.display()))?;
    }
    let mut screenshots = process::cargo();
    screenshots.args(["run", "--locked", "--manifest-path"]).arg(root.join("Cargo.toml"));
    screenshots.args(["--package", "antiphon-tests", "--bin", "editor_screenshot", "--", which]).arg(folder);
    process::run(&mut screenshots)?;
    if args.accept {
        for (name, picture) in GUIDE {
            let (from, to) = (golden.join(name).with_extension("png"), root.join(PICTURES).join(picture).with_extension("png"));
            fs::copy(&from, &to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        }
    }
    Ok(())
}
