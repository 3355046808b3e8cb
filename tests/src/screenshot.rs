//! Screenshots of an X server.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use x11rb::protocol::xproto::{ConnectionExt as _, Drawable, ImageFormat};

/// RGB pixels, from the top left corner.
pub struct Screenshot {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

impl Screenshot {
    /// Screenshot of the root, or of a fully visible window, with everything in it.
    ///
    /// # Errors
    /// When the server does not return the image, or not with eight bits per colour.
    pub fn of(connection: &impl x11rb::connection::Connection, drawable: Drawable, size: (u16, u16)) -> Result<Self> {
        Self::of_part(connection, drawable, (0, 0), size)
    }

    /// Screenshot of a part, given by position and size.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_part(
        connection: &impl x11rb::connection::Connection,
        drawable: Drawable,
        (x, y): (i16, i16),
        (width, height): (u16, u16),
    ) -> Result<Self> {
        let image = connection.get_image(ImageFormat::Z_PIXMAP, drawable, x, y, width, height, u32::MAX)?.reply()?;
        ensure!(matches!(image.depth, 24 | 32), "the screen has {} bits per pixel", image.depth);
        // Four bytes per pixel, blue first, on a little-endian server.
        let pixels = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok(Self { width, height, pixels })
    }

    /// A picture that was [written](Self::write).
    ///
    /// # Errors
    /// When the file cannot be read, or is not one of ours.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
        let frame = reader.next_frame(&mut pixels)?;
        ensure!(frame.color_type == png::ColorType::Rgb && frame.bit_depth == png::BitDepth::Eight, "{} is not in RGB", path.display());
        Ok(Self { width: frame.width.try_into()?, height: frame.height.try_into()?, pixels })
    }

    /// Width and height.
    #[must_use]
    pub const fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Share of the pixels in which a colour differs from that of another picture by more than this; 1 if their sizes differ.
    #[must_use]
    pub fn difference(&self, other: &Self, slight: u8) -> f64 {
        if self.size() != other.size() {
            return 1.0;
        }
        let differs = |(one, other): &(&[u8], &[u8])| one.iter().zip(*other).any(|(one, other)| one.abs_diff(*other) > slight);
        let (own, others) = (self.pixels.chunks_exact(3), other.pixels.chunks_exact(3));
        let count = own.len().max(1);
        own.zip(others).filter(differs).count() as f64 / count as f64
    }

    /// RGB value of a pixel.
    ///
    /// # Panics
    /// Outside the picture.
    #[must_use]
    pub fn at(&self, (x, y): (u32, u32)) -> [u8; 3] {
        assert!(x < u32::from(self.width) && y < u32::from(self.height), "the picture is smaller");
        let first = (y as usize * usize::from(self.width) + x as usize) * 3;
        [self.pixels[first], self.pixels[first + 1], self.pixels[first + 2]]
    }

    /// Number of colours, up to `most`. A window in which nothing was drawn has one.
    #[must_use]
    pub fn colours(&self, most: usize) -> usize {
        let mut seen: Vec<&[u8]> = Vec::new();
        for pixel in self.pixels.chunks_exact(3) {
            if !seen.contains(&pixel) {
                seen.push(pixel);
                if seen.len() == most {
                    break;
                }
            }
        }
        seen.len()
    }

    /// Writes a PNG file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), self.width.into(), self.height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        // A window has large areas of one colour: filters only make them larger, by a fifth.
        encoder.set_filter(png::Filter::NoFilter);
        encoder.write_header()?.write_image_data(&self.pixels)?;
        Ok(())
    }
}
