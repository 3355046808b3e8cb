//! What macOS requires of a bundle besides its layout. Untried: no Mac was available.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::bundle::Names;
use crate::layout::Kind;
use crate::process;

/// Writes `Info.plist` and `PkgInfo` into the bundle's folder `contents`.
pub(crate) fn describe(contents: &Path, names: &Names, kind: Kind) -> Result<()> {
    let list = property_list(names, kind, env!("CARGO_PKG_VERSION"));
    for (name, text) in [("Info.plist", list), ("PkgInfo", format!("{}????", kind.package_type))] {
        let path = contents.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Signs a file or bundle ad hoc: Apple silicon loads nothing unsigned.
pub(crate) fn sign(path: &Path) -> Result<()> {
    process::run(Command::new("codesign").args(["--force", "--sign", "-"]).arg(path))
}

fn property_list(names: &Names, kind: Kind, version: &str) -> String {
    let Names { name, identifier } = names;
    let Kind { suffix, package_type } = kind;
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>CFBundleDevelopmentRegion</key>
	<string>en</string>
	<key>CFBundleExecutable</key>
	<string>{name}</string>
	<key>CFBundleIdentifier</key>
	<string>{identifier}.{suffix}</string>
	<key>CFBundleInfoDictionaryVersion</key>
	<string>6.0</string>
	<key>CFBundleName</key>
	<string>{name}</string>
	<key>CFBundlePackageType</key>
	<string>{package_type}</string>
	<key>CFBundleSignature</key>
	<string>????</string>
	<key>CFBundleShortVersionString</key>
	<string>{version}</string>
	<key>CFBundleVersion</key>
	<string>{version}</string>
	<key>NSHighResolutionCapable</key>
	<true/>
</dict>
</plist>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Format;

    #[test]
    fn property_list_has_executable_name_and_format_identifier() {
        let names = Names { name: "Some".into(), identifier: "org.example.some".into() };
        let folder = tempfile::tempdir().unwrap();
        for (kind, identifier) in [
            (Format::Clap.kind(), "org.example.some.clap"),
            (Format::Vst3.kind(), "org.example.some.vst3"),
            (Kind::PROGRAM, "org.example.some.standalone"),
        ] {
            describe(folder.path(), &names, kind).unwrap();
            assert_eq!(fs::read_to_string(folder.path().join("PkgInfo")).unwrap(), format!("{}????", kind.package_type));
            let text = fs::read_to_string(folder.path().join("Info.plist")).unwrap();
            assert!(text.contains("<key>CFBundleExecutable</key>\n\t<string>Some</string>"), "{text}");
            assert!(text.contains(&format!("<string>{identifier}</string>")), "{text}");
            assert!(text.contains(&format!("<string>{}</string>", env!("CARGO_PKG_VERSION"))), "{text}");
        }
    }
}
