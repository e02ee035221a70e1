//! A process that runs under ptrace. It stops at its marks (`int3`) and is led to one of its
//! instructions. There it is killed, or stays stopped, or goes on.

use std::ffi::{c_long, c_void};
use std::mem::offset_of;

use nix::libc::user;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, alarm};

use crate::child;

/// Seconds. A victim that lives longer hangs.
const LONGEST_LIFE: u32 = 60;

/// Why a traced process stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is at a mark, at a breakpoint or behind a step.
    Trap,
    /// It exited with this status.
    Exited(i32),
    /// A signal killed it.
    Killed(Signal),
}

/// A traced child. Dropping it kills it.
pub struct Traced {
    pid: Pid,
    over: bool,
}

impl Traced {
    /// Forks a child that runs `life` and exits. Returns when the child has stopped at its first
    /// mark.
    pub fn spawn(life: impl FnOnce()) -> Result<Traced, String> {
        let pid = child::spawn(|| {
            ptrace::traceme()?;
            alarm::set(LONGEST_LIFE);
            life();
            Ok(())
        });
        let mut traced = Traced { pid: pid.map_err(|e| format!("fork: {e}"))?, over: false };
        match traced.wait()? {
            Stop::Trap => Ok(traced),
            other => Err(format!("the victim didn't reach its first mark: {other:?}")),
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    fn wait(&mut self) -> Result<Stop, String> {
        loop {
            match waitpid(self.pid, None).map_err(|e| format!("waitpid: {e}"))? {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => return Ok(Stop::Trap),
                WaitStatus::Exited(_, status) => {
                    self.over = true;
                    return Ok(Stop::Exited(status));
                }
                WaitStatus::Signaled(_, signal, _) => {
                    self.over = true;
                    return Ok(Stop::Killed(signal));
                }
                WaitStatus::Stopped(pid, signal) => {
                    ptrace::cont(pid, signal).map_err(|e| format!("cont: {e}"))?;
                }
                other => return Err(format!("unexpected: {other:?}")),
            }
        }
    }

    /// Executes one instruction.
    pub fn step(&mut self) -> Result<Stop, String> {
        ptrace::step(self.pid, None).map_err(|e| format!("step: {e}"))?;
        self.wait()
    }

    /// Runs to the next mark or breakpoint.
    pub fn cont(&mut self) -> Result<Stop, String> {
        ptrace::cont(self.pid, None).map_err(|e| format!("cont: {e}"))?;
        self.wait()
    }

    pub fn registers(&self) -> Result<nix::libc::user_regs_struct, String> {
        ptrace::getregs(self.pid).map_err(|e| format!("getregs: {e}"))
    }

    /// Makes the process stop each time before the instruction at `address`; 0 removes the
    /// breakpoint. It is set in a debug register, so no byte of the program changes.
    pub fn break_at(&self, address: u64) -> Result<(), String> {
        const REGISTERS: usize = offset_of!(user, u_debugreg);
        let set = |register: usize, value: u64| {
            let at = (REGISTERS + register * size_of::<u64>()) as *mut c_void;
            ptrace::write_user(self.pid, at, value as c_long).map_err(|e| format!("debug register: {e}"))
        };
        set(7, 0)?;
        if address != 0 {
            set(0, address)?;
            set(7, 1)?;
        }
        Ok(())
    }

    /// 16 bytes of the program at `address`.
    pub fn code_at(&self, address: u64) -> Result<[u8; 16], String> {
        let mut code = [0; 16];
        for (i, word) in code.chunks_exact_mut(8).enumerate() {
            let at = (address as usize + i * 8) as *mut c_void;
            let read = ptrace::read(self.pid, at).map_err(|e| format!("reading its code: {e}"))?;
            word.copy_from_slice(&read.to_le_bytes());
        }
        Ok(code)
    }

    /// Kills the process and waits until it is gone.
    pub fn kill(mut self) -> Result<(), String> {
        kill(self.pid, Signal::SIGKILL).map_err(|e| format!("kill: {e}"))?;
        match self.wait()? {
            Stop::Killed(Signal::SIGKILL) => Ok(()),
            other => Err(format!("killed, but {other:?}")),
        }
    }

    /// Lets the process run to its end, which must be a success.
    pub fn finish(mut self) -> Result<(), String> {
        self.break_at(0)?;
        loop {
            match self.cont()? {
                Stop::Trap => {}
                Stop::Exited(0) => return Ok(()),
                other => return Err(format!("the victim failed: {other:?}")),
            }
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if !self.over {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}
