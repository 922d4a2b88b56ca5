//! Whether the kernel found each CPU where it sits.

use super::cells::Cell;

/// Each CPU has the hardware id that its place in the machine gives it, by the monitor's own table.
///
/// # Errors
/// Which were found and which were expected, when they differ.
pub fn check(cell: &Cell, console: &str) -> Result<(), String> {
    let Some(topology) = cell.topology else {
        return Ok(());
    };
    let expected: Vec<u64> = topology.ids().take(cell.online() as usize).collect();
    let found: Vec<u64> = console.lines().filter_map(online_id).collect();
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "the CPUs online have hardware ids {found:x?}, not {expected:x?}"
    ))
}

/// The hardware id in a line of the monitor's `cpus` about a CPU that is online: number, id, state.
fn online_id(line: &str) -> Option<u64> {
    let mut words = line.split_whitespace();
    words.next()?.parse::<u32>().ok()?;
    let id = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    (words.next()? == "online").then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::cells;

    fn cell(name: &str) -> Cell {
        let mut all = cells::all(false).into_iter();
        all.find(|cell| cell.name() == name).unwrap()
    }

    fn line(number: u32, id: u32, state: &str) -> String {
        format!("    {number}         {id:#x}  {state}      3   0  0xffffc98000001000\r\n")
    }

    #[test]
    fn a_cpu_in_another_place_than_it_sits_is_wrong() {
        let cpus = |ids: [u32; 4], last: &str| {
            let states = ["online", "online", "online", last];
            let lines = (0..).zip(ids).zip(states);
            let console: String = lines
                .map(|((number, id), state)| line(number, id, state))
                .collect();
            check(&cell("x86_64/topology-threes/smp-4"), &console)
        };
        assert_eq!(cpus([0, 1, 2, 4], "online"), Ok(()));
        let wrong = cpus([0, 1, 2, 3], "online").unwrap_err();
        assert!(wrong.contains("[0, 1, 2, 3], not [0, 1, 2, 4]"), "{wrong}");
        assert!(cpus([0, 1, 4, 2], "online").is_err());
        assert!(cpus([0, 1, 2, 4], "off").is_err());
    }

    #[test]
    fn a_up_kernel_has_the_first_cpu() {
        let cell = cell("x86_64/topology-threes/up-4");
        assert_eq!(check(&cell, &line(0, 0, "online")), Ok(()));
        assert!(check(&cell, &line(0, 4, "online")).is_err());
        assert!(check(&cell, "").is_err());
    }

    #[test]
    fn a_plain_machine_says_nothing_of_places() {
        assert_eq!(check(&cell("x86_64/q35/smp-4"), ""), Ok(()));
    }
}
