//! The time of day.

use core::fmt;

use uefi_raw::time::Time;

use super::call;
use crate::arch::Arch;
use crate::{info, warning};

/// A time as people write it: ISO 8601, UTC where firmware says how far it is away.
struct Date(Time);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.0;
        let (date, time) = ((t.year, t.month, t.day), (t.hour, t.minute, t.second));
        write!(f, "{:04}-{:02}-{:02} ", date.0, date.1, date.2)?;
        write!(f, "{:02}:{:02}:{:02}", time.0, time.1, time.2)?;
        match t.time_zone {
            Time::UNSPECIFIED_TIMEZONE => f.write_str(", zone unknown"),
            0 => f.write_str(" UTC"),
            // Firmware counts minutes from local time to UTC.
            west => write!(f, " UTC{:+03}:{:02}", -west / 60, west.abs() % 60),
        }
    }
}

/// Logs the time of day, if firmware has it.
pub(crate) fn wall_clock<A: Arch>() {
    match call::get_time::<A>() {
        None => {}
        Some(Ok(time)) if time.is_valid() => info!("efi: it is {}", Date(time)),
        Some(Ok(_)) => warning!("efi: GetTime tells no time"),
        Some(Err(status)) => warning!("efi: GetTime: {status:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_full() {
        let mut time = Time {
            year: 2026,
            month: 1,
            day: 2,
            hour: 3,
            minute: 4,
            second: 5,
            ..Time::invalid()
        };
        assert_eq!(Date(time).to_string(), "2026-01-02 03:04:05 UTC");
        time.time_zone = -90;
        assert_eq!(Date(time).to_string(), "2026-01-02 03:04:05 UTC+01:30");
        time.time_zone = Time::UNSPECIFIED_TIMEZONE;
        assert_eq!(Date(time).to_string(), "2026-01-02 03:04:05, zone unknown");
    }
}
