/** The seam between suites and implementations: named programs, and libraries that can prepare them. */
import type { Input } from './inputs.js';

/**
 * The programs by name. Each takes its inputs in this order:
 *
 * - `squarePlusOne` a ↦ a·a + 1; `tanhChain` x ↦ ten times tanh(1.1·x + 0.1); `sum` of all; `affine` x ↦ 3·x + 2
 * - `softmax` of the rows of x [n, m]; `layerNorm` of them: x, weight [m], bias [m]
 * - `groupNormSilu` x [n, c, h, w] in 32 groups, weight [c], bias [c]: normalised, scaled, x·sigmoid(x)
 * - `adam` p, g, m, v ↦ p, m, v after the update of step 10
 * - `matmul` a [..., n, m], b [..., m, l]; `matmulLeft` with a transposed before, `matmulRight` with b transposed before:
 *   both are matrices, and the transposition is a part of the program
 * - `conv` x [n, c, h, w], kernel [o, c, k, k] ↦ the convolution with a padding of (k − 1) / 2; `convInput`, `convKernel` x,
 *   kernel, the result's cotangent ↦ that of x, of the kernel. With `/2` the stride is 2, else 1
 * - operations: those of x [n, m] along its rows are `gelu`, `cumsum`, `logsumexp`, `argmax`, `topK` (the ten largest), `sortRows`;
 *   `takeRows` x [n, m], indices [k]; `addRows` updates [k, m], indices [k] of {@link segments}; `maxPool` of x [n, c, h, w]
 *   over 2 × 2 elements, `maxPoolInput` x and the result's cotangent ↦ that of x; `upsample` by 2, linearly;
 *   `attentionScores` queries [n, q, h, d], keys [n, k, h, d] ↦ [n, h, q, k]
 * - decompositions of matrices a [..., n, n]: `cholesky`; `lu` ↦ its factors; `triangularSolve` lower a, y [n, m];
 *   `solve` a, y; `inverse`; `eigh` ↦ eigenvalues, sizes of the vectors' elements; `svd` of a [m, n] ↦ singular values, sizes
 *   of the elements of u and of vᵀ: vectors have no sign of their own
 * - transforms: `fft` of the rows of re, im ↦ re, im; `fft2` of both axes; `rfft` of the rows of x ↦ re, im of the half
 * - `sampling` x [n, d], noise [T, n, d], coefficients [T, 3], times [T, h], then weight and bias of three layers ↦ x after
 *   T steps x ↦ a·x + b·f(x) + c·noise, where f is the network, told the time in its first layer
 * - `mlpStep` x [n, d], y [n, classes], weights and biases of the layers, their first moments, second moments ↦ loss, all of those
 *   anew: ReLU between the layers, cross-entropy, Adam
 * - `trainStep` x, y, then parameters, first moments, second moments of a residual network ↦ loss, all of those anew
 * - `unetStep` x, y [n, c, h, w], time [n, e], then the same of the network of `networks/unet.ts`: squared error, Adam
 * - `transformerStep` x, y [tokens, kinds], rows of one 1 and zeros, then the same of `networks/transformer.ts`: cross-entropy, Adam
 * - `unetDdpm` x [n, c, h, w], noise [T, n, c, h, w], coefficients [T, 5], times [T, e] of `networks/schedule.ts`, then parameters
 *   of the U-Net, which predicts noise ↦ x after T steps of ancestral sampling; `unetDpm` the same of DPM-Solver++(2M), without noise
 */
export type ProgramName =
  | 'squarePlusOne'
  | 'tanhChain'
  | 'softmax'
  | 'layerNorm'
  | 'groupNormSilu'
  | 'adam'
  | 'sum'
  | 'affine'
  | 'matmul'
  | 'matmulLeft'
  | 'matmulRight'
  | ConvolutionName
  | OperationName
  | DecompositionName
  | TransformName
  | 'sampling'
  | 'mlpStep'
  | 'trainStep'
  | NetworkStepName
  | SamplerName;

/** An operation by itself. */
export type OperationName =
  | 'gelu'
  | 'cumsum'
  | 'logsumexp'
  | 'argmax'
  | 'topK'
  | 'sortRows'
  | 'takeRows'
  | 'addRows'
  | 'maxPool'
  | 'maxPoolInput'
  | 'upsample'
  | 'attentionScores';

/** A decomposition of matrices, or what is made of one. */
export type DecompositionName = 'cholesky' | 'lu' | 'triangularSolve' | 'solve' | 'inverse' | 'eigh' | 'svd';

/** A Fourier transform. */
export type TransformName = 'fft' | 'fft2' | 'rfft';

/** A training step of a network of `networks/`. */
export type NetworkStepName = 'unetStep' | 'transformerStep';

/** A sampler whose model is the U-Net. */
export type SamplerName = 'unetDdpm' | 'unetDpm';

/** How many rows `addRows` has. */
export const segments = 100;

/** A convolution or one of its gradients. */
type Convolution = 'conv' | 'convInput' | 'convKernel';
export type ConvolutionName = Convolution | `${Convolution}/2`;

type Program<T> = (...inputs: readonly T[]) => readonly T[];

/** Implementations of all programs with a library's tensors. */
export type Programs<T> = { readonly [Name in ProgramName]: Program<T> };

/** Those that are operations by themselves. */
export type Operations<T> = Pick<Programs<T>, OperationName>;

/** Those that are decompositions, and those that are transforms. */
export type Decompositions<T> = Pick<Programs<T>, DecompositionName>;
export type Transforms<T> = Pick<Programs<T>, TransformName>;

/** Those of the networks, and those that sample. */
export type NetworkSteps<T> = Pick<Programs<T>, NetworkStepName>;
export type Samplers<T> = Pick<Programs<T>, SamplerName>;

/** The programs of convolutions, from what they are for a stride. */
export const convolutions = <T>(
  of: (stride: number) => { readonly [Name in Convolution]: Program<T> },
): Pick<Programs<T>, ConvolutionName> => {
  const [one, two] = [of(1), of(2)];
  return { ...one, 'conv/2': two.conv, 'convInput/2': two.convInput, 'convKernel/2': two.convKernel };
};

/** The padding of a convolution, from the length of its kernel. */
export const paddingOf = (kernel: number): number => (kernel - 1) / 2;

/** A program with inputs at hand. */
export interface Prepared {
  /** Computes the results, does not read them, drops them. */
  readonly compute: () => void | Promise<void>;
  /** Computes the results and reads them. */
  readonly read: () => readonly Float32Array[] | Promise<readonly Float32Array[]>;
  /** Drops the inputs. */
  readonly dispose: () => void | Promise<void>;
}

export interface Library {
  /** The `impl` of its rows. */
  readonly name: string;
  readonly threads: number;
  /** Whether a program's first call does more than a later one. */
  readonly compiles: boolean;
  /** Makes it the one that computes, where several share a state. */
  readonly enter: () => Promise<void>;
  /** Waits until it takes no time from others. */
  readonly leave?: () => Promise<void>;
  /** Why it cannot take part in a program, if so. */
  readonly refusal?: (program: ProgramName) => string | null;
  /** A program, compiled as a function beforehand where `jitted`; what has no such thing prepares it as it is. */
  readonly prepare: (program: ProgramName, inputs: readonly Input[], jitted: boolean) => Prepared | Promise<Prepared>;
}

/** Constants of the programs. */
export const groups = 32;
export const epsilon = 1e-5;
export const adamOptions = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 10 } as const;

/** 1 / (1 − βᵗ) for both moments. */
export const unbias = {
  first: 1 / (1 - adamOptions.beta1 ** adamOptions.step),
  second: 1 / (1 - adamOptions.beta2 ** adamOptions.step),
} as const;

/**
 * The inputs of `trainStep`, `mlpStep` or `transformerStep`, apart. Parameters of the first: first weight and bias; for each block
 * gain, shift, and weight and bias twice; last weight and bias.
 */
export const partsOfStep = <T>(inputs: readonly T[]) => {
  const count = (inputs.length - 2) / 3;
  const part = (i: number): readonly T[] => inputs.slice(2 + i * count, 2 + (i + 1) * count);
  return { x: inputs[0]!, y: inputs[1]!, params: part(0), first: part(1), second: part(2) };
};

/** The inputs of `unetStep`, apart. */
export const partsOfUnetStep = <T>([x, y, time, ...rest]: readonly T[]) => ({
  time: time!,
  ...partsOfStep([x!, y!, ...rest]),
});

/** The inputs of `unetDdpm`, apart, and those of `unetDpm`. */
export const partsOfDdpm = <T>([x, noise, coefficients, times, ...params]: readonly T[]) => ({
  x: x!,
  noise: noise!,
  coefficients: coefficients!,
  times: times!,
  params,
});
export const partsOfDpm = <T>([x, coefficients, times, ...params]: readonly T[]) => ({
  x: x!,
  coefficients: coefficients!,
  times: times!,
  params,
});

/** The inputs of `sampling`, apart. */
export const partsOfSampling = <T>(inputs: readonly T[]) => {
  const [x, noise, coefficients, times, ...layers] = inputs as [T, T, T, T, T, T, T, T, T, T];
  return { x, noise, coefficients, times, layers };
};

/** The parameters of the network of `trainStep`, apart. */
export const partsOfNetwork = <T>(params: readonly T[]) => ({
  first: params.slice(0, 2) as [T, T],
  blocks: Array.from(
    { length: (params.length - 4) / 6 },
    (_, i) => params.slice(2 + 6 * i, 8 + 6 * i) as [T, T, T, T, T, T],
  ),
  last: params.slice(-2) as [T, T],
});
