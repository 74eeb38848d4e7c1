/** Functions that are traced once for every form of their arguments, and then run as compiled programs. */
import { isWatched } from '../build.js';
import { checkDeviceName, type DeviceName } from '../device.js';
import { ArgumentError, DTypeError, ShapeError, type TenfoldError, TreeError } from '../errors.js';
import { checkFunction } from './arguments.js';
import {
  type Difference,
  type Dynamic,
  firstDifference,
  formOfArguments,
  type ListForm,
  matches,
  showDifference,
  showForm,
  showPlace,
} from './forms.js';
import { type Specialisation, specialise, type Trace } from './specialisation.js';

/** Options of {@link jit} and {@link compile}. */
export interface JitOptions {
  /** Positions of arguments that are no data but settings: the function sees them as they are, and is traced for each. */
  readonly static?: readonly number[];
  /**
   * Where its programs run. Left out, computation follows the data: on the GPU where an argument or what is closed over is
   * there, else on the device in use. For `'gpu'`, a device must have been opened: `await device('gpu')`.
   */
  readonly device?: DeviceName;
}

/** How many forms of arguments a jitted function keeps programs for, and how many of its traces are on record. */
const kept = 64;

const registry = new WeakMap<object, readonly Trace[]>();

/** @internal The latest traces of a jitted or compiled function, in their order; none for other functions. */
export const tracesOf = (f: object): readonly Trace[] => registry.get(f) ?? [];

type Plain = (...args: readonly unknown[]) => unknown;

/** @internal The positions of static arguments, checked. */
export const staticsOf = (operation: string, { static: positions = [] }: JitOptions): readonly number[] => {
  if (Array.isArray(positions) && positions.every(i => Number.isSafeInteger(i) && i >= 0)) return [...positions];
  throw new ArgumentError({
    operation,
    given: `static: ${String(positions)}`,
    rule: 'static lists positions of arguments, counted from 0',
    hint: `Write ${operation}(f, { static: [1] }) for the second argument.`,
  });
};

/** @internal The device asked for, checked; null where none is. */
export const deviceIn = (operation: string, { device }: JitOptions): DeviceName | null =>
  device === undefined ? null : checkDeviceName(operation, device);

/** Why a function is traced again. */
const reasonFor = (last: Specialisation | undefined, form: ListForm, found: readonly Dynamic[]): string => {
  if (last === undefined) return 'the first call';
  const difference = firstDifference(last.form, form);
  return difference === null ? last.whyNot(found) : showDifference(difference);
};

/**
 * `f` traced once for every form of its arguments, then run as a compiled program, at once.
 *
 * What is part of the form, so that a change of it traces again: how the arguments' trees are built, shapes and dtypes
 * of tensors, and leaves that are neither tensors nor numbers nor booleans (strings, functions, objects of classes),
 * which are compared by `Object.is`. The last 64 forms are kept, the least recently used going first.
 *
 * Tensors, numbers and booleans are data: inside `f` they are placeholders without a value, so another learning rate
 * compiles nothing. The placeholder of a number behaves in promotion as the number would, and as `tensor(2)` where a
 * tensor is wanted; that of a boolean is a bool tensor. JavaScript cannot see into them: `lr * 2` throws, and `if (flag)`
 * always takes the first branch: use `mul`, `where` and `cond`, or list the argument in `static`, when `f` gets it as it is.
 *
 * Tensors that `f` closes over are inputs of the program with the values they have when it is traced. A jitted function
 * can be differentiated, batched, folded and jitted again; what it does then is inlined, and `device` does not count.
 *
 * @param f takes and returns trees; what it returns that is no tensor is returned as it was when `f` was traced
 * @returns a function with the arguments of `f`
 * @throws TraceError when `f` reads the value of an argument
 * @throws DTypeError when a number that is no integer meets an integer tensor, in any call
 * @throws ArgumentError when `f` is no function or asynchronous, `static` no list of positions, `device` no device, or an
 *   argument that is not static a typed array, whose changes would not be seen
 * @throws DeviceError when `device` is `'gpu'` and none was opened, or `'cpu'` and an argument is on the GPU
 * @example
 * ```js
 * import { add, jit, mul, sum, tensor } from 'tenfold';
 * const step = jit(({ w, b }, rate) => ({ w: mul(w, rate), b: add(b, rate) }));
 * step({ w: tensor([1, 2]), b: tensor(3) }, 0.5); // => { w: [0.5, 1], b: 3.5 }
 * step({ w: tensor([1, 2]), b: tensor(3) }, 2); // => { w: [2, 4], b: 5 }
 * const total = jit((x, axis) => sum(x, { axis }), { static: [1] });
 * total(tensor([[1, 2], [3, 4]]), 0).toArray(); // => [4, 6]
 * ```
 */
export const jit = <F extends (...args: never[]) => unknown>(f: F, options: JitOptions = {}): F => {
  checkFunction('jit', f);
  const statics = staticsOf('jit', options);
  const device = deviceIn('jit', options);
  const plain = f as unknown as Plain;
  /** The most recently used first. */
  const known: Specialisation[] = [];
  const traces: Trace[] = [];

  const specialiseFor = (args: readonly unknown[]): unknown => {
    const form = formOfArguments('jit', args, statics);
    const found: Dynamic[] = [];
    matches(form, args, found);
    const made = specialise('jit', plain, args, form, found, statics, device);
    const reason = made.passing
      ? 'it closes over a tensor that is being differentiated or traced, so each call is traced'
      : reasonFor(known[0], form, found);
    traces.push(made.recorded(reason));
    if (traces.length > kept) traces.shift();
    if (!made.passing) known.unshift(made);
    if (known.length > kept) known.pop();
    return made.call(found);
  };

  const jitted = (...args: readonly unknown[]): unknown => {
    if (isWatched()) return plain(...args);
    for (let i = 0; i < known.length; i++) {
      const each = known[i]!;
      const found: Dynamic[] = [];
      if (!matches(each.form, args, found) || !each.admits(found)) continue;
      if (i > 0) known.unshift(...known.splice(i, 1));
      return each.call(found);
    }
    return specialiseFor(args);
  };
  registry.set(jitted, traces);
  return jitted as unknown as F;
};

/** The error for arguments of another form than those that a function was compiled for. */
const misfit = ({ path, before, now }: Difference): TenfoldError => {
  const whole = path.length === 0;
  const show = (form: typeof now): string => (whole ? `${(form as ListForm).items.length} arguments` : showForm(form));
  const [wanted, given] = [show(before), show(now)];
  const parts = {
    operation: 'compile',
    given: `${wanted === given ? 'another ' : ''}${given}${whole ? '' : ` at ${showPlace(path)}`}`,
    rule: `the function was compiled for ${wanted} there`,
    hint: 'Use jit, which compiles for each form of arguments, or compile for this one as well.',
  };
  if (before.kind !== 'tensor' || now.kind !== 'tensor') return new TreeError(parts);
  return before.aval.dtype === now.aval.dtype ? new ShapeError(parts) : new DTypeError(parts);
};

/**
 * `f` compiled ahead of its first call, for arguments of the form of the examples and no others.
 *
 * As {@link jit} otherwise: tensors, numbers and booleans are data, of which the examples show the form only.
 *
 * @param f takes and returns trees
 * @returns a function of examples, which gives a function with the arguments of `f`
 * @throws ShapeError, DTypeError, TreeError when it is called with arguments of another form, naming the place
 * @throws TraceError, DTypeError, ArgumentError, DeviceError as {@link jit}
 * @example
 * ```js
 * import { compile, mul, tensor, zeros } from 'tenfold';
 * const scaled = compile((x, factor) => mul(x, factor))(zeros([2]), 1);
 * scaled(tensor([1, 2]), 10).toArray(); // => [10, 20]
 * scaled(tensor([1, 2, 3]), 10); // throws ShapeError
 * scaled(tensor([1, 2]), tensor(10)); // throws TreeError
 * ```
 */
export const compile = <F extends (...args: never[]) => unknown>(
  f: F,
  options: JitOptions = {},
): ((...examples: Parameters<F>) => F) => {
  checkFunction('compile', f);
  const statics = staticsOf('compile', options);
  const device = deviceIn('compile', options);
  const plain = f as unknown as Plain;
  return (...examples) => {
    const form = formOfArguments('compile', examples, statics);
    const first: Dynamic[] = [];
    matches(form, examples, first);
    const made = specialise('compile', plain, examples, form, first, statics, device);
    const trace = made.recorded('it was compiled for these examples');
    // Asking for the program is what prepares it.
    void trace.program;
    const compiled = (...args: readonly unknown[]): unknown => {
      const found: Dynamic[] = [];
      if (!matches(form, args, found)) throw misfit(firstDifference(form, formOfArguments('compile', args, statics))!);
      if (!made.admits(found)) {
        throw new DTypeError({
          operation: 'compile',
          given: made.whyNot(found),
          rule: 'a number must be such that the dtypes stay those that the function was compiled for',
          hint: 'Use jit, which compiles for both, or cast the tensor that the number meets.',
        });
      }
      return isWatched() ? plain(...args) : made.call(found);
    };
    registry.set(compiled, Object.freeze([trace]));
    return compiled as unknown as F;
  };
};
