//! Version and icon of the Windows file.

use antiphon_windows_resource::{File, ResourceError, embed};

fn main() -> Result<(), ResourceError> {
    embed(File::Library, "Antiphon (CLAP and VST3)")
}
