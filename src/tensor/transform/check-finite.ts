/** Finding the first NaN or infinity of a computation, and the line that it comes from. */
import { flatten } from '../../tree/tree.js';
import { b, onBehalfOf, type Watch, watching } from '../build.js';
import { isFloat, type TypedArray } from '../dtype.js';
import { FiniteError } from '../errors.js';
import { computingBy, evaluate, evaluatingBy, readHint, readNow } from '../evaluate.js';
import { type DynamicNumber, type Graph, type Node, type Params, resolve, topological } from '../graph.js';
import type { FoldParams, WhileParams } from '../primitives/signatures.js';
import { entryOf } from '../primitives/table.js';
import { type Aval, checkArgument, type Shape, showAval, showShape, stridesOf } from '../shape.js';
import type { Storage } from '../storage.js';
import { isTensor, nodeOf } from '../tensor.js';
import { checkFunction, refusePromise } from './arguments.js';
import { showPlace } from './forms.js';
import { sourceLine, withLongStacks } from './source-line.js';
import { inline } from './trace.js';

/** Options of {@link checkFinite}. */
export interface CheckFiniteOptions {
  /** Look for NaN only: infinities are meant, as in masks. */
  readonly allow?: 'infinity';
}

/** Where a node was made. */
interface Origin {
  readonly op: string;
  /** For its stack. */
  readonly error: Error;
  /** The operation by whose rule it was made. */
  readonly ruleOf: string | null;
}

const origins = new WeakMap<Node, Origin>();

const remember: Watch = (node, source, copied) => {
  const known = source === null ? undefined : origins.get(source);
  if (copied && known !== undefined) origins.set(node, known);
  else origins.set(node, { op: node.op, error: known?.error ?? new Error(), ruleOf: known?.op ?? null });
};

/** ` at file:line:column`, where that is known. */
const lineOf = (node: Node): string => {
  const origin = origins.get(node);
  const line = origin === undefined ? null : sourceLine(origin.error);
  return line === null ? '' : ` at ${line}`;
};

/** The primitive, and that of which it is the derivative or batched form. */
const nameOf = (op: string, node: Node): string => {
  const ruleOf = origins.get(node)?.ruleOf;
  return ruleOf === null || ruleOf === undefined ? op : `${op} (by a rule of ${ruleOf})`;
};

const placeOf = (index: number, shape: Shape): string =>
  showShape(stridesOf(shape).map((stride, axis) => Math.floor(index / stride) % shape[axis]!));

/** The elements of a value; everything is looked at as it comes, so that values on the GPU are refused. */
const elementsOf = (aval: Aval, value: Storage): TypedArray => readNow('checkFinite', aval, value, readHint);

/** Elements that should not be there, in words; null where there are none. */
const findingIn = (aval: Aval, value: Storage, isBad: (x: number) => boolean): string | null => {
  const { shape, dtype } = aval;
  if (!isFloat(dtype)) return null;
  const elements = elementsOf(aval, value);
  const first = elements.findIndex(isBad);
  if (first < 0) return null;
  let count = 0;
  for (const x of elements) if (isBad(x)) count++;
  const element = elements[first]!;
  const what = Number.isNaN(element) ? 'NaN' : element > 0 ? 'infinity' : '−infinity';
  const others = count === 1 ? '' : `; ${count} of ${elements.length} elements are not finite`;
  return `${what}${shape.length === 0 ? '' : ` at ${placeOf(first, shape)}`}${others}`;
};

/** What passes elements on as they are, so that nothing has come about there. */
const passesOn = (op: string): boolean => {
  const { kind } = entryOf(op);
  return kind === 'movement' || kind === 'structured';
};

/** One run of a function, computed operation by operation. */
class FiniteCheck {
  readonly #isBad: (x: number) => boolean;
  readonly #hint: string;
  /** Where arguments stand. */
  readonly #places = new Map<Node, string>();
  /** For nodes that have been looked at: where their NaN or infinity comes from; null for finite ones. */
  readonly #sources = new WeakMap<Node, string | null>();
  /** The bodies that are being walked, outermost first. */
  readonly #inside: string[] = [];

  constructor({ allow }: CheckFiniteOptions, args: readonly unknown[]) {
    this.#isBad = allow === 'infinity' ? Number.isNaN : x => !Number.isFinite(x);
    this.#hint = allow === 'infinity' ? '' : " Where infinities are meant, use checkFinite(f, { allow: 'infinity' }).";
    const { leaves, paths } = flatten(args);
    leaves.forEach((leaf, i) => {
      if (isTensor(leaf)) this.#places.set(resolve(nodeOf(leaf)), showPlace(paths[i]!));
    });
    evaluate([...this.#places.keys()]);
  }

  /** Computes what is pending. */
  readonly compute = (roots: readonly Node[]): void => {
    for (const node of topological(roots, each => each.value === null)) this.#visit(node);
  };

  /** Refuses results that are not finite although every operation behaved. */
  finish(results: readonly Node[]): void {
    for (const node of results) {
      const source = this.#sourceOf(resolve(node));
      if (source !== null) throw this.#fromOutside(source, 'it is returned');
    }
  }

  #visit(node: Node): void {
    // A node forgets what it was made of when it gets its value.
    const { op, params } = node;
    const inputs = node.inputs.map(resolve);
    onBehalfOf(node, () => this.#visitBodies(op, params, inputs));
    evaluatingBy(null, () => evaluate([node]));
    const finding = this.#findingIn(node);
    this.#sources.set(node, null);
    if (finding === null) return;
    if (op === 'constant') {
      this.#sources.set(node, `the number ${(params.value as DynamicNumber).value}${lineOf(node)}`);
      return;
    }
    const source = inputs.map(input => this.#sourceOf(input)).find(each => each !== null);
    if (source === undefined) throw this.#madeBy(op, node, inputs, finding);
    if (!passesOn(op)) throw this.#fromOutside(source, `${nameOf(op, node)} uses it${this.#where(node)}`);
    this.#sources.set(node, source);
  }

  #findingIn(node: Node): string | null {
    const values = node.outputs === null ? [node.value as Storage] : (node.value as readonly Storage[]);
    const findings = (node.outputs ?? [node]).map((aval, i) => findingIn(aval, values[i]!, this.#isBad));
    return findings.find(finding => finding !== null) ?? null;
  }

  /** Where the NaN or infinity in a computed node comes from; null for a finite one. */
  #sourceOf(node: Node): string | null {
    if (node.op === 'mark') return this.#sourceOf(resolve(node.inputs[0]!));
    const known = this.#sources.get(node);
    if (known !== undefined) return known;
    const finding = this.#findingIn(node);
    const name = this.#places.get(node) ?? 'a tensor that the function closes over';
    const source = finding === null ? null : `${name}, ${showAval(node)}: ${finding}`;
    this.#sources.set(node, source);
    return source;
  }

  #visitBodies(op: string, params: Params, inputs: readonly Node[]): void {
    if (op === 'call' || op === 'custom') this.#walk(params.body as Graph, inputs, 'a call');
    if (op === 'cond') {
      const branches = params.branches as readonly Graph[];
      const index = Math.min(branches.length - 1, Math.max(0, elementsOf(inputs[0]!, inputs[0]!.value as Storage)[0]!));
      this.#walk(branches[index]!, inputs.slice(1), `branch ${index} of cond`);
    }
    if (op === 'fold') this.#walkFold(params as unknown as FoldParams, inputs);
    if (op === 'while') this.#walkWhile(params as unknown as WhileParams, inputs);
  }

  #walkFold({ body, length, captures, carries, reverse }: FoldParams, inputs: readonly Node[]): void {
    const outer = inputs.slice(0, captures);
    let state = inputs.slice(captures, captures + carries);
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step;
      const slices = inputs.slice(captures + carries).map(xs => {
        const start = xs.shape.map((_, axis) => (axis === 0 ? at : 0));
        const stop = xs.shape.map((n, axis) => (axis === 0 ? at + 1 : n));
        return b.reshape(b.slice(xs, { start, stop, step: xs.shape.map(() => 1) }), { shape: xs.shape.slice(1) });
      });
      state = this.#walk(body, [...outer, ...state, ...slices], `step ${step} of fold`).slice(0, carries);
    }
  }

  #walkWhile({ test, body, testCaptures, bodyCaptures }: WhileParams, inputs: readonly Node[]): void {
    const forTest = inputs.slice(0, testCaptures);
    const forBody = inputs.slice(testCaptures, testCaptures + bodyCaptures);
    let state = inputs.slice(testCaptures + bodyCaptures);
    for (let step = 0; ; step++) {
      const [goesOn] = this.#walk(test, [...forTest, ...state], `the test before step ${step} of while`);
      if (elementsOf(goesOn!, goesOn!.value as Storage)[0] === 0) return;
      state = [...this.#walk(body, [...forBody, ...state], `step ${step} of while`)];
    }
  }

  /** Computes the operations of a body on these inputs, one by one. */
  #walk(body: Graph, inputs: readonly Node[], name: string): readonly Node[] {
    const outputs = inline(body, inputs);
    this.#inside.push(name);
    this.compute(outputs);
    this.#inside.pop();
    return outputs.map(resolve);
  }

  #where(node: Node): string {
    return `${this.#inside
      .toReversed()
      .map(name => ` in ${name}`)
      .join('')}${lineOf(node)}`;
  }

  #madeBy(op: string, node: Node, inputs: readonly Node[], finding: string): FiniteError {
    const operands = inputs.map(input => (input.outputs === null ? showAval(input) : 'several results')).join(' and ');
    const result = (node.outputs ?? [node]).map(showAval).join(', ');
    return new FiniteError({
      operation: 'checkFinite',
      given: `${finding}, from ${nameOf(op, node)} ${result}${operands === '' ? '' : ` of ${operands}`}${this.#where(node)}`,
      rule: 'its operands are finite, and its result is not',
      hint: `Look at its operands there.${this.#hint}`,
    });
  }

  #fromOutside(source: string, use: string): FiniteError {
    return new FiniteError({
      operation: 'checkFinite',
      given: source,
      rule: `it was not finite before anything was computed, and ${use}`,
      hint: `Look at where it comes from.${this.#hint}`,
    });
  }
}

/**
 * `f`, checked: computed operation by operation, with an error for the first one whose result has a NaN or an
 * infinity while its operands have none. The error names the primitive, shapes and dtypes, the first such element, the
 * step of the loop, and the line of the code that wrote it down (for what `grad` and `vmap` make, that of the operation
 * it was made for). An argument, constant or tensor from outside that is not finite is named instead when it is used.
 *
 * Slow: for finding the mistake, not for keeping. Jitted functions inside are run as they were written.
 *
 * @param f any function; tensors in what it returns are computed and checked
 * @param options `allow: 'infinity'` looks for NaN only
 * @returns a function with the arguments of `f` and its result
 * @throws FiniteError, as above
 * @throws TraceError in a traced function (of `jit`, `vmap`, `fold`): nothing has a value there
 * @throws DeviceError when values on the GPU take part, which cannot be looked at at once
 * @throws ArgumentError when `f` is no function or asynchronous, or `allow` something else
 * @example
 * ```js
 * import { checkFinite, exp, log, sub, tensor } from 'tenfold';
 * const f = x => exp(log(sub(x, 1)));
 * checkFinite(f)(tensor([2, 3])).toArray(); // => [1, 2]
 * checkFinite(f)(tensor([1, 3])); // throws FiniteError
 * checkFinite(f, { allow: 'infinity' })(tensor([1, 3])).toArray(); // => [0, 2]
 * ```
 */
export const checkFinite = <F extends (...args: never[]) => unknown>(f: F, options: CheckFiniteOptions = {}): F => {
  checkFunction('checkFinite', f);
  checkArgument(
    options.allow === undefined || options.allow === 'infinity',
    'checkFinite',
    `allow: ${String(options.allow)}`,
    "there is 'infinity'",
    "Write checkFinite(f, { allow: 'infinity' }), or leave it out.",
  );
  const plain = f as unknown as (...args: readonly unknown[]) => unknown;
  const checked = (...args: readonly unknown[]): unknown => {
    const run = (): unknown => {
      const check = new FiniteCheck(options, args);
      const compute = (): unknown => {
        const result = plain(...args);
        refusePromise('checkFinite', result);
        const nodes = flatten(result).leaves.filter(isTensor).map(nodeOf);
        evaluate(nodes);
        check.finish(nodes);
        return result;
      };
      return withLongStacks(() => watching(remember, () => evaluatingBy(check.compute, compute)));
    };
    // On the CPU, whatever device is in use: there each value can be looked at before the next is computed.
    return computingBy(null, run);
  };
  return checked as unknown as F;
};
