//! Deterministic writer of [safetensors](https://github.com/huggingface/safetensors) files: the same arrays make the same bytes.
//!
//! The header is written here because the crate keeps the metadata in a hash map, whose order differs from run to run.

use std::io::{self, Write};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde_json::{Map, Value};

/// An array of the file.
pub(crate) struct Array<'a> {
    /// Name in the header.
    pub(crate) name: String,
    /// Element type.
    pub(crate) dtype: Dtype,
    /// Shape, outermost dimension first.
    pub(crate) shape: Vec<usize>,
    /// Elements, little endian, row-major.
    pub(crate) data: std::borrow::Cow<'a, [u8]>,
}

/// Writes a file of arrays in the given order: widest element type first, so that each is aligned. `metadata` is an object of strings. Returns the
/// number of bytes written.
pub(crate) fn write(mut to: impl Write, metadata: Value, arrays: &[Array<'_>]) -> io::Result<usize> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), metadata);
    let mut end = 0;
    for Array { name, dtype, shape, data } in arrays {
        let info = TensorInfo { dtype: *dtype, shape: shape.clone(), data_offsets: (end, end + data.len()) };
        header.insert(name.clone(), serde_json::to_value(info)?);
        end += data.len();
    }
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    // `usize` is at most 64 bits wide.
    to.write_all(&u64::try_from(header.len()).unwrap_or(u64::MAX).to_le_bytes())?;
    to.write_all(&header)?;
    for array in arrays {
        to.write_all(&array.data)?;
    }
    to.flush()?;
    Ok(8 + header.len() + end)
}
