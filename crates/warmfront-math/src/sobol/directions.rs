//! The direction numbers, unfolded from the table of Joe and Kuo.

/// The largest dimension of a Sobol sequence.
pub const MAX_DIM: usize = 1024;

/// Binary digits of a coordinate.
pub(super) const BITS: usize = 32;

/// One line a dimension from the second on: degree s, polynomial a, m₁ … m_s. The licence of the
/// numbers stands at its head.
const TABLE: &str = include_str!("directions.txt");

/// Returns the 32 direction numbers of the first `dim` dimensions, all of one bit together
/// (32×dim).
pub(super) fn direction_numbers(dim: usize) -> Vec<u32> {
    let mut all = vec![0; BITS * dim];
    for bit in 0..BITS {
        all[bit * dim] = 1 << (BITS - 1 - bit);
    }
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    for (j, line) in (1..dim).zip(lines) {
        let mut numbers = line.split_ascii_whitespace().map(|word| {
            word.parse::<u32>()
                .expect("the table of this crate holds only integers")
        });
        let mut next = || {
            numbers
                .next()
                .expect("every line of the table has all its numbers")
        };
        let degree = next() as usize;
        let polynomial = next();
        let mut v = [0u32; BITS];
        for (bit, v) in v.iter_mut().enumerate().take(degree) {
            *v = next() << (BITS - 1 - bit);
        }
        // Bratley and Fox (1988), eq. 3, in units of 2⁻³².
        for bit in degree..BITS {
            let oldest = v[bit - degree];
            let mut number = oldest ^ (oldest >> degree);
            for k in 1..degree {
                if polynomial >> (degree - 1 - k) & 1 == 1 {
                    number ^= v[bit - k];
                }
            }
            v[bit] = number;
        }
        for bit in 0..BITS {
            all[bit * dim + j] = v[bit];
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_valid_set() {
        let numbers = direction_numbers(MAX_DIM);
        for j in 0..MAX_DIM {
            for bit in 0..BITS {
                // The last digit is one, which makes every axis a net.
                let v = numbers[bit * MAX_DIM + j];
                assert_eq!(v.trailing_zeros() as usize, BITS - 1 - bit, "dimension {j}");
            }
        }
    }
}
