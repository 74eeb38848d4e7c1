/** Training runs: the step of a trainer folded over batches, with checkpoints, an early end, and a way to stop. */
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Dataset, isDataset, type Signal } from '../data/dataset.js';
import { type Key, keyNode } from '../random/key.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument, checkInteger, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { otherTasks } from '../tensor/transform/fold-chunks.js';
import type { Checkpoint } from './checkpoint.js';
import { checkFunctions } from './checks.js';

/** What `fit` needs of a trainer. */
export interface Fitted<State, Batch, Metrics> {
  readonly init: (key: Key) => State;
  readonly step: (state: State, batch: Batch) => readonly [state: State, metrics: Metrics];
}

/** Batches one after the other. */
export type Batches<Batch> = Iterable<Batch> | AsyncIterable<Batch>;

/** An end when the loss has not become smaller for a while. */
export interface Patience {
  /** After how many steps without a smaller loss. */
  readonly patience: number;
  /** By how much it has to be smaller. Default 0. */
  readonly minDelta?: number;
}

/** Options of {@link fit}. */
export interface FitOptions<Metrics = unknown> {
  /** How many steps there are to be in all, those of the first state included. Default: until there are no more batches. */
  readonly steps?: number;
  /** Where the state is kept, and after how many steps each time; it is kept at the end, too. */
  readonly checkpoint?: { readonly to: Checkpoint; readonly every: number };
  /** Start from what is in the checkpoint, if there is anything. Default false. */
  readonly resume?: boolean;
  /** Ends the run after a step: a function of its metrics and its number, or patience with the loss. */
  readonly earlyStop?: Patience | ((metrics: Metrics, step: number) => boolean | Promise<boolean>);
  /** Ends the run between two steps; what is waited for is given up. */
  readonly signal?: Signal;
}

/** Where a run has got to. */
export interface FitStep<State, Metrics> {
  /** Steps done. */
  readonly step: number;
  readonly metrics: Metrics;
  readonly state: State;
}

/** The least loss so far, and how many steps ago it was. */
interface Best {
  readonly loss: number | null;
  readonly since: number;
}

const numberIn = async (scalar: Tensor): Promise<number> => Number((await scalar.data())[0]);

/** The value of a task, or its error thrown: an iteration has no other way to end in one. */
const resultOf = async <A>(task: TaskEither<unknown, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) throw result.left;
  return result.right;
};

const iteratorOf = <Batch>(batches: Batches<Batch>): AsyncIterator<Batch> | Iterator<Batch> =>
  Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();

/** What a promise gives, or null once the signal is aborted. */
const unlessAborted = <A>(promise: Promise<A>, signal: Signal | undefined): Promise<A | null> => {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(null);
    const settled = (): void => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(settled);
  });
};

const isState = (state: unknown): state is { readonly step: Tensor } => {
  const step = (state as { readonly step?: unknown } | null | undefined)?.step;
  return !isTensor(state) && isTensor(step) && step.shape.length === 0;
};

const isBatches = (batches: unknown): boolean =>
  typeof batches === 'object' && batches !== null && (Symbol.asyncIterator in batches || Symbol.iterator in batches);

const checkFit = (operation: string, trainer: unknown, batches: unknown, options: FitOptions<never>): void => {
  const { init, step } = (trainer ?? {}) as Readonly<Record<string, unknown>>;
  checkArgument(
    typeof init === 'function' && typeof step === 'function',
    operation,
    `${kindOf(trainer)} as the trainer`,
    'a trainer has the functions init and step',
    'Make one with trainer({ diffusion, model, optimizer }).',
  );
  checkArgument(
    typeof batches === 'function' || (isBatches(batches) && !isTensor(batches)),
    operation,
    `${kindOf(batches)} as the batches`,
    'batches are a data set, an iterable, or a function of the first step that gives one',
    'Write fit(trainer, key(0), pipe(fromArrays(x), shuffle(key(1)), batch(64), repeat())).',
  );
  checkOptions(operation, ['steps', 'checkpoint', 'resume', 'earlyStop', 'signal'], options);
  const { steps, checkpoint, resume, earlyStop, signal } = options;
  if (steps !== undefined) checkInteger(operation, 'steps', steps, 0, Number.MAX_SAFE_INTEGER);
  checkFlag(operation, 'resume', resume);
  checkArgument(
    resume !== true || checkpoint !== undefined,
    operation,
    'resume without a checkpoint',
    'a run goes on from what is in its checkpoint',
    'Add { checkpoint: { to: fileCheckpoint(path), every: 1000 } }.',
  );
  if (checkpoint !== undefined) {
    checkOptions(operation, ['to', 'every'], checkpoint);
    checkFunctions(operation, { 'checkpoint.to.save': checkpoint.to?.save, 'checkpoint.to.load': checkpoint.to?.load });
    checkInteger(operation, 'checkpoint.every', checkpoint.every, 1, Number.MAX_SAFE_INTEGER);
  }
  if (earlyStop !== undefined && typeof earlyStop !== 'function') {
    checkOptions(operation, ['patience', 'minDelta'], earlyStop);
    checkInteger(operation, 'patience', earlyStop.patience, 1, Number.MAX_SAFE_INTEGER);
    checkNumber(operation, 'minDelta', earlyStop.minDelta ?? 0, 'notNegative');
  }
  checkArgument(
    signal === undefined || signal instanceof AbortSignal,
    operation,
    `${kindOf(signal)} as the signal`,
    'it is an AbortSignal',
    'Pass the signal of an AbortController.',
  );
};

/** What the checkpoint of a run with patience says of it; of another run nothing. */
const bestIn = (text: string | undefined): Best => (text === undefined ? { loss: null, since: 0 } : JSON.parse(text));

const betterOf = ({ loss: least, since }: Best, loss: number, minDelta: number): Best => {
  const isLess = least === null ? Number.isFinite(loss) : loss < least - minDelta;
  return isLess ? { loss, since: 0 } : { loss: least, since: since + 1 };
};

/**
 * Trains: the step of a trainer for one batch after the other, as an iterable of where it has got to. Nothing runs ahead: a
 * step is done when it is asked for, and leaving the loop ends the run. Each `for await` starts anew.
 *
 * A run that is resumed ends with the same bits as one that was never stopped, if it gets the same batches: a data set goes on
 * at the step of the state, and so does a function of the first step; any other iterable is taken as it comes.
 *
 * @param trainer what `trainer` gives
 * @param start a state, or the key of a new run
 * @param batches a data set, an iterable or async iterable of batches, or a function of the number of steps done that gives one
 * @param options `steps` in all; `checkpoint: { to, every }`; `resume` (false); `earlyStop`, a function of metrics and step or
 *   `{ patience, minDelta }`; `signal`
 * @returns an AsyncIterable of `{ step, metrics, state }`, the metrics being those of the trainer. It ends after that many steps,
 *   with the batches, early, or once the signal is aborted; then the state is in the checkpoint, if there is one
 * @throws ArgumentError, IndexError for what is no trainer, batches or option; the iteration: ArgumentError for what is no
 *   state, the error of the checkpoint when it cannot be written or read, and whatever the step or the batches throw
 * @example
 * ```js
 * import { pipe } from 'fp-ts/lib/function.js';
 * import { batch, fromArrays, repeat } from 'tenfold/data';
 * import { fit, gaussianDiffusion, linearBetas, trainer } from 'tenfold/diffusion';
 * import { residualMlp } from 'tenfold/nn';
 * import { adam } from 'tenfold/optim';
 * import { key, normal } from 'tenfold/random';
 * const model = residualMlp({ size: 4, hidden: 8, blocks: 1 });
 * const run = trainer({ diffusion: gaussianDiffusion(linearBetas(50)), model, optimizer: adam(1e-3) });
 * const batches = pipe(fromArrays(normal(key(1), [20, 4])), batch(8), repeat());
 * const seen = [];
 * for await (const { step, state } of fit(run, key(0), batches, { steps: 3 })) seen.push([step, state.step.item()]);
 * seen; // => [[1, 1], [2, 2], [3, 3]]
 * ```
 */
export const fit = <State, Batch, Metrics>(
  trainer: Fitted<State, Batch, Metrics>,
  start: NoInfer<State> | Key,
  batches: Dataset<NoInfer<Batch>> | Batches<NoInfer<Batch>> | ((step: number) => Batches<NoInfer<Batch>>),
  options: FitOptions<NoInfer<Metrics>> = {},
): AsyncIterable<FitStep<State, Metrics>> => {
  checkFit('fit', trainer, batches, options as FitOptions<never>);
  const { steps = Number.POSITIVE_INFINITY, checkpoint, resume = false, earlyStop, signal } = options;
  if (isTensor(start)) keyNode('fit', start);
  const first = isTensor(start) ? trainer.init(start as Key) : (start as State);
  checkArgument(
    isState(first),
    'fit',
    `${kindOf(start)} as the start`,
    'a run starts from a key or from a state of the trainer',
    'Write key(0).',
  );

  const begin = async (): Promise<{ readonly state: State; readonly best: Best }> => {
    const saved = resume ? await resultOf(checkpoint!.to.load(first)) : null;
    return saved === null
      ? { state: first, best: bestIn(undefined) }
      : { state: saved.tree, best: bestIn(saved.metadata.earlyStop) };
  };
  const from = (step: number): Batches<Batch> => {
    if (isDataset(batches)) return (batches as Dataset<Batch>).from(step);
    return typeof batches === 'function' ? batches(step) : (batches as Batches<Batch>);
  };
  const save = (state: State, best: Best): Promise<void> =>
    resultOf(checkpoint!.to.save(state, typeof earlyStop === 'object' ? { earlyStop: JSON.stringify(best) } : {}));

  async function* run(): AsyncGenerator<FitStep<State, Metrics>, void, undefined> {
    let { state, best } = await begin();
    let done = await numberIn((state as { readonly step: Tensor }).step);
    let saved = done;
    const source = done < steps && signal?.aborted !== true ? iteratorOf(from(done)) : null;
    let isWaiting = source !== null;
    try {
      while (source !== null && done < steps && signal?.aborted !== true) {
        const next = await unlessAborted(Promise.resolve(source.next()), signal);
        if (next === null) break;
        isWaiting = next.done !== true;
        if (next.done === true) break;
        const [after, metrics] = trainer.step(state, next.value);
        state = after;
        done += 1;
        const isEnd = await (typeof earlyStop === 'function' ? earlyStop(metrics, done) : isEnough(metrics));
        if (checkpoint !== undefined && done % checkpoint.every === 0) {
          await save(state, best);
          saved = done;
        }
        yield Object.freeze({ step: done, metrics, state });
        if (isEnd) break;
        await otherTasks();
      }
      if (checkpoint !== undefined && saved !== done) await save(state, best);
    } finally {
      // Not waited for: a source that is still busy with a batch nobody wants would keep the run from ending.
      if (isWaiting) void Promise.resolve(source?.return?.()).catch(() => undefined);
    }

    async function isEnough(metrics: Metrics): Promise<boolean> {
      if (typeof earlyStop !== 'object') return false;
      const loss = await numberIn((metrics as { readonly loss: Tensor<Shape> }).loss);
      best = betterOf(best, loss, earlyStop.minDelta ?? 0);
      return best.since >= earlyStop.patience;
    }
  }
  return Object.freeze({ [Symbol.asyncIterator]: run });
};
