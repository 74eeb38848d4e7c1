/** Operations whose kernel is a function of the user's: customOp. */
import { b } from '../build.js';
import { allocate, copyOf, type DType, type TypedArrayOf } from '../dtype.js';
import { MissingRuleError, TraceError } from '../errors.js';
import { withinProgram } from '../evaluate.js';
import { checkDType, kindOf } from '../ops/common/checks.js';
import { nodeFor } from '../ops/common/operands.js';
import { checkOptions } from '../ops/common/options.js';
import type { ExternalParams } from '../primitives/external.js';
import { results } from '../primitives/results.js';
import { type Aval, checkArgument, checkShape, type Shape, sizeOf } from '../shape.js';
import { type Tensor, wrap } from '../tensor.js';
import { type BatchInfo, type JvpRule, type Literal, type VjpRule, withBatch, withJvp, withVjp } from './custom.js';

/** Shape and dtype: what is known of a tensor before it is computed. */
export interface TensorSpec<S extends Shape = Shape, D extends DType = DType> {
  readonly shape: S;
  readonly dtype: D;
}

type Specs = readonly TensorSpec[];

/** The tensors of which these are the shapes and dtypes. */
export type TensorsOf<A extends Specs> = {
  readonly [K in keyof A]: A[K] extends TensorSpec<infer S, infer D> ? Tensor<S, D> : never;
};

/** The tensor, or the list of tensors. */
export type ResultOf<R extends TensorSpec | Specs> = R extends Specs
  ? TensorsOf<R>
  : R extends TensorSpec<infer S, infer D>
    ? Tensor<S, D>
    : never;

type ListOf<R extends TensorSpec | Specs> = R extends Specs ? R : R extends TensorSpec ? readonly [R] : never;
type ArraysOf<A extends Specs> = { readonly [K in keyof A]: TypedArrayOf[A[K]['dtype']] };

/** What {@link customOp} makes an operation of. */
export interface CustomOp<A extends Specs, R extends TensorSpec | Specs, S extends Literal> {
  /** What messages and `explain` call it. */
  readonly name: string;
  /** Shape and dtype of the result, from those of the arguments; an array of them for several results. */
  readonly result: (...inputs: A) => R;
  /**
   * Computes: reads the elements of the arguments, in row-major order, and writes those of the results, which are zeros
   * before, into `outputs`. All arrays are its own. bool is bytes, of which all but 0 are true.
   */
  readonly kernel: (
    inputs: ArraysOf<A>,
    outputs: ArraysOf<ListOf<R>>,
    specs: { readonly inputs: A; readonly outputs: ListOf<R> },
  ) => void;
  /** Its derivative, as of {@link customJvp}: in both modes, unless there is a `vjp`. */
  readonly jvp?: JvpRule<TensorsOf<A>, ResultOf<R>>;
  /** Its derivative in reverse mode, as of {@link customVjp}. */
  readonly vjp?: VjpRule<TensorsOf<A>, ResultOf<R>, S>;
  /** Its form for many examples at once, as of {@link customBatch}; without one the kernel is called for each of them. */
  readonly batch?: (args: TensorsOf<A>, info: BatchInfo<TensorsOf<A>>) => ResultOf<R>;
}

const told = {
  rule: 'it takes an object of name, result and kernel, and perhaps jvp, vjp and batch',
  hint: 'Write customOp({ name: …, result: x => x, kernel: ([x], [y]) => { … } }).',
};

const isFunction = (f: unknown): boolean => typeof f === 'function';

/** Refuses what is no definition of an operation. */
const checkDefinition = (given: unknown): void => {
  checkOptions('customOp', ['name', 'result', 'kernel', 'jvp', 'vjp', 'batch'], given ?? null, told);
  const { name, result, kernel, jvp, vjp, batch } = given as CustomOp<never, never, never>;
  const holds = {
    name: typeof name === 'string' && name !== '',
    result: isFunction(result),
    kernel: isFunction(kernel),
    jvp: jvp === undefined || isFunction(jvp),
    vjp: vjp === undefined || (isFunction(vjp?.forward) && isFunction(vjp.backward)),
    batch: batch === undefined || isFunction(batch),
  };
  for (const [what, is] of Object.entries(holds)) {
    const value: unknown = (given as Readonly<Record<string, unknown>>)[what];
    checkArgument(is, 'customOp', `${kindOf(value)} as ${what}`, told.rule, told.hint);
  }
};

/** Shape and dtype of a result, as the user said them. */
const specOf = (operation: string, given: unknown): Aval => {
  const { shape, dtype } = (given ?? {}) as Aval;
  return Object.freeze({ shape: checkShape(operation, shape), dtype: checkDType(operation, dtype) });
};

/** The kernel with arrays of its own around it, and nothing left of what it may do to them. */
const runOf = (operation: string, kernel: (...args: readonly unknown[]) => unknown): ExternalParams['run'] => {
  const refuse = (): never => {
    throw new TraceError({
      operation,
      given: 'a tensor that its kernel computes',
      rule: 'a kernel is a function of arrays alone, called in the middle of a program',
      hint: 'Compute it before, and make it an argument.',
    });
  };
  return (elements, inputs, outputs) => {
    const made = outputs.map(({ shape, dtype }) => allocate(dtype, sizeOf(shape), operation, shape));
    const returned = withinProgram(refuse, () => kernel(elements.map(copyOf), [...made], { inputs, outputs }));
    const isWhole = made.every(({ length }, i) => length === sizeOf(outputs[i]!.shape));
    checkArgument(
      returned === undefined && isWhole,
      operation,
      `a kernel that ${isWhole ? `returns ${kindOf(returned)}` : 'transfers its arrays'}`,
      'a kernel writes into the arrays of its second argument, at once, and returns nothing',
      'Write ([x], [y]) => { … }.',
    );
    return made.map((array, i) => (outputs[i]!.dtype === 'bool' ? array.map(x => Number(x !== 0)) : array));
  };
};

/**
 * An operation with a kernel of your own: a function of typed arrays, in JavaScript or around WebAssembly that you compiled. The
 * result is a function of tensors like those of the library, to be used in `jit`, loops, branches and checkpoints, and
 * `explain` lists it by its name.
 *
 * The kernel is called when a value is computed, perhaps several times or never, and must be a pure function of its arrays. It
 * is called on the main thread and, for tensors on the GPU, on the CPU. What is made of it is never fused.
 *
 * Nothing is known of what it computes, so derivatives are up to `jvp` and `vjp`, which are written with operations, among them
 * others of this sort, and are differentiated and batched in turn. Reverse mode goes by `vjp`, or else by the transpose of `jvp`,
 * which must then consist of what can be transposed: an operation of this sort can if it has a `vjp`. Without `batch`, `vmap` is
 * a loop over the examples. Define an operation once, outside of what uses it: programs are compiled anew for each definition.
 *
 * In TypeScript, types of the arguments of `result` say how many tensors there are: `(x: TensorSpec) => x`.
 *
 * @param definition `name`, `result` (shape and dtype of the result from those of the arguments; or an array of them) and
 *   `kernel(inputs, outputs, specs)`, which writes into `outputs`, `specs` being shapes and dtypes; `jvp` as of `customJvp`,
 *   `vjp` as of `customVjp`, `batch` as of `customBatch`
 * @returns a function of tensors of any shape and dtype that `result` accepts; it gives a tensor, or an array of tensors where
 *   `result` does
 * @throws ArgumentError when a part is missing or of another kind, or an argument is no tensor; later, when the kernel returns
 *   something, such as a promise. ShapeError, DTypeError when `result` gives no shape or dtype. Errors of the kernel come out
 *   where a value is read
 * @throws MissingRuleError when a derivative is asked for without a rule
 * @throws TraceError when the kernel computes with tensors
 * @example
 * ```js
 * import { customOp, explain, grad, mul, sum, tensor, vmap } from 'tenfold';
 * // Positions of the records: elements larger than all before them. A value depends on those before it.
 * const records = customOp({
 *   name: 'records',
 *   result: x => ({ shape: x.shape, dtype: 'bool' }),
 *   kernel: ([x], [y]) => {
 *     let best = -Infinity;
 *     x.forEach((value, i) => { if (value > best) { y[i] = 1; best = value; } });
 *   },
 * });
 * records(tensor([3, 1, 4, 1, 5])).toArray(); // => [true, false, true, false, true]
 * vmap(records)(tensor([[1, 2], [2, 1]])).toArray(); // => [[true, true], [true, false]]
 * explain(records)(tensor([3, 1])).report.steps[0].name; // => 'records'
 * // With a derivative: the cube, element by element.
 * const cube = customOp({
 *   name: 'cube',
 *   result: x => x,
 *   kernel: ([x], [y]) => { for (let i = 0; i < x.length; i++) y[i] = x[i] ** 3; },
 *   jvp: ([x], [t]) => [cube(x), mul(t, mul(mul(x, x), 3))],
 * });
 * grad(x => sum(cube(x)))(tensor([1, 2])).toArray(); // => [3, 12]
 * grad(x => sum(records(cube(x))))(tensor([1, 2])); // throws GradError
 * ```
 */
export const customOp = <A extends Specs, const R extends TensorSpec | Specs, S extends Literal = null>(
  definition: CustomOp<A, R, S>,
): ((...args: TensorsOf<A>) => ResultOf<R>) => {
  checkDefinition(definition);
  const { name, result, kernel, jvp, vjp, batch } = definition;
  const operation = `customOp ${name}`;
  const run = runOf(operation, kernel as never);
  const plain = (...args: readonly unknown[]): unknown => {
    const nodes = args.map(x => nodeFor(operation, x));
    const specs = nodes.map(({ shape, dtype }): Aval => Object.freeze({ shape: Object.freeze([...shape]), dtype }));
    const given: unknown = result(...(specs as unknown as A));
    const several = Array.isArray(given) && given.length > 0;
    const made = several ? given.map(each => specOf(operation, each)) : specOf(operation, given);
    const tensors = results(b, b.external(nodes, { name, result: made, run })).map(node => wrap(node));
    return several ? tensors : tensors[0];
  };
  const missing = (): never => {
    throw new MissingRuleError({
      operation,
      given: 'a derivative that is taken of it',
      rule: 'its kernel is code that the library does not look into',
      hint: 'Give customOp a rule: jvp, or vjp for reverse mode. Or put stopGradient around its arguments.',
    });
  };
  const batched = batch === undefined ? plain : withBatch(operation, plain, batch as never);
  const forward = (jvp as never) ?? missing;
  const made =
    vjp === undefined ? withJvp(operation, batched, forward) : withVjp(operation, batched, vjp as never, forward);
  return made as (...args: TensorsOf<A>) => ResultOf<R>;
};
