/**
 * The judge of what is drawn: a classifier of its own, trained here on real digits alone. It knows nothing of the
 * diffusion model, nor that of it.
 */
import {
  add,
  argmax,
  cast,
  concat,
  crossEntropy,
  type DType,
  equal,
  jit,
  mean,
  mul,
  pad,
  realize,
  relu,
  reshape,
  type Shape,
  slice,
  type Tensor,
  take,
  tensor,
  valueAndGrad,
} from 'tenfold';
import { shuffledIndices } from 'tenfold/data';
import { conv2d, linear } from 'tenfold/nn';
import { adamw, applyUpdates, warmupCosine } from 'tenfold/optim';
import { foldIn, type Key, normal, split } from 'tenfold/random';
import { type Labelled, numberIn, side } from './data.js';

const batch = 128;
const features = 64;
/** After the convolutions: 32 channels of 4 × 4. */
const flat = 512;

const layers = {
  first: conv2d(1, 16, 3, { padding: 1 }),
  second: conv2d(16, 32, 3, { padding: 1, stride: 2 }),
  hidden: linear(flat, features),
  out: linear(features, 10),
} as const;

const init = (key: Key) => {
  const [first, second, hidden, out] = split(key, 4) as readonly [Key, Key, Key, Key];
  return {
    first: layers.first.init(first),
    second: layers.second.init(second),
    hidden: layers.hidden.init(hidden),
    out: layers.out.init(out),
  };
};
type Params = ReturnType<typeof init>;

const featuresOf = (params: Params, images: Tensor): Tensor => {
  const first = relu(layers.first.apply(params.first, images as never) as Tensor);
  const second = relu(layers.second.apply(params.second, first as never) as Tensor);
  const rows = reshape(second, [images.shape[0]!, flat]) as Tensor;
  return relu(layers.hidden.apply(params.hidden, rows as never) as Tensor) as Tensor;
};
const logitsOf = (params: Params, images: Tensor): Tensor =>
  layers.out.apply(params.out, featuresOf(params, images) as never) as Tensor;

/** The images where they are, twice, and moved by a pixel to each of the four sides. */
const moved = ({ images, labels }: Labelled): Labelled => {
  const around = pad(
    images,
    [
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
    ],
    { value: -1 },
  ) as Tensor;
  const count = images.shape[0]!;
  const from = (y: number, x: number): Tensor => slice(around, [0, 0, y, x], [count, 1, y + side, x + side]) as Tensor;
  const places = [from(1, 1), from(1, 1), from(0, 1), from(2, 1), from(1, 0), from(1, 2)];
  return realize({ images: concat(places) as Tensor, labels: concat(places.map(() => labels)) as Tensor });
};

/** A trained classifier. */
export interface Classifier {
  /** What it sees in images, [N, 64]: the layer before the last. */
  readonly features: (images: Tensor) => Tensor;
  /** How many images it takes for the digits that they are said to be. */
  readonly right: (digits: Labelled) => Promise<number>;
}

/** Trains one; it is a function of the key, the digits and the number of steps. */
export const trainClassifier = async (key: Key, digits: Labelled, steps = 1200): Promise<Classifier> => {
  const [forParams, forOrder, forNoise] = split(key, 3) as readonly [Key, Key, Key];
  const { images, labels } = moved(digits);
  const optimizer = adamw(warmupCosine({ peak: 3e-3, warmup: Math.min(50, steps / 10), steps, end: 1e-5 }), {
    weightDecay: 0.01,
  });
  const first = init(forParams);
  const start = realize({
    params: first,
    memory: optimizer.init(first),
    step: tensor(0, { dtype: 'int32' }) as Tensor,
  });
  const step = jit((state: typeof start, rows: Tensor): typeof start => {
    const at = rows as Tensor<Shape, 'int32'>;
    const clean = take(images, at, { axis: 0 }) as Tensor;
    const noise = normal(foldIn(forNoise, state.step as Tensor<readonly [], 'int32'>), clean.shape);
    const x = add(clean, mul(noise, 0.1)) as Tensor;
    const y = take(labels, at, { axis: 0 }) as Tensor<readonly [number], 'int32'>;
    const loss = (params: Params) => crossEntropy(logitsOf(params, x) as never, y, { labelSmoothing: 0.05 });
    const [, gradient] = valueAndGrad(loss)(state.params);
    const [updates, memory] = optimizer.update(gradient, state.memory, state.params);
    return { params: applyUpdates(state.params, updates), memory, step: add(state.step, 1) as Tensor };
  });
  const rowsAt = shuffledIndices(forOrder, images.shape[0]!, Math.min(batch, images.shape[0]!));
  let state = start;
  for (let i = 0; i < steps; i++) {
    state = step(state, rowsAt(i));
    await numberIn(state.step as Tensor<Shape, DType>);
  }
  const { params } = state;
  return Object.freeze({
    features: (given: Tensor) => realize(featuresOf(params, given)),
    right: async ({ images: given, labels: said }: Labelled) => {
      const taken = argmax(logitsOf(params, given), { axis: 1 });
      const share = mean(cast(equal(taken, said), 'float32'));
      return Math.round((await numberIn(share as Tensor<Shape, DType>)) * given.shape[0]!);
    },
  });
};
