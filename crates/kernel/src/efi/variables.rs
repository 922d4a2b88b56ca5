//! Firmware's variables, for the monitor.

use alloc::vec;
use core::fmt::{self, Write as _};

use uefi_raw::table::runtime::VariableAttributes;
use uefi_raw::{Guid, Status};

use super::call;
use crate::arch::Arch;
use crate::println;

/// Most variables that are listed: firmware that goes round in a circle is left after so many.
const MOST: usize = 1000;
/// Longest name in UTF-16 units. Firmware has no bound; real names have some twenty.
const NAME: usize = 512;

/// Lists them.
///
/// # Errors
/// A sentence: there are none, or firmware fails.
pub(crate) fn list<A: Arch>() -> Result<(), &'static str> {
    let mut name = vec![0_u16; NAME];
    let mut vendor = Guid::ZERO;
    println!("{:<36}  {:>6}  attributes  name", "vendor", "bytes");
    for count in 0..MOST {
        let next = call::next_variable::<A>(&mut name, &mut vendor);
        match next.ok_or("firmware has no variables, or is no EFI")?.0 {
            Status::SUCCESS => show::<A>(&name, &vendor),
            Status::NOT_FOUND => {
                println!("{}", records::EfiVars { count: count as u32 });
                return Ok(());
            }
            Status::BUFFER_TOO_SMALL => return Err("a variable's name is longer than any that is known"),
            _ => return Err("firmware fails to name its variables"),
        }
    }
    Err("more variables than any firmware has")
}

fn show<A: Arch>(name: &[u16], vendor: &Guid) {
    let shown = call::get_variable::<A>(name, vendor, &mut []);
    match shown {
        Some((Status::SUCCESS | Status::BUFFER_TOO_SMALL, attributes, bytes)) => {
            println!(
                "{vendor}  {bytes:>6}  {:<10}  {}",
                Letters(attributes),
                Name(name)
            );
        }
        Some((status, ..)) => println!("{vendor}       ?  {status:?}  {}", Name(name)),
        None => println!("{vendor}       ?  ?           {}", Name(name)),
    }
}

/// UTF-16 up to the first zero, with what is no text replaced.
struct Name<'a>(&'a [u16]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.iter().copied().take_while(|unit| *unit != 0);
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        text.map(|c| if c.is_control() { '?' } else { c })
            .try_for_each(|c| f.write_char(c))
    }
}

/// Attributes as letters: non-volatile, boot services, runtime, hardware errors, authenticated.
struct Letters(VariableAttributes);

impl fmt::Display for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use VariableAttributes as V;
        let text: arrayvec::ArrayString<5> = [
            (V::NON_VOLATILE, 'n'),
            (V::BOOTSERVICE_ACCESS, 'b'),
            (V::RUNTIME_ACCESS, 'r'),
            (V::HARDWARE_ERROR_RECORD, 'h'),
            (V::TIME_BASED_AUTHENTICATED_WRITE_ACCESS, 'a'),
        ]
        .into_iter()
        .fold(arrayvec::ArrayString::new(), |mut text, (flag, letter)| {
            text.push(if self.0.contains(flag) { letter } else { '-' });
            text
        });
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_attributes_are_text_whatever_firmware_says() {
        assert_eq!(Name(&[0x42, 0x6f, 0x6f, 0x74, 0, 0x58]).to_string(), "Boot");
        assert_eq!(Name(&[0xd800, 0x0a, 0x41]).to_string(), "\u{fffd}?A");
        let attributes = VariableAttributes::NON_VOLATILE | VariableAttributes::RUNTIME_ACCESS;
        assert_eq!(format!("{:<7}|", Letters(attributes)), "n-r--  |");
    }
}
