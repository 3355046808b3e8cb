//! Where the plug-in looks for its ONNX Runtime: by the path of the library or program that this code was loaded from.

use std::path::{Path, PathBuf};

/// The folders, in the order they are searched.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    let image = image(process_path::get_dylib_path(), process_path::get_executable_path);
    folders(image.as_deref())
}

/// The file this code was loaded from: the plug-in's library, or a program that it is linked into. Of a program the system's loader only knows
/// what it was called by, which leads to whatever folder happens to be the current one.
fn image(library: Option<PathBuf>, program: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    library.filter(|path| path.is_absolute()).or_else(program)
}

/// Where a bundle keeps its runtime, by the path of the plug-in's library: beside it, in the bundle's resources or frameworks, or in a folder
/// beside it for bundles that are a single file. A program keeps it beside itself or, in a bundle of its own, in the resources.
fn folders(image: Option<&Path>) -> Vec<PathBuf> {
    let Some(folder) = image.and_then(Path::parent) else { return Vec::new() };
    let contents = folder.parent().into_iter();
    let inside = contents.flat_map(|contents| ["Resources", "Frameworks"].map(|name| contents.join(name)));
    [folder.to_path_buf()].into_iter().chain(inside).chain([folder.join("Antiphon")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_searched_wherever_it_lies() {
        let found = folders(Some(Path::new("/p/Antiphon.vst3/Contents/x86_64-linux/Antiphon.so")));
        for folder in ["/p/Antiphon.vst3/Contents/x86_64-linux", "/p/Antiphon.vst3/Contents/Resources"] {
            assert!(found.contains(&PathBuf::from(folder)), "{found:?}");
        }
        assert!(folders(Some(Path::new("/home/u/.clap/antiphon.clap"))).contains(&PathBuf::from("/home/u/.clap/Antiphon")));
        assert_eq!(folders(None), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_program_is_found_by_its_own_path_not_by_what_it_was_called_by() {
        let program = || Some(PathBuf::from("/opt/antiphon/antiphon-standalone"));
        for called_by in ["antiphon-standalone", "./antiphon-standalone", ""] {
            assert_eq!(image(Some(called_by.into()), program), program());
        }
        assert_eq!(image(None, program), program());
        assert_eq!(image(Some("/p/Antiphon.clap".into()), program), Some("/p/Antiphon.clap".into()));
        assert_eq!(folders(program().as_deref())[0], Path::new("/opt/antiphon"));
    }
}
