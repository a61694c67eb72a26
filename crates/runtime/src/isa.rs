//! Which instruction sets this machine has: the only file that asks.
//!
//! With the `std` feature the machine is asked when the program runs; without it, an instruction set is there if the
//! program was compiled for it. A [`Machine`] is the proof that one is there, so that a routine for it can be called.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "a routine for an instruction set may be called where the machine has it")
)]

use core::fmt;

/// An instruction set that routines are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Any machine: the plain code that defines the result.
    Scalar,
    /// x86-64 with AVX2: products of 16 bits, two summed at once.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI: products of 8 bits, four summed at once.
    Avx512Vnni,
}

impl Isa {
    /// All of them, from the plainest on.
    pub const ALL: [Isa; 3] = [Isa::Scalar, Isa::Avx2, Isa::Avx512Vnni];

    /// The name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512Vnni => "avx512_vnni",
        }
    }

    /// True if this machine has it.
    pub fn is_here(self) -> bool {
        match self {
            Isa::Scalar => true,
            Isa::Avx2 => has_avx2(),
            Isa::Avx512Vnni => has_avx2() && has_avx512_vnni(),
        }
    }

    /// The fastest that this machine has.
    pub fn best() -> Isa {
        Isa::ALL.into_iter().rev().find(|isa| isa.is_here()).unwrap_or(Isa::Scalar)
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
fn has_avx2() -> bool {
    std::is_x86_feature_detected!("avx2")
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
fn has_avx512_vnni() -> bool {
    std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vl")
        && std::is_x86_feature_detected!("avx512vnni")
}

#[cfg(not(all(target_arch = "x86_64", feature = "std")))]
fn has_avx2() -> bool {
    cfg!(all(target_arch = "x86_64", target_feature = "avx2"))
}

#[cfg(not(all(target_arch = "x86_64", feature = "std")))]
fn has_avx512_vnni() -> bool {
    cfg!(all(
        target_arch = "x86_64",
        target_feature = "avx512f",
        target_feature = "avx512bw",
        target_feature = "avx512vl",
        target_feature = "avx512vnni"
    ))
}

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine(Isa);

impl Machine {
    /// The fastest that there is.
    pub(crate) fn best() -> Machine {
        Machine(Isa::best())
    }

    /// None if it is not here.
    #[cfg(any(test, feature = "networks"))]
    pub(crate) fn try_new(isa: Isa) -> Option<Machine> {
        isa.is_here().then_some(Machine(isa))
    }

    #[cfg(feature = "networks")]
    pub(crate) fn isa(self) -> Isa {
        self.0
    }

    /// Runs plain code that the compiler may write with the instructions of this set. The same result on each, since
    /// only integers and single IEEE operations are computed so.
    #[inline]
    pub(crate) fn run<P: Plain>(self, plain: P) -> P::Made {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Machine` exists only for an instruction set that is here.
            Isa::Avx2 => unsafe { with_avx2(plain) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx512Vnni => unsafe { with_avx512(plain) },
            _ => plain.run(),
        }
    }
}

/// Plain code that is compiled once for each instruction set; `run` must be `#[inline(always)]`, as all that it
/// calls, since only what is inlined is compiled for the set.
pub(crate) trait Plain {
    /// What it makes.
    type Made;
    /// The code.
    fn run(self) -> Self::Made;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<P: Plain>(plain: P) -> P::Made {
    plain.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
fn with_avx512<P: Plain>(plain: P) -> P::Made {
    plain.run()
}
