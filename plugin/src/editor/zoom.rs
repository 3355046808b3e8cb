//! egui's zoom factor of one window: the host's scale relative to the one baseview finds.

use egui::{Context, ViewportCommand, vec2};
use nice_plug::editor::dpi::LogicalSize;
use nice_plug_egui::baseview::WindowSize;

use super::sizing::Sizing;

/// Zoom factor of one window, and the size that goes with it.
pub(super) struct Zoom {
    sizing: Sizing,
    /// Factor in the last frame.
    last: f32,
    /// Size in points that the window is to keep with the next factor; `None` keeps its pixels.
    kept: Option<LogicalSize<f64>>,
}

impl Zoom {
    /// Zoom of a window that opens with this factor.
    pub(super) const fn new(sizing: Sizing, factor: f32) -> Self {
        Self { sizing, last: factor, kept: None }
    }

    /// The window's new size in pixels; egui-baseview's logical sizes include its zoom factor.
    pub(super) fn resized(&self, size: WindowSize) {
        self.sizing.window_resized(size.physical, size.scale_factor);
    }

    /// Follows the scales of host and user. Called once a frame.
    pub(super) fn follow(&mut self, ctx: &Context, window: WindowSize) {
        // A slider is let go of first: under the pointer the window would run away from it.
        if !ctx.input(|input| input.pointer.any_down())
            && let Some(points) = self.sizing.take_user_scale()
        {
            self.kept = Some(points);
        }
        let current = ctx.zoom_factor();
        #[allow(clippy::float_cmp, reason = "egui keeps the value it is given")]
        if current != self.last {
            self.last = current;
            // egui-baseview would resize the window by the change. The host determines the size, so request that one; the window grows and
            // shrinks with the user's scale, as far as the host lets it.
            #[allow(clippy::cast_possible_truncation, reason = "egui's points are f32")]
            let points = match self.kept.take() {
                Some(points) => vec2(points.width as f32, points.height as f32),
                None => vec2(window.physical.width as f32, window.physical.height as f32) / (window.scale_factor as f32 * current),
            };
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(points));
        }
        // Takes effect in the next frame.
        ctx.set_zoom_factor(self.sizing.zoom(window.scale_factor));
    }
}
