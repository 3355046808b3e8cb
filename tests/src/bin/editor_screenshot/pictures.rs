//! The pictures to make, each size in a process with a display of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_tests::display::Display;
use antiphon_tests::gallery::{self, Look, PICTURES, Picture, State};
use antiphon_tests::input::InputDevices;
use antiphon_tests::window::{self, Before, Format, Shot};
use anyhow::{Context, Result, bail, ensure};

/// Set in the child process, which has its display: the pixels of that.
const INSIDE: &str = "ANTIPHON_SCREENSHOT_INSIDE";

pub(crate) fn run() -> Result<()> {
    let wanted = options()?;
    if let Some(inside) = std::env::var_os(INSIDE) {
        let is_here = |(picture, _): &(Picture, PathBuf)| size_name(picture.format) == inside.to_string_lossy();
        let here: Vec<_> = wanted.into_iter().filter(is_here).collect();
        let format = here.first().context("no picture has this size")?.0.format;
        let shots = here.iter().map(|(picture, path)| shot(picture, path)).collect::<Result<_>>()?;
        return window::screenshots(format, shots);
    }
    let program = std::env::current_exe().context("finding this program")?;
    let mut formats: Vec<Format> = Vec::new();
    for (picture, _) in &wanted {
        if !formats.contains(&picture.format) {
            formats.push(picture.format);
        }
    }
    for format in formats {
        let (width, height) = format.pixels();
        let display = Display::start(width.into(), height.into())?;
        // In a corner, where it points at nothing: the server puts it over the music.
        InputDevices::at(Some(display.name()))?.point((0, 0))?;
        let mut child = Command::new(&program);
        child.args(std::env::args_os().skip(1)).env("DISPLAY", display.name()).env(INSIDE, size_name(format));
        let status = child.status()?;
        ensure!(status.success(), "no picture was made: {status}");
    }
    for (_, path) in &wanted {
        println!("{}", path.display());
    }
    Ok(())
}

fn shot(picture: &Picture, path: &Path) -> Result<Shot> {
    Ok(Shot { model: picture.model()?, earlier: picture.earlier()?, before: picture.before, path: path.to_owned() })
}

fn size_name(format: Format) -> String {
    format!("{}x{}x{}", format.width, format.height, format.scale)
}

/// The pictures to make, with their files.
fn options() -> Result<Vec<(Picture, PathBuf)>> {
    let (mut picture, mut path) = (gallery::find("plan").context("the gallery has a plan")?, None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a value is missing");
        match argument.to_str() {
            Some("--all") => return whole(Path::new(&value()?), |_| true),
            Some("--golden") => return whole(Path::new(&value()?), Picture::is_golden),
            Some("--picture") => {
                let name = value()?;
                let names = PICTURES.map(|picture| picture.name).join(", ");
                picture = name.to_str().and_then(gallery::find).with_context(|| format!("--picture takes one of {names}"))?;
            }
            Some("--scale") => {
                let scale = value()?.to_str().and_then(|value| value.parse().ok());
                picture.format.scale = scale.filter(|scale| (1..=4).contains(scale)).context("--scale takes 1 to 4")?;
            }
            Some("--size") => {
                let value = value()?;
                let numbers = value.to_str().and_then(|value| value.split_once('x'));
                let size = numbers.and_then(|(width, height)| width.parse().ok().zip(height.parse().ok()));
                (picture.format.width, picture.format.height) = size.context("--size takes points, for instance 720x420")?;
            }
            Some("--without-engine") => picture.state = State::NoEngine,
            Some("--controls") => picture.before = Before::OpenedDrawer,
            Some("--look") => {
                picture.look = match value()?.to_str() {
                    Some("light") => Look::Light,
                    Some("dark") => Look::Dark,
                    _ => bail!("--look takes light or dark"),
                }
            }
            _ if path.is_none() => path = Some(PathBuf::from(argument)),
            _ => bail!("one picture at a time"),
        }
    }
    Ok(vec![(picture, path.context("name the picture to write")?)])
}

/// Pictures of the gallery in a folder.
fn whole(folder: &Path, is_wanted: impl Fn(&Picture) -> bool) -> Result<Vec<(Picture, PathBuf)>> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let wanted = PICTURES.into_iter().filter(is_wanted);
    Ok(wanted.map(|picture| (picture, folder.join(format!("{}.png", picture.name)))).collect())
}
