//! System packages missing on a minimal Debian: installed if permitted, otherwise listed in a command line to run.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// A Debian package, and a check whether it is needed.
#[derive(Debug)]
pub(crate) struct Package {
    /// Name in Debian 12.
    pub(crate) name: &'static str,
    /// Whether what it provides is already there, from Debian or from elsewhere.
    pub(crate) present: fn() -> bool,
}

/// For downloading ONNX Runtime's wheel. Debian's Python comes without pip; its pip brings the certificates.
///
/// The C linker is not listed: without one this program could not have been built.
pub(crate) const FOR_PIP: [Package; 2] = [
    Package { name: "python3", present: || process::succeeds("python3", ["--version"]) },
    Package { name: "python3-pip", present: || process::succeeds("python3", ["-m", "pip", "--version"]) },
];

/// For the editor without a display: a virtual X server, and OpenGL on the CPU.
pub(crate) const FOR_DISPLAY: [Package; 5] = [
    Package { name: "xvfb", present: || process::succeeds("Xvfb", ["-help"]) },
    Package { name: "libegl1", present: || has_library("libEGL.so.1") },
    Package { name: "libgl1-mesa-dri", present: has_drivers },
    Package { name: "libx11-xcb1", present: || has_library("libX11-xcb.so.1") },
    Package { name: "libxkbcommon-x11-0", present: || has_library("libxkbcommon-x11.so.0") },
];

/// For the tests of dragging out: a GTK 3 window as a drop target.
pub(crate) const FOR_DROP: [Package; 2] = [
    Package { name: "python3-gi", present: || process::succeeds(DEBIAN_PYTHON, ["-c", "import gi"]) },
    Package { name: "gir1.2-gtk-3.0", present: || process::succeeds(DEBIAN_PYTHON, ["-c", "import gi; gi.require_version('Gtk', '3.0')"]) },
];

/// For the keyboard tests: a window manager, which assigns the focus.
pub(crate) const FOR_FOCUS: [Package; 1] = [Package { name: "openbox", present: || process::succeeds("openbox", ["--version"]) }];

/// For building the stand-alone program: it links ALSA's library, and JACK's bindings require JACK's at build time, although it is loaded
/// at run time.
pub(crate) const FOR_STANDALONE: [Package; 3] = [
    Package { name: "pkg-config", present: || process::succeeds("pkg-config", ["--version"]) },
    Package { name: "libasound2-dev", present: || process::succeeds("pkg-config", ["--exists", "alsa"]) },
    Package { name: "libjack-jackd2-dev", present: || process::succeeds("pkg-config", ["--exists", "jack"]) },
];

/// For cross-compiling to Windows: linker, and the system's import libraries.
pub(crate) const FOR_WINDOWS: [Package; 2] = [
    Package { name: "gcc-mingw-w64-x86-64-posix", present: || process::succeeds("x86_64-w64-mingw32-gcc", ["--version"]) },
    Package { name: "mingw-w64-x86-64-dev", present: || Path::new("/usr/x86_64-w64-mingw32/lib/libole32.a").is_file() },
];

/// For cross-compiling to Linux on 64-bit Arm.
pub(crate) const FOR_ARM: [Package; 2] = [
    Package { name: "gcc-aarch64-linux-gnu", present: || process::succeeds("aarch64-linux-gnu-gcc", ["--version"]) },
    Package { name: "libc6-dev-arm64-cross", present: || Path::new("/usr/aarch64-linux-gnu/lib/libc.so.6").exists() },
];

/// For running Linux programs of 64-bit Arm.
pub(crate) const FOR_EMULATOR: [Package; 1] = [Package { name: "qemu-user", present: || process::succeeds("qemu-aarch64", ["--version"]) }];

/// For running Windows programs.
pub(crate) const FOR_WINE: [Package; 2] = [
    Package { name: "wine", present: || process::succeeds("wine", ["--version"]) },
    Package { name: "wine64", present: || Path::new("/usr/lib/wine/wine64").is_file() },
];

/// The Python that Debian's packages are installed for.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";

/// Whether the dynamic linker knows a library.
fn has_library(name: &str) -> bool {
    Command::new("/sbin/ldconfig").arg("-p").output().is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(name))
}

/// Whether Mesa's drivers are in one of the usual folders.
fn has_drivers() -> bool {
    let folders = ["/usr/lib/dri".to_owned(), "/usr/lib64/dri".to_owned(), format!("/usr/lib/{}-linux-gnu/dri", std::env::consts::ARCH)];
    folders.iter().any(|folder| Path::new(folder).is_dir())
}

/// Packages are missing that cannot be installed automatically.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotInstalled {
    /// A Debian-like system, but without the necessary rights.
    #[error(
        "these system packages are missing, and installing them takes rights this user does not have. Run\n\n    {0}\n\nand start the chore again"
    )]
    Rights(String),
    /// A system without apt-get.
    #[error(
        "these Debian packages are missing, and there is no apt-get to install them: {0}. Install what they hold, and start the chore again"
    )]
    NoApt(String),
}

/// Ensures that the packages are present; installs missing ones if that works without a password prompt.
pub(crate) fn ensure<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Result<()> {
    let missing: Vec<_> = packages.into_iter().filter(|package| !(package.present)()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Installing system packages: {}", missing.join(", "));
    steps(&missing).iter().try_for_each(|step| run_as_root(step, &missing))
}

/// Refreshes apt's list of packages, which an image of Debian may lack.
pub(crate) fn update() -> Result<()> {
    let [update, _] = steps(&[]);
    run_as_root(&update, &[])
}

/// Runs a command as root, if that works without a password prompt. `missing` are the packages that it is for.
fn run_as_root(step: &[String], missing: &[&str]) -> Result<()> {
    if !process::succeeds("apt-get", ["--version"]) {
        return Err(NotInstalled::NoApt(missing.join(", ")).into());
    }
    let mut become_root: &[&str] = &[];
    if !is_root() {
        become_root = &["sudo", "-n"];
        if !process::succeeds("sudo", ["-n", "true"]) {
            return Err(NotInstalled::Rights(line_to_run(missing)).into());
        }
    }
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let words: Vec<_> = become_root.iter().chain(&quiet).copied().chain(step.iter().map(String::as_str)).collect();
    process::run(Command::new(words[0]).args(&words[1..])).context("installing system packages")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Commands that install `names`, to be run as root.
fn steps(names: &[&str]) -> [Vec<String>; 2] {
    let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
    let mut install = words("apt-get install --yes --no-install-recommends");
    install.extend(names.iter().map(|&name| name.into()));
    [words("apt-get update"), install]
}

/// [`steps`] as one line for a user who can enter a password.
fn line_to_run(names: &[&str]) -> String {
    steps(names).map(|step| format!("sudo {}", step.join(" "))).join(" && ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn install_command_is_one_line_with_every_package() {
        assert_eq!(
            line_to_run(&["python3", "python3-pip"]),
            "sudo apt-get update && sudo apt-get install --yes --no-install-recommends python3 python3-pip"
        );
    }

    #[test]
    fn present_packages_are_not_installed() {
        ensure(&[Package { name: "antiphon-no-such-package", present: || true }]).unwrap();
    }

    #[test]
    fn error_messages_hold_the_cure() {
        let rights = NotInstalled::Rights(line_to_run(&["python3"])).to_string();
        assert!(rights.contains("sudo apt-get update && "));
        let no_apt = NotInstalled::NoApt("python3".into()).to_string();
        assert!(no_apt.contains("python3") && no_apt.contains("no apt-get"));
    }
}
