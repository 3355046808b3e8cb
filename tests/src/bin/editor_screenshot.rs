//! Screenshot of the real editor: `cargo run -p antiphon-tests --bin editor_screenshot -- [--scale 2] [--size 720x420] [--without-engine]
//! [--controls] PICTURE.png`.
//!
//! Shows one of the demo pieces through a scripted model, on a virtual X server.

use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_engine::music::smf;
use antiphon_tests::display::Display;
use antiphon_tests::scripted;
use antiphon_tests::window::{self, Drawer, Format};
use anyhow::{Context, Result, bail, ensure};

/// Set in the child process, which has its display.
const INSIDE: &str = "ANTIPHON_SCREENSHOT_INSIDE";
/// Bar of the playhead.
const BAR: u32 = 9;

struct Options {
    format: Format,
    without_engine: bool,
    drawer: Drawer,
    path: PathBuf,
}

fn main() -> Result<()> {
    let options = options()?;
    if std::env::var_os(INSIDE).is_some() {
        return screenshot(&options);
    }
    let (width, height) = options.format.pixels();
    let display = Display::start(width.into(), height.into())?;
    let program = std::env::current_exe().context("finding this program")?;
    let status = Command::new(program).args(std::env::args_os().skip(1)).env("DISPLAY", display.name()).env(INSIDE, "1").status()?;
    ensure!(status.success(), "no picture was made: {status}");
    println!("{}", options.path.display());
    Ok(())
}

fn options() -> Result<Options> {
    let (mut format, mut without_engine, mut drawer, mut path) = (Format::default(), false, Drawer::Closed, None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--scale") => {
                let value = arguments.next().and_then(|value| value.to_str()?.parse().ok());
                format.scale = value.filter(|scale| (1..=4).contains(scale)).context("--scale takes 1 to 4")?;
            }
            Some("--size") => {
                let value = arguments.next();
                let numbers = value.as_ref().and_then(|value| value.to_str()?.split_once('x'));
                let size = numbers.and_then(|(width, height)| width.parse().ok().zip(height.parse().ok()));
                (format.width, format.height) = size.context("--size takes points, for instance 720x420")?;
            }
            Some("--without-engine") => without_engine = true,
            Some("--controls") => drawer = Drawer::Open,
            _ if path.is_none() => path = Some(PathBuf::from(argument)),
            _ => bail!("one picture at a time"),
        }
    }
    Ok(Options { format, without_engine, drawer, path: path.context("name the picture to write")? })
}

fn screenshot(options: &Options) -> Result<()> {
    let model = if options.without_engine {
        scripted::without_engine()
    } else {
        let piece = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/band.mid");
        scripted::piece_at(&smf::read_file(&piece)?.clip, BAR)
    };
    window::screenshot(model, options.format, options.drawer, &options.path)
}
