/** Small networks that learn a language of states, and speak it. */
import {
  concat,
  div,
  expandDims,
  flip,
  jit,
  mean,
  oneHot,
  reshape,
  silu,
  type Tensor,
  tensor,
  valueAndGrad,
} from 'tenfold';
import {
  ancestralStates,
  confidentStates,
  cosineBetas,
  type DiscreteModel,
  discreteDiffusion,
  discreteLosses,
  maskedDiffusion,
  maskedLosses,
  sampleDiscrete,
  stratifiedSampler,
} from 'tenfold/diffusion';
import { mlp } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { foldIn, type Key, key, randint, split } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const [half, letters, batch, steps] = [3, 4, 128, 600];
const places = 2 * half;

/** Sentences read the same from both ends. */
const sentences = (at: Key): Tensor => {
  const first = randint(at, [batch, half], 0, letters) as Tensor;
  return concat([first, flip(first, 1)], { axis: 1 }) as Tensor;
};
const share = (x: Tensor): number => {
  const rows = x.toArray() as number[][];
  const spoken = rows.filter(row => row.every((state, i) => state < letters && state === row[places - 1 - i]));
  return spoken.length / rows.length;
};
/** How many of all sentences there are. */
const variety = (x: Tensor): number => new Set((x.toArray() as number[][]).map(row => row.slice(0, half).join())).size;

/** A network over all places, and how it is trained. */
const learn = (
  states: number,
  timesOf: (t: Tensor) => Tensor,
  lossOf: (model: DiscreteModel, x: Tensor, key: Key) => Tensor,
): DiscreteModel => {
  const network = mlp([places * states + 1, 128, 128, places * states], { activation: silu as (x: Tensor) => Tensor });
  const modelOf =
    (params: ReturnType<typeof network.init>): DiscreteModel =>
    (x, t) => {
      const count = x.shape[0]!;
      const seen = reshape(oneHot(x as Tensor<readonly number[], 'int32'>, states, { dtype: 'float32' }), [
        count,
        places * states,
      ]) as Tensor;
      const input = concat([seen, expandDims(timesOf(t), 1) as Tensor], { axis: 1 }) as Tensor;
      return reshape(network.apply(params, input as never) as Tensor, [count, places, states]) as Tensor;
    };
  const optimizer = adam(3e-3);
  const start = network.init(key(0));
  type State = readonly [params: typeof start, optimizer: ReturnType<typeof optimizer.init>];
  const step = jit((params: State[0], own: State[1], at: Key): State => {
    const [dataKey, lossKey] = split(at, 2) as readonly [Key, Key];
    const x = sentences(dataKey);
    const [, slopes] = valueAndGrad((p: typeof start) => lossOf(modelOf(p), x, lossKey))(params);
    const [updates, next] = optimizer.update(slopes, own, params);
    return [applyUpdates(params, updates as typeof start), next];
  });
  let state: State = [start, optimizer.init(start)];
  for (let i = 0; i < steps; i++) state = step(state[0], state[1], foldIn(key(1), i));
  return modelOf(state[0]);
};

const numTimesteps = 200;
const betas = Array.from({ length: numTimesteps }, (_, t) => 1 / (numTimesteps - t));

describe('a network learns sentences that read the same from both ends', () => {
  it.each([
    ['uniform', discreteDiffusion({ states: letters, betas: cosineBetas(numTimesteps), kind: 'uniform' })],
    ['absorbing', discreteDiffusion({ states: letters + 1, betas, kind: 'absorbing' })],
  ])('of timesteps, %s', (_, diffusion) => {
    const { sample } = stratifiedSampler({ numTimesteps });
    const model = learn(
      diffusion.states,
      t => div(t, numTimesteps) as Tensor,
      (network, x, at) => {
        const { t } = sample(null, foldIn(at, 0), batch);
        const { loss } = discreteLosses(diffusion, network, x, t as Tensor, { key: foldIn(at, 1), hybrid: 0.05 });
        return mean(loss as Tensor) as Tensor;
      },
    );
    const run = jit(() => sampleDiscrete(ancestralStates(), diffusion, model, [1000, places], { key: key(2) }));
    const x = run() as Tensor;
    expect(share(x)).toBeGreaterThan(0.95);
    expect(variety(x)).toBe(letters ** half);
  });

  it('in continuous time, with either order, and from a beginning', () => {
    const diffusion = maskedDiffusion({ states: letters + 1 });
    const { sample } = stratifiedSampler({ range: [0.01, 1] });
    const model = learn(
      letters + 1,
      t => t,
      (network, x, at) => {
        const { t } = sample(null, foldIn(at, 0), batch);
        return mean(maskedLosses(diffusion, network, x, t as Tensor, { key: foldIn(at, 1) }).loss as Tensor) as Tensor;
      },
    );
    const options = { key: key(2), steps: 200 };
    const x = sampleDiscrete(ancestralStates(), diffusion, model, [1000, places], options) as Tensor;
    expect(share(x)).toBeGreaterThan(0.95);
    expect(variety(x)).toBe(letters ** half);
    const few = { key: key(3), steps: places };
    const sure = sampleDiscrete(
      confidentStates({ choiceTemperature: 1 }),
      diffusion,
      model,
      [1000, places],
      few,
    ) as Tensor;
    expect(share(sure)).toBeGreaterThan(0.95);
    const start = tensor(
      Array.from({ length: 200 }, (_, i) => [i % 4, 4, 4, 4, (i + 1) % 4, 4]),
      { dtype: 'int32' },
    );
    const filled = sampleDiscrete(ancestralStates(), diffusion, model, start as never, options) as Tensor;
    expect(share(filled)).toBeGreaterThan(0.95);
    const rows = filled.toArray() as number[][];
    expect(rows.every((row, i) => row[0] === i % 4 && row[4] === (i + 1) % 4)).toBe(true);
  });
});
