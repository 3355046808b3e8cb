//! `cargo xtask test --arm`: the build for Linux on 64-bit Arm, in an emulator of its processor.
//!
//! The command line runs there, and the plug-in in hosts without a window. The tests in `tests/tests/arm` run on this system, start
//! these programs in the emulator, and compare what they wrote with what the build for this system writes. The stand-alone program is left
//! out: it links ALSA's library, which Debian has no cross-compiling package of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::built::Built;
use crate::layout::Format;
use crate::target::{Profile, Target};
use crate::{bundle, cli, process, runtime, setup, system, wine};

/// The packages that are tested.
const PACKAGES: [&str; 2] = [bundle::PACKAGE, cli::PACKAGE];
/// The platform that is tested.
const TRIPLE: &str = "aarch64-unknown-linux-gnu";
/// What `qemu-aarch64` emulates, on this system's kernel: the processor of a Raspberry Pi 5.
const PROCESSOR: &str = "cortex-a76";
/// What Linux says of it. ONNX Runtime reads it, and does not start with that of another kind.
const PROCESSORS: &str = "processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

";
/// Debian's C library for that processor.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu/lib";

pub(crate) fn run(root: &Path, runtime_here: &Path, rest: &[String]) -> Result<()> {
    setup::install()?;
    system::ensure(&system::FOR_EMULATOR)?;
    let target = Target::named(TRIPLE)?.with(Profile::Dev);
    let built = Built::make(root, target, None, &PACKAGES, &[wine::HOSTS])?;
    let bundles = bundle::assemble(root, &built)?;
    let [command_line, _] = cli::assemble(root, &built)?.files();
    let [host, demo] = ["small_host", "demo"].map(|name| built.executable(name));
    let emulated = Emulated::prepare(root)?;

    let linux = cli::for_tests(root)?;
    let mut tests = process::cargo();
    emulated.apply(&mut tests);
    tests.current_dir(root).env(runtime::VARIABLE, runtime_here);
    for (variable, path) in [
        ("ANTIPHON_ARM_CLAP", bundles.library(Format::Clap)),
        ("ANTIPHON_ARM_CLI", command_line),
        ("ANTIPHON_ARM_VST3", bundles.library(Format::Vst3)),
        ("ANTIPHON_ARM_HOST", host?),
        ("ANTIPHON_ARM_DEMO", demo?),
        ("ANTIPHON_LINUX_CLI", linux),
    ] {
        tests.env(variable, path);
    }
    tests.args(["test", "--workspace", "--all-features", "--locked", "--test", "arm", "--", "--include-ignored", "--test-threads=1"]);
    process::run(tests.args(rest)).context("in the emulator")
}

/// The system that programs in the emulator see: this one, except for what its folder holds.
struct Emulated {
    folder: PathBuf,
}

impl Emulated {
    fn prepare(root: &Path) -> Result<Self> {
        let folder = root.join("target/emulated");
        let processors = folder.join("proc");
        let written = fs::create_dir_all(&processors).and_then(|()| fs::write(processors.join("cpuinfo"), PROCESSORS));
        written.with_context(|| format!("writing {}", processors.display()))?;
        // A link: the standard library has no function for it that exists on every system.
        process::run(Command::new("ln").args(["-sfn", LIBRARIES]).arg(folder.join("lib")))?;
        Ok(Self { folder })
    }

    /// Variables with which the emulator runs programs in it.
    fn apply(&self, command: &mut Command) {
        command.env("QEMU_LD_PREFIX", &self.folder).env("QEMU_CPU", PROCESSOR);
    }
}
