//! The kernel's records, kept: `@kind key=value key="two words"`.

use records::{Line, Lookup};
use serde::Serialize;
use serde_json::{Map, Value};

/// One line that began with `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `ready`, `cpus`, `panic`, `stop`, `end` ...
    pub kind: String,
    /// In the order of the line.
    pub fields: Vec<(String, String)>,
}

impl Record {
    /// Reads a line without its end. `None` if it is no record.
    pub fn parse(line: &str) -> Option<Self> {
        let line = Line::parse(line)?;
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Some(Self {
            kind: line.kind().to_owned(),
            fields: line.fields().map(owned).collect(),
        })
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The value of `key` as a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }
}

impl Lookup for Record {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn get(&self, key: &str) -> Option<&str> {
        Self::get(self, key)
    }
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = Map::new();
        map.insert("record".into(), self.kind.clone().into());
        map.extend(
            self.fields
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(value.clone()))),
        );
        map.serialize(serializer)
    }
}

/// The last record of `kind`: what the kernel said last counts.
pub fn last<'a>(records: &'a [Record], kind: &str) -> Option<&'a Record> {
    records.iter().rev().find(|record| record.kind == kind)
}

/// What stands in the records where the machine was reset and came up again.
pub const RESET: &str = "reset";

/// The records of a machine's last life.
pub fn since_reset(records: &[Record]) -> &[Record] {
    let resets = records.iter().rposition(|record| record.kind == RESET);
    &records[resets.map_or(0, |at| at + 1)..]
}

/// The first record after the kernel's last word, which nothing follows on but ways to reset the machine.
pub fn after_end(records: &[Record]) -> Option<&Record> {
    let after = records.iter().skip_while(|record| record.kind != "end").skip(1);
    after.into_iter().find(|record| record.kind != "way")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readiness_line_is_read() {
        let line = "@ready arch=x86_64 build=smp cpus=4/4 ns=12345678 build_id=ab12";
        let record = Record::parse(line).unwrap();
        assert_eq!(record.kind, "ready");
        assert_eq!(record.get("cpus"), Some("4/4"));
        assert_eq!(record.number("ns"), Some(12_345_678));
        assert_eq!(record.get("none"), None);
    }

    #[test]
    fn quotes_hold_blanks_and_empty_values_stay() {
        let record = Record::parse(r#"@panic cpu=1 why="two words" missing= last=x"#).unwrap();
        assert_eq!(record.get("why"), Some("two words"));
        assert_eq!(record.get("missing"), Some(""));
        assert_eq!(record.get("last"), Some("x"));
        let open = Record::parse(r#"@panic why="never closed"#).unwrap();
        assert_eq!(open.get("why"), Some("never closed"));
    }

    #[test]
    fn other_lines_are_no_records() {
        for line in [
            "",
            "@",
            "@ x=1",
            "ready",
            " @ready",
            "@re/ady x=1",
            "[    0.1] @ready",
        ] {
            assert_eq!(Record::parse(line), None, "{line:?}");
        }
        assert_eq!(Record::parse("@end").unwrap().fields, []);
    }

    #[test]
    fn json_is_flat() {
        let record = Record::parse("@end how=poweroff").unwrap();
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"how":"poweroff","record":"end"}"#
        );
    }

    #[test]
    fn nothing_follows_on_the_last_word_but_ways() {
        let after = |lines: &[&str]| {
            let records: Vec<_> = lines.iter().filter_map(|line| Record::parse(line)).collect();
            after_end(&records).map(|record| record.kind.clone())
        };
        assert_eq!(after(&["@stop", "@end how=reboot", "@way name=acpi"]), None);
        assert_eq!(after(&["@stop"]), None);
        for more in ["end", "stop", "panic", "ready"] {
            let found = after(&["@end how=panic", "@way name=acpi", &format!("@{more}")]);
            assert_eq!(found.as_deref(), Some(more));
        }
    }

    #[test]
    fn the_last_one_counts() {
        let records: Vec<_> = ["@end how=halt", "@end how=panic"]
            .iter()
            .filter_map(|l| Record::parse(l))
            .collect();
        assert_eq!(last(&records, "end").unwrap().get("how"), Some("panic"));
        assert!(last(&records, "stop").is_none());
    }
}
