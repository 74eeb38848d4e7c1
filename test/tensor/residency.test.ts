/** The write-back cache in WebAssembly memory: its allocator against a naive one, and who stays, leaves and returns. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Allocator, lowest } from '../../src/tensor/backend/wasm/allocator.js';
import { type WasmMemory, wasmApi } from '../../src/tensor/backend/wasm/api.js';
import { Residency } from '../../src/tensor/backend/wasm/residency.js';
import { bytesOf, type DType, dtypes } from '../../src/tensor/dtype.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { caught } from '../helpers.js';

const page = 2 ** 16;
const MiB = 2 ** 20;

const collectGarbage = (globalThis as unknown as { gc(): void }).gc;

/** Collects, and gives finalizers their turn, until something holds. */
const eventually = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 50 && !condition(); i++) {
    collectGarbage();
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
};

/** Bytes of host arrays; the engine counts one off only when it has swept. */
const arrayBytes = (): number => {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
};

describe('the allocator', () => {
  interface Range {
    readonly from: number;
    readonly to: number;
  }

  /** The gaps between blocks, found the slow way. */
  const gapsOf = (blocks: readonly Range[], end: number): readonly Range[] => {
    const sorted = [...blocks].sort((a, b) => a.from - b.from);
    const from = [lowest, ...sorted.map(({ to }) => to)];
    const to = [...sorted.map(block => block.from), end];
    return from.map((start, i) => ({ from: start, to: to[i]! })).filter(gap => gap.to > gap.from);
  };
  const lengthOf = ({ from, to }: Range): number => to - from;

  const commands = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant('allocate' as const), n: fc.integer({ min: 1, max: 600 }) }),
      },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('free' as const), n: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), n: fc.nat(2000) }) },
    ),
    { maxLength: 200 },
  );

  it.each([
    ['from the start', 4096, 1],
    ['up to 4 GiB', 2 ** 31, 2 ** 20],
  ])('does what a naive one does: best fit, aligned, no overlap, no lost byte; %s', (_, start, scale) => {
    fc.assert(
      fc.property(commands, list => {
        const allocator = new Allocator(start);
        const blocks: Range[] = [];
        for (const command of list) {
          const gaps = gapsOf(blocks, allocator.end);
          if (command.do === 'allocate') {
            const bytes = Math.max(1, command.n * scale - (command.n % 7));
            const fitting = gaps.filter(gap => lengthOf(gap) >= bytes);
            const address = allocator.allocate(bytes);
            if (address === null) {
              expect(fitting).toEqual([]);
              continue;
            }
            expect(address % 16).toBe(0);
            const to = address + Math.ceil(bytes / 16) * 16;
            const gap = gaps.find(each => each.from <= address && to <= each.to)!;
            expect(lengthOf(gap)).toBe(Math.min(...fitting.map(lengthOf)));
            blocks.push({ from: address, to });
          } else if (command.do === 'free') {
            const [block] = blocks.splice(command.n % (blocks.length || 1), 1);
            if (block !== undefined) allocator.free(block.from);
          } else {
            allocator.extend(Math.min(2 ** 32 - page, allocator.end + command.n * scale));
          }
          const after = gapsOf(blocks, allocator.end);
          expect(allocator.largestFree).toBe(Math.max(0, ...after.map(lengthOf)));
          const last = after.at(-1);
          expect(allocator.freeAtEnd).toBe(last?.to === allocator.end ? lengthOf(last) : 0);
          expect(allocator.used).toBe(blocks.reduce((sum, block) => sum + lengthOf(block), 0));
        }
        for (const { from } of blocks) allocator.free(from);
        expect(allocator.used).toBe(0);
        expect(allocator.largestFree).toBe(allocator.end - lowest);
      }),
      { numRuns: 200 },
    );
  });

  it('does not take back what it did not give', () => {
    const allocator = new Allocator(2 ** 16);
    const address = allocator.allocate(100)!;
    allocator.free(address);
    expect(() => allocator.free(address)).toThrow(/no block/);
    expect(() => allocator.free(16)).toThrow(/no block/);
  });

  it('is quick with 100,000 blocks of many sizes', () => {
    const allocator = new Allocator(2 ** 32 - page);
    const started = performance.now();
    const addresses = Array.from({ length: 100_000 }, (_, i) => allocator.allocate(16 * (1 + ((i * 7919) % 2000)))!);
    for (let i = 0; i < addresses.length; i += 2) allocator.free(addresses[i]!);
    for (let i = 0; i < addresses.length; i += 2) addresses[i] = allocator.allocate(16 * (1 + ((i * 104_729) % 2000)))!;
    for (let i = 0; i < 100_000; i++) allocator.free(allocator.allocate(16)!);
    for (const address of addresses) allocator.free(address);
    // Some 0.1 s; quadratic would be minutes.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(allocator.largestFree).toBe(allocator.end - lowest);
  });
});

const memoryOf = (initial: number, maximum: number): WasmMemory => new (wasmApi().Memory)({ initial, maximum });

/** A memory of `pages`, as much as it ever gets, and the cache in it. */
const fixed = (pages: number): Residency => new Residency(memoryOf(pages, pages));

/** A result of `count` times `value`, as a kernel would leave it. */
const computed = (cache: Residency, count: number, value: number): Storage => {
  const address = cache.allocate(4 * count);
  new Float32Array(cache.memory.buffer, address, count).fill(value);
  return cache.adopt('float32', count, address);
};

const host = (count: number, value: number): HostStorage =>
  new HostStorage('float32', new Float32Array(count).fill(value));

const inMemory = (cache: Residency, address: number, count: number): number[] => [
  ...new Float32Array(cache.memory.buffer, address, count),
];

const allOf = (storage: Storage, value: number): void => {
  expect(new Set(storage.readSync())).toEqual(new Set([value]));
};

/** So many floats that three values fit into four pages, and not four. */
const third = 20_000;

describe('values in memory', () => {
  it('a result stays where it was written, and reading it gives a copy', async () => {
    const cache = fixed(4);
    const value = computed(cache, 100, 7);
    const array = value.readSync();
    expect([...array]).toEqual(new Array(100).fill(7));
    array[0] = 99;
    allOf(value, 7);
    expect([...(await value.read())]).toEqual(new Array(100).fill(7));
    expect(inMemory(cache, cache.use(value), 100)).toEqual(new Array(100).fill(7));
    expect(cache.stats).toMatchObject({ copiedIn: 0, evictions: 0, residentBytes: 400, residentValues: 1 });
  });

  it('the least recently used leaves first, and can be read and used again', () => {
    const cache = fixed(4);
    const [a, b, c] = [computed(cache, third, 1), computed(cache, third, 2), computed(cache, third, 3)];
    cache.use(a);
    cache.unpinAll();
    const d = computed(cache, third, 4);
    expect(cache.stats).toMatchObject({ evictions: 1, copiedOutBytes: 4 * third, residentValues: 3 });
    for (const stayed of [c, a, d]) {
      cache.use(stayed);
      cache.unpinAll();
    }
    expect(cache.stats.copiedIn).toBe(0);
    allOf(b, 2);
    expect(inMemory(cache, cache.use(b), 3)).toEqual([2, 2, 2]);
    expect(cache.stats).toMatchObject({ copiedIn: 1, evictions: 2 });
    [a, b, c, d].forEach((storage, i) => {
      allOf(storage, i + 1);
    });
  });

  it('what an array has already leaves without a copy', () => {
    const cache = fixed(4);
    const input = host(third, 5);
    expect(inMemory(cache, cache.use(input), 3)).toEqual([5, 5, 5]);
    cache.unpinAll();
    cache.use(input);
    cache.unpinAll();
    expect(cache.stats.copiedIn).toBe(1);
    const results = [1, 2, 3].map(value => computed(cache, third, value));
    expect(cache.stats).toMatchObject({ evictions: 1, copiedOutBytes: 0 });
    // A result that was evicted keeps its array when it comes back: leaving again copies nothing.
    cache.use(input);
    cache.unpinAll();
    expect(cache.stats.copiedOutBytes).toBe(4 * third);
    for (let i = 0; i < 6; i++) {
      cache.use(results[i % 3]!);
      cache.unpinAll();
    }
    const { copiedOutBytes, evictions } = cache.stats;
    for (let i = 0; i < 8; i++) {
      cache.use([...results, input][i % 4]!);
      cache.unpinAll();
    }
    expect(cache.stats.evictions).toBeGreaterThan(evictions);
    expect(cache.stats.copiedOutBytes).toBe(copiedOutBytes);
    results.forEach((storage, i) => {
      allOf(storage, i + 1);
    });
  });

  it('what a run uses stays until it ends', () => {
    const cache = fixed(4);
    const [a, b] = [computed(cache, third, 1), host(third, 2)];
    const addresses = [cache.use(a), cache.use(b)];
    expect([cache.use(a), cache.use(b)]).toEqual(addresses);
    const temporary = cache.allocate(4 * third);
    const error = caught(() => cache.allocate(4 * third, 'float32[200,100]'));
    expect(error._tag).toBe('MemoryError');
    expect(error.message).toMatch(/float32\[200,100\] that needs 80000 bytes \(0 MiB\)/);
    expect(caught(() => cache.use(host(third, 3)))._tag).toBe('MemoryError');
    expect(addresses.map(address => inMemory(cache, address, 2))).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(cache.stats.evictions).toBe(0);
    // Nothing has leaked: afterwards all of the memory is to be had.
    cache.free(temporary);
    cache.unpinAll();
    cache.free(cache.allocate(4 * page - lowest - 64));
    allOf(a, 1);
    allOf(b, 2);
  });

  it('what can never fit drives nobody out', () => {
    const cache = new Residency(memoryOf(4, page));
    const a = computed(cache, third, 1);
    const error = caught(() => cache.allocate(2 ** 32 - page));
    expect(error.message).toMatch(/needs 4294901760 bytes \(4096 MiB\)/);
    expect(cache.stats.evictions).toBe(0);
    allOf(a, 1);
  });

  it('memory grows to the limit, then values leave, and it grows beyond for one who needs it', () => {
    const cache = new Residency(memoryOf(1, 64), 8 * page);
    const first = Array.from({ length: 6 }, (_, i) => computed(cache, third, i));
    expect(cache.stats.evictions).toBe(0);
    expect(cache.memory.buffer.byteLength).toBe(8 * page);
    first.push(computed(cache, third, 6));
    expect(cache.stats.evictions).toBe(1);
    const big = computed(cache, (10 * page) / 4, 7);
    expect(cache.memory.buffer.byteLength).toBeGreaterThan(10 * page);
    expect(cache.memory.buffer.byteLength).toBeLessThan(13 * page);
    // Views were made before memory grew: nothing may depend on them.
    first.forEach(allOf);
    expect(inMemory(cache, cache.use(first[3]!), 2)).toEqual([3, 3]);
    allOf(big, 7);
    cache.unpinAll();
    cache.limit = 32 * page;
    const { evictions } = cache.stats;
    for (let i = 0; i < 7; i++) cache.use(first[i]!);
    expect(cache.stats.evictions).toBe(evictions);
    cache.unpinAll();
  });

  it('addresses beyond 2 GiB are numbers like others', () => {
    const cache = new Residency(memoryOf(1, page), 2 ** 32);
    const block = cache.allocate(3 * 2 ** 30);
    const value = computed(cache, 1000, 3);
    expect(cache.use(value)).toBeGreaterThan(3 * 2 ** 30);
    expect(inMemory(cache, cache.use(value), 2)).toEqual([3, 3]);
    allOf(value, 3);
    cache.free(block);
  });

  it('empty and tiny values, of every dtype', () => {
    const cache = fixed(1);
    for (const dtype of dtypes) {
      for (const size of [0, 1, 3, 8, 17, 64, 65]) {
        const address = cache.allocate(bytesOf[dtype] * size);
        expect(address).toBeGreaterThan(0);
        expect(address % 16).toBe(0);
        if (dtype === 'float64') new Float64Array(cache.memory.buffer, address, size).fill(1);
        else new Uint8Array(cache.memory.buffer, address, bytesOf[dtype] * size).fill(1);
        const value = cache.adopt(dtype as DType, size, address);
        const array = value.readSync();
        expect([value.dtype, value.size, array.length]).toEqual([dtype, size, size]);
        const at = cache.use(value);
        expect(at).toBeGreaterThan(0);
        const bytes = new Uint8Array(cache.memory.buffer, at, array.byteLength);
        expect(bytes).toEqual(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
        cache.unpinAll();
      }
    }
    cache.free(cache.allocate(page - lowest - 64));
  });

  it('a value of another memory is copied', () => {
    const [here, there] = [fixed(4), fixed(4)];
    const value = computed(there, 1000, 6);
    expect(inMemory(here, here.use(value), 2)).toEqual([6, 6]);
    expect(here.stats.copiedIn).toBe(1);
    here.unpinAll();
    here.use(value);
    expect(here.stats.copiedIn).toBe(1);
  });

  it('any order of computing, using and forgetting leaves every value as it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ what: fc.nat(3), which: fc.nat(), size: fc.integer({ min: 1, max: 9000 }) }), {
          maxLength: 150,
        }),
        list => {
          const cache = fixed(3);
          const values: { storage: Storage; value: number }[] = [];
          let pinnedBytes = 0;
          list.forEach(({ what, which, size }, value) => {
            const known = values[which % (values.length || 1)];
            if (what === 0) values.push({ storage: computed(cache, size, value), value });
            else if (what === 1) values.push({ storage: host(size, value), value });
            else if (known !== undefined && what === 2) {
              // Half of the memory at most, so that the rest always has room.
              if (pinnedBytes + 4 * known.storage.size > page) {
                cache.unpinAll();
                pinnedBytes = 0;
              }
              pinnedBytes += 4 * known.storage.size;
              const address = cache.use(known.storage);
              expect(new Set(inMemory(cache, address, known.storage.size))).toEqual(new Set([known.value]));
            } else if (values.length > 3) values.splice(which % values.length, 1);
          });
          for (const { storage, value } of values) allOf(storage, value);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('nobody frees anything', () => {
  it('values that nobody holds are dropped without a copy', async () => {
    const cache = fixed(16);
    const kept = computed(cache, 1000, 1);
    (() => {
      for (let i = 0; i < 5; i++) computed(cache, third, i);
      cache.use(host(third, 5));
      cache.unpinAll();
    })();
    expect(cache.stats.residentValues).toBe(7);
    await eventually(() => cache.stats.residentValues === 1);
    expect(cache.stats).toMatchObject({ residentBytes: 4000, evictions: 0, copiedOutBytes: 0 });
    cache.use(kept);
    cache.free(cache.allocate(15 * page));
    allOf(kept, 1);
  });

  it('a value collected during its run is dropped when the run ends', async () => {
    const cache = fixed(4);
    let finalized = false;
    const registry = new FinalizationRegistry(() => {
      finalized = true;
    });
    const address = (() => {
      const value = computed(cache, third, 8);
      registry.register(value, 0);
      return cache.use(value);
    })();
    await eventually(() => finalized);
    expect(cache.stats.residentValues).toBe(1);
    expect(inMemory(cache, address, 2)).toEqual([8, 8]);
    cache.unpinAll();
    expect(cache.stats.residentValues).toBe(0);
    cache.free(cache.allocate(4 * page - lowest - 64));
  });

  it('a loop that never yields keeps memory flat: large values', () => {
    const cache = fixed(64);
    const before = arrayBytes();
    for (let i = 0; i < 500; i++) {
      const value = computed(cache, MiB / 4, i);
      cache.use(value);
      cache.unpinAll();
      if (i % 100 === 99) expect(arrayBytes() - before).toBeLessThan(2 * MiB);
    }
    expect(cache.stats.evictions).toBeGreaterThan(490);
  });

  it('an array goes with its storage, also when its value has come back to memory', () => {
    const cache = fixed(64);
    const before = arrayBytes();
    (() => {
      const values = Array.from({ length: 12 }, (_, i) => computed(cache, MiB / 16, i));
      cache.free(cache.allocate(64 * page - lowest - 64));
      expect(cache.stats.evictions).toBe(12);
      for (const value of values) cache.use(value);
      cache.unpinAll();
      expect(arrayBytes() - before).toBeGreaterThan(2 * MiB);
    })();
    // Without a turn for finalizers: the table still has all twelve, but no array.
    expect(arrayBytes() - before).toBeLessThan(MiB);
    expect(cache.stats.residentValues).toBe(12);
  });

  it('a loop that never yields keeps memory flat: small values', () => {
    const cache = new Residency(memoryOf(1, page));
    const heap: number[] = [];
    const started = performance.now();
    for (let i = 0; i < 100_000; i++) {
      cache.use(computed(cache, 64, i));
      cache.use(host(32, i));
      cache.unpinAll();
      if (i % 20_000 === 19_999) heap.push(arrayBytes() + process.memoryUsage().heapUsed);
    }
    expect(cache.stats.residentValues).toBeLessThanOrEqual(2 ** 13);
    expect(heap.at(-1)! - heap[0]!).toBeLessThan(2 * MiB);
    // Some 0.5 s; anything that walks what is resident would need minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('works without a FinalizationRegistry', () => {
    vi.stubGlobal('FinalizationRegistry', undefined);
    try {
      const cache = fixed(4);
      const values = [1, 2, 3, 4, 5].map(value => computed(cache, third, value));
      expect(cache.stats.evictions).toBe(2);
      values.forEach((value, i) => {
        allOf(value, i + 1);
      });
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
