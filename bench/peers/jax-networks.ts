/** jax-js: the networks, and training steps of them. Functions own their arguments: see `jax.ts`. */
import { lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
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

type T = np.Array;

export const normalise = (x: T): T => nn.standardize(x, -1, { epsilon });

export const update = (p: T, g: T, m: T, v: T): [p: T, m: T, v: T] => {
  const { rate, beta1, beta2, epsilon } = adamOptions;
  const first = m.mul(beta1).add(g.ref.mul(1 - beta1));
  const second = v.mul(beta2).add(np.square(g).mul(1 - beta2));
  const root = np.sqrt(second.ref.mul(unbias.second)).add(epsilon);
  return [p.sub(first.ref.mul(rate * unbias.first).div(root)), first, second];
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
  const [value, grads] = valueAndGrad(loss)(params.map(p => p.ref)) as unknown as [T, T[]];
  const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
  return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
};

/** Of rows of one 1 and zeros. */
export const crossEntropyOf = (logits: T, y: T): T => np.mean(np.sum(nn.logSoftmax(logits, -1).mul(y), -1)).mul(-1);

const perChannel = (x: T): T => x.reshape([x.shape[0]!, 1, 1]);

export const unetOps: UnetOps<T> = {
  again: x => x.ref,
  add: (x, y) => x.add(y),
  silu: x => nn.silu(x),
  conv: (x, kernel, bias, stride) => {
    const padding = paddingOf(kernel.shape[3]!);
    const around: [number, number] = [padding, padding];
    return lax.convGeneralDilated(x, kernel, [stride, stride], [around, around]).add(perChannel(bias));
  },
  norm: (x, gain, shift) => {
    const shape = x.shape;
    const y = normalise(x.reshape([shape[0]!, unetGroups, -1])).reshape(shape);
    return y.mul(perChannel(gain)).add(perChannel(shift));
  },
  addDense: (image, x, weight, bias) => {
    const told = np.matmul(x, weight).add(bias);
    return image.add(told.reshape([...told.shape, 1, 1]));
  },
  upsample: x => np.repeat(np.repeat(x, 2, 2), 2, 3),
};

/** Rows of tokens as [sequences, heads, tokens, features]. */
const apart = (x: T): T => np.transpose(x.reshape([-1, sequence, heads, x.shape[1]! / heads]), [0, 2, 1, 3]);

const transformerOps: TransformerOps<T> = {
  again: x => x.ref,
  add: (x, y) => x.add(y),
  relu: x => nn.relu(x),
  dense: (x, weight, bias) => np.matmul(x, weight).add(bias),
  embed: (x, table, places) => {
    const width = table.shape[1]!;
    return np.matmul(x, table).reshape([-1, sequence, width]).add(places).reshape([-1, width]);
  },
  norm: (x, gain, shift) => normalise(x).mul(gain).add(shift),
  attend: (queries, keys, values) => {
    const shape = queries.shape;
    const scores = np.matmul(apart(queries), np.matrixTranspose(apart(keys)));
    const weights = nn.softmax(scores.mul(1 / Math.sqrt(shape[1]! / heads)), -1);
    return np.transpose(np.matmul(weights, apart(values)), [0, 2, 1, 3]).reshape(shape);
  },
};

export const networkSteps: NetworkSteps<T> = {
  unetStep: (...inputs) => {
    const { x, y, time, ...state } = partsOfUnetStep(inputs);
    return stepOf(params => np.mean(np.square(unet(unetOps, params, x, time).sub(y))), state);
  },
  transformerStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(transformer(transformerOps, params, x), y), state);
  },
};
