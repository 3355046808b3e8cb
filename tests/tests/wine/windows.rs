//! Windows programs, run in Wine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_tests::display::Display;
use antiphon_tests::foreign::named;

/// A plug-in format: the host's name of it, and the variable that names the library.
pub(crate) const FORMATS: [(&str, &str); 2] = [("clap", "ANTIPHON_WINDOWS_CLAP"), ("vst3", "ANTIPHON_WINDOWS_VST3")];

/// A path of Linux as Windows programs in Wine see it.
pub(crate) fn seen(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}

/// Folders of the users of the Windows in Wine.
pub(crate) fn homes() -> impl Iterator<Item = PathBuf> {
    let users = PathBuf::from(std::env::var_os("WINEPREFIX").unwrap()).join("drive_c/users");
    fs::read_dir(users).unwrap().map(|home| home.unwrap().path())
}

/// A screen on which Windows programs run. Without one Wine makes no windows, not even hidden ones, as the VST3 has for its messages.
pub(crate) struct Desktop(Display);

impl Desktop {
    /// A screen of this size, in pixels.
    pub(crate) fn start((width, height): (u32, u32)) -> Self {
        let mut display = Display::start(width, height).unwrap();
        // Without a window manager Wine shows no window.
        display.manage().unwrap();
        Self(display)
    }

    /// Name of the display.
    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    /// The program that a variable names, to be run in Wine.
    pub(crate) fn program(&self, variable: &str) -> Command {
        let mut command = Command::new("wine");
        command.arg(named(variable)).env_remove("ANTIPHON_ONNXRUNTIME");
        command.env("DISPLAY", self.name()).env("LIBGL_ALWAYS_SOFTWARE", "1");
        command
    }

    /// The host, with a command for a library.
    pub(crate) fn host(&self, command: &str, format: &str, library: &Path) -> Command {
        let mut host = self.program("ANTIPHON_WINDOWS_HOST");
        host.args([command, format]).arg(seen(library));
        host
    }
}

/// Size of the screen of tests that show nothing.
pub(crate) const SMALL: (u32, u32) = (800, 600);
