//! How much RAM a machine has: QEMU's `-m`.

/// The least that any of the kernels' images fits into beside what it is loaded by, bytes.
const LEAST: f64 = 4.0 * MIB;
const MIB: f64 = 1_048_576.0;

/// `text`, if it is an amount of RAM as QEMU takes it, by the mebibyte or with a suffix. More after a comma (`slots=`,
/// `maxmem=`) is for QEMU to judge.
///
/// # Errors
/// What is wrong with it. QEMU itself takes 0 for "as usual".
pub fn parse(text: &str) -> Result<String, String> {
    let size = text.split(',').next().unwrap_or_default();
    let size = size.strip_prefix("size=").unwrap_or(size);
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match size[digits.len()..].to_ascii_uppercase().as_str() {
        "B" => Some(1.0),
        "K" => Some(1024.0),
        "" | "M" => Some(MIB),
        "G" => Some(MIB * 1024.0),
        "T" => Some(MIB * MIB),
        _ => None,
    };
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
    let number: Option<f64> = digits.parse().ok().filter(|_| is_number);
    let bytes = number
        .zip(unit)
        .map(|(number, unit)| number * unit)
        .ok_or("it takes mebibytes, or a number with K, M, G or T")?;
    if bytes < LEAST {
        return Err(format!(
            "no kernel boots in less than {} MiB; a number alone means mebibytes",
            LEAST / MIB
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_from_nonsense() {
        for good in [
            "4",
            "256",
            "1G",
            "1.5g",
            "4096K",
            "size=1G,slots=2,maxmem=4G",
            "4194304b",
            "1T",
        ] {
            assert_eq!(parse(good).as_deref(), Ok(good));
        }
        for (bad, why) in [
            ("0", "less than 4 MiB"),
            ("3", "less than 4 MiB"),
            ("0G", "less than 4 MiB"),
            ("1023K", "less than 4 MiB"),
            ("", "it takes mebibytes"),
            ("M", "it takes mebibytes"),
            ("-1", "it takes mebibytes"),
            ("inf", "it takes mebibytes"),
            ("1X", "it takes mebibytes"),
            ("1GB", "it takes mebibytes"),
            ("256,slots=2", ""),
        ] {
            match parse(bad) {
                Err(error) => assert!(!why.is_empty() && error.contains(why), "{bad}: {error}"),
                Ok(_) => assert_eq!(why, "", "{bad}"),
            }
        }
    }
}
