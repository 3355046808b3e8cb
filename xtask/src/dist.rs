//! `cargo xtask dist`: one archive for this platform, to be installed by copying folders.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::built::Built;
use crate::bundle::{self, Bundles};
use crate::cli::{self, CommandLine};
use crate::imports::{self, Sound};
use crate::layout::{Format, Platform, System};
use crate::pack::{self, Kind};
use crate::standalone::{self, Program};
use crate::target::{Target, TargetArgs};
use crate::toolchain::Renamed;
use crate::{line_ends, traces, tree};

/// Folder for archives.
const FOLDER: &str = "dist";
/// How to install and remove, for users of the archive.
const INSTRUCTIONS: &str = "INSTALL.txt";
/// Also copied to the top of the archive, where it is easy to find.
const LICENCES: &str = "licences";

/// The packages of the programs. They are built together, so that crates which both take are compiled once.
const PROGRAMS: [&str; 2] = [cli::PACKAGE, standalone::PACKAGE];
/// All packages whose libraries and programs an archive contains.
pub(crate) const PACKAGES: [&str; 3] = [bundle::PACKAGE, cli::PACKAGE, standalone::PACKAGE];

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Put this ONNX Runtime library into the bundles and next to the program instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let target = args.target.target()?.for_others();
    let products = Products::make(root, target, args.onnxruntime.as_deref())?;
    products.check_traces(&target.renamed(root)?)?;
    if target.platform.system == System::Windows {
        products.check_imports()?;
    }
    eprintln!("Packing");
    let (archive, checksum) = write(&products, &root.join(FOLDER))?;
    println!("{}\n{}", archive.display(), checksum.display());
    Ok(())
}

/// Everything in an archive.
pub(crate) struct Products {
    pub(crate) bundles: Bundles,
    pub(crate) program: Program,
    pub(crate) command_line: CommandLine,
}

impl Products {
    /// Builds and lays out everything.
    ///
    /// The plug-in is built apart: beside the program it would hold the program's code for sound and MIDI devices, which the linker removes
    /// from it only in part.
    pub(crate) fn make(root: &Path, target: Target, onnxruntime: Option<&Path>) -> Result<Self> {
        let bundles = bundle::make(root, target, onnxruntime)?;
        let built = Built::make(root, target, onnxruntime, &PROGRAMS, &[])?;
        Ok(Self { bundles, program: standalone::assemble(root, &built)?, command_line: cli::assemble(root, &built)? })
    }

    /// Lays out everything from one build of all, for tests.
    pub(crate) fn assemble(root: &Path, built: &Built) -> Result<Self> {
        Ok(Self {
            bundles: bundle::assemble(root, built)?,
            program: standalone::assemble(root, built)?,
            command_line: cli::assemble(root, built)?,
        })
    }

    /// Folders at the top of the archive.
    fn folders(&self) -> [PathBuf; 4] {
        let [clap, vst3] = Format::ALL.map(|format| self.bundles.folder(format));
        [clap, vst3, self.program.folder(), self.command_line.folder()]
    }

    /// The libraries and programs that were built, and where the sound of each comes from.
    fn built(&self) -> [(PathBuf, Sound); 4] {
        let [clap, vst3] = Format::ALL.map(|format| (self.bundles.library(format), Sound::OfTheHost));
        let [command, _] = self.command_line.files();
        [clap, vst3, (self.program.file(), Sound::OfTheSystem), (command, Sound::OfTheHost)]
    }

    /// Fails if one of them names a folder of this machine.
    fn check_traces(&self, renamed: &[Renamed]) -> Result<()> {
        self.built().iter().try_for_each(|(path, _)| traces::check(path, renamed))
    }

    /// Prints what the programs and libraries of a Windows archive import; fails if some of it is not the system's.
    fn check_imports(&self) -> Result<()> {
        for (path, sound) in self.built() {
            let names = imports::check(&path, sound)?;
            eprintln!("{} imports {}", path.display(), names.into_iter().collect::<Vec<_>>().join(", "));
        }
        Ok(())
    }
}

/// Name of the archive and of its top folder.
fn name(platform: Platform, bundles: &str) -> String {
    format!("{bundles}-{}-{}", env!("CARGO_PKG_VERSION"), platform.name())
}

/// Packs everything into an archive in `folder`; returns the paths of the archive and of its checksum.
fn write(products: &Products, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let Products { bundles, program, .. } = products;
    let (platform, kind) = (bundles.platform, Kind::of(bundles.platform.system));
    let name = name(platform, &bundles.name);
    let staging = tree::staging(folder)?;
    let new = staging.path().join(&name);
    for made in products.folders() {
        let name = made.file_name().with_context(|| format!("{} has no name", made.display()))?;
        tree::copy(&made, &new.join(name))?;
    }
    // The program was built together with the command line and contains the plug-in: it has the licences of all.
    tree::copy(&program.folder().join(&program.layout.resources).join(LICENCES), &new.join(LICENCES))?;
    let instructions = new.join(INSTRUCTIONS);
    fs::write(&instructions, instruct(products)).with_context(|| format!("writing {}", instructions.display()))?;
    if platform.system == System::Windows {
        line_ends::to_crlf(&new)?;
    }

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
fn instruct(products: &Products) -> String {
    let Products { bundles, program, command_line } = products;
    let system = bundles.platform.system;
    let home = match system {
        System::Linux | System::MacOs => "~",
        System::Windows => "%LOCALAPPDATA%",
    };
    let line = |format| {
        let folder = system.plugin_folder(format, Path::new(home));
        format!("  {:<14} into  {}", bundles.layout(format).folder.display(), system.shown(&folder))
    };
    let [clap, vst3] = Format::ALL.map(line);
    let version = env!("CARGO_PKG_VERSION");
    let (unpack, folders, needs) = match system {
        System::Linux => (
            "",
            "",
            "Needs Linux with glibc 2.35 or newer (Debian 12, Ubuntu 22.04 and later), and OpenGL for its window.
The program needs ALSA's library (libasound2) besides; JACK or PipeWire is used if it is there.
",
        ),
        System::MacOs => (
            "",
            "",
            "The bundles are signed for no one: if macOS refuses them, allow them in System Settings, Privacy &
Security. Not tried on a Mac.
",
        ),
        System::Windows => (
            "unpack the whole zip (right-click it, Extract All). Then\n",
            "Type such a folder into the Explorer's address bar as it stands here: it is hidden otherwise.
Live and FL Studio look into C:\\Program Files\\Common Files\\VST3 instead, as do some versions of
other hosts, or into folders that their preferences name.
",
            "Needs 64-bit Windows 10 or newer, OpenGL 2 for its window, and Microsoft's C++ runtime, which most
computers have: the \"Visual C++ Redistributable\" (X64),
https://aka.ms/vs/17/release/vc_redist.x64.exe. Without it the status line says what is missing.
Windows may warn that a program is signed by no one: More info, Run anyway.
Built on Debian by cross-compilation, and run in Wine 8: not tried on Windows yet. Please tell us
how it went.
",
        ),
    };
    format!(
        "{name} {version}

Antiphon listens to the MIDI on its track and always has the next phrase ready. It needs no network,
no graphics card and no account.

Install: {unpack}close your host (the DAW), and copy these two folders whole

{clap}
{vst3}

Make those folders if they are not there.
{folders}One of the two is enough: take VST3 for Live, Cubase, FL Studio and Studio One, CLAP for Bitwig;
REAPER has both. Then let the host look for new plug-ins.

Without a host: start {program}.
It lies in a folder that can stay here or go anywhere, whole; --help says how to choose sound and
MIDI devices, metre and tempo.
On the command line: {command} --help
says how to continue, fill and accompany MIDI files.

Replace an older version: close the host, delete the two old folders, copy the new ones. Projects
keep their settings.

Remove: close the host, and delete the folders. Nothing else was installed. Presets that you saved
and settings of the program lie in {settings}.

{needs}
The licences of everything inside lie in the folder {LICENCES}, and in each bundle.
",
        name = bundles.name,
        program = system.shown(&program.layout.folder.join(&program.layout.library)),
        command = system.shown(&command_line.layout.folder.join(&command_line.layout.library)),
        settings = system.shown(&system.data_folder(Path::new(home), None)),
    )
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    /// Minimal bundles and program for a platform.
    fn products(home: &Path, os: &str) -> Products {
        let bundles = Bundles { home: home.to_owned(), platform: Platform::of(os, "x86_64").unwrap(), name: "Some".into() };
        let platform = bundles.platform;
        let program = Program { home: home.to_owned(), layout: platform.program("Some") };
        let command_line = CommandLine { home: home.to_owned(), layout: platform.command_line("Some", "some"), platform };
        let others = [platform.program("Some"), platform.command_line("Some", "some")];
        for layout in Format::ALL.map(|format| bundles.layout(format)).into_iter().chain(others) {
            let files =
                [layout.library, layout.resources.join("licences/crates.md"), layout.resources.join(bundles.platform.system.runtime())];
            for file in files {
                let path = home.join(&layout.folder).join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "some\n").unwrap();
            }
        }
        Products { bundles, program, command_line }
    }

    #[test]
    fn archive_contains_bundles_program_licences_and_instructions() {
        let folder = tempfile::tempdir().unwrap();
        let products = products(&folder.path().join("bundled"), "linux");
        let place = folder.path().join("dist");
        eprintln!("Packing");
        let (archive, checksum) = write(&products, &place).unwrap();
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
            "Some-cli/some",
            "Some-cli/libonnxruntime.so",
            "licences/crates.md",
        ] {
            assert_eq!(fs::read_to_string(inside.join(file)).unwrap(), "some\n", "{file}");
        }
        let text = fs::read_to_string(inside.join("INSTALL.txt")).unwrap();
        for said in [
            "Some.vst3",
            "~/.clap",
            "~/.vst3",
            "Remove:",
            "start Some-standalone/some-standalone",
            "Some-cli/some --help",
            "in ~/.local/share/antiphon.",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 6);
        // Packing again gives the same bytes.
        assert_eq!(fs::read(write(&products, &place).unwrap().0).unwrap(), bytes);
    }

    #[test]
    fn windows_and_macos_get_a_zip_with_their_own_folders() {
        let windows = [
            "%LOCALAPPDATA%\\Programs\\Common\\VST3\n",
            "in %LOCALAPPDATA%\\Antiphon.",
            "start Some-standalone\\some-standalone.exe",
            "Install: unpack the whole zip",
            "C:\\Program Files\\Common Files\\VST3",
            "vc_redist",
        ];
        let macos = ["~/Library/Audio/Plug-Ins", "in ~/Library/Application Support/Antiphon."];
        for (os, said) in [("windows", &windows[..]), ("macos", &macos)] {
            let folder = tempfile::tempdir().unwrap();
            let products = products(&folder.path().join("bundled"), os);
            let (archive, _) = write(&products, &folder.path().join("dist")).unwrap();
            assert!(archive.to_str().unwrap().ends_with(&format!("-{os}-x86_64.zip")), "{}", archive.display());
            let text = instruct(&products);
            for said in said.iter().chain(&["ot tried on"]) {
                assert!(text.contains(said), "{said}: {text}");
            }
        }
    }

    #[test]
    fn instructions_fit_into_a_window_of_a_hundred_columns() {
        let folder = tempfile::tempdir().unwrap();
        for os in ["linux", "macos", "windows"] {
            for line in instruct(&products(&folder.path().join(os), os)).lines() {
                assert!(line.chars().count() <= 100, "{os}: {line}");
            }
        }
    }

    #[test]
    fn texts_in_an_archive_for_windows_have_its_line_ends() {
        for (os, end) in [("windows", "\r\n"), ("macos", "\n")] {
            let folder = tempfile::tempdir().unwrap();
            let products = products(&folder.path().join("bundled"), os);
            let (archive, _) = write(&products, &folder.path().join("dist")).unwrap();
            let mut archive = zip::ZipArchive::new(File::open(archive).unwrap()).unwrap();
            let top = name(products.bundles.platform, "Some");
            let licences = ["licences/crates.md", "Some-cli/licences/crates.md"];
            for (file, expected) in
                licences.map(|file| (file, "some\n".to_owned())).into_iter().chain([(INSTRUCTIONS, instruct(&products))])
            {
                let mut text = String::new();
                archive.by_name(&format!("{top}/{file}")).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, expected.replace('\n', end), "{os}: {file}");
            }
            // The files that were built keep theirs.
            assert_eq!(fs::read_to_string(products.command_line.folder().join("licences/crates.md")).unwrap(), "some\n");
        }
    }
}
