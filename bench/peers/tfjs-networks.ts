/** TensorFlow.js: the networks, and training steps of them. Images have their channels last. */
import * as tf from '@tensorflow/tfjs-core';
import { adamOptions, epsilon, type NetworkSteps, partsOfStep, partsOfUnetStep, unbias } from '../library.js';
import { heads, sequence, type TransformerOps, transformer } from '../networks/transformer.js';
import { type UnetOps, unet, unetGroups } from '../networks/unet.js';

type T = tf.Tensor;

export const normalise = (x: T): T => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
};

export const silu = (x: T): T => tf.mul(x, tf.sigmoid(x));

export const update = (p: T, g: T, m: T, v: T): [p: T, m: T, v: T] => {
  const { rate, beta1, beta2, epsilon } = adamOptions;
  const first = tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1));
  const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2));
  const root = tf.add(tf.sqrt(tf.mul(second, unbias.second)), epsilon);
  return [tf.sub(p, tf.div(tf.mul(first, rate * unbias.first), root)), first, second];
};

/** The loss, and parameters and moments after a step of Adam. */
export const stepOf = (
  loss: (params: readonly T[]) => tf.Scalar,
  {
    params,
    first,
    second,
  }: { readonly params: readonly T[]; readonly first: readonly T[]; readonly second: readonly T[] },
): readonly T[] => {
  const { value, grads } = tf.valueAndGrads((...given: T[]) => loss(given))([...params]);
  const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
  return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
};

/** Of rows of one 1 and zeros. */
export const crossEntropyOf = (logits: T, y: T): tf.Scalar =>
  tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), -1)));

export const unetOps: UnetOps<T> = {
  again: x => x,
  add: (x, y) => tf.add(x, y),
  silu,
  conv: (x, kernel, bias, stride) => {
    // Padding the way of other libraries: 1 on all sides, also with a stride of 2.
    const y = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, stride, (kernel.shape[0]! - 1) / 2);
    return tf.add(y, bias);
  },
  // Whatever is the same for all places is computed beforehand.
  norm: (x, gain, shift) => {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const groups = tf.reshape(x, [n, h * w, unetGroups, c / unetGroups]);
    const perChannel = (t: T): T => tf.reshape(t, [1, 1, unetGroups, c / unetGroups]);
    const { mean, variance } = tf.moments(groups, [1, 3], true);
    const scale = tf.mul(tf.rsqrt(tf.add(variance, epsilon)), perChannel(gain));
    return tf.reshape(tf.add(tf.mul(groups, scale), tf.sub(perChannel(shift), tf.mul(mean, scale))), x.shape);
  },
  addDense: (image, x, weight, bias) => {
    const told = tf.add(tf.matMul(x, weight), bias);
    return tf.add(image, tf.reshape(told, [told.shape[0]!, 1, 1, told.shape[1]!]));
  },
  upsample: x => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * x.shape[1]!, 2 * x.shape[2]!]),
};

/** Rows of tokens as [sequences, heads, tokens, features]. */
const apart = (x: T): T => tf.transpose(tf.reshape(x, [-1, sequence, heads, x.shape[1]! / heads]), [0, 2, 1, 3]);

const transformerOps: TransformerOps<T> = {
  again: x => x,
  add: (x, y) => tf.add(x, y),
  relu: x => tf.relu(x),
  dense: (x, weight, bias) => tf.add(tf.matMul(x, weight), bias),
  embed: (x, table, places) => {
    const width = table.shape[1]!;
    const told = tf.reshape(tf.matMul(x, table), [-1, sequence, width]);
    return tf.reshape(tf.add(told, places), [-1, width]);
  },
  norm: (x, gain, shift) => tf.add(tf.mul(normalise(x), gain), shift),
  attend: (queries, keys, values) => {
    const scores = tf.matMul(apart(queries), apart(keys), false, true);
    const weights = tf.softmax(tf.mul(scores, 1 / Math.sqrt(queries.shape[1]! / heads)), -1);
    return tf.reshape(tf.transpose(tf.matMul(weights, apart(values)), [0, 2, 1, 3]), queries.shape);
  },
};

export const networkSteps: NetworkSteps<T> = {
  unetStep: (...inputs) => {
    const { x, y, time, ...state } = partsOfUnetStep(inputs);
    return stepOf(params => tf.mean(tf.squaredDifference(unet(unetOps, params, x, time), y)), state);
  },
  transformerStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(transformer(transformerOps, params, x), y), state);
  },
};
