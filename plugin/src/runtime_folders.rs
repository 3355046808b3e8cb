//! Where the plug-in looks for its ONNX Runtime: by the path of the library or program that this code was loaded from.

use std::path::{Path, PathBuf};

use crate::image;

/// The folders, in the order they are searched.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    image::paths().iter().flat_map(|image| folders(image)).collect()
}

/// Where a bundle keeps its runtime, by the path of the plug-in's library: beside it, in the bundle's resources or frameworks, or in a folder
/// beside it for bundles that are a single file. A program keeps it beside itself or, in a bundle of its own, in the resources.
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
    fn a_bundle_is_searched_wherever_it_lies() {
        let found = folders(Path::new("/p/Antiphon.vst3/Contents/x86_64-linux/Antiphon.so"));
        for folder in ["/p/Antiphon.vst3/Contents/x86_64-linux", "/p/Antiphon.vst3/Contents/Resources"] {
            assert!(found.contains(&PathBuf::from(folder)), "{found:?}");
        }
        assert!(folders(Path::new("/home/u/.clap/antiphon.clap")).contains(&PathBuf::from("/home/u/.clap/Antiphon")));
        assert_eq!(folders(Path::new("/")), Vec::<PathBuf>::new());
    }
}
