/** What a distribution is, and what the constructors of all families share. */
import type { Key } from '../random/key.js';
import type { FloatDType } from '../tensor/dtype.js';
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { commonOperands, isWeakNumber, unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';

type Tensors<Names extends string> = Readonly<Record<Names, Tensor>>;

/** The parameters of every family, as a distribution holds them: broadcast to its batch and in its dtype. */
export interface Families {
  readonly normal: Tensors<'loc' | 'scale'>;
  readonly logNormal: Tensors<'loc' | 'scale'>;
  readonly uniform: Tensors<'low' | 'high'>;
  readonly exponential: Tensors<'rate'>;
  readonly laplace: Tensors<'loc' | 'scale'>;
  readonly cauchy: Tensors<'loc' | 'scale'>;
  readonly gumbel: Tensors<'loc' | 'scale'>;
  readonly halfNormal: Tensors<'scale'>;
  readonly halfCauchy: Tensors<'scale'>;
  readonly weibull: Tensors<'scale' | 'concentration'>;
  readonly pareto: Tensors<'scale' | 'alpha'>;
  readonly gamma: Tensors<'concentration' | 'rate'>;
  readonly chi2: Tensors<'df'>;
  readonly beta: Tensors<'concentration1' | 'concentration0'>;
  readonly studentT: Tensors<'df' | 'loc' | 'scale'>;
  readonly bernoulli: Tensors<'probs' | 'logits'>;
  readonly geometric: Tensors<'probs'>;
  readonly poisson: Tensors<'rate'>;
  readonly binomial: Tensors<'probs' | 'logits'> & { readonly totalCount: number };
  readonly categorical: Tensors<'probs' | 'logits'>;
  readonly multinomial: Tensors<'probs' | 'logits'> & { readonly totalCount: number };
  readonly dirichlet: Tensors<'concentration'>;
  readonly multivariateNormal: Tensors<'loc' | 'scaleTril'>;
  readonly truncatedNormal: Tensors<'loc' | 'scale' | 'low' | 'high'>;
  readonly vonMises: Tensors<'loc' | 'concentration'>;
  readonly mixture: Tensors<'probs' | 'logits'> & { readonly components: Distribution };
}

/** The name of a family of distributions. */
export type Family = keyof Families;

/** A parameter as a constructor takes it: a tensor, or a number for all of the batch. */
export type Parameter = Tensor | number;

/** What a family says of its members; what it leaves out has no closed form. */
export interface Members {
  /** The logarithm of the density, or of the probability of a discrete value. */
  readonly logProb: (x: Tensor) => Tensor;
  /** Draws of a shape that ends in `batchShape` and `eventShape`. */
  readonly sample?: (key: Key, shape: Shape) => Tensor;
  readonly cdf?: (x: Tensor) => Tensor;
  readonly icdf?: (p: Tensor) => Tensor;
  readonly mean?: () => Tensor;
  readonly variance?: () => Tensor;
  readonly entropy?: () => Tensor;
}

/** A batch of distributions of one family: a frozen record, made by the family's constructor. */
export interface Distribution<F extends Family = Family> extends Members {
  readonly family: F;
  /** The shape of the parameters, the axes of an event aside. */
  readonly batchShape: Shape;
  /** The shape of one value: [] for a number, [k] for a vector. */
  readonly eventShape: Shape;
  readonly dtype: FloatDType;
  readonly parameters: Families[F];
}

/**
 * A distribution of which the first parameter has the shape of the batch and, behind it, `eventRank` axes of an event.
 *
 * @param isEvent whether those axes are axes of a value as well
 * @param eventShape that of a value, where neither is so
 */
export const define = <F extends Family>(
  family: F,
  parameters: Families[F],
  members: Members,
  {
    eventRank = 0,
    isEvent = eventRank > 0,
    eventShape,
  }: { readonly eventRank?: number; readonly isEvent?: boolean; readonly eventShape?: Shape } = {},
): Distribution<F> => {
  const { shape, dtype } = Object.values(parameters).find(isTensor)!;
  const rank = shape.length - eventRank;
  const made: Distribution<F> = {
    family,
    batchShape: shape.slice(0, rank),
    eventShape: eventShape ?? (isEvent ? shape.slice(rank) : []),
    dtype: dtype as FloatDType,
    parameters,
    ...members,
  };
  Object.freeze(parameters);
  return Object.freeze(made);
};

const domains = {
  real: { holds: Number.isFinite, rule: 'a finite number' },
  positive: { holds: (x: number) => x > 0 && x < Number.POSITIVE_INFINITY, rule: 'a finite number above 0' },
  probability: { holds: (x: number) => x >= 0 && x <= 1, rule: 'a number from 0 to 1' },
  chance: { holds: (x: number) => x > 0 && x <= 1, rule: 'a number above 0, up to 1' },
  logit: { holds: (x: number) => !Number.isNaN(x), rule: 'a number, perhaps infinite' },
};

/** Which numbers a parameter may be. Elements of tensors are not looked at: they may not be computed yet. */
type Domain = keyof typeof domains;

const checkParameter = (operation: string, name: string, value: unknown, domain: Domain): void => {
  if (isTensor(value)) return;
  const { holds, rule } = domains[domain];
  checkArgument(
    typeof value === 'number' && holds(value),
    operation,
    `${kindOf(value)} as ${name}`,
    `${name} is ${rule}, or a tensor of such`,
    `Write ${operation}({ ${name}: … }) with a number or tensor(…).`,
  );
};

/**
 * The parameters that a constructor was given, all of them, in one shape and float dtype.
 *
 * @param others names that may stand in the record beside them
 * @throws ArgumentError, ShapeError, DTypeError naming the operation
 */
export const readParameters = <Names extends string>(
  operation: string,
  given: unknown,
  wanted: Readonly<Record<Names, Domain>>,
  others: readonly string[] = [],
): Tensors<Names> => {
  const names = Object.keys(wanted) as Names[];
  const record = recordOf(operation, given, [...others, ...names]);
  for (const name of names) checkParameter(operation, name, record[name], wanted[name]);
  const isStrong = (x: unknown): boolean => isTensor(x) && !isWeakNumber(x);
  const values = names.map(name => record[name]);
  const operands = values.map(x =>
    isStrong(x) ? wrap(unaryOperand(operation, x, { toFloat: true })) : values.some(isStrong) ? x : asTensor(x),
  );
  const nodes = commonOperands(operation, operands, { toFloat: true });
  return Object.fromEntries(names.map((name, i) => [name, wrap(nodes[i]!)])) as Record<Names, Tensor>;
};

/**
 * Refuses numbers as bounds that have nothing between them.
 *
 * @throws ArgumentError
 */
export const checkBounds = (
  operation: string,
  { low, high }: { readonly low: Parameter; readonly high: Parameter },
): void =>
  checkArgument(
    typeof low !== 'number' || typeof high !== 'number' || low < high,
    operation,
    `low ${String(low)} and high ${String(high)}`,
    'low is below high',
    'Swap them, or give numbers that differ.',
  );

const asTensor = (x: unknown): unknown => (typeof x === 'number' ? tensor(x) : x);

/**
 * An object of these parameters.
 *
 * @throws ArgumentError for anything else, and for other names in it
 */
export const recordOf = (
  operation: string,
  given: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> => {
  const told = {
    rule: `its parameters are ${names.join(', ')}`,
    hint: `Write them as an object: ${operation}({ ${names[0]}: … }).`,
  };
  if (given === undefined) throw new ArgumentError({ operation, given: 'no parameters', ...told });
  checkOptions(operation, names, given, told);
  return given as Readonly<Record<string, unknown>>;
};
