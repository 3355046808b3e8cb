//! Pictures of the real editor, on a virtual X server.
//!
//! `cargo run -p antiphon-tests --bin editor_screenshot -- [--picture NAME] [--scale 2] [--size 720x420] [--controls] [--look dark]
//! [--without-engine] PICTURE.png` makes one: a picture of the gallery, by default the one of a plan, with these changes.
//! `-- --all FOLDER` makes the whole gallery, `-- --golden FOLDER` the pictures that tests compare.

#[cfg(target_os = "linux")]
mod pictures;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    pictures::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("error: the pictures are made on a virtual X server, on Linux");
    std::process::exit(2);
}
