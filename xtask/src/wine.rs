//! `cargo xtask test --windows`: the Windows build in Wine.
//!
//! Libraries and programs are laid out as in the archive of `cargo xtask dist --target x86_64-pc-windows-gnu`, but built in the profile of
//! tests, unless `--release` is given; a small host (`tests/src/bin/small_host`) loads them. The tests in `tests/tests/wine` run on
//! Linux, start the host in Wine, and compare what it wrote with what the Linux build writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::built::{self, Built};
use crate::dist::{self, Products};
use crate::layout::Format;
use crate::target::{Profile, Target};
use crate::{cli, process, runtime, setup, system};

/// The platform that is tested.
const TRIPLE: &str = "x86_64-pc-windows-gnu";
/// Replacement for a library that Wine 8 lacks.
const STUB: &str = "xtask/windows/bcryptprimitives.c";
/// Neither Mono nor Gecko is needed, nor entries in the menus of the desktop.
const OVERRIDES: &str = "mscoree=;mshtml=;winemenubuilder.exe=d";
/// The package of the programs that load the plug-in.
pub(crate) const HOSTS: &str = "antiphon-tests";
/// Unit tests of what exists on Windows only, by parts of their names. Some that are the same on every system have these parts, too.
const UNIT_TESTS: [&str; 2] = ["drag::", "model::"];
/// The test in `tests/tests/wine` that takes the command line alone.
const COMMAND_LINE_TEST: &str = "notes::command_line_writes_the_files_of_linux";

pub(crate) fn run(root: &Path, linux_runtime: &Path, profile: Profile, rest: &[String]) -> Result<()> {
    install()?;
    let target = Target::named(TRIPLE)?.with(profile);
    let (products, hosts) = match profile {
        Profile::Dev => {
            let built = Built::make(root, target, None, &dist::PACKAGES, &[HOSTS])?;
            (Products::assemble(root, &built)?, built.messages)
        }
        Profile::Release => (Products::make(root, target, None)?, built::build(root, target, &[HOSTS])?),
    };
    let [command_line, _] = products.command_line.files();
    let host = |name| built::executable(&hosts, name).with_context(|| format!("Cargo named no program {name}"));
    let wine = Wine::prepare(root)?;
    let mut tests = target.cargo(root, "test")?;
    wine.apply(&mut tests);
    tests.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine");
    // With the packages that were built together, so that Cargo takes the features that the crates they share were built with.
    for package in dist::PACKAGES.iter().chain(&[HOSTS, "antiphon-engine"]) {
        tests.args(["--package", package]);
    }
    process::run(tests.args(["--no-default-features", "--locked", "--lib", "--"]).args(UNIT_TESTS)).context("in Wine")?;
    let paths = [
        ("ANTIPHON_WINDOWS_CLAP", products.bundles.library(Format::Clap)),
        ("ANTIPHON_WINDOWS_VST3", products.bundles.library(Format::Vst3)),
        ("ANTIPHON_WINDOWS_CLI", command_line),
        ("ANTIPHON_WINDOWS_STANDALONE", products.program.file()),
        ("ANTIPHON_WINDOWS_HOST", host("small_host")?),
        ("ANTIPHON_WINDOWS_DEMO", host("demo")?),
        ("ANTIPHON_LINUX_CLI", cli::for_tests(root)?),
        ("ANTIPHON_WINDOWS_OUT", wine.folder.clone()),
    ];
    process::run(wine.tests(root, linux_runtime, paths).args(rest)).context("in Wine")
}

/// Tests the command line alone: its crates are built in a fraction of the time of all.
pub(crate) fn run_command_line(root: &Path, linux_runtime: &Path) -> Result<()> {
    install()?;
    let target = Target::named(TRIPLE)?.with(Profile::Dev);
    let [command_line, _] = cli::make(root, target, None)?.files();
    let wine = Wine::prepare(root)?;
    let paths = [("ANTIPHON_WINDOWS_CLI", command_line), ("ANTIPHON_LINUX_CLI", cli::for_tests(root)?)];
    process::run(wine.tests(root, linux_runtime, paths).args(["--exact", COMMAND_LINE_TEST])).context("in Wine")
}

/// Installs what the tests take.
fn install() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("--windows runs the Windows build in Wine on Debian 12; on Windows, leave it out");
    }
    setup::install()?;
    system::ensure(&system::FOR_WINE)
}

/// A Windows in Wine.
struct Wine {
    /// Folder of everything, below the workspace's `target`.
    folder: PathBuf,
}

impl Wine {
    /// Makes the Windows if there is none yet.
    fn prepare(root: &Path) -> Result<Self> {
        let wine = Self { folder: root.join("target/wine") };
        fs::create_dir_all(&wine.folder).with_context(|| format!("making {}", wine.folder.display()))?;
        let system = wine.prefix().join("drive_c/windows/system32");
        if !system.is_dir() {
            let mut boot = Command::new("wineboot");
            wine.apply(&mut boot);
            // Wine links the user's folders for music and documents to those of this one's home.
            boot.env("HOME", &wine.folder);
            process::run(boot.arg("--init")).context("making a Windows in Wine")?;
            let mut wait = Command::new("wineserver");
            wine.apply(&mut wait);
            process::run(wait.arg("--wait"))?;
        }
        let stub = system.join("bcryptprimitives.dll");
        if !stub.is_file() {
            let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
            process::run(compiler.args(["-O2", "-shared", "-o"]).arg(&stub).arg(root.join(STUB)).arg("-ladvapi32"))?;
        }
        Ok(wine)
    }

    /// `cargo test` for the tests in `tests/tests/wine`, which find files by these variables. One at a time: they share Wine's server, and the
    /// plug-in plays in real time.
    fn tests(&self, root: &Path, linux_runtime: &Path, paths: impl IntoIterator<Item = (&'static str, PathBuf)>) -> Command {
        let mut tests = process::cargo();
        self.apply(&mut tests);
        tests.current_dir(root).env(runtime::VARIABLE, linux_runtime).envs(paths);
        tests.args(["test", "--workspace", "--all-features", "--locked", "--test", "wine", "--", "--include-ignored", "--test-threads=1"]);
        tests
    }

    fn prefix(&self) -> PathBuf {
        self.folder.join("prefix")
    }

    /// Variables with which programs run in it. Without a display there is none for the tests to open windows on by mistake.
    fn apply(&self, command: &mut Command) {
        command.env("WINEPREFIX", self.prefix()).env("WINEDEBUG", "-all").env("WINEDLLOVERRIDES", OVERRIDES).env_remove("DISPLAY");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_of_the_command_line_exists() {
        let (file, name) = COMMAND_LINE_TEST.split_once("::").unwrap();
        let text = fs::read_to_string(crate::root().join(format!("tests/tests/wine/{file}.rs"))).unwrap();
        assert!(text.contains(&format!("fn {name}()")), "`cargo test` with a name that fits no test runs none, and passes");
    }
}
