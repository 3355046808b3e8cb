//! Rectangles, lines and text on a bitmap: what a piano roll takes of `tiny-skia`.

use crate::legend::Colour;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::PictureError;

fn paint(colour: Colour) -> Paint<'static> {
    let [red, green, blue] = colour.channels();
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(Color::from_rgba8(red, green, blue, 255));
    paint
}

/// An area in pixels, from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

/// Which point of a text the given place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A bitmap and a typeface.
pub(super) struct Canvas {
    pixmap: Pixmap,
    face: Face<'static>,
}

impl Canvas {
    /// A canvas of one colour.
    pub(super) fn new(width: u32, height: u32, ground: Colour) -> Result<Self, PictureError> {
        let mut pixmap = Pixmap::new(width, height).ok_or(PictureError::TooLarge { width, height })?;
        let [red, green, blue] = ground.channels();
        pixmap.fill(Color::from_rgba8(red, green, blue, 255));
        let face = Face::parse(epaint_default_fonts::UBUNTU_LIGHT, 0).map_err(|error| PictureError::Typeface(error.to_string()))?;
        Ok(Self { pixmap, face })
    }

    /// A filled rectangle. One without area draws nothing.
    pub(super) fn fill(&mut self, area: Area, colour: Colour) {
        if let Some(rect) = Rect::from_xywh(area.x, area.y, area.width, area.height) {
            self.pixmap.fill_rect(rect, &paint(colour), Transform::identity(), None);
        }
    }

    /// A filled rectangle with round corners.
    pub(super) fn fill_round(&mut self, area: Area, radius: f32, colour: Colour) {
        let Area { x, y, width, height } = area;
        let r = radius.min(width / 2.0).min(height / 2.0);
        let (right, bottom) = (x + width, y + height);
        let mut outline = PathBuilder::new();
        outline.move_to(x + r, y);
        outline.line_to(right - r, y);
        outline.quad_to(right, y, right, y + r);
        outline.line_to(right, bottom - r);
        outline.quad_to(right, bottom, right - r, bottom);
        outline.line_to(x + r, bottom);
        outline.quad_to(x, bottom, x, bottom - r);
        outline.line_to(x, y + r);
        outline.quad_to(x, y, x + r, y);
        outline.close();
        self.fill_path(outline.finish(), colour);
    }

    /// A line of text; `x` is its left or right end, `y` its base line, `size` the height of an em.
    pub(super) fn text(&mut self, text: &str, x: f32, y: f32, size: f32, align: Align, colour: Colour) {
        let scale = self.scale(size);
        let mut outline = Outline {
            path: PathBuilder::new(),
            scale,
            x: match align {
                Align::Left => x,
                Align::Right => x - self.text_width(text, size),
            },
            y,
        };
        for glyph in text.chars().map(|c| self.glyph(c)) {
            self.face.outline_glyph(glyph, &mut outline);
            outline.x += f32::from(self.face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
        }
        self.fill_path(outline.path.finish(), colour);
    }

    /// How wide [`Canvas::text`] draws a text.
    pub(super) fn text_width(&self, text: &str, size: f32) -> f32 {
        let units: f32 = text.chars().map(|c| f32::from(self.face.glyph_hor_advance(self.glyph(c)).unwrap_or(0))).sum();
        units * self.scale(size)
    }

    /// The picture as a PNG file.
    pub(super) fn png(&self) -> Result<Vec<u8>, PictureError> {
        self.pixmap.encode_png().map_err(|error| PictureError::Encoding(error.to_string()))
    }

    /// A character the typeface lacks is drawn as its replacement, glyph 0.
    fn glyph(&self, character: char) -> GlyphId {
        self.face.glyph_index(character).unwrap_or(GlyphId(0))
    }

    fn scale(&self, size: f32) -> f32 {
        size / f32::from(self.face.units_per_em())
    }

    /// An empty path, of a blank for instance, draws nothing.
    fn fill_path(&mut self, path: Option<Path>, colour: Colour) {
        if let Some(path) = path {
            self.pixmap.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }
}

/// A glyph's outline, from font units with y upwards to pixels with y downwards.
struct Outline {
    path: PathBuilder,
    scale: f32,
    x: f32,
    y: f32,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: Colour = Colour(0x00FF_FFFF);
    const INK: Colour = Colour(0);

    fn dark_pixels(canvas: &Canvas) -> usize {
        canvas.pixmap.pixels().iter().filter(|pixel| pixel.red() < 128).count()
    }

    #[test]
    fn a_rectangle_fills_its_area() {
        let mut canvas = Canvas::new(20, 10, PAPER).unwrap();
        canvas.fill(Area { x: 2.0, y: 3.0, width: 5.0, height: 4.0 }, INK);
        assert_eq!(dark_pixels(&canvas), 20);
        canvas.fill(Area { x: 2.0, y: 3.0, width: 0.0, height: 4.0 }, INK);
        assert_eq!(dark_pixels(&canvas), 20);
    }

    #[test]
    fn text_is_drawn_inside_its_width() {
        let mut canvas = Canvas::new(200, 40, PAPER).unwrap();
        let width = canvas.text_width("Bar 16", 20.0);
        canvas.text("Bar 16", 190.0, 30.0, 20.0, Align::Right, INK);
        let columns: Vec<u32> = (0..200).filter(|&x| (0..40).any(|y| canvas.pixmap.pixel(x, y).unwrap().red() < 128)).collect();
        assert!(columns.len() > 20, "nothing legible was drawn");
        assert!(f64::from(columns[0]) >= f64::from(190.0 - width) && columns[columns.len() - 1] < 190, "{columns:?}, width {width}");
    }
}
