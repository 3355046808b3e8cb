//! How the editor looks: the colours of the command line's pictures, on paper.

use antiphon_roll::legend::{AFTER, BEFORE, Colour, FAINT_INK, INK, PAPER};
use egui::{
    Button, Color32, Context, CornerRadius, FontFamily, FontId, IntoAtoms, Margin, Shadow, Stroke, TextStyle, Theme, Vec2, Visuals, vec2,
};

/// Between things that belong together, in points.
pub(super) const GAP: f32 = 8.0;
/// Between the window's edges and what is in it.
pub(super) const MARGIN: i8 = 14;
/// Of buttons.
pub(super) const BUTTON_HEIGHT: f32 = 32.0;
/// Of the row of controls.
pub(super) const ROW_HEIGHT: f32 = 40.0;
/// Of corners.
pub(super) const RADIUS: u8 = 5;

/// A line around the widget that has the keyboard.
const FOCUS: Colour = Colour(0x003A_8FD0);
/// What is wrong.
const ALARM: Colour = Colour(0x00B3_2D2D);
/// What is well.
const WELL: Colour = Colour(0x002E_8B57);
/// What is on its way.
const WAITING: Colour = Colour(0x00CF_9A12);

/// A colour of the legend as egui's.
pub(super) const fn paint(colour: Colour) -> Color32 {
    let [red, green, blue] = colour.channels();
    Color32::from_rgb(red, green, blue)
}

pub(super) const fn ink() -> Color32 {
    paint(INK)
}

pub(super) const fn faint_ink() -> Color32 {
    paint(FAINT_INK)
}

pub(super) const fn alarm() -> Color32 {
    paint(ALARM)
}

pub(super) const fn well() -> Color32 {
    paint(WELL)
}

pub(super) const fn waiting() -> Color32 {
    paint(WAITING)
}

/// A line as fine as `opacity` of ink.
pub(super) fn hairline(opacity: f32) -> Stroke {
    Stroke::new(1.0, paint(INK.over(AFTER, opacity)))
}

/// A button of the editor's height.
pub(super) fn button<'a>(text: impl IntoAtoms<'a>) -> Button<'a> {
    Button::new(text).min_size(vec2(76.0, BUTTON_HEIGHT))
}

/// Sets fonts, colours and distances.
pub(super) fn apply(ctx: &Context) {
    ctx.set_theme(Theme::Light);
    ctx.options_mut(|options| {
        // The window's size follows the scale; the zoom keys belong to the host.
        options.zoom_with_keyboard = false;
        // egui counts from frame to frame: on a slow machine quick clicks would be lost, and a handle that is held still would be dragged.
        options.input_options.max_click_duration = f64::INFINITY;
    });
    ctx.global_style_mut(|style| {
        let sizes = [
            (TextStyle::Small, 11.5),
            (TextStyle::Body, 14.0),
            (TextStyle::Button, 14.0),
            (TextStyle::Monospace, 13.0),
            (TextStyle::Heading, 20.0),
        ];
        style.text_styles = sizes.into_iter().map(|(text, size)| (text, FontId::new(size, FontFamily::Proportional))).collect();
        style.spacing.item_spacing = vec2(GAP, GAP / 2.0);
        style.spacing.button_padding = vec2(12.0, 5.0);
        style.spacing.slider_width = 130.0;
        style.spacing.interact_size.y = 22.0;
        style.spacing.window_margin = Margin::same(16);
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.4;
        style.visuals = visuals();
    });
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::light();
    visuals.panel_fill = paint(PAPER);
    visuals.window_fill = paint(PAPER);
    visuals.window_stroke = hairline(0.25);
    visuals.window_shadow = Shadow { offset: [0, 4], blur: 18, spread: 0, color: Color32::from_black_alpha(40) };
    visuals.popup_shadow = Shadow { offset: [0, 2], blur: 8, spread: 0, color: Color32::from_black_alpha(30) };
    visuals.extreme_bg_color = paint(AFTER);
    visuals.faint_bg_color = paint(BEFORE);
    visuals.weak_text_color = Some(faint_ink());
    visuals.selection.bg_fill = paint(FOCUS.over(AFTER, 0.3));
    visuals.selection.stroke = Stroke::new(1.0, ink());
    visuals.slider_trailing_fill = true;
    let widgets = &mut visuals.widgets;
    let states = [
        (&mut widgets.noninteractive, PAPER, hairline(0.15)),
        (&mut widgets.inactive, AFTER, hairline(0.22)),
        (&mut widgets.hovered, BEFORE, hairline(0.45)),
        // Pressed, or with the keyboard.
        (&mut widgets.active, AFTER, Stroke::new(2.0, paint(FOCUS))),
        (&mut widgets.open, BEFORE, hairline(0.45)),
    ];
    for (state, fill, outline) in states {
        state.weak_bg_fill = paint(fill);
        state.bg_fill = paint(BEFORE);
        state.bg_stroke = outline;
        state.fg_stroke = Stroke::new(1.0, ink());
        state.corner_radius = CornerRadius::same(RADIUS);
        state.expansion = 0.0;
    }
    // The rails and knobs of sliders.
    widgets.inactive.bg_fill = paint(INK.over(AFTER, 0.16));
    visuals
}

/// A window below this width has its controls in two rows, in points.
pub(super) const NARROW_BELOW: f32 = 985.0;

/// The least size at which everything has its place, in points.
pub(super) const LEAST_SIZE: Vec2 = vec2(720.0, 420.0);
