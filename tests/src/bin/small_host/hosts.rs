//! Hosts of both formats.

use std::path::Path;

use antiphon_tests::{ClapHost, Class, Host, Setup, Vst3Host, Vst3Library};
use anyhow::Result;

/// A plug-in format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

impl Format {
    /// A host with an instance of a class from the library at `path`.
    pub(crate) fn host(self, path: &Path, class: Class, setup: Setup) -> Result<Box<dyn Host>> {
        Ok(match self {
            Self::Clap => Box::new(ClapHost::bundled(path, class, setup)?),
            Self::Vst3 => Box::new(Vst3Host::of(Vst3Library::load(path)?, class, setup)),
        })
    }

    /// Names of the classes that a host lists when it scans the library.
    pub(crate) fn classes(self, path: &Path) -> Result<Vec<String>> {
        match self {
            Self::Clap => ClapHost::classes(path),
            Self::Vst3 => Ok(Vst3Library::load(path)?.classes()),
        }
    }
}
