/** The diffusion transformer. */
import { bernoulli, normal } from '../../random/draw.js';
import { type Key, split } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { ShapeError } from '../../tensor/errors.js';
import { matmul } from '../../tensor/ops/contraction/contraction.js';
import { zeros } from '../../tensor/ops/creation/creation.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { where } from '../../tensor/ops/elementwise/comparison.js';
import { reshape, transpose } from '../../tensor/ops/movement/movement.js';
import { range, showAval } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkpoint } from '../../tensor/transform/checkpoint.js';
import type { Path } from '../../tree/tree.js';
import type { ConvParams } from '../conv.js';
import { keyIn } from '../dropout.js';
import { type EmbeddingParams, embedding } from '../embedding.js';
import { xavierUniform } from '../initializers.js';
import type { Layer } from '../layer.js';
import { type LinearParams, linear } from '../linear.js';
import { checkClasses, checkContext, checkParams, checkTimes, pictureOf } from '../model-checks.js';
import { skeletonOf } from '../skeleton.js';
import { timestepEmbedding } from '../timestep-embedding.js';
import { type DitBlockParams, type DitFinalParams, ditBlock, ditFinal } from './blocks.js';
import { type DitOptions, ditPlanOf } from './options.js';
import { positions, toPatches } from './patches.js';

/** Parameters of {@link dit}. */
export interface DitParams {
  /** From a patch, [hiddenSize, inChannels, patchSize, patchSize], to its vector. */
  readonly xEmbedder: ConvParams;
  readonly tEmbedder: { readonly first: LinearParams; readonly last: LinearParams };
  /** A row for each class, and one for none; null where there are no classes. */
  readonly yEmbedder: EmbeddingParams | null;
  readonly blocks: readonly DitBlockParams[];
  readonly finalLayer: DitFinalParams;
}

/** What {@link dit} is told beside the time. */
export interface DitContext {
  /** A class for each example, [N], where the model has classes; `numClasses` stands for none. */
  readonly y?: Tensor;
  /** In training, what classes are left out by; none is without it. */
  readonly key?: Key;
}

/** A {@link dit}: `apply(params, x, t, { y, key })`, and facebookresearch/DiT's names of its parameters. */
export interface Dit extends Layer<DitParams, readonly [x: Tensor, t: Tensor, context?: DitContext]> {
  /** DiT's name of the parameter at a path. */
  readonly stateName: (path: Path) => string;
  /** The positions, which DiT saves beside the parameters. */
  readonly stateConstants: () => Readonly<Record<string, Tensor>>;
}

const steps: Readonly<Record<string, string>> = {
  xEmbedder: 'x_embedder.proj',
  tEmbedder: 't_embedder.mlp',
  yEmbedder: 'y_embedder.embedding_table',
  finalLayer: 'final_layer',
  adaLn: 'adaLN_modulation.1',
  first: '0',
  last: '2',
};

const stateName = (path: Path): string => path.map(step => steps[step] ?? String(step)).join('.');

/** Sines of the time. */
const frequencySize: number = 256;

/** As the paper draws the embeddings. */
const drawn = (key: Key, shape: readonly number[]): Tensor => mul(normal(key, shape), 0.02) as Tensor;

/**
 * The diffusion transformer (Peebles, Xie 2023, arXiv:2212.09748), with adaLN-Zero: a picture is cut into patches, whose vectors,
 * with sines of their places added, attend to each other; each block's normalisation is scaled and shifted by what time and class
 * say, and its result scaled by a gate that starts at 0. So does the last layer: the result starts as 0. Checkpoints of
 * facebookresearch/DiT load with {@link loadStateDict}. Parameters of float64 make it compute in float64.
 *
 * | | blocks | vectors | heads | parameters with patches of 2 |
 * | --- | --- | --- | --- | --- |
 * | DiT-S | 12 | 384 | 6 | 33 million |
 * | DiT-B | 12 | 768 | 12 | 130 million |
 * | DiT-L | 24 | 1024 | 16 | 458 million |
 * | DiT-XL | 28 | 1152 | 16 | 675 million |
 *
 * @param options a `name` such as 'DiT-B/4', of which the number is the length of a patch, or `depth`, `hiddenSize`, `numHeads` and
 *   `patchSize`; `inputSize` (32), `inChannels` (4), `mlpRatio` (4), `numClasses`, `classDropoutProb` (0.1), `learnSigma` (true),
 *   `checkpointing`
 * @returns a layer; `apply(params, x, t, { y, key })` takes x [N, inChannels, inputSize, inputSize], t [N], of classes y [N], and
 *   gives [N, inChannels or twice as many, inputSize, inputSize]; with a key classes are left out as `classDropoutProb` says
 * @throws IndexError for numbers out of range, ArgumentError for wrong and unknown options; applied, ShapeError when x, t, y or the
 *   parameters have other shapes, ArgumentError for y without classes, DTypeError for uint8
 * @numpy —
 * @pytorch diffusers.DiTTransformer2DModel
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { dit } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = dit({ depth: 2, hiddenSize: 16, numHeads: 2, patchSize: 2, inputSize: 8, inChannels: 1, numClasses: 10 });
 * const params = model.init(key(0));
 * const y = tensor([7, 10], { dtype: 'int32' }); // the second of none
 * model.apply(params, zeros([2, 1, 8, 8]), tensor([5, 9]), { y }).shape; // => [2, 2, 8, 8]
 * model.stateName(['blocks', 1, 'adaLn', 'weight']); // => 'blocks.1.adaLN_modulation.1.weight'
 * ```
 */
export const dit = (options: DitOptions = {}): Dit => {
  const plan = ditPlanOf(options);
  const { depth, hiddenSize, patchSize, inputSize, inChannels, numClasses, classDropoutProb } = plan;
  const patchLength = inChannels * patchSize * patchSize;
  const [first, last] = [linear(frequencySize, hiddenSize), linear(hiddenSize, hiddenSize)];
  const rows = numClasses === undefined ? 0 : numClasses + (classDropoutProb > 0 ? 1 : 0);
  const labels = numClasses === undefined ? null : embedding(rows, hiddenSize);
  const block = ditBlock(plan);
  const final = ditFinal(plan);
  const through = plan.checkpointing ? checkpoint(block.apply) : block.apply;
  const init = (key: Key): DitParams => {
    const [forX, forT, forY, forBlocks] = split(key, 4) as readonly [Key, Key, Key, Key];
    const [forFirst, forLast] = split(forT, 2) as readonly [Key, Key];
    const kernel = xavierUniform(forX, [hiddenSize, patchLength]) as Tensor;
    return Object.freeze({
      xEmbedder: Object.freeze({
        weight: reshape(kernel, [hiddenSize, inChannels, patchSize, patchSize]) as Tensor,
        bias: zeros([hiddenSize]) as Tensor,
      }),
      tEmbedder: Object.freeze({
        first: Object.freeze({ weight: drawn(forFirst, [hiddenSize, frequencySize]), bias: zeros([hiddenSize]) }),
        last: Object.freeze({ weight: drawn(forLast, [hiddenSize, hiddenSize]), bias: zeros([hiddenSize]) }),
      }) as DitParams['tEmbedder'],
      yEmbedder: labels === null ? null : Object.freeze({ weight: drawn(forY, [rows, hiddenSize]) }),
      blocks: Object.freeze(split(forBlocks, depth).map(each => block.init(each))),
      finalLayer: final.init(key),
    });
  };
  const like = skeletonOf('dit', init);
  /** The class of each example, some of them none. */
  const leftOut = (y: Tensor, key: Key | null): Tensor => {
    const classes = cast(y, 'int32') as Tensor;
    if (key === null || classDropoutProb === 0) return classes;
    return where(bernoulli(key, classDropoutProb, y.shape), numClasses!, classes) as Tensor;
  };
  return Object.freeze({
    init,
    stateName,
    stateConstants: () => Object.freeze({ pos_embed: positions(hiddenSize, plan.grid, 'float32') }),
    apply: (params: DitParams, x: Tensor, t: Tensor, context: DitContext = {}): Tensor => {
      const picture = pictureOf('dit', x, { inChannels, dims: 2 });
      if (picture.shape.slice(2).some(length => length !== inputSize)) {
        throw new ShapeError({
          operation: 'dit',
          given: `${showAval(picture)} as x`,
          rule: `height and width are ${inputSize}, for which the model has been made`,
          hint: 'Make it with another inputSize; the parameters are the same.',
        });
      }
      const n = picture.shape[0]!;
      checkTimes('dit', t, n);
      checkContext('dit', ['y', 'key'], context);
      const { y } = context;
      checkClasses('dit', y, n, numClasses);
      checkParams('dit', like, params);
      const dropKey = keyIn('dit', context) ?? null;
      const { weight, bias } = params.xEmbedder;
      const dtype = weight.dtype as FloatDType;
      const kernel = transpose(reshape(weight, [hiddenSize, patchLength]) as Tensor) as Tensor;
      const vectors = add(matmul(toPatches(picture, patchSize), kernel), bias) as Tensor;
      const placed = add(vectors, positions(hiddenSize, plan.grid, dtype)) as Tensor;
      const waves = timestepEmbedding(t, frequencySize, { dtype });
      const time = last.apply(
        params.tEmbedder.last,
        silu(first.apply(params.tEmbedder.first, waves) as Tensor),
      ) as Tensor;
      const told =
        labels === null ? time : (add(time, labels.apply(params.yEmbedder!, leftOut(y!, dropKey)) as Tensor) as Tensor);
      const end = range(depth).reduce((h, i) => through(params.blocks[i]!, h, told), placed);
      return final.apply(params.finalLayer, end, told);
    },
  });
};
