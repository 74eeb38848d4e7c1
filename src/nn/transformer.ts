/** Layers of transformers: attention and a small network for each place, with residual connections and normalisation. */
import { type Key, split } from '../random/key.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { gelu } from '../tensor/ops/elementwise/activation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { relu } from '../tensor/ops/elementwise/rectifiers.js';
import { checkInteger, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttentionMasks } from './attention-masks.js';
import { checkRate, dropped, keyIn } from './dropout.js';
import type { Context, Layer } from './layer.js';
import { type LayerNormParams, layerNorm } from './layer-norm.js';
import { type LinearParams, linear } from './linear.js';
import { type MultiHeadAttentionParams, multiHeadAttention } from './multi-head-attention.js';
import { checkNormOptions, inputOf } from './normalisation.js';

/** Options of {@link transformerEncoderLayer} and {@link transformerDecoderLayer}. */
export interface TransformerLayerOptions {
  /** How many hidden elements the network of each place has. Default 2048. */
  readonly feedForward?: number;
  /** Between its two layers: a name, or a function of a tensor. Default `'relu'`. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** The share of what each part gives that is dropped where there is a key. Default 0.1. */
  readonly dropout?: number;
  /** Whether the input of each part is normalised (Xiong et al. 2020, arXiv:2002.04745), and not its output. Default false. */
  readonly normFirst?: boolean;
  /** Added to variances. Default 1e-5. */
  readonly epsilon?: number;
}

/** Parameters of {@link transformerEncoderLayer}. */
export interface TransformerEncoderLayerParams {
  readonly selfAttn: MultiHeadAttentionParams;
  readonly linear1: LinearParams;
  readonly linear2: LinearParams;
  readonly norm1: LayerNormParams;
  readonly norm2: LayerNormParams;
}

/** Parameters of {@link transformerDecoderLayer}. */
export interface TransformerDecoderLayerParams extends TransformerEncoderLayerParams {
  readonly multiheadAttn: MultiHeadAttentionParams;
  readonly norm3: LayerNormParams;
}

/** What {@link transformerEncoderLayer} may be given beside x: what is seen, and a key for dropout. */
export interface TransformerInputs extends AttentionMasks, Context {}

/** What {@link transformerDecoderLayer} may be given beside x and the memory. */
export interface TransformerDecoderInputs extends TransformerInputs {
  /** As `mask`, for the memory. */
  readonly memoryMask?: Tensor | undefined;
  /** As `keyMask`, for the memory. */
  readonly memoryKeyMask?: Tensor | undefined;
}

/** Places with vectors of the layer's size. */
const placesOf = (operation: string, x: unknown, size: number): Tensor => {
  const floats = inputOf(operation, x, [size]);
  if (floats.shape.length > 1) return floats;
  throw new ShapeError({
    operation,
    given: showAval(x as Tensor),
    rule: `x is […, places, ${size}]`,
    hint: 'Put a missing axis in with expandDims.',
  });
};

type Part = (x: Tensor, key: Key | undefined) => Tensor;

/** What both layers have in common. */
const partsOf = (operation: string, size: number, heads: number, options: TransformerLayerOptions | undefined) => {
  const names = ['feedForward', 'activation', 'dropout', 'normFirst', 'epsilon'];
  checkNormOptions(operation, names, options as object | undefined);
  const { feedForward = 2048, activation = 'relu', dropout = 0.1, normFirst = false, epsilon = 1e-5 } = options ?? {};
  checkInteger(operation, 'the size', size, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of heads', heads, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of hidden elements', feedForward, 1, Number.MAX_SAFE_INTEGER);
  checkRate(operation, dropout);
  checkFlag(operation, 'normFirst', normFirst);
  const named: Readonly<Record<string, (x: Tensor) => Tensor>> = { relu, gelu: x => gelu(x) as Tensor };
  const f = typeof activation === 'function' ? activation : Object.hasOwn(named, activation) && named[activation];
  if (typeof f !== 'function' || size % heads !== 0) {
    throw new ArgumentError({
      operation,
      given: typeof f === 'function' ? `${heads} heads of the size ${size}` : `${kindOf(activation)} as activation`,
      rule:
        typeof f === 'function'
          ? 'the heads have equal parts of the size'
          : "the activation is 'relu', 'gelu' or a function of a tensor",
      hint:
        typeof f === 'function'
          ? 'Give a number of heads that divides the size.'
          : "Write { activation: 'gelu' } or { activation: silu }.",
    });
  }
  const attend = multiHeadAttention(size, heads, { dropout });
  const [linear1, linear2] = [linear(size, feedForward), linear(feedForward, size)];
  const norm = layerNorm(size, { epsilon });
  return {
    attend,
    init: (key: Key): TransformerEncoderLayerParams => {
      const [first, second, third] = split(key, 3) as readonly [Key, Key, Key];
      return {
        selfAttn: attend.init(first),
        linear1: linear1.init(second) as LinearParams,
        linear2: linear2.init(third) as LinearParams,
        norm1: norm.init(key),
        norm2: norm.init(key),
      };
    },
    normInit: (key: Key): LayerNormParams => norm.init(key),
    network:
      (params: TransformerEncoderLayerParams): Part =>
      (x, key) => {
        const hidden = f(linear1.apply(params.linear1 as never, x as never) as Tensor);
        const inner = key === undefined ? undefined : (split(key, 2)[0] as Key);
        return linear2.apply(params.linear2 as never, dropped(hidden, dropout, inner) as never) as Tensor;
      },
    /** x with what a part makes of it added. */
    residual: (x: Tensor, params: LayerNormParams, part: Part, key: Key | undefined): Tensor => {
      const [inside, outside] = key === undefined ? [] : (split(key, 2) as readonly [Key, Key]);
      const normed = (y: Tensor): Tensor => norm.apply(params, y as never) as Tensor;
      const change = dropped(part(normFirst ? normed(x) : x, inside), dropout, outside);
      return normFirst ? (add(x, change) as Tensor) : normed(add(x, change) as Tensor);
    },
  };
};

/** A key for each of some parts; without a key none. */
const keysFor = (key: Key | undefined, count: number): readonly (Key | undefined)[] =>
  key === undefined ? [] : (split(key, count) as readonly Key[]);

/**
 * A layer of a transformer's encoder: self-attention, then a network of two linear layers for each place, both with a residual
 * connection and layer normalisation (Vaswani et al. 2017, arXiv:1706.03762, section 3.1).
 *
 * `apply(params, x, { mask, keyMask, causal, key })`; with `causal` it is a layer of a language model. It drops nothing without
 * a key.
 *
 * @param size length of the last axis of x and y
 * @param heads of the attention; their number divides the size
 * @param options `feedForward` (2048), `activation` (`'relu'`, `'gelu'`, a function), `dropout` (0.1), `normFirst` (false),
 *   `epsilon` (1e-5)
 * @returns a layer; x and y are […, places, size]
 * @throws IndexError when a size is no positive integer, ArgumentError when the heads do not divide the size and for a wrong or
 *   unknown option; applied, ShapeError when x, masks or parameters do not fit, DTypeError for masks of integers and for uint8
 * @numpy —
 * @pytorch torch.nn.TransformerEncoderLayer
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { transformerEncoderLayer } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = transformerEncoderLayer(8, 2, { feedForward: 32, activation: 'gelu', normFirst: true });
 * const params = layer.init(key(0));
 * layer.apply(params, zeros([3, 5, 8]), { causal: true }).shape; // => [3, 5, 8]
 * ```
 */
export const transformerEncoderLayer = (
  size: number,
  heads: number,
  options: TransformerLayerOptions = {},
): Layer<TransformerEncoderLayerParams, readonly [x: Tensor, inputs?: TransformerInputs]> => {
  const operation = 'transformerEncoderLayer';
  const { attend, init, network, residual } = partsOf(operation, size, heads, options);
  return Object.freeze({
    init: (key: Key) => Object.freeze(init(key)),
    apply: (params: TransformerEncoderLayerParams, x: Tensor, inputs: TransformerInputs = {}): Tensor => {
      checkOptions(operation, ['mask', 'keyMask', 'causal', 'key'], inputs);
      const { key, ...masks } = inputs;
      const [first, second] = keysFor(keyIn(operation, { key }), 2);
      const attending: Part = (y, k) => attend.apply(params?.selfAttn, y, { ...masks, key: k });
      const start = placesOf(operation, x, size);
      return residual(residual(start, params?.norm1, attending, first), params.norm2, network(params), second);
    },
  });
};

/**
 * A layer of a transformer's decoder: self-attention, attention to a memory (what the encoder gives), then a network of two
 * linear layers for each place, each with a residual connection and layer normalisation (Vaswani et al. 2017,
 * arXiv:1706.03762, section 3.1).
 *
 * `apply(params, x, memory, { mask, keyMask, causal, memoryMask, memoryKeyMask, key })`. It drops nothing without a key.
 *
 * @param size length of the last axis of x, memory and y
 * @param heads of the attention; their number divides the size
 * @param options as of {@link transformerEncoderLayer}
 * @returns a layer; x and y are […, places, size], the memory […, its places, size]
 * @throws as {@link transformerEncoderLayer}
 * @numpy —
 * @pytorch torch.nn.TransformerDecoderLayer
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { transformerDecoderLayer } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = transformerDecoderLayer(8, 2, { feedForward: 32 });
 * const params = layer.init(key(0));
 * layer.apply(params, zeros([3, 5, 8]), zeros([3, 7, 8]), { causal: true }).shape; // => [3, 5, 8]
 * ```
 */
export const transformerDecoderLayer = (
  size: number,
  heads: number,
  options: TransformerLayerOptions = {},
): Layer<TransformerDecoderLayerParams, readonly [x: Tensor, memory: Tensor, inputs?: TransformerDecoderInputs]> => {
  const operation = 'transformerDecoderLayer';
  const { attend, init, normInit, network, residual } = partsOf(operation, size, heads, options);
  return Object.freeze({
    init: (key: Key): TransformerDecoderLayerParams => {
      const [first, second] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({ ...init(first), multiheadAttn: attend.init(second), norm3: normInit(key) });
    },
    apply: (
      params: TransformerDecoderLayerParams,
      x: Tensor,
      memory: Tensor,
      inputs: TransformerDecoderInputs = {},
    ): Tensor => {
      checkOptions(operation, ['mask', 'keyMask', 'causal', 'memoryMask', 'memoryKeyMask', 'key'], inputs);
      const { key, memoryMask, memoryKeyMask, ...masks } = inputs;
      const [first, second, third] = keysFor(keyIn(operation, { key }), 3);
      const start = placesOf(operation, x, size);
      const known = placesOf(operation, memory, size);
      const toSelf: Part = (y, k) => attend.apply(params?.selfAttn, y, { ...masks, key: k });
      const toMemory: Part = (y, k) =>
        attend.apply(params.multiheadAttn, y, { keys: known, mask: memoryMask, keyMask: memoryKeyMask, key: k });
      const attended = residual(start, params?.norm1, toSelf, first);
      const informed = residual(attended, params.norm2, toMemory, second);
      return residual(informed, params.norm3, network(params), third);
    },
  });
};
