/** The U-Net of guided-diffusion. */
import { type Key, split } from '../../random/key.js';
import { ShapeError } from '../../tensor/errors.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { add } from '../../tensor/ops/elementwise/arithmetic.js';
import { concat } from '../../tensor/ops/movement/joining.js';
import { checkArgument, checkInteger, showAval } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Path } from '../../tree/tree.js';
import type { ConvParams } from '../conv.js';
import { keyIn } from '../dropout.js';
import { type EmbeddingParams, embedding } from '../embedding.js';
import { groupNorm } from '../group-norm.js';
import type { Layer } from '../layer.js';
import { checkClasses, checkContext, checkParams, checkTimes, pictureOf } from '../model-checks.js';
import type { AffineParams } from '../normalisation.js';
import { skeletonOf } from '../skeleton.js';
import { stage } from './blocks.js';
import { type Plan, planOf, type UnetBaseOptions } from './options.js';
import { convOf, normGroups, type Told } from './parts.js';
import { stateNames } from './state-names.js';
import { blocksOf, keysFor, type StageParams, type TrunkParams, timeLayers, trunkOf } from './trunk.js';

/** Options of {@link unet}: those of guided-diffusion's UNetModel in camel case. */
export interface UnetOptions extends UnetBaseOptions {
  /** Length of the spatial axes, where it is known: whether they can be halved as often as needed is seen early. */
  readonly imageSize?: number;
  /** How many classes y is from; none if left out. */
  readonly numClasses?: number;
  /** Heads of attention on the way up; as many as elsewhere if left out. */
  readonly numHeadsUpsample?: number;
}

/** Parameters of {@link unet}. */
export interface UnetParams extends TrunkParams {
  /** A row for each class; null where there are none. */
  readonly labelEmb: EmbeddingParams | null;
  readonly outputBlocks: readonly StageParams[];
  readonly out: { readonly norm: AffineParams; readonly conv: ConvParams };
}

/** What {@link unet} is told beside the time. */
export interface UnetContext {
  /** A class for each example, [N], where the model has classes. */
  readonly y?: Tensor;
  /** In training, what elements are dropped by; nothing is dropped without it. */
  readonly key?: Key;
}

/** A {@link unet}: `apply(params, x, t, { y, key })`, and guided-diffusion's names of its parameters. */
export interface Unet extends Layer<UnetParams, readonly [x: Tensor, t: Tensor, context?: UnetContext]> {
  /** guided-diffusion's name of the parameter at a path. */
  readonly stateName: (path: Path) => string;
}

/** The way up: what came down at each resolution, in the opposite order, joins what comes from below. */
const upOf = (plan: Plan, widths: readonly number[], numHeads: number): readonly Told<StageParams>[] => {
  const { residual, attention, resample } = blocksOf('unet', plan);
  const waiting = [...widths];
  let width = widths.at(-1)!;
  return [...plan.channels.entries()].reverse().flatMap(([level, outputs]) =>
    Array.from({ length: plan.numResBlocks + 1 }, (_, i) => {
      const joined = residual(width + waiting.pop()!, outputs);
      width = outputs;
      return stage([
        joined,
        ...(plan.attentionResolutions.includes(2 ** level) ? [attention(outputs, numHeads)] : []),
        ...(level > 0 && i === plan.numResBlocks ? [resample(outputs, 'up')] : []),
      ]);
    }),
  );
};

/**
 * The U-Net of guided-diffusion (Dhariwal, Nichol 2021, arXiv:2105.05233): residual blocks at lower and lower resolutions and
 * back, told the time and a class, with attention at some of them; what was at a resolution on the way down is beside what comes
 * up. All options of its UNetModel, with its defaults; checkpoints of it load with {@link loadStateDict}.
 *
 * Channels are normalised in 32 groups, so those at every resolution are a multiple of 32. The last convolution of each block, and
 * of all, starts at 0. Parameters of float64 make it compute in float64.
 *
 * @param options `inChannels`, `modelChannels`, `outChannels`, `numResBlocks`, `attentionResolutions` (factors by which the
 *   resolution is lower where there is attention), and what may be left out, see {@link UnetOptions}
 * @returns a layer; `apply(params, x, t, { y, key })` takes x [N, inChannels, …], t [N], of classes y [N], and gives
 *   [N, outChannels, …]; with a key elements are dropped as `dropout` says
 * @throws IndexError for numbers out of range, ArgumentError for wrong and unknown options; applied, ShapeError when x, t, y or the
 *   parameters have other shapes, or the resolution cannot be halved, ArgumentError for y without classes, DTypeError for uint8
 * @numpy —
 * @pytorch diffusers.UNet2DModel
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { unet } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = unet({
 *   inChannels: 1,
 *   modelChannels: 32,
 *   outChannels: 2,
 *   numResBlocks: 1,
 *   attentionResolutions: [2],
 *   channelMult: [1, 1],
 *   numClasses: 10,
 * });
 * const params = model.init(key(0));
 * const y = tensor([7, 3], { dtype: 'int32' });
 * model.apply(params, zeros([2, 1, 8, 8]), tensor([5, 9]), { y }).shape; // => [2, 2, 8, 8]
 * model.stateName(['inputBlocks', 1, 0, 'inConv', 'weight']); // => 'input_blocks.1.0.in_layers.2.weight'
 * ```
 */
export const unet = (options: UnetOptions): Unet => {
  const plan = planOf('unet', options, ['imageSize', 'numClasses', 'numHeadsUpsample']);
  const { imageSize, numClasses, numHeadsUpsample = plan.numHeads } = options;
  const factor = 2 ** (plan.channels.length - 1);
  if (numClasses !== undefined) checkInteger('unet', 'numClasses', numClasses, 1, 2 ** 31 - 1);
  checkInteger('unet', 'numHeadsUpsample', numHeadsUpsample, 1, 2 ** 31 - 1);
  if (imageSize !== undefined) {
    checkInteger('unet', 'imageSize', imageSize, 1, 2 ** 31 - 1);
    checkArgument(
      imageSize % factor === 0,
      'unet',
      `imageSize ${imageSize} with ${plan.channels.length} resolutions`,
      `it is a multiple of ${factor}`,
      'Use fewer resolutions, or pad the pictures.',
    );
  }
  const trunk = trunkOf('unet', plan);
  const outputs = upOf(plan, trunk.widths, numHeadsUpsample);
  const time = timeLayers(plan.modelChannels);
  const labels = numClasses === undefined ? null : embedding(numClasses, 4 * plan.modelChannels);
  const norm = groupNorm(normGroups, plan.channels[0]!);
  const conv = convOf(plan.dims, plan.channels[0]!, plan.outChannels, 3, { init: 'zeros' });
  const init = (key: Key): UnetParams => {
    const [forTime, forLabels, down, middle, up, last] = split(key, 6) as readonly [Key, Key, Key, Key, Key, Key];
    const each = (stages: readonly Told<StageParams>[], of: Key): readonly StageParams[] => {
      const keys = split(of, stages.length);
      return Object.freeze(stages.map((one, i) => one.init(keys[i]!)));
    };
    return Object.freeze({
      timeEmbed: time.init(forTime),
      labelEmb: labels === null ? null : labels.init(forLabels),
      inputBlocks: each(trunk.inputs, down),
      middleBlock: trunk.middle.init(middle),
      outputBlocks: each(outputs, up),
      out: Object.freeze({ norm: norm.init(last), conv: conv.init(last) }),
    });
  };
  const like = skeletonOf('unet', init);
  return Object.freeze({
    init,
    stateName: stateNames({ norm: 0, conv: 2 }),
    apply: (params: UnetParams, x: Tensor, t: Tensor, context: UnetContext = {}): Tensor => {
      const picture = pictureOf('unet', x, plan);
      const halved = picture.shape.slice(plan.dims === 3 ? 3 : 2);
      if (halved.some(length => length === 0 || length % factor !== 0)) {
        throw new ShapeError({
          operation: 'unet',
          given: `${showAval(picture)} as x`,
          rule: `the axes that are halved at ${plan.channels.length} resolutions are multiples of ${factor}`,
          hint: 'Use fewer resolutions, or pad the pictures.',
        });
      }
      checkTimes('unet', t, picture.shape[0]!);
      checkContext('unet', ['y', 'key'], context);
      const { y } = context;
      checkClasses('unet', y, picture.shape[0]!, numClasses);
      checkParams('unet', like, params);
      const keys = keysFor(keyIn('unet', context) ?? null, trunk.inputs.length + outputs.length + 1);
      const alone = time.apply(params.timeEmbed, t);
      const told = labels === null ? alone : (add(alone, labels.apply(params.labelEmb!, y!) as Tensor) as Tensor);
      const down: Tensor[] = [];
      for (const [i, input] of trunk.inputs.entries()) {
        down.push(input.apply(params.inputBlocks[i]!, down.at(-1) ?? picture, told, keys[i]!));
      }
      const bottom = trunk.middle.apply(params.middleBlock, down.at(-1)!, told, keys.at(-1)!);
      const top = outputs.reduce((h, output, i) => {
        const beside = concat([h, down[down.length - 1 - i]!], { axis: 1 }) as Tensor;
        return output.apply(params.outputBlocks[i]!, beside, told, keys[down.length + i]!);
      }, bottom);
      return conv.apply(params.out.conv, silu(norm.apply(params.out.norm, top)) as Tensor);
    },
  });
};
