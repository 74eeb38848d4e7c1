/** jax-js: samplers whose model is the U-Net. It has no loops, so what is compiled is a step, the model in it. */
import { jit, numpy as np } from '@jax-js/jax';
import { partsOfDdpm, partsOfDpm, type Samplers } from '../library.js';
import { unet } from '../networks/unet.js';
import { unetOps } from './jax-networks.js';

type T = np.Array;

/** The row of a stack that belongs to a step. */
const rowOf = (stack: T, i: T): T => np.take(stack, i, 0);

/** The network's prediction; a step's row of times tells it where it is. */
const epsilonOf = (params: readonly T[], x: T, time: T): T => {
  const told = time.reshape([1, -1]);
  const epsilon = unet(unetOps, params, x, told.ref);
  told.dispose();
  return epsilon;
};

const ddpmStep = jit((i: T, x: T, noise: T, coefficients: T, times: T, ...params: T[]): T => {
  const c = rowOf(coefficients, i.ref);
  const at = (n: number): T => c.ref.slice(n);
  const epsilon = epsilonOf(params, x.ref, rowOf(times, i.ref));
  const start = np.clip(x.ref.mul(at(0)).sub(epsilon.mul(at(1))), -1, 1);
  return start
    .mul(at(2))
    .add(x.mul(at(3)))
    .add(rowOf(noise, i).mul(c.slice(4)));
});

const dpmStep = jit((i: T, x: T, before: T, coefficients: T, times: T, ...params: T[]): [T, T] => {
  const c = rowOf(coefficients, i.ref);
  const at = (n: number): T => c.ref.slice(n);
  const epsilon = epsilonOf(params, x.ref, rowOf(times, i));
  const start = x.ref.mul(at(0)).sub(epsilon.mul(at(1)));
  const next = x
    .mul(at(2))
    .add(start.ref.mul(at(3)))
    .add(before.mul(c.slice(4)));
  return [next, start];
});

/** All steps one by one; what is not carried along is dropped afterwards. */
const loop = <C>(start: C, stays: readonly T[], step: (at: C, i: T, stays: T[]) => C): C => {
  const steps = stays[0]!.shape[0]!;
  let at = start;
  for (let i = 0; i < steps; i++) {
    at = step(
      at,
      np.array(i, { dtype: np.int32 }),
      stays.map(each => each.ref),
    );
  }
  for (const each of stays) each.dispose();
  return at;
};

export const samplers: Samplers<T> = {
  unetDdpm: (...inputs) => {
    const { x, noise, coefficients, times, params } = partsOfDdpm(inputs);
    const stays = [noise, coefficients, times, ...params];
    return [loop(x, stays, (at, i, [zs, cs, ts, ...p]) => ddpmStep(i, at, zs!, cs!, ts!, ...p))];
  },
  unetDpm: (...inputs) => {
    const { x, coefficients, times, params } = partsOfDpm(inputs);
    const stays = [coefficients, times, ...params];
    const [y, start] = loop<[T, T]>([x, x.ref], stays, ([at, before], i, [cs, ts, ...p]) =>
      dpmStep(i, at, before, cs!, ts!, ...p),
    );
    start.dispose();
    return [y];
  },
};
