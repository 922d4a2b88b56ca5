//! The kernel's table of CPUs, read back from the console.

/// One stop as the kernel printed it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// `panic`, `reboot`, `crash`.
    pub reason: String,
    /// The line itself.
    pub headline: String,
    pub rows: Vec<Row>,
}

/// One CPU's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub cpu: u32,
    pub state: String,
    pub via: String,
    pub why: String,
    pub registers: bool,
}

/// The tables in `text`, in order.
pub fn read(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("stop: ") {
            let reason = rest.split(' ').next().unwrap_or_default().to_owned();
            let headline = line.to_owned();
            tables.push(Table {
                reason,
                headline,
                rows: Vec::new(),
            });
            inside = true;
        } else if let Some(table) = tables.last_mut().filter(|_| inside) {
            match Row::read(line) {
                Some(row) => table.rows.push(row),
                None => inside = line.starts_with("  cpu  hardware id"),
            }
        }
    }
    tables
}

impl Row {
    /// Reads a line by its columns: cpu, hardware id, state, stopped by, after us, why, pc.
    fn read(line: &str) -> Option<Self> {
        const COLUMNS: [(usize, usize); 6] = [(0, 5), (19, 33), (34, 46), (47, 58), (59, 72), (73, 91)];
        if !line.is_ascii() || line.len() < 74 {
            return None;
        }
        let field = |n: usize| {
            let (from, to) = COLUMNS[n];
            line[from..to.min(line.len())].trim()
        };
        Some(Self {
            cpu: field(0).parse().ok()?,
            state: field(1).to_owned(),
            via: field(2).to_owned(),
            why: field(4).to_owned(),
            // Nothing runs at address 0: whoever says so has saved nothing.
            registers: field(5)
                .strip_prefix("0x")
                .is_some_and(|pc| pc.contains(|digit| digit != '0')),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_prints_is_read() {
        let text = "noise
stop: panic by CPU 1: partial after 10057.688 us
  cpu  hardware id state          stopped by      after us why           pc                
    0          0x0 parked         interrupt         57.688 -             0xffffffff8020b3b1
    1          0x1 owner          owner                  - -             0xffffffff8020b3b1
    2          0x2 parked         offline path       5.001 NO_REGS       -
    4          0x4 parked         interrupt          5.001 -             0x0000000000000000
    3          0x3 stop-requested -                      - IRQ_OFF       -
backtrace of CPU 0:
    0          0x0 parked         interrupt         57.688 -             0xffffffff8020b3b1
";
        let [table] = &read(text)[..] else {
            panic!("one table")
        };
        assert_eq!((table.reason.as_str(), table.rows.len()), ("panic", 5));
        let row = |n: usize| {
            let row = &table.rows[n];
            (
                row.cpu,
                row.state.as_str(),
                row.via.as_str(),
                row.why.as_str(),
                row.registers,
            )
        };
        assert_eq!(row(0), (0, "parked", "interrupt", "-", true));
        assert_eq!(row(1), (1, "owner", "owner", "-", true));
        assert_eq!(row(2), (2, "parked", "offline path", "NO_REGS", false));
        assert_eq!(row(3), (4, "parked", "interrupt", "-", false));
        assert_eq!(row(4), (3, "stop-requested", "-", "IRQ_OFF", false));
    }

    #[test]
    fn damage_is_no_table() {
        for text in [
            "",
            "stop:",
            "  cpu  hardware id",
            "stop: panic\n    x",
            "stop: é\n    0é",
        ] {
            assert!(read(text).iter().all(|table| table.rows.is_empty()), "{text}");
        }
    }
}
