//! `cargo xtask install`: copies both bundles into the user's plug-in folders, or the command line into the user's program folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::{Format, Platform};
use crate::target::Target;
use crate::{bundle, cli, tree};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Put this ONNX Runtime library into the bundles instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
    /// Install the command line `antiphon` instead of the plug-ins
    #[arg(long)]
    cli: bool,
    /// Only print what would be installed where
    #[arg(long)]
    dry_run: bool,
}

/// The user's folder cannot be determined.
#[derive(Debug, thiserror::Error)]
#[error("{variable} does not name the user's folder with a full path. Set it, or copy the bundles from target/bundled by hand")]
pub(crate) struct NoHome {
    variable: &'static str,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let (platform, variable) = (Target::here()?.platform, |name: &str| std::env::var_os(name).map(PathBuf::from));
    let home = home(platform, variable)?;
    let places = if args.cli {
        cli::places(platform, &home, variable("XDG_DATA_HOME").as_deref()).into()
    } else {
        let names = bundle::names(root)?;
        Format::ALL.map(|format| place(platform, format, &names.name, &home)).to_vec()
    };
    if args.dry_run {
        for place in &places {
            let verb = if place.exists() { "replace" } else { "make" };
            println!("would {verb} {}", place.display());
        }
        return Ok(());
    }
    for (made, place) in made(root, args)?.iter().zip(&places) {
        let verb = if place.exists() { "replaced" } else { "made" };
        install(made, place)?;
        println!("{verb} {}", place.display());
    }
    match places.first().and_then(|program| program.parent()) {
        Some(folder) if args.cli => cli::say_how_to_start(folder, variable("PATH").as_deref()),
        _ => println!("Let the host look for new plug-ins."),
    }
    Ok(())
}

/// Builds what is to be installed, in the order of its destinations.
fn made(root: &Path, args: &Args) -> Result<Vec<PathBuf>> {
    if args.cli {
        return Ok(cli::make(root, Target::here()?, args.onnxruntime.as_deref())?.files().into());
    }
    let bundles = bundle::make(root, Target::here()?, args.onnxruntime.as_deref())?;
    Ok(Format::ALL.map(|format| bundles.folder(format)).into())
}

/// The folder that contains the user's plug-in folders.
fn home(platform: Platform, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, NoHome> {
    let name = platform.system.home_variable();
    variable(name).filter(|home| home.is_absolute()).ok_or(NoHome { variable: name })
}

/// Destination of the bundle of `format`.
fn place(platform: Platform, format: Format, name: &str, home: &Path) -> PathBuf {
    platform.system.plugin_folder(format, home).join(platform.bundle(format, name).folder)
}

/// Copies the folder or file `made` to `place`; leaves `place` unchanged on failure.
fn install(made: &Path, place: &Path) -> Result<()> {
    let folder = place.parent().with_context(|| format!("{} lies in no folder", place.display()))?;
    let staging = tree::staging(folder)?;
    let new = staging.path().join("new");
    if made.is_dir() { tree::copy(made, &new) } else { tree::copy_file(made, &new) }?;
    tree::put(staging, &new, place)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn second_install_replaces_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(Platform::of("linux", "x86_64").unwrap(), Format::Vst3, "Some", folder.path());
        assert_eq!(place, folder.path().join(".vst3/Some.vst3"));
        let bundle = folder.path().join("bundle");
        fs::create_dir(&bundle).unwrap();
        for (file, other) in [("first", "second"), ("second", "first")] {
            fs::write(bundle.join(file), file).unwrap();
            install(&bundle, &place).unwrap();
            assert!(place.join(file).is_file() && !place.join(other).exists());
            fs::remove_file(bundle.join(file)).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join(".vst3")).unwrap().count(), 1);
    }

    #[test]
    fn installed_file_leaves_its_neighbours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (made, place) = (folder.path().join("built"), folder.path().join("data/antiphon/lib.so"));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place.with_file_name("standalone.json"), "settings").unwrap();
        for text in ["first", "second"] {
            fs::write(&made, text).unwrap();
            install(&made, &place).unwrap();
            assert_eq!(fs::read_to_string(&place).unwrap(), text);
        }
        assert_eq!(fs::read_to_string(place.with_file_name("standalone.json")).unwrap(), "settings");
    }

    #[test]
    fn missing_home_is_an_error_that_names_the_variable() {
        for (os, variable) in [("linux", "HOME"), ("windows", "LOCALAPPDATA")] {
            let platform = Platform::of(os, "x86_64").unwrap();
            for value in [None, Some(PathBuf::from("relative"))] {
                let error = home(platform, |_| value.clone()).unwrap_err();
                assert!(error.to_string().contains(variable), "{error}");
            }
        }
    }
}
