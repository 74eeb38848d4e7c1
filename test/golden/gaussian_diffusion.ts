/** The forward and reverse processes of a Gaussian diffusion: the group `gaussian_diffusion`. */
import {
  add,
  cast,
  concat,
  cos,
  type FloatDType,
  grad,
  mean,
  mul,
  reshape,
  sin,
  stack,
  sub,
  sum,
  TenfoldError,
  type Tensor,
  tanh,
  tensor,
} from 'tenfold';
import {
  approxStandardNormalCdf,
  calcBpdLoop,
  conditionMean,
  conditionScore,
  ddimReverseSample,
  ddimSample,
  ddimSampleLoop,
  ddimSampleTrajectory,
  discretizedGaussianLogLikelihood,
  type GaussianDiffusion,
  gaussianDiffusion,
  type LossType,
  lossSecondMomentSampler,
  type MeanType,
  type Model,
  namedBetas,
  normalKl,
  pMeanVariance,
  priorBpd,
  pSample,
  pSampleLoop,
  pSampleTrajectory,
  qMeanVariance,
  qPosteriorMeanVariance,
  qSample,
  respace,
  type ScheduleName,
  spaceTimesteps,
  trainingLosses,
  uniformSampler,
  type VarianceType,
} from 'tenfold/diffusion';
import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  at,
  booleanOf,
  exactly,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type Json,
  type JsonObject,
  numberOf,
  objectOf,
  readGroup,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';

// ---- What a case is made of ---------------------------------------------------------------------------------------

/** Results under the names of the reference. */
type Outputs = Readonly<Record<string, Tensor>>;

/** A case in one precision. */
interface Run {
  readonly args: JsonObject;
  readonly index: JsonObject;
  readonly dtype: FloatDType;
  readonly has: (input: string) => boolean;
  /** Floats in the precision of the run, integers as int32. */
  readonly input: (name: string) => Tensor;
}

const runOf = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): Run => {
  const inputs = objectOf(at(testCase, 'inputs'));
  return {
    args: objectOf(at(testCase, 'args')),
    index: group.index,
    dtype,
    has: name => inputs[name] !== undefined,
    input: name => {
      const { dtype: stored, shape, data } = group.tensor(inputs[name]);
      return tensor(data, shape, { dtype: stored === 'I32' ? 'int32' : dtype });
    },
  };
};

/** `LEARNED_RANGE` as `learnedRange`. */
const camel = (name: string): string => name.toLowerCase().replace(/_./g, pair => pair[1]!.toUpperCase());

/** `logVariance` as `log_variance`. */
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

const diffusionOf = ({ args, index }: Run): GaussianDiffusion => {
  const spec = objectOf(at(index, 'diffusions', stringOf(args.diffusion)));
  const choice = (name: string): string | undefined =>
    args[name] === undefined ? undefined : camel(stringOf(args[name]));
  const [meanType, varianceType, lossType] = [choice('mean_type'), choice('var_type'), choice('loss_type')];
  const options = {
    rescaleTimesteps: booleanOf(spec.rescale_timesteps),
    ...(meanType === undefined ? {} : { meanType: meanType as MeanType }),
    ...(varianceType === undefined ? {} : { varianceType: varianceType as VarianceType }),
    ...(lossType === undefined ? {} : { lossType: lossType as LossType }),
  };
  const betas = namedBetas(stringOf(spec.schedule) as ScheduleName, numberOf(spec.T));
  const counts = spec.section_counts;
  if (counts === undefined) return gaussianDiffusion(betas, options);
  const sections = typeof counts === 'string' || typeof counts === 'number' ? counts : arrayOf(counts).map(numberOf);
  return respace({ betas, ...options }, spaceTimesteps(betas.length, sections));
};

/** The labels as inputs of model and condition, or null. */
type Extra = { readonly y: Tensor } | null;

const extraOf = (run: Run): Extra => (run.has('y') ? { y: run.input('y') } : null);

/** One number a sample, against the samples. */
const perSample = (t: Tensor, x: Tensor): Tensor =>
  reshape(cast(t, x.dtype), [x.shape[0]!, ...x.shape.slice(1).fill(1)]);

interface Parameters {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly c: Tensor;
}

const parametersOf = (run: Run): Parameters => {
  const of = (name: string): Tensor =>
    tensor(numberOf(at(run.index, 'model_params', stringOf(run.args.mean_type), name)), { dtype: run.dtype });
  return { a: of('a'), b: of('b'), c: of('c') };
};

/** The index's `model`: mean_half = a*x + b*cos(w*t) [+ 0.05*y]; var_half = tanh(c*x - 0.2 + 0.001*t). */
const modelOf = (run: Run, { a, b, c }: Parameters = parametersOf(run)): Model<Extra> => {
  const w = numberOf(at(run.index, 'model_params', stringOf(run.args.mean_type), 'w'));
  const learned = stringOf(run.args.var_type).startsWith('LEARNED');
  return (x, t, extra) => {
    const time = perSample(t, x);
    const half = add(mul(a, x), mul(b, cos(mul(time, w))));
    const labelled = extra === null ? half : add(half, mul(perSample(extra.y, x), 0.05));
    return learned ? concat([labelled, tanh(add(sub(mul(c, x), 0.2), mul(time, 0.001)))], { axis: 1 }) : labelled;
  };
};

/** The index's `cond_fn`: -0.2*x + 0.1*sin(0.005*t) + 0.03*y. */
const condition: Model<Extra> = (x, t, extra) => {
  const gradient = add(mul(x, -0.2), mul(sin(mul(perSample(t, x), 0.005)), 0.1));
  return extra === null ? gradient : add(gradient, mul(perSample(extra.y, x), 0.03));
};

/** The index's `denoised_fn`: 0.8*x + 0.05. */
const denoise = (x: Tensor): Tensor => add(mul(x, 0.8), 0.05);

const formulas = {
  model:
    'mean_half = a*x + b*cos(w*t) [+ 0.05*y]; var_half = tanh(c*x - 0.2 + 0.001*t); a,b,c,w in model_params[mean_type]',
  cond_fn: 'g = -0.2*x + 0.1*sin(0.005*t) + 0.03*y',
  denoised_fn: 'd(x) = 0.8*x + 0.05',
};

const flag = (json: Json | undefined): boolean => json !== undefined && booleanOf(json);

const optionsOf = (run: Run) => {
  const { clip_denoised, cond_fn, denoised_fn, eta } = run.args;
  return {
    modelInputs: extraOf(run),
    clipDenoised: clip_denoised === undefined ? undefined : booleanOf(clip_denoised),
    condFn: flag(cond_fn) ? condition : undefined,
    denoisedFn: flag(denoised_fn) ? denoise : undefined,
    eta: eta === undefined ? undefined : numberOf(eta),
    noise: run.has('noise') ? run.input('noise') : undefined,
  };
};

/** Results under the reference's names. */
const named = (outputs: object): Outputs =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, x]) => [snake(name).replace('x_start', 'xstart'), x as Tensor]),
  );

const operand = (run: Run, name: string): Tensor | number =>
  run.has(name) ? run.input(name) : numberOf(at(run.args, name));

/** The last step of a trajectory is what the loop gives. */
const sameEnd = async (where: string, end: Tensor, samples: Tensor): Promise<void> => {
  const [last, all] = [await end.data(), await samples.data()];
  exactly(`${where}, last sample`, last, all.slice(-last.length));
};

const functions: Readonly<Record<string, (run: Run) => Outputs | Promise<Outputs>>> = {
  q_mean_variance: run => named(qMeanVariance(diffusionOf(run), run.input('x_start'), run.input('t'))),
  q_sample: run => ({
    sample: qSample(diffusionOf(run), run.input('x_start'), run.input('t'), run.input('noise')),
  }),
  q_posterior_mean_variance: run => {
    const [xStart, xT, t] = [run.input('x_start'), run.input('x_t'), run.input('t')];
    const { mean, variance, logVariance } = qPosteriorMeanVariance(diffusionOf(run), xStart, xT, t);
    return { mean, variance, log_variance_clipped: logVariance };
  },
  p_mean_variance: run =>
    named(pMeanVariance(diffusionOf(run), modelOf(run), run.input('x'), run.input('t'), optionsOf(run))),
  training_losses: run => {
    const [diffusion, xStart, t] = [diffusionOf(run), run.input('x_start'), run.input('t')];
    const losses = (parameters: Parameters) =>
      trainingLosses(diffusion, modelOf(run, parameters), xStart, t, optionsOf(run));
    const parameters = parametersOf(run);
    const { a, b, c } = grad((p: Parameters) => mean(losses(p).loss))(parameters);
    return { ...named(losses(parameters)), grad_abc: stack([a, b, c]) };
  },
  _prior_bpd: run => ({ prior_bpd: priorBpd(diffusionOf(run), run.input('x_start')) }),
  calc_bpd_loop: run => named(calcBpdLoop(diffusionOf(run), modelOf(run), run.input('x_start'), optionsOf(run))),
  p_sample: run => named(pSample(diffusionOf(run), modelOf(run), run.input('x'), run.input('t'), optionsOf(run))),
  ddim_sample: run => named(ddimSample(diffusionOf(run), modelOf(run), run.input('x'), run.input('t'), optionsOf(run))),
  ddim_reverse_sample: run =>
    named(ddimReverseSample(diffusionOf(run), modelOf(run), run.input('x'), run.input('t'), optionsOf(run))),
  condition_mean: run => {
    const [diffusion, x, t, options] = [diffusionOf(run), run.input('x'), run.input('t'), optionsOf(run)];
    const p = pMeanVariance(diffusion, modelOf(run), x, t, options);
    return { mean: conditionMean(diffusion, condition, p, x, t, options) };
  },
  condition_score: run => {
    const [diffusion, x, t, options] = [diffusionOf(run), run.input('x'), run.input('t'), optionsOf(run)];
    const p = pMeanVariance(diffusion, modelOf(run), x, t, options);
    const { mean, predXStart } = conditionScore(diffusion, condition, p, x, t, options);
    return { mean, pred_xstart: predXStart };
  },
  p_sample_loop: async run => {
    const given = [diffusionOf(run), modelOf(run), run.input('x_T'), optionsOf(run)] as const;
    const trajectory = pSampleTrajectory(...given);
    await sameEnd('p_sample_loop', pSampleLoop(...given), trajectory.samples);
    return named(trajectory);
  },
  ddim_sample_loop: async run => {
    const given = [diffusionOf(run), modelOf(run), run.input('x_T'), optionsOf(run)] as const;
    const trajectory = ddimSampleTrajectory(...given);
    await sameEnd('ddim_sample_loop', ddimSampleLoop(...given), trajectory.samples);
    return named(trajectory);
  },
  normal_kl: run => ({
    kl: normalKl(operand(run, 'mean1'), operand(run, 'logvar1'), operand(run, 'mean2'), operand(run, 'logvar2')),
  }),
  approx_standard_normal_cdf: run => ({ cdf: approxStandardNormalCdf(run.input('x')) }),
  discretized_gaussian_log_likelihood: run => {
    const x = run.input('x');
    const parameters = { means: run.input('means'), logScales: run.input('log_scales') };
    const { means, logScales } = grad((p: typeof parameters) => sum(discretizedGaussianLogLikelihood(x, p)))(
      parameters,
    );
    const log_prob = discretizedGaussianLogLikelihood(x, parameters);
    return { log_prob, grad_means: means, grad_log_scales: logScales };
  },
};

// ---- Comparing ----------------------------------------------------------------------------------------------------

/** Whole trajectories, for which the README allows float64 more. */
const recursions: readonly string[] = ['p_sample_loop', 'ddim_sample_loop'];

const elements = async (x: Tensor) => ({ shape: x.shape, data: await x.data() });

/** Tail cases in float32 are rounding noise; what holds is that no logarithm is below that of the clamp. */
const checkTail = async (name: string, { log_prob }: Outputs): Promise<void> => {
  const lowest = Math.fround(Math.log(1e-12));
  for (const value of await log_prob!.data()) {
    expect(value, `${name}, log_prob`).toBeGreaterThanOrEqual(lowest - 1e-5);
    expect(value, `${name}, log_prob`).toBeLessThanOrEqual(0);
  }
};

const compare = async (testCase: GoldenCase, group: GoldenGroup, run: Run, outputs: Outputs): Promise<void> => {
  const expected = objectOf(at(testCase, 'out64'));
  const where = `${testCase.name} in ${run.dtype}`;
  // Both ways, so that no output of the reference or of ours goes unchecked.
  expect(Object.keys(outputs).sort(), where).toEqual(Object.keys(expected).sort());
  if (run.dtype === 'float32' && flag(run.args.tail)) {
    await checkTail(where, outputs);
    return;
  }
  for (const [name, ref] of Object.entries(expected)) {
    const [got, wanted] = [outputs[name]!, group.tensor(ref)];
    expect(got.dtype, `${where}, ${name}`).toBe(run.dtype);
    if (run.dtype === 'float32') {
      withinF32(`${where}, ${name}`, await elements(got), wanted, objectOf(testCase.f32_err)[name]);
    } else {
      const bound = recursions.includes(stringOf(run.args.fn)) ? 1e-9 : 1e-12;
      withinF64(`${where}, ${name}`, await elements(got), wanted, bound);
    }
  }
};

/** The samplers of timesteps have states in float64, weights in float32, and no other precision. */
const samplers: Readonly<Record<string, (run: Run) => Outputs>> = {
  UniformSampler: run => {
    const sampler = uniformSampler(numberOf(run.args.num_timesteps));
    const state = sampler.init();
    return {
      weights: sampler.weights(state),
      importance_weights: sampler.importanceWeights(state, run.input('indices')),
    };
  },
  LossSecondMomentResampler: run => {
    const sampler = lossSecondMomentSampler(numberOf(run.args.num_timesteps), {
      historyPerTerm: numberOf(run.args.history_per_term),
      uniformProb: numberOf(run.args.uniform_prob),
    });
    const rows = (name: string): readonly (readonly number[])[] => run.input(name).toArray() as number[][];
    const [ts, losses, indices] = [rows('ts'), rows('losses'), run.input('indices')];
    let state = sampler.init();
    const states = ts.map((t, k) => {
      state = sampler.update(state, tensor(t, { dtype: 'int32' }), tensor(losses[k]!, { dtype: run.dtype }));
      return state;
    });
    return {
      weights: stack(states.map(each => sampler.weights(each))),
      counts: stack(states.map(each => each.lossCounts)),
      importance_weights: stack(states.map(each => sampler.importanceWeights(each, indices))),
    };
  },
};

const checkSampler = async (testCase: GoldenCase, group: GoldenGroup, outputs: Outputs): Promise<void> => {
  const expected = objectOf(at(testCase, 'out'));
  expect(Object.keys(outputs).sort(), testCase.name).toEqual(Object.keys(expected).sort());
  for (const [name, ref] of Object.entries(expected)) {
    const [where, got, wanted] = [`${testCase.name}, ${name}`, outputs[name]!, group.tensor(ref)];
    if (wanted.dtype === 'I32') exactly(where, await elements(got), wanted);
    else if (wanted.dtype === 'F64') withinF64(where, await elements(got), wanted);
    else withinF32(where, await elements(got), wanted, undefined);
  }
};

const check = async (testCase: GoldenCase, group: GoldenGroup, dtypes: readonly FloatDType[]): Promise<void> => {
  const fn = stringOf(at(testCase, 'args', 'fn'));
  if (Object.hasOwn(samplers, fn)) {
    await checkSampler(testCase, group, samplers[fn]!(runOf(testCase, group, 'float32')));
    return;
  }
  const compute = Object.hasOwn(functions, fn) ? functions[fn]! : unknownCase('function', fn);
  for (const dtype of dtypes) {
    const run = runOf(testCase, group, dtype);
    if (testCase.error === undefined) await compare(testCase, group, run, await compute(run));
    else await expect(async () => compute(run), testCase.name).rejects.toThrow(TenfoldError);
  }
};

/** Tests of the group in these precisions, on the device that is in use when they run. */
export const diffusionTests = (dtypes: readonly FloatDType[]): void => {
  const suite = selected('gaussian_diffusion') ? describe : describe.skip;
  suite('gaussian_diffusion', () => {
    const tests = goldenTests('gaussian_diffusion', (testCase, group) => check(testCase, group, dtypes));
    for (const { title, run } of tests) it(title, run);

    it('has the model, the condition and the denoiser of the index', () => {
      const { index } = readGroup('gaussian_diffusion');
      for (const [name, formula] of Object.entries(formulas)) expect(index[name]).toBe(formula);
    });
  });
};
