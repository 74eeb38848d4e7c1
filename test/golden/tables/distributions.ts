/** Distributions as PyTorch has them. */
import { add, mul, onesLike, stopGradient, sub, sum, type Tensor } from 'tenfold';
import * as families from 'tenfold/distributions';
import { cdf, type Distribution, entropy, icdf, klDivergence, logProb, mean, variance } from 'tenfold/distributions';
import { type Args, type Inputs, type Operation, type Operations, withDerivative } from '../operations.js';
import { numberOf, stringOf, unknownCase } from '../read.js';
import { lacking } from './unary.js';

type Constructor = (parameters: Readonly<Record<string, Tensor | number>>) => Distribution;

/** The distribution that a case names, of the inputs whose names begin with a prefix. */
const made = (inputs: Inputs, { distribution, total_count: totalCount }: Args, prefix = ''): Distribution => {
  const title = stringOf(distribution!);
  const name = `${title.charAt(0).toLowerCase()}${title.slice(1)}`;
  if (!Object.hasOwn(families, name)) return unknownCase('distribution', title);
  const own = Object.entries(inputs).filter(([input]) => input !== 'value' && input.startsWith(prefix));
  const camelCase = (input: string): string => input.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const parameters = Object.fromEntries(own.map(([input, x]) => [camelCase(input.slice(prefix.length)), x]));
  const count = totalCount === undefined ? {} : { totalCount: numberOf(totalCount) };
  // The entropy of a multivariate normal distribution is asked for without its mean.
  const center = name === 'multivariateNormal' ? { loc: 0 } : {};
  return (families as unknown as Readonly<Record<string, Constructor>>)[name]!({ ...center, ...parameters, ...count });
};

const ofValues =
  (f: (d: Distribution, x: Tensor) => Tensor): Operation =>
  (inputs, args) =>
    f(made(inputs, args), inputs.value!);

const ofDistribution =
  (f: (d: Distribution) => Tensor): Operation =>
  (inputs, args) =>
    f(made(inputs, args));

/** Terms `factor · digamma(at)` of a result. */
type Terms = readonly (readonly [factor: Tensor, at: Tensor])[];

const betaTerms = (a: Tensor, b: Tensor, c: Tensor, d: Tensor): Terms => {
  const all = add(a, b) as Tensor;
  return [
    [sub(c, a) as Tensor, a],
    [sub(d, b) as Tensor, b],
    [sub(sub(all, c), d) as Tensor, all],
  ];
};

const gammaTerms = (a: Tensor): Terms => [[sub(1, a) as Tensor, a]];

const entropyTerms: Readonly<Record<string, (inputs: Inputs) => Terms>> = {
  Beta: ({ concentration1: a, concentration0: b }) => betaTerms(a!, b!, onesLike(a!), onesLike(b!)),
  Gamma: ({ concentration: a }) => gammaTerms(a!),
  Chi2: ({ df }) => gammaTerms(mul(df!, 0.5) as Tensor),
  StudentT: ({ df }) => {
    const [half, more] = [mul(df!, 0.5) as Tensor, mul(add(df!, 1), 0.5) as Tensor];
    return [
      [more, more],
      [mul(more, -1) as Tensor, half],
    ];
  },
};

const klTerms: Readonly<Record<string, (inputs: Inputs) => Terms>> = {
  Gamma: ({ p_concentration: a, q_concentration: b }) => [[sub(a!, b!) as Tensor, a!]],
  Beta: inputs =>
    betaTerms(
      inputs.p_concentration1!,
      inputs.p_concentration0!,
      inputs.q_concentration1!,
      inputs.q_concentration0!,
    ).map(([factor, at]) => [mul(factor, -1) as Tensor, at]),
  Dirichlet: ({ p_concentration: a, q_concentration: b }) => {
    const difference = sub(a!, b!) as Tensor;
    const all = sum(a!, { axis: -1 }) as Tensor;
    return [
      [difference, a!],
      [mul(sum(difference, { axis: -1 }), -1) as Tensor, all],
    ];
  },
};

/** With the derivative that PyTorch has, whose digamma lacks some of its own. */
const truncated =
  (operation: Operation, terms: typeof klTerms): Operation =>
  (inputs, args, ...others) => {
    const y = operation(inputs, args, ...others) as Tensor;
    const lacks = (terms[stringOf(args.distribution!)]?.(inputs) ?? []).map(([factor, at]) => {
      const each = mul(stopGradient(mul(factor, lacking(at)) as Tensor), at) as Tensor;
      return each.shape.length > y.shape.length ? (sum(each, { axis: -1 }) as Tensor) : each;
    });
    const derivative = lacks.reduce<Tensor>((rest, lack) => sub(rest, lack) as Tensor, y);
    return withDerivative(y, derivative);
  };

export const distributions: Operations = {
  log_prob: ofValues(logProb),
  cdf: ofValues(cdf),
  icdf: ofValues(icdf),
  mean: ofDistribution(mean),
  variance: ofDistribution(variance),
  entropy: truncated(ofDistribution(entropy), entropyTerms),
  kl: truncated((inputs, args) => klDivergence(made(inputs, args, 'p_'), made(inputs, args, 'q_')), klTerms),
  // Draws from noise: a uniform number by the inverse of the distribution function, a normal one by location and scale.
  rsample: ({ eps, u, ...parameters }, args) => {
    const d = made(parameters, args);
    if (u !== undefined) return icdf(d, u);
    const { loc, scale } = (d as Distribution<'normal'>).parameters;
    return add(loc, mul(scale, eps!)) as Tensor;
  },
};
