/** Threads: the same bits with any number of them, and what happens when one of them fails. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import {
  ArgumentError,
  add,
  arange,
  cond,
  conv2d,
  DeviceError,
  div,
  exp,
  explain,
  fold,
  grad,
  jit,
  less,
  matmul,
  max,
  mean,
  mul,
  permute,
  realize,
  reshape,
  setDeterministic,
  setThreads,
  sin,
  slice,
  softmax,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  threadInfo,
  transpose,
  variance,
  whileLoop,
} from 'tenfold';
import { adam } from 'tenfold/optim';
import { key, normal, uniform } from 'tenfold/random';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wasmApi } from '../../src/tensor/backend/wasm/api.js';
import { FunctionWriter, largestMemory, link } from '../../src/tensor/backend/wasm/assembler.js';
import { type Crew, meet, share, solo } from '../../src/tensor/backend/wasm/threads/crew.js';
import { type Handle, type Platform, platformOf } from '../../src/tensor/backend/wasm/threads/platform.js';
import { type Loadable, type Main, Pool } from '../../src/tensor/backend/wasm/threads/pool.js';
import { worth } from '../../src/tensor/backend/wasm/threads/work.js';
import { threads, wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import type { TypedArray } from '../../src/tensor/dtype.js';
import type { Storage } from '../../src/tensor/storage.js';
import { graphs } from './differential.js';

const usual = { ...worth };
/** Whatever can be shared is, in many pieces; and programs wait for workers. */
const everything = { kernel: 0, tile: 1e-9, program: 1e-9, waking: 0, waiting: 5000 };

beforeAll(() => {
  Object.assign(worth, everything);
});

afterAll(() => {
  Object.assign(worth, usual);
  setThreads(1);
});

const realized = (x: unknown): Tensor => realize(x as never) as Tensor;
const large = realized(mul(sub(arange(200_003), 1e5), 1e-4));
const matrix = realized(reshape(mul(sin(arange(96 * 1000)), 3), [96, 1000]));
const wide = realized(reshape(mul(sin(arange(700 * 300)), 2), [700, 300]));

const images = realized(reshape(sin(arange(6 * 40 * 19 * 23)), [6, 40, 19, 23]));
const kernel = realized(reshape(mul(sin(arange(37 * 40 * 9)), 0.1), [37, 40, 3, 3]));
const grouped = realized(reshape(mul(sin(arange(24 * 10 * 25)), 0.1), [24, 10, 5, 5]));

type F = (...x: never[]) => unknown;

const pool = (): Pool => threads().pool;

const programs: Readonly<Record<string, () => unknown>> = {
  elementwise: () => add(tanh(large) as never, exp(mul(large, -0.5) as never)),
  'a large sine': () => sin(mul(large, 1e5) as never),
  softmax: () => softmax(matrix as never),
  'layer norm': () => {
    const centred = sub(matrix, mean(matrix, { axis: 1, keepDims: true } as never) as never) as Tensor;
    return div(
      centred,
      sqrt(add(variance(matrix, { axis: 1, keepDims: true } as never) as never, 1e-5) as never) as never,
    );
  },
  'sums of rows': () => sum(matrix, { axis: 1 } as never),
  'sums of columns': () => sum(wide, { axis: 0 } as never),
  'largest of columns': () => max(wide, { axis: 0 } as never),
  'a fold of large carries': () =>
    fold((x: Tensor, i: Tensor) => add(mul(tanh(x as never) as never, 0.9), mul(sum(x), div(i, 1e9))) as never)(
      large as never,
      7,
    ),
  'a while over a large value': () =>
    whileLoop(
      ([, x]: readonly [Tensor, Tensor]) => less(sum(x), 1e5) as never,
      ([i, x]: readonly [Tensor, Tensor]) => [add(i, 1), add(mul(x, 1.1), 0.1)] as never,
    )([tensor(0), large] as never),
  'a condition on a sum': () =>
    fold((x: Tensor, i: Tensor) =>
      cond(
        less(sum(x), div(mul(i, 10), 1) as never) as never,
        (y: Tensor) => add(y, exp(y as never) as never) as never,
        (y: Tensor) => mul(y, 0.5) as never,
      )(x as never),
    )(large as never, 6),
  'a step of Adam': () => {
    const optimizer = adam(1e-2);
    const parameters = { w: wide, b: matrix };
    const state = optimizer.init(parameters as never);
    const gradients = { w: mul(wide, 0.1), b: sin(matrix as never) };
    return optimizer.update(gradients as never, state as never, parameters as never);
  },
  'a product of matrices, and kernels around it': () => {
    const square = reshape(slice(large as never, [0], [400 * 400]) as never, [400, 400]) as Tensor;
    return [matmul(matrix, transpose(matrix) as never), add(tanh(matmul(exp(square as never), square as never)), 1)];
  },
  'many products': () => matmul(images as never, permute(images as never, [0, 1, 3, 2]) as never),
  'a product with a row': () => matmul(slice(matrix as never, [0, 0], [1, 1000]) as never, transpose(matrix) as never),
  'a convolution and its gradients': () => {
    const norm = (x: Tensor, w: Tensor): Tensor =>
      sum(tanh(conv2d(mul(x, 0.5) as never, w as never, { padding: 1, stride: 2 }) as never)) as Tensor;
    return [
      tanh(conv2d(images as never, kernel as never, { padding: 1 }) as never),
      grad((x: Tensor) => norm(x, kernel) as never)(images as never),
      grad((w: Tensor) => norm(images, w) as never)(kernel as never),
    ];
  },
  'a convolution of groups': () => conv2d(images as never, grouped as never, { groups: 4, padding: 2 }),
  'random numbers': () => [normal(key(1), [50_001]), uniform(key(2), [300, 301])],
};

/** All elements of all tensors in a result. */
const elementsOf = (result: unknown): readonly TypedArray[] => {
  const found: TypedArray[] = [];
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if ('dataSync' in value) found.push((value as Tensor).dataSync() as TypedArray);
    else for (const each of Object.values(value)) visit(each);
  };
  visit(realize(result as never));
  return found;
};

/** Where two lists of arrays differ; what bits a NaN has is nobody's business. */
const differences = (actual: readonly TypedArray[], expected: readonly TypedArray[]): readonly string[] =>
  expected.flatMap((array, i) => {
    const other = actual[i]!;
    const at = array.findIndex((value: number, j: number) => !Object.is(value, other[j]));
    return at < 0 && other.length === array.length ? [] : [`${other[at]} for ${array[at]} at ${i}[${at}]`];
  });

describe('results have the same bits with any number of threads', () => {
  const names = Object.keys(programs);
  let expected: readonly (readonly TypedArray[])[] = [];

  beforeAll(() => {
    setThreads(1);
    expected = names.map(name => elementsOf(programs[name]!()));
  });

  test.each([2, 3, 4])('%i', count => {
    setThreads(count);
    // Twice, as V8 may have put in other code by then.
    for (const _ of [1, 2]) {
      names.forEach((name, i) => {
        const before = pool().runs;
        expect(differences(elementsOf(programs[name]!()), expected[i]!), name).toEqual([]);
        expect(pool().runs, name).toBeGreaterThan(before);
        expect(threadInfo(), name).toEqual({ threads: count, ready: count, shared: true, reason: null });
      });
    }
  });

  test('200 random programs', () => {
    const random = fc.sample(graphs(), { numRuns: 200, seed: 5 }).map(({ roots }) => {
      const { program, scalars, leaves } = programOfPending(roots);
      const executable = wasmBackend.compile(program);
      const inputs = leaves.map(({ value }) => value as Storage);
      return () => (executable.run(inputs, scalars).flat() as Storage[]).map(storage => storage.readSync());
    });
    setThreads(1);
    const alone = random.map(run => run());
    setThreads(3);
    random.forEach((run, i) => {
      expect(differences(run(), alone[i]!)).toEqual([]);
    });
  });
});

// ——— Workers that fail ———

/** A memory with a pool of its own, and programs written by hand. */
const bench = (threads: number, patienceMs = 5000, platform: Platform = platformOf(globalThis)) => {
  const memory = new (wasmApi().Memory)({ initial: 2, maximum: largestMemory, shared: true });
  const pool = new Pool(memory, platform, { allocate: () => 2 ** 16, free: () => undefined }, patienceMs);
  pool.resize(threads);
  /** (arena, table, thread, threads) */
  const program = (write: (crew: Crew, f: FunctionWriter) => void, env: Readonly<Record<string, unknown>> = {}) => {
    const writer = new FunctionWriter(['i32', 'i32', 'i32', 'i32']);
    write({ writer, thread: 2, threads: 3, alone: false, since: 'nothing' }, writer);
    const { bytes } = link([{ name: 'main', writer }], true);
    const { Instance, Module } = wasmApi();
    const main = new Instance(new Module(bytes), { env: { ...env, memory } }).exports.main as Main;
    const module: Loadable = { bytes, library: null, work: 1, place: null, refused: null };
    return () => {
      const count = pool.threadsFor(module);
      if (count > 1) pool.run(module, main, 2 ** 14, 0);
      return count;
    };
  };
  /** Adds 1 to every one of 1000 numbers, and the numbers of threads to others. */
  const counts = program((crew, f) => {
    const count = f.i32(1000).keep('i32');
    share(crew, count, index => {
      const at = f
        .i32(2 ** 14 + 16)
        .get(index)
        .i32(4)
        .op('i32.mul', 'i32.add')
        .keep('i32');
      f.get(at, at).memory('i32.load').i32(1).op('i32.add').memory('i32.store');
    });
    meet(crew);
    solo(crew, () =>
      f
        .i32(2 ** 14)
        .i32(2 ** 14)
        .memory('i32.load')
        .get(3)
        .op('i32.add')
        .memory('i32.store'),
    );
  });
  const traps = (thread: number) =>
    program((crew, f) => {
      f.get(2)
        .i32(thread)
        .op('i32.eq')
        .if(() => f.op('unreachable'));
      meet(crew);
    });
  const words = new Int32Array(memory.buffer);
  return {
    pool,
    program,
    counts,
    traps,
    words,
    numbers: () => [...new Set(words.slice(2 ** 12 + 4, 2 ** 12 + 1004))],
    total: () => words[2 ** 12],
  };
};

const thrown = (f: () => unknown): { readonly error: unknown; readonly ms: number } => {
  const from = performance.now();
  try {
    f();
  } catch (error) {
    return { error, ms: performance.now() - from };
  }
  throw new Error('nothing was thrown');
};

describe('shared work', () => {
  test.each([2, 3, 8])('everybody begins with his own part: %i threads', count => {
    const { pool, program, words } = bench(count);
    const [begun, takers] = [2 ** 14, 2 ** 14 + 16];
    const run = program((crew, f) => {
      const pieces = f.i32(count).keep('i32');
      for (const round of [1, 2, 3]) {
        share(crew, pieces, index => {
          f.i32(takers).get(index).i32(4).op('i32.mul', 'i32.add').get(crew.thread).memory('i32.store');
          // Nobody can take another's piece before all are here.
          f.i32(begun).i32(1).atomic('i32.atomic.rmw.add').op('drop');
          f.while(
            () =>
              f
                .i32(begun)
                .atomic('i32.atomic.load')
                .i32(round * count)
                .op('i32.lt_u'),
            () => undefined,
          );
        });
        meet(crew);
      }
    });
    expect(run()).toBe(count);
    expect([...words.slice(takers / 4, takers / 4 + count)]).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(words[begun / 4]).toBe(3 * count);
    pool.end();
  });

  test.each([1, 2, 5, 999])('of %i pieces each is done once, whoever does it', pieces => {
    const { pool, program, words } = bench(3);
    const done = 2 ** 14;
    const run = program((crew, f) => {
      const [round, rounds] = [f.i32(0).keep('i32'), f.i32(100).keep('i32')];
      const count = f.i32(pieces).keep('i32');
      f.loop(round, rounds, 1, () => {
        share(crew, count, index => {
          const at = f.i32(done).get(index).i32(4).op('i32.mul', 'i32.add').keep('i32');
          f.get(at, at).memory('i32.load').i32(1).op('i32.add').memory('i32.store');
        });
        meet(crew);
      });
    });
    expect(run()).toBe(3);
    expect([...new Set(words.slice(done / 4, done / 4 + pieces))]).toEqual([100]);
    expect(words[done / 4 + pieces]).toBe(0);
    pool.end();
  });
});

describe('a worker that fails', () => {
  test.each([2, 3])('a trap in one of %i threads is an error on the main thread, within a second', threads => {
    const { pool, counts, traps, numbers, total } = bench(threads);
    expect(counts()).toBe(threads);
    const { error, ms } = thrown(traps(threads - 1));
    expect(error).toBeInstanceOf(DeviceError);
    expect(String(error)).toMatch(new RegExp(`thread ${threads - 1}: RuntimeError: unreachable`));
    expect(ms).toBeLessThan(1000);
    expect(counts()).toBe(threads);
    expect([numbers(), total()]).toEqual([[2], 2 * threads]);
    pool.end();
  });

  test('a trap on the main thread is what it was, and the workers come out', () => {
    const { pool, counts, traps, numbers } = bench(3);
    const { error, ms } = thrown(traps(0));
    expect(String(error)).toBe('RuntimeError: unreachable');
    expect(ms).toBeLessThan(1000);
    expect(counts()).toBe(3);
    expect(numbers()).toEqual([1]);
    pool.end();
  });

  test('a function that only the main thread has', () => {
    const { pool, program, counts } = bench(2);
    const callee = { name: 'elsewhere', parameters: [], results: [] };
    const run = program(
      (crew, f) => {
        f.call(callee);
        meet(crew);
      },
      { elsewhere: () => undefined },
    );
    expect(String(thrown(run).error)).toMatch(/thread 1: Error: elsewhere is called, which only the main thread has/);
    expect(counts()).toBe(2);
    pool.end();
  });

  test('one that has died: an error, and a fresh one', () => {
    const platform = platformOf(globalThis);
    const handles: Handle[] = [];
    const start: Platform['start'] = (...args) => {
      handles.push(platform.start(...args));
      return handles[handles.length - 1]!;
    };
    const { pool, counts, numbers } = bench(2, 300, { ...platform, start });
    expect(counts()).toBe(2);
    // Once it is idle, and before anybody hears of its end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    handles[0]!.terminate();
    const { error, ms } = thrown(counts);
    expect(error).toBeInstanceOf(DeviceError);
    expect(String(error)).toMatch(/did not come to a meeting.*those that did not come back were ended/);
    expect(ms).toBeLessThan(2500);
    const before = numbers();
    expect(before).toEqual([2]);
    expect(counts()).toBe(2);
    expect(numbers()).toEqual([3]);
    expect(handles).toHaveLength(2);
    pool.end();
  });

  test('one that cannot be started: one thread, and the reason', () => {
    const platform: Platform = {
      ...platformOf(globalThis),
      start: () => {
        throw new Error('too many');
      },
    };
    const { pool, counts } = bench(2, 300, platform);
    expect(counts()).toBe(1);
    expect([pool.threads, pool.ready, pool.reason]).toEqual([1, 1, 'a worker could not be started: Error: too many']);
  });

  test('bytes that are no module: one thread', () => {
    const { pool, counts } = bench(2);
    expect(counts()).toBe(2);
    const broken: Loadable = { bytes: Uint8Array.of(1, 2, 3), library: null, work: 1, place: null, refused: null };
    expect(pool.threadsFor(broken)).toBe(1);
    expect(broken.refused).toMatch(/^CompileError/);
    expect(counts()).toBe(2);
    pool.end();
  });

  test('more programs than workers keep', () => {
    const { pool, program, total } = bench(2);
    const list = Array.from({ length: 150 }, (_, i) =>
      program((crew, f) =>
        solo(crew, () =>
          f
            .i32(2 ** 14)
            .i32(2 ** 14)
            .memory('i32.load')
            .i32(i)
            .op('i32.add')
            .memory('i32.store'),
        ),
      ),
    );
    for (const _ of [1, 2]) for (const run of list) expect(run()).toBe(2);
    expect(total()).toBe(2 * ((149 * 150) / 2));
    pool.end();
  });
});

describe('settings', () => {
  test('explain measures what runs on threads', () => {
    setThreads(2);
    const { runs } = pool();
    const report = explain((x: Tensor) => softmax(x as never) as never)(matrix as never);
    expect(pool().runs).toBeGreaterThan(runs);
    expect(report.report?.steps.map(({ ms }) => ms !== null && ms > 0 && ms < 1000)).toEqual([true]);
  });

  test.each([0, 65, 1.5, Number.NaN, '2' as never])('setThreads(%s) is an error', count => {
    expect(() => setThreads(count)).toThrow(ArgumentError);
  });

  test('a small program starts no workers', () => {
    Object.assign(worth, usual);
    setThreads(1);
    setThreads(3);
    const f = jit((x: Tensor) => softmax(add(x, 1) as never) as never);
    for (let i = 0; i < 5; i++) f(tensor([[1, 2, 3]]) as never);
    expect(threadInfo()).toEqual({ threads: 3, ready: 1, shared: true, reason: null });
    Object.assign(worth, everything);
  });

  test('without fused multiply-add other last bits, also of what was compiled before, and the old ones again', () => {
    const f = jit((x: Tensor) => exp(x as never) as never) as F as (x: Tensor) => Tensor;
    const x = realized(mul(arange(1000), 0.01));
    const bits = (): TypedArray => f(x).dataSync() as TypedArray;
    const before = bits();
    const plain = mul(x, x).dataSync();
    setDeterministic(true);
    const exact = bits();
    expect(mul(x, x).dataSync()).toEqual(plain);
    setDeterministic(false);
    expect(bits()).toEqual(before);
    const different = exact.filter((value, i) => value !== before[i]);
    expect(different.length).toBeGreaterThan(0);
    exact.forEach((value, i) => {
      expect(Math.abs(value / before[i]! - 1)).toBeLessThan(4 * 2 ** -23);
    });
    expect(() => setDeterministic(1 as never)).toThrow(ArgumentError);
  });

  test('deterministic products round after every operation', () => {
    const [a, b] = [slice(matrix, [0, 0], [13, 200]), slice(wide, [0, 0], [200, 21])] as [Tensor, Tensor];
    setDeterministic(true);
    const product = matmul(a as never, b as never).dataSync();
    setDeterministic(false);
    const [x, y] = [a.dataSync(), b.dataSync()];
    const expected = Float32Array.from(product, (_, at) => {
      const [i, j] = [Math.floor(at / 21), at % 21];
      let sum = 0;
      for (let k = 0; k < 200; k++) sum = Math.fround(sum + Math.fround(x[200 * i + k]! * y[21 * k + j]!));
      return sum;
    });
    expect(product).toEqual(expected);
    expect(matmul(a as never, b as never).dataSync()).not.toEqual(product);
  });

  test('a script that has used threads ends by itself', async () => {
    const script = `
      import { add, arange, realize, setThreads, tanh, threadInfo } from 'tenfold';
      setThreads(2);
      const x = realize(arange(1000000));
      for (let i = 0; i < 200 && threadInfo().ready < 2; i++) realize(add(tanh(x), i));
      realize(add(tanh(x), 1));
      console.log(threadInfo().ready);`;
    const from = performance.now();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=tenfold-source', '--import=tsx', '--input-type=module', '-e', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), timeout: 20_000 },
    );
    expect(stdout).toBe('2\n');
    expect(performance.now() - from).toBeLessThan(15_000);
  });
});
