/** Training runs: resumed to the last bit, after a kill too; ends that are early, asked for, or errors. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { FormatError, type Tensor, tensor, zeros } from 'tenfold';
import { type Checkpoint, fileCheckpoint, fit as follow } from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batches, goOn, run } from './fit-run.js';

type State = ReturnType<typeof run.init>;
const bytes = (state: State): number[][] =>
  leaves(state).map(leaf => [...new Uint8Array((leaf as Tensor).dataSync().buffer)]);

const x = normal(key(9), [8, 4]);
const endless = function* (): Generator<Tensor> {
  for (;;) yield x;
};

const all = async <A>(steps: AsyncIterable<A>): Promise<A[]> => {
  const list: A[] = [];
  for await (const each of steps) list.push(each);
  return list;
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-fit-'));
});
afterAll(() => rm(folder, { recursive: true }));
const file = (name: string): string => join(folder, `${name}.safetensors`);

/** A checkpoint in memory, and what was put there. */
const inMemory = () => {
  const saved: { readonly state: State; readonly metadata: Readonly<Record<string, string>> }[] = [];
  const to: Checkpoint = {
    save: (state, metadata) => TE.fromIO(() => void saved.push({ state: state as State, metadata })),
    load: <S>() =>
      TE.right(saved.length === 0 ? null : { tree: saved.at(-1)!.state as S, metadata: saved.at(-1)!.metadata }),
  };
  return { to, saved, steps: () => saved.map(({ state }) => state.step.item()) };
};

describe('a run', () => {
  it('is the steps of the trainer, in order', async () => {
    const seen = await all(follow(run, key(3), batches, { steps: 3 }));
    let state = run.init(key(3));
    for (const [i, each] of seen.entries()) {
      const [next, { loss }] = run.step(state, await batches.at(i));
      state = next;
      expect([each.step, each.metrics.loss.item()]).toEqual([i + 1, loss.item()]);
      expect(bytes(each.state)).toEqual(bytes(state));
    }
    expect(seen.length).toBe(3);
  });

  it('of 30 steps has the bytes of 17, a file, and 13 by another start', async () => {
    const straight = (await all(follow(run, key(3), batches, { steps: 30 }))).at(-1)!.state;
    const checkpoint = { to: fileCheckpoint(file('halves')), every: 10 };
    await all(follow(run, key(3), batches, { steps: 17, checkpoint }));
    // All that matters comes from the file.
    const rest = await all(follow(run, key(4), batches, { steps: 30, checkpoint, resume: true }));
    expect(rest.map(({ step }) => step)).toEqual(Array.from({ length: 13 }, (_, i) => i + 18));
    expect(bytes(rest.at(-1)!.state)).toEqual(bytes(straight));
    expect(await all(follow(run, key(4), batches, { steps: 30, checkpoint, resume: true }))).toEqual([]);
  });

  it('goes on from a state, with batches as they come or from a function of the step', async () => {
    const { state } = (await all(follow(run, key(3), [x])))[0]!;
    const from: number[] = [];
    const seen = await all(
      follow(
        run,
        state,
        done => {
          from.push(done);
          return endless();
        },
        { steps: 3 },
      ),
    );
    const listed = await all(follow(run, state, [x, x]));
    expect(from).toEqual([1]);
    expect(seen.map(({ step }) => step)).toEqual([2, 3]);
    expect(bytes(listed[1]!.state)).toEqual(bytes(seen[1]!.state));
  });

  it('starts anew for each loop, and ends its source when it is left', async () => {
    let ended = 0;
    const source = function* (): Generator<Tensor> {
      try {
        yield* endless();
      } finally {
        ended++;
      }
    };
    const steps = follow(run, key(3), source, { steps: 5 });
    for (let i = 0; i < 2; i++) {
      for await (const { step } of steps) if (step === 2) break;
    }
    expect(ended).toBe(2);
    expect((await all(steps)).length).toBe(5);
    expect(ended).toBe(3);
  });

  it('lets other tasks have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await all(follow(run, key(3), endless, { steps: 40 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });
});

describe('a killed process', () => {
  const root = resolve(import.meta.dirname, '../..');
  const steps = 120;

  /** Runs it until it is done, or for some steps and milliseconds; gives the first and the last step that it told of. */
  const child = (path: string, kill?: { readonly after: number; readonly ms: number }): Promise<readonly number[]> =>
    new Promise((done, fail) => {
      const code = `import { goOn } from './test/diffusion/fit-run.ts';
        await goOn(${JSON.stringify(path)}, ${steps}, step => new Promise(told => process.stdout.write(step + ' ', told)));`;
      const node = ['--conditions=tenfold-source', '--import=tsx', '--input-type=module', '--eval', code];
      const running = spawn(process.execPath, node, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      let told = '';
      let isDying = false;
      running.stdout.on('data', data => {
        told += String(data);
        if (isDying || kill === undefined || told.split(' ').length <= kill.after) return;
        isDying = true;
        setTimeout(() => running.kill('SIGKILL'), kill.ms);
      });
      running.on('error', fail);
      running.on('close', (status, signal) => {
        const seen = told.trim().split(' ').map(Number);
        if (signal === (kill === undefined ? null : 'SIGKILL')) done([seen[0]!, seen.at(-1)!]);
        else fail(new Error(`the child ended with ${status ?? signal} after step ${seen.at(-1)}`));
      });
    });

  it('leaves a checkpoint that goes on to the same bytes, whenever it dies', async () => {
    const path = file('killed');
    let from = 1;
    for (let kills = 0; kills < 2; kills++) {
      const [first, last] = (await child(path, { after: 10 + Math.random() * 30, ms: 20 * Math.random() })) as [
        number,
        number,
      ];
      // It went on from the last checkpoint of the one before, which may have been written before its step was told.
      expect(first).toBeGreaterThanOrEqual(from);
      expect(first % 3).toBe(1);
      from = last - (last % 3) + 1;
    }
    const [first, last] = (await child(path)) as [number, number];
    expect([first >= from && first > 10, last]).toEqual([true, steps]);
    await goOn(file('straight'), steps, () => undefined);
    expect((await readFile(path)).equals(await readFile(file('straight')))).toBe(true);
  }, 120_000);
});

describe('checkpoints', () => {
  it('are kept every n steps before the step is told, and once more at the end', async () => {
    const { to, saved, steps } = inMemory();
    const known: number[] = [];
    for await (const _ of follow(run, key(3), endless, { steps: 7, checkpoint: { to, every: 3 } })) {
      known.push(saved.length);
    }
    expect(steps()).toEqual([3, 6, 7]);
    expect(known).toEqual([0, 0, 1, 1, 1, 2, 2]);
    const even = inMemory();
    await all(follow(run, key(3), endless, { steps: 6, checkpoint: { to: even.to, every: 3 } }));
    expect(even.steps()).toEqual([3, 6]);
  });

  it('are read only for a run that is resumed, and need not be there', async () => {
    const { to, steps } = inMemory();
    const checkpoint = { to, every: 2 };
    await all(follow(run, key(3), endless, { steps: 2, checkpoint, resume: true }));
    await all(follow(run, key(3), endless, { steps: 2, checkpoint }));
    const resumed = await all(follow(run, key(3), endless, { steps: 4, checkpoint, resume: true }));
    expect(resumed.map(({ step }) => step)).toEqual([3, 4]);
    expect(steps()).toEqual([2, 2, 4]);
  });

  it('that cannot be written or are damaged end the run in their error', async () => {
    const nowhere = { to: fileCheckpoint(join(folder, 'no', 'such', 'folder')), every: 1 };
    await expect(all(follow(run, key(3), endless, { steps: 2, checkpoint: nowhere }))).rejects.toBeInstanceOf(
      FormatError,
    );
    await writeFile(file('damaged'), 'nothing of the kind');
    const damaged = { to: fileCheckpoint(file('damaged')), every: 1 };
    const resumed = follow(run, key(3), endless, { steps: 2, checkpoint: damaged, resume: true });
    await expect(all(resumed)).rejects.toBeInstanceOf(FormatError);
    const other = await fileCheckpoint(file('other')).save({ w: zeros([2]) }, {})();
    expect(E.isRight(other)).toBe(true);
    const misfit = { to: fileCheckpoint(file('other')), every: 1 };
    await expect(all(follow(run, key(3), endless, { steps: 2, checkpoint: misfit, resume: true }))).rejects.toThrow(
      /no tensor/,
    );
  });
});

describe('an early end', () => {
  it('by a function of the metrics and the step', async () => {
    const losses: number[] = [];
    const seen = await all(
      follow(run, key(3), endless, {
        earlyStop: async ({ loss }, step) => {
          losses.push((await loss.data())[0]!);
          return step === 4;
        },
      }),
    );
    expect(seen.length).toBe(4);
    expect(losses).toEqual(seen.map(({ metrics }) => metrics.loss.item()));
  });

  /** A trainer whose losses are known beforehand. */
  const known = (losses: readonly number[]) => ({
    init: () => ({ step: tensor(0, { dtype: 'int32' }) }),
    step: (state: { readonly step: Tensor }, _: Tensor) => {
      const done = state.step.item() as number;
      return [{ step: tensor(done + 1, { dtype: 'int32' }) }, { loss: tensor(losses[done]!) }] as const;
    },
  });
  const stepsOf = async (losses: readonly number[], patience: object, more: object = {}): Promise<number[]> => {
    const seen = await all(follow(known(losses) as never, key(0), endless, { earlyStop: patience as never, ...more }));
    return seen.map(({ step }) => step);
  };

  it('by patience with the loss', async () => {
    expect(await stepsOf([5, 4, 4, 3, 3.5, 4, 0], { patience: 2 })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await stepsOf([5, 4.9, 4.8, 0], { patience: 2, minDelta: 0.5 })).toEqual([1, 2, 3]);
    expect(await stepsOf([5, Number.NaN, 5, 0], { patience: 2 })).toEqual([1, 2, 3]);
    expect(await stepsOf([Number.NaN, 5, 4, 4, 4, 0], { patience: 2 })).toEqual([1, 2, 3, 4, 5]);
  });

  it('by patience, which a resumed run remembers', async () => {
    const losses = [5, 4, 4.5, 4.4, 4.3, 4.2, 0];
    const { to } = inMemory();
    const checkpoint = { to, every: 100 };
    expect(await stepsOf(losses, { patience: 3 }, { steps: 4, checkpoint })).toEqual([1, 2, 3, 4]);
    expect(await stepsOf(losses, { patience: 3 }, { checkpoint, resume: true })).toEqual([5]);
  });
});

describe('a signal', () => {
  it('ends the run between two steps, with the state kept', async () => {
    const controller = new AbortController();
    const { to, saved, steps } = inMemory();
    const seen: State[] = [];
    const options = { signal: controller.signal, checkpoint: { to, every: 100 } };
    for await (const { step, state } of follow(run, key(3), endless, options)) {
      seen.push(state);
      if (step === 3) setTimeout(() => controller.abort(), 1);
    }
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(steps()).toEqual([seen.length]);
    expect(bytes(saved[0]!.state)).toEqual(bytes(seen.at(-1)!));
  });

  it('gives up a batch that is waited for', async () => {
    const controller = new AbortController();
    const never = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<Tensor>>(() => undefined) }),
    };
    setTimeout(() => controller.abort(), 5);
    expect(await all(follow(run, key(3), never, { signal: controller.signal }))).toEqual([]);
  });

  it('that is aborted already begins nothing', async () => {
    let begun = 0;
    const source = (): Generator<Tensor> => {
      begun++;
      return endless();
    };
    expect(await all(follow(run, key(3), source, { signal: AbortSignal.abort() }))).toEqual([]);
    expect(begun).toBe(0);
  });
});

it('what the batches throw ends the run', async () => {
  const source = async function* (): AsyncGenerator<Tensor> {
    yield x;
    throw new Error('no more data');
  };
  const { to, saved } = inMemory();
  const seen: number[] = [];
  const watch = async (): Promise<void> => {
    for await (const { step } of follow(run, key(3), source, { checkpoint: { to, every: 5 } })) seen.push(step);
  };
  await expect(watch()).rejects.toThrow('no more data');
  expect([seen, saved]).toEqual([[1], []]);
});
