/**
 * The functions for devices, and where things are computed. Most of it is shown on a device that is none: the reference
 * backend, whose values cannot be read at once. So it holds whatever a real device does. The last part runs gpu.js.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from 'tenfold';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../src/tensor/backend/backend.js';
import type * as gpu from '../src/tensor/backend/gpu/index.js';
import type { Mode } from '../src/tensor/backend/gpu/launch/launcher.js';
import type { DType, TypedArray } from '../src/tensor/dtype.js';
import type { Storage } from '../src/tensor/storage.js';

/** What the modes of the device are told and have done. */
const fake = vi.hoisted(() => ({
  /** Modes that work; those of gpu.js on the CPU are the real ones. */
  works: ['webgl2'] as string[],
  /** Modes that were tried, in their order. */
  tried: [] as string[],
  /** Programs that were run. */
  runs: 0,
  /** Values that were brought from the host. */
  uploads: 0,
  /** Why nothing can be computed. */
  failure: null as Error | null,
}));

const openFake = async (mode: Mode): Promise<gpu.OpenDevice> => {
  const { DeviceError } = await import('../src/tensor/errors.js');
  const { HostStorage } = await import('../src/tensor/storage.js');
  const { referenceBackend } = await import('../src/tensor/backend/reference/reference.js');

  class FakeStorage implements Storage {
    readonly device = 'gpu';
    readonly dtype: DType;
    readonly array: TypedArray;
    readonly #failure = fake.failure;
    #wasRead = false;

    constructor(dtype: DType, array: TypedArray) {
      this.dtype = dtype;
      this.array = array;
    }

    get size(): number {
      return this.array.length;
    }

    async read(): Promise<TypedArray> {
      await new Promise(resolve => setTimeout(resolve));
      if (this.#failure !== null) throw this.#failure;
      this.#wasRead = true;
      return this.array;
    }

    readSync(): TypedArray {
      if (this.#wasRead) return this.array;
      throw new DeviceError({ operation: 'read', given: 'a value', rule: 'not yet', hint: 'Wait.' });
    }
  }

  const onHost = (storage: Storage): Storage => {
    if (storage instanceof FakeStorage) return new HostStorage(storage.dtype, storage.array);
    fake.uploads++;
    return storage;
  };
  const onDevice = (storage: Storage): Storage =>
    storage.dtype === 'float64' || storage instanceof FakeStorage
      ? storage
      : new FakeStorage(storage.dtype, storage.readSync());
  const backend: Backend = {
    name: 'gpu',
    compile: program => {
      const executable = referenceBackend.compile(program);
      return {
        run: (inputs, scalars) => {
          fake.runs++;
          return executable
            .run(inputs.map(onHost), scalars)
            .map(each => (Array.isArray(each) ? each.map(onDevice) : onDevice(each as Storage)));
        },
      };
    },
  };
  const none = { spilledBytes: 0, readbacks: 0, readbackBytes: 0, uploadedBytes: 0, launches: 0, compiled: 0 };
  return {
    backend,
    mode,
    adapter: `fake ${mode}`,
    limits: { maxBufferSize: 2 ** 28 },
    put: async storage =>
      storage instanceof FakeStorage || storage.dtype === 'float64' ? storage : onDevice(onHost(storage)),
    finish: async () => {},
    destroy: async () => {},
    stats: () => ({ ...none, residentBytes: 12, residentValues: 3, uploads: fake.uploads }),
    setBudget: () => {},
    lost: () => null,
  };
};

vi.mock('../src/tensor/backend/gpu/index.js', () => ({
  openDevice: async (modes: readonly Mode[]): Promise<gpu.Opened> => {
    const [mode] = modes as readonly [Mode];
    if (mode === 'cpu' || mode === 'webasm') {
      const real = await vi.importActual<typeof gpu>('../src/tensor/backend/gpu/index.js');
      return real.openDevice(modes);
    }
    fake.tried.push(mode);
    await new Promise(resolve => setTimeout(resolve));
    return fake.works.includes(mode)
      ? { device: await openFake(mode), refused: [] }
      : { device: null, refused: [{ mode, reason: `no ${mode} here` }] };
  },
}));

/** The library, in which no device has been opened. */
let t: typeof import('tenfold');

beforeEach(async () => {
  Object.assign(fake, { works: ['webgl2'], tried: [], runs: 0, uploads: 0, failure: null });
  vi.resetModules();
  t = await import('tenfold');
});

/** The error of a call that must fail. */
const errorOf = async (f: () => unknown): Promise<InstanceType<typeof t.TenfoldError>> => {
  try {
    await f();
  } catch (error) {
    if (error instanceof t.TenfoldError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

/** Fails as an operation on values that would have to be read, saying what to do. */
const expectUnread = async (operation: string, f: () => unknown): Promise<void> => {
  const error = await errorOf(f);
  expect([error._tag, error.operation]).toEqual(['DeviceError', operation]);
  expect(error.given).toMatch(/on the gpu, not read yet$/);
  expect(error.hint).toContain("await toDevice(x, 'cpu')");
};

const warnings = () => vi.spyOn(globalThis.console, 'warn').mockImplementation(() => {});

/** Whether the values of a tensor are on the device. */
const isThere = (x: Tensor<never, never> | Tensor): boolean => /on the gpu, not read yet/.test(String(x));

describe('before a device is opened', () => {
  it('the CPU is in use', () => {
    const info = t.deviceInfo();
    expect(info).toMatchObject({ device: 'cpu', mode: 'wasm', adapter: 'WebAssembly', limits: {}, refused: [] });
    for (const part of [info, info.limits, info.refused, info.memory]) expect(Object.isFrozen(part)).toBe(true);
    const x = t.realize(t.zeros([100]));
    expect(t.deviceInfo().memory.residentBytes - info.memory.residentBytes).toBe(4 * x.shape[0]);
  });

  it('a program for the GPU says what to do, and is not traced', async () => {
    const f = vi.fn((x: Tensor) => t.add(x, 1) as Tensor);
    const x = t.tensor([1, 2]) as Tensor;
    for (const [operation, call] of [
      ['jit', () => t.jit(f, { device: 'gpu' })(x)],
      ['compile', () => t.compile(f, { device: 'gpu' })(x)],
      ['explain', () => t.explain(f, { device: 'gpu' })(x)],
    ] as const) {
      const error = await errorOf(call);
      expect([error._tag, error.operation]).toEqual(['DeviceError', operation]);
      expect(error.hint).toContain("await device('gpu')");
    }
    expect(f).not.toHaveBeenCalled();
    expect(t.jit(f, { device: 'cpu' })(x).toArray()).toEqual([2, 3]);
  });
});

describe('where no GPU works', () => {
  beforeEach(() => {
    fake.works = [];
  });

  it('the CPU goes on, and a warning and deviceInfo say why', async () => {
    const warn = warnings();
    const info = await t.device('gpu');
    expect(warn).toHaveBeenCalledTimes(1);
    const message = String(warn.mock.calls[0]![0]);
    for (const mode of ['webgpu', 'webgl2', 'headlessgl']) expect(message).toContain(`${mode}: no ${mode} here`);
    warn.mockRestore();
    expect(fake.tried).toEqual(['webgpu', 'webgl2', 'headlessgl']);
    expect([info.device, info.mode]).toEqual(['cpu', 'wasm']);
    expect(t.deviceInfo().refused).toEqual(
      ['webgpu', 'webgl2', 'headlessgl'].map(mode => ({ mode, reason: `no ${mode} here` })),
    );
    expect((await t.device('cpu')).refused).toEqual([]);
  });

  it('programs and values for the GPU are on the CPU, after one warning', async () => {
    const warn = warnings();
    const x = t.tensor([1, 2]) as Tensor;
    const tree = await t.toDevice({ x }, 'gpu');
    expect(tree.x).toBe(x);
    await t.toDevice(x, 'gpu');
    expect(
      t
        .jit((y: Tensor) => t.add(y, 1), { device: 'gpu' })(x)
        .toArray(),
    ).toEqual([2, 3]);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  it('a mode that was asked for is an error, and works when it does', async () => {
    const error = await errorOf(() => t.device('gpu', { mode: 'webgl2' }));
    expect([error._tag, error.operation, error.given]).toEqual(['DeviceError', 'device', 'the mode webgl2']);
    expect(error.rule).toContain('no webgl2 here');
    expect(t.deviceInfo().device).toBe('cpu');
    fake.works = ['webgl2'];
    expect((await t.device('gpu', { mode: 'webgl2' })).mode).toBe('webgl2');
  });
});

describe('device', () => {
  it('takes the best mode that works, and says what was refused', async () => {
    const info = await t.device('gpu');
    expect(info).toMatchObject({
      device: 'gpu',
      mode: 'webgl2',
      adapter: 'fake webgl2',
      limits: { maxBufferSize: 2 ** 28 },
      refused: [{ mode: 'webgpu', reason: 'no webgpu here' }],
      memory: { residentBytes: 12, residentValues: 3 },
    });
    for (const part of [info, info.limits, info.refused, info.memory]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('opens a mode once, whoever asks', async () => {
    fake.works = ['webgpu'];
    const x = t.tensor([1]);
    await Promise.all([t.device('gpu'), t.device('gpu'), t.toDevice(x, 'gpu')]);
    await t.device('cpu');
    await t.device('gpu');
    await t.device('gpu', { mode: 'webgpu' });
    await t.toDevice(x, 'gpu');
    expect(fake.tried).toEqual(['webgpu']);
  });

  it('the last call decides, however long the others take', async () => {
    const slow = t.device('gpu');
    const quick = t.device('cpu');
    expect((await quick).device).toBe('cpu');
    expect((await slow).device).toBe('cpu');
    expect(t.add(t.tensor([1]), 1).toArray()).toEqual([2]);
    expect(fake.runs).toBe(0);
  });

  it('is where everything is computed, and goes back', async () => {
    await t.device('gpu');
    const y = t.add(t.tensor([1, 2]), 1);
    expect(await y.data()).toEqual(Float32Array.of(2, 3));
    expect(fake.runs).toBe(1);
    await t.device('cpu');
    expect(t.deviceInfo().mode).toBe('wasm');
    expect(t.add(t.tensor([1, 2]), 1).toArray()).toEqual([2, 3]);
    expect(fake.runs).toBe(1);
  });
});

describe('values on the GPU', () => {
  it('are read by data, and from then on at once', async () => {
    await t.device('gpu');
    const x = t.mul(t.tensor([1, 2]), 2) as Tensor;
    const one = t.sum(x) as Tensor;
    await expectUnread('toArray', () => x.toArray());
    await expectUnread('dataSync', () => x.dataSync());
    await expectUnread('item', () => one.item());
    expect((await errorOf(() => one.item())).given).toBe('float32[] on the gpu, not read yet');
    expect((await errorOf(() => one.item())).hint).toContain('Await x.data() first');
    expect(String(x)).toBe('Tensor float32[2] (on the gpu, not read yet)');
    expect(`${one}`).toBe('Tensor float32[] (on the gpu, not read yet)');
    await Promise.all([x.data(), one.data()]);
    expect([x.toArray(), one.item(), x.dataSync()]).toEqual([[2, 4], 6, Float32Array.of(2, 4)]);
    expect(String(x)).toBe(String(t.tensor([2, 4])));
  });

  it('data is a copy of its own', async () => {
    await t.device('gpu');
    const x = t.add(t.tensor([1, 2]), 1);
    (await x.data()).fill(0);
    expect(x.toArray()).toEqual([2, 3]);
  });

  it('what could not be computed is an error of data, and of every other reading', async () => {
    await t.device('gpu');
    fake.failure = new Error('the device is lost');
    const x = t.add(t.tensor([1, 2]), 1);
    await expect(x.data()).rejects.toThrow('the device is lost');
    await expect(t.toDevice(x, 'cpu')).rejects.toThrow('the device is lost');
  });

  it('are computed with there, whichever device is in use', async () => {
    const x = t.tensor([1, 2]) as Tensor;
    const there = await t.toDevice(x, 'gpu');
    expect(t.deviceInfo().device).toBe('cpu');
    expect([isThere(there), isThere(x)]).toEqual([true, false]);
    const y = t.add(there, x) as Tensor;
    expect(isThere(y)).toBe(true);
    expect(fake.runs).toBe(1);
    expect(t.add(x, 1).toArray()).toEqual([2, 3]);
    expect(fake.runs).toBe(1);
    const back = await t.toDevice(y, 'cpu');
    expect(back.toArray()).toEqual([2, 4]);
    expect(t.add(back, 1).toArray()).toEqual([3, 5]);
    expect(fake.runs).toBe(1);
  });
});

describe('toDevice', () => {
  it('moves the tensors of a tree and leaves the rest', async () => {
    const tree = { w: [t.tensor([1, 2]), t.tensor(true)] as const, rate: 0.5, name: 'x', none: null };
    const there = await t.toDevice(tree, 'gpu');
    expect(there).toMatchObject({ rate: 0.5, name: 'x', none: null });
    expect(there.w.map(x => isThere(x as never))).toEqual([true, true]);
    const back = await t.toDevice(there, 'cpu');
    expect([back.w[0].toArray(), back.w[1].toArray()]).toEqual([[1, 2], true]);
    expect(tree.w[0].toArray()).toEqual([1, 2]);
  });

  it('leaves what is there already, and float64 where it is', async () => {
    const x = t.tensor([1, 2]);
    const double = t.tensor([1, 2], { dtype: 'float64' });
    expect(await t.toDevice(x, 'cpu')).toBe(x);
    expect(await t.toDevice(double, 'gpu')).toBe(double);
    const there = await t.toDevice(x, 'gpu');
    expect(await t.toDevice(there, 'gpu')).toBe(there);
    const [first, second] = await t.toDevice([x, x], 'gpu');
    // Once for the tensor, and once for the pair of it.
    expect(fake.uploads).toBe(2);
    expect(await Promise.all([first!.data(), second!.data()])).toEqual([x.dataSync(), x.dataSync()]);
  });

  it('computes what has no value yet where it is to be', async () => {
    await t.toDevice(t.add(t.tensor([1, 2]), 1), 'gpu');
    expect(fake.runs).toBe(1);
    await t.device('gpu');
    expect((await t.toDevice(t.add(t.tensor([1, 2]), 1), 'cpu')).toArray()).toEqual([2, 3]);
    expect(fake.runs).toBe(1);
  });

  it('refuses what is being traced or differentiated', async () => {
    const x = t.tensor([1, 2]) as Tensor;
    for (const [name, around] of [
      ['jit', (f: (y: Tensor) => Tensor) => t.jit(f)(x)],
      ['grad', (f: (y: Tensor) => Tensor) => t.grad(f)(x)],
      ['vmap', (f: (y: Tensor) => Tensor) => t.vmap(f)(x)],
    ] as const) {
      for (const place of ['cpu', 'gpu'] as const) {
        let moving: Promise<Tensor> | null = null;
        around(y => {
          moving = t.toDevice(y, place);
          moving.catch(() => {});
          return t.sum(y) as Tensor;
        });
        const error = await errorOf(() => moving);
        expect([error._tag, error.operation]).toEqual(['TraceError', 'toDevice']);
        expect(error.given).toContain(name);
      }
    }
  });
});

describe('programs', () => {
  it('a jitted function follows its arguments and what it closes over, in one trace', async () => {
    const f = vi.fn((x: Tensor) => t.mul(x, 2) as Tensor);
    const g = t.jit(f);
    const x = t.tensor([1, 2]) as Tensor;
    const there = await t.toDevice(x, 'gpu');
    for (const [argument, on] of [
      [x, 0],
      [there, 1],
      [x, 0],
      [there, 1],
    ] as const) {
      fake.runs = 0;
      const y = g(argument);
      expect(fake.runs).toBe(on);
      expect(await y.data()).toEqual(Float32Array.of(2, 4));
    }
    expect(f).toHaveBeenCalledTimes(1);
    const closing = t.jit((y: Tensor) => t.add(y, there) as Tensor);
    expect(isThere(closing(x))).toBe(true);
  });

  it('device: gpu brings arguments there', async () => {
    await t.device('gpu');
    await t.device('cpu');
    const x = t.tensor([1, 2]) as Tensor;
    const f = (y: Tensor, k: number): Tensor => t.mul(t.add(y, t.ones([2])), k) as Tensor;
    for (const g of [t.jit(f, { device: 'gpu' }), t.compile(f, { device: 'gpu' })(x, 2)]) {
      const y = g(x, 3);
      expect(isThere(y)).toBe(true);
      expect(await y.data()).toEqual(Float32Array.of(6, 9));
      // What has no value yet is computed there too.
      expect(isThere(g(t.sub(x, 1) as Tensor, 3))).toBe(true);
    }
    expect(t.add(x, 1).toArray()).toEqual([2, 3]);
  });

  it('device: cpu stays on the CPU, and refuses what is on the GPU', async () => {
    await t.device('gpu');
    const f = (y: Tensor): Tensor => t.add(y, t.ones([2])) as Tensor;
    const x = t.tensor([1, 2]) as Tensor;
    const there = await t.toDevice(x, 'gpu');
    for (const [operation, g] of [
      ['jit', t.jit(f, { device: 'cpu' })],
      ['compile', t.compile(f, { device: 'cpu' })(x)],
    ] as const) {
      expect(g(x).toArray()).toEqual([2, 3]);
      expect(g(t.mul(x, 2) as Tensor).toArray()).toEqual([3, 5]);
      const error = await errorOf(() => g(there));
      expect([error._tag, error.operation]).toEqual(['DeviceError', operation]);
      expect(error.hint).toContain("await toDevice(x, 'cpu')");
    }
    expect(fake.runs).toBe(0);
  });

  it('explain runs there, too', async () => {
    await t.device('gpu');
    const f = (y: Tensor): Tensor => t.add(y, 1) as Tensor;
    const x = t.tensor([1, 2]) as Tensor;
    // The reference backend has nothing to tell.
    expect(t.explain(f)(x).report).toBeNull();
    expect(t.explain(f, { device: 'cpu' })(x).report?.backend).toBe('wasm');
  });
});

describe('what the library has to read itself', () => {
  it('is computed on the CPU where nothing on the GPU takes part', async () => {
    await t.device('gpu');
    const { encodeSafetensors, decodeSafetensors } = await import('tenfold/io');
    const positions = t.tensor([0, 2, 2], { dtype: 'int32' });
    expect(await t.bincount(positions).data()).toEqual(Int32Array.of(1, 0, 2));
    fake.runs = 0;
    const bytes = encodeSafetensors({ x: t.add(t.tensor([1, 2]), 1) });
    expect(decodeSafetensors(bytes)).toMatchObject({ _tag: 'Right' });
    const f = t.checkFinite((x: Tensor) => t.log(x) as Tensor);
    expect(f(t.tensor([1, 1]) as Tensor).toArray()).toEqual([0, 0]);
    expect((await errorOf(() => f(t.tensor([1, 0]) as Tensor)))._tag).toBe('FiniteError');
    expect(fake.runs).toBe(0);
  });

  it('is refused in the name of who reads it where it is on the GPU', async () => {
    const { encodeSafetensors } = await import('tenfold/io');
    const x = (await t.toDevice(t.tensor([1, 2]), 'gpu')) as Tensor;
    const positions = await t.toDevice(t.tensor([0, 2], { dtype: 'int32' }), 'gpu');
    await expectUnread('bincount', () => t.bincount(positions));
    await expectUnread('encodeSafetensors', () => encodeSafetensors({ x }));
    await expectUnread('checkFinite', () => t.checkFinite((y: Tensor) => t.exp(y) as Tensor)(x));
    expect(String(t.makeGraph((y: Tensor) => t.add(y, x) as Tensor)(t.tensor([1, 2]) as Tensor))).toContain(
      'captured[0]',
    );
  });

  it('is awaited by what is asynchronous', async () => {
    const { loadTree, saveTree } = await import('tenfold/io');
    await t.device('gpu');
    const folder = await mkdtemp(join(tmpdir(), 'tenfold-device-'));
    try {
      const path = join(folder, 'x.safetensors');
      expect(await saveTree(path, { x: t.add(t.tensor([1, 2]), 1) })()).toMatchObject({ _tag: 'Right' });
      const loaded = await loadTree(path, { x: t.zeros([2]) })();
      if (loaded._tag === 'Left') throw loaded.left;
      expect(await loaded.right.tree.x.data()).toEqual(Float32Array.of(2, 3));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe.each(['cpu', 'webasm'] as const)('gpu.js in mode %s', mode => {
  it('computes and takes derivatives as the CPU does', { timeout: 60_000 }, async () => {
    const loss = (w: Tensor, x: Tensor): Tensor => t.mean(t.square(t.tanh(t.matmul(x, w)))) as Tensor;
    const [w, x] = [t.reshape(t.linspace(-1, 1, 12), [4, 3]), t.reshape(t.linspace(0, 2, 20), [5, 4])];
    const step = t.jit((v: Tensor) => t.sub(v, t.mul(t.grad(loss)(v, x as Tensor), 0.1)) as Tensor);
    const wanted = step(step(w as Tensor)).dataSync();

    const info = await t.device('gpu', { mode });
    expect([info.device, info.mode, t.deviceInfo().mode]).toEqual(['gpu', mode, mode]);
    expect(fake.tried).toEqual([]);
    const [inUse, asked] = [step(step(w as Tensor)), await t.toDevice(w as Tensor, 'gpu')];
    const got = [await inUse.data(), await step(step(asked)).data()];
    // gpu.js computes in float64 and rounds, or in float32: the last digits of a sum of five products differ.
    for (const each of got) {
      expect(each.length).toBe(wanted.length);
      each.forEach((value, i) => {
        expect(Math.abs((value as number) - wanted[i]!)).toBeLessThan(1e-6);
      });
    }
    expect(t.deviceInfo().memory.launches).toBeGreaterThan(0);
    expect((await t.toDevice(asked, 'cpu')).toArray()).toEqual(w.toArray());
  });
});
