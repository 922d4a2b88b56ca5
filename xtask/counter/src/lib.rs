//! A plugin for QEMU's emulator that counts executed instructions, of all CPUs together, and notes the count whenever one of
//! a few addresses is reached.
//!
//! Under `-icount` virtual time also moves while everybody is idle; this count does not, so it says what code costs.
//! Loaded by `xtask bench` as `-plugin file=libinsn_counter.so,out=FILE,at=NAME:ADDRESS,...`. At QEMU's end it writes a line
//! `NAME FIRST LAST HITS` for each address, with the counts at the first and at the last time it was reached, and `total COUNT`.
//!
//! With one emulator thread (`-icount`, or `-accel tcg,thread=single`) the counts are exact.

mod qemu;

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Instructions executed so far. QEMU's generated code adds to it directly.
static EXECUTED: AtomicU64 = AtomicU64::new(0);
static CONFIG: OnceLock<Config> = OnceLock::new();

struct Config {
    out: String,
    marks: Vec<Mark>,
}

/// An address somebody wants to know about.
struct Mark {
    name: String,
    address: u64,
    first: AtomicU64,
    last: AtomicU64,
    hits: AtomicU64,
}

impl Mark {
    /// From `NAME:0xADDRESS`.
    fn parse(text: &str) -> Option<Self> {
        let (name, address) = text.split_once(':')?;
        let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).ok()?;
        let zero = || AtomicU64::new(0);
        Some(Self {
            name: name.to_owned(),
            address,
            first: zero(),
            last: zero(),
            hits: zero(),
        })
    }

    fn reached(&self) {
        let now = EXECUTED.load(Ordering::Relaxed);
        if self.hits.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first.store(now, Ordering::Relaxed);
        }
        self.last.store(now, Ordering::Relaxed);
    }
}

/// What QEMU calls first. Returns 0, or 1 to refuse.
///
/// # Safety
/// Called by QEMU with its own arguments: `argc` strings at `argv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _info: *const c_void,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    let argument = |n: usize| {
        // SAFETY: QEMU passes `argc` strings that live during this call.
        unsafe { CStr::from_ptr(*argv.add(n)) }
            .to_string_lossy()
            .into_owned()
    };
    let arguments: Vec<String> = (0..usize::try_from(argc).unwrap_or(0)).map(argument).collect();
    let Some(config) = configure(&arguments) else {
        return 1;
    };
    if CONFIG.set(config).is_err() {
        return 1;
    }
    // SAFETY: the id is QEMU's, and the functions are of the types it wants.
    unsafe {
        qemu::qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu::qemu_plugin_register_atexit_cb(id, at_exit, std::ptr::null_mut());
    }
    0
}

fn configure(arguments: &[String]) -> Option<Config> {
    let mut config = Config {
        out: String::new(),
        marks: Vec::new(),
    };
    for argument in arguments {
        match argument.split_once('=')? {
            ("out", path) => path.clone_into(&mut config.out),
            ("at", mark) => config.marks.push(Mark::parse(mark)?),
            _ => return None,
        }
    }
    (!config.out.is_empty()).then_some(config)
}

/// A block of guest code was translated: have its instructions counted, and the marked ones reported.
unsafe extern "C" fn translated(_id: u64, block: *mut qemu::Block) {
    let Some(config) = CONFIG.get() else { return };
    // SAFETY: the block is QEMU's and lives during this call; the counter lives for ever.
    unsafe {
        for n in 0..qemu::qemu_plugin_tb_n_insns(block) {
            let instruction = qemu::qemu_plugin_tb_get_insn(block, n);
            qemu::qemu_plugin_register_vcpu_insn_exec_inline(
                instruction,
                qemu::ADD_U64,
                EXECUTED.as_ptr().cast(),
                1,
            );
            let address = qemu::qemu_plugin_insn_vaddr(instruction);
            for mark in config.marks.iter().filter(|mark| mark.address == address) {
                let data = std::ptr::from_ref(mark).cast_mut().cast();
                qemu::qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, qemu::NO_REGISTERS, data);
            }
        }
    }
}

unsafe extern "C" fn executed(_cpu: c_uint, mark: *mut c_void) {
    // SAFETY: `translated` passed a mark of the configuration, which lives for ever.
    unsafe { &*mark.cast::<Mark>() }.reached();
}

unsafe extern "C" fn at_exit(_id: u64, _data: *mut c_void) {
    let Some(config) = CONFIG.get() else { return };
    let mut text = format!("total {}\n", EXECUTED.load(Ordering::Relaxed));
    for mark in &config.marks {
        let [first, last, hits] = [&mark.first, &mark.last, &mark.hits].map(|n| n.load(Ordering::Relaxed));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {first} {last} {hits}", mark.name);
    }
    if let Err(error) = std::fs::write(&config.out, text) {
        eprintln!("insn-counter: {}: {error}", config.out);
    }
}
