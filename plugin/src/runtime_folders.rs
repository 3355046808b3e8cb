//! Where the plug-in looks for its ONNX Runtime, relative to the binary this code was loaded from.

use std::path::{Path, PathBuf};

use crate::image;

/// The folders, in search order.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    image::paths().iter().flat_map(|image| folders(image)).collect()
}

/// Folders of a bundle that may contain the runtime, given the path of its library: next to it, the bundle's Resources or Frameworks, or an
/// `Antiphon` folder beside it for single-file bundles. A program has it next to itself or in the resources of its own bundle.
fn folders(image: &Path) -> Vec<PathBuf> {
    let Some(folder) = image.parent() else { return Vec::new() };
    let contents = folder.parent().into_iter();
    let inside = contents.flat_map(|contents| ["Resources", "Frameworks"].map(|name| contents.join(name)));
    [folder.to_path_buf()].into_iter().chain(inside).chain([folder.join("Antiphon")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_folders_are_searched_relative_to_the_binary() {
        let found = folders(Path::new("/p/Antiphon.vst3/Contents/x86_64-linux/Antiphon.so"));
        for folder in ["/p/Antiphon.vst3/Contents/x86_64-linux", "/p/Antiphon.vst3/Contents/Resources"] {
            assert!(found.contains(&PathBuf::from(folder)), "{found:?}");
        }
        assert!(folders(Path::new("/home/u/.clap/antiphon.clap")).contains(&PathBuf::from("/home/u/.clap/Antiphon")));
        assert_eq!(folders(Path::new("/")), Vec::<PathBuf>::new());
    }
}
