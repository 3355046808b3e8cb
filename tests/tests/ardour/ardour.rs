//! Ardour in a home folder of its own, with the plug-in and the probe installed.

use std::fs;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::report::Report;
use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_tests::library;

/// Debian's folder for Ardour's libraries and internal programs.
const LIBRARIES: &str = "/usr/lib/ardour7";

/// Seconds after which a script that hangs is killed. The longest takes a minute and a half.
const TIMEOUT: &str = "400";

/// Maximum number of runs of a script.
const ATTEMPTS: u32 = 4;

/// How the interpreter ended.
struct End {
    is_clean: bool,
    text: String,
}

/// A home folder in which Ardour lists Antiphon. It is left in `target/tmp`, so that sessions can be opened afterwards.
pub(crate) struct Ardour {
    home: PathBuf,
}

impl Ardour {
    /// The installation that all tests share.
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
        // Ardour's scripts list only plug-ins that a scanner has seen.
        let output = ardour.command(&format!("{LIBRARIES}/ardour-vst3-scanner")).args(["-f", "-v"]).arg(&bundle).output();
        let output = output.expect("Ardour is not installed: `cargo xtask ardour` does that on Debian");
        let text = text(&output);
        assert!(output.status.success() && text.contains("Found Plugin: Antiphon"), "the scanner found no plug-in:\n{text}");
        ardour
    }

    /// Path of a session folder that does not exist yet. Its session is called `session`.
    pub(crate) fn session(&self, name: &str) -> PathBuf {
        let folder = self.home.join("sessions").join(name);
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        folder
    }

    /// Runs a script of `tests/ardour` and checks its report. The arguments follow the paths of the report and of the session, which
    /// `prepare` provides. Returns the report and the session.
    ///
    /// A failed check is repeated with a new session, up to [`ATTEMPTS`] times in all, and each failure is printed: a busy machine plans
    /// late, and Ardour's dummy devices occasionally start without a transport, or record a track early by their latency. A fault of
    /// Antiphon occurs every time, since the same notes, controls and seed give the same plan.
    pub(crate) fn run(
        &self,
        script: &str,
        prepare: impl Fn(u32) -> PathBuf,
        args: &[String],
        check: impl Fn(&Report, &Path),
    ) -> (Report, PathBuf) {
        let mut attempt = 1;
        loop {
            let session = prepare(attempt);
            let (report, end) = self.attempt(script, &session, args);
            let checked = catch_unwind(AssertUnwindSafe(|| {
                // After an export Ardour 7.3 occasionally frees something twice on exit, also without any plug-in in the session.
                let is_over = report.is_complete && (end.is_clean || script == "export.lua");
                assert!(is_over, "{script} failed:\n{}", end.text);
                check(&report, &session);
            }));
            match checked {
                Ok(()) => return (report, session),
                Err(_) if attempt < ATTEMPTS => {
                    eprintln!("{script}: attempt {attempt} failed as printed above, with {} plans or notes late; once more", report.late);
                    attempt += 1;
                }
                Err(panic) => resume_unwind(panic),
            }
        }
    }

    fn attempt(&self, script: &str, session: &Path, args: &[String]) -> (Report, End) {
        let [path, counts] = ["report", "counts"].map(|suffix| session.with_extension(suffix));
        let mut command = self.command("timeout");
        command.env("ANTIPHON_REPORT", &counts).args(["--kill-after=10", TIMEOUT, "ardour7-lua"]);
        let output = command.arg(scripts().join(script)).arg(&path).arg(session).args(args).output();
        let output = output.expect("`timeout` is part of every Debian");
        let text = format!("{}\n{}", output.status, text(&output));
        let report = Report::read(&path).unwrap_or_else(|error| panic!("{script}: {error:#}\n{text}"));
        (Report { late: late(&counts), ..report }, End { is_clean: output.status.success(), text })
    }

    /// An Ardour program with the environment of Debian's start scripts, and this home folder.
    fn command(&self, program: &str) -> Command {
        let home = &self.home;
        let mut command = Command::new(program);
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
        command.env("LD_LIBRARY_PATH", LIBRARIES).env("ARDOUR_DLL_PATH", LIBRARIES);
        command.env("ARDOUR_DATA_PATH", "/usr/share/ardour7").env("ARDOUR_CONFIG_PATH", "/etc/ardour7");
        // The bundle has its own.
        command.env_remove(RUNTIME_VARIABLE);
        command
    }
}

/// Number of late plans and notes in the last line of Antiphon's report; 0 if there is no report.
fn late(counts: &Path) -> u64 {
    let Ok(text) = fs::read_to_string(counts) else { return 0 };
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    ["plans_late", "notes_late"].map(|name| line[name].as_u64().unwrap()).iter().sum()
}

/// Folder of the Lua scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ardour")
}

fn link(original: &Path, link: &Path) {
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(original, link).unwrap();
}

/// Output of a program, without the lines that Ardour's scripts write for every signal.
fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    both.lines().filter(|line| !line.contains("queue call-slot")).map(|line| format!("{line}\n")).collect()
}
