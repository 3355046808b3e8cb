//! Where ONNX Runtime and the model come from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, FineCoarse};
use antiphon_engine::codec::prefix_rows;
use antiphon_engine::model::{Model, Runtime, RuntimeSearch};
use antiphon_engine::music::Role;
use antiphon_engine::service::{JobError, Musician, Service, Setup, Shelf};

/// One copy of the weights for all instances of the library.
static MODEL: Shelf<Model> = Shelf::new();

/// The style column where no style is stated.
const ANY_STYLE: u8 = 0;

/// A musician who plays in an ensemble of these roles. The model is loaded by a worker.
pub(super) fn musician(service: &Service, roles: &BTreeSet<Role>) -> Musician {
    let roles: Vec<Role> = roles.iter().copied().collect();
    Musician::new(service, move || {
        let model = MODEL.get(load)?;
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model, policy, prefix: prefix_rows(ANY_STYLE, &roles), cache: CacheOptions::default() })
    })
}

fn load() -> Result<Model, JobError> {
    let runtime = Runtime::load(&RuntimeSearch { explicit: None, folders: folders(process_path::get_dylib_path().as_deref()) })?;
    Ok(Model::shipped(runtime)?)
}

/// Where a bundle keeps its runtime, by the path of the plug-in's library: beside it, in the bundle's resources or frameworks, or in a folder
/// beside it for bundles that are a single file.
fn folders(library: Option<&Path>) -> Vec<PathBuf> {
    let Some(folder) = library.and_then(Path::parent) else { return Vec::new() };
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
}
