/** Latent diffusion: an autoencoder around a process. */
import * as E from 'fp-ts/lib/Either.js';
import {
  add,
  cast,
  exp,
  expandDims,
  jit,
  mean,
  mul,
  ones,
  slice,
  square,
  std,
  sub,
  type Tensor,
  take,
  tensor,
  valueAndGrad,
  variance,
} from 'tenfold';
import { loadDigits } from 'tenfold/data';
import {
  type Denoiser,
  type DenoiserModel,
  denoisingLoss,
  edmProcess,
  edmWeighting,
  energyDistance,
  heun,
  karrasSigmas,
  type LossExample,
  latentDiffusion,
  latentScale,
  levelsOf,
  logNormalSampler,
  preconditioned,
  sample,
  trainer,
} from 'tenfold/diffusion';
import { type AutoencoderKlParams, autoencoderKl, residualMlp } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { foldIn, type Key, key, normal, randint } from 'tenfold/random';
import { beforeAll, describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const f64 = { dtype: 'float64' } as const;
const numberOf = (x: Tensor): number => x.item() as number;

describe('the way to the latents and back', () => {
  const x = normal(key(1), [6, 4], f64) as Tensor;
  /** Two numbers for four, each with a variance. */
  const encode = (y: Tensor) => ({
    mean: slice(y, [0, 0], [y.shape[0]!, 2]) as Tensor,
    logVariance: mul(ones([y.shape[0]!, 2], f64), Math.log(0.25)) as Tensor,
  });
  const decode = (z: Tensor): Tensor => mul(z, 3) as Tensor;

  it('is that of the means without a key, shifted and scaled', () => {
    const scale = tensor([2, 4]);
    const latent = latentDiffusion({ encode, decode, scale, shift: 0.5 });
    const wanted = (x.toArray() as number[][]).map(([a, c]) => [(a! - 0.5) * 2, (c! - 0.5) * 4]);
    close(latent.encode(x), wanted, 1e-14);
    close(
      latent.decode(latent.encode(x)),
      wanted.map(([a, c]) => [3 * (a! / 2 + 0.5), 3 * (c! / 4 + 0.5)]),
      1e-14,
    );
  });

  it('draws latents with a key', () => {
    const latent = latentDiffusion({ encode, decode, scale: 2 });
    const many = normal(key(2), [5000, 4], f64) as Tensor;
    const off = sub(latent.encode(many, key(3)), latent.encode(many)) as Tensor;
    // 10⁴ numbers of variance 0.25 · 2².
    expect(Math.abs(numberOf(mean(off)))).toBeLessThan(0.04);
    expect(Math.abs(numberOf(variance(off)) - 1)).toBeLessThan(0.06);
    expect(latent.encode(many, key(3)).toArray()).toEqual(latent.encode(many, key(3)).toArray());
  });

  it('takes encoders that give latents as they are', () => {
    const latent = latentDiffusion({ encode: y => mul(y, 2) as Tensor, decode, scale: 0.5 });
    expect(latent.encode(x, key(1)).toArray()).toEqual(x.toArray());
  });

  it('has a scale that makes latents vary as noise does', () => {
    const latents = add(mul(normal(key(4), [500, 2], f64), 7), 3) as Tensor;
    close(std(mul(latents, latentScale(latents))), 1, 1e-12);
  });
});

describe('the loss', () => {
  const count = 4000;
  const encode = (y: Tensor): Tensor => slice(y, [0, 0], [count, 2]) as Tensor;
  const latent = latentDiffusion({ encode, decode: z => z, scale: 3 });
  const xStart = normal(key(1), [count, 5], f64) as Tensor;
  const level = edmProcess().levelAt(tensor(2, f64));
  const example = { xStart, t: level.time, level, noise: mul(xStart, 0) as Tensor, inputs: { key: key(2), y: xStart } };
  type Seen = LossExample<typeof example.inputs>;
  const seenOf = (given: Seen): Seen => {
    const seen: Seen[] = [];
    latent.loss<typeof example.inputs>((_, each) => {
      seen.push(each);
      return { loss: each.t };
    })(z => z, given);
    return seen[0]!;
  };

  it('is that of the latents, with noise like them', () => {
    const seen = seenOf(example);
    expect(seen.xStart.toArray()).toEqual(latent.encode(xStart).toArray());
    expect(seen.noise.shape).toEqual([count, 2]);
    expect(Math.abs(numberOf(mean(seen.noise)))).toBeLessThan(0.05);
    expect(Math.abs(numberOf(variance(seen.noise)) - 1)).toBeLessThan(0.07);
    expect(Math.abs(numberOf(mean(mul(seen.noise, encode(xStart)))))).toBeLessThan(0.05);
    expect([seen.level, seen.t, seen.inputs.y]).toEqual([level, level.time, xStart]);
  });

  it('has keys of its own for latents and noise, and leaves another to the model', () => {
    const drawing = latentDiffusion({
      encode: y => ({ mean: mul(encode(y), 0) as Tensor, logVariance: mul(encode(y), 0) as Tensor }),
      decode: z => z,
    });
    const [seen] = [drawing].map(each => {
      const list: Seen[] = [];
      each.loss<typeof example.inputs>((_, given) => {
        list.push(given);
        return { loss: given.t };
      })(z => z, example);
      return list[0]!;
    });
    const forModel = normal(seen!.inputs.key, [count, 2], f64);
    const draws = [seen!.xStart, seen!.noise, forModel, normal(key(2), [count, 2], f64)] as const;
    for (const [i, a] of draws.entries()) {
      for (const other of draws.slice(i + 1)) expect(Math.abs(numberOf(mean(mul(a, other))))).toBeLessThan(0.05);
    }
    const again = seenOf({ ...example, inputs: { ...example.inputs, key: key(3) } });
    expect(again.noise.toArray()).not.toEqual(seenOf(example).noise.toArray());
  });

  it('needs the key of a trainer', () => {
    const error = caught(() => seenOf({ ...example, inputs: {} as never }));
    expect([error.operation, error._tag]).toEqual(['latentDiffusion', 'ArgumentError']);
  });
});

describe('digits', () => {
  const model = autoencoderKl({
    inChannels: 1,
    outChannels: 1,
    blockOutChannels: [8, 16],
    latentChannels: 2,
    normNumGroups: 4,
    midBlockAddAttention: false,
  });
  const data: { train?: Tensor; held?: Tensor; params?: AutoencoderKlParams } = {};
  const batchOf = (seed: number, count: number): Tensor =>
    take(data.train!, randint(key(seed), [count], 0, 1500), { axis: 0 }) as Tensor;

  beforeAll(async () => {
    const loaded = await loadDigits()();
    if (E.isLeft(loaded)) throw loaded.left;
    const images = sub(mul(expandDims(cast(loaded.right.images, 'float32'), 1), 1 / 8), 1) as Tensor;
    data.train = slice(images, [0], [1500]) as Tensor;
    data.held = slice(images, [1500]) as Tensor;
    const optimizer = adam(5e-3);
    const step = jit((params: AutoencoderKlParams, moments: ReturnType<typeof optimizer.init>, x: Tensor, k: Key) => {
      const loss = (p: AutoencoderKlParams) => {
        const encoded = model.encode(p, x);
        const spread = sub(exp(encoded.logVariance), add(encoded.logVariance, 1)) as Tensor;
        const divergence = mean(add(square(encoded.mean), spread)) as Tensor;
        const error = mean(square(sub(model.decode(p, model.sample(encoded, k)), x))) as Tensor;
        return add(error, mul(divergence, 1e-3)) as Tensor<readonly [], 'float32'>;
      };
      const [, gradient] = valueAndGrad(loss)(params);
      const [updates, next] = optimizer.update(gradient, moments, params);
      return [applyUpdates(params, updates), next] as const;
    });
    let params = model.init(key(0));
    let moments = optimizer.init(params);
    for (let i = 0; i < 120; i++) [params, moments] = step(params, moments, batchOf(100 + i, 32), foldIn(key(3), i));
    data.params = params;
  }, 120_000);

  it('are sampled among the latents of a small autoencoder by what the trainer has made', () => {
    const { train, held, params } = data as Required<typeof data>;
    const ends = { encode: (x: Tensor) => model.encode(params, x), decode: (z: Tensor) => model.decode(params, z) };
    const encoded = latentDiffusion(ends).encode(slice(train, [0], [500]) as Tensor, key(4));
    const latent = latentDiffusion({ ...ends, scale: latentScale(encoded) });
    const asDenoiser = <C>(network: DenoiserModel<C>): Denoiser<C> =>
      preconditioned((x, t, inputs, last) => network(x, mul(t, 200) as Tensor, inputs, last), { sigmaData: 1 });
    const network = residualMlp({ size: 32, hidden: 96, blocks: 2, embedding: 32 });
    const { init, step } = trainer({
      process: edmProcess(),
      model: network,
      timesteps: logNormalSampler(),
      optimizer: adam(3e-3),
      ema: 0.98,
      loss: latent.loss(denoisingLoss({ denoiser: asDenoiser, weighting: edmWeighting(1) })),
    });
    let state = init(key(5));
    for (let i = 0; i < 250; i++) state = step(state, batchOf(1000 + i, 48))[0];
    const denoiser = asDenoiser((x, t) => network.apply(state.ema, x, t));
    const shape = [held.shape[0]!, 2, 4, 4] as const;
    const levels = levelsOf(edmProcess(), karrasSigmas(14, { max: 20 }));
    const sampled = latent.decode(sample(heun(), denoiser, levels, shape, { key: key(6) }));
    expect(sampled.shape).toEqual(held.shape);
    const distance = (x: Tensor): number => numberOf(energyDistance(x, held));
    const ofNoise = distance(latent.decode(normal(key(7), shape) as Tensor));
    expect(distance(latent.decode(latent.encode(held)))).toBeLessThan(ofNoise / 4);
    expect(distance(sampled)).toBeLessThan(0.6 * ofNoise);
  }, 120_000);
});
