//! How many CPUs a machine has, and how they sit in it: QEMU's `-smp`.

use std::fmt;
use std::str::FromStr;

/// What may be said beside the number. Which of them a machine has, QEMU says.
const KEYS: [&str; 9] = [
    "maxcpus", "drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads",
];

/// CPUs, as the argument of `-smp` gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smp {
    /// How many there are when the machine starts, 1 or more.
    pub cpus: u32,
    /// All that was said beside that, each with a comma in front.
    pub topology: String,
}

impl Smp {
    /// So many CPUs, as QEMU likes them to sit.
    pub const fn of(cpus: u32) -> Self {
        Self {
            cpus,
            topology: String::new(),
        }
    }

    /// How many the machine may come to have: its tables list them all.
    pub fn most(&self) -> u32 {
        self.number("maxcpus").unwrap_or(self.cpus).max(self.cpus)
    }

    /// The number that was given for `key`.
    fn number(&self, key: &str) -> Option<u32> {
        number(&self.topology, key)
    }
}

fn number(options: &str, key: &str) -> Option<u32> {
    let values = options.split(',').filter_map(|option| option.split_once('='));
    values
        .into_iter()
        .find_map(|(name, value)| (name == key).then(|| value.parse().ok())?)
}

impl fmt::Display for Smp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.cpus, self.topology)
    }
}

impl FromStr for Smp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cpus = None;
        let (mut topology, mut product) = (String::new(), 1_u32);
        for (at, option) in text.split(',').enumerate() {
            let (key, value) = match option.split_once('=') {
                None if at == 0 => ("cpus", option),
                None => return Err(format!("`{option}` is no KEY=NUMBER")),
                Some(pair) => pair,
            };
            let value: u32 = value
                .parse()
                .ok()
                .filter(|value| *value > 0)
                .ok_or_else(|| format!("`{value}` is no number of {key} from 1 on"))?;
            if key == "cpus" && cpus.replace(value).is_none() {
                continue;
            }
            if !KEYS.contains(&key) {
                return Err(match key {
                    "cpus" => "the number of CPUs is given twice".into(),
                    _ => format!("there is no `{key}`, only {}", KEYS.join(", ")),
                });
            }
            if number(&topology, key).is_some() {
                return Err(format!("`{key}` is given twice"));
            }
            topology.push_str(&format!(",{key}={value}"));
            if key != "maxcpus" {
                product = product.checked_mul(value).ok_or("that are too many CPUs")?;
            }
        }
        // As QEMU completes it.
        let cpus = cpus.or_else(|| number(&topology, "maxcpus")).unwrap_or(product);
        Ok(Self { cpus, topology })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smp(text: &str) -> Smp {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_and_topologies_reach_qemu_as_they_were_given() {
        for (text, cpus, most, given) in [
            ("4", 4, 4, "4"),
            ("6,sockets=2,cores=3", 6, 6, "6,sockets=2,cores=3"),
            (
                "6,sockets=2,cores=3,maxcpus=9",
                6,
                9,
                "6,sockets=2,cores=3,maxcpus=9",
            ),
            ("sockets=2,cpus=2", 2, 2, "2,sockets=2"),
            (
                "sockets=2,cores=3,threads=2",
                12,
                12,
                "12,sockets=2,cores=3,threads=2",
            ),
            ("maxcpus=8", 8, 8, "8,maxcpus=8"),
        ] {
            let smp = smp(text);
            assert_eq!(
                (smp.cpus, smp.most(), smp.to_string().as_str()),
                (cpus, most, given)
            );
        }
        assert_eq!(Smp::of(3), smp("3"));
    }

    #[test]
    fn nonsense_is_refused_in_words() {
        for (text, why) in [
            ("0", "`0` is no number of cpus"),
            ("", "`` is no number of cpus"),
            ("-1", "no number"),
            ("4294967296", "no number"),
            ("2,cores", "`cores` is no KEY=NUMBER"),
            ("2,cores=", "no number of cores"),
            ("2,core=2", "there is no `core`, only maxcpus, "),
            ("2,cpus=2", "given twice"),
            ("2,cores=1,cores=2", "`cores` is given twice"),
            ("sockets=65536,cores=65536", "too many"),
        ] {
            let error = text.parse::<Smp>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
