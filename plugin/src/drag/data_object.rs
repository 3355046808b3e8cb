//! A file as OLE hands it over: `CF_HDROP`, the one format that hosts and file managers take files in.

use std::cell::Cell;
use std::os::windows::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use windows::Win32::Foundation::{DV_E_FORMATETC, E_NOTIMPL, E_OUTOFMEMORY, GlobalFree, HGLOBAL, OLE_E_ADVISENOTSUPPORTED, POINT, S_OK};
use windows::Win32::System::Com::{
    DATADIR_GET, DVASPECT_CONTENT, FORMATETC, IAdviseSink, IDataObject, IDataObject_Impl, IEnumFORMATETC, IEnumSTATDATA, STGMEDIUM,
    STGMEDIUM_0, TYMED_HGLOBAL,
};
use windows::Win32::System::Memory::{GMEM_MOVEABLE, GlobalAlloc, GlobalLock, GlobalUnlock};
use windows::Win32::System::Ole::CF_HDROP;
use windows::Win32::UI::Shell::{DROPFILES, SHCreateStdEnumFmtEtc};
use windows::core::{BOOL, HRESULT, Ref, Result, implement};

/// A file that is being dragged.
#[implement(IDataObject)]
pub(super) struct FileObject {
    /// A `DROPFILES` and the path after it.
    bytes: Vec<u8>,
    /// Set when the receiver fetches the path.
    fetched: Rc<Cell<bool>>,
}

impl FileObject {
    /// A file, by its absolute path. `fetched` is set when a receiver has asked for it.
    pub(super) fn new(file: &Path, fetched: Rc<Cell<bool>>) -> Self {
        Self { bytes: drop_files(file), fetched }
    }
}

/// The only format on offer.
fn format() -> FORMATETC {
    FORMATETC {
        cfFormat: CF_HDROP.0,
        ptd: std::ptr::null_mut(),
        dwAspect: DVASPECT_CONTENT.0,
        lindex: -1,
        tymed: TYMED_HGLOBAL.0.cast_unsigned(),
    }
}

/// Content of a `CF_HDROP`: the header, the path in UTF-16 with a zero, and a zero that ends the list.
fn drop_files(file: &Path) -> Vec<u8> {
    const HEADER: usize = size_of::<DROPFILES>();
    // `lock` writes this header; sizes of structures are small.
    let header = DROPFILES { pFiles: u32::try_from(HEADER).unwrap_or(0), pt: POINT::default(), fNC: BOOL(0), fWide: BOOL(1) };
    // SAFETY: a packed structure of integers without padding, of exactly this size.
    let mut bytes = unsafe { std::mem::transmute::<DROPFILES, [u8; HEADER]>(header) }.to_vec();
    bytes.extend(file.as_os_str().encode_wide().chain([0, 0]).flat_map(u16::to_le_bytes));
    bytes
}

/// A global memory block with these bytes, owned by the caller.
fn global(bytes: &[u8]) -> Result<HGLOBAL> {
    // SAFETY: the block is as long as the bytes; it is locked while they are copied, and freed if it cannot be.
    unsafe {
        let block = GlobalAlloc(GMEM_MOVEABLE, bytes.len())?;
        let place = GlobalLock(block);
        if place.is_null() {
            let _ = GlobalFree(Some(block));
            return Err(E_OUTOFMEMORY.into());
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), place.cast(), bytes.len());
        // Reports an error where the count reaches zero, too.
        let _ = GlobalUnlock(block);
        Ok(block)
    }
}

/// Whether this is the format on offer.
fn is_offered(wanted: *const FORMATETC) -> bool {
    // SAFETY: OLE passes null or a valid structure.
    unsafe { wanted.as_ref() }.is_some_and(|wanted| {
        let format = format();
        wanted.cfFormat == format.cfFormat && wanted.dwAspect == format.dwAspect && wanted.tymed & format.tymed != 0
    })
}

#[allow(non_snake_case, reason = "OLE's names")]
impl IDataObject_Impl for FileObject_Impl {
    fn GetData(&self, wanted: *const FORMATETC) -> Result<STGMEDIUM> {
        if !is_offered(wanted) {
            return Err(DV_E_FORMATETC.into());
        }
        let block = global(&self.bytes)?;
        self.fetched.set(true);
        Ok(STGMEDIUM { tymed: format().tymed, u: STGMEDIUM_0 { hGlobal: block }, ..STGMEDIUM::default() })
    }

    fn GetDataHere(&self, _wanted: *const FORMATETC, _medium: *mut STGMEDIUM) -> Result<()> {
        Err(E_NOTIMPL.into())
    }

    fn QueryGetData(&self, wanted: *const FORMATETC) -> HRESULT {
        if is_offered(wanted) { S_OK } else { DV_E_FORMATETC }
    }

    fn GetCanonicalFormatEtc(&self, _wanted: *const FORMATETC, canonical: *mut FORMATETC) -> HRESULT {
        // SAFETY: OLE passes a valid place or null.
        if let Some(canonical) = unsafe { canonical.as_mut() } {
            *canonical = FORMATETC { ptd: std::ptr::null_mut(), ..format() };
        }
        E_NOTIMPL
    }

    fn SetData(&self, _format: *const FORMATETC, _medium: *const STGMEDIUM, _release: BOOL) -> Result<()> {
        Err(E_NOTIMPL.into())
    }

    fn EnumFormatEtc(&self, direction: u32) -> Result<IEnumFORMATETC> {
        if direction != DATADIR_GET.0.cast_unsigned() {
            return Err(E_NOTIMPL.into());
        }
        // SAFETY: the list is copied.
        unsafe { SHCreateStdEnumFmtEtc(&[format()]) }
    }

    fn DAdvise(&self, _format: *const FORMATETC, _flags: u32, _sink: Ref<'_, IAdviseSink>) -> Result<u32> {
        Err(OLE_E_ADVISENOTSUPPORTED.into())
    }

    fn DUnadvise(&self, _connection: u32) -> Result<()> {
        Err(OLE_E_ADVISENOTSUPPORTED.into())
    }

    fn EnumDAdvise(&self) -> Result<IEnumSTATDATA> {
        Err(OLE_E_ADVISENOTSUPPORTED.into())
    }
}

#[cfg(test)]
mod tests {
    use windows::Win32::Foundation::S_FALSE;
    use windows::Win32::System::Ole::{CF_UNICODETEXT, ReleaseStgMedium};
    use windows::Win32::UI::Shell::{DragQueryFileW, HDROP};

    use super::*;

    const FILE: &str = "C:\\Pro gramme\\100 % für Élise ♪.mid";

    #[test]
    fn file_on_offer_is_read_by_the_shell() {
        let fetched = Rc::new(Cell::new(false));
        let object: IDataObject = FileObject::new(Path::new(FILE), Rc::clone(&fetched)).into();
        // SAFETY: plain interface calls; the medium is released once.
        unsafe {
            assert_eq!(object.QueryGetData(&format()), S_OK);
            assert!(!fetched.get());
            let mut medium = object.GetData(&format()).unwrap();
            let list = HDROP(medium.u.hGlobal.0);
            assert_eq!(DragQueryFileW(list, u32::MAX, None), 1);
            let mut path = [0; 260];
            let length = DragQueryFileW(list, 0, Some(&mut path)) as usize;
            assert_eq!(String::from_utf16(&path[..length]).unwrap(), FILE);
            ReleaseStgMedium(&mut medium);
        }
        assert!(fetched.get());
    }

    #[test]
    fn other_formats_are_refused() {
        let fetched = Rc::new(Cell::new(false));
        let object: IDataObject = FileObject::new(Path::new(FILE), Rc::clone(&fetched)).into();
        let text = FORMATETC { cfFormat: CF_UNICODETEXT.0, ..format() };
        // SAFETY: plain interface calls.
        unsafe {
            assert_eq!(object.QueryGetData(&text), DV_E_FORMATETC);
            assert_eq!(object.GetData(&text).err().map(|error| error.code()), Some(DV_E_FORMATETC));
            let mut formats = [FORMATETC::default(); 2];
            let mut count = 0;
            let listed = object.EnumFormatEtc(DATADIR_GET.0.cast_unsigned()).unwrap().Next(&mut formats, Some(&mut count));
            assert_eq!((listed, count, formats[0].cfFormat), (S_FALSE, 1, CF_HDROP.0));
        }
        assert!(!fetched.get());
    }
}
