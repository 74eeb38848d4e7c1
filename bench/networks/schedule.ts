/**
 * What samplers know of their process: the linear schedule of 1000 steps, and coefficients of the loops that are written by
 * hand. Rows are those of the steps, the first step first.
 */
import type { Input } from '../inputs.js';

const trained = 1000;

const alphaBars: readonly number[] = (() => {
  let product = 1;
  return Array.from({ length: trained }, (_, t) => {
    product *= 1 - (1e-4 + ((0.02 - 1e-4) * t) / (trained - 1));
    return product;
  });
})();

/** So many of the timesteps, evenly spaced from the last to `end`. */
const spaced = (steps: number, end: number): readonly number[] =>
  Array.from({ length: steps }, (_, i) => Math.round(trained - 1 - ((trained - 1 - end) * i) / Math.max(1, steps - 1)));

/** The timesteps that ancestral sampling visits: all of them, or fewer. */
export const ddpmTimesteps = (steps: number): readonly number[] => spaced(steps, 0);

/** Those of DPM-Solver++: the last step is from the lowest of them to no noise at all. */
export const dpmTimesteps = (steps: number): readonly number[] => spaced(steps + 1, 0).slice(0, -1);

/** The variances of the process that visits only some timesteps, from the data upwards. */
export const betasOf = (steps: number): readonly number[] => {
  const kept = [...ddpmTimesteps(steps)].reverse();
  return kept.map((t, i) => 1 - alphaBars[t]! / (i === 0 ? 1 : alphaBars[kept[i - 1]!]!));
};

const rowsOf = (rows: readonly (readonly number[])[]): Input => ({
  values: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0]!.length],
});

/**
 * For ancestral sampling with predicted noise ε: x₀ = a·x − b·ε, kept within [−1, 1], and then c·x₀ + d·x + s·noise.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 7 and 15.
 */
export const ddpmRows = (steps: number): Input => {
  let before = 1;
  const rows = betasOf(steps).map(beta => {
    const now = before * (1 - beta);
    const left = (1 - before) / (1 - now);
    const row = [
      1 / Math.sqrt(now),
      Math.sqrt(1 / now - 1),
      (beta * Math.sqrt(before)) / (1 - now),
      left * Math.sqrt(1 - beta),
      Math.sqrt(beta * left),
    ];
    before = now;
    return row;
  });
  return rowsOf(rows.reverse());
};

/**
 * For DPM-Solver++(2M): x₀ = a·x − b·ε, and then c·x + d·x₀ + e·(the x₀ of the step before).
 *
 * Source: Lu et al. 2022, arXiv:2211.01095, algorithm 2.
 */
export const dpmRows = (steps: number): Input => {
  const levels = dpmTimesteps(steps).map(t => {
    const [alpha, sigma] = [Math.sqrt(alphaBars[t]!), Math.sqrt(1 - alphaBars[t]!)];
    return { alpha, sigma, lambda: Math.log(alpha / sigma) };
  });
  const rows = levels.map(({ alpha, sigma, lambda }, i) => {
    const toData = [1 / alpha, sigma / alpha];
    const [before, after] = [levels[i - 1], levels[i + 1]];
    if (after === undefined) return [...toData, 0, 1, 0];
    const h = after.lambda - lambda;
    const whole = after.alpha * (1 - Math.exp(-h));
    const beyond = before === undefined ? 0 : (whole * h) / (2 * (lambda - before.lambda));
    return [...toData, after.sigma / sigma, whole + beyond, -beyond];
  });
  return rowsOf(rows);
};

/** Sines and cosines of timesteps, as a network is told them. */
export const timeRows = (timesteps: readonly number[], length: number): Input => {
  const half = length / 2;
  return rowsOf(
    timesteps.map(t =>
      Array.from({ length }, (_, i) => {
        const angle = t * 10000 ** (-(i % half) / half);
        return i < half ? Math.cos(angle) : Math.sin(angle);
      }),
    ),
  );
};
