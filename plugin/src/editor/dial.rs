//! A control of the window: a slider with its name and a value to type, or a switch. Double-click resets, Shift is fine.

use egui::style::HandleShape;
use egui::{
    Align, Align2, Color32, DragValue, FontId, Key, Layout, Rect, Response, RichText, Role, Sense, Shape, Slider, Stroke, StrokeKind,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::model::{Change, EditorModel};
use super::palette::{Palette, paint};
use crate::params::ShownParameter;

/// Height of the row with name and value, in points.
const CAPTION: f32 = 17.0;
/// Height of what stands in place of a slider that cannot be moved, in points.
const FIXED: f32 = 22.0;
/// How much slower a slider moves with Shift.
const FINE: f32 = 0.1;
/// Half the width of a tip of the knob of a ladder, and its height, in points.
const TIP: f32 = 5.0;
/// Width of the area of that knob, as a share of its height.
const KNOB: f32 = 0.25;
/// Height of a step of a ladder, in points.
const BAND: f32 = 18.0;
/// Height of a rail without a value, and width of its knob, in points.
const UNSET_RAIL: f32 = 3.0;
const UNSET_KNOB: f32 = 13.0;
/// Percentages are rounded: a band begins half a percent before its first one.
const HALF_PERCENT: f32 = 0.005;
/// Changes below this are rounding: a thousand steps are the most that a parameter has.
const LEAST: f32 = 1e-5;

/// Shows a parameter and reports what is done with it as gestures.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel, parameter: &ShownParameter, width: f32) {
    if parameter.is_switch {
        switch(ui, model, parameter);
        return;
    }
    let (slider, slid, typed, is_reset) = ui
        .vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let row = Layout::left_to_right(Align::Center);
            let (name, typed) = ui.allocate_ui_with_layout(vec2(width, CAPTION), row, |ui| caption(ui, model, parameter)).inner;
            let (slider, slid) = rail(ui, parameter, width);
            let is_over = slider.contains_pointer() || name.contains_pointer();
            let is_reset = is_over && ui.input(|input| input.pointer.button_double_clicked(egui::PointerButton::Primary));
            // One for all parts, under the whole control: that of the name alone would cover the slider.
            let whole = slider.clone().union(name).union(typed.0.clone());
            whole.on_hover_text(format!("{} Click its value to type, drag with Shift to be fine.", parameter.tip));
            (slider, slid, typed, is_reset)
        })
        .inner;
    gesture(model, &slider, parameter.id, slid.filter(|_| !is_reset));
    if is_reset {
        super::controls::change(model, Change::Parameter(parameter.id, parameter.default));
    }
    let (value, number) = typed;
    gesture(model, &value, parameter.id, number);
}

/// Shows a parameter that does not count now: the value that does, and why. It cannot be set here.
pub(super) fn fixed(ui: &mut Ui, name: &str, value: &str, why: &str, tip: &str, width: f32) {
    let palette = Palette::of(ui.ctx());
    let (area, response) = ui.allocate_exact_size(vec2(width, CAPTION + FIXED), Sense::hover());
    let caption = area.with_max_y(area.top() + CAPTION);
    let below = pos2(area.center().x, caption.bottom() + FIXED / 2.0);
    for (place, align, text) in [
        (caption.left_center(), Align2::LEFT_CENTER, name),
        (caption.right_center(), Align2::RIGHT_CENTER, value),
        (below, Align2::CENTER_CENTER, why),
    ] {
        ui.painter().text(place, align, text, FontId::proportional(12.0), paint(palette.soft));
    }
    response.widget_info(|| named(Role::Label, &format!("{name}, {why}"), value));
    response.on_hover_text(tip);
}

/// Name and value: a value that is dragged or, after a click, typed. What the parameter cannot read changes nothing.
fn caption(ui: &mut Ui, model: &impl EditorModel, parameter: &ShownParameter) -> (Response, (Response, Option<f32>)) {
    let palette = Palette::of(ui.ctx());
    ui.set_width(ui.available_width());
    // Painted: the slider has the name as its own.
    let text = ui.painter().layout_no_wrap(parameter.name.clone(), FontId::proportional(12.0), paint(palette.soft));
    let (area, name) = ui.allocate_exact_size(vec2(text.size().x, CAPTION), Sense::hover());
    ui.painter().galley(Align2::LEFT_CENTER.align_size_within_rect(text.size(), area).min, text, paint(palette.soft));
    let value = ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let style = ui.style_mut();
        style.text_styles.insert(TextStyle::Button, FontId::proportional(12.0));
        style.spacing.button_padding = vec2(0.0, 0.0);
        style.spacing.interact_size = vec2(24.0, CAPTION);
        style.visuals.widgets.inactive.weak_bg_fill = Color32::TRANSPARENT;
        style.visuals.widgets.inactive.bg_stroke = Stroke::NONE;
        if parameter.is_left_to_others() {
            style.visuals.widgets.inactive.fg_stroke.color = paint(palette.soft);
        }
        let mut value = f64::from(parameter.value);
        let step = step(parameter);
        let is_dismissed = is_dismissed(ui);
        let drag = DragValue::new(&mut value)
            .range(0.0..=1.0)
            .speed((step / 4.0).max(0.002))
            .max_decimals(5)
            .update_while_editing(false)
            .custom_formatter(|_, _| parameter.text.clone())
            .custom_parser(|text| if is_dismissed { None } else { model.read(parameter.id, text).map(f64::from) });
        let response = ui.add(drag);
        response.widget_info(|| named(Role::SpinButton, &format!("{}, value", parameter.name), &parameter.text));
        let stepped = (value / step).round() * step;
        (response, moved(parameter, stepped))
    });
    (name, value.inner)
}

/// Whether Esc was pressed in this frame or the two before it: egui 0.37 would set the dismissed text a frame later.
fn is_dismissed(ui: &Ui) -> bool {
    let (id, frame) = (egui::Id::unique("dismissed"), ui.ctx().cumulative_frame_nr());
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        ui.data_mut(|data| data.insert_temp(id, frame));
    }
    ui.data(|data| data.get_temp::<u64>(id)).is_some_and(|at| frame - at <= 2)
}

/// The slider. With Shift it moves from where it is, a tenth as fast as the pointer.
fn rail(ui: &mut Ui, parameter: &ShownParameter, width: f32) -> (Response, Option<f32>) {
    ui.spacing_mut().slider_width = width;
    let step = step(parameter);
    let mut value = f64::from(parameter.value);
    // What is left to the music or to another control has no place in the range: its knob is hollow, in the middle, whichever end stands for it.
    let is_own = !parameter.is_left_to_others();
    let mut slider = Slider::new(&mut value, 0.0..=1.0).step_by(step).show_value(false).trailing_fill(is_own);
    let ground = ui.painter().add(Shape::Noop);
    if !parameter.bands.is_empty() || !is_own {
        // The names of the bands are the rail; the knob is drawn around them.
        let widgets = &mut ui.visuals_mut().widgets;
        for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
            (state.bg_fill, state.fg_stroke) = (Color32::TRANSPARENT, Stroke::NONE);
        }
        slider = slider.trailing_fill(false).handle_shape(HandleShape::Rect { aspect_ratio: KNOB });
    }
    let response = ui.add(slider);
    ui.painter().set(ground, if is_own { bands(ui, parameter, &response) } else { unset(ui, &response) });
    response.widget_info(|| named(Role::Slider, &parameter.name, &parameter.text));
    // Unrounded, so that slow movement adds up to a step. Once Shift was held in a drag, the rest of it is relative: no jump to the pointer.
    let precise = response.id.with("precise");
    let is_fine = ui.input(|input| input.modifiers.shift_only());
    let before = ui.data(|data| data.get_temp::<f64>(precise));
    if response.drag_stopped() {
        ui.data_mut(|data| data.remove::<f64>(precise));
        if before.is_some() {
            value = f64::from(parameter.value);
        }
    } else if response.dragged() && (is_fine || before.is_some()) {
        let speed = if is_fine { FINE } else { 1.0 };
        let moved = f64::from(response.drag_delta().x / width * speed);
        let unrounded = (before.unwrap_or(f64::from(parameter.value)) + moved).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(precise, unrounded));
        value = (unrounded / step).round() * step;
    }
    (response, moved(parameter, value))
}

/// A rail without a value: thin, with a hollow knob in the middle.
fn unset(ui: &Ui, slider: &Response) -> Shape {
    let (palette, area) = (Palette::of(ui.ctx()), slider.rect);
    let edge = match (slider.has_focus(), slider.hovered()) {
        (true, _) => Stroke::new(2.0, paint(palette.action)),
        (_, is_hovered) => Stroke::new(1.0, palette.faded(if is_hovered { 0.75 } else { 0.5 })),
    };
    let rail = Rect::from_center_size(area.center(), vec2(area.width(), UNSET_RAIL));
    let knob = Rect::from_center_size(area.center(), vec2(UNSET_KNOB, area.height() / 2.5 * 2.0));
    Shape::Vec(vec![
        Shape::rect_filled(rail, 2, palette.faded(0.16)),
        Shape::rect_filled(knob, 4, paint(palette.paper)),
        Shape::rect_stroke(knob, 4, edge, StrokeKind::Inside),
    ])
}

/// The bands of a range as a ladder, each with its name; the one of the value is filled.
fn bands(ui: &Ui, parameter: &ShownParameter, slider: &Response) -> Shape {
    let (palette, area) = (Palette::of(ui.ctx()), slider.rect);
    // As egui places a knob: half as wide as it is high, times the ratio, within the ends of the rail.
    let half = area.height() / 2.5 * KNOB;
    let x = |value: f32| area.left() + half + value * (area.width() - 2.0 * half);
    let starts = parameter.bands.iter().map(|(_, first)| (first / 100.0 - HALF_PERCENT).max(0.0));
    let ends = starts.clone().skip(1).chain([1.0]);
    let shapes = parameter.bands.iter().zip(starts.zip(ends)).flat_map(|((name, _), (start, end))| {
        let is_here = start <= parameter.value && (parameter.value < end || end >= 1.0);
        let step = Rect::from_x_y_ranges(x(start) + 1.0..=x(end) - 1.0, area.center().y - BAND / 2.0..=area.center().y + BAND / 2.0);
        let (fill, ink) = if is_here { (paint(palette.selected()), palette.ink) } else { (palette.faded(0.08), palette.soft) };
        let text = ui.painter().layout_no_wrap((*name).to_owned(), FontId::proportional(11.0), paint(ink));
        let place = Align2::CENTER_CENTER.anchor_size(step.center(), text.size());
        [Shape::rect_filled(step, 3, fill), Shape::galley(place.min, text, paint(ink))]
    });
    // As of every widget with the focus.
    let edge = if slider.has_focus() { Stroke::new(2.0, paint(palette.action)) } else { Stroke::NONE };
    let frame = Shape::rect_stroke(area.shrink2(vec2(0.0, (area.height() - BAND) / 2.0)), 3, edge, StrokeKind::Outside);
    // The knob: two tips that point at the value from above and below, so that no name is hidden.
    let at = x(parameter.value);
    let tips = [-1.0, 1.0].map(|side| {
        let base = area.center().y + side * (BAND / 2.0 + 2.0);
        let corners = vec![pos2(at - TIP, base), pos2(at, base - side * TIP), pos2(at + TIP, base)];
        Shape::convex_polygon(corners, paint(palette.ink), Stroke::NONE)
    });
    if parameter.bands.is_empty() { Shape::Noop } else { Shape::Vec(shapes.chain([frame]).chain(tips).collect()) }
}

/// A parameter that is on or off.
fn switch(ui: &mut Ui, model: &mut impl EditorModel, parameter: &ShownParameter) {
    let mut is_on = parameter.value > 0.5;
    let name = RichText::new(&parameter.name).size(12.0);
    if ui.checkbox(&mut is_on, name).on_hover_text(parameter.tip).changed() {
        super::controls::change(model, Change::Parameter(parameter.id, f32::from(u8::from(is_on))));
    }
}

fn named(role: Role, name: &str, value: &str) -> WidgetInfo {
    let mut info = WidgetInfo::labeled(role, true, name);
    info.current_text_value = Some(value.to_owned());
    info
}

/// Distance between two steps of the normalised value.
fn step(parameter: &ShownParameter) -> f64 {
    let steps = u32::try_from(parameter.steps.max(1)).unwrap_or(u32::MAX);
    1.0 / f64::from(steps)
}

/// The value, if it differs from that of the parameter.
#[allow(clippy::cast_possible_truncation, reason = "normalised values have at most a thousand steps")]
fn moved(parameter: &ShownParameter, value: f64) -> Option<f32> {
    let value = value as f32;
    ((value - parameter.value).abs() > LEAST).then_some(value)
}

/// Reports a change as one gesture from press to release; one by a key or by typing is a gesture of its own.
fn gesture(model: &mut impl EditorModel, response: &Response, id: &'static str, value: Option<f32>) {
    let control = super::model::Control::Parameter(id);
    if response.drag_started() {
        model.begin(control);
    }
    let is_held = response.dragged() || response.drag_stopped();
    match value.map(|value| Change::Parameter(id, value)) {
        Some(change) if is_held => model.set(change),
        Some(change) => super::controls::change(model, change),
        None => {}
    }
    if response.drag_stopped() {
        model.end(control);
    }
}
