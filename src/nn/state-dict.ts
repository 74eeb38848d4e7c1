/** Parameters by the names that PyTorch's modules have for them. */
import * as E from 'fp-ts/lib/Either.js';
import { checkTensorsByName } from '../io/safetensors.js';
import type { Key } from '../random/key.js';
import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, TenfoldError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type Flat, flattenFor, type Path, tensorsOf } from '../tree/tree.js';
import { skeletonOf } from './skeleton.js';

/** A model whose parameters have names elsewhere. */
export interface NamedModel<P> {
  readonly init: (key: Key) => P;
  /** The name of the parameter at a path; without it, names as of PyTorch: `blocks.0.running_mean`. */
  readonly stateName?: (path: Path) => string;
  /** What PyTorch's module saves beside its parameters though it is always the same, as tables of positions. */
  readonly stateConstants?: () => Readonly<Record<string, Tensor>>;
}

/** What does not fit a model, by name. */
export interface StateDictMisfits {
  /** Parameters of the model for which there is no tensor. */
  readonly missing: readonly string[];
  /** Tensors that are no parameter of the model. */
  readonly unexpected: readonly string[];
  /** Tensors of another shape, or of integers. */
  readonly misshaped: readonly { readonly name: string; readonly given: string; readonly wanted: string }[];
}

/** The first of many, for a message. */
const listed = (names: readonly string[]): string =>
  names.length <= 12 ? names.join(', ') : `${names.slice(0, 12).join(', ')} and ${names.length - 12} more`;

/** Tensors that are not those of a model, all of them at once. */
export class StateDictError extends TenfoldError implements StateDictMisfits {
  readonly _tag = 'StateDictError';
  readonly missing: StateDictMisfits['missing'];
  readonly unexpected: StateDictMisfits['unexpected'];
  readonly misshaped: StateDictMisfits['misshaped'];

  constructor({ missing, unexpected, misshaped }: StateDictMisfits) {
    const parts = [
      ...(missing.length === 0 ? [] : [`no tensor ${listed(missing)}`]),
      ...(unexpected.length === 0 ? [] : [`what the model does not have: ${listed(unexpected)}`]),
      ...(misshaped.length === 0
        ? []
        : [listed(misshaped.map(({ name, given, wanted }) => `${given} as ${name}, which is ${wanted}`))]),
    ];
    super({
      operation: 'loadStateDict',
      given: parts.join('; '),
      rule: 'there is one tensor for each parameter, of its name and shape',
      hint: 'Make the model with the options of the one that was saved.',
    });
    this.missing = Object.freeze([...missing]);
    this.unexpected = Object.freeze([...unexpected]);
    this.misshaped = Object.freeze([...misshaped]);
  }
}

/** @internal A step of a path in snake case. */
export const snake = (step: string | number): string =>
  String(step).replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** What PyTorch calls by less than our name in snake case. */
const shorter: Readonly<Record<string, string>> = { runningVariance: 'running_var' };

const torchName = (path: Path): string => path.map(step => shorter[step] ?? snake(step)).join('.');

/** Whether this is the count of batches that PyTorch saves beside running statistics, of which a fixed momentum needs none. */
const isCount = (name: string, known: ReadonlySet<string>): boolean =>
  /(^|\.)num_batches_tracked$/.test(name) && known.has(name.replace(/num_batches_tracked$/, 'running_mean'));

interface Named {
  readonly flat: Flat;
  readonly tensors: readonly Tensor[];
  readonly names: readonly string[];
}

const named = (operation: string, { stateName = torchName }: NamedModel<unknown>, flat: Flat): Named => {
  return { flat, tensors: tensorsOf(operation, flat), names: flat.paths.map(stateName) };
};

const checkModel = (operation: string, model: unknown): void => {
  const { init, stateName, stateConstants } = (model ?? {}) as Partial<NamedModel<unknown>>;
  const may = [stateName, stateConstants];
  if (typeof init === 'function' && may.every(f => f === undefined || typeof f === 'function')) return;
  throw new ArgumentError({
    operation,
    given: `${kindOf(model)} as the model`,
    rule: 'a model has a function init, and may have one that names its parameters',
    hint: 'Pass what unet(…) or another layer gives, not its parameters.',
  });
};

/**
 * Parameters of a model from tensors by the names that PyTorch's module has for them, as a checkpoint holds them.
 *
 * Models that come from elsewhere know those names: {@link unet} has guided-diffusion's. For others a name is the path with
 * dots, in snake case: `blocks.0.running_mean`, the variance being `running_var`. No parameters are drawn, and no tensors are
 * converted: those of float64 make a model in float64. Of what is saved though it never changes, as the positions of {@link dit},
 * the shape is checked and nothing else used; a `num_batches_tracked` beside running statistics is left out.
 *
 * @param model its parameters' shapes and names count
 * @param tensors by name, of floats
 * @returns the parameters; a StateDictError with all the names that are `missing`, `unexpected` or `misshaped`
 * @throws ArgumentError when the model is none or `tensors` no record
 * @numpy flax.serialization.from_state_dict
 * @pytorch torch.nn.Module.load_state_dict
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { linear, loadStateDict } from 'tenfold/nn';
 * const { right } = loadStateDict(linear(3, 2), { weight: zeros([2, 3]), bias: zeros([2]) });
 * right.bias.shape; // => [2]
 * const { left } = loadStateDict(linear(3, 2), { weight: zeros([3, 2]), scale: zeros([2]) });
 * [left.missing, left.unexpected, left.misshaped[0].name]; // => [['bias'], ['scale'], 'weight']
 * ```
 */
export const loadStateDict = <P>(
  model: NamedModel<P>,
  tensors: Readonly<Record<string, Tensor>>,
): E.Either<StateDictError, P> => {
  checkModel('loadStateDict', model);
  checkTensorsByName('loadStateDict', tensors);
  const { flat, tensors: params, names } = named('loadStateDict', model, skeletonOf('loadStateDict', model.init));
  const constants = model.stateConstants?.() ?? {};
  const known = [...names, ...Object.keys(constants)];
  const wanted = [...params, ...Object.values(constants)];
  const missing = known.filter(name => !Object.hasOwn(tensors, name));
  const expected = new Set(known);
  const unexpected = Object.keys(tensors).filter(name => !expected.has(name) && !isCount(name, expected));
  const misshaped = known.flatMap((name, i) => {
    if (!Object.hasOwn(tensors, name)) return [];
    const given: unknown = tensors[name];
    if (isTensor(given) && sameShape(given.shape, wanted[i]!.shape) && isFloat(given.dtype)) return [];
    return [{ name, given: isTensor(given) ? showAval(given) : kindOf(given), wanted: showAval(wanted[i]!) }];
  });
  if (missing.length + unexpected.length + misshaped.length > 0) {
    return E.left(new StateDictError({ missing, unexpected, misshaped }));
  }
  return E.right(flat.unflatten(names.map(name => tensors[name])) as P);
};

/**
 * Parameters by the names that PyTorch's module has for them: undoes {@link loadStateDict}.
 *
 * @param model the model of the parameters
 * @param params tensors, or other leaves, as the parameters of the model: gradients too
 * @returns a frozen record, with the constants that PyTorch's module saves too
 * @throws ArgumentError when the model is none, TreeError when a leaf is no tensor
 * @numpy flax.serialization.to_state_dict
 * @pytorch torch.nn.Module.state_dict
 * @example
 * ```js
 * import { linear, stateDict } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * Object.keys(stateDict(linear(3, 2), linear(3, 2).init(key(0)))); // => ['bias', 'weight']
 * ```
 */
export const stateDict = <P>(model: NamedModel<P>, params: P): Readonly<Record<string, Tensor>> => {
  checkModel('stateDict', model);
  const { names, tensors } = named('stateDict', model, flattenFor('stateDict', params));
  const constants = model.stateConstants?.() ?? {};
  return Object.freeze({ ...Object.fromEntries(names.map((name, i) => [name, tensors[i]!])), ...constants });
};
