/** This library: samplers whose model is the U-Net. */
import { add, broadcastTo, flip, fold, mul, sub, type Tensor, take } from 'tenfold';
import { gaussianDiffusion, type Model, pSampleLoop } from 'tenfold/diffusion';
import { partsOfDdpm, partsOfDpm, type Samplers } from '../library.js';
import { betasOf } from '../networks/schedule.js';
import { unet } from '../networks/unet.js';
import { unetOps } from './tenfold-networks.js';

type T = Tensor;

/** The network as a model: it knows timesteps by the rows of a table. */
export const modelOf =
  (params: readonly T[], table: T): Model =>
  (x, t) =>
    unet(unetOps, params, x, take(table, t as Tensor<readonly number[], 'int32'>) as T);

interface DpmState {
  readonly x: T;
  /** The x₀ of the step before. */
  readonly start: T;
}

/** The loop of DPM-Solver++(2M): coefficients are computed beforehand. */
const dpmLoop = (epsilon: (x: T, time: T) => T, x: T, coefficients: T, times: T): T => {
  const step = ({ x, start: before }: DpmState, { c, time }: { readonly c: T; readonly time: T }): DpmState => {
    const at = (i: number): T => take(c, i) as T;
    const start = sub(mul(x, at(0)), mul(epsilon(x, time), at(1))) as T;
    return { x: add(add(mul(x, at(2)), mul(start, at(3))), mul(before, at(4))) as T, start };
  };
  return fold(step)({ x, start: x }, { c: coefficients, time: times }).x;
};

export const samplers: Samplers<T> = {
  unetDdpm: (...inputs) => {
    const { x, noise, times, params } = partsOfDdpm(inputs);
    // Rows of times are in the order of the steps, the first of which is at the highest timestep.
    const model = modelOf(params, flip(times, 0) as T);
    return [pSampleLoop(gaussianDiffusion(betasOf(times.shape[0]!)), model, x, { noise }) as T];
  },
  unetDpm: (...inputs) => {
    const { x, coefficients, times, params } = partsOfDpm(inputs);
    const told = (time: T): T => broadcastTo(time, [x.shape[0]!, time.shape[0]!]) as T;
    return [dpmLoop((at, time) => unet(unetOps, params, at, told(time)), x, coefficients, times)];
  },
};
