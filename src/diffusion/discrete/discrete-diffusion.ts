/**
 * Diffusion over states 0 … K − 1 as a value: how likely a step leads from one state to another. Plain frozen data in
 * float64; everything done with it is a function that takes it first.
 */
import { ArgumentError, ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { checkArgument, checkInteger, range } from '../../tensor/shape.js';
import { checkBetas, cumulativeAlphas } from '../schedules/coefficients.js';

/** To which states noise leads: to all alike, to a mask that stays one, or wherever matrices say. */
export type DiscreteKind = 'uniform' | 'absorbing' | 'general';

/** Transition probabilities: entry [i][j] is that of state j after state i. */
export type TransitionMatrix = readonly (readonly number[])[];

/** Options of {@link discreteDiffusion}: betas of a kind, or matrices. */
export type DiscreteDiffusionOptions =
  | {
      /** K, the number of states; that of the mask counts. */
      readonly states: number;
      /** βₜ, the probability that step t replaces a state, each in (0, 1]. */
      readonly betas: ArrayLike<number>;
      readonly kind: 'uniform' | 'absorbing';
      /** For the absorbing kind, the state that is the mask. Default K − 1. */
      readonly mask?: number;
    }
  | {
      /** Qₜ, one a timestep, each [K][K] with rows of sum 1. */
      readonly matrices: readonly TransitionMatrix[];
      /** The distribution that sampling starts from. Default the uniform one. */
      readonly limit?: readonly number[];
    };

/** A diffusion over states. Frozen plain data; t = 0 is the step next to the data. */
export interface DiscreteDiffusion {
  readonly kind: DiscreteKind;
  /** K. */
  readonly states: number;
  /** T. */
  readonly numTimesteps: number;
  /** The state that is the mask, null for kinds without. The data do not hold it. */
  readonly mask: number | null;
  /** Where the process leads to, and sampling starts from: K probabilities. */
  readonly limit: readonly number[];
  /** βₜ, null for the general kind: Qₜ = (1 − βₜ) I + βₜ 1 limitᵀ. */
  readonly betas: readonly number[] | null;
  /** ᾱₜ = ∏ₛ≤ₜ (1 − βₛ), null for the general kind: Q̄ₜ = ᾱₜ I + (1 − ᾱₜ) 1 limitᵀ. */
  readonly alphasCumprod: readonly number[] | null;
  /** Qₜ of the general kind, null for the others. */
  readonly matrices: readonly TransitionMatrix[] | null;
  /** Q̄ₜ = Q₀ Q₁ … Qₜ of the general kind, null for the others. */
  readonly matricesCumprod: readonly TransitionMatrix[] | null;
  /** Entry t is what the network knows timestep t as: t itself, unless the diffusion was respaced. Rising. */
  readonly timestepMap: readonly number[];
}

const kinds: readonly string[] = ['uniform', 'absorbing', 'general'] satisfies readonly DiscreteKind[];

/** The most states: indices of matrices are int32. */
const maxStates = 2 ** 31 - 1;

const isDistribution = (row: unknown, length: number): boolean =>
  Array.isArray(row) &&
  row.length === length &&
  row.every(p => typeof p === 'number' && p >= 0) &&
  Math.abs(row.reduce((sum, p) => sum + p, 0) - 1) < 1e-6;

/** @internal What two steps are together. */
export const product = (a: TransitionMatrix, b: TransitionMatrix): TransitionMatrix =>
  a.map(row => b[0]!.map((_, j) => row.reduce((sum, p, k) => sum + p * b[k]![j]!, 0)));

/** @internal A copy that nobody changes. */
export const frozen = (matrices: readonly TransitionMatrix[]): readonly TransitionMatrix[] =>
  Object.freeze(matrices.map(matrix => Object.freeze(matrix.map(row => Object.freeze([...row])))));

const checkMatrices = (operation: string, matrices: readonly TransitionMatrix[]): number => {
  const first: unknown = Array.isArray(matrices) ? matrices[0] : undefined;
  const states = Array.isArray(first) ? first.length : 0;
  const bad = Array.isArray(matrices)
    ? matrices.findIndex(
        matrix =>
          !(Array.isArray(matrix) && matrix.length === states && matrix.every(row => isDistribution(row, states))),
      )
    : 0;
  if (states >= 2 && bad < 0) return states;
  throw new ScheduleError({
    operation,
    given: Array.isArray(matrices) && matrices.length > 0 ? `matrix ${Math.max(bad, 0)}` : kindOf(matrices),
    rule: 'matrices are [T][K][K], K at least 2, each row K probabilities of sum 1',
    hint: 'Entry [i][j] is the probability of state j after state i.',
  });
};

const general = (
  operation: string,
  { matrices, limit }: Extract<DiscreteDiffusionOptions, { readonly matrices: unknown }>,
): DiscreteDiffusion => {
  const states = checkMatrices(operation, matrices);
  const uniform = range(states).fill(1 / states);
  checkArgument(
    limit === undefined || isDistribution(limit, states),
    operation,
    `${kindOf(limit)} as the limit`,
    `the limit is ${states} probabilities of sum 1, one a state`,
    'Leave it out for the uniform distribution.',
  );
  const cumprod: TransitionMatrix[] = [];
  for (const matrix of matrices) cumprod.push(cumprod.length === 0 ? matrix : product(cumprod.at(-1)!, matrix));
  return Object.freeze({
    kind: 'general',
    states,
    numTimesteps: matrices.length,
    mask: null,
    limit: Object.freeze([...(limit ?? uniform)]),
    betas: null,
    alphasCumprod: null,
    matrices: frozen(matrices),
    matricesCumprod: frozen(cumprod),
    timestepMap: Object.freeze(range(matrices.length)),
  });
};

/** @internal The state that is the mask, the last one where none is given. */
export const maskOf = (operation: string, states: number, mask: number = states - 1): number =>
  checkInteger(operation, 'mask', mask, 0, states - 1);

/**
 * A diffusion over states (D3PM). A step of the uniform kind keeps a state with probability 1 − βₜ and else draws any
 * of the K; one of the absorbing kind makes a mask of it instead, which stays one. Both are closed forms without
 * matrices. Any other process is given by its matrices.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, section 3.1 and appendices A.2.1 (uniform), A.2.2 (absorbing).
 *
 * @param options see {@link DiscreteDiffusionOptions}; for the absorbing kind βₜ = 1 / (T − t) masks the same share at
 *   each step
 * @returns a frozen value
 * @throws ScheduleError for betas outside (0, 1] and matrices whose rows are no distributions
 * @throws IndexError for a number of states or a mask that is none, ArgumentError for another kind or option
 * @example
 * ```js
 * import { discreteDiffusion } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.25, 0.5, 1], kind: 'absorbing' });
 * diffusion.mask; // => 2
 * diffusion.alphasCumprod; // => [0.75, 0.375, 0]
 * ```
 */
export const discreteDiffusion = (options: DiscreteDiffusionOptions): DiscreteDiffusion => {
  const operation = 'discreteDiffusion';
  if (options !== undefined && options !== null && 'matrices' in Object(options)) {
    checkOptions(operation, ['matrices', 'limit'], options);
    return general(operation, options as never);
  }
  checkOptions(operation, ['states', 'betas', 'kind', 'mask'], options);
  const { states, betas, kind, mask } = (options ?? {}) as Extract<DiscreteDiffusionOptions, { states: number }>;
  checkInteger(operation, 'the number of states', states, 2, maxStates);
  if (kind !== 'uniform' && kind !== 'absorbing') {
    throw new ArgumentError({
      operation,
      given: `the kind ${typeof kind === 'string' ? `'${kind}'` : kindOf(kind)}`,
      rule: "a kind is 'uniform' or 'absorbing'",
      hint: 'Give matrices for any other process.',
    });
  }
  checkArgument(
    mask === undefined || kind === 'absorbing',
    operation,
    'a mask for the uniform kind',
    'only the absorbing kind has a mask',
    "Take the kind 'absorbing', or leave the mask out.",
  );
  const checked = checkBetas(operation, betas);
  const absorbed = kind === 'absorbing' ? maskOf(operation, states, mask) : null;
  return Object.freeze({
    kind,
    states,
    numTimesteps: checked.length,
    mask: absorbed,
    limit: Object.freeze(range(states).map(i => (absorbed === null ? 1 / states : Number(i === absorbed)))),
    betas: checked,
    alphasCumprod: Object.freeze(cumulativeAlphas(checked)),
    matrices: null,
    matricesCumprod: null,
    timestepMap: Object.freeze(range(checked.length)),
  });
};

/**
 * @internal Refuses what is no diffusion over states.
 *
 * @throws ArgumentError
 */
export const checkDiscrete = (operation: string, diffusion: DiscreteDiffusion): void => {
  const { kind, states, numTimesteps, mask, limit, betas, alphasCumprod, matrices, matricesCumprod, timestepMap } =
    diffusion ?? ({} as DiscreteDiffusion);
  const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  const areNumbers = (values: unknown, length: number): boolean =>
    Array.isArray(values) && values.length === length && values.every(value => typeof value === 'number');
  const areMatrices = (values: unknown): boolean =>
    Array.isArray(values) &&
    values.length === numTimesteps &&
    values.every(rows => Array.isArray(rows) && rows.length === states && rows.every(row => areNumbers(row, states)));
  const perStep = (values: unknown): boolean =>
    kind === 'general' ? areMatrices(values) : areNumbers(values, numTimesteps);
  const [own, none] =
    kind === 'general'
      ? [
          [matrices, matricesCumprod],
          [betas, alphasCumprod],
        ]
      : [
          [betas, alphasCumprod],
          [matrices, matricesCumprod],
        ];
  const hasMask = kind === 'absorbing' ? Number.isSafeInteger(mask) && mask! >= 0 && mask! < states : mask === null;
  checkArgument(
    kinds.includes(kind) &&
      [states, numTimesteps].every(isWhole) &&
      hasMask &&
      areNumbers(limit, states) &&
      areNumbers(timestepMap, numTimesteps) &&
      own.every(perStep) &&
      none.every(values => values === null),
    operation,
    `${kindOf(diffusion)} as the diffusion`,
    'it takes a diffusion over states, whole',
    'Make one with discreteDiffusion({ states, betas, kind }).',
  );
};
