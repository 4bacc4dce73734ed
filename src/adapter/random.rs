//! Chance from the operating system.

use crate::world::Random;

/// How many bytes are asked for at once.
const BLOCK: usize = 512;

/// Numbers from the operating system's own generator, which is meant for secrets: a voucher code can't be guessed from
/// those before it.
#[derive(Debug)]
pub struct SystemRandom {
    block: [u8; BLOCK],
    used: usize,
}

impl Default for SystemRandom {
    fn default() -> Self {
        SystemRandom { block: [0; BLOCK], used: BLOCK }
    }
}

impl Random for SystemRandom {
    fn next(&mut self) -> u64 {
        if self.used >= BLOCK {
            self.fill();
        }
        let bytes = self.block.iter().skip(self.used).take(8);
        let number = bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte));
        self.used += 8;
        number
    }
}

impl SystemRandom {
    fn fill(&mut self) {
        // No machine that this runs on is without a generator; numbers that are no chance would be worse than none.
        #[allow(clippy::panic)]
        if let Err(error) = getrandom::getrandom(&mut self.block) {
            panic!("the operating system gives no random numbers: {error}");
        }
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_repeat() {
        let mut random = SystemRandom::default();
        let numbers: std::collections::BTreeSet<u64> = (0..1000).map(|_| random.next()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
