//! A straight line through the samples, and whether it rises.

/// How many standard errors a slope has to be above zero to count as growth.
const SIGNIFICANT: f64 = 3.0;
/// Fewer samples say nothing about their own noise.
pub(crate) const FEWEST: usize = 12;

/// A least-squares line through samples of memory over cycles.
///
/// Neighbouring samples of memory are not independent: an allocator that takes one more page keeps it, and all samples
/// behind it are higher. The ordinary error of the slope would call one such step growth. The error here is that of the
/// same slope when the *differences* between neighbours are independent (the samples are their running sum), which
/// contains the case of independent samples: it is never the smaller one of the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fit {
    /// Bytes per cycle.
    pub(crate) slope: f64,
    /// Standard error of the slope.
    pub(crate) error: f64,
    /// Value of the line at cycle 0.
    pub(crate) origin: f64,
    pub(crate) samples: usize,
}

impl Fit {
    /// `None` with fewer than [`FEWEST`] samples, or when all of them are of one cycle.
    pub(crate) fn of(samples: &[(f64, f64)]) -> Option<Self> {
        if samples.len() < FEWEST {
            return None;
        }
        let count = samples.len() as f64;
        let mean_x = samples.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = samples.iter().map(|(_, y)| y).sum::<f64>() / count;
        let spread: f64 = samples.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        if spread <= 0.0 {
            return None;
        }
        let slope = samples.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
        let origin = mean_y - slope * mean_x;
        let residual: f64 = samples.iter().map(|(x, y)| (y - origin - slope * x).powi(2)).sum();
        let ordinary = (residual / (count - 2.0) / spread).sqrt();
        let error = ordinary.max(step_error(samples, slope, mean_x, spread));
        Some(Self { slope, error, origin, samples: samples.len() })
    }

    /// Whether the slope is more than noise.
    pub(crate) fn rises(&self) -> bool {
        self.slope > SIGNIFICANT * self.error
    }
}

/// The error of the slope when the differences between neighbours are independent.
fn step_error(samples: &[(f64, f64)], slope: f64, mean_x: f64, spread: f64) -> f64 {
    let mut variance = 0.0;
    for pair in samples.windows(2) {
        if let [(x0, y0), (x1, y1)] = pair {
            variance += (y1 - y0 - slope * (x1 - x0)).powi(2);
        }
    }
    variance /= samples.len() as f64 - 2.0;
    // The slope is a sum of the samples with these weights; a difference counts in all samples behind it.
    let mut weight_behind = 0.0;
    let mut squares = 0.0;
    for (x, _) in samples.iter().skip(1).rev() {
        weight_behind += (x - mean_x) / spread;
        squares += weight_behind * weight_behind;
    }
    (variance * squares).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn series(len: u32, value: impl FnMut(u32) -> f64) -> Vec<(f64, f64)> {
        let mut value = value;
        (0..len).map(|index| (f64::from(index) * 100.0, value(index))).collect()
    }

    fn noise(random: &mut Random, width: u64) -> f64 {
        random.below(width) as f64 - width as f64 / 2.0
    }

    #[test]
    fn the_line_is_found() {
        let fit = Fit::of(&series(50, |index| 1e7 + f64::from(index) * 700.0)).unwrap();
        assert!((fit.slope - 7.0).abs() < 1e-6 && (fit.origin - 1e7).abs() < 1e-3, "{fit:?}");
        assert!(fit.rises());
    }

    #[test]
    fn nothing_is_said_about_few_samples() {
        assert_eq!(Fit::of(&series(11, f64::from)), None);
        assert_eq!(Fit::of(&[(1.0, 1.0); 20]), None);
    }

    #[test]
    fn flat_and_falling_lines_do_not_rise() {
        assert!(!Fit::of(&series(50, |_| 5e6)).unwrap().rises());
        assert!(!Fit::of(&series(50, |index| 5e6 - f64::from(index) * 4_096.0)).unwrap().rises());
    }

    /// Noise of pages: in 1,000 runs hardly ever called growth.
    #[test]
    fn noise_does_not_rise() {
        for walks in [false, true] {
            let mut alarms = 0;
            for seed in 0..1_000 {
                let mut random = Random::new(seed, 0);
                let mut sum = 0.0;
                let samples = series(50, |_| {
                    let drawn = noise(&mut random, 200_000);
                    sum = if walks { sum + drawn } else { drawn };
                    2e7 + sum
                });
                alarms += u32::from(Fit::of(&samples).unwrap().rises());
            }
            assert!(alarms <= 5, "walks: {walks}, {alarms} false alarms in 1,000");
        }
    }

    /// The allocator takes one more arena, once.
    #[test]
    fn a_step_does_not_rise() {
        for at in 1..49 {
            let samples = series(50, |index| if index < at { 2e7 } else { 2e7 + 132e3 });
            assert!(!Fit::of(&samples).unwrap().rises(), "a step at {at}");
        }
    }

    /// A leak of a kilobyte a cycle under noise of 100 KiB is seen in each of 1,000 runs.
    #[test]
    fn a_leak_rises() {
        for seed in 0..1_000 {
            let mut random = Random::new(seed, 1);
            let samples =
                series(50, |index| 2e7 + f64::from(index) * 102_400.0 + noise(&mut random, 102_400));
            let fit = Fit::of(&samples).unwrap();
            assert!(fit.rises(), "seed {seed}: {fit:?}");
        }
    }
}
