//! `/cpus`: which CPUs exist and how each is started.

use super::{Cpu, EnableMethod, FdtInfo, cells::joined, node::Node};

/// The affinity fields of MPIDR_EL1 (Arm ARM, D19.2.98): Aff3 in bits 39:32, Aff2 to Aff0 in 23:0.
/// Everything else must be 0 in `reg`.
const AFFINITY: u64 = 0xff_00ff_ffff;

pub(super) fn read(cpus: &Node<'_>, info: &mut FdtInfo) {
    let cells = cpus.props.address_cells.unwrap_or(1);
    // Not empty only in a tree with two such nodes.
    let mut highest = info.cpus.iter().map(|known| known.hw_id).max();
    for node in cpus.children().filter(is_cpu) {
        if !node.is_available() {
            info.cpus_disabled += 1;
            continue;
        }
        let valid = |id: &u64| cells > 0 && id & !AFFINITY == 0;
        let Some(hw_id) = joined(node.props.reg, cells).filter(valid) else {
            info.cpus_bad += 1;
            continue;
        };
        // Ids mostly ascend, and then a new one cannot be there yet: no search.
        let repeated = Some(hw_id) <= highest && info.cpus.iter().any(|known| known.hw_id == hw_id);
        highest = highest.max(Some(hw_id));
        add(
            Cpu {
                hw_id,
                enable: enable_method(&node),
            },
            repeated,
            info,
        );
    }
}

/// Beside CPUs, `/cpus` holds a topology map and caches.
fn is_cpu(node: &Node<'_>) -> bool {
    node.props.device_type == b"cpu\0" || (node.props.device_type.is_empty() && node.name.name == "cpu")
}

fn add(cpu: Cpu, repeated: bool, info: &mut FdtInfo) {
    if repeated {
        info.cpus_bad += 1;
    } else if info.cpus.try_push(cpu).is_err() {
        info.cpus_dropped += 1;
    }
}

fn enable_method(node: &Node<'_>) -> EnableMethod {
    match (node.props.enable_method, node.props.release_addr) {
        (b"psci\0", _) => EnableMethod::Psci,
        (b"spin-table\0", Some(at)) => EnableMethod::SpinTable(at),
        _ => EnableMethod::None,
    }
}
