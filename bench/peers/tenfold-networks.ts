/** This library: the networks, and training steps of them. */
import {
  add,
  attention,
  conv2d,
  div,
  interpolate,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  permute,
  relu,
  reshape,
  rsqrt,
  silu,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  valueAndGrad,
  variance,
} from 'tenfold';
import { groupNorm } from 'tenfold/nn';
import {
  adamOptions,
  epsilon,
  type NetworkSteps,
  paddingOf,
  partsOfStep,
  partsOfUnetStep,
  unbias,
} from '../library.js';
import { heads, sequence, type TransformerOps, transformer } from '../networks/transformer.js';
import { type UnetOps, unet, unetGroups } from '../networks/unet.js';

type T = Tensor;

const alongRows = { axis: -1, keepDims: true } as const;

export const normalise = (x: T): T => mul(sub(x, mean(x, alongRows)), rsqrt(add(variance(x, alongRows), epsilon)));

export const update = (p: T, g: T, m: T, v: T): [p: T, m: T, v: T] => {
  const { rate, beta1, beta2, epsilon } = adamOptions;
  const first = add(mul(m, beta1), mul(g, 1 - beta1));
  const second = add(mul(v, beta2), mul(square(g), 1 - beta2));
  const root = add(sqrt(mul(second, unbias.second)), epsilon);
  return [sub(p, div(mul(first, rate * unbias.first), root)), first, second];
};

/** The loss, and parameters and moments after a step of Adam. */
export const stepOf = (
  loss: (params: readonly T[]) => T,
  {
    params,
    first,
    second,
  }: { readonly params: readonly T[]; readonly first: readonly T[]; readonly second: readonly T[] },
): readonly T[] => {
  const [value, grads] = valueAndGrad(loss)(params);
  const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
  return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
};

/** Of rows of one 1 and zeros. */
export const crossEntropyOf = (logits: T, y: T): T =>
  neg(mean(sum(mul(y, logSoftmax(logits, { axis: -1 })) as T, { axis: -1 }))) as T;

const perChannel = (bias: T): T => reshape(bias, [bias.shape[0]!, 1, 1]);

export const unetOps: UnetOps<T> = {
  again: x => x,
  add: (x, y) => add(x, y),
  silu: x => silu(x),
  conv: (x, kernel, bias, stride) =>
    add(conv2d(x, kernel, { stride, padding: paddingOf(kernel.shape[3]!) }), perChannel(bias)) as T,
  norm: (x, weight, bias) => groupNorm(unetGroups, x.shape[1]!).apply({ weight, bias }, x),
  addDense: (image, x, weight, bias) => {
    const told = add(matmul(x, weight), bias) as T;
    return add(image, reshape(told, [...told.shape, 1, 1])) as T;
  },
  upsample: x => interpolate(x, { scale: 2, mode: 'nearest' }) as T,
};

/** Rows of tokens as [sequences, heads, tokens, features]. */
const apart = (x: T): T => permute(reshape(x, [-1, sequence, heads, x.shape[1]! / heads]) as T, [0, 2, 1, 3]) as T;

const transformerOps: TransformerOps<T> = {
  again: x => x,
  add: (x, y) => add(x, y),
  relu: x => relu(x),
  dense: (x, weight, bias) => add(matmul(x, weight), bias) as T,
  embed: (x, table, places) => {
    const width = table.shape[1]!;
    const told = reshape(matmul(x, table) as T, [-1, sequence, width]) as T;
    return reshape(add(told, places) as T, [-1, width]) as T;
  },
  norm: (x, gain, shift) => add(mul(normalise(x), gain), shift) as T,
  attend: (queries, keys, values) => {
    const mixed = attention(apart(queries), apart(keys), apart(values)) as T;
    return reshape(permute(mixed, [0, 2, 1, 3]) as T, queries.shape) as T;
  },
};

export const networkSteps: NetworkSteps<T> = {
  unetStep: (...inputs) => {
    const { x, y, time, ...state } = partsOfUnetStep(inputs);
    return stepOf(params => mean(square(sub(unet(unetOps, params, x, time), y))), state);
  },
  transformerStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(transformer(transformerOps, params, x), y), state);
  },
};
