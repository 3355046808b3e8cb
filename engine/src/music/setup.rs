//! Set-up of a part: sound settings of a file beside channel and first program, and the bytes of its name.

use super::Tick;

/// Bank select: controllers 0 and 32, each 0 to 127, where they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Bank {
    /// Controller 0.
    pub coarse: Option<u8>,
    /// Controller 32.
    pub fine: Option<u8>,
}

/// A sound: a program of a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Patch {
    /// The bank in force when the program is chosen.
    pub bank: Bank,
    /// Program, 0 to 127.
    pub program: u8,
}

/// A part's set-up; unset by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Setup {
    /// MIDI port (meta event 0x21), where the file names one: equal channels of two ports are two instruments.
    pub port: Option<u8>,
    /// The bank that the part's first program is chosen from.
    pub bank: Bank,
    /// Later programs, in order of time.
    pub changes: Vec<(Tick, Patch)>,
    /// The name as the file has it, where that is not UTF-8: written back unchanged.
    pub name_bytes: Option<Vec<u8>>,
}
