//! For build scripts: the version and the icon that Windows shows of a file, linked into our libraries and programs, and for programs the
//! manifest, which says that they scale their windows themselves. A library's windows scale as its host says.
//!
//! `windres`, which comes with the GNU linker, compiles them. For other targets nothing is done: Microsoft's compiler of resources comes with
//! an SDK whose place is not known, and its builds go without. So does a check on a system without `windres`.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The file that a resource goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// A shared library.
    Library,
    /// A program.
    Program,
}

/// Why there is no resource.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// Cargo sets it for build scripts.
    #[error("{0} is not set: this runs in build scripts only")]
    NoVariable(&'static str),
    /// The script cannot be written.
    #[error("writing {path}: {source}")]
    Unwritten {
        /// The script.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },
    /// The compiler did not start.
    #[error("{program} did not start: {source}")]
    NotStarted {
        /// The compiler of resources.
        program: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The compiler failed.
    #[error("{program} failed ({status}); see its message above")]
    Failed {
        /// The compiler of resources.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Links version and icon into the file that this build script's package makes, if the target is Windows with the GNU linker. `description`
/// is what the system shows as its name.
///
/// # Errors
/// When the resource cannot be made.
pub fn embed(file: File, description: &str) -> Result<(), ResourceError> {
    println!("cargo::rerun-if-changed=build.rs");
    if variable("CARGO_CFG_TARGET_OS")? != "windows" || variable("CARGO_CFG_TARGET_ENV")? != "gnu" {
        return Ok(());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (icon, manifest) = (here.join("../assets/icons/antiphon.ico"), here.join("program.manifest"));
    for file in [&icon, &manifest] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let folder = PathBuf::from(variable("OUT_DIR")?);
    let (path, object) = (folder.join("antiphon.rc"), folder.join("antiphon-resource.o"));
    let text = script(file, description, &variable("CARGO_PKG_VERSION")?, &icon, &manifest);
    fs::write(&path, text).map_err(|source| ResourceError::Unwritten { path: path.clone(), source })?;
    // On Windows itself it has no prefix.
    let program = if cfg!(windows) { "windres" } else { "x86_64-w64-mingw32-windres" };
    let status = match Command::new(program).arg(&path).arg(&object).status() {
        Ok(status) => status,
        // It comes with the linker. Without one, types can be checked all the same.
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            println!(
                "cargo::warning={program} is missing: {description} gets no version and no icon. Debian's package: binutils-mingw-w64-x86-64"
            );
            // A file that is not there makes Cargo run this again.
            println!("cargo::rerun-if-changed={}", object.display());
            return Ok(());
        }
        Err(source) => return Err(ResourceError::NotStarted { program, source }),
    };
    if !status.success() {
        return Err(ResourceError::Failed { program, status });
    }
    let kind = match file {
        File::Library => "cdylib",
        File::Program => "bins",
    };
    println!("cargo::rustc-link-arg-{kind}={}", object.display());
    Ok(())
}

fn variable(name: &'static str) -> Result<String, ResourceError> {
    env::var(name).map_err(|_| ResourceError::NoVariable(name))
}

/// The resource in the language of its compiler: <https://learn.microsoft.com/windows/win32/menurc/versioninfo-resource>.
fn script(file: File, description: &str, version: &str, icon: &Path, manifest: &Path) -> String {
    let numbers: Vec<_> = version.split(['.', '-', '+']).map_while(|part| part.parse::<u16>().ok()).chain([0; 4]).take(4).collect();
    let numbers = numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    let (kind, manifest) = match file {
        // 24 is the type of manifests, 1 that of a process.
        File::Program => ("0x1L", format!("1 24 \"{}\"\n", quoted(manifest))),
        File::Library => ("0x2L", String::new()),
    };
    let mut values = String::new();
    for (name, value) in [
        ("CompanyName", "The Antiphon developers"),
        ("FileDescription", description),
        ("FileVersion", version),
        ("ProductName", "Antiphon"),
        ("ProductVersion", version),
        ("LegalCopyright", "MIT OR Apache-2.0"),
    ] {
        // Writing to a string does not fail.
        let _ = writeln!(values, "      VALUE \"{name}\", \"{value}\\0\"");
    }
    let icon = quoted(icon);
    // 0x0409, 1200: American English in Unicode.
    format!(
        "1 ICON \"{icon}\"\n{manifest}1 VERSIONINFO\nFILEVERSION {numbers}\nPRODUCTVERSION {numbers}\nFILEOS 0x40004L\nFILETYPE {kind}\nBEGIN\n  BLOCK \"StringFileInfo\"\n  BEGIN\n    BLOCK \"040904b0\"\n    BEGIN\n{values}    END\n  END\n  BLOCK \"VarFileInfo\"\n  BEGIN\n    VALUE \"Translation\", 0x0409, 1200\n  END\nEND\n"
    )
}

/// A path inside quotation marks.
fn quoted(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "C:\\a b\\program.manifest";

    #[test]
    fn script_names_version_description_and_icon() {
        let text = script(File::Library, "Antiphon for hosts", "1.2.3-beta.1", Path::new("C:\\a b\\antiphon.ico"), Path::new(MANIFEST));
        assert!(!text.contains("manifest"), "a library takes the settings of its host's process: {text}");
        for part in [
            "1 ICON \"C:\\\\a b\\\\antiphon.ico\"",
            "FILEVERSION 1,2,3,0",
            "FILETYPE 0x2L",
            "VALUE \"FileDescription\", \"Antiphon for hosts\\0\"",
            "VALUE \"ProductVersion\", \"1.2.3-beta.1\\0\"",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn program_has_the_manifest_that_lets_it_scale_its_window() {
        let text = script(File::Program, "Antiphon", "1.2.3", Path::new("antiphon.ico"), Path::new(MANIFEST));
        assert!(text.contains("\n1 24 \"C:\\\\a b\\\\program.manifest\"\n"), "{text}");
        let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("program.manifest")).unwrap_or_default();
        assert!(manifest.contains(">PerMonitorV2</dpiAwareness>"), "{manifest}");
    }

    #[test]
    fn icon_of_the_workspace_is_an_icon() {
        let icon = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/icons/antiphon.ico")).unwrap_or_default();
        assert_eq!(icon.get(..4), Some(&[0, 0, 1, 0][..]));
    }
}
