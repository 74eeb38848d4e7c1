/** This library: samplers whose model is the U-Net. */
import { arange, cast, flip, type Tensor, take } from 'tenfold';
import {
  denoiser,
  discreteProcess,
  dpmSolverMultistep,
  gaussianDiffusion,
  type Levels,
  levelsAt,
  type Model,
  pSampleLoop,
  sample,
} from 'tenfold/diffusion';
import { partsOfDdpm, partsOfDpm, type Samplers } from '../library.js';
import { betasOf, dpmTimesteps } from '../networks/schedule.js';
import { unet } from '../networks/unet.js';
import { unetOps } from './tenfold-networks.js';

type T = Tensor;

/** The network as a model: it knows timesteps by the rows of a table. */
export const modelOf =
  (params: readonly T[], table: T): Model =>
  (x, t) =>
    unet(unetOps, params, x, take(table, t as Tensor<readonly number[], 'int32'>) as T);

/** The levels of DPM-Solver++; what the network is shown of them is the row of the table. */
const dpmLevels = (steps: number): Levels => {
  const betas = betasOf(1000);
  const levels = levelsAt(discreteProcess(gaussianDiffusion(betas)), dpmTimesteps(steps));
  return { ...levels, time: cast(arange(steps + 1), 'float64') as T };
};

export const samplers: Samplers<T> = {
  unetDdpm: (...inputs) => {
    const { x, noise, times, params } = partsOfDdpm(inputs);
    // Rows of times are in the order of the steps, the first of which is at the highest timestep.
    const model = modelOf(params, flip(times, 0) as T);
    return [pSampleLoop(gaussianDiffusion(betasOf(times.shape[0]!)), model, x, { noise }) as T];
  },
  unetDpm: (...inputs) => {
    const { x, times, params } = partsOfDpm(inputs);
    const model = modelOf(params, times);
    const network = denoiser((at, row) => model(at, cast(row, 'int32') as T, null));
    return [sample(dpmSolverMultistep(), network, dpmLevels(times.shape[0]!), x) as T];
  },
};
