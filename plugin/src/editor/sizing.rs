//! Size of the editor window: points, scale, and the resulting pixels.
//!
//! nice-plug-egui 0.6.0 reports points times the scale of the last window, and 1 before the first window; baseview 0.4.2 opens a window
//! enlarged by the scale of the screen. Here both use one value, so that the host is told the actual window size.
//!
//! On X11 the host's scale overrides the screen's, as CLAP requires. baseview uses the screen's (`Xft.dpi`) if there is one, whatever the
//! host says; the ratio of the two becomes egui's zoom factor. On Windows and macOS the scale is the window's.
//!
//! On top of that comes the user's own scale, a parameter; the size in points is saved with the project.

use std::ops::RangeInclusive;
use std::sync::Arc;

use nice_plug::editor::dpi::{LogicalSize, NativeSize, PhysicalSize, Size};
use parking_lot::Mutex;

use super::{LEAST_SIZE, SIZE};
use crate::params::AntiphonParams;
use crate::state::WindowSize;

/// Whether the host's scale overrides the one baseview finds.
const HOST_FIRST: bool = cfg!(target_os = "linux");
/// Accepted window sides, in native pixels. X11 uses 16 bits, and drivers refuse surfaces larger than this.
const SIDES: RangeInclusive<u32> = 1..=16_384;
/// Longest side of a remembered window, in points.
const MOST_POINTS: f64 = 4_096.0;
/// Accepted scales; a host that sends others means something else.
const SCALES: RangeInclusive<f64> = 0.25..=8.0;

/// Size and scale of one instance's editor, kept while its window is closed. Clones share it.
#[derive(Clone)]
pub(super) struct Sizing {
    state: Arc<Mutex<State>>,
    /// What the project remembers of them.
    params: Arc<AntiphonParams>,
}

#[derive(Clone, Copy)]
struct State {
    points: LogicalSize<f64>,
    /// Scale set by the host.
    host: Option<f64>,
    /// On X11 the screen's scale when last read; elsewhere the last window's.
    screen: Option<f64>,
    /// The user's own scale on top of these.
    user: f64,
}

/// Parameters a window is opened with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WindowOptions {
    /// Size of the window.
    pub(super) size: Size,
    /// egui's zoom factor, on top of the scale that baseview finds.
    pub(super) zoom: f32,
    /// Scale for baseview to use where the screen has none.
    pub(super) fallback_scale: Option<f64>,
}

/// A size or scale from the host that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidSize {
    /// The size is out of range.
    #[error("a window of {0} x {1} pixels is out of range: each side must be 1 to 16384")]
    Size(u32, u32),
    /// The scale is out of range.
    #[error("a scale of {0} is out of range: it must be 0.25 to 8, with 1 for a screen of 96 dpi")]
    Scale(f64),
}

impl Sizing {
    /// State of an editor whose window was never opened.
    pub(super) fn new(params: Arc<AntiphonParams>) -> Self {
        let points = LogicalSize::new(SIZE.0.into(), SIZE.1.into());
        Self { state: Arc::new(Mutex::new(State { points, host: None, screen: None, user: 1.0 })), params }
    }

    /// Reads the screen's scale again, and what the project remembers. Not while a window is open: a window keeps the size and the scale it was opened with.
    pub(super) fn read_settings(&self) {
        #[cfg(target_os = "linux")]
        if let Some(scale) = x11::screen_scale() {
            self.state.lock().screen = scale;
        }
        let mut state = self.state.lock();
        state.user = self.params.window.scale();
        if let Some(WindowSize { width, height }) = self.params.state.window_size() {
            let side = |side: f64, least: f32| if side.is_finite() { side.clamp(least.into(), MOST_POINTS) } else { least.into() };
            state.points = LogicalSize::new(side(width, LEAST_SIZE.0), side(height, LEAST_SIZE.1));
        }
    }

    /// Takes over the user's scale while the window is open; returns the size in points that the window should keep, if it has changed.
    pub(super) fn take_user_scale(&self) -> Option<LogicalSize<f64>> {
        let scale = self.params.window.scale();
        let mut state = self.state.lock();
        let last = std::mem::replace(&mut state.user, scale);
        ((scale - last).abs() > f64::EPSILON).then_some(state.points)
    }

    /// Window size in the unit hosts use.
    pub(super) fn native(&self) -> NativeSize<u32> {
        self.state().native()
    }

    /// Native pixels per point.
    pub(super) fn scale(&self) -> f64 {
        self.state().scale()
    }

    /// egui's zoom factor for a window to which baseview assigns this scale.
    pub(super) fn zoom(&self, window_scale: f64) -> f32 {
        self.state().zoom(window_scale)
    }

    /// Parameters for the next window.
    pub(super) fn window_options(&self) -> WindowOptions {
        let state = self.state();
        let zoom = state.zoom(state.screen.or(state.host).unwrap_or(1.0));
        // baseview takes a size in pixels as is; a size in points it multiplies by the screen's scale, but not by a fallback scale.
        let size = if HOST_FIRST { state.native().into() } else { state.points.into() };
        WindowOptions { size, zoom, fallback_scale: state.host }
    }

    /// The host set a scale.
    pub(super) fn set_host_scale(&self, scale: f64) -> Result<(), InvalidSize> {
        // NaN is in no range.
        if !SCALES.contains(&scale) {
            return Err(InvalidSize::Scale(scale));
        }
        self.state.lock().host = Some(scale);
        Ok(())
    }

    /// The window's actual size, and the scale baseview assigns to it.
    pub(super) fn window_resized(&self, physical: PhysicalSize<u32>, window_scale: f64) {
        let mut state = self.state.lock();
        if !HOST_FIRST {
            state.screen = Some(window_scale);
        }
        let scale = state.scale();
        // Points that round to these pixels stay, so that they do not drift when the scale changes back and forth.
        if state.points.to_physical::<u32>(scale) != physical {
            state.points = physical.to_logical(scale);
            self.params.state.set_window_size(WindowSize { width: state.points.width, height: state.points.height });
        }
    }

    fn state(&self) -> State {
        *self.state.lock()
    }
}

impl State {
    fn scale(self) -> f64 {
        let scale = if HOST_FIRST { self.host.or(self.screen) } else { self.screen.or(self.host) };
        scale.unwrap_or(1.0) * self.user
    }

    fn native(self) -> NativeSize<u32> {
        NativeSize::from_size(self.points.into(), self.scale())
    }

    #[allow(clippy::cast_possible_truncation, reason = "egui's zoom factor is an f32")]
    fn zoom(self, window_scale: f64) -> f32 {
        if HOST_FIRST { (self.scale() / window_scale) as f32 } else { self.user as f32 }
    }
}

/// Checks that a window can have this size.
pub(super) fn check(size: NativeSize<u32>) -> Result<(), InvalidSize> {
    let NativeSize { width, height } = size;
    if SIDES.contains(&width) && SIDES.contains(&height) { Ok(()) } else { Err(InvalidSize::Size(width, height)) }
}

#[cfg(target_os = "linux")]
mod x11 {
    use x11rb::resource_manager::new_from_default;

    /// Dots per inch at a scale of 1.
    const DPI: f64 = 96.0;

    /// Scale of the environment's screen; `Some(None)` if it sets none, `None` without an X server. Read the way baseview reads it.
    pub(super) fn screen_scale() -> Option<Option<f64>> {
        let (connection, _) = x11rb::connect(None).ok()?;
        let resources = new_from_default(&connection).ok()?;
        let dpi: Option<u32> = resources.get_value("Xft.dpi", "").ok().flatten();
        Some(dpi.map(|dpi| f64::from(dpi) / DPI))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn sizing(screen: Option<f64>) -> Sizing {
        let sizing = Sizing::new(Arc::new(AntiphonParams::new(true)));
        let mut state = sizing.state.lock();
        (state.points, state.screen) = (LogicalSize::new(1000.0, 560.0), screen);
        drop(state);
        sizing
    }

    #[test]
    fn screen_with_a_scale_opens_the_window_at_the_size_the_host_is_told() {
        for (scale, width, height) in [(1.0, 1000, 560), (1.25, 1250, 700), (1.5, 1500, 840), (2.0, 2000, 1120), (3.0, 3000, 1680)] {
            let sizing = sizing(Some(scale));
            assert_eq!(sizing.native(), NativeSize::new(width, height));
            let options = WindowOptions { size: PhysicalSize::new(width, height).into(), zoom: 1.0, fallback_scale: None };
            assert_eq!(sizing.window_options(), options);
        }
    }

    #[test]
    fn host_scale_comes_before_the_screen_and_is_kept_for_the_next_window() {
        let sizing = sizing(Some(2.0));
        sizing.set_host_scale(1.5).unwrap();
        assert_eq!(sizing.native(), NativeSize::new(1500, 840));
        let options = WindowOptions { size: PhysicalSize::new(1500, 840).into(), zoom: 0.75, fallback_scale: Some(1.5) };
        assert_eq!(sizing.window_options(), options);
    }

    #[test]
    fn host_scale_without_a_screen_scale_needs_no_zoom() {
        let sizing = sizing(None);
        sizing.set_host_scale(3.0).unwrap();
        assert!((sizing.window_options().zoom - 1.0).abs() < f32::EPSILON);
        assert!((sizing.zoom(3.0) - 1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn scale_that_goes_up_and_down_leaves_the_size_in_points() {
        let sizing = sizing(None);
        sizing.window_resized(PhysicalSize::new(1001, 561), 1.0);
        for scale in [1.1, 1.25, 1.333, 1.5, 3.0, 1.0] {
            sizing.set_host_scale(scale).unwrap();
            let native = sizing.native();
            sizing.window_resized(PhysicalSize::new(native.width, native.height), scale);
            assert_eq!(sizing.native(), native);
        }
        assert_eq!(sizing.native(), NativeSize::new(1001, 561));
    }

    #[test]
    fn scale_of_the_user_multiplies_the_others_and_keeps_the_points() {
        let sizing = sizing(Some(1.5));
        let param = sizing.params.find("window_scale").unwrap();
        // SAFETY: the pointer is one of the parameters that the sizing holds.
        unsafe { param._internal_set_normalized_value(param.string_to_normalized_value("200 %").unwrap()) };
        assert_eq!(sizing.take_user_scale(), Some(LogicalSize::new(1000.0, 560.0)));
        assert_eq!(sizing.take_user_scale(), None);
        assert_eq!(sizing.native(), NativeSize::new(3000, 1680));
        let options = WindowOptions { size: PhysicalSize::new(3000, 1680).into(), zoom: 2.0, fallback_scale: None };
        assert_eq!(sizing.window_options(), options);
        // The window grew to twice its pixels: the same points.
        sizing.window_resized(PhysicalSize::new(3000, 1680), 1.5);
        assert_eq!(sizing.params.state.window_size(), None);
    }

    #[test]
    fn size_that_was_changed_is_the_projects_and_opens_again() {
        let first = sizing(Some(2.0));
        first.window_resized(PhysicalSize::new(1720, 1000), 2.0);
        let saved = first.params.state.window_size().unwrap();
        assert_eq!(saved, WindowSize { width: 860.0, height: 500.0 });
        for (size, expected) in [
            (saved, NativeSize::new(860, 500)),
            (WindowSize { width: 1.0, height: f64::NAN }, NativeSize::new(720, 420)),
            (WindowSize { width: 1e9, height: 1e9 }, NativeSize::new(4096, 4096)),
        ] {
            let reopened = sizing(Some(1.0));
            reopened.params.state.set_window_size(size);
            reopened.read_settings();
            reopened.state.lock().screen = Some(1.0);
            assert_eq!(reopened.native(), expected);
        }
    }

    #[test]
    fn size_or_scale_out_of_range_is_rejected() {
        let sizing = sizing(None);
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 96.0] {
            assert!(sizing.set_host_scale(scale).is_err(), "{scale}");
        }
        assert_eq!(sizing.native(), NativeSize::new(1000, 560));
        for (width, height) in [(0, 560), (1000, 0), (1000, 70_000)] {
            assert_eq!(check(NativeSize::new(width, height)), Err(InvalidSize::Size(width, height)));
        }
        assert_eq!(check(NativeSize::new(1000, 560)), Ok(()));
    }
}
