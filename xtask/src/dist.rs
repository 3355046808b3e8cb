//! `cargo xtask dist`: one archive for this platform, to be installed by copying folders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bundle::{self, Bundles};
use crate::layout::{Format, Platform, System};
use crate::pack::{self, Kind};
use crate::standalone::{self, Program};
use crate::tree;

/// Folder for archives.
const FOLDER: &str = "dist";
/// How to install and remove, for users of the archive.
const INSTRUCTIONS: &str = "INSTALL.txt";
/// Also copied to the top of the archive, where it is easy to find.
const LICENCES: &str = "licences";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Put this ONNX Runtime library into the bundles and next to the program instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let bundles = bundle::make(root, args.onnxruntime.as_deref())?;
    let program = standalone::make(root, args.onnxruntime.as_deref())?;
    let (archive, checksum) = write(&bundles, &program, &root.join(FOLDER))?;
    println!("{}\n{}", archive.display(), checksum.display());
    Ok(())
}

/// Name of the archive and of its top folder.
fn name(platform: Platform, bundles: &str) -> String {
    format!("{bundles}-{}-{}-{}", env!("CARGO_PKG_VERSION"), platform.system.name(), platform.arch)
}

/// Packs bundles and program into an archive in `folder`; returns the paths of the archive and of its checksum.
fn write(bundles: &Bundles, program: &Program, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (platform, kind) = (bundles.platform, Kind::of(bundles.platform.system));
    let name = name(platform, &bundles.name);
    let staging = tree::staging(folder)?;
    let new = staging.path().join(&name);
    for format in Format::ALL {
        tree::copy(&bundles.folder(format), &new.join(bundles.layout(format).folder))?;
    }
    tree::copy(&program.folder(), &new.join(&program.layout.folder))?;
    // The program contains everything the plug-ins contain.
    tree::copy(&program.folder().join(&program.layout.resources).join(LICENCES), &new.join(LICENCES))?;
    let instructions = new.join(INSTRUCTIONS);
    fs::write(&instructions, instruct(bundles, program)).with_context(|| format!("writing {}", instructions.display()))?;

    let file = format!("{name}.{}", kind.suffix());
    let bytes = pack::pack(kind, &new)?;
    let put = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let (made, place) = (staging.path().join(name), folder.join(name));
        fs::write(&made, bytes).and_then(|()| fs::rename(&made, &place)).with_context(|| format!("writing {}", place.display()))?;
        Ok(place)
    };
    Ok((put(&file, &bytes)?, put(&format!("{file}.sha256"), pack::checksum(&file, &bytes).as_bytes())?))
}

/// Text of [`INSTRUCTIONS`].
fn instruct(bundles: &Bundles, program: &Program) -> String {
    let system = bundles.platform.system;
    let home = match system {
        System::Linux | System::MacOs => "~",
        System::Windows => "%LOCALAPPDATA%",
    };
    let line = |format| {
        let folder = system.plugin_folder(format, Path::new(home));
        format!("  {:<14} into  {}", bundles.layout(format).folder.display(), folder.display())
    };
    let [clap, vst3] = Format::ALL.map(line);
    let version = env!("CARGO_PKG_VERSION");
    let note = match system {
        System::Linux => {
            "Needs Linux with glibc 2.35 or newer (Debian 12, Ubuntu 22.04 and later), and OpenGL for its window. The\nprogram needs ALSA's library (libasound2) besides; JACK or PipeWire is used if it is there.\n"
        }
        System::MacOs => {
            "The bundles are signed for no one: if macOS refuses them, allow them in System Settings, Privacy & Security. Not tried on a Mac.\n"
        }
        System::Windows => "Not tried on Windows.\n",
    };
    let text = format!(
        "{name} {version}

Antiphon listens to the MIDI on its track and always has the next phrase ready. It needs
no network, no graphics card and no account.

Install: close the host, and copy these two folders whole

{clap}
{vst3}

Make those folders if they are not there. One of the two is enough: take VST3 for Live, Cubase,
FL Studio and Studio One, CLAP for Bitwig; REAPER has both. Then let the host look for new plug-ins.

Without a host: start {program}. It lies in a folder that can stay here or
go anywhere, whole; --help says how to choose sound and MIDI devices, metre and tempo.

Replace an older version: close the host, delete the two old folders, copy the new ones.
Projects keep their settings.

Remove: close the host, and delete the folders. Nothing else was installed; the
program keeps its settings in ~/.local/share/antiphon.

{note}
The licences of everything inside lie in the folder {LICENCES}, and in each bundle.
",
        name = bundles.name,
        program = program.layout.folder.join(&program.layout.library).display(),
    );
    // Notepad on older versions of Windows needs CR LF.
    if system == System::Windows { text.replace('\n', "\r\n") } else { text }
}

#[cfg(test)]
mod tests {
    use flate2::read::GzDecoder;

    use super::*;

    /// Minimal bundles and program for a platform.
    fn products(home: &Path, os: &str) -> (Bundles, Program) {
        let bundles = Bundles { home: home.to_owned(), platform: Platform::of(os, "x86_64").unwrap(), name: "Some".into() };
        let program = Program { home: home.to_owned(), layout: bundles.platform.program("Some") };
        for layout in Format::ALL.map(|format| bundles.layout(format)).into_iter().chain([bundles.platform.program("Some")]) {
            let files =
                [layout.library, layout.resources.join("licences/crates.md"), layout.resources.join(bundles.platform.system.runtime())];
            for file in files {
                let path = home.join(&layout.folder).join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "some").unwrap();
            }
        }
        (bundles, program)
    }

    #[test]
    fn archive_contains_bundles_program_licences_and_instructions() {
        let folder = tempfile::tempdir().unwrap();
        let (bundles, program) = products(&folder.path().join("bundled"), "linux");
        let place = folder.path().join("dist");
        let (archive, checksum) = write(&bundles, &program, &place).unwrap();
        let name = format!("Some-{}-linux-x86_64", env!("CARGO_PKG_VERSION"));
        assert_eq!(archive, place.join(format!("{name}.tar.gz")));
        let bytes = fs::read(&archive).unwrap();
        assert_eq!(fs::read_to_string(checksum).unwrap(), pack::checksum(&format!("{name}.tar.gz"), &bytes));
        assert_eq!(fs::read_dir(&place).unwrap().count(), 2, "nothing else stays there");

        let unpacked = folder.path().join("unpacked");
        tar::Archive::new(GzDecoder::new(bytes.as_slice())).unpack(&unpacked).unwrap();
        let inside = unpacked.join(name);
        for file in [
            "Some/Some.clap",
            "Some/libonnxruntime.so",
            "Some/licences/crates.md",
            "Some.vst3/Contents/x86_64-linux/Some.so",
            "Some.vst3/Contents/Resources/libonnxruntime.so",
            "Some-standalone/some-standalone",
            "Some-standalone/libonnxruntime.so",
            "Some-standalone/licences/crates.md",
            "licences/crates.md",
        ] {
            assert_eq!(fs::read_to_string(inside.join(file)).unwrap(), "some", "{file}");
        }
        let text = fs::read_to_string(inside.join("INSTALL.txt")).unwrap();
        for said in ["Some.vst3", "~/.clap", "~/.vst3", "Remove:", "start Some-standalone/some-standalone"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 5);
        // Packing again gives the same bytes.
        assert_eq!(fs::read(write(&bundles, &program, &place).unwrap().0).unwrap(), bytes);
    }

    #[test]
    fn windows_and_macos_get_a_zip_with_their_own_folders() {
        for (os, folder_name) in [("windows", "%LOCALAPPDATA%"), ("macos", "~/Library/Audio/Plug-Ins")] {
            let folder = tempfile::tempdir().unwrap();
            let (bundles, program) = products(&folder.path().join("bundled"), os);
            let (archive, _) = write(&bundles, &program, &folder.path().join("dist")).unwrap();
            assert!(archive.to_str().unwrap().ends_with(&format!("-{os}-x86_64.zip")), "{}", archive.display());
            let text = instruct(&bundles, &program);
            assert!(text.contains(folder_name) && text.contains("Not tried"), "{text}");
        }
    }
}
