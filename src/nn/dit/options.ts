/** Options of diffusion transformers, with the paper's sizes by name. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { checkArgument, checkInteger } from '../../tensor/shape.js';

const sizes = {
  S: { depth: 12, hiddenSize: 384, numHeads: 6 },
  B: { depth: 12, hiddenSize: 768, numHeads: 12 },
  L: { depth: 24, hiddenSize: 1024, numHeads: 16 },
  XL: { depth: 28, hiddenSize: 1152, numHeads: 16 },
} as const;

/** A size and the length of a patch, as the paper names them. */
export type DitName = `DiT-${keyof typeof sizes}/${2 | 4 | 8}`;

/** Options of {@link dit}: those of facebookresearch/DiT in camel case. */
export interface DitOptions {
  /** Gives `depth`, `hiddenSize`, `numHeads` and `patchSize`; those beside it count more. Default 'DiT-XL/2'. */
  readonly name?: DitName;
  /** Blocks. */
  readonly depth?: number;
  /** Length of the vector of a patch: a multiple of 4 and of the number of heads. */
  readonly hiddenSize?: number;
  /** Heads of each attention. */
  readonly numHeads?: number;
  /** Height and width of a patch. */
  readonly patchSize?: number;
  /** Height and width of x, a multiple of `patchSize`. Default 32. */
  readonly inputSize?: number;
  /** Channels of x. Default 4. */
  readonly inChannels?: number;
  /** How many times as wide as `hiddenSize` the layers after the attention are. Default 4. */
  readonly mlpRatio?: number;
  /** How many classes y is from; none if left out. */
  readonly numClasses?: number;
  /** The probability with which in training a class is replaced by the one for none, `numClasses`. Default 0.1; with 0 there is none. */
  readonly classDropoutProb?: number;
  /** Whether the result has twice the channels of x. Default true. */
  readonly learnSigma?: boolean;
  /** Whether derivatives compute the inside of blocks once more instead of keeping it. Default false. */
  readonly checkpointing?: boolean;
}

/** Options with their defaults. */
export interface DitPlan extends Required<Omit<DitOptions, 'name' | 'numClasses'>> {
  readonly numClasses: number | undefined;
  readonly outChannels: number;
  /** Patches along an axis. */
  readonly grid: number;
  readonly mlpSize: number;
}

const names = Object.keys(sizes).flatMap(size => [2, 4, 8].map(patch => `DiT-${size}/${patch}`));

const named = (name: unknown) => {
  if (typeof name === 'string' && names.includes(name)) {
    const [size, patch] = name.slice('DiT-'.length).split('/') as [keyof typeof sizes, string];
    return { ...sizes[size], patchSize: Number(patch) };
  }
  throw new ArgumentError({
    operation: 'dit',
    given: `${typeof name === 'string' ? `'${name}'` : kindOf(name)} as name`,
    rule: `the names are ${names.join(', ')}`,
    hint: 'Leave it out, and give depth, hiddenSize, numHeads and patchSize for another size.',
  });
};

/** @internal */
export const ditPlanOf = (options: DitOptions): DitPlan => {
  checkOptions(
    'dit',
    [
      ...['name', 'depth', 'hiddenSize', 'numHeads', 'patchSize', 'inputSize', 'inChannels', 'mlpRatio', 'numClasses'],
      ...['classDropoutProb', 'learnSigma', 'checkpointing'],
    ],
    options,
  );
  const { name: given = 'DiT-XL/2' } = options;
  const usual = named(given);
  const count = (name: keyof DitOptions, otherwise: number): number => {
    const { [name]: value = otherwise } = options;
    checkInteger('dit', name, value as number, 1, 2 ** 31 - 1);
    return value as number;
  };
  const flag = (name: keyof DitOptions, otherwise: boolean): boolean => {
    const { [name]: value = otherwise } = options;
    checkFlag('dit', name, value);
    return value as boolean;
  };
  const [depth, hiddenSize, numHeads] = [
    count('depth', usual.depth),
    count('hiddenSize', usual.hiddenSize),
    count('numHeads', usual.numHeads),
  ];
  const [patchSize, inputSize, inChannels] = [
    count('patchSize', usual.patchSize),
    count('inputSize', 32),
    count('inChannels', 4),
  ];
  const numClasses = options.numClasses === undefined ? undefined : count('numClasses', 1);
  const { mlpRatio = 4, classDropoutProb = 0.1 } = options;
  checkNumber('dit', 'mlpRatio', mlpRatio, 'positive');
  checkArgument(
    typeof classDropoutProb === 'number' && classDropoutProb >= 0 && classDropoutProb < 1,
    'dit',
    `${kindOf(classDropoutProb)} as classDropoutProb`,
    'it is a probability from 0 to less than 1',
    'Give 0 for classes that are never left out.',
  );
  checkArgument(
    hiddenSize % 4 === 0 && hiddenSize % numHeads === 0,
    'dit',
    `hiddenSize ${hiddenSize} with ${numHeads} heads`,
    'it is a multiple of 4, for sines of two coordinates, and of the number of heads',
    'Use another size, or other heads.',
  );
  checkArgument(
    inputSize % patchSize === 0,
    'dit',
    `inputSize ${inputSize} with patches of ${patchSize}`,
    'the input is cut into whole patches',
    'Use smaller patches, or pad the pictures.',
  );
  const mlpSize = Math.floor(hiddenSize * mlpRatio);
  checkArgument(
    mlpSize >= 1,
    'dit',
    `mlpRatio ${mlpRatio} of ${hiddenSize}`,
    'there is one hidden element at least',
    'Leave it out for 4.',
  );
  const learnSigma = flag('learnSigma', true);
  return Object.freeze({
    depth,
    hiddenSize,
    numHeads,
    patchSize,
    inputSize,
    inChannels,
    mlpRatio,
    numClasses,
    classDropoutProb,
    learnSigma,
    checkpointing: flag('checkpointing', false),
    outChannels: learnSigma ? 2 * inChannels : inChannels,
    grid: inputSize / patchSize,
    mlpSize,
  });
};
