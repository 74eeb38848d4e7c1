/** Maximum mean discrepancy: samples compared by the means of the features of a kernel. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { matmul } from '../../tensor/ops/contraction/contraction.js';
import { add, div, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { exp } from '../../tensor/ops/elementwise/elementary.js';
import { transpose } from '../../tensor/ops/movement/movement.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { medianDistance } from './bandwidth.js';
import { besides, squaredDistances, sumOfPairs } from './distances.js';
import { centred, matricesOf, type Score } from './samples.js';

/** Options of {@link kernelMmd}. */
export interface KernelMmdOptions {
  /**
   * `'gaussian'`: exp(−‖x − y‖² / 2σ²), summed over the bandwidths σ. `'polynomial'`: (x·y / d + 1)³, that of the kernel
   * inception distance (KID). Default `'gaussian'`.
   */
  readonly kernel?: 'gaussian' | 'polynomial';
  /**
   * σ of Gaussian kernels: a positive number, a list of such, or `'median'`, the median distance between the samples of
   * both sets together (of the first 500 of each, and without a derivative). Default `'median'`.
   */
  readonly bandwidth?: number | readonly number[] | 'median';
  /**
   * Without the pairs of a sample with itself: the mean is that of the populations, and may be negative. With them the
   * value is at least 0, and that of two equal sets is 0. Default true.
   */
  readonly unbiased?: boolean;
}

type Kernel = (x: Tensor, y: Tensor) => Tensor;

const polynomial: Kernel = (x, y) => {
  const product = add(div(matmul(x, transpose(y)), x.shape[1]!), 1) as Tensor;
  return mul(square(product), product) as Tensor;
};

const gaussian =
  (bandwidths: readonly (number | Tensor)[]): Kernel =>
  (x, y) => {
    const squares = squaredDistances(x, y);
    const terms = bandwidths.map(sigma => {
      const scale = typeof sigma === 'number' ? -0.5 / sigma ** 2 : (div(-0.5, square(sigma)) as Tensor);
      return exp(mul(squares, scale as Tensor)) as Tensor;
    });
    return terms.reduce((sum, term) => add(sum, term) as Tensor);
  };

const checkKernel = ({ kernel = 'gaussian', bandwidth }: KernelMmdOptions): void => {
  checkArgument(
    kernel === 'gaussian' || kernel === 'polynomial',
    'kernelMmd',
    `${kindOf(kernel)} as the kernel`,
    "the kernel is 'gaussian' or 'polynomial'",
    "Take 'polynomial' for the kernel inception distance.",
  );
  if (bandwidth === undefined || bandwidth === 'median') return;
  const list: readonly unknown[] = Array.isArray(bandwidth) ? bandwidth : [bandwidth];
  const wrong = list.findIndex(sigma => typeof sigma !== 'number' || !(sigma > 0 && Number.isFinite(sigma)));
  if (list.length > 0 && wrong < 0) return;
  throw new ArgumentError({
    operation: 'kernelMmd',
    given: `${kindOf(list.length === 0 ? bandwidth : list[wrong])} as bandwidth`,
    rule: "a bandwidth is a positive number, a list of such, or 'median'",
    hint: 'Several bandwidths around the distances of samples see differences of several sizes: [1, 2, 4, 8].',
  });
};

/**
 * The squared maximum mean discrepancy of two sets of samples: the mean of k(x, x′) + k(y, y′) − 2 k(x, y).
 *
 * Sources: Gretton et al. 2012, Journal of Machine Learning Research 13, lemma 6 (unbiased: eq. 3; biased: eq. 5); Bińkowski
 * et al. 2018, arXiv:1801.01401 (the polynomial kernel; KID is the unbiased value of features of an Inception
 * network); Li et al. 2015, arXiv:1502.02761 (sums of Gaussian kernels).
 *
 * @param x float [n, d]; of [n, …] each sample is flattened
 * @param y float [m, d]
 * @param options see {@link KernelMmdOptions}
 * @returns float64 []
 * @throws ArgumentError, DTypeError for what is no float tensor
 * @throws ArgumentError for an unknown option, kernel or bandwidth, and for a bandwidth of the polynomial kernel
 * @throws ShapeError for a rank below 2, no sample (fewer than two when unbiased), or samples of different sizes
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { kernelMmd } from 'tenfold/diffusion';
 * const [x, y] = [tensor([[0], [1]]), tensor([[2], [1]])];
 * kernelMmd(x, y, { kernel: 'polynomial' }).item(); // => 9.5
 * kernelMmd(x, x, { bandwidth: [0.5, 1], unbiased: false }).item(); // => 0
 * ```
 */
export const kernelMmd = (x: Tensor, y: Tensor, options: KernelMmdOptions = {}): Score => {
  checkOptions('kernelMmd', ['kernel', 'bandwidth', 'unbiased'], options);
  checkKernel(options);
  const { kernel = 'gaussian', bandwidth, unbiased = true } = options;
  checkFlag('kernelMmd', 'unbiased', unbiased);
  checkArgument(
    kernel === 'gaussian' || bandwidth === undefined,
    'kernelMmd',
    `${kindOf(bandwidth)} as bandwidth and the polynomial kernel`,
    'the polynomial kernel has no bandwidth',
    'Leave the bandwidth out, or the kernel.',
  );
  const matrices = matricesOf('kernelMmd', { x, y }, unbiased ? 2 : 1);
  const [a, c] = (kernel === 'gaussian' ? centred(matrices) : matrices) as readonly [Tensor, Tensor];
  const widths = (): readonly (number | Tensor)[] => {
    if (bandwidth === undefined || bandwidth === 'median') return [medianDistance(a, c)];
    return typeof bandwidth === 'number' ? [bandwidth] : bandwidth;
  };
  const k = kernel === 'gaussian' ? gaussian(widths()) : polynomial;
  const meanWithin = (set: Tensor): Tensor => {
    const n = set.shape[0]!;
    const sum = sumOfPairs((rows, all, i) => (unbiased ? besides(i, k(rows, all), 0) : k(rows, all)), [set, set]);
    return div(sum, unbiased ? n * (n - 1) : n * n) as Tensor;
  };
  const between = div(sumOfPairs(k, [a, c]), a.shape[0]! * c.shape[0]!);
  return sub(add(meanWithin(a), meanWithin(c)), mul(2, between)) as Score;
};
