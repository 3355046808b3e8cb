//! The editor measures what it says, whoever sets its scale and size.

use std::path::Path;

use antiphon_roll::legend::PAPER;
use antiphon_tests::display::Display;
use antiphon_tests::stage::Stage;

use super::instance::{Format, Instance};
use super::{alone, wait_until, wait_until_drawn};

/// Large enough for three times the editor.
const SCREEN: (u32, u32) = (3200, 1800);
/// What the editor opens with, in points, and the least that it takes.
const SIZE: (u32, u32) = (1000, 560);
const LEAST: (u32, u32) = (720, 420);
/// In per cent.
const SCALES: [u32; 5] = [100, 125, 150, 200, 300];

const fn pixels((width, height): (u32, u32), per_cent: u32) -> (u32, u32) {
    (width * per_cent / 100, height * per_cent / 100)
}

/// The editor says what its window measures, and that lies where it should.
fn assert_agrees(instance: &mut Instance, stage: &Stage, expected: (u32, u32), when: &str) {
    let embedded = stage.embedded().unwrap();
    assert_eq!((instance.size(), embedded.size, embedded.place), (expected, expected, (0, 0)), "{when}: said, measured, at");
}

/// All of the host's window is drawn on, to its corners.
fn assert_fills(stage: &Stage, (width, height): (u32, u32), when: &str) {
    let [right, bottom] = [width, height].map(|side| i16::try_from(side - 3).unwrap());
    let corners = [(2, 2), (right, 2), (2, bottom), (right, bottom)];
    wait_until(&format!("the editor is drawn to its corners, {when}"), || {
        corners.iter().all(|&corner| stage.colour_at(corner).is_ok_and(|colour| colour == PAPER.channels()))
    });
    if let Some(folder) = std::env::var_os("ANTIPHON_TEST_PICTURES") {
        stage.photograph().unwrap().write(&Path::new(&folder).join(format!("{when}.png"))).unwrap();
    }
}

/// Opens, resizes, and opens anew, on a screen of a scale.
fn open_resize_reopen(per_cent: u32) {
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let (size, when) = (pixels(SIZE, per_cent), format!("{format:?} at {per_cent} per cent"));
        let mut stage = instance.open();
        assert_agrees(&mut instance, &stage, size, &when);
        wait_until_drawn(&stage);
        assert_fills(&stage, size, &when);
        let smaller = pixels((860, 500), per_cent);
        instance.resize(smaller);
        stage.resize(smaller.0, smaller.1).unwrap();
        assert_agrees(&mut instance, &stage, smaller, &format!("{when}, resized"));
        assert_fills(&stage, smaller, &format!("{when}, resized"));
        instance.resize((10, 10));
        assert_agrees(&mut instance, &stage, pixels(LEAST, per_cent), &format!("{when}, at its smallest"));
        instance.resize(smaller);
        instance.close();
        drop(stage);
        let stage = instance.open();
        assert_agrees(&mut instance, &stage, smaller, &format!("{when}, opened again"));
        assert_fills(&stage, smaller, &format!("{when}, opened again"));
        instance.close();
    }
}

macro_rules! on_a_screen_of {
    ($($name:ident: $per_cent:expr;)*) => {$(
        #[test]
        fn $name() {
            let set_up = |display: &mut Display| display.set_dpi(96 * $per_cent / 100).unwrap();
            alone(concat!("size::", stringify!($name)), SCREEN, set_up, || open_resize_reopen($per_cent));
        }
    )*};
}

on_a_screen_of! {
    editor_at_100_per_cent_measures_what_it_says: 100;
    editor_at_125_per_cent_measures_what_it_says: 125;
    editor_at_150_per_cent_measures_what_it_says: 150;
    editor_at_200_per_cent_measures_what_it_says: 200;
    editor_at_300_per_cent_measures_what_it_says: 300;
}

/// The host sets the scale of the open editor, one after the other, and opens it anew at the last.
fn set_scales(screen: &str) {
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let mut stage = instance.open();
        for per_cent in SCALES.into_iter().rev().chain([125, 200]) {
            let (size, when) = (pixels(SIZE, per_cent), format!("{format:?} set to {per_cent} per cent on a screen of {screen}"));
            instance.set_scale(f64::from(per_cent) / 100.0);
            if let Instance::Clap(host) = &mut instance {
                assert_eq!(host.asked_size(), Some(size), "{when}: the host is asked");
            }
            assert_agrees(&mut instance, &stage, size, &when);
            stage.resize(size.0, size.1).unwrap();
            wait_until_drawn(&stage);
            assert_fills(&stage, size, &when);
            // egui's zoom has followed by now, and left the size as it is.
            instance.idle();
            assert_agrees(&mut instance, &stage, size, &format!("{when}, drawn"));
        }
        instance.close();
        drop(stage);
        let stage = instance.open();
        let size = pixels(SIZE, 200);
        assert_agrees(&mut instance, &stage, size, &format!("{format:?} opened again at the host's scale on a screen of {screen}"));
        assert_fills(&stage, size, &format!("{format:?} opened again at the host's scale on a screen of {screen}"));
        instance.close();
    }
}

#[test]
fn scale_of_the_host_sets_the_size_of_the_editor() {
    alone("size::scale_of_the_host_sets_the_size_of_the_editor", SCREEN, |_| (), || set_scales("no scale"));
}

#[test]
fn scale_of_the_host_comes_before_that_of_the_screen() {
    let set_up = |display: &mut Display| display.set_dpi(192).unwrap();
    alone("size::scale_of_the_host_comes_before_that_of_the_screen", SCREEN, set_up, || set_scales("200 per cent"));
}

/// As CLAP hosts do that know their screen.
fn open_at_a_scale() {
    for per_cent in SCALES {
        let Instance::Clap(mut host) = Instance::loaded(Format::Clap) else { unreachable!("it was asked for") };
        let open = |width, height| {
            let stage = Stage::open("Host", width, height)?;
            let window = stage.window();
            Ok((stage, window))
        };
        let stage = host.open_editor_at(Some(f64::from(per_cent) / 100.0), open).unwrap();
        let (mut instance, size) = (Instance::Clap(host), pixels(SIZE, per_cent));
        assert_agrees(&mut instance, &stage, size, &format!("opened at {per_cent} per cent"));
        assert_fills(&stage, size, &format!("Clap opened at {per_cent} per cent"));
        instance.close();
    }
}

#[test]
fn scale_that_is_set_before_the_window_opens_sets_its_size() {
    alone("size::scale_that_is_set_before_the_window_opens_sets_its_size", SCREEN, |_| (), open_at_a_scale);
}
