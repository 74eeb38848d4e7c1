/** The values of a device, its memory and its queue of jobs, on a launcher that keeps plain arrays. */
import { describe, expect, it, vi } from 'vitest';
import { Device } from '../../src/tensor/backend/gpu/device.js';
import { decode, encode } from '../../src/tensor/backend/gpu/encoding.js';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { DeviceBuffer, Launchable, Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import type { DeviceStorage } from '../../src/tensor/backend/gpu/storage.js';
import { arrayClassOf, type DType, type TypedArray } from '../../src/tensor/dtype.js';
import { DeviceError } from '../../src/tensor/errors.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { caught } from '../helpers.js';

const collectGarbage = (globalThis as unknown as { gc(): void }).gc;

const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Floats that are all equal take no memory here, so that nothing but a device's own reminders makes the engine collect. */
class FakeBuffer implements DeviceBuffer {
  readonly floats: number;
  readonly content: Float32Array | number;
  freed = false;

  constructor(floats: number, content: Float32Array | number) {
    this.floats = floats;
    this.content = content;
  }
}

class FakeLauncher implements Launcher {
  readonly mode = 'cpu';
  readonly traits = { integers: true, reads: 7, floats: 2 ** 30, shaders: false, threads: 1 };
  readonly adapter = 'plain arrays';
  readonly limits = {};
  readonly readsAtOnce: boolean;
  lost: string | null = null;
  live = 0;
  kept = 0;
  readonly log: string[] = [];
  /** What reading waits for, and what it fails by. */
  before: () => Promise<void> = () => wait(1);

  constructor(readsAtOnce = false) {
    this.readsAtOnce = readsAtOnce;
  }

  get bytes(): number {
    return this.live + this.kept;
  }

  make(floats: number, content: Float32Array | number): FakeBuffer {
    this.live += 4 * floats;
    return new FakeBuffer(floats, content);
  }

  #check(buffer: DeviceBuffer): FakeBuffer {
    if (!(buffer instanceof FakeBuffer) || buffer.freed) throw new Error('no live buffer of this launcher');
    return buffer;
  }

  prepare(): Launchable {
    throw new Error('no passes here');
  }

  launch(): readonly DeviceBuffer[] {
    throw new Error('no passes here');
  }

  upload(data: Float32Array): FakeBuffer {
    return this.make(data.length, data.slice());
  }

  read(buffer: DeviceBuffer): Float32Array | Promise<Float32Array> {
    const { floats, content } = this.#check(buffer);
    const copy = typeof content === 'number' ? new Float32Array(floats).fill(content) : content.slice();
    return this.readsAtOnce ? copy : this.before().then(() => copy);
  }

  slice(buffer: DeviceBuffer, from: number, floats: number): FakeBuffer {
    const { content } = this.#check(buffer);
    return this.make(floats, typeof content === 'number' ? content : content.slice(from, from + floats));
  }

  stack(): FakeBuffer {
    throw new Error('nothing is stacked here');
  }

  lend(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }
  keep(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }
  free(buffer: DeviceBuffer): void {
    const freed = this.#check(buffer);
    freed.freed = true;
    this.live -= 4 * buffer.floats;
    this.kept += 4 * buffer.floats;
  }

  flush(): void {
    this.log.push('flush');
  }

  async finish(): Promise<void> {
    this.log.push('finish');
  }

  trim(): void {
    this.log.push('trim');
    this.kept = 0;
  }

  async destroy(): Promise<void> {
    this.log.push('destroy');
  }
}

const MiB = 2 ** 20;

const setup = (budget = MiB, readsAtOnce = false): { launcher: FakeLauncher; device: Device } => {
  const launcher = new FakeLauncher(readsAtOnce);
  return { launcher, device: new Device(launcher, budget) };
};

/** A job that makes so many floats of this value. */
const made = (device: Device, size: number, value: number): DeviceStorage => {
  const storage = device.promise('float32', size);
  const { launcher } = device;
  if (!(launcher instanceof FakeLauncher)) throw new Error('a fake one is wanted');
  const job = (): void | Promise<void> => {
    const make = (): void => device.settle(storage, launcher.make(size, value));
    const room = device.room(4 * size);
    return room === undefined ? make() : room.then(make);
  };
  device.enqueue(job, [storage]);
  return storage;
};

/** A job that uses values and gives what it found: the first float of each. */
const used = (device: Device, ...storages: Storage[]): Promise<number[]> =>
  new Promise((resolve, reject) => {
    device.enqueue(async () => {
      try {
        const buffers = await device.useAll(storages);
        const floats = await Promise.all(buffers.map(buffer => device.launcher.read(buffer)));
        resolve(floats.map(each => each[0]!));
      } catch (error) {
        reject(error);
      }
    });
  });

const host = (size: number, value: number): HostStorage =>
  new HostStorage('float32', new Float32Array(size).fill(value));

describe('elements as floats', () => {
  const cases: readonly (readonly [DType, readonly number[], readonly number[]])[] = [
    [
      'float32',
      [0, -0, 1.5, -3e38, Number.POSITIVE_INFINITY],
      [0, -0, 1.5, Math.fround(-3e38), Number.POSITIVE_INFINITY],
    ],
    [
      'int32',
      [0, 1, -1, 65535, 65536, 2 ** 31 - 1, -(2 ** 31), -65536],
      [0, 0, 1, 0, 65535, 65535, 65535, 0, 0, 1, 65535, 32767, 0, 32768, 0, 65535],
    ],
    ['uint32', [0, 2 ** 32 - 1, 2 ** 31, 16777217], [0, 0, 65535, 65535, 0, 32768, 1, 256]],
    ['uint8', [0, 1, 128, 255], [0, 1, 128, 255]],
    ['bool', [0, 1, 1], [0, 1, 1]],
  ];

  it.each(cases)('%s, extremes included', (dtype, elements, floats) => {
    const array = arrayClassOf(dtype) as unknown as { from(list: readonly number[]): TypedArray };
    const all = array.from(elements);
    expect([...encode(all, dtype)]).toEqual(floats);
    const back = decode(encode(all, dtype), dtype, elements.length);
    expect(back.constructor).toBe(arrayClassOf(dtype));
    expect([...back]).toEqual([...all]);
    // A part of a larger array, and a buffer with more floats than needed.
    expect([...encode(all.subarray(1), dtype)]).toEqual(floats.slice(floats.length / elements.length));
    expect([...decode(Float32Array.of(...floats, 7, 7), dtype, elements.length)]).toEqual([...all]);
  });

  it('NaN stays, and every byte', () => {
    expect(decode(encode(Float32Array.of(Number.NaN), 'float32'), 'float32', 1)[0]).toBeNaN();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect([...decode(encode(bytes, 'uint8'), 'uint8', 256)]).toEqual([...bytes]);
  });

  it('float64 and too few floats are bugs of the caller', () => {
    expect(() => encode(new Float64Array(1), 'float64')).toThrow(/float64 is never on a device: please report this/);
    expect(() => decode(new Float32Array(3), 'int32', 2)).toThrow(/3 floats are no 2 of int32/);
  });
});

describe('jobs', () => {
  it('run at once when nobody is waiting, in order when somebody is', async () => {
    const { device } = setup();
    const order: string[] = [];
    device.enqueue(() => {
      order.push('first');
      device.enqueue(() => void order.push('inner'));
      order.push('first ends');
    });
    expect(order).toEqual(['first', 'first ends', 'inner']);
    device.enqueue(async () => {
      order.push('slow');
      await wait(5);
      order.push('slow ends');
    });
    device.enqueue(() => void order.push('second'));
    device.enqueue(async () => {
      await wait(1);
      order.push('third');
    });
    device.enqueue(() => void order.push('fourth'));
    order.push('here');
    await device.finish();
    expect(order.slice(3)).toEqual(['slow', 'here', 'slow ends', 'second', 'third', 'fourth']);
    device.enqueue(() => void order.push('idle again'));
    expect(order.at(-1)).toBe('idle again');
  });

  it('many in a row: neither the stack nor time minds', async () => {
    const { device } = setup();
    let ran = 0;
    device.enqueue(() => wait(1));
    for (let i = 0; i < 100_000; i++) {
      device.enqueue(() => {
        if (ran === i) ran += 1;
      });
    }
    expect(ran).toBe(0);
    await device.finish();
    expect(ran).toBe(100_000);
  });

  it('what a job has done is not held while others wait', async () => {
    const { device, launcher } = setup();
    const gates = [0, 1].map(() => {
      let open = (): void => {};
      const opened = new Promise<void>(resolve => {
        open = resolve;
      });
      return { open, opened };
    });
    device.enqueue(() => gates[0]!.opened);
    (() => made(device, 100, 1))();
    device.enqueue(() => gates[1]!.opened);
    for (let i = 0; i < 10; i++) device.enqueue(() => {});
    gates[0]!.open();
    await wait(1);
    expect(launcher.live).toBe(400);
    for (let i = 0; i < 50 && launcher.live > 0; i++) {
      collectGarbage();
      await wait(5);
    }
    expect(launcher.live).toBe(0);
    gates[1]!.open();
    await device.finish();
  });

  it('one that fails, at once or later, fails what it promised, and the next one runs', async () => {
    const { device } = setup();
    const promised = [0, 1, 2, 3].map(() => device.promise('float32', 1)) as [
      DeviceStorage,
      DeviceStorage,
      DeviceStorage,
      DeviceStorage,
    ];
    const [a, b, c, d] = promised;
    const reading = promised.map(each => each.read());
    for (const each of reading) each.catch(() => {});
    device.enqueue(() => {
      throw new Error('at once');
    }, [a]);
    device.enqueue(async () => {
      await wait(1);
      device.settle(b, device.launcher.upload(Float32Array.of(5)));
      throw new Error('later');
    }, [b, c]);
    device.enqueue(() => {}, [d]);
    await expect(reading[0]).rejects.toThrow('at once');
    expect([...(await reading[1]!)]).toEqual([5]);
    await expect(reading[2]).rejects.toThrow('later');
    await expect(reading[3]).rejects.toThrow(/has not made what it promised/);
    expect(() => a.readSync()).toThrow('at once');
    await expect(used(device, c)).rejects.toThrow('later');
    await device.finish();
  });

  it('one that promised nothing tells who waits for all', async () => {
    const { device } = setup();
    device.enqueue(async () => {
      throw new Error('stray');
    });
    await expect(device.finish()).rejects.toThrow('stray');
    await device.finish();
  });

  it('nobody is told of a failed value that nobody reads', async () => {
    const { device } = setup();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      device.enqueue(async () => {
        throw new Error('silent');
      }, [device.promise('float32', 1)]);
      await device.finish();
      await wait(5);
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('finish waits for the device as well', async () => {
    const { device, launcher } = setup();
    device.enqueue(() => wait(1).then(() => void launcher.log.push('job')));
    await device.finish();
    expect(launcher.log).toEqual(['job', 'flush', 'finish']);
  });
});

describe('values', () => {
  it('are read asynchronously, once, and known from then on', async () => {
    const { device } = setup();
    const x = made(device, 6, 7);
    expect(x.device).toBe('gpu');
    const error = caught(() => x.readSync());
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toBe(
      "read: got a value float32[6] on cpu that was not read before; values on a device can only be read asynchronously. Write await x.data() first, or await toDevice(x, 'cpu').",
    );
    const [a, b] = await Promise.all([x.read(), x.read()]);
    expect([...a]).toEqual([7, 7, 7, 7, 7, 7]);
    expect(b).toBe(a);
    expect(await x.read()).toBe(a);
    expect(x.readSync()).toBe(a);
    expect(device.stats).toMatchObject({ readbacks: 1, readbackBytes: 24, uploads: 0, residentBytes: 24 });
  });

  it('can be asked for before the job has run', async () => {
    const { device } = setup();
    device.enqueue(() => wait(2));
    const x = made(device, 2, 3);
    expect(caught(() => x.readSync())._tag).toBe('DeviceError');
    expect([...(await x.read())]).toEqual([3, 3]);
  });

  it('a reading that fails can be tried again', async () => {
    const { device, launcher } = setup();
    const x = made(device, 1, 4);
    const { before } = launcher;
    launcher.before = () => Promise.reject(new Error('not now'));
    const both = await Promise.allSettled([x.read(), x.read()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    launcher.before = before;
    expect([...(await x.read())]).toEqual([4]);
    expect(device.stats.readbacks).toBe(2);
  });

  it.each([
    ['int32', Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31)), 24],
    ['uint32', Uint32Array.of(0, 2 ** 32 - 1, 65536), 24],
    ['uint8', Uint8Array.of(0, 255, 1), 12],
    ['bool', Uint8Array.of(0, 1, 1), 12],
  ] as const)('of %s come back as they went', async (dtype, elements, bytes) => {
    const { device } = setup();
    const x = device.promise(dtype, 3);
    device.enqueue(async () => {
      const buffer = await device.use(new HostStorage(dtype, elements));
      device.settle(x, device.launcher.slice(buffer, 0, buffer.floats));
    }, [x]);
    expect(await x.read()).toEqual(elements);
    expect(device.stats).toMatchObject({ uploadedBytes: bytes, readbackBytes: bytes });
  });

  it('from elsewhere are uploaded once, however they are asked for', async () => {
    const { device } = setup();
    const [x, tiny] = [host(100, 2), host(1, 3)];
    expect(await used(device, x, tiny, x)).toEqual([2, 3, 2]);
    expect(await used(device, tiny, x)).toEqual([3, 2]);
    expect(device.stats).toMatchObject({ uploads: 2, uploadedBytes: 404, residentValues: 2 });
    const slow: Storage = {
      dtype: 'float32',
      size: 1,
      device: 'gpu',
      read: async () => Float32Array.of(9),
      readSync: vi.fn(),
    };
    device.enqueue(async () => {
      const [a, b] = await Promise.all([device.use(slow), device.use(slow)]);
      expect(a).toBe(b);
    });
    await device.finish();
    expect(device.stats.uploads).toBe(3);
    expect(slow.readSync).not.toHaveBeenCalled();
  });

  it('go from one device to another and back, promised or not', async () => {
    const [one, other] = [setup().device, setup().device];
    one.enqueue(() => wait(2));
    const x = made(one, 3, 5);
    const y = other.promise('float32', 3);
    other.enqueue(async () => {
      const buffer = await other.use(x);
      other.settle(y, other.launcher.slice(buffer, 0, 3));
    }, [y]);
    expect(await used(one, y)).toEqual([5]);
    expect(one.stats.readbacks).toBe(1);
    expect([...y.readSync()]).toEqual([5, 5, 5]);
    // Now that the host has the elements nobody waits.
    let at: unknown;
    setup().device.enqueue(function (this: void) {
      at = one.use(y);
    });
    expect(at).toHaveProperty('floats', 3);
  });

  it('can be placed: known at once, uploaded when used', async () => {
    const { device } = setup();
    const x = device.place('int32', Int32Array.of(70_000));
    expect([...x.readSync()]).toEqual([70_000]);
    expect(device.stats.uploads).toBe(0);
    expect(await used(device, x)).toEqual([70_000 - 65_536]);
    expect(device.stats).toMatchObject({ uploads: 1, readbacks: 0 });
  });

  it('that the host provides: float64 too, though nothing uses it there', async () => {
    const { device } = setup();
    const [x, y] = [device.promise('float64', 1), device.promise('float32', 2)];
    const reading = x.read();
    device.enqueue(() => wait(1));
    device.enqueue(() => {
      device.provide(x, Float64Array.of(0.1));
      device.provide(y, Float32Array.of(3, 4));
    }, [x, y]);
    expect([...(await reading)]).toEqual([0.1]);
    expect(await used(device, y)).toEqual([3]);
    await expect(used(device, x)).rejects.toThrow(/float64 is never on a device/);
    expect(device.stats).toMatchObject({ readbacks: 0, uploads: 1 });
  });

  it('that are empty are known at once and have a buffer nevertheless', async () => {
    const { device, launcher } = setup();
    const x = made(device, 0, 1);
    expect(x.readSync()).toEqual(new Float32Array(0));
    device.enqueue(async () => {
      expect((await device.use(x)).floats).toBe(1);
      expect((await device.use(host(0, 0))).floats).toBe(1);
    });
    await device.finish();
    expect(device.stats.readbacks).toBe(0);
    expect(launcher.live).toBe(8);
  });

  it('what only a bug can do is refused', () => {
    const { device, launcher } = setup();
    expect(() => device.settle(device.promise('float64', 1), launcher.make(2, 0))).toThrow(/please report this/);
    expect(() => device.use(new HostStorage('float64', new Float64Array(1)))).toThrow(/please report this/);
    const x = device.promise('int32', 2);
    expect(() => device.use(x)).toThrow(/before the job that makes it/);
    expect(() => device.settle(x, launcher.make(3, 0))).toThrow(/3 floats are no 2 of int32/);
    device.settle(x, launcher.make(4, 0));
    expect(() => device.settle(x, launcher.make(4, 0))).toThrow(/twice/);
    expect(() => device.provide(x, new Int32Array(2))).toThrow(/twice/);
  });
});

describe('the budget', () => {
  it.each([false, true])('the least recently used leave and come back; reading at once: %s', async readsAtOnce => {
    const { device, launcher } = setup(1000, readsAtOnce);
    const [a, b, c] = [made(device, 80, 1), made(device, 80, 2), made(device, 80, 3)];
    expect(device.stats.residentBytes).toBe(960);
    expect(await used(device, a)).toEqual([1]);
    const d = made(device, 80, 4);
    await device.finish();
    expect(device.stats).toMatchObject({
      residentValues: 3,
      residentBytes: 960,
      spilled: 1,
      spilledBytes: 320,
      readbacks: 1,
    });
    expect([...b.readSync()]).toEqual(new Array(80).fill(2));
    expect(device.stats.readbacks).toBe(1);
    expect(await used(device, a, c, d)).toEqual([1, 3, 4]);
    expect(device.stats.uploads).toBe(0);
    // What is used together never drives each other out, though not all of it is there.
    expect(await used(device, c, b, a)).toEqual([3, 2, 1]);
    expect(device.stats).toMatchObject({ uploads: 1, spilled: 2, residentBytes: 960 });
    expect([...d.readSync()]).toEqual(new Array(80).fill(4));
    expect(launcher.live).toBe(960);
    // What the host has leaves without being read again.
    const { readbacks } = device.stats;
    expect(await used(device, d, a, c)).toEqual([4, 1, 3]);
    expect(device.stats).toMatchObject({ spilled: 3, readbacks });
    // A result that has not been on the host yet does not.
    expect(await used(device, b, d)).toEqual([2, 4]);
    expect(device.stats).toMatchObject({ spilled: 4, readbacks: readbacks + 1 });
    expect([...a.readSync()]).toEqual(new Array(80).fill(1));
  });

  it('what was read by somebody leaves without another reading', async () => {
    const { device } = setup(1000);
    const a = made(device, 200, 1);
    await a.read();
    made(device, 200, 2);
    await device.finish();
    expect(device.stats).toMatchObject({ spilled: 1, readbacks: 1, residentBytes: 800 });
    expect([...a.readSync()]).toEqual(new Array(200).fill(1));
  });

  it('what a job has pinned or made stays until it ends, beyond the budget if need be', async () => {
    const { device, launcher } = setup(1000);
    const [a, b] = [made(device, 100, 1), made(device, 100, 2)];
    const c = device.promise('float32', 100);
    device.enqueue(async () => {
      await device.useAll([a, b]);
      device.settle(c, launcher.make(100, 3));
      await device.room(4000);
      expect(device.stats).toMatchObject({ residentBytes: 1200, spilled: 0 });
    }, [c]);
    await device.finish();
    made(device, 100, 4);
    await device.finish();
    // No more than has to leave.
    expect(device.stats).toMatchObject({ spilled: 2, residentBytes: 800 });
    expect([...a.readSync()]).toEqual(new Array(100).fill(1));
  });

  it('one who reads and one who makes room share the reading', async () => {
    const { device } = setup(1000);
    const a = made(device, 200, 1);
    const reading = a.read();
    made(device, 200, 2);
    await device.finish();
    expect([...(await reading)]).toEqual(new Array(200).fill(1));
    expect(device.stats).toMatchObject({ readbacks: 1, spilled: 1 });
    expect(await used(device, a)).toEqual([1]);
  });

  it('used while it is being spilled, it stays', async () => {
    const { device, launcher } = setup(1000);
    const a = made(device, 200, 1);
    launcher.before = () => wait(20);
    device.enqueue(async () => {
      const room = device.room(400);
      while (device.stats.readbacks === 0) await wait(0);
      device.use(a);
      await room;
      expect(device.stats).toMatchObject({ readbacks: 1, spilled: 0, residentValues: 1 });
    });
    await device.finish();
    expect([...(await a.read())]).toEqual(new Array(200).fill(1));
  });

  it('what cannot be read back stays, and the job goes on', async () => {
    const { device, launcher } = setup(1000);
    const a = made(device, 200, 1);
    const { before } = launcher;
    launcher.before = () => Promise.reject(new Error('no memory'));
    const b = made(device, 200, 2);
    await device.finish();
    launcher.before = before;
    expect(device.stats).toMatchObject({ spilled: 0, residentBytes: 1600 });
    expect([...(await a.read()), ...(await b.read())]).toEqual([...new Array(200).fill(1), ...new Array(200).fill(2)]);
    await made(device, 50, 3).read();
    expect(device.stats).toMatchObject({ spilled: 1, residentBytes: 1000 });
  });

  it('counts buffers kept for reuse only when they go beyond it', async () => {
    const { device, launcher } = setup(1000);
    launcher.kept = 900;
    made(device, 50, 1);
    expect(launcher.log).toEqual([]);
    made(device, 50, 1);
    expect(launcher.log).toEqual(['trim']);
    expect(device.stats.spilled).toBe(0);
    expect(launcher.kept).toBe(0);
  });

  it('no value is lost in any order of use', async () => {
    const { device, launcher } = setup(4000);
    const values = Array.from({ length: 30 }, (_, i) => made(device, 20 + 7 * i, i));
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    for (let round = 0; round < 200; round++) {
      const chosen = [0, 1, 2].map(() => random(30));
      expect(await used(device, ...chosen.map(i => values[i]!))).toEqual(chosen);
      const read = random(30);
      if (round % 5 === 0) expect(new Set(await values[read]!.read())).toEqual(new Set([read]));
      expect(device.stats.residentBytes).toBeLessThanOrEqual(4000);
      expect(launcher.live).toBe(device.stats.residentBytes);
    }
    expect(device.stats.spilled).toBeGreaterThan(100);
    // Every value is read once at most.
    expect(device.stats.readbacks).toBeLessThanOrEqual(30);
  });
});

describe('what nobody holds', () => {
  it('goes when it was collected, uploads too', async () => {
    const { device, launcher } = setup();
    const kept = made(device, 10, 1);
    await (async () => {
      for (let i = 0; i < 5; i++) made(device, 100, i);
      await used(device, host(100, 1), host(100, 2), kept);
    })();
    expect(launcher.live).toBe(2840);
    for (let i = 0; i < 50 && launcher.live > 40; i++) {
      collectGarbage();
      await wait(5);
    }
    expect(launcher.live).toBe(40);
    expect(device.stats).toMatchObject({ residentValues: 1, residentBytes: 40, spilled: 0 });
    expect([...(await kept.read())]).toEqual(new Array(10).fill(1));
  });

  it('a value that spilled and one that is pinned are collected as well', async () => {
    const { device, launcher } = setup(1000);
    made(device, 200, 1);
    made(device, 200, 2);
    await device.finish();
    let open = (): void => {};
    device.enqueue(async () => {
      device.use(host(10, 1));
      await new Promise<void>(resolve => {
        open = resolve;
      });
    });
    for (let i = 0; i < 50 && device.stats.residentValues > 1; i++) {
      collectGarbage();
      await wait(5);
    }
    collectGarbage();
    await wait(5);
    // The pinned one is still there: its job may work on it.
    expect(launcher.live).toBe(40);
    open();
    await device.finish();
    expect(launcher.live).toBe(0);
  });

  /** Rounds that make a MiB each and drop it, with a turn of the event loop now and then. */
  const rounds = async (device: Device, count: number): Promise<number> => {
    let most = 0;
    for (let i = 0; i < count; i++) {
      made(device, MiB / 4, i);
      if (i % 10 === 9) await wait(2);
      most = Math.max(most, device.stats.residentBytes);
    }
    await device.finish();
    return most;
  };

  it('memory stays flat over 1000 rounds: the engine is reminded, and nothing needs to be read back', async () => {
    const { device, launcher } = setup(512 * MiB);
    // Reminded after 64 MiB; a collection takes some turns, of 10 MiB each.
    expect(await rounds(device, 1000)).toBeLessThan(300 * MiB);
    expect(device.stats).toMatchObject({ spilled: 0, readbacks: 0 });
    expect(launcher.live).toBe(device.stats.residentBytes);
  });

  it('within a budget too small for reminders, waiting for room finds what is free', async () => {
    const { device } = setup(16 * MiB);
    expect(await rounds(device, 300)).toBeLessThanOrEqual(16 * MiB);
    // A collection does not always find all at once; most is found.
    expect(device.stats.readbacks).toBeLessThan(100);
  });

  it('works without a FinalizationRegistry', async () => {
    vi.stubGlobal('FinalizationRegistry', undefined);
    try {
      const { device } = setup(1000);
      const values = [1, 2, 3, 4].map(value => made(device, 100, value));
      await device.finish();
      expect(device.stats).toMatchObject({ residentBytes: 800, spilled: 2 });
      expect(await Promise.all(values.map(async value => (await value.read())[99]))).toEqual([1, 2, 3, 4]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('no timer is left', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    const before = timers();
    const { device, launcher } = setup(1000, true);
    const values = Array.from({ length: 10 }, (_, i) => made(device, 100, i));
    await device.finish();
    expect(values).toHaveLength(10);
    expect(device.stats.spilled).toBe(8);
    expect(launcher.live).toBe(800);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

it('a mode of gpu.js: what goes there comes back, with and without room', async () => {
  const device = new Device(await openArrays('cpu'), 100);
  const lists: readonly (readonly [DType, TypedArray])[] = [
    ['float32', Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, Number.NaN)],
    ['int32', Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31), 65_536)],
    ['uint32', Uint32Array.of(2 ** 32 - 1, 0, 2 ** 31, 65_535)],
    ['uint8', Uint8Array.of(0, 255, 128, 1)],
    ['bool', Uint8Array.of(1, 0, 0, 1)],
  ];
  const values = lists.map(([dtype, elements]) => {
    const value = device.promise(dtype, 4);
    device.enqueue(async () => {
      const buffer = await device.use(new HostStorage(dtype, elements));
      await device.room(4 * buffer.floats);
      device.settle(value, device.launcher.slice(buffer, 0, buffer.floats));
    }, [value]);
    return value;
  });
  await device.finish();
  expect(device.stats.spilled).toBeGreaterThan(0);
  expect(await Promise.all(values.map(value => value.read()))).toEqual(lists.map(([, elements]) => elements));
  await device.destroy();
});

describe('the end', () => {
  it('a lost device fails everything but what the host has', async () => {
    const { device, launcher } = setup(1000);
    const [a, b] = [made(device, 100, 1), made(device, 100, 2)];
    await a.read();
    const reading = b.read();
    launcher.lost = 'it fell off the bus';
    const broken = /device: got work for cpu on plain arrays; this device is lost: it fell off the bus\./;
    await expect(reading).rejects.toThrow(broken);
    await expect(b.read()).rejects.toThrow(broken);
    expect(caught(() => b.readSync()).message).toMatch(broken);
    await expect(made(device, 100, 3).read()).rejects.toThrow(broken);
    await expect(used(device, a)).rejects.toThrow(DeviceError);
    await expect(device.finish()).rejects.toThrow(broken);
    expect([...(await a.read())]).toEqual(new Array(100).fill(1));
    const c = device.promise('float32', 1);
    device.enqueue(() => device.settle(c, launcher.make(1, 0)), [c]);
    await expect(c.read()).rejects.toThrow(broken);
    await device.destroy();
  });

  it('destroying waits for jobs and readings before it, and refuses those after it', async () => {
    const { device, launcher } = setup();
    device.enqueue(() => wait(2));
    const [a, b] = [made(device, 10, 1), made(device, 10, 2)];
    const reading = a.read();
    const destroyed = device.destroy();
    expect(device.destroy()).toBe(destroyed);
    const late = made(device, 10, 3);
    await destroyed;
    expect([...(await reading)]).toEqual(new Array(10).fill(1));
    expect(launcher.log).toEqual(['destroy']);
    const over = /this device has been destroyed/;
    await expect(b.read()).rejects.toThrow(over);
    await expect(late.read()).rejects.toThrow(over);
    await expect(used(device, a)).rejects.toThrow(over);
    await expect(device.finish()).rejects.toThrow(over);
    expect(device.stats).toMatchObject({ residentBytes: 0, residentValues: 0 });
    // Finalizers come after it: they must not touch what is gone.
    expect([...a.readSync()]).toEqual(new Array(10).fill(1));
  });
});
