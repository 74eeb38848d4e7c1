/** Checks of arguments that the functions of this folder share. */
import { keyNode } from '../random/key.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger, sameShape, showAval, sizeOf } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Tensors by the names of the parameters they were given for. */
export type Named = Readonly<Record<string, Tensor>>;

/** Names, dtypes and shapes of tensors, for messages. */
export const showNamed = (tensors: Named): string =>
  Object.entries(tensors)
    .map(([name, x]) => `${name} ${showAval(x)}`)
    .join(' and ');

/** Samples [N, …] as rows [N, d], also where there are none. */
export const eachFlat = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]) as Tensor;

/** A number, or what came in its place, for messages. */
export const showNumber = (value: unknown): string => (typeof value === 'number' ? String(value) : kindOf(value));

/**
 * Refuses whatever is no tensor.
 *
 * @throws ArgumentError naming the parameter
 */
export const checkTensors = (operation: string, tensors: Readonly<Record<string, unknown>>): void => {
  for (const [name, x] of Object.entries(tensors)) {
    if (isTensor(x)) continue;
    throw new ArgumentError({
      operation,
      given: `${name} of type ${x === null ? 'null' : typeof x}`,
      rule: `${name} is a tensor`,
      hint: 'Make one with tensor(…).',
    });
  }
};

/**
 * Refuses samples that are no floats, or of different shapes or dtypes.
 *
 * @throws ArgumentError, ShapeError, DTypeError with all shapes
 */
export const checkAlike = (operation: string, samples: Named): void => {
  checkTensors(operation, samples);
  const [first, ...others] = Object.values(samples);
  if (others.some(x => !sameShape(x.shape, first!.shape))) {
    throw new ShapeError({
      operation,
      given: showNamed(samples),
      rule: 'they have one shape',
      hint: 'Broadcast or reshape them beforehand.',
    });
  }
  if (!isFloat(first!.dtype) || others.some(x => x.dtype !== first!.dtype)) {
    throw new DTypeError({
      operation,
      given: showNamed(samples),
      rule: others.length === 0 ? 'the dtype is float32 or float64' : 'they have one dtype, float32 or float64',
      hint: "Cast them: cast(x, 'float32').",
    });
  }
};

/**
 * Refuses batches whose timesteps do not fit: samples [N, …] come with timesteps int32 [N].
 *
 * @throws ArgumentError, ShapeError, DTypeError with the shapes
 */
export const checkBatch = (operation: string, samples: Named, t: Tensor): void => {
  checkAlike(operation, samples);
  checkTensors(operation, { t });
  const [first] = Object.values(samples);
  const given = `${showNamed(samples)} and t ${showAval(t)}`;
  if (t.dtype !== 'int32') {
    throw new DTypeError({
      operation,
      given,
      rule: 'timesteps are int32',
      hint: "Make them with tensor([…], { dtype: 'int32' }).",
    });
  }
  if (first!.shape.length === 0 || t.shape.length !== 1 || t.shape[0] !== first!.shape[0]) {
    throw new ShapeError({
      operation,
      given,
      rule: 'samples of shape [N, …] come with timesteps of shape [N]',
      hint: 'For one timestep for all samples use full([N], t, { dtype: "int32" }).',
    });
  }
};

/**
 * Refuses whatever is no function.
 *
 * @throws ArgumentError naming the parameter
 */
export const checkFunctions = (operation: string, functions: Readonly<Record<string, unknown>>): void => {
  for (const [name, f] of Object.entries(functions)) {
    checkArgument(
      typeof f === 'function',
      operation,
      `${kindOf(f)} as ${name}`,
      `${name} is a function`,
      name === 'denoisedFn' ? 'Write x => ….' : 'Write (x, t) => …, or (x, t, extra) => ….',
    );
  }
};

/**
 * Refuses what is no finite number, or one of another sign.
 *
 * @throws ArgumentError, TraceError for a placeholder
 */
export const checkFinite = (
  operation: string,
  name: string,
  value: unknown,
  sign: 'any' | 'positive' | 'notNegative' = 'any',
): number => {
  const number = checkNumber(operation, name, value, sign);
  checkArgument(
    Number.isFinite(number),
    operation,
    `${name} = ${number}`,
    `${name} is finite`,
    'Give a finite number, or leave it out where it has a default.',
  );
  return number;
};

/**
 * Refuses what is none of the names, of which the first is the default.
 *
 * @throws ArgumentError
 */
export const checkOneOf = (operation: string, what: string, names: readonly string[], given: unknown): void =>
  checkArgument(
    typeof given === 'string' && names.includes(given),
    operation,
    `${typeof given === 'string' ? `'${given}'` : kindOf(given)} as ${what}`,
    `${what} is one of ${names.join(', ')}`,
    `Leave it out for '${names[0]}'.`,
  );

/** The options that samplers, losses and bounds have between them, and what they may be. */
const options: Readonly<Record<string, (operation: string, name: string, value: unknown) => void>> = {
  clipDenoised: checkFlag,
  denoisedFn: (operation, name, value) => checkFunctions(operation, { [name]: value }),
  condFn: (operation, name, value) => checkFunctions(operation, { [name]: value }),
  modelInputs: () => undefined,
  noise: (operation, name, value) => checkTensors(operation, { [name]: value }),
  key: (operation, _, value) => keyNode(operation, value),
  firstSample: (operation, name, value) => checkInteger(operation, name, value as number, 0, 2 ** 31 - 1),
  eta: (operation, name, value) => checkNumber(operation, name, value),
  dtype: (operation, _, value) => {
    if (isFloat(value as DType)) return;
    const rule = 'samples are float32 or float64';
    throw new DTypeError({ operation, given: `the dtype ${String(value)}`, rule, hint: 'Leave it out for float32.' });
  },
  segments: (operation, name, value) => {
    const counts = Array.isArray(value) ? value : [value];
    checkArgument(
      value === 'sqrt' || counts.every(count => Number.isSafeInteger(count) && count >= 1),
      operation,
      `${Array.isArray(value) ? `[${value.map(kindOf).join(', ')}]` : kindOf(value)} as ${name}`,
      `${name} are a positive integer, a list of such, or 'sqrt'`,
      "Take 'sqrt' for the least memory with one level of segments.",
    );
  },
};

/**
 * Refuses options that are not there and values they cannot have. One object of options may serve several functions, so
 * that each of them takes those of the others, and has no use for them.
 *
 * @throws ArgumentError, DTypeError, IndexError, TraceError naming the option
 */
export const checkSampling = (operation: string, given: object | undefined): void => {
  checkOptions(operation, Object.keys(options), given);
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value !== undefined) options[name]!(operation, name, value);
  }
};
