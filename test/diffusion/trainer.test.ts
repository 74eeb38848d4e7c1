/** What a trainer's options do: losses, samplers of times, averages, conditions, steps that are not finite. */
import {
  add,
  cast,
  concat,
  div,
  equal,
  expandDims,
  mul,
  neg,
  reciprocal,
  reshape,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from 'tenfold';
import {
  combine,
  cosineBetas,
  type Denoiser,
  denoisingLoss,
  edmProcess,
  edmWeighting,
  flowProcess,
  gaussianDiffusion,
  logitNormalSampler,
  logNormalSampler,
  lossSecondMomentSampler,
  preconditioned,
  trainer,
  uniformSampler,
} from 'tenfold/diffusion';
import { type Layer, residualMlp } from 'tenfold/nn';
import { adam, chain, scale, updateEma } from 'tenfold/optim';
import { foldIn, type Key, key, normal, randint, split } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const bytes = (tree: unknown): number[][] =>
  leaves(tree).map(leaf => [...new Uint8Array((leaf as Tensor).dataSync().buffer)]);

const diffusion = gaussianDiffusion(cosineBetas(20));
const x = normal(key(1), [6, 2]);

/** One parameter; the output is x times it. */
const scaling: Layer<{ w: Tensor }, readonly [x: Tensor, t: Tensor]> = {
  init: () => ({ w: tensor(0.5) }),
  apply: ({ w }, y) => mul(y, w) as Tensor,
};

describe('learning a mixture of eight Gaussians in the plane', () => {
  // Of variance 1 in each direction.
  const [radius, deviation] = [Math.sqrt(1.98), 0.1];
  const means = Array.from({ length: 8 }, (_, i) =>
    [0, -Math.PI / 2].map(o => radius * Math.cos((i * Math.PI) / 4 + o)),
  );
  const data = (k: Key, count: number): Tensor => {
    const [which, around] = split(k, 2) as readonly [Key, Key];
    const centres = take(tensor(means), randint(which, [count], 0, 8), { axis: 0 });
    return add(centres, mul(normal(around, [count, 2]), deviation)) as Tensor;
  };
  /** The best there is: x₀ given x, in closed form. */
  const exact: Denoiser = (x, level) => {
    const [alpha, sigma] = [level.alpha, level.sigma].map(each => reshape(cast(each, 'float32'), [-1, 1, 1]) as Tensor);
    const centres = reshape(tensor(means), [1, 8, 2]) as Tensor;
    const variance = add(square(mul(alpha!, deviation)), square(sigma!)) as Tensor;
    const off = sub(expandDims(x, 1) as Tensor, mul(alpha!, centres)) as Tensor;
    const logits = div(mul(sum(square(off), { axis: 2, keepDims: true }) as Tensor, -0.5), variance) as Tensor;
    const each = add(centres, mul(off, div(mul(alpha!, deviation ** 2), variance) as Tensor)) as Tensor;
    const x0 = sum(mul(softmax(logits, { axis: 1 }), each) as Tensor, { axis: 1 }) as Tensor;
    return { x0, eps: combine([reciprocal(level.sigma), x], [neg(div(level.alpha, level.sigma)), x0]) };
  };

  const mlp = () => residualMlp({ size: 2, hidden: 48, blocks: 2, embedding: 32 });
  interface Run {
    readonly init: (k: Key) => unknown;
    readonly step: (state: unknown, batch: Tensor) => readonly [unknown, { readonly loss: Tensor }];
  }
  const learned = ({ init, step }: Run): number => {
    let state = init(key(2));
    let total = 0;
    for (let i = 0; i < 900; i++) {
      const [next, { loss }] = step(state, data(foldIn(key(3), i), 64));
      state = next;
      if (i >= 800) total += loss.item() as number;
    }
    return total / 100;
  };
  const best = ({ init, step }: Run): number => step(init(key(4)), data(key(5), 6400))[1].loss.item() as number;

  const edm = { process: edmProcess(), timesteps: logNormalSampler(), optimizer: adam(3e-3) };
  const flow = {
    process: flowProcess({ timeScale: 1000 }),
    timesteps: logitNormalSampler({ stratified: true, timeScale: 1000 }),
    optimizer: adam(3e-3),
  };
  const weighting = edmWeighting(1);
  const exactly = { model: scaling, optimizer: scale(0) };
  const noise = trainer({
    diffusion,
    ...exactly,
    loss: denoisingLoss({ denoiser: () => exact, target: 'epsilon' }),
  }) as Run;

  it.each<[string, () => Run, Run]>([
    ['ε', () => trainer({ diffusion, model: mlp(), optimizer: adam(3e-3) }) as Run, noise],
    [
      'ε, timesteps by their losses',
      () => trainer({ diffusion, model: mlp(), optimizer: adam(3e-3), timesteps: lossSecondMomentSampler(20) }) as Run,
      noise,
    ],
    [
      'flow matching',
      () => trainer({ ...flow, model: mlp(), loss: denoisingLoss({ prediction: 'velocity' }) }) as Run,
      trainer({ ...flow, ...exactly, loss: denoisingLoss({ denoiser: () => exact, target: 'velocity' }) }) as Run,
    ],
    [
      'EDM',
      () =>
        trainer({
          ...edm,
          model: mlp(),
          loss: denoisingLoss({ denoiser: model => preconditioned(model, { sigmaData: 1 }), weighting }),
        }) as Run,
      trainer({ ...edm, ...exactly, loss: denoisingLoss({ denoiser: () => exact, weighting }) }) as Run,
    ],
  ])('%s', (_, run, optimum) => {
    const [got, least] = [learned(run()), best(optimum)];
    expect(got).toBeLessThan(1.25 * least);
    expect(got).toBeGreaterThan(0.9 * least);
  });
});

describe('times', () => {
  it('their state goes on with the losses of the batch', () => {
    const sampler = lossSecondMomentSampler(20, { historyPerTerm: 2 });
    const { init, step } = trainer({ diffusion, model: scaling, optimizer: scale(0), timesteps: sampler });
    const begun = init(key(3));
    const [after] = step(begun, x);
    expect(begun.timesteps.lossCounts.toArray()).toEqual(Array.from({ length: 20 }, () => 0));
    const counted = after.timesteps.lossCounts.toArray();
    expect(counted.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(3);
    const [again] = step(after, x);
    expect(again.timesteps.lossCounts.toArray()).not.toEqual(counted);
  });

  it('multiply the losses by their weights', () => {
    const uniform = uniformSampler(20);
    const twice = {
      ...uniform,
      sample: (...args: Parameters<typeof uniform.sample>) => {
        const { t, weights } = uniform.sample(...args);
        return { t, weights: mul(weights, 2) as typeof weights };
      },
    };
    const one = { diffusion, model: scaling, optimizer: scale(-0.1) };
    const [plain, doubled] = [trainer(one), trainer({ ...one, timesteps: twice })].map(({ init, step }) =>
      step(init(key(4)), x),
    );
    close(doubled![1].loss, 2 * (plain![1].loss.item() as number));
    close(doubled![1].gradientNorm, 2 * (plain![1].gradientNorm.item() as number));
  });

  it('of a respaced or rescaled process are those the network is shown', () => {
    const rescaled = gaussianDiffusion(cosineBetas(20), { rescaleTimesteps: true });
    const seen = new Set<string>();
    const model = {
      ...scaling,
      apply: ({ w }: { w: Tensor }, y: Tensor, t: Tensor) => {
        seen.add(t.dtype);
        return mul(y, add(w, mul(reshape(cast(t, 'float32'), [6, 1]) as Tensor, 1e-3) as Tensor)) as Tensor;
      },
    };
    const of = (loss: object) => {
      const { init, step } = trainer({ diffusion: rescaled, model, optimizer: scale(0), ...loss });
      return step(init(key(4)), x)[1].loss.item() as number;
    };
    // The same levels and times by either way: losses of a Gaussian diffusion, and those for any process.
    close(of({ loss: denoisingLoss() }), of({}), 1e-5);
    expect([...seen]).toEqual(['float32']);
  });
});

describe('averages', () => {
  it('several, each with its own decay', () => {
    const { init, step } = trainer({
      diffusion,
      model: scaling,
      optimizer: scale(-0.1),
      ema: { fast: 0.5, slow: () => tensor(0.9) },
    });
    const begun = init(key(6));
    const [{ params, ema }] = step(begun, x);
    expect(Object.keys(ema)).toEqual(['fast', 'slow']);
    close(ema.fast.w, updateEma(begun.params, params, 0.5).w.item() as number, 1e-7);
    close(ema.slow.w, updateEma(begun.params, params, 0.9).w.item() as number, 1e-7);
    expect(params.w.item()).not.toBe(0.5);
  });
});

describe('conditions', () => {
  const count = 4000;
  const y = tensor(
    Array.from({ length: count }, (_, i) => i % 7),
    { dtype: 'int32' },
  );
  const embedding = tensor(Array.from({ length: count }, (_, i) => [i, -i]));

  /** A model whose output is made of its inputs, so that the loss tells which it was given. */
  const told: Layer<{ w: Tensor }, readonly [x: Tensor, t: Tensor, context: { y: Tensor; e: Tensor; key?: Key }]> = {
    init: () => ({ w: tensor(1) }),
    apply: ({ w }, z, _, { y, e }) =>
      mul(add(e, mul(reshape(cast(y, 'float32'), [count, 1]) as Tensor, mul(z, 0) as Tensor)) as Tensor, w) as Tensor,
  };
  /** The inputs that the model has seen, which come out as terms of the loss. */
  const seeing = (rate: number) =>
    trainer({
      diffusion,
      model: told,
      optimizer: scale(0),
      loss: (model, { xStart, inputs, t }) => {
        const none = cast(equal(inputs.y, 7), 'float32') as Tensor;
        const alone = cast(
          equal(take(inputs.e, tensor(0, { dtype: 'int32' }), { axis: 1 }) as Tensor, -1),
          'float32',
        ) as Tensor;
        const all = model(xStart, t, inputs);
        return {
          loss: mul(reshape(take(all, tensor(0, { dtype: 'int32' }), { axis: 1 }), [count]) as Tensor, 1) as Tensor,
          none,
          both: mul(none, alone) as Tensor,
        };
      },
      conditioningDropout: { rate, value: { y: 7, e: tensor([-1, -2]) } },
    });

  it('are left out together, with the probability, per sample and step', () => {
    const { init, step } = seeing(0.25);
    const batch = { x: zeros([count, 2]), inputs: { y, e: embedding } };
    const [after, first] = step(init(key(8)), batch);
    const share = first.terms.none!.item() as number;
    expect(Math.abs(share - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / count));
    expect(first.terms.both!.item()).toBe(share);
    expect(step(after, batch)[1].terms.none!.item()).not.toBe(share);
  });

  it('are kept at rate 0 and gone at rate 1', () => {
    for (const rate of [0, 1]) {
      const { init, step } = seeing(rate);
      const [, { terms }] = step(init(key(8)), { x: zeros([count, 2]), inputs: { y, e: embedding } });
      expect(terms.none!.item()).toBe(rate);
    }
  });

  it('stay what they are, true or false too', () => {
    const seen: string[] = [];
    const model: Layer<{ w: Tensor }, readonly [x: Tensor, t: Tensor, context: { flag: Tensor }]> = {
      init: () => ({ w: tensor(1) }),
      apply: ({ w }, z, _, { flag }) => {
        seen.push(flag.dtype);
        return mul(z, w) as Tensor;
      },
    };
    const dropped = { rate: 0.5, value: { flag: 1 } };
    const { init, step } = trainer({ diffusion, model, optimizer: scale(0), conditioningDropout: dropped });
    step(init(key(8)), { x, inputs: { flag: zeros([6], { dtype: 'bool' }) } });
    expect(seen).toEqual(['bool']);
  });

  it('a model that draws has a key, another at each step', () => {
    const model: Layer<{ w: Tensor }, readonly [x: Tensor, t: Tensor, context: { readonly key?: Key }]> = {
      init: () => ({ w: tensor(1) }),
      apply: ({ w }, z, _, context) => mul(w, normal(context.key!, z.shape)) as Tensor,
    };
    const { init, step } = trainer({
      diffusion,
      model,
      optimizer: scale(0),
      loss: (network, { xStart, t, inputs }) => ({
        loss: reshape(take(network(xStart, t, inputs), tensor(0, { dtype: 'int32' }), { axis: 1 }), [6]) as Tensor,
      }),
    });
    const [after, first] = step(init(key(9)), x);
    expect(first.loss.item()).toBe(step(init(key(9)), x)[1].loss.item());
    expect(step(after, x)[1].loss.item()).not.toBe(first.loss.item());
  });
});

describe('steps that are not finite', () => {
  const options = { diffusion, model: scaling, optimizer: chain(adam(0.1)), timesteps: lossSecondMomentSampler(20) };
  const bad = mul(x, Number.POSITIVE_INFINITY) as Tensor;

  it('are counted and change nothing else', () => {
    const { init, step } = trainer({ ...options, skipNonFinite: true });
    const [begun] = step(init(key(1)), x);
    const [{ skipped, step: done, ...after }, { loss }] = step(begun, bad);
    const { skipped: _, step: __, ...before } = begun;
    expect(Number.isFinite(loss.item())).toBe(false);
    expect([skipped.item(), done.item()]).toEqual([1, 2]);
    expect(bytes(after)).toEqual(bytes(before));
    const [next] = step(step(begun, bad)[0], x);
    expect(next.skipped.item()).toBe(1);
    expect(bytes(next.params)).not.toEqual(bytes(begun.params));
  });

  it("are the caller's own otherwise; finite steps are the same with it", () => {
    const [plain, careful] = [trainer(options), trainer({ ...options, skipNonFinite: true })];
    expect(bytes(plain.step(plain.init(key(1)), x)[0])).toEqual(bytes(careful.step(careful.init(key(1)), x)[0]));
    const [{ params, skipped }] = plain.step(plain.init(key(1)), bad);
    expect([Number.isFinite(params.w.item()), skipped.item()]).toEqual([false, 0]);
  });
});

it('reports the norm of the gradient, and what the loss is made of', () => {
  const learned = gaussianDiffusion(cosineBetas(20), { varianceType: 'learnedRange', lossType: 'rescaledMse' });
  const model: Layer<{ w: Tensor }, readonly [x: Tensor, t: Tensor]> = {
    init: () => ({ w: tensor([[0.3, 0.1]]) }),
    apply: ({ w }, y) => concat([mul(y, w) as Tensor, mul(y, 0.1) as Tensor], { axis: 1 }) as Tensor,
  };
  const { init, step } = trainer({ diffusion: learned, model, optimizer: scale(-1) });
  const begun = init(key(1));
  const [{ params }, { loss, gradientNorm, terms }] = step(begun, x);
  expect(Object.keys(terms).sort()).toEqual(['mse', 'vb']);
  close(loss, (terms.mse!.item() as number) + (terms.vb!.item() as number));
  // With this optimizer the parameters move by the gradient.
  close(gradientNorm, Math.hypot(...(sub(params.w, begun.params.w).dataSync() as Float32Array)), 1e-5);
});
