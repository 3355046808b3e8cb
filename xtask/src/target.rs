//! What a chore builds for: the platform it runs on, or another one, by cross-compilation on Debian 12.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout::{Platform, System};
use crate::system::{self, Package};
use crate::toolchain::{Renamed, Toolchain};
use crate::{notices, process};

/// The platform that a chore builds for.
#[derive(clap::Args)]
pub(crate) struct TargetArgs {
    /// Cross-compile for x86_64-pc-windows-gnu or aarch64-unknown-linux-gnu, on Debian 12; installs what is missing
    #[arg(long = "target", value_name = "TRIPLE")]
    triple: Option<String>,
}

impl TargetArgs {
    pub(crate) fn target(&self) -> Result<Target> {
        self.triple.as_deref().map_or_else(Target::here, Target::named)
    }
}

/// A platform, and how to build for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) platform: Platform,
    /// `None`: with the toolchain of this system.
    cross: Option<&'static Cross>,
    pub(crate) profile: Profile,
    /// Whether a build in the release profile names no folder of this machine.
    hides_folders: bool,
}

/// A profile of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What is handed on.
    Release,
    /// For tests: built in a fraction of the time, with the compiler's checks of arithmetic and the like.
    Dev,
}

impl Profile {
    /// Arguments of Cargo that select it.
    pub(crate) const fn args(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release"],
            Self::Dev => &[],
        }
    }
}

/// A platform reached by cross-compilation.
#[derive(Debug)]
struct Cross {
    /// Rust's name of the platform.
    triple: &'static str,
    os: &'static str,
    arch: &'static str,
    /// C compiler that links. `None`: the system's own libraries are not to be had, so that code can only be checked.
    linker: Option<&'static str>,
    /// Linker and system libraries.
    packages: &'static [Package],
    /// Flags of what is handed on, besides those of every platform.
    flags: &'static [&'static str],
    /// Settings of Cargo for builds in the profile of tests.
    dev_settings: &'static [&'static str],
    /// Licences of what the linker adds, and their names in a bundle.
    notices: &'static [(&'static str, &'static str)],
}

const CROSS: [Cross; 3] = [
    Cross {
        triple: "x86_64-pc-windows-gnu",
        os: "windows",
        arch: "x86_64",
        linker: Some("x86_64-w64-mingw32-gcc"),
        packages: &system::FOR_WINDOWS,
        // The linker would write the time of the build into the file. The symbols of import libraries have the names of temporary folders.
        flags: &["-Clink-arg=-Wl,--no-insert-timestamp", "-Cstrip=symbols"],
        // OLE passes the ids of interfaces at odd addresses. The processor reads them, the check of a debug build ends the process.
        dev_settings: &["profile.dev.package.antiphon-plugin.debug-assertions=false"],
        notices: &[
            ("/usr/share/doc/mingw-w64-x86-64-dev/copyright", "mingw-w64.txt"),
            ("/usr/share/doc/gcc-mingw-w64-base/copyright", "gcc-runtime.txt"),
        ],
    },
    Cross {
        triple: "aarch64-unknown-linux-gnu",
        os: "linux",
        arch: "aarch64",
        linker: Some("aarch64-linux-gnu-gcc"),
        packages: &system::FOR_ARM,
        flags: &[],
        // Tests run in an emulator, for what is computed and not for how long it takes.
        dev_settings: &["profile.dev.package.\"*\".opt-level=0", "profile.dev.package.antiphon-plugin.opt-level=0"],
        notices: &[],
    },
    Cross {
        triple: "aarch64-apple-darwin",
        os: "macos",
        arch: "aarch64",
        linker: None,
        packages: &[],
        flags: &[],
        dev_settings: &[],
        notices: &[],
    },
];

impl Cross {
    /// `cargo COMMAND` for the platform.
    fn cargo(&self, root: &Path, command: &str) -> Result<Command> {
        if self.linker.is_none() && command != "check" {
            bail!("--target {}: linking takes libraries that come with the system only. Build there; here it can be checked", self.triple);
        }
        // A check links nothing.
        if command != "check" {
            system::ensure(self.packages)?;
        }
        let mut cargo = Toolchain::obtain(root, self.triple)?.cargo()?;
        if let Some(linker) = self.linker {
            cargo.env(format!("CARGO_TARGET_{}_LINKER", self.triple.to_uppercase().replace('-', "_")), linker);
        }
        cargo.args([command, "--target", self.triple]);
        Ok(cargo)
    }
}

impl Target {
    /// The platform this program runs on.
    pub(crate) fn here() -> Result<Self> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let platform = Platform::of(os, arch)
            .with_context(|| format!("no layout of bundles is known for {os} on {arch}: add it to xtask/src/layout.rs"))?;
        Ok(Self { platform, cross: None, profile: Profile::Release, hides_folders: false })
    }

    /// The platform that Rust calls `triple`.
    pub(crate) fn named(triple: &str) -> Result<Self> {
        let Some(cross) = CROSS.iter().find(|cross| cross.triple == triple) else {
            let known = CROSS.map(|cross| cross.triple).join(", ");
            bail!("--target {triple}: only these can be cross-compiled: {known}. Leave it out to build for this system")
        };
        let platform = Platform::of(cross.os, cross.arch).with_context(|| format!("{triple} has no layout of bundles"))?;
        Ok(Self { platform, cross: Some(cross), profile: Profile::Release, hides_folders: true })
    }

    /// The same platform in another profile.
    pub(crate) const fn with(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// The same platform, for what other machines get: a release build that names no folder of this one. For this system that is a build of
    /// its own, since the compiler's flags of its user do not count.
    pub(crate) const fn for_others(self) -> Self {
        Self { hides_folders: true, ..self }
    }

    /// Folders of this machine that a release build names, and the names it has for them.
    pub(crate) fn renamed(self, root: &Path) -> Result<Vec<Renamed>> {
        Ok(self.toolchain(root)?.renamed(root))
    }

    fn toolchain(self, root: &Path) -> Result<Toolchain> {
        self.cross.map_or_else(Toolchain::here, |cross| Toolchain::obtain(root, cross.triple))
    }

    /// Whether another platform than this one is built for.
    pub(crate) const fn is_cross(self) -> bool {
        self.cross.is_some()
    }

    /// `cargo COMMAND` in the workspace, for this platform and profile. Installs what cross-compiling lacks.
    pub(crate) fn cargo(self, root: &Path, command: &str) -> Result<Command> {
        let mut flags = Vec::new();
        let mut cargo = match self.cross {
            None => {
                let mut cargo = process::cargo();
                cargo.arg(command);
                cargo
            }
            Some(cross) => {
                flags.extend(cross.flags.iter().map(|&flag| flag.to_owned()));
                cross.cargo(root, command)?
            }
        };
        cargo.current_dir(root).args(self.profile.args());
        match self.profile {
            Profile::Release if self.hides_folders => {
                flags.extend(self.toolchain(root)?.flags(root));
                cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
            }
            Profile::Release => {}
            Profile::Dev => {
                for setting in self.cross.map_or(&[][..], |cross| cross.dev_settings) {
                    cargo.args(["--config", setting]);
                }
            }
        }
        Ok(cargo)
    }

    /// Installs what building for this platform takes.
    pub(crate) fn prepare(self, root: &Path) -> Result<()> {
        let Some(cross) = self.cross else { return Ok(()) };
        system::ensure(cross.packages)?;
        Toolchain::obtain(root, cross.triple).map(drop)
    }

    /// Arguments that make `cargo tree` list the crates of this platform.
    pub(crate) fn tree_args(self) -> Vec<&'static str> {
        self.cross.map_or(Vec::new(), |cross| vec!["--target", cross.triple])
    }

    /// Licences of Rust's standard library and of what the linker adds, as files and their names in a bundle.
    pub(crate) fn notices(self, root: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
        let Some(cross) = self.cross else {
            return Ok(notices::of_rust().into_iter().collect());
        };
        let of_rust = Toolchain::obtain(root, cross.triple)?.licence_of_std();
        let of_linker = cross.notices.iter().map(|&(path, name)| (PathBuf::from(path), name));
        Ok(of_rust.into_iter().chain(of_linker).collect())
    }

    /// Ending of a shared library's file name, without the dot.
    pub(crate) const fn library_extension(self) -> &'static str {
        match self.platform.system {
            System::Linux => "so",
            System::MacOs => "dylib",
            System::Windows => "dll",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_found_by_their_triples() {
        for (triple, system, extension) in
            [("x86_64-pc-windows-gnu", System::Windows, "dll"), ("aarch64-unknown-linux-gnu", System::Linux, "so")]
        {
            let target = Target::named(triple).unwrap();
            assert_eq!((target.platform.system, target.library_extension()), (system, extension));
            assert!(target.is_cross());
            assert_eq!(target.tree_args(), ["--target", triple]);
        }
        let here = Target::here().unwrap();
        assert_eq!((here.library_extension(), here.is_cross()), (std::env::consts::DLL_EXTENSION, false));
        assert!(here.tree_args().is_empty());
    }

    #[test]
    fn release_profile_is_used_unless_another_is_chosen() {
        let target = Target::here().unwrap();
        let args =
            |target: Target| target.cargo(crate::root(), "build").unwrap().get_args().map(std::ffi::OsStr::to_owned).collect::<Vec<_>>();
        assert_eq!(args(target), ["build", "--release"]);
        assert_eq!(args(target.with(Profile::Dev)), ["build"]);
    }

    #[test]
    fn what_others_get_is_built_without_the_names_of_folders_here() {
        let target = Target::here().unwrap();
        let flags = |target: Target| {
            let cargo = target.cargo(crate::root(), "build").unwrap();
            let mut variables = cargo.get_envs();
            variables.find(|(name, _)| *name == "CARGO_ENCODED_RUSTFLAGS").and_then(|(_, flags)| flags?.to_str().map(String::from))
        };
        assert_eq!(flags(target), None, "the user's own flags count");
        let hidden = format!("--remap-path-prefix={}=/antiphon\u{1f}", crate::root().display());
        assert!(flags(target.for_others()).unwrap().starts_with(&hidden));
        assert_eq!(flags(target.for_others().with(Profile::Dev)), None);
    }

    #[test]
    fn platform_without_a_linker_can_only_be_checked() {
        let target = Target::named("aarch64-apple-darwin").unwrap();
        assert_eq!(target.platform.system, System::MacOs);
        let error = target.cargo(crate::root(), "build").unwrap_err().to_string();
        assert!(error.contains("aarch64-apple-darwin") && error.contains("checked"), "{error}");
    }

    #[test]
    fn unknown_triple_is_an_error_that_lists_the_known_ones() {
        let error = Target::named("riscv64gc-unknown-linux-gnu").unwrap_err().to_string();
        assert!(error.contains("riscv64gc") && error.contains("x86_64-pc-windows-gnu"), "{error}");
    }
}
