//! Which instructions an operation executes, and after which of them other processes can see a
//! difference: those that store to shared memory, and system calls.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use iced_x86::{
    Code, Decoder, DecoderOptions, Instruction, InstructionInfoFactory, InstructionInfoOptions, OpAccess,
    Register,
};
use nix::libc::user_regs_struct;

use crate::tracer::{Stop, Traced};

/// What one victim executed between its marks, in order.
#[derive(Default)]
pub struct Trace {
    instructions: Vec<u64>,
    /// For each instruction, how often its address had been reached by then, this time included. A
    /// string instruction that repeats itself counts once.
    arrivals: Vec<usize>,
    /// The numbers of the instructions before which shared state has just changed, and of the first
    /// and the last instruction.
    pub changes: Vec<usize>,
}

/// How to reach an instruction: stop `hits` times at an address, then take `steps` single steps.
pub struct Way {
    pub address: u64,
    pub hits: usize,
    pub steps: usize,
}

impl Trace {
    /// The numbers of all instructions. The repetitions of a string instruction count as one
    /// instruction, except those that change shared state.
    pub fn places(&self) -> Vec<usize> {
        let mut changes = self.changes.iter().copied().peekable();
        let places = (0..self.instructions.len()).filter(|&n| {
            let seen = changes.next_if_eq(&n).is_some();
            seen || !self.repeats(n)
        });
        places.collect()
    }

    /// The address of the `n`-th instruction.
    pub fn address(&self, n: usize) -> u64 {
        self.instructions[n]
    }

    /// Whether instruction `n` is another repetition of the string instruction before it.
    fn repeats(&self, n: usize) -> bool {
        n > 0 && self.instructions[n - 1] == self.instructions[n]
    }

    /// The shortest way to the `n`-th instruction. A stop costs about as much as a step.
    pub fn way_to(&self, n: usize) -> Way {
        const STARTS: usize = 64;
        let starts = (0..=n).rev().filter(|&from| !self.repeats(from));
        let ways = starts.map(|from| Way {
            address: self.instructions[from],
            hits: self.arrivals[from],
            steps: n - from,
        });
        ways.take(STARTS).min_by_key(|way| way.hits + way.steps).expect("the first instruction repeats none")
    }
}

/// Leads a victim step by step from its first mark to its second.
pub fn survey(victim: &mut Traced) -> Result<Trace, String> {
    let mut trace = Trace::default();
    let mut arrivals: HashMap<u64, usize> = HashMap::new();
    let mut decoded = Decoded { instructions: HashMap::new(), info: InstructionInfoFactory::new() };
    let mut shared = shared_memory(victim.pid())?;
    trace.changes.push(0);
    loop {
        let registers = victim.registers()?;
        let instruction = *decoded.at(victim, registers.rip)?;
        // The second mark counts, too: the last change is made before it.
        let arrived = arrivals.entry(registers.rip).or_default();
        *arrived += usize::from(trace.instructions.last() != Some(&registers.rip));
        trace.arrivals.push(*arrived);
        trace.instructions.push(registers.rip);
        if instruction.code() == Code::Int3 {
            let mark = trace.instructions.len() - 1;
            if trace.changes.last() != Some(&mark) {
                trace.changes.push(mark);
            }
            return Ok(trace);
        }
        let calls = instruction.code() == Code::Syscall;
        let stores = !calls
            && decoded
                .stores(&instruction, &registers)
                .any(|at| shared.iter().any(|range| range.contains(&at)));
        match victim.step()? {
            Stop::Trap => {}
            other => return Err(format!("the victim didn't reach its second mark: {other:?}")),
        }
        if calls {
            shared = shared_memory(victim.pid())?;
        }
        if calls || stores {
            trace.changes.push(trace.instructions.len());
        }
    }
}

struct Decoded {
    instructions: HashMap<u64, Instruction>,
    info: InstructionInfoFactory,
}

impl Decoded {
    fn at(&mut self, victim: &Traced, address: u64) -> Result<&Instruction, String> {
        Ok(match self.instructions.entry(address) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let code = victim.code_at(address)?;
                unknown.insert(Decoder::with_ip(64, &code, address, DecoderOptions::NONE).decode())
            }
        })
    }

    /// The addresses that the instruction stores to.
    fn stores<'a>(
        &'a mut self,
        instruction: &Instruction,
        registers: &'a user_regs_struct,
    ) -> impl Iterator<Item = u64> + 'a {
        let info = self.info.info_options(instruction, InstructionInfoOptions::NO_REGISTER_USAGE);
        let memory = info.used_memory().iter().filter(|memory| {
            matches!(
                memory.access(),
                OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
            )
        });
        memory.filter_map(|memory| memory.virtual_address(0, |register, _, _| value_of(registers, register)))
    }
}

fn value_of(registers: &user_regs_struct, register: Register) -> Option<u64> {
    let whole = match register.full_register() {
        Register::RAX => registers.rax,
        Register::RBX => registers.rbx,
        Register::RCX => registers.rcx,
        Register::RDX => registers.rdx,
        Register::RSI => registers.rsi,
        Register::RDI => registers.rdi,
        Register::RBP => registers.rbp,
        Register::RSP => registers.rsp,
        Register::R8 => registers.r8,
        Register::R9 => registers.r9,
        Register::R10 => registers.r10,
        Register::R11 => registers.r11,
        Register::R12 => registers.r12,
        Register::R13 => registers.r13,
        Register::R14 => registers.r14,
        Register::R15 => registers.r15,
        Register::FS => registers.fs_base,
        Register::GS => registers.gs_base,
        Register::CS | Register::DS | Register::ES | Register::SS => 0,
        _ => return None,
    };
    Some(if register.size() == 4 { whole & 0xffff_ffff } else { whole })
}

/// The address ranges where a process has mapped files of /dev/shm.
fn shared_memory(pid: u32) -> Result<Vec<Range<u64>>, String> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|e| format!("maps: {e}"))?;
    let shared = maps.lines().filter(|line| line.contains("s ") && line.contains("/dev/shm/"));
    let range = |line: &str| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
    };
    Ok(shared.filter_map(range).collect())
}
