/** The encoder half of guided-diffusion's U-Net, as a classifier. */
import { type Key, split } from '../../random/key.js';
import { ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { relu } from '../../tensor/ops/elementwise/rectifiers.js';
import { concat } from '../../tensor/ops/movement/joining.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { mean } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, checkInteger, range, showAval } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Path } from '../../tree/tree.js';
import type { ConvParams } from '../conv.js';
import { keyIn } from '../dropout.js';
import { groupNorm } from '../group-norm.js';
import type { Layer } from '../layer.js';
import { type LinearParams, linear } from '../linear.js';
import { checkContext, checkParams, checkTimes, pictureOf } from '../model-checks.js';
import type { AffineParams } from '../normalisation.js';
import { skeletonOf } from '../skeleton.js';
import { type AttentionPoolParams, attentionPool } from './attention-block.js';
import { headsOf, type Plan, planOf, type UnetBaseOptions } from './options.js';
import { convOf, normGroups } from './parts.js';
import { stateNames } from './state-names.js';
import { keysFor, type Trunk, type TrunkParams, timeLayers, trunkOf } from './trunk.js';

/** How {@link unetEncoder} makes a vector of a picture. */
export type UnetPool = 'adaptive' | 'attention' | 'spatial' | 'spatial_v2';

/** Options of {@link unetEncoder}: those of guided-diffusion's EncoderUNetModel in camel case. */
export interface UnetEncoderOptions extends UnetBaseOptions {
  /** Length of the spatial axes; the pool 'attention' needs it, and is for such pictures only. */
  readonly imageSize?: number;
  /** Default 'adaptive'. */
  readonly pool?: UnetPool;
}

/** Parameters of the last part of {@link unetEncoder}, by the pool. */
export type UnetHeadParams =
  | { readonly norm: AffineParams; readonly conv: ConvParams }
  | { readonly norm: AffineParams; readonly pool: AttentionPoolParams }
  | { readonly first: LinearParams; readonly last: LinearParams }
  | { readonly first: LinearParams; readonly norm: AffineParams; readonly last: LinearParams };

/** Parameters of {@link unetEncoder}. */
export interface UnetEncoderParams extends TrunkParams {
  readonly out: UnetHeadParams;
}

/** What {@link unetEncoder} is told beside the time. */
export interface UnetEncoderContext {
  /** In training, what elements are dropped by; nothing is dropped without it. */
  readonly key?: Key;
}

/** A {@link unetEncoder}: `apply(params, x, t, { key })`, and guided-diffusion's names of its parameters. */
export interface UnetEncoder
  extends Layer<UnetEncoderParams, readonly [x: Tensor, t: Tensor, context?: UnetEncoderContext]> {
  /** guided-diffusion's name of the parameter at a path. */
  readonly stateName: (path: Path) => string;
}

/** From what each stage gives, the last one's at the end, to [N, outChannels]. */
interface Head {
  readonly init: (key: Key) => UnetHeadParams;
  readonly apply: (params: never, results: readonly Tensor[]) => Tensor;
  /** guided-diffusion's places of its layers. */
  readonly places: Readonly<Record<string, number>>;
}

/** The mean of each channel. */
const means = (x: Tensor): Tensor => mean(x, { axis: range(x.shape.length).slice(2) }) as Tensor;

const adaptiveHead = (plan: Plan, channels: number): Head => {
  const norm = groupNorm(normGroups, channels);
  const conv = convOf(plan.dims, channels, plan.outChannels, 1, { init: 'zeros' });
  const ones = range(plan.dims).map(() => 1);
  return {
    places: { norm: 0, conv: 3 },
    init: key => Object.freeze({ norm: norm.init(key), conv: conv.init(key) }),
    apply: (params: { readonly norm: AffineParams; readonly conv: ConvParams }, results) => {
      const pooled = means(silu(norm.apply(params.norm, results.at(-1)!)) as Tensor);
      const y = conv.apply(params.conv, reshape(pooled, [...pooled.shape, ...ones]) as Tensor);
      return reshape(y, y.shape.slice(0, 2)) as Tensor;
    },
  };
};

const attentionHead = (plan: Plan, channels: number, imageSize: number): Head => {
  const norm = groupNorm(normGroups, channels);
  const heads = headsOf('unetEncoder', channels, plan);
  const places = Math.trunc(imageSize / 2 ** (plan.channels.length - 1)) ** plan.dims;
  const pool = attentionPool({ places, channels, heads, outputs: plan.outChannels });
  return {
    places: { norm: 0, pool: 2 },
    init: key => Object.freeze({ norm: norm.init(key), pool: pool.init(key) }),
    apply: (params: { readonly norm: AffineParams; readonly pool: AttentionPoolParams }, results) =>
      pool.apply(params.pool, silu(norm.apply(params.norm, results.at(-1)!)) as Tensor),
  };
};

/** As a number, for what a type says of parameters. */
const hidden: number = 2048;

const spatialHead = (plan: Plan, features: number, normalises: boolean): Head => {
  const [first, last] = [linear(features, hidden), linear(hidden, plan.outChannels)];
  const norm = groupNorm(normGroups, hidden);
  return {
    places: normalises ? { first: 0, norm: 1, last: 3 } : { first: 0, last: 2 },
    init: key => {
      const [a, b] = split(key, 2) as readonly [Key, Key];
      const own = normalises ? { norm: norm.init(key) } : {};
      return Object.freeze({ first: first.init(a), ...own, last: last.init(b) });
    },
    apply: (
      params: { readonly first: LinearParams; readonly norm?: AffineParams; readonly last: LinearParams },
      results,
    ) => {
      const all = first.apply(params.first, concat(results.map(means), { axis: 1 }) as Tensor) as Tensor;
      const inner = normalises ? silu(norm.apply(params.norm!, all)) : relu(all);
      return last.apply(params.last, inner as Tensor) as Tensor;
    },
  };
};

const headOf = (pool: UnetPool, plan: Plan, { widths }: Trunk, imageSize: number | undefined): Head => {
  const channels = widths.at(-1)!;
  if (pool === 'adaptive') return adaptiveHead(plan, channels);
  if (pool === 'attention') return attentionHead(plan, channels, imageSize!);
  return spatialHead(
    plan,
    widths.reduce((sum, width) => sum + width, channels),
    pool === 'spatial_v2',
  );
};

/** Refuses options that do not go with the pool. */
const checkPool = (pool: unknown, plan: Plan, imageSize: number | undefined): void => {
  const pools = ['adaptive', 'attention', 'spatial', 'spatial_v2'];
  checkArgument(
    pools.includes(pool as string),
    'unetEncoder',
    `${kindOf(pool)} as pool`,
    `the pools are ${pools.join(', ')}`,
    "Leave it out for 'adaptive'.",
  );
  if (imageSize !== undefined) checkInteger('unetEncoder', 'imageSize', imageSize, 1, 2 ** 31 - 1);
  if (pool !== 'attention') return;
  const factor = 2 ** (plan.channels.length - 1);
  checkArgument(
    imageSize !== undefined && imageSize % factor === 0 && plan.numHeadChannels !== undefined && plan.dims !== 3,
    'unetEncoder',
    `the pool 'attention' with imageSize ${imageSize}, numHeadChannels ${plan.numHeadChannels}, dims ${plan.dims}`,
    `it takes pictures of one size, a multiple of ${factor}, with 1 or 2 spatial axes, and numHeadChannels for its heads`,
    'Write { pool: "attention", imageSize: 64, numHeadChannels: 64, … }.',
  );
};

/**
 * The way down of {@link unet} and its middle, then a vector for each example: guided-diffusion's EncoderUNetModel, by which it
 * classifies noisy pictures (Dhariwal, Nichol 2021, arXiv:2105.05233, section 4). All its options, with its defaults.
 *
 * `pool`: 'adaptive' is the mean of each channel, then a matrix that starts at 0; 'attention' the mean attending to all places;
 * 'spatial' and 'spatial_v2' have two layers, with 2048 elements between, after the means of all channels of all stages.
 *
 * @param options those of {@link unet} but classes and heads on the way up; `pool`, and `imageSize`, which 'attention' needs
 * @returns a layer; `apply(params, x, t, { key })` takes x [N, inChannels, …] and t [N], and gives [N, outChannels]
 * @throws IndexError for numbers out of range, ArgumentError for wrong and unknown options; applied, ShapeError when x, t or the
 *   parameters have other shapes, DTypeError for uint8
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { unetEncoder } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const classifier = unetEncoder({
 *   inChannels: 3,
 *   modelChannels: 32,
 *   outChannels: 10,
 *   numResBlocks: 1,
 *   attentionResolutions: [2],
 *   channelMult: [1, 1],
 * });
 * classifier.apply(classifier.init(key(0)), zeros([2, 3, 8, 8]), tensor([5, 9])).shape; // => [2, 10]
 * ```
 */
export const unetEncoder = (options: UnetEncoderOptions): UnetEncoder => {
  const plan = planOf('unetEncoder', options, ['imageSize', 'pool']);
  const { imageSize, pool = 'adaptive' } = options;
  checkPool(pool, plan, imageSize);
  const trunk = trunkOf('unetEncoder', plan);
  const time = timeLayers(plan.modelChannels);
  const head = headOf(pool, plan, trunk, imageSize);
  const init = (key: Key): UnetEncoderParams => {
    const [forTime, down, middle, last] = split(key, 4) as readonly [Key, Key, Key, Key];
    const keys = split(down, trunk.inputs.length);
    return Object.freeze({
      timeEmbed: time.init(forTime),
      inputBlocks: Object.freeze(trunk.inputs.map((one, i) => one.init(keys[i]!))),
      middleBlock: trunk.middle.init(middle),
      out: head.init(last),
    });
  };
  const like = skeletonOf('unetEncoder', init);
  // A mean of two elements needs two; a convolution pads.
  const least = plan.resblockUpdown || !plan.convResample ? 2 ** (plan.channels.length - 1) : 1;
  const fits = (lengths: readonly number[]): boolean =>
    pool === 'attention' ? lengths.every(each => each === imageSize) : lengths.every(each => each >= least);
  return Object.freeze({
    init,
    stateName: stateNames(head.places),
    apply: (params: UnetEncoderParams, x: Tensor, t: Tensor, context: UnetEncoderContext = {}): Tensor => {
      const picture = pictureOf('unetEncoder', x, plan);
      if (!fits(picture.shape.slice(2))) {
        throw new ShapeError({
          operation: 'unetEncoder',
          given: `${showAval(picture)} as x`,
          rule: pool === 'attention' ? `spatial axes have length ${imageSize}` : `they have length ${least} at least`,
          hint: "Resize the pictures; the pool 'adaptive' is for all sizes.",
        });
      }
      checkTimes('unetEncoder', t, picture.shape[0]!);
      checkContext('unetEncoder', ['key'], context);
      checkParams('unetEncoder', like, params);
      const keys = keysFor(keyIn('unetEncoder', context) ?? null, trunk.inputs.length + 1);
      const told = time.apply(params.timeEmbed, t);
      const results: Tensor[] = [];
      for (const [i, input] of trunk.inputs.entries()) {
        results.push(input.apply(params.inputBlocks[i]!, results.at(-1) ?? picture, told, keys[i]!));
      }
      results.push(trunk.middle.apply(params.middleBlock, results.at(-1)!, told, keys.at(-1)!));
      return head.apply(params.out as never, results);
    },
  });
};
