//! Ardour in a home of its own, with the plug-in and the probe installed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::report::Report;
use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_tests::library;

/// Where Debian puts what is no program for users.
const LIBRARIES: &str = "/usr/lib/ardour7";

/// Seconds after which a script that hangs is ended. The longest takes a minute and a half.
const PATIENCE: &str = "400";

/// A home folder in which Ardour lists Antiphon. It stays behind in `target/tmp`, for whoever wants to open a session.
pub(crate) struct Ardour {
    home: PathBuf,
}

impl Ardour {
    /// The one that all tests share.
    pub(crate) fn installed() -> &'static Self {
        static INSTALLED: OnceLock<Ardour> = OnceLock::new();
        INSTALLED.get_or_init(Self::install)
    }

    fn install() -> Self {
        let runtime = std::env::var_os(RUNTIME_VARIABLE).expect("run `cargo xtask ardour`, or name ONNX Runtime in the environment");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ardour");
        if home.exists() {
            fs::remove_dir_all(&home).unwrap();
        }
        let bundle = home.join(".vst3/Antiphon.vst3");
        let contents = bundle.join("Contents");
        link(&library::path(), &contents.join(format!("{}-linux/Antiphon.so", std::env::consts::ARCH)));
        link(Path::new(&runtime), &contents.join("Resources/libonnxruntime.so"));
        link(&scripts().join("probe.lua"), &home.join(".config/ardour7/scripts/probe.lua"));
        let ardour = Self { home };
        // Ardour's scripts list only what a scanner has seen.
        let output = ardour.command(&format!("{LIBRARIES}/ardour-vst3-scanner")).args(["-f", "-v"]).arg(&bundle).output();
        let output = output.expect("Ardour is not installed: `cargo xtask ardour` does that on Debian");
        let text = text(&output);
        assert!(output.status.success() && text.contains("Found Plugin: Antiphon"), "the scanner found no plug-in:\n{text}");
        ardour
    }

    /// A new folder for a session. Its sessions are called `session`.
    pub(crate) fn session(&self, name: &str) -> PathBuf {
        let folder = self.home.join("sessions").join(name);
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        folder
    }

    /// Runs a script of `tests/ardour` to its end. Its arguments follow the path of the report.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, script: &str, session: &Path, args: &[A]) -> Report {
        let path = session.with_extension("report");
        let mut command = self.command("timeout");
        command.args(["--kill-after=10", PATIENCE, "ardour7-lua"]).arg(scripts().join(script)).arg(&path).arg(session).args(args);
        let output = command.output().expect("`timeout` is part of every Debian");
        let text = text(&output);
        let report = Report::read(&path).unwrap_or_else(|error| panic!("{script}: {error:#}\n{text}"));
        assert!(report.is_complete, "{script} did not come to its end ({}):\n{text}", output.status);
        // After an export Ardour 7.3 now and then frees something twice when it ends, also without any plug-in in the session.
        assert!(output.status.success() || script == "export.lua", "{script} failed ({}):\n{text}", output.status);
        report
    }

    /// A program of Ardour's with the environment that Debian's start scripts set, and this home.
    fn command(&self, program: &str) -> Command {
        let home = &self.home;
        let mut command = Command::new(program);
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
        command.env("LD_LIBRARY_PATH", LIBRARIES).env("ARDOUR_DLL_PATH", LIBRARIES);
        command.env("ARDOUR_DATA_PATH", "/usr/share/ardour7").env("ARDOUR_CONFIG_PATH", "/etc/ardour7");
        // The bundle has its own.
        command.env_remove(RUNTIME_VARIABLE).env("ANTIPHON_REPORT", home.join("report.json"));
        command
    }
}

/// The Lua scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ardour")
}

fn link(original: &Path, link: &Path) {
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(original, link).unwrap();
}

/// What a program wrote, without the lines that Ardour's scripts write for every signal.
fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    both.lines().filter(|line| !line.contains("queue call-slot")).map(|line| format!("{line}\n")).collect()
}
