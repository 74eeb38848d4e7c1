/** A fold that comes up for air: some steps at a time, with progress between, and a way to stop. */
import { b } from '../build.js';
import { ArgumentError } from '../errors.js';
import { bufferNode } from '../graph.js';
import { checkSetting } from '../ops/common/operands.js';
import { checkInteger } from '../shape.js';
import { HostStorage } from '../storage.js';
import { nodeOf, type Tensor, wrap } from '../tensor.js';
import { checkFunction, leavesOf } from './arguments.js';
import { jit } from './jit.js';
import { loop, sequencesOf } from './loops.js';

/** Options of {@link foldChunks}. */
export interface FoldChunksOptions {
  /** How many steps are run at a time. */
  readonly every: number;
  /** An `AbortSignal`: once it is aborted, the iteration throws its reason instead of running the next steps. */
  readonly signal?: { throwIfAborted(): void } | undefined;
  /** Run over the sequences from the last element to the first. */
  readonly reverse?: boolean;
}

/** Where a fold has got to. */
export interface FoldChunk<C = Tensor> {
  readonly carry: C;
  /** How many steps have been done. */
  readonly step: number;
}

const int32 = (value: number): Tensor => wrap(bufferNode([], new HostStorage('int32', Int32Array.of(value))));

/** What browsers and Node have both, and the types of either alone do not say. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
  close(): void;
}

/** @internal Lets everything else have its turn: timers, events, painting, finalizers. */
export const otherTasks = (): Promise<void> =>
  new Promise(resolve => {
    // Timers would do, but those of a page in the background wait for a second.
    const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port };
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

const checkSignal = (signal: FoldChunksOptions['signal']): void => {
  if (signal === undefined || typeof signal?.throwIfAborted === 'function') return;
  throw new ArgumentError({
    operation: 'foldChunks',
    given: `${typeof signal} ${String(signal)} as signal`,
    rule: 'it is an AbortSignal',
    hint: 'Pass { signal: controller.signal }.',
  });
};

/**
 * As `fold`, `every` steps at a time: an iterable of where it has got to after them, which lets other tasks have their turn
 * before it goes on. The carries have the same bits as those of the whole fold; the last one is its result, and that of no
 * steps is the first carry.
 *
 * Every chunk is one run of one compiled program, whichever steps it is of; only what is left over at the end is another.
 * Nothing runs ahead: a chunk is computed when it is asked for, and leaving the loop ends it. Each `for await` starts anew.
 *
 * @param step as that of `fold`, called once for chunks of a length
 * @param options `every`; `signal`, whose reason is thrown as soon as it is aborted; `reverse`
 * @returns a function of the first carry and `xs`, as `fold`, which gives an `AsyncIterable` of `{ carry, step }`
 * @throws IndexError when `every` is no positive integer; ShapeError, TreeError as `fold`
 * @example
 * ```js
 * import { add, foldChunks, tensor } from 'tenfold';
 * const sums = foldChunks((sum, x) => add(sum, x), { every: 2 })(tensor(0), tensor([1, 2, 3, 4, 5]));
 * const seen = [];
 * for await (const { carry, step } of sums) seen.push([step, carry.item()]);
 * seen; // => [[2, 3], [4, 10], [5, 15]]
 * ```
 */
export const foldChunks = <C = Tensor, X = Tensor>(
  step: (carry: C, x: X) => C,
  options: FoldChunksOptions,
): ((init: C, xs: X | number) => AsyncIterable<FoldChunk<C>>) => {
  checkFunction('foldChunks', step);
  const { every, signal, reverse = false } = options ?? {};
  checkSetting('foldChunks', 'every', every);
  checkInteger('foldChunks', 'every', every, 1, Number.MAX_SAFE_INTEGER);
  checkSignal(signal);
  /** `count` steps over the elements from an index on; over the indices where there are no sequences. */
  const run = jit(
    (carry: unknown, xs: unknown, from: Tensor, count: number): unknown => {
      const ramp = b.iota({ shape: [count], dtype: 'int32', axis: 0 });
      const indices = b.add(ramp, b.broadcast(nodeOf(from), { shape: [count] }));
      const sequences = leavesOf('foldChunks', xs);
      const elements = sequences.nodes.map(x => b.gather(x, indices, { axis: 0 }));
      const over = xs === null ? wrap(indices) : sequences.rebuild(elements);
      const [next] = loop('foldChunks', (c, x) => [step(c as C, x as X), null], carry, over, { reverse });
      return next;
    },
    { static: [3] },
  );
  return (init, xs) => {
    leavesOf('foldChunks', init);
    const { length } = sequencesOf('foldChunks', xs);
    const sequences = typeof xs === 'number' ? null : xs;
    return {
      async *[Symbol.asyncIterator]() {
        let carry: unknown = init;
        signal?.throwIfAborted();
        if (length === 0) yield Object.freeze({ carry: init, step: 0 });
        for (let done = 0; done < length; ) {
          const count = Math.min(every, length - done);
          const from = reverse ? length - done - count : done;
          carry = run(carry, sequences, int32(from), count);
          done += count;
          yield Object.freeze({ carry: carry as C, step: done });
          if (done < length) await otherTasks();
          signal?.throwIfAborted();
        }
      },
    };
  };
};
