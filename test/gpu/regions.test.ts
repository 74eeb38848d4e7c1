/** Loops, branches and calls on devices: they agree with the CPU, read back nothing they need not, and leave no buffer behind. */
import { existsSync } from 'node:fs';
import * as tenfold from 'tenfold';
import { type DeviceMode, device, deviceInfo, explain, type StepReport, type Tensor, tensor } from 'tenfold';
import { leaves } from 'tenfold/tree';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../../src/tensor/backend/gpu/device.js';
import { gpuBackend } from '../../src/tensor/backend/gpu/gpu.js';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { resolve } from '../../src/tensor/graph.js';
import type { Storage } from '../../src/tensor/storage.js';
import { nodeOf } from '../../src/tensor/tensor.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

/** Ranks and forms are not what is tried here: operations take and give tensors of any rank, transforms trees of any form. */
type Operation = (...args: readonly unknown[]) => Tensor;
type Transform = (...args: readonly unknown[]) => (...args: readonly unknown[]) => unknown;
type Tensors = Readonly<Record<string, Tensor>>;

const { add, argmax, argsort, broadcastTo, cast, greater, less, matmul, mean, mul } = tenfold as unknown as Readonly<
  Record<
    'add' | 'argmax' | 'argsort' | 'broadcastTo' | 'cast' | 'greater' | 'less' | 'matmul' | 'mean' | 'mul',
    Operation
  >
>;
const { remainder, reshape, sin, slice, square, sub, sum, tanh, where } = tenfold as unknown as Readonly<
  Record<'remainder' | 'reshape' | 'sin' | 'slice' | 'square' | 'sub' | 'sum' | 'tanh' | 'where', Operation>
>;
const { checkpoint, cond, fold, forLoop, grad, scan, switchOn, vmap, whileLoop } = tenfold as unknown as Readonly<
  Record<'checkpoint' | 'cond' | 'fold' | 'forLoop' | 'grad' | 'scan' | 'switchOn' | 'vmap' | 'whileLoop', Transform>
>;
const jvp = tenfold.jvp as unknown as (...args: readonly unknown[]) => unknown;

const values = (shape: readonly number[], seed = 1): Tensor => {
  const size = shape.reduce((p, n) => p * n, 1);
  return reshape(tensor(Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * seed * 1.7))), shape);
};
const ints = (list: readonly number[]): Tensor => tensor(list, { dtype: 'int32' }) as Tensor;
const int = (x: number): Tensor => tensor(x, { dtype: 'int32' }) as Tensor;

interface Case {
  readonly name: string;
  /** Computes everything anew, and gives a tree of tensors. */
  readonly run: () => unknown;
}

const rows = (): Tensor => values([5, 3]);

const step =
  (rate: number) =>
  (carry: Tensor, x: Tensor): Tensor =>
    add(mul(carry, rate), x);

const cases: readonly Case[] = [
  {
    name: 'a fold with captures, carries of two dtypes, and a sequence',
    run: () => {
      const [w, shift] = [values([3, 3], 2), values([3], 5)];
      const body = ({ h, n }: Tensors, x: Tensor): unknown => ({
        h: tanh(add(add(matmul(h, w), x), shift)),
        n: add(n, cast(sum(greater(x, 0)), 'int32')),
      });
      return fold(body)({ h: values([1, 3], 3), n: int(100_000) }, rows());
    },
  },
  ...[false, true].map(reverse => ({
    name: `a ${reverse ? 'reversed ' : ''}scan that stacks floats, integers and truth values`,
    run: (): unknown => {
      const body = (carry: Tensor, { x, i }: Tensors): unknown => {
        const next = add(mul(carry, 0.5), x);
        const positive = greater(next, 0);
        return [next, { next, count: add(mul(i, 70_001), -3), positive, carry, i, constant: int(-7) }];
      };
      return scan(body, { reverse })(values([3]), { x: rows(), i: ints([1, -2, 30_000, 4, 0]) });
    },
  })),
  ...[0, 1].map(length => ({
    name: `a scan of ${length} steps`,
    run: () => scan((c: Tensor, x: Tensor) => [add(c, x), greater(x, c)])(values([3]), slice(rows(), [0], [length])),
  })),
  {
    name: 'a scan over rows without elements',
    run: () => {
      const empty = broadcastTo(tensor([], { dtype: 'float32' }), [4, 0]);
      return scan((n: Tensor, x: Tensor) => [add(n, 1), mul(x, 2)])(int(0), empty);
    },
  },
  {
    name: 'a fold whose carries change places or stay as they are',
    run: () => {
      const first = { a: values([2]), b: values([2], 3), still: int(9) };
      return fold(({ a, b, still }: Tensors) => ({ a: b, b: mul(a, 2), still }))(first, 5);
    },
  },
  {
    name: 'folds in folds, each with numbers of its own',
    run: () => {
      const inner = (carry: Tensor, x: Tensor): unknown => fold(step(0.75))(mul(carry, 1.25), broadcastTo(x, [4, 3]));
      const outer = fold((carry: Tensor, x: Tensor) => add(fold(step(0.3))(inner(carry, x), rows()), 0.125));
      return [outer(values([3]), rows()), add(outer(values([3], 2), mul(rows(), 1.5)), 2.5)];
    },
  },
  {
    name: 'parts on the CPU between folds that have numbers of their own',
    run: () => {
      const first = fold(step(0.3))(values([3]), rows());
      const wide = mul(cast(mul(first, 7), 'float64'), 1.1);
      const second = fold(step(0.7))(cast(wide, 'float32'), mul(rows(), 0.9));
      const narrow = cast(add(mul(cast(second, 'float64'), 1.3), 0.2), 'float32');
      return [first, second, fold(step(0.11))(narrow, rows())];
    },
  },
  {
    name: 'a fold that computes in float64',
    run: () => {
      const body = (carry: Tensor, x: Tensor): Tensor =>
        cast(add(mul(cast(carry, 'float64'), 0.9), cast(x, 'float64')), 'float32');
      return mul(fold(body)(values([3]), mul(rows(), 2)), 3);
    },
  },
  {
    name: 'parts on the CPU in the bodies of loops, with numbers of their own',
    run: () => {
      // Of truth values no device here finds the largest.
      const stacked = scan((carry: Tensor, x: Tensor) => {
        const first = argmax(greater(add(x, mul(carry, 0.3)), 0.25));
        return [add(mul(carry, 0.9), mul(cast(first, 'float32'), 0.7)), first];
      })(values([3]), rows());
      const looped = whileLoop(
        (y: Tensor) => less(argmax(greater(y, 12.3)), 1),
        (y: Tensor) => mul(y, 1.7),
      )(values([3], 1 / 1.7));
      return [stacked, looped];
    },
  },
  ...[1, -1].map(sign => ({
    name: `the ${sign > 0 ? 'first' : 'second'} branch, with a fold in it and in the other a sort`,
    run: (): unknown => {
      const x = values([3]);
      const chosen = cond(
        greater(mul(sum(square(x)), sign), 0),
        (y: Tensor) => ({ y: fold(step(0.4))(mul(y, 3), rows()), taken: int(1) }),
        (y: Tensor) => ({ y: mul(cast(argsort(y), 'float32'), 0.6), taken: int(2) }),
      )(x) as Tensors;
      return [add(chosen.y, 1), chosen.taken];
    },
  })),
  ...[-3, 0, 1, 2, 9].map(index => ({
    name: `branch ${index} of three`,
    run: () => switchOn(int(index), [(y: Tensor) => mul(y, 0.2), square, (y: Tensor) => y])(values([4])),
  })),
  {
    name: 'loops until a test fails, one of them never begun',
    run: () => {
      const collatz = whileLoop(
        ({ n }: Tensors) => greater(n, 1),
        ({ n, steps }: Tensors) => ({
          n: where(less(remainder(n, 2), 1), cast(mul(cast(n, 'float32'), 0.5), 'int32'), add(mul(n, 3), 1)),
          steps: add(steps, 1),
        }),
      );
      const near = whileLoop(
        (x: Tensor) => greater(sum(square(x)), 1e-3),
        (x: Tensor) => mul(x, 0.5),
      )(values([4]));
      return [...[27, 1].map(n => collatz({ n: int(n), steps: int(0) })), near];
    },
  },
  {
    name: 'a loop of a computed count, and one in a fold',
    run: () => {
      const count = cast(sum(tensor([2, 3, 4])), 'int32');
      const counted = forLoop(count, (x: Tensor, i: Tensor) => add(mul(x, 0.5), cast(i, 'float32')))(values([2]));
      const powers = fold((carry: Tensor, n: Tensor) => forLoop(n, (x: Tensor) => mul(x, 1.5))(carry));
      return [counted, powers(values([2]), ints([2, 0, 1, 3]))];
    },
  },
  {
    name: 'calls',
    run: () => {
      const f = checkpoint((x: Tensor) => sin(mul(square(x), 0.3)));
      return [f(rows()), grad((x: Tensor) => sum(mul(f(f(x)), x)))(rows())];
    },
  },
  ...[undefined, 'sqrt', 2].map(segments => ({
    name: `the gradient of a fold${segments === undefined ? '' : ` in segments (${segments})`}`,
    run: (): unknown => {
      const body = (w: Tensor) => (h: Tensor, x: Tensor) => tanh(add(mul(h, w), x));
      const loss = (w: Tensor, xs: Tensor): Tensor => mean(square(fold(body(w), { segments })(values([3]), xs)));
      const [w, xs] = [values([3], 2), rows()];
      return [grad(loss)(w, xs), grad((x: Tensor) => loss(w, x))(xs)];
    },
  })),
  {
    name: 'batches of folds, loops and branches',
    run: () => {
      const folded = vmap((x: Tensor) => fold(step(0.6))(x, rows()));
      const chosen = vmap((x: Tensor) =>
        cond(
          greater(sum(x), 0),
          (y: Tensor) => mul(y, 0.2),
          (y: Tensor) => sub(y, 5),
        )(x),
      );
      const looped = vmap((x: Tensor) =>
        whileLoop(
          (y: Tensor) => greater(sum(square(y)), 0.1),
          (y: Tensor) => mul(y, 0.5),
        )(x),
      );
      return [folded, chosen, looped].map(f => f(values([4, 3], 3)));
    },
  },
  {
    name: 'the derivative of a loop along a direction',
    run: () => {
      const f = whileLoop(
        (y: Tensor) => less(sum(square(y)), 9),
        (y: Tensor) => mul(y, 1.5),
      );
      return jvp(f, [values([3])], [values([3], 2)]);
    },
  },
];

const tensorsIn = (tree: unknown): readonly Tensor[] => leaves(tree) as readonly Tensor[];

const dataOf = (tree: unknown): Promise<readonly ArrayLike<number>[]> =>
  Promise.all(tensorsIn(tree).map(async each => (await each.data()) as ArrayLike<number>));

/** Launches of steps, those of bodies as often as they are run. */
const launchesIn = (steps: readonly StepReport[]): number =>
  steps.reduce((all, { name, times, steps: inside }) => {
    if (inside.length > 0) return all + launchesIn(inside);
    return name.startsWith('[cpu]') ? all : all + times!;
  }, 0);

for (const mode of ['cpu', 'webgpu'] as const satisfies readonly DeviceMode[]) {
  describe(`on ${mode}`, () => {
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
    }, 60_000);
    afterAll(() => device('cpu'));

    for (const { name, run } of cases) {
      it(name, async () => {
        await device('cpu');
        const onCpu = run();
        const wanted = await dataOf(onCpu);
        await device('gpu', { mode });
        const before = deviceInfo().memory;
        const result = run();
        const found = await dataOf(result);
        const { launches, uploads } = deviceInfo().memory;
        expect(launches + uploads).toBeGreaterThan(before.launches + before.uploads);
        expect(tensorsIn(result).map(({ shape }) => shape)).toEqual(tensorsIn(onCpu).map(({ shape }) => shape));
        found.forEach((each, i) => {
          expect(each.constructor).toBe(wanted[i]!.constructor);
          expect(each.length).toBe(wanted[i]!.length);
          // Some ten operations in a row on values about 1: devices may fuse, divide by reciprocals, and have functions of their own.
          for (let at = 0; at < each.length; at++) {
            const bound = each instanceof Float32Array ? 3e-6 * Math.max(1, Math.abs(wanted[i]![at]!)) : 0;
            expect(Math.abs(each[at]! - wanted[i]![at]!)).toBeLessThanOrEqual(bound);
          }
        });
      });
    }

    it('a fold of 100 steps launches what explain says, and reads back its result alone', async () => {
      const w = values([8, 8], 0.3);
      const run = (x: Tensor): Tensor => fold((h: Tensor) => tanh(add(matmul(h, w), 0.1)))(x, 100) as Tensor;
      const x = values([4, 8]);
      const { steps } = explain(run as (x: Tensor) => Tensor)(x).report!;
      const before = deviceInfo().memory;
      await run(x).data();
      const after = deviceInfo().memory;
      expect(after.readbacks - before.readbacks).toBe(1);
      expect(after.readbackBytes - before.readbackBytes).toBe(4 * 4 * 8);
      expect(launchesIn(steps)).toBeGreaterThanOrEqual(100);
      expect(after.launches - before.launches).toBe(launchesIn(steps));
    });

    it('a fold that needs the CPU in its body runs there as a whole', () => {
      const wide = (carry: Tensor, x: Tensor): Tensor => cast(mul(cast(add(carry, x), 'float64'), 2), 'float32');
      const run = (x: Tensor): Tensor => mul(fold(wide)(values([3]), mul(x, 2)), 3);
      const { steps } = explain(run)(rows()).report!;
      expect(steps.map(({ name }) => name)).toEqual(['mul', '[cpu] fold', 'mul']);
    });
  });
}

const collectGarbage = (globalThis as unknown as { gc(): void }).gc;

/** Until what nobody holds has been found. */
const collected = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await new Promise(resolved => setTimeout(resolved, 5));
  }
};

/** A launcher that fails once, at one of its next calls. */
const failing = (launcher: Launcher) => {
  const [calls, none] = [new Set(['launch', 'upload', 'read', 'slice', 'stack', 'lend', 'keep']), -1];
  const state = { left: none, calls: 0 };
  const proxy = new Proxy(launcher, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        if (calls.has(String(name))) {
          state.calls += 1;
          state.left -= 1;
          if (state.left === 0) throw new Error(`no ${String(name)}`);
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { launcher: proxy, state };
};

/** Everything that a run can go through: loops, branches, a part on the CPU, and launches enough for buffers to be lent. */
const everything = (): readonly Tensor[] => {
  const [x, xs] = [values([3]), mul(rows(), 1.5)];
  const stacked = scan((carry: Tensor, row: Tensor) => {
    const next = tanh(add(mul(carry, 0.5), row));
    return [next, { next, n: cast(greater(next, 0), 'int32') }];
  })(x, xs);
  const wide = cast(mul(cast(sum(xs, { axis: 0 }), 'float64'), 1.1), 'float32');
  const looped = whileLoop(
    (y: Tensor) => greater(sum(square(y)), 0.1),
    (y: Tensor) => mul(y, 0.5),
  )(wide);
  const chosen = cond(greater(sum(x), 5), square, (y: Tensor) => fold(step(0.4))(y, xs))(looped);
  return tensorsIn([stacked, chosen, add(argsort(x), 1)]);
};

const open = (launcher: Launcher) => {
  const nodes = everything().map(each => resolve(nodeOf(each)));
  const { program, scalars, leaves: given } = programOfPending(nodes);
  const inputs = given.map(({ value }) => value as Storage);
  const executable = gpuBackend(new Device(launcher, 2 ** 28), { launches: 0, compiled: 0 }).compile(program);
  const run = (from = inputs): readonly Storage[] =>
    executable.run(from, scalars).flatMap(each => (Array.isArray(each) ? each : [each]));
  const read = async (all: readonly Storage[]): Promise<readonly unknown[]> =>
    (await Promise.all(all.map(each => each.read()))).map(each => Array.from(each));
  return { inputs, run, read };
};

describe('buffers', () => {
  it('are as many after 200 runs as after 20, on arrays and on WebGPU', async () => {
    for (const launcher of [await openArrays('cpu'), await openWebGpu()]) {
      const { run, read } = open(launcher);
      const bytes: number[] = [];
      for (let i = 0; i < 200; i++) {
        await read(run());
        if (i % 20 !== 19) continue;
        await collected();
        bytes.push(launcher.bytes);
      }
      expect(bytes.slice(1)).toEqual(bytes.slice(1).map(() => bytes[0]));
    }
  }, 120_000);

  it('are freed wherever a run fails, whose values tell why, and the next run is right', async () => {
    const { launcher, state } = failing(await openArrays('cpu'));
    const { run, read } = open(launcher);
    const wanted = await read(run());
    await collected();
    const { bytes } = launcher;
    state.calls = 0;
    await read(run());
    const { calls } = state;
    expect(calls).toBeGreaterThan(40);
    for (let at = 1; at <= calls; at++) {
      state.left = at;
      const settled = await Promise.allSettled(run().map(each => each.read()));
      state.left = -1;
      const failures = settled.flatMap(each => (each.status === 'rejected' ? [`${each.reason}`] : []));
      // The last calls read results, each for itself.
      expect(failures.length).toBeGreaterThan(0);
      for (const failure of failures) expect(failure).toMatch(/no (launch|upload|read|slice|stack|lend|keep)/);
    }
    await collected();
    expect(launcher.bytes).toBe(bytes);
    expect(await read(run())).toEqual(wanted);
  }, 120_000);

  it('are freed where a WebGPU run fails', async () => {
    const { launcher, state } = failing(await openWebGpu());
    const { run, read } = open(launcher);
    for (let i = 0; i < 5; i++) await read(run());
    state.calls = 0;
    const wanted = await read(run());
    const { calls } = state;
    await collected();
    const { bytes } = launcher;
    for (let at = 1; at <= calls; at += 3) {
      state.left = at;
      const settled = await Promise.allSettled(run().map(each => each.read()));
      state.left = -1;
      expect(settled.some(({ status }) => status === 'rejected')).toBe(true);
    }
    await collected();
    expect(await read(run())).toEqual(wanted);
    await collected();
    expect(launcher.bytes).toBe(bytes);
  }, 120_000);

  it('an input that cannot be had fails the run that wanted it, and no other', async () => {
    for (const launcher of [await openArrays('cpu'), await openWebGpu()]) {
      const { inputs, run, read } = open(launcher);
      const wanted = await read(run());
      for (const which of inputs.keys()) {
        const { dtype, size } = inputs[which]!;
        const refused = (): never => {
          throw new Error('nothing to be had');
        };
        const broken: Storage = { dtype, size, device: 'gpu', readSync: refused, read: async () => refused() };
        const [bad, good] = [run(inputs.map((each, i) => (i === which ? broken : each))), run()];
        await expect(bad[0]!.read()).rejects.toThrow('nothing to be had');
        expect(await read(good)).toEqual(wanted);
      }
    }
  });
});
