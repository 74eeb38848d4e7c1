/**
 * Data sets: what they are, and how they are iterated.
 *
 * An element is a function of its epoch and its place there, so any step can be had without the earlier ones; what a
 * data set does besides (how far it runs ahead) is in its plan, which only the functions of this folder see.
 */
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Flat } from '../tree/tree.js';
import { mostEpochs } from './order.js';

/** What stands for an AbortSignal in programs without the types of a browser or of Node. */
interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** An AbortSignal, looked up where the library is used, so that its types need no others. */
export type Signal = typeof globalThis extends { readonly AbortSignal: { readonly prototype: infer S } }
  ? S
  : SignalLike;

/** Options of an iteration. */
export interface FromOptions {
  /** Ends the iteration: what it waits for is rejected with the signal's reason. */
  readonly signal?: Signal;
}

/**
 * Elements (examples, or batches of them) that any number of loops can go through, each from wherever it likes.
 * `for await (const x of dataset)` starts at step 0.
 */
export interface Dataset<T> extends AsyncIterable<T> {
  /** How many elements an epoch has. */
  readonly length: number;
  /** How many epochs an iteration goes through: 1, or what `repeat` says. */
  readonly epochs: number;
  /** How many elements that makes. */
  readonly steps: number;
  /** The element of one step. */
  readonly at: (step: number) => Promise<T>;
  /** The elements from a step on: those that an iteration from the start would give from there on. */
  readonly from: (step: number, options?: FromOptions) => AsyncIterable<T>;
}

/** @internal Tensors with a common first axis, and the rows of them that an epoch visits. */
export interface Rows {
  readonly flat: Flat;
  readonly tensors: readonly Tensor[];
  /** Indices of rows, at least as many as there are elements; without it the rows as they come. */
  readonly order?: (epoch: number) => Tensor;
}

/** @internal How a data set makes its elements. */
export interface Plan<T> {
  readonly length: number;
  readonly epochs: number;
  readonly element: (epoch: number, index: number, signal: Signal) => T | Promise<T>;
  /** How many elements are begun before they are asked for. */
  readonly ahead: number;
  /** Where the elements are rows of tensors: batches are gathered from these, instead of being put together. */
  readonly rows?: Rows;
}

const plans = new WeakMap<object, Plan<unknown>>();

/** @internal Whether it is a data set. */
export const isDataset = (value: unknown): value is Dataset<unknown> =>
  typeof value === 'object' && value !== null && plans.has(value);

/** @internal The plan of an argument that must be a data set. */
export const planFor = (operation: string, dataset: unknown): Plan<unknown> => {
  const plan = isDataset(dataset) ? plans.get(dataset) : undefined;
  if (plan !== undefined) return plan;
  throw new ArgumentError({
    operation,
    given: kindOf(dataset),
    rule: 'a data set belongs there',
    hint: 'Make one with fromArrays({ x, y }).',
  });
};

/** @internal The data set of a plan. */
export const datasetOf = <T>(plan: Plan<T>): Dataset<T> => {
  const { length, epochs } = plan;
  const steps = length * epochs;
  const last = Math.min(steps, length * mostEpochs, Number.MAX_SAFE_INTEGER);
  const dataset: Dataset<T> = Object.freeze({
    length,
    epochs,
    steps,
    at: async (step: number) => {
      checkInteger('dataset.at', 'the step', step, 0, last - 1);
      return elementOf(plan, step, new AbortController().signal);
    },
    from: (step: number, options: FromOptions = {}) => {
      checkInteger('dataset.from', 'the step', step, 0, last);
      checkOptions('dataset.from', ['signal'], options);
      const { signal } = options;
      checkArgument(
        signal === undefined || signal instanceof AbortSignal,
        'dataset.from',
        `${kindOf(signal)} as the signal`,
        'it is an AbortSignal',
        'Pass the signal of an AbortController.',
      );
      return Object.freeze({ [Symbol.asyncIterator]: () => iterate(plan, step, last, signal) });
    },
    [Symbol.asyncIterator]: () => iterate(plan, 0, last, undefined),
  });
  plans.set(dataset, plan);
  return dataset;
};

const elementOf = async <T>({ length, element }: Plan<T>, step: number, signal: Signal): Promise<T> =>
  element(Math.floor(step / length), step % length, signal);

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Elements from `start` up to but not including `stop`. Written out instead of as a generator, because the `return` of a
 * generator waits for the element that it works on.
 */
const iterate = <T>(plan: Plan<T>, start: number, stop: number, outer: Signal | undefined): AsyncIterator<T> => {
  const inner = new AbortController();
  const waiting = new Set<Waiting<T>>();
  let open: Plan<T> | undefined = plan;
  let begun: readonly Promise<T>[] = [];
  let step = start;
  let isListening = false;
  let aborted: { readonly reason: unknown } | undefined;

  /** Lets go of everything; nobody is left waiting. */
  const close = (answer: (one: Waiting<T>) => void): void => {
    open = undefined;
    begun = [];
    outer?.removeEventListener('abort', abort);
    const all = [...waiting];
    waiting.clear();
    for (const one of all) answer(one);
  };
  const end = ({ resolve }: Waiting<T>): void => resolve({ done: true, value: undefined });
  const abort = (): void => {
    const reason: unknown = outer?.reason;
    aborted = { reason };
    close(({ reject }) => reject(reason));
    inner.abort(reason);
  };
  const closeAtEnd = (): void => {
    if (begun.length === 0 && step >= stop && waiting.size === 0) close(end);
  };
  const begin = (from: Plan<T>): Promise<T> => {
    const element = elementOf(from, step++, inner.signal);
    // Whoever leaves early never hears of what became of it.
    element.catch(() => undefined);
    return element;
  };
  const take = (from: Plan<T>): Promise<T> | undefined => {
    const more: Promise<T>[] = [];
    while (begun.length + more.length <= from.ahead && step < stop) more.push(begin(from));
    const [first, ...rest] = [...begun, ...more];
    begun = rest;
    return first;
  };
  const leave = (): void => {
    const wasOpen = open !== undefined;
    aborted = undefined;
    close(end);
    if (wasOpen) inner.abort();
  };

  return {
    next: () =>
      new Promise<IteratorResult<T, undefined>>((resolve, reject) => {
        if (open !== undefined && !isListening) {
          isListening = true;
          if (outer?.aborted) abort();
          else outer?.addEventListener('abort', abort);
        }
        const one: Waiting<T> = { resolve, reject };
        if (aborted !== undefined) {
          reject(aborted.reason);
          return;
        }
        const element = open === undefined ? undefined : take(open);
        if (element === undefined) {
          end(one);
          closeAtEnd();
          return;
        }
        waiting.add(one);
        element.then(
          value => {
            if (!waiting.delete(one)) return;
            resolve({ done: false, value });
            closeAtEnd();
          },
          reason => {
            if (!waiting.delete(one)) return;
            reject(reason);
            leave();
          },
        );
      }),
    return: () => {
      leave();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
};
