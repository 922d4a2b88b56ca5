//! What is printed is read back as it was, whatever the values are, and what is damaged is refused by the field's name.

use cpumask::{CpuId, CpuMask};
use proptest::prelude::*;
use records::{
    Boot, Cpu, CpuList, Cpus, Damage, Digits, End, Hex, Hotplug, Line, List, MaybeCpu, Next, OutOf, Panic,
    Quoted, Ready, Record, Selftest, Stop, Text, Way,
};

type Mask = CpuMask<8>;

fn masks() -> impl Strategy<Value = Mask> {
    proptest::collection::vec(0..512u32, 0..40).prop_map(|cpus| {
        let mut mask = Mask::EMPTY;
        for cpu in cpus {
            mask.set(CpuId::new(cpu)).unwrap();
        }
        mask
    })
}

fn words() -> impl Strategy<Value = String> {
    "[!#-~]{1,12}"
}

fn numbers(mask: &Mask) -> Vec<u32> {
    mask.iter().map(CpuId::as_u32).collect()
}

proptest! {
    #[test]
    fn cpus_come_back(expected in masks(), online in masks(), ns: u64) {
        let missing = expected.and_not(&online);
        let (started, printed) = (&expected, &missing);
        let line = Cpus { expected: &expected, started, online: &online, missing: printed, ns }.to_string();
        let line = Line::parse(&line).unwrap();
        let read = Cpus::<CpuList<'_>>::read(&line).unwrap();
        prop_assert_eq!(read.expected.iter().collect::<Vec<_>>(), numbers(&expected));
        prop_assert_eq!(read.online.iter().collect::<Vec<_>>(), numbers(&online));
        prop_assert_eq!(read.missing.iter().collect::<Vec<_>>(), numbers(&missing));
        prop_assert_eq!(read.missing.is_empty(), missing.is_empty());
        prop_assert!((0..512).all(|cpu| read.online.contains(cpu) == online.test(CpuId::new(cpu))));
        prop_assert_eq!(read.ns, ns);
    }

    #[test]
    fn panics_come_back(cpu: Option<u32>, reason in words(), id: Vec<u8>, why: String) {
        let (cpu, text) = (MaybeCpu(cpu), &why);
        let line = Panic { cpu, reason: &*reason, build_id: Hex(&id), why: Quoted(text) }.to_string();
        prop_assert!(!line.contains(['\n', '\r']), "one line: {line}");
        let line = Line::parse(&line).unwrap();
        let read = Panic::<&str, Digits<'_>, Text<'_>>::read(&line).unwrap();
        prop_assert_eq!((read.cpu, read.reason), (cpu, &*reason));
        prop_assert_eq!(read.build_id.as_str(), Hex(&id).to_string());
        prop_assert_eq!(read.why.0, why.replace(['"', '\n', '\r'], "'"));
    }

    #[test]
    fn stops_come_back(
        state in words(), owner: Option<u32>, stopped in masks(), off in masks(), silent in masks(),
        took_ns: u64, why: Option<String>,
    ) {
        let owner = MaybeCpu(owner);
        let why = why.as_ref().map(|why| why as &dyn std::fmt::Display);
        let (stopped, off, silent) = (&stopped, &off, &silent);
        let stop = Stop { state: &*state, reason: "panic", owner, stopped, off, silent, took_ns, why: why.map(Quoted) };
        let line = stop.to_string();
        let line = Line::parse(&line).unwrap();
        let read = Stop::<CpuList<'_>, &str, Text<'_>>::read(&line).unwrap();
        prop_assert_eq!((read.state, read.owner, read.took_ns), (&*state, owner, took_ns));
        prop_assert_eq!(read.silent.iter().collect::<Vec<_>>(), numbers(silent));
        prop_assert_eq!(read.why.is_some(), why.is_some());
    }

    /// Kinds whose printed form can be read into the same type are compared whole.
    #[test]
    fn the_others_come_back(a in words(), b in words(), c in words(), n: u32, m: u32, ns: u64, size: usize) {
        same(&Boot { n, by: &*a });
        same(&End { how: &*a });
        same(&Way { name: &*b });
        same(&List { source: &*a, whole: "no" });
        same(&Selftest { passed: n, failed: m });
        same(&Cpu { n, state: &*a, via: Text(&b), why: &*c, regs: m });
        let cpus = OutOf { have: n, want: m };
        let build_id = digits("0aFf");
        same(&Ready { arch: &*a, build: &*b, cpus, ns, mem_kib: ns, mem_used_kib: ns, mem_left_kib: 0, percpu_bytes: size, build_id });
        let list = CpuList::parse("0,2-5").unwrap();
        same(&Hotplug {
            cpus: list, cycles: n, off: ns, on: ns, off_ns: ns, off_max_ns: ns, on_ns: ns, on_max_ns: ns,
            pages_before: ns, pages_after: ns, heap_before: size, heap_after: size,
        });
        same(&Next { started: list, lost: CpuList::EMPTY, left: list, why: Some(Text("a reason")) });
    }

    /// No text whatever makes the reader panic, and what it calls a list is one.
    #[test]
    fn nothing_breaks_the_reader(text: String, list in "[0-9,-]{0,12}") {
        for line in [text.clone(), format!("@cpus {text}"), format!("@cpus missing={list} expected={text}")] {
            if let Some(line) = Line::parse(&line) {
                let _ = Cpus::<CpuList<'_>>::read(&line);
                let _ = line.fields().count();
            }
        }
        let ours = CpuList::parse(&list).is_some();
        let small = list.split(['-', ',']).all(|digits| digits.parse::<u32>().is_ok_and(|cpu| cpu < 512));
        if small || list.is_empty() {
            prop_assert_eq!(ours, list.parse::<Mask>().is_ok(), "as the kernel's own sets have it");
        }
    }
}

fn digits(text: &str) -> Digits<'_> {
    records::Take::take(text).unwrap()
}

fn same<T>(record: &T)
where
    T: for<'a> ReadAs<'a> + std::fmt::Display,
{
    let text = record.to_string();
    let line = Line::parse(&text).unwrap();
    assert_eq!(T::printed(&line), text);
}

/// Reads a line as the kind of record that the type is, and prints it again.
trait ReadAs<'a> {
    fn printed(line: &'a Line<'a>) -> String;
}

macro_rules! read_as {
    ($($record:ty => $again:ty;)*) => {$(
        impl<'a> ReadAs<'a> for $record {
            fn printed(line: &'a Line<'a>) -> String {
                <$again>::read(line).unwrap().to_string()
            }
        }
    )*};
}

read_as! {
    Boot<&str> => Boot<&str>;
    End<&str> => End<&str>;
    Way<&str> => Way<&str>;
    List<&str> => List<&str>;
    Selftest => Selftest;
    Cpu<&str, Text<'_>> => Cpu<&str, Text<'_>>;
    Ready<&str, Digits<'_>> => Ready<&str, Digits<'_>>;
    Hotplug<CpuList<'_>> => Hotplug<CpuList<'_>>;
    Next<CpuList<'_>, Text<'_>> => Next<CpuList<'_>, Text<'_>>;
}

#[test]
fn damage_is_named_by_the_field() {
    const GOOD: &str = "@cpus expected=0-3 started=0-3 online=0-3 missing= ns=5";
    let read = |text: &str| Cpus::<CpuList<'_>>::read(&Line::parse(text).unwrap()).map(|_| ());
    assert_eq!(read(GOOD), Ok(()));
    assert_eq!(read(&GOOD.replace("@cpus", "@cpu")), Err(Damage::Kind("cpus")));
    assert_eq!(read(&GOOD.replace(" ns=5", "")), Err(Damage::Missing("ns")));
    assert_eq!(read(&GOOD.replace("ns=5", "ns=-5")), Err(Damage::Value("ns")));
    for wrong in ["3-0", "0-", "a", "0,,1", "+1", "0-3-5"] {
        let text = GOOD.replace("online=0-3", &format!("online={wrong}"));
        assert_eq!(read(&text), Err(Damage::Value("online")), "{wrong}");
    }
}

#[test]
fn fields_that_a_reader_does_not_know_are_passed_over() {
    let line = Line::parse(r#"@end later="a = b" how=halt more=1"#).unwrap();
    assert_eq!(End::<&str>::read(&line).unwrap().how, "halt");
    assert_eq!(line.fields().count(), 3);
}

#[test]
fn a_word_that_is_none_cannot_tear_a_line_apart() {
    for bad in ["", "two words", "a\"b", "a\nb"] {
        assert_eq!(End { how: bad }.to_string(), "@end how=?", "{bad:?}");
    }
}

#[test]
fn the_catalogue_is_whole() {
    let kinds: std::collections::BTreeSet<_> = records::catalogue().iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds.len(), 13, "each kind once");
    for (kind, doc, fields) in records::catalogue() {
        assert!(!doc.is_empty() && !fields.is_empty(), "@{kind}");
        assert!(fields.iter().all(|field| !field.doc.is_empty()), "@{kind}");
    }
}
