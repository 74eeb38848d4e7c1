/** How values are computed: on how many threads, and with which instructions. */
import { setDeterministicCode, setWinogradPlans } from './backend/wasm/features.js';
import { mostThreads } from './backend/wasm/threads/control.js';
import { threads } from './backend/wasm/wasm.js';
import { kindOf } from './ops/common/checks.js';
import { checkArgument } from './shape.js';

/** What {@link threadInfo} tells. */
export interface ThreadInfo {
  /** On how many threads a program runs that is worth it: what {@link setThreads} sets. */
  readonly threads: number;
  /** How many of them are there now. The others start when the first such program runs. */
  readonly ready: number;
  /** Whether values are in memory that threads can share. */
  readonly shared: boolean;
  /** Why there can be one thread only; null where there can be more. */
  readonly reason: string | null;
}

/**
 * Sets how many threads compute, the one that calls included. The default is what the platform can run at the same time,
 * at most 8. Workers start when a program is worth it, and keep no script from ending. Results have the same bits with any
 * number of threads.
 *
 * There is one thread where threads can share no memory: in a page that is not cross-origin isolated, or after workers have
 * failed. {@link threadInfo} says so.
 *
 * @param count from 1 to 64
 * @throws ArgumentError when it is no integer in that range
 * @example
 * ```js
 * import { setThreads, threadInfo } from 'tenfold';
 * setThreads(1);
 * threadInfo().threads; // => 1
 * setThreads(2);
 * setThreads(0); // throws ArgumentError
 * ```
 */
export const setThreads = (count: number): void => {
  checkArgument(
    Number.isInteger(count) && count >= 1 && count <= mostThreads,
    'setThreads',
    typeof count === 'number' ? `${count}` : kindOf(count),
    `the number of threads is an integer from 1 to ${mostThreads}`,
    'Write setThreads(1) to compute without workers.',
  );
  threads().pool.resize(count);
};

/**
 * On how many threads programs run.
 *
 * @returns a frozen record
 * @example
 * ```js
 * import { threadInfo } from 'tenfold';
 * const { threads, reason } = threadInfo();
 * threads === 1 || reason === null; // => true
 * ```
 */
export const threadInfo = (): ThreadInfo => {
  const { pool, shared } = threads();
  return Object.freeze({ threads: pool.threads, ready: pool.ready, shared, reason: pool.reason });
};

/**
 * Whether to compute only with instructions that give the same bits on every processor: without fused multiply-add, which
 * float32 products and elementary functions use where the platform has it, and which makes them faster and a little more
 * precise. Otherwise bits differ only where JavaScript's `Math` is asked, as for the sine of a huge angle.
 *
 * It holds for everything that is computed from then on; what was compiled before is compiled again when it runs next.
 *
 * @example
 * ```js
 * import { exp, setDeterministic, tensor } from 'tenfold';
 * setDeterministic(true);
 * exp(tensor(0)).item(); // => 1
 * setDeterministic(false);
 * ```
 */
export const setDeterministic = (flag: boolean): void => {
  checkSetting('setDeterministic', flag);
  setDeterministicCode(flag);
};

/**
 * Whether convolutions of images with 3×3 kernels may be computed by minimal algorithms, which take a half to a quarter of the
 * multiplications: those in float32 without strides or dilation, with 16 channels and more, whose results have an even height and width,
 * and their gradients. It is so from the start.
 *
 * Results are then computed in tiles of 4×4 or 2×2. Rounding errors are 3 to 8 times those of the sums with the former, some 10⁻⁶ of the
 * magnitudes that are added up, and about the same with the latter. But they are relative to the largest sum of a tile: a result beside far
 * larger ones has errors of their size, and an infinity or NaN makes all results of a tile that sees it NaN. Where that matters, say no.
 *
 * It holds for everything that is computed from then on; what was compiled before is compiled again when it runs next.
 *
 * Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308.
 *
 * @throws ArgumentError for what is neither true nor false
 * @example
 * ```js
 * import { conv2d, ones, setWinograd } from 'tenfold';
 * setWinograd(false);
 * conv2d(ones([1, 16, 6, 6]), ones([16, 16, 3, 3])).dataSync()[0]; // => 144
 * setWinograd(true);
 * ```
 */
export const setWinograd = (flag: boolean): void => {
  checkSetting('setWinograd', flag);
  setWinogradPlans(flag);
};

const checkSetting = (name: string, flag: unknown): void =>
  checkArgument(typeof flag === 'boolean', name, kindOf(flag), 'the setting is true or false', `Write ${name}(true).`);
