//! Layout of bundles, and the folders where hosts look for them, by platform.
//!
//! VST3: <https://steinbergmedia.github.io/vst3_dev_portal/pages/Technical+Documentation/Locations+Format/Index.html>. CLAP: the header
//! `clap/entry.h`. The runtime is next to the library or in the bundle's `Contents/Resources`, where the plug-in looks for it, so a bundle
//! works wherever it is copied. The Linux rows have been tried, and the Windows rows of both formats in Wine.

use std::path::{Path, PathBuf};

/// An operating system with plug-in hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

/// A plug-in format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Clap, Self::Vst3];

    /// Bundle kind for macOS.
    pub(crate) fn kind(self) -> Kind {
        Kind { suffix: self.suffix(), package_type: "BNDL" }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Clap => "clap",
            Self::Vst3 => "vst3",
        }
    }
}

/// Kind of a macOS bundle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// End of the bundle identifier.
    pub(crate) suffix: &'static str,
    /// Package type: `BNDL` for plug-ins, `APPL` for programs.
    pub(crate) package_type: &'static str,
}

impl Kind {
    /// The stand-alone program.
    pub(crate) const PROGRAM: Self = Self { suffix: "standalone", package_type: "APPL" };
}

/// Target of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Platform {
    pub(crate) system: System,
    /// As in `std::env::consts::ARCH`: `x86_64` or `aarch64`.
    pub(crate) arch: &'static str,
}

/// Parts of a bundle, or of the program's folder. All paths except the first are relative to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// The top folder; relative to a plug-in folder.
    pub(crate) folder: PathBuf,
    /// The library that the host loads, or the program.
    pub(crate) library: PathBuf,
    /// Folder of everything else: ONNX Runtime, licences.
    pub(crate) resources: PathBuf,
    /// Folder of `Info.plist` and `PkgInfo`, where the system requires them.
    pub(crate) property_list: Option<PathBuf>,
}

impl Platform {
    /// The platform for these two constants of `std::env::consts`, if there is a layout for it.
    pub(crate) fn of(os: &str, arch: &str) -> Option<Self> {
        let system = match os {
            "linux" => System::Linux,
            "macos" => System::MacOs,
            "windows" => System::Windows,
            _ => return None,
        };
        let arch = ["x86_64", "aarch64"].into_iter().find(|&known| known == arch)?;
        Some(Self { system, arch })
    }

    /// Name of the platform in file names.
    pub(crate) fn name(self) -> String {
        format!("{}-{}", self.system.name(), self.arch)
    }

    /// Layout of the bundle called `name`.
    pub(crate) fn bundle(self, format: Format, name: &str) -> Bundle {
        let with_suffix = format!("{name}.{}", format.suffix());
        match (self.system, format) {
            (System::MacOs, _) => Bundle {
                folder: with_suffix.into(),
                library: Path::new("Contents/MacOS").join(name),
                resources: "Contents/Resources".into(),
                property_list: Some("Contents".into()),
            },
            // Here a CLAP is a single file; it gets a folder, which hosts search, to have the runtime next to it.
            (System::Linux | System::Windows, Format::Clap) => {
                Bundle { folder: name.into(), library: with_suffix.into(), resources: PathBuf::new(), property_list: None }
            }
            (System::Linux, Format::Vst3) => Bundle {
                folder: with_suffix.into(),
                library: ["Contents", &format!("{}-linux", self.arch), &format!("{name}.so")].iter().collect(),
                resources: "Contents/Resources".into(),
                property_list: None,
            },
            (System::Windows, Format::Vst3) => Bundle {
                library: ["Contents", if self.arch == "aarch64" { "arm64-win" } else { "x86_64-win" }, &with_suffix].iter().collect(),
                folder: with_suffix.into(),
                resources: "Contents/Resources".into(),
                property_list: None,
            },
        }
    }
}

impl Platform {
    /// Layout of the stand-alone program called `name`: a folder that can be anywhere.
    pub(crate) fn program(self, name: &str) -> Bundle {
        match self.system {
            System::MacOs => Bundle {
                folder: format!("{name}.app").into(),
                library: Path::new("Contents/MacOS").join(name),
                resources: "Contents/Resources".into(),
                property_list: Some("Contents".into()),
            },
            System::Linux | System::Windows => Bundle {
                folder: format!("{name}-standalone").into(),
                library: format!("{}-standalone{}", name.to_lowercase(), if self.system == System::Windows { ".exe" } else { "" }).into(),
                resources: PathBuf::new(),
                property_list: None,
            },
        }
    }

    /// Layout of the command line `command` of the plug-in called `name`: a folder that can be anywhere.
    pub(crate) fn command_line(self, name: &str, command: &str) -> Bundle {
        Bundle {
            folder: format!("{name}-cli").into(),
            library: format!("{command}{}", if self.system == System::Windows { ".exe" } else { "" }).into(),
            resources: PathBuf::new(),
            property_list: None,
        }
    }
}

impl System {
    /// A path as this system writes it, whichever system it was made on.
    pub(crate) fn shown(self, path: &Path) -> String {
        let text = path.display().to_string();
        if self == Self::Windows { text.replace('/', "\\") } else { text }
    }

    /// Name of the system in file names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// File name of ONNX Runtime's library in a bundle: without a version, as the engine expects.
    pub(crate) fn runtime(self) -> &'static str {
        match self {
            Self::Linux => "libonnxruntime.so",
            Self::MacOs => "libonnxruntime.dylib",
            Self::Windows => "onnxruntime.dll",
        }
    }

    /// Environment variable that names the base of the user's plug-in folders.
    pub(crate) fn home_variable(self) -> &'static str {
        match self {
            Self::Linux | Self::MacOs => "HOME",
            Self::Windows => "LOCALAPPDATA",
        }
    }

    /// Folder for the user's programs. `home` is the value of [`home_variable`](Self::home_variable).
    pub(crate) fn program_folder(self, home: &Path) -> PathBuf {
        home.join(match self {
            Self::Linux | Self::MacOs => ".local/bin",
            Self::Windows => "Programs/Antiphon",
        })
    }

    /// Folder for the user's data, where the engine looks for ONNX Runtime. `data_home` is `XDG_DATA_HOME`.
    pub(crate) fn data_folder(self, home: &Path, data_home: Option<&Path>) -> PathBuf {
        match self {
            Self::Linux => {
                data_home.filter(|path| path.is_absolute()).map_or_else(|| home.join(".local/share"), Path::to_owned).join("antiphon")
            }
            Self::MacOs => home.join("Library/Application Support/Antiphon"),
            Self::Windows => home.join("Antiphon"),
        }
    }

    /// The user's plug-in folder. `home` is the value of [`home_variable`](Self::home_variable).
    pub(crate) fn plugin_folder(self, format: Format, home: &Path) -> PathBuf {
        home.join(match (self, format) {
            (Self::Linux, Format::Clap) => ".clap",
            (Self::Linux, Format::Vst3) => ".vst3",
            (Self::MacOs, Format::Clap) => "Library/Audio/Plug-Ins/CLAP",
            (Self::MacOs, Format::Vst3) => "Library/Audio/Plug-Ins/VST3",
            (Self::Windows, Format::Clap) => "Programs/Common/CLAP",
            (Self::Windows, Format::Vst3) => "Programs/Common/VST3",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of a bundle's library and resources, from the plug-in folder down.
    fn lies(os: &str, arch: &str, format: Format) -> (String, String) {
        let bundle = Platform::of(os, arch).unwrap().bundle(format, "Antiphon");
        let text = |path: &Path| bundle.folder.join(path).to_str().unwrap().replace('\\', "/");
        (text(&bundle.library), text(&bundle.resources))
    }

    #[test]
    fn vst3_bundle_has_the_library_in_its_platform_folder() {
        for (os, arch, library) in [
            ("linux", "x86_64", "Antiphon.vst3/Contents/x86_64-linux/Antiphon.so"),
            ("linux", "aarch64", "Antiphon.vst3/Contents/aarch64-linux/Antiphon.so"),
            ("macos", "aarch64", "Antiphon.vst3/Contents/MacOS/Antiphon"),
            ("windows", "x86_64", "Antiphon.vst3/Contents/x86_64-win/Antiphon.vst3"),
            ("windows", "aarch64", "Antiphon.vst3/Contents/arm64-win/Antiphon.vst3"),
        ] {
            assert_eq!(lies(os, arch, Format::Vst3), (library.into(), "Antiphon.vst3/Contents/Resources".into()));
        }
    }

    #[test]
    fn clap_is_a_file_in_a_folder_except_on_macos() {
        for os in ["linux", "windows"] {
            assert_eq!(lies(os, "x86_64", Format::Clap), ("Antiphon/Antiphon.clap".into(), "Antiphon/".into()));
        }
        let expected = ("Antiphon.clap/Contents/MacOS/Antiphon".into(), "Antiphon.clap/Contents/Resources".into());
        assert_eq!(lies("macos", "aarch64", Format::Clap), expected);
    }

    #[test]
    fn program_has_its_files_next_to_it_except_on_macos() {
        for (os, program, runtime) in [
            ("linux", "Antiphon-standalone/antiphon-standalone", "Antiphon-standalone/"),
            ("windows", "Antiphon-standalone/antiphon-standalone.exe", "Antiphon-standalone/"),
            ("macos", "Antiphon.app/Contents/MacOS/Antiphon", "Antiphon.app/Contents/Resources"),
        ] {
            let layout = Platform::of(os, "x86_64").unwrap().program("Antiphon");
            let text = |path: &Path| layout.folder.join(path).to_str().unwrap().replace('\\', "/");
            assert_eq!((text(&layout.library), text(&layout.resources)), (program.into(), runtime.into()));
        }
    }

    #[test]
    fn property_list_is_for_macos_only() {
        for (os, wanted) in [("linux", false), ("windows", false), ("macos", true)] {
            for format in Format::ALL {
                let bundle = Platform::of(os, "x86_64").unwrap().bundle(format, "Antiphon");
                assert_eq!(bundle.property_list.is_some(), wanted, "{os} {format:?}");
            }
        }
    }

    #[test]
    fn other_platforms_have_no_layout() {
        assert_eq!(Platform::of("plan9", "x86_64"), None);
        assert_eq!(Platform::of("linux", "riscv64"), None);
    }

    #[test]
    fn windows_paths_are_shown_with_backslashes() {
        let folder = System::Windows.plugin_folder(Format::Vst3, Path::new("%LOCALAPPDATA%"));
        assert_eq!(System::Windows.shown(&folder), "%LOCALAPPDATA%\\Programs\\Common\\VST3");
        assert_eq!(System::Linux.shown(Path::new("~/.clap")), "~/.clap");
    }

    #[test]
    fn user_folders_are_those_of_each_system() {
        let folder = |system: System, format| system.plugin_folder(format, Path::new("home")).to_str().unwrap().replace('\\', "/");
        assert_eq!(folder(System::Linux, Format::Clap), "home/.clap");
        assert_eq!(folder(System::Linux, Format::Vst3), "home/.vst3");
        assert_eq!(folder(System::MacOs, Format::Clap), "home/Library/Audio/Plug-Ins/CLAP");
        assert_eq!(folder(System::MacOs, Format::Vst3), "home/Library/Audio/Plug-Ins/VST3");
        assert_eq!(folder(System::Windows, Format::Clap), "home/Programs/Common/CLAP");
        assert_eq!(folder(System::Windows, Format::Vst3), "home/Programs/Common/VST3");
        let data = |data_home| System::Linux.data_folder(Path::new("home"), data_home);
        assert_eq!(data(None), Path::new("home/.local/share/antiphon"));
        assert_eq!(data(Some(Path::new("/data"))), Path::new("/data/antiphon"));
        assert_eq!(data(Some(Path::new("relative"))), data(None));
    }
}
