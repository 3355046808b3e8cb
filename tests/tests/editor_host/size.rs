//! The editor has the size it reports, whatever sets its scale and size.

use std::path::Path;

use antiphon_roll::legend::PAPER;
use antiphon_tests::display::Display;
use antiphon_tests::host_window::HostWindow;

use super::instance::{Format, Instance};
use super::{in_child_process, wait_until, wait_until_drawn};

/// Large enough for the editor at 300 per cent.
const SCREEN: (u32, u32) = (3200, 1800);
/// Initial size of the editor, in points.
const SIZE: (u32, u32) = (1000, 600);
const LEAST: (u32, u32) = (720, 420);
/// In per cent.
const SCALES: [u32; 5] = [100, 125, 150, 200, 300];

const fn pixels((width, height): (u32, u32), per_cent: u32) -> (u32, u32) {
    (width * per_cent / 100, height * per_cent / 100)
}

/// Asserts that the editor reports the size of its window, and that the window is at the origin.
fn assert_agrees(instance: &mut Instance, host_window: &HostWindow, expected: (u32, u32), when: &str) {
    let embedded = host_window.embedded().unwrap();
    assert_eq!(
        (instance.size(), embedded.size, embedded.place),
        (expected, expected, (0, 0)),
        "{when}: reported size, actual size, position"
    );
}

/// Asserts that the editor is drawn up to all four corners.
fn assert_fills(host_window: &HostWindow, (width, height): (u32, u32), when: &str) {
    let [right, bottom] = [width, height].map(|side| i16::try_from(side - 3).unwrap());
    let corners = [(2, 2), (right, 2), (2, bottom), (right, bottom)];
    wait_until(&format!("the editor is drawn to its corners, {when}"), || {
        corners.iter().all(|&corner| host_window.colour_at(corner).is_ok_and(|colour| colour == PAPER.channels()))
    });
    if let Some(folder) = std::env::var_os("ANTIPHON_TEST_PICTURES") {
        host_window.screenshot().unwrap().write(&Path::new(&folder).join(format!("{when}.png"))).unwrap();
    }
}

/// Opens, resizes and reopens the editor on a screen of this scale.
fn open_resize_reopen(per_cent: u32) {
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let (size, when) = (pixels(SIZE, per_cent), format!("{format:?} at {per_cent} per cent"));
        let mut host_window = instance.open();
        assert_agrees(&mut instance, &host_window, size, &when);
        wait_until_drawn(&host_window);
        assert_fills(&host_window, size, &when);
        let smaller = pixels((860, 500), per_cent);
        instance.resize(smaller);
        host_window.resize(smaller.0, smaller.1).unwrap();
        assert_agrees(&mut instance, &host_window, smaller, &format!("{when}, resized"));
        assert_fills(&host_window, smaller, &format!("{when}, resized"));
        instance.resize((10, 10));
        assert_agrees(&mut instance, &host_window, pixels(LEAST, per_cent), &format!("{when}, at its smallest"));
        instance.resize(smaller);
        instance.close();
        drop(host_window);
        let host_window = instance.open();
        assert_agrees(&mut instance, &host_window, smaller, &format!("{when}, opened again"));
        assert_fills(&host_window, smaller, &format!("{when}, opened again"));
        instance.close();
    }
}

macro_rules! on_a_screen_of {
    ($($name:ident: $per_cent:expr;)*) => {$(
        #[test]
        fn $name() {
            let set_up = |display: &mut Display| display.set_dpi(96 * $per_cent / 100).unwrap();
            in_child_process(concat!("size::", stringify!($name)), SCREEN, set_up, || open_resize_reopen($per_cent));
        }
    )*};
}

on_a_screen_of! {
    editor_at_100_per_cent_has_the_reported_size: 100;
    editor_at_125_per_cent_has_the_reported_size: 125;
    editor_at_150_per_cent_has_the_reported_size: 150;
    editor_at_200_per_cent_has_the_reported_size: 200;
    editor_at_300_per_cent_has_the_reported_size: 300;
}

/// Sets several scales on the open editor, and reopens it at the last one.
fn set_scales(screen: &str) {
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let mut host_window = instance.open();
        for per_cent in SCALES.into_iter().rev().chain([125, 200]) {
            let (size, when) = (pixels(SIZE, per_cent), format!("{format:?} set to {per_cent} per cent on a screen of {screen}"));
            instance.set_scale(f64::from(per_cent) / 100.0);
            if let Instance::Clap(host) = &mut instance {
                assert_eq!(host.requested_size(), Some(size), "{when}: requested from the host");
            }
            assert_agrees(&mut instance, &host_window, size, &when);
            host_window.resize(size.0, size.1).unwrap();
            wait_until_drawn(&host_window);
            assert_fills(&host_window, size, &when);
            // egui's zoom factor has followed by now, and must not have changed the size.
            instance.idle();
            assert_agrees(&mut instance, &host_window, size, &format!("{when}, drawn"));
        }
        instance.close();
        drop(host_window);
        let host_window = instance.open();
        let size = pixels(SIZE, 200);
        assert_agrees(&mut instance, &host_window, size, &format!("{format:?} opened again at the host's scale on a screen of {screen}"));
        assert_fills(&host_window, size, &format!("{format:?} opened again at the host's scale on a screen of {screen}"));
        instance.close();
    }
}

#[test]
fn host_scale_sets_the_editor_size() {
    in_child_process("size::host_scale_sets_the_editor_size", SCREEN, |_| (), || set_scales("no scale"));
}

#[test]
fn host_scale_overrides_the_screen_scale() {
    let set_up = |display: &mut Display| display.set_dpi(192).unwrap();
    in_child_process("size::host_scale_overrides_the_screen_scale", SCREEN, set_up, || set_scales("200 per cent"));
}

/// As CLAP hosts do that know the scale of their screen.
fn open_at_a_scale() {
    for per_cent in SCALES {
        let Instance::Clap(mut host) = Instance::loaded(Format::Clap) else { unreachable!("requested above") };
        let open = |width, height| {
            let host_window = HostWindow::open("Host", width, height)?;
            let window = host_window.window();
            Ok((host_window, window))
        };
        let host_window = host.open_editor_at(Some(f64::from(per_cent) / 100.0), open).unwrap();
        let (mut instance, size) = (Instance::Clap(host), pixels(SIZE, per_cent));
        assert_agrees(&mut instance, &host_window, size, &format!("opened at {per_cent} per cent"));
        assert_fills(&host_window, size, &format!("Clap opened at {per_cent} per cent"));
        instance.close();
    }
}

#[test]
fn scale_set_before_the_window_opens_sets_its_size() {
    in_child_process("size::scale_set_before_the_window_opens_sets_its_size", SCREEN, |_| (), open_at_a_scale);
}
