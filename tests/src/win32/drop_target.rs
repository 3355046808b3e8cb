//! A window that takes dropped files, as a file manager or a track of a DAW does.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Result;
use windows::Win32::Foundation::{E_INVALIDARG, POINTL};
use windows::Win32::System::Com::{DVASPECT_CONTENT, FORMATETC, IDataObject, TYMED_HGLOBAL};
use windows::Win32::System::Ole::{
    CF_HDROP, DROPEFFECT, DROPEFFECT_COPY, DROPEFFECT_NONE, IDropTarget, IDropTarget_Impl, OleInitialize, OleUninitialize,
    RegisterDragDrop, ReleaseStgMedium, RevokeDragDrop,
};
use windows::Win32::System::SystemServices::MODIFIERKEYS_FLAGS;
use windows::Win32::UI::Shell::{DragQueryFileW, HDROP};
use windows::core::{Ref, implement};

use super::host_window::HostWindow;

/// A window and the files that were dropped on it.
pub struct DropTarget {
    window: HostWindow,
    files: Receiver<Vec<PathBuf>>,
}

impl DropTarget {
    /// Opens the window with its inside at about this place of the screen.
    ///
    /// # Errors
    /// When there is no window, or OLE refuses the target.
    pub fn open(place: (i32, i32), size: (u32, u32)) -> Result<Self> {
        let window = HostWindow::open("Drop target", place, size)?;
        let (sender, files) = channel();
        let target: IDropTarget = Target(sender).into();
        // SAFETY: undone by `drop`, on this thread.
        unsafe {
            OleInitialize(None)?;
            RegisterDragDrop(window.handle(), &target)?;
        }
        Ok(Self { window, files })
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> &HostWindow {
        &self.window
    }

    /// Files dropped since the last call, if any.
    #[must_use]
    pub fn dropped(&self) -> Option<Vec<PathBuf>> {
        self.files.try_recv().ok()
    }
}

impl Drop for DropTarget {
    fn drop(&mut self) {
        // SAFETY: as `open` did them.
        unsafe {
            let _ = RevokeDragDrop(self.window.handle());
            OleUninitialize();
        }
    }
}

#[implement(IDropTarget)]
struct Target(Sender<Vec<PathBuf>>);

/// Files of a data object; empty if it has none.
fn files(object: &IDataObject) -> Vec<PathBuf> {
    use std::os::windows::ffi::OsStringExt;
    let format = FORMATETC {
        cfFormat: CF_HDROP.0,
        ptd: std::ptr::null_mut(),
        dwAspect: DVASPECT_CONTENT.0,
        lindex: -1,
        tymed: TYMED_HGLOBAL.0.cast_unsigned(),
    };
    // SAFETY: plain calls; a medium that was given is released once, and holds a list of files.
    unsafe {
        let Ok(mut medium) = object.GetData(&raw const format) else { return Vec::new() };
        let list = HDROP(medium.u.hGlobal.0);
        let path = |index| {
            let mut path = vec![0; DragQueryFileW(list, index, None) as usize + 1];
            let length = DragQueryFileW(list, index, Some(&mut path)) as usize;
            PathBuf::from(std::ffi::OsString::from_wide(&path[..length]))
        };
        let files = (0..DragQueryFileW(list, u32::MAX, None)).map(path).collect();
        ReleaseStgMedium(&raw mut medium);
        files
    }
}

impl Target_Impl {
    /// Answers what will happen to what is over the window.
    fn offer(&self, effect: *mut DROPEFFECT) {
        // SAFETY: OLE passes a valid place.
        unsafe { *effect = if *effect & DROPEFFECT_COPY == DROPEFFECT_COPY { DROPEFFECT_COPY } else { DROPEFFECT_NONE } };
    }
}

#[allow(non_snake_case, reason = "OLE's names")]
impl IDropTarget_Impl for Target_Impl {
    fn DragEnter(
        &self,
        _object: Ref<'_, IDataObject>,
        _keys: MODIFIERKEYS_FLAGS,
        _place: &POINTL,
        effect: *mut DROPEFFECT,
    ) -> windows::core::Result<()> {
        self.offer(effect);
        Ok(())
    }

    fn DragOver(&self, _keys: MODIFIERKEYS_FLAGS, _place: &POINTL, effect: *mut DROPEFFECT) -> windows::core::Result<()> {
        self.offer(effect);
        Ok(())
    }

    fn DragLeave(&self) -> windows::core::Result<()> {
        Ok(())
    }

    fn Drop(
        &self,
        object: Ref<'_, IDataObject>,
        _keys: MODIFIERKEYS_FLAGS,
        _place: &POINTL,
        effect: *mut DROPEFFECT,
    ) -> windows::core::Result<()> {
        let object = object.as_ref().ok_or(E_INVALIDARG)?;
        self.offer(effect);
        // The receiver lives as long as the window.
        let _ = self.0.send(files(object));
        Ok(())
    }
}
