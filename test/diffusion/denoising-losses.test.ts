/** Losses for any process against their formulas, written out with numbers. */
import { add, grad, mean, mul, reshape, type Tensor, tensor } from 'tenfold';
import {
  convert,
  type DenoisingLossOptions,
  denoisingLoss,
  edmProcess,
  edmWeighting,
  flowProcess,
  gaussianDiffusion,
  gaussianLoss,
  type LossExample,
  type Metric,
  minSnrWeighting,
  type NoiseLevel,
  type PredictionType,
  p2Weighting,
  preconditioned,
  sigmoidWeighting,
  trainingLosses,
  type Weighting,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const [count, size] = [3, 2];
const f64 = { dtype: 'float64' } as const;
const xStart: Tensor = normal(key(1), [count, size], f64);
const noise: Tensor = normal(key(2), [count, size], f64);
const alphas = [0.9, 0.5, 0.2];
const sigmas = [0.3, 0.8, 1.5];
const level: NoiseLevel = {
  alpha: tensor(alphas, f64),
  sigma: tensor(sigmas, f64),
  time: tensor([1, 2, 3], f64),
};
const example: LossExample<null> = { xStart, noise, level, t: level.time, inputs: null };
const numbers = (x: Tensor): number[][] => x.toArray() as number[][];
const [x0s, epss] = [numbers(xStart), numbers(noise)];

type Pair = readonly [x0: number, eps: number];
/** What is predicted, of an element. */
const values: Readonly<Record<PredictionType, (pair: Pair, a: number, s: number) => number>> = {
  epsilon: ([, eps]) => eps,
  x0: ([x0]) => x0,
  v: ([x0, eps], a, s) => (a * eps - s * x0) / Math.hypot(a, s),
  score: ([, eps], _, s) => -eps / s,
  velocity: ([x0, eps]) => eps - x0,
};
const predictions = Object.keys(values) as PredictionType[];
const scales = {
  preserving: (a: number, s: number) => Math.hypot(a, s),
  exploding: (a: number) => a,
  flow: (a: number, s: number) => a + s,
};

/** Mean over a sample's elements. */
const rows = (f: (i: number, j: number) => number): number[] =>
  alphas.map((_, i) => [0, 1].reduce((sum, j) => sum + f(i, j), 0) / size);

/** A network whose output depends on all it is shown. */
const network = (x: Tensor, time: Tensor): Tensor => add(mul(x, 0.7), mul(reshape(time, [count, 1]) as Tensor, 0.1));
const shown = (i: number, j: number, scale: (a: number, s: number) => number): number =>
  (0.7 * (alphas[i]! * x0s[i]![j]! + sigmas[i]! * epss[i]![j]!)) / scale(alphas[i]!, sigmas[i]!) + 0.1 * (i + 1);
const truth = (type: PredictionType, i: number, j: number): number =>
  values[type]([x0s[i]![j]!, epss[i]![j]!], alphas[i]!, sigmas[i]!);

describe('denoisingLoss', () => {
  it.each(predictions)('of %s is the squared error, shown samples of either scaling', prediction => {
    for (const scaling of ['preserving', 'exploding', 'flow'] as const) {
      const { loss } = denoisingLoss({ prediction, scaling })(network, example);
      close(
        loss,
        rows((i, j) => (shown(i, j, scales[scaling]) - truth(prediction, i, j)) ** 2),
        1e-12,
      );
    }
  });

  it('scales samples as the prediction has it, unless it is told', () => {
    for (const prediction of predictions) {
      const scaling = prediction === 'velocity' ? 'flow' : 'preserving';
      const given = denoisingLoss({ prediction, scaling })(network, example).loss.toArray();
      expect(denoisingLoss({ prediction })(network, example).loss.toArray()).toEqual(given);
    }
  });

  it.each<[string, Metric, (d: number) => number]>([
    ['l1', 'l1', d => Math.abs(d)],
    ['huber', { huber: 0.5 }, d => (Math.abs(d) <= 0.5 ? d ** 2 / 2 : 0.5 * (Math.abs(d) - 0.25))],
    ['pseudoHuber', { pseudoHuber: 0.5 }, d => 0.25 * (Math.sqrt(1 + (d / 0.5) ** 2) - 1)],
  ])('by %s', (_, metric, distance) => {
    const { loss } = denoisingLoss({ metric })(network, example);
    const differences = [0, 1, 2].flatMap(i =>
      [0, 1].map(j => shown(i, j, scales.preserving) - truth('epsilon', i, j)),
    );
    // On both sides of Huber's δ.
    expect(differences.some(d => Math.abs(d) < 0.5) && differences.some(d => Math.abs(d) > 0.5)).toBe(true);
    close(
      loss,
      rows((i, j) => distance(shown(i, j, scales.preserving) - truth('epsilon', i, j))),
      1e-12,
    );
  });

  it('compares another target than what the network predicts', () => {
    for (const prediction of predictions) {
      for (const target of predictions) {
        const { loss } = denoisingLoss({ prediction, target, scaling: 'exploding' })(network, example);
        const x = add(
          mul(xStart, reshape(level.alpha, [count, 1]) as Tensor),
          mul(noise, reshape(level.sigma, [count, 1]) as Tensor),
        );
        const output = network(
          mul(
            x,
            tensor(
              alphas.map(a => [1 / a]),
              f64,
            ),
          ),
          level.time,
        );
        const predicted = numbers(convert(prediction, target)(output, x, level));
        close(
          loss,
          rows((i, j) => (predicted[i]![j]! - truth(target, i, j)) ** 2),
          1e-10,
        );
      }
    }
  });

  it('is 0 for a network that knows', () => {
    for (const prediction of predictions) {
      const answer = tensor(
        x0s.map((row, i) => row.map((_, j) => truth(prediction, i, j))),
        f64,
      );
      close(denoisingLoss({ prediction })(() => answer, example).loss, [0, 0, 0], 1e-28);
    }
  });

  it('has the gradient that differences give', () => {
    const weightings: readonly (Weighting | undefined)[] = [undefined, minSnrWeighting(), edmWeighting()];
    const metrics: readonly Metric[] = ['mse', 'l1', { huber: 0.5 }, { pseudoHuber: 0.5 }];
    const options = predictions.flatMap(prediction =>
      metrics.map((metric, i): DenoisingLossOptions => {
        const weighting = weightings[i % 3];
        return { prediction, metric, ...(weighting === undefined ? {} : { weighting }) };
      }),
    );
    for (const each of options) {
      const loss = denoisingLoss(each);
      const of = (w: Tensor): Tensor =>
        mean(loss((x: Tensor, time: Tensor) => mul(w, network(x, time)) as Tensor, example).loss) as Tensor;
      const at = (w: number): number => of(tensor(w, f64)).item() as number;
      const h = 1e-5;
      close(grad(of)(tensor(1.1, f64)), (at(1.1 + h) - at(1.1 - h)) / (2 * h), 1e-8);
    }
  });

  it('takes a level for all samples, float32, and inputs for the network', () => {
    const one = { alpha: tensor(0.5), sigma: tensor(0.5), time: tensor(7) };
    const x = normal(key(3), [2, 3]);
    const seen: unknown[] = [];
    const { loss } = denoisingLoss<string>({ prediction: 'x0' })(
      (y: Tensor, time: Tensor, inputs: string) => {
        seen.push(inputs, time.toArray());
        return mul(y, 0) as Tensor;
      },
      { xStart: x, noise: x, level: one, inputs: 'told' },
    );
    expect(seen).toEqual(['told', [7, 7]]);
    expect(loss.dtype).toBe('float32');
    expect(loss.shape).toEqual([2]);
  });

  it('is flow matching with the flow process', () => {
    const t = [0.1, 0.5, 0.9];
    const at = flowProcess({ timeScale: 1000 }).levelAt(
      tensor(
        t.map(each => 1000 * each),
        f64,
      ),
    );
    const { loss } = denoisingLoss({ prediction: 'velocity' })(network, { ...example, level: at });
    const wanted = rows((i, j) => {
      const [x0, eps] = [x0s[i]![j]!, epss[i]![j]!];
      return (0.7 * ((1 - t[i]!) * x0 + t[i]! * eps) + 100 * t[i]! - (eps - x0)) ** 2;
    });
    close(loss, wanted, 1e-12);
  });

  it('is the loss of EDM with its preconditioning and weighting: that of the raw network, weighted by 1', () => {
    const sigmaData = 0.7;
    const s = [0.1, 1, 20];
    const at = edmProcess().levelAt(tensor(s, f64));
    const loss = denoisingLoss({
      denoiser: model => preconditioned(model, { sigmaData }),
      weighting: edmWeighting(sigmaData),
    });
    const wanted = rows((i, j) => {
      const [x0, eps] = [x0s[i]![j]!, epss[i]![j]!];
      const variance = s[i]! ** 2 + sigmaData ** 2;
      const x = x0 + s[i]! * eps;
      const [skip, out] = [sigmaData ** 2 / variance, (s[i]! * sigmaData) / Math.sqrt(variance)];
      const raw = (0.7 * x) / Math.sqrt(variance) + 0.1 * (Math.log(s[i]!) / 4);
      return (raw - (x0 - skip * x) / out) ** 2;
    });
    close(loss(network, { ...example, level: at }).loss, wanted, 1e-10);
  });
});

describe('weightings', () => {
  const snrs = alphas.map((a, i) => (a / sigmas[i]!) ** 2);
  const closed: Readonly<
    Record<string, readonly [Weighting, (snr: number) => Partial<Record<PredictionType, number>>]>
  > = {
    minSnr: [
      minSnrWeighting(2),
      snr => ({
        x0: Math.min(snr, 2),
        epsilon: Math.min(snr, 2) / snr,
        v: Math.min(snr, 2) / (snr + 1),
        velocity: Math.min(snr, 2) / (Math.sqrt(snr) + 1) ** 2,
      }),
    ],
    p2: [
      p2Weighting({ gamma: 0.5, k: 2 }),
      snr => ({ epsilon: (2 + snr) ** -0.5, x0: snr * (2 + snr) ** -0.5, v: (snr / (snr + 1)) * (2 + snr) ** -0.5 }),
    ],
    edm: [edmWeighting(0.5), snr => ({ x0: (1 / snr + 0.25) / (0.25 / snr), epsilon: (1 / snr + 0.25) / 0.25 })],
    sigmoid: [sigmoidWeighting(1), snr => ({ epsilon: Math.E / (Math.E + snr), x0: (snr * Math.E) / (Math.E + snr) })],
  };

  it.each(Object.keys(closed))('%s has its closed form', name => {
    const [weighting, formula] = closed[name]!;
    for (const target of ['x0', 'epsilon', 'v', 'velocity'] as const) {
      const wanted = snrs.map(snr => formula(snr)[target]);
      if (wanted.every(each => each !== undefined)) close(weighting(level, target), wanted as number[], 1e-12);
    }
    // On both sides of γ.
    expect(Math.min(...snrs) < 2 && Math.max(...snrs) > 2).toBe(true);
  });

  it('weigh the same errors alike, whatever is predicted', () => {
    for (const [weighting] of Object.values(closed)) {
      // A network's output, seen as each prediction in turn.
      const losses = predictions.map(target => {
        const loss = denoisingLoss({ prediction: 'x0', target, weighting });
        return loss(network, example).loss.toArray() as number[];
      });
      for (const each of losses) close(each, losses[0]!, 1e-10);
    }
  });

  it('multiply the loss, which is given as well', () => {
    const { loss, unweighted } = denoisingLoss({ weighting: p2Weighting() })(network, example);
    close(loss, mul(unweighted!, p2Weighting()(level, 'epsilon')).toArray() as number[], 1e-14);
    close(unweighted!, denoisingLoss()(network, example).loss.toArray() as number[], 1e-14);
  });

  it('min-SNR stays finite where no signal or no noise is left', () => {
    const ends = { alpha: tensor([0, 1], f64), sigma: tensor([1, 0], f64), time: tensor([0, 0], f64) };
    close(minSnrWeighting()(ends, 'epsilon'), [1, 0]);
    close(minSnrWeighting()(ends, 'x0'), [0, 5]);
    close(minSnrWeighting()(ends, 'v'), [0, 0]);
  });
});

describe('gaussianLoss', () => {
  const diffusion = gaussianDiffusion([0.1, 0.2, 0.3], { meanType: 'startX' });
  const t = tensor([0, 2, 1], { dtype: 'int32' });

  it('is trainingLosses', () => {
    const inputs = tensor(0.3, f64);
    const model = (x: Tensor, _: Tensor, told: Tensor): Tensor => mul(x, told);
    const losses = gaussianLoss(diffusion)(model, { xStart, t, noise, inputs });
    const wanted = trainingLosses(diffusion, model, xStart, t, { noise, modelInputs: inputs });
    expect(losses.loss.toArray()).toEqual(wanted.loss.toArray());
    expect(Object.keys(losses)).toEqual(['loss', 'mse']);
  });

  it('names itself', () => {
    const error = caught(() => gaussianLoss(diffusion)(() => tensor([1]), { xStart, t, noise, inputs: null }));
    expect([error.operation, error._tag]).toEqual(['gaussianLoss', 'ShapeError']);
  });
});
