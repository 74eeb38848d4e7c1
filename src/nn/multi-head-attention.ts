/** Attention with several heads, of a sequence to itself or to another. */
import { normal, uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import * as joining from '../tensor/ops/movement/joining.js';
import { broadcastTo, reshape, swapAxes, transpose } from '../tensor/ops/movement/movement.js';
import { checkInteger, type Shape, sameShape, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Only } from '../tensor/types/known.js';
import { attentionInBlocks, usualBlock } from './attention-blocks.js';
import { type AttentionMasks, attentionWeights, checkMask, maskOf, widened } from './attention-masks.js';
import { checkRate, dropped, keyIn } from './dropout.js';
import type { Context, Layer } from './layer.js';
import { type LinearParams, linear } from './linear.js';
import { inputOf, parameter } from './normalisation.js';

/** Options of {@link multiHeadAttention}. */
export interface MultiHeadAttentionOptions {
  /** Whether vectors are added to queries, keys, values and results. Default true. */
  readonly bias?: boolean;
  /** Length of the last axis of the keys; `size` if left out. With it or valueSize there are three weights instead of one. */
  readonly keySize?: number;
  /** Length of the last axis of the values; `size` if left out. */
  readonly valueSize?: number;
  /** Whether there is one more key with its value, both learnt, that every query sees, whatever the masks say. Default false. */
  readonly addBiasKv?: boolean;
  /** Whether behind all others there is a key of zeros with a value of zeros, which every query sees as well. Default false. */
  readonly addZeroAttn?: boolean;
  /** The share of the weights that is dropped where there is a key. Default 0. */
  readonly dropout?: number;
  /** How many queries are answered at a time: longer sequences take a loop, whose memory does not grow with the square of the
   * length. Default 256. */
  readonly blockSize?: number;
}

/**
 * Parameters of {@link multiHeadAttention}, as in PyTorch: `inProjWeight` [3 · size, size] makes queries, keys and values, or
 * `qProjWeight`, `kProjWeight` and `vProjWeight` [size, …] do, if they have sizes of their own; `inProjBias` [3 · size]; with
 * `addBiasKv` the key `biasK` and the value `biasV` [1, 1, size]; and `outProj`, a linear layer from all heads to the result.
 */
export type MultiHeadAttentionParams<Options = Record<never, never>> = (Options extends
  | { readonly keySize: number }
  | { readonly valueSize: number }
  ? { readonly qProjWeight: Tensor; readonly kProjWeight: Tensor; readonly vProjWeight: Tensor }
  : { readonly inProjWeight: Tensor }) &
  (Options extends { readonly addBiasKv: true } ? { readonly biasK: Tensor; readonly biasV: Tensor } : unknown) &
  (Options extends { readonly bias: false }
    ? { readonly outProj: LinearParams<number, number, false> }
    : { readonly inProjBias: Tensor; readonly outProj: LinearParams });

/** What {@link multiHeadAttention} may be given beside the queries: where they attend to, and a key for dropout. */
export interface AttentionInputs extends AttentionMasks, Context {
  /** […, keys, keySize]; the queries themselves if left out. */
  readonly keys?: Tensor | undefined;
  /** […, keys, valueSize]; the keys if left out. */
  readonly values?: Tensor | undefined;
}

/** A layer of attention, which can also tell its weights. */
export interface MultiHeadAttention<P> extends Layer<P, readonly [x: Tensor, inputs?: AttentionInputs]> {
  /** The result, and the weights of all heads, […, heads, queries, keys], keys that the layer adds being the last. */
  readonly withWeights: (
    params: P,
    x: Tensor,
    inputs?: AttentionInputs,
  ) => { readonly y: Tensor; readonly weights: Tensor };
}

interface AnyParams {
  readonly inProjWeight: Tensor;
  readonly qProjWeight: Tensor;
  readonly kProjWeight: Tensor;
  readonly vProjWeight: Tensor;
  readonly inProjBias: Tensor;
  readonly biasK: Tensor;
  readonly biasV: Tensor;
  readonly outProj: LinearParams;
}

type Three = readonly [Tensor, Tensor, Tensor];

const operation = 'multiHeadAttention';

const thirds = (x: Tensor, axis: number): Three => joining.split(x, 3, { axis }) as unknown as Three;

/** Queries, keys and values as they are given, checked. */
const given = (x: Tensor, { keys, values }: AttentionInputs, sizes: readonly [number, number, number]): Three => {
  const queries = inputOf(operation, x, [sizes[0]]);
  const k = inputOf(operation, keys ?? x, [sizes[1]]);
  const v = inputOf(operation, values ?? keys ?? x, [sizes[2]]);
  const lead = (y: Tensor): Shape => y.shape.slice(0, -2);
  if (
    queries.shape.length < 2 ||
    !sameShape(lead(k), lead(queries)) ||
    !sameShape(k.shape.slice(0, -1), v.shape.slice(0, -1))
  ) {
    throw new ShapeError({
      operation,
      given: `${showAval(queries)}, keys ${showAval(k)} and values ${showAval(v)}`,
      rule: 'they are […, queries, size], […, keys, size] and […, keys, size], with one value for each key',
      hint: 'Put a missing axis of examples in with expandDims.',
    });
  }
  return [queries, k, v];
};

/**
 * Attention with several heads: queries, keys and values are linear functions of their inputs, cut into heads, each of which
 * attends for itself; what they find is put side by side and goes through one more linear layer (Vaswani et al. 2017,
 * arXiv:1706.03762, section 3.2.2). A query that may attend to no key gets zeros from its heads.
 *
 * `apply(params, x)` attends from x to itself, `apply(params, x, { keys })` to another sequence; `mask`, `keyMask` and `causal`
 * say what is seen. Queries beyond `blockSize` are answered in a loop, so that memory does not grow with the square of their
 * number; with dropout or `withWeights` it does. `withWeights` gives the weights too; `mean(weights, { axis: -3 })` is their average over the heads.
 *
 * @param size length of the last axis of x and y
 * @param heads how many there are; their number divides the size
 * @param options `keySize`, `valueSize`, `bias: false`, `addBiasKv` for one more key and value that are learnt, `addZeroAttn` for
 *   one of zeros, `dropout` of weights, `blockSize` (256)
 * @returns a layer with `withWeights`; x is […, queries, size], as is y
 * @throws IndexError when a size is no positive integer, ArgumentError when the heads do not divide the size and for a wrong or
 *   unknown option; applied, ShapeError when the tensors or masks do not fit together or the parameters do not, DTypeError for
 *   masks of integers and for uint8
 * @numpy flax.linen.MultiHeadDotProductAttention
 * @pytorch torch.nn.MultiheadAttention
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { multiHeadAttention } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = multiHeadAttention(8, 2);
 * const params = layer.init(key(0));
 * const [x, memory] = [zeros([3, 5, 8]), zeros([3, 7, 8])];
 * layer.apply(params, x, { causal: true }).shape; // => [3, 5, 8]
 * layer.withWeights(params, x, { keys: memory }).weights.shape; // => [3, 2, 5, 7]
 * ```
 */
export const multiHeadAttention = <
  const Options extends Only<MultiHeadAttentionOptions, Options> = Record<never, never>,
>(
  size: number,
  heads: number,
  options?: Options,
): MultiHeadAttention<MultiHeadAttentionParams<Options>> => {
  checkOptions(
    operation,
    ['bias', 'keySize', 'valueSize', 'addBiasKv', 'addZeroAttn', 'dropout', 'blockSize'],
    options,
  );
  const {
    bias = true,
    keySize,
    valueSize,
    addBiasKv = false,
    addZeroAttn = false,
    dropout = 0,
    blockSize = usualBlock,
  } = (options ?? {}) as MultiHeadAttentionOptions;
  checkInteger(operation, 'the size', size, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of heads', heads, 1, Number.MAX_SAFE_INTEGER);
  for (const each of [keySize, valueSize]) {
    if (each !== undefined) checkInteger(operation, 'the size', each, 1, Number.MAX_SAFE_INTEGER);
  }
  checkInteger(operation, 'the size of blocks', blockSize, 1, Number.MAX_SAFE_INTEGER);
  checkFlag(operation, 'bias', bias);
  checkFlag(operation, 'addBiasKv', addBiasKv);
  checkFlag(operation, 'addZeroAttn', addZeroAttn);
  checkRate(operation, dropout);
  if (size % heads !== 0) {
    throw new ArgumentError({
      operation,
      given: `${heads} heads of the size ${size}`,
      rule: 'the heads have equal parts of the size',
      hint: 'Give a number of heads that divides the size.',
    });
  }
  const sizes = [size, keySize ?? size, valueSize ?? size] as const;
  const isSeparate = keySize !== undefined || valueSize !== undefined;
  const outProj = linear(size, size, { bias });
  const separate = ['qProjWeight', 'kProjWeight', 'vProjWeight'] as const;
  /** Keys that are no places of a sequence. */
  const more = Number(addBiasKv) + Number(addZeroAttn);

  /** What is given, times the weights, with the biases. */
  const projected = (params: AnyParams, [q, k, v]: Three, isSelf: boolean): Three => {
    const offset = bias ? parameter(operation, params, 'inProjBias', [3 * size]) : undefined;
    if (isSelf && !isSeparate) {
      // One product for all three.
      const y = matmul(q, transpose(parameter(operation, params, 'inProjWeight', [3 * size, size]))) as Tensor;
      return thirds(offset === undefined ? y : (add(y, offset) as Tensor), -1);
    }
    const weights = isSeparate
      ? separate.map((name, i) => parameter(operation, params, name, [size, sizes[i]!]))
      : thirds(parameter(operation, params, 'inProjWeight', [3 * size, size]), 0);
    const offsets = offset === undefined ? undefined : thirds(offset, 0);
    return [q, k, v].map((x, i) => {
      const y = matmul(x, transpose(weights[i]!)) as Tensor;
      return offsets === undefined ? y : (add(y, offsets[i]!) as Tensor);
    }) as unknown as Three;
  };
  /** Keys or values with those that the layer adds. */
  const withMore = (params: AnyParams, x: Tensor, name: 'biasK' | 'biasV'): Tensor => {
    const shape = [...x.shape.slice(0, -2), 1, size];
    const added = [
      ...(addBiasKv ? [broadcastTo(reshape(parameter(operation, params, name, [1, 1, size]), [1, size]), shape)] : []),
      ...(addZeroAttn ? [zeros(shape, { dtype: x.dtype })] : []),
    ];
    return more === 0 ? x : (joining.concat([x, ...added], { axis: -2 }) as Tensor);
  };
  const toHeads = (x: Tensor): Tensor =>
    swapAxes(reshape(x, [...x.shape.slice(0, -1), heads, size / heads]), -3, -2) as Tensor;
  const fromHeads = (x: Tensor): Tensor => {
    const y = swapAxes(x, -3, -2) as Tensor;
    return reshape(y, [...y.shape.slice(0, -2), size]) as Tensor;
  };

  const attended = (params: AnyParams, x: Tensor, inputs: AttentionInputs, wantsWeights: boolean) => {
    checkOptions(operation, ['keys', 'values', 'mask', 'keyMask', 'causal', 'key'], inputs);
    const { causal = false } = inputs;
    checkFlag(operation, 'causal', causal);
    const key = keyIn(operation, inputs);
    const all = given(x, inputs, sizes);
    const [lead, queries, keys] = [all[0].shape.slice(0, -2), all[0].shape.at(-2)!, all[1].shape.at(-2)!];
    checkMask(operation, 'mask', inputs.mask, [...lead, heads, queries, keys]);
    checkMask(operation, 'keyMask', inputs.keyMask, [...lead, keys]);
    const isSelf = inputs.keys === undefined && inputs.values === undefined;
    const [from, to, found] = projected(params, all, isSelf);
    const three = [from, withMore(params, to, 'biasK'), withMore(params, found, 'biasV')] as const;
    const [q, k, v] = three.map(toHeads) as unknown as Three;
    const seen = { mask: widened(maskOf(inputs), keys, more), causal, more };
    if (!wantsWeights && (key === undefined || dropout === 0)) {
      const y = fromHeads(attentionInBlocks([q, k, v], seen, blockSize));
      return { y: outProj.apply(params.outProj, y) as Tensor };
    }
    const weights = dropped(attentionWeights(q, k, seen), dropout, key);
    return { y: outProj.apply(params.outProj, fromHeads(matmul(weights, v) as Tensor)) as Tensor, weights };
  };

  return Object.freeze({
    init: (key: Key): AnyParams => {
      const [forQ, forK, forV, forOut, ...forMore] = split(key, addBiasKv ? 6 : 4) as readonly [Key, Key, Key, Key];
      // Xavier's uniform distribution, of the one weight or of each of the three.
      const draw = (each: Key, rows: number, columns: number): Tensor => {
        const bound = Math.sqrt(6 / (rows + columns));
        return uniform(each, [rows, columns], { low: -bound, high: bound });
      };
      const weights = isSeparate
        ? Object.fromEntries(separate.map((name, i) => [name, draw([forQ, forK, forV][i]!, size, sizes[i]!)]))
        : { inProjWeight: draw(forQ, 3 * size, size) };
      const out = outProj.init(forOut) as LinearParams;
      // Xavier's normal distribution, as PyTorch counts [1, 1, size].
      const drawMore = (i: number): Tensor => mul(normal(forMore[i]!, [1, 1, size]), 1 / Math.sqrt(size)) as Tensor;
      return Object.freeze({
        ...weights,
        ...(bias ? { inProjBias: zeros([3 * size]) } : {}),
        ...(addBiasKv ? { biasK: drawMore(0), biasV: drawMore(1) } : {}),
        outProj: Object.freeze(bias ? { weight: out.weight, bias: zeros([size]) } : out),
      }) as unknown as AnyParams;
    },
    apply: (params: AnyParams, x: Tensor, inputs: AttentionInputs = {}): Tensor => attended(params, x, inputs, false).y,
    withWeights: (params: AnyParams, x: Tensor, inputs: AttentionInputs = {}) =>
      Object.freeze(attended(params, x, inputs, true)),
  }) as never;
};
