/** What a function writes down: its graph as text. */
import { checkFunction } from './arguments.js';
import { type Dynamic, formOfArguments, matches } from './forms.js';
import { graphText } from './graph-text.js';
import { type JitOptions, staticsOf } from './jit.js';
import { traceArguments } from './specialisation.js';

/** A traced function, to be read: see {@link makeGraph}. */
export interface GraphText {
  /** A line for each argument, operation and result. */
  toString(): string;
}

/**
 * The graph that `f` writes down for these arguments, as text to read and to compare line by line. Nothing is computed.
 *
 * Arguments are called by their places (`args[0].w`), and what `f` closes over `captured[0]`, with its elements where they
 * are known and few. Operations follow in their order, numbered from 0, each with the shape and dtype of its result and those
 * parameters that say more; numbers stand where they are used. The bodies of loops and branches are indented. What is
 * written down twice stands there once, and what no result needs is left out.
 *
 * @param f takes and returns trees
 * @param options as those of `jit`; numbers and booleans that are not static are placeholders
 * @returns a function with the arguments of `f`; what it gives prints as the text
 * @throws TraceError when `f` reads the value of an argument
 * @throws ArgumentError when `f` is no function or asynchronous, or `static` no list of positions
 * @example
 * ```js
 * import { add, dot, makeGraph, zeros } from 'tenfold';
 * const layer = ({ w, b }, x) => add(dot(w, x), b);
 * const graph = makeGraph(layer)({ w: zeros([3]), b: zeros([]) }, zeros([3]));
 * String(graph).split('\n').slice(2); // => ['args[1]: float32[3]', '%0: float32[] = dotGeneral(args[0].w, args[1]) { lhsContract: [0], rhsContract: [0] }', '%1: float32[] = add(%0, args[0].b)', 'outputs %1']
 * ```
 */
export const makeGraph = <F extends (...args: never[]) => unknown>(
  f: F,
  options: Pick<JitOptions, 'static'> = {},
): ((...args: Parameters<F>) => GraphText) => {
  checkFunction('makeGraph', f);
  const statics = staticsOf('makeGraph', options);
  const plain = f as unknown as (...args: readonly unknown[]) => unknown;
  return (...args) => {
    const form = formOfArguments('makeGraph', args, statics);
    const found: Dynamic[] = [];
    matches(form, args, found);
    const text = graphText(traceArguments('makeGraph', plain, args, form, found, statics, false));
    const show = (): string => text;
    return Object.freeze({ toString: show, [Symbol.for('nodejs.util.inspect.custom')]: show });
  };
};
