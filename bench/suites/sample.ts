/**
 * Sampling with the digits U-Net: this library's samplers, against the same loops written by hand in others, and against nothing
 * but the calls of the model.
 */
import { broadcastTo, fold, jit, realize, type Tensor, tensor } from 'tenfold';
import { type Input, uniform } from '../inputs.js';
import type { Library, SamplerName } from '../library.js';
import { type Case, measure } from '../measure.js';
import { unetCosts } from '../networks/costs.js';
import { ddpmRows, ddpmTimesteps, dpmRows, dpmTimesteps, timeRows } from '../networks/schedule.js';
import { type UnetSizes, unetParams } from '../networks/unet.js';
import { jax } from '../peers/jax.js';
import { tenfold, tenfoldOnTwo } from '../peers/tenfold.js';
import { modelOf } from '../peers/tenfold-samplers.js';
import { tfjsWasm } from '../peers/tfjs-wasm.js';
import { modelImpl, ownImpl, ownOnTwo, type Row, rowOf } from '../row.js';
import { type Suite, settle } from './suite.js';
import { quickerTarget, shareTarget } from './targets.js';

const suite = 'sample';

const sizes: UnetSizes = { batch: 16, channels: 1, size: 8, width: 32, embedding: 64 };
const images = [sizes.batch, sizes.channels, sizes.size, sizes.size];
const params = (): readonly Input[] => unetParams(sizes, 10);

/** √3 either way has the variance of standard normal noise. */
const noise = (seed: number, shape: readonly number[]): Input => uniform(seed, shape, -Math.sqrt(3), Math.sqrt(3));

interface Sampler {
  readonly name: string;
  readonly program: SamplerName;
  readonly steps: number;
  /** How many steps the others make: their runs count as if they made all. */
  readonly fewer: number;
  readonly timesteps: (steps: number) => readonly number[];
  readonly inputs: (steps: number) => readonly Input[];
}

const times = (timesteps: readonly number[]): Input => timeRows(timesteps, sizes.embedding);

const samplers: readonly Sampler[] = [
  {
    name: `DDPM, 1000 steps, batch ${sizes.batch}`,
    program: 'unetDdpm',
    steps: 1000,
    fewer: 20,
    timesteps: ddpmTimesteps,
    inputs: steps => [
      noise(0, images),
      noise(1, [steps, ...images]),
      ddpmRows(steps),
      times(ddpmTimesteps(steps)),
      ...params(),
    ],
  },
  {
    name: `DPM-Solver++(2M), 20 steps, batch ${sizes.batch}`,
    program: 'unetDpm',
    steps: 20,
    fewer: 20,
    timesteps: dpmTimesteps,
    inputs: steps => [noise(0, images), dpmRows(steps), times(dpmTimesteps(steps)), ...params()],
  },
];

/** A library's loop: of all steps, or of fewer. What is compared is always a loop of fewer, with a schedule of its own. */
const looping = (library: Library, sampler: Sampler, steps: number): Case['runners'][number] => {
  const { name: impl, threads, enter } = library;
  const { program, inputs, fewer } = sampler;
  return {
    impl,
    threads,
    make: async () => {
      await enter();
      const whole = await library.prepare(program, inputs(steps), true);
      const short = steps === fewer ? whole : await library.prepare(program, inputs(fewer), true);
      const note = steps === sampler.steps ? {} : { note: `${steps} steps × ${sampler.steps / steps}` };
      return {
        impl,
        threads,
        enter: async () => {
          await enter();
          if (threads > 1) await settle(short.compute);
        },
        run: whole.compute,
        output: short.read,
        repeats: steps / sampler.steps,
        close: async () => {
          await whole.dispose();
          if (short !== whole) await short.dispose();
        },
        ...note,
      };
    },
  };
};

/** As many calls of the model, each fed with what the last one gave. */
const modelOnly = ({ steps, timesteps }: Sampler): Case['runners'][number] => ({
  impl: modelImpl,
  make: async () => {
    await tenfold.enter();
    const asTensor = ({ values, shape }: Input): Tensor => tensor(values, shape) as Tensor;
    const [x, table, ...weights] = realize([noise(0, images), times(timesteps(steps)), ...params()].map(asTensor));
    const indices = realize(
      tensor(
        Array.from({ length: steps }, (_, i) => i),
        { dtype: 'int32' },
      ) as Tensor,
    );
    const f = jit((start: Tensor, rows: Tensor, at: Tensor, ...given: readonly Tensor[]): Tensor => {
      const model = modelOf(given, rows);
      return fold((y: Tensor, i: Tensor) => model(y, broadcastTo(i, [y.shape[0]!]) as Tensor, null))(start, at);
    });
    return {
      impl: modelImpl,
      threads: 1,
      enter: tenfold.enter,
      run: () => void realize(f(x!, table!, indices, ...weights)),
    };
  },
});

const caseOf = (sampler: Sampler): Case => ({
  name: sampler.name,
  // Steps add up what differs in the last digits.
  tolerance: 1e-3,
  // Runs of a loop take seconds, of this library too.
  once: 6,
  flops: sampler.steps * unetCosts(sizes).forward,
  runners: [
    looping(tenfold, sampler, sampler.steps),
    modelOnly(sampler),
    looping(tenfoldOnTwo, sampler, sampler.steps),
    ...[tfjsWasm, jax].map(peer => looping(peer, sampler, sampler.fewer)),
  ],
});

const withRate = (row: Row): Row => {
  if (row.ms === null) return row;
  const rate = `${((1000 * sizes.batch) / row.ms).toPrecision(3)} images/s`;
  return { ...row, note: row.note === undefined ? rate : `${rate}, ${row.note}` };
};

export const sample: Suite = {
  about: 'sampling with a U-Net',
  run: async (effort, report) => {
    const rows = await measure(suite, samplers.map(caseOf), effort, some => report(some.map(withRate)));
    return rows.map(withRate);
  },
  targets: rows =>
    samplers.flatMap(({ name }) => [
      ...[ownImpl, ownOnTwo].map(own => quickerTarget(suite, rows, name, 5, own)),
      shareTarget(
        { suite, what: `${name}, time outside the model`, goal: '≤ 3 %', atMost: 0.03 },
        rowOf(rows, name, ownImpl),
        rowOf(rows, name, modelImpl),
      ),
    ]),
};
