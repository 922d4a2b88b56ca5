//! The kernel's own variable: what the next boot shall know where RAM does not outlive a reset.

use uefi_raw::table::runtime::VariableAttributes;
use uefi_raw::{Guid, Status, guid};

use super::call;
use crate::arch::Arch;
use crate::{println, warning};

const VENDOR: Guid = guid!("5b7d0f52-9a0e-4d53-8c1c-3d6f1a2e7b94");
/// With a zero behind it.
const NAME: [u16; 15] = utf16(b"StandstillBoot");
/// Without the first of these firmware would keep it in RAM, and forget it.
const ATTRIBUTES: VariableAttributes = VariableAttributes::NON_VOLATILE
    .union(VariableAttributes::BOOTSERVICE_ACCESS)
    .union(VariableAttributes::RUNTIME_ACCESS);

const fn utf16<const WITH_ZERO: usize>(text: &[u8]) -> [u16; WITH_ZERO] {
    assert!(text.len() + 1 == WITH_ZERO);
    let mut units = [0; WITH_ZERO];
    let mut at = 0;
    while at < text.len() {
        units[at] = text[at] as u16;
        at += 1;
    }
    units
}

/// Takes what the last boot has left: whoever comes next does not find it any more. Nothing if there is nothing, or of
/// another size.
pub(crate) fn take<A: Arch, const BYTES: usize>() -> Option<[u8; BYTES]> {
    let mut data = [0; BYTES];
    let (status, _, bytes) = call::get_variable::<A>(&NAME, &VENDOR, &mut data)?;
    if status == Status::NOT_FOUND {
        return None;
    }
    match call::set_variable::<A>(&NAME, &VENDOR, ATTRIBUTES, &[]) {
        None | Some(Status::SUCCESS) => {}
        Some(status) => warning!("efi: StandstillBoot stays: {status:?}"),
    }
    (status == Status::SUCCESS && bytes == BYTES).then_some(data)
}

/// Leaves `data` for the next boot. The last CPU that runs calls this.
pub(crate) fn leave<A: Arch>(data: &[u8]) {
    match call::set_variable_at_the_end::<A>(&NAME, &VENDOR, ATTRIBUTES, data) {
        None | Some(Status::SUCCESS) => {}
        Some(status) => println!("efi: StandstillBoot: {status:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_what_firmware_reads() {
        let (zero, name) = NAME.split_last().unwrap();
        assert_eq!(*zero, 0);
        assert_eq!(String::from_utf16(name).unwrap(), "StandstillBoot");
    }
}
