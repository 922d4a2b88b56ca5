//! `/cpus`: which CPUs exist and how each is started.

use super::{
    Cpu, EnableMethod, FdtInfo,
    cells::{joined, number, string},
    node::{Node, properties},
};

/// The affinity fields of MPIDR_EL1 (Arm ARM, D19.2.98): Aff3 in bits 39:32, Aff2 to Aff0 in 23:0.
/// Everything else must be 0 in `reg`.
const AFFINITY: u64 = 0xff_00ff_ffff;

pub(super) fn read(cpus: &Node<'_>, info: &mut FdtInfo) {
    let cells = cpus.props.address_cells.unwrap_or(1);
    for node in cpus.children().filter(is_cpu) {
        if !node.is_available() {
            info.cpus_disabled += 1;
            continue;
        }
        match joined(node.props.reg, cells).filter(|id| cells > 0 && id & !AFFINITY == 0) {
            Some(hw_id) => add(
                Cpu {
                    hw_id,
                    enable: enable_method(&node),
                },
                info,
            ),
            None => info.cpus_bad += 1,
        }
    }
}

/// Beside CPUs, `/cpus` holds a topology map and caches.
fn is_cpu(node: &Node<'_>) -> bool {
    node.props.device_type == b"cpu\0" || (node.props.device_type.is_empty() && node.name.name == "cpu")
}

fn add(cpu: Cpu, info: &mut FdtInfo) {
    if info.cpus.iter().any(|known| known.hw_id == cpu.hw_id) {
        info.cpus_bad += 1;
    } else if info.cpus.try_push(cpu).is_err() {
        info.cpus_dropped += 1;
    }
}

fn enable_method(node: &Node<'_>) -> EnableMethod {
    let (mut method, mut release) = (None, None);
    for (name, value) in properties(node.raw) {
        match name {
            "enable-method" => method = string(value),
            "cpu-release-addr" => release = number(value),
            _ => {}
        }
    }
    match (method, release) {
        (Some("psci"), _) => EnableMethod::Psci,
        (Some("spin-table"), Some(at)) => EnableMethod::SpinTable(at),
        _ => EnableMethod::None,
    }
}
