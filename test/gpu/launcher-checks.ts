/**
 * What every launcher has to do, as functions that say what is wrong: they run in Node and in a page. All numbers are
 * integers below 2^24 or powers of two, which every device computes exactly, so there are no tolerances.
 */
import type { DeviceBuffer, Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import type { KernelPass, PassNumber } from '../../src/tensor/backend/gpu/pass.js';

type Check = (launcher: Launcher) => Promise<string[]>;

const pass = (
  source: string,
  grid: readonly number[],
  reads: readonly number[],
  more: Partial<KernelPass> = {},
): KernelPass => ({
  kind: 'kernel',
  name: 'check',
  source,
  grid,
  components: 1,
  reads,
  numbers: [],
  turns: 1,
  flops: 1,
  ...more,
});

const range = (n: number, f: (i: number) => number = i => i): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));

/** The one buffer that a pass makes. */
const run = async (
  launcher: Launcher,
  kernel: KernelPass,
  reads: readonly DeviceBuffer[],
  numbers: readonly number[] = [],
): Promise<DeviceBuffer> => {
  const made = launcher.launch(await launcher.prepare(kernel), reads, numbers);
  if (made.length !== 1) throw new Error(`a kernel made ${made.length} buffers`);
  return made[0]!;
};

/** How floats differ from what they should be: the first difference. */
const differences = (what: string, actual: Float32Array, expected: ArrayLike<number>): string[] => {
  if (actual.length !== expected.length) return [`${what}: ${actual.length} floats, not ${expected.length}`];
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    // Devices differ in the sign of a zero.
    if (!(a === e || (Number.isNaN(a) && Number.isNaN(e)))) return [`${what}: ${a} at ${i}, not ${e}`];
  }
  return [];
};

/** Reads a buffer, compares it, and frees it. */
const holds = async (
  launcher: Launcher,
  what: string,
  buffer: DeviceBuffer,
  expected: ArrayLike<number>,
): Promise<string[]> => {
  const wrong =
    buffer.floats === expected.length ? [] : [`${what}: floats is ${buffer.floats}, not ${expected.length}`];
  wrong.push(...differences(what, await launcher.read(buffer), expected));
  launcher.free(buffer);
  return wrong;
};

const upload: Check = async launcher => {
  const wrong: string[] = [];
  for (const n of [1, 2, 3, 5, 64, 1000, 4097]) {
    const data = range(n, i => i * 3 - 7);
    const expected = data.slice();
    const buffer = launcher.upload(data);
    data.fill(-1);
    const first = await launcher.read(buffer);
    wrong.push(...differences(`${n} floats`, first, expected));
    first.fill(-2);
    wrong.push(...(await holds(launcher, `${n} floats, read again`, buffer, expected)));
  }
  return wrong;
};

const elementwise: Check = async launcher => {
  const n = 1000;
  const [a, b] = [launcher.upload(range(n, i => i % 50)), launcher.upload(range(n, i => (i % 7) - 3))];
  const source =
    'function(b0, b1) { const t0 = b0[this.thread.x]; const t1 = b1[this.thread.x]; return t0 * t1 + 0.5; }';
  const kernel = pass(source, [n], [n, n]);
  const c = await run(launcher, kernel, [a, b]);
  // One buffer twice, and a result as what is read.
  const d = await run(launcher, kernel, [c, c]);
  const expected = range(n, i => (i % 50) * ((i % 7) - 3) + 0.5);
  return [
    ...(await holds(
      launcher,
      'twice',
      d,
      expected.map(x => x * x + 0.5),
    )),
    ...(await holds(launcher, 'result', c, expected)),
    ...(await holds(
      launcher,
      'first operand',
      a,
      range(n, i => i % 50),
    )),
    ...(await holds(
      launcher,
      'second operand',
      b,
      range(n, i => (i % 7) - 3),
    )),
  ];
};

const grids: Check = async launcher => {
  const wrong: string[] = [];
  const source = {
    1: 'function() { return this.thread.x * 2 + 1; }',
    2: 'function() { return this.thread.x + this.thread.y * 1000; }',
    3: 'function() { return this.thread.x + this.thread.y * 100 + this.thread.z * 10000; }',
  };
  const shapes = [[1], [2], [65], [1, 5], [5, 1], [33, 17], [1, 1, 3], [4, 1, 2], [2, 3, 1], [7, 5, 3], [64, 8, 9]];
  for (const grid of shapes) {
    const [x, y = 1, z = 1] = grid as [number, number?, number?];
    const made = await run(launcher, pass(source[grid.length as 1 | 2 | 3], grid, []), []);
    const expected = range(x * y * z, i => {
      const [ix, iy, iz] = [i % x, Math.floor(i / x) % y, Math.floor(i / (x * y))];
      return grid.length === 1 ? ix * 2 + 1 : grid.length === 2 ? ix + iy * 1000 : ix + iy * 100 + iz * 10000;
    });
    wrong.push(...(await holds(launcher, `grid ${grid}`, made, expected)));
  }
  return wrong;
};

/** A buffer made by a grid of several axes is read by flat indices. */
const flat: Check = async launcher => {
  const [rows, columns] = [37, 29];
  const made = await run(
    launcher,
    pass(`function() { return this.thread.y * ${columns} + this.thread.x; }`, [columns, rows], []),
    [],
  );
  const source = `function(b0) { return b0[this.thread.x * ${columns} + this.thread.y]; }`;
  const turned = await run(launcher, pass(source, [rows, columns], [rows * columns]), [made]);
  const expected = range(rows * columns, i => (i % rows) * columns + Math.floor(i / rows));
  return [
    ...(await holds(launcher, 'transposed', turned, expected)),
    ...(await holds(launcher, 'as it was', made, range(rows * columns))),
  ];
};

const quads: Check = async launcher => {
  const wrong: string[] = [];
  for (const grid of [[1], [9], [5, 3], [3, 2, 4]]) {
    const [x, y = 1, z = 1] = grid as [number, number?, number?];
    const floats = x * y * z * 4;
    const index = `this.thread.x + this.thread.y * ${x} + this.thread.z * ${x * y}`;
    const source = `function(b0) {
      const t0 = b0[${index}];
      return [t0, t0 + 0.25, t0 + 0.5, t0 + 0.75];
    }`;
    const base = launcher.upload(range(floats / 4));
    const made = await run(launcher, pass(source, grid, [floats / 4], { components: 4 }), [base]);
    const next = await run(launcher, pass('function(b0) { return b0[this.thread.x] * 2; }', [floats], [floats]), [
      made,
    ]);
    const last = launcher.slice(made, floats - 3, 3);
    const expected = range(floats, i => i / 4);
    wrong.push(
      ...(await holds(
        launcher,
        `read by another, ${grid}`,
        next,
        expected.map(v => v * 2),
      )),
      ...(await holds(launcher, `slice, ${grid}`, last, expected.slice(-3))),
      ...(await holds(launcher, `four at a time, ${grid}`, made, expected)),
    );
    launcher.free(base);
  }
  return wrong;
};

const numbers: Check = async launcher => {
  const wrong: string[] = [];
  const scalar: PassNumber = { kind: 'scalar', index: 0, part: 'all' };
  const constant: PassNumber = { kind: 'constant', value: Number.POSITIVE_INFINITY };
  const kernel = pass('function(b0, n0, n1) { return (b0[this.thread.x] > 1 ? n0 : n1); }', [4], [4], {
    numbers: [scalar, constant],
  });
  const data = launcher.upload(range(4));
  const [infinity, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
  for (const [x, y] of [
    [0.5, -3],
    [infinity, -infinity],
    [nan, infinity],
    [16777216, nan],
  ] as const) {
    const made = await run(launcher, kernel, [data], [x, y]);
    wrong.push(...(await holds(launcher, `numbers ${x} and ${y}`, made, [y, y, x, x])));
  }
  // What is known at the launch only, as an index.
  const at = pass('function(b0, n0) { return b0[this.thread.x + n0]; }', [3], [500], {
    numbers: [{ kind: 'argument' }],
  });
  const many = launcher.upload(range(500, i => i * i));
  for (const start of [0, 1, 250, 497]) {
    const made = await run(launcher, at, [many], [start]);
    wrong.push(
      ...(await holds(
        launcher,
        `from ${start}`,
        made,
        range(3, i => (i + start) ** 2),
      )),
    );
  }
  launcher.free(many);
  launcher.free(data);
  // Data that are no numbers, and how they are told.
  const odd = [1, infinity, -infinity, nan, 0];
  const strange = launcher.upload(Float32Array.from(odd));
  const told = await run(
    launcher,
    pass(
      'function(b0) { const t0 = b0[this.thread.x]; return (!(t0 == t0) ? 1 : (t0 > 1e38 ? 2 : (t0 < -1e38 ? 3 : 0))); }',
      [5],
      [5],
    ),
    [strange],
  );
  wrong.push(...(await holds(launcher, 'NaN and ∞', told, [0, 2, 3, 1, 0])));
  wrong.push(...(await holds(launcher, 'NaN and ∞ as they came', strange, odd)));
  return wrong;
};

/** gpu.js stops loops that are not literal after 1000 turns; so long a loop shows also that literal ones go on. */
const loops: Check = async launcher => {
  const n = 3000;
  const data = launcher.upload(range(n, i => i % 5));
  const source = `function(b0) {
    let t0 = this.thread.x;
    for (let t1 = 0; t1 < ${n}; t1++) {
      t0 = t0 + b0[t1];
    }
    return t0;
  }`;
  const made = await run(launcher, pass(source, [3], [n], { turns: n }), [data]);
  launcher.free(data);
  return holds(launcher, 'sum', made, [6000, 6001, 6002]);
};

const slices: Check = async launcher => {
  const wrong: string[] = [];
  const n = 1037;
  const data = launcher.upload(range(n));
  for (const [from, floats] of [
    [0, n],
    [0, 1],
    [1, 4],
    [3, 64],
    [517, 301],
    [n - 1, 1],
  ] as const) {
    wrong.push(
      ...(await holds(
        launcher,
        `${floats} from ${from}`,
        launcher.slice(data, from, floats),
        range(floats, i => i + from),
      )),
    );
  }
  // One of a grid of two axes.
  const grid = await run(launcher, pass('function() { return this.thread.x + this.thread.y * 6; }', [6, 7], []), []);
  const inner = launcher.slice(grid, 5, 20);
  launcher.free(grid);
  wrong.push(
    ...(await holds(
      launcher,
      'of a grid',
      inner,
      range(20, i => i + 5),
    )),
  );
  return [...wrong, ...(await holds(launcher, 'what was sliced', data, range(n)))];
};

const stacks: Check = async launcher => {
  const wrong: string[] = [];
  for (const lengths of [
    [5],
    [3, 1],
    [64, 64],
    [1, 2, 3, 4, 5, 6, 7],
    Array.from({ length: 23 }, (_, i) => 1 + ((i * 5) % 17)),
  ]) {
    let from = 0;
    const parts = lengths.map(floats => {
      const start = from;
      from += floats;
      return launcher.upload(range(floats, i => start + i));
    });
    const stacked = launcher.stack(parts);
    wrong.push(...(await holds(launcher, `stack of ${lengths}`, stacked, range(from))));
    const twice = launcher.stack([...parts, ...parts]);
    wrong.push(
      ...(await holds(
        launcher,
        `stack of ${lengths}, twice`,
        twice,
        range(2 * from, i => i % from),
      )),
    );
    let at = 0;
    for (const [i, part] of parts.entries()) {
      const start = at;
      at += part.floats;
      wrong.push(
        ...(await holds(
          launcher,
          `part ${i}`,
          part,
          range(part.floats, j => start + j),
        )),
      );
    }
  }
  return wrong;
};

/** Buffers of which there are more than a texture's side is long, with grids that fold. */
const large: Check = async launcher => {
  const n = 300_007;
  const data = launcher.upload(range(n));
  const reversed = await run(launcher, pass(`function(b0) { return b0[${n - 1} - this.thread.x]; }`, [n], [n]), [data]);
  launcher.free(data);
  const end = launcher.slice(reversed, n - 7, 7);
  const both = launcher.stack([end, reversed]);
  const wrong = [
    ...(await holds(
      launcher,
      'the end',
      end,
      range(7, i => 6 - i),
    )),
    ...(await holds(
      launcher,
      'reversed',
      reversed,
      range(n, i => n - 1 - i),
    )),
    ...differences('stacked', (await launcher.read(both)).slice(0, 9), [6, 5, 4, 3, 2, 1, 0, n - 1, n - 2]),
  ];
  launcher.free(both);
  return wrong;
};

/**
 * Each launch reads what the one before it made, which is free at once: it may be written again only when it has been
 * read.
 */
const chain: Check = async launcher => {
  const n = 513;
  const kernel = pass('function(b0, n0) { return b0[this.thread.x] + n0; }', [n], [n], {
    numbers: [{ kind: 'scalar', index: 0, part: 'all' }],
  });
  const ready = await launcher.prepare(kernel);
  let buffer = launcher.upload(range(n));
  let added = 0;
  for (let i = 0; i < 200; i++) {
    const [next] = launcher.launch(ready, [buffer], [i % 3]);
    launcher.free(buffer);
    if (next === undefined) return ['a launch made nothing'];
    buffer = next;
    added += i % 3;
    if (i % 64 === 63) launcher.flush();
  }
  return holds(
    launcher,
    'after 200 launches',
    buffer,
    range(n, i => i + added),
  );
};

/** 32-bit integers as halves of 16 bits. */
const limbs: Check = async launcher => {
  const n = 512;
  const words = (seed: number): Uint32Array =>
    Uint32Array.from({ length: n }, (_, i) => Math.imul(i + seed, 0x9e3779b1) ^ (i << 7));
  const halves = (of: Uint32Array): Float32Array => range(2 * n, i => (of[i >> 1]! >>> (16 * (i & 1))) & 0xffff);
  const [x, y] = [words(1), words(77)];
  const [a, b] = [launcher.upload(halves(x)), launcher.upload(halves(y))];
  const load = `const t0 = b0[this.thread.y * 2]; const t1 = b0[this.thread.y * 2 + 1];
    const t2 = b1[this.thread.y * 2]; const t3 = b1[this.thread.y * 2 + 1];`;
  const kernel = (body: string): KernelPass => pass(`function(b0, b1) { ${load}\n${body} }`, [2, n], [2 * n, 2 * n]);
  const add = kernel(`const t4 = t0 + t2; const t5 = Math.floor(t4 / 65536);
    const t6 = t1 + t3 + t5; const t7 = Math.floor(t6 / 65536);
    return (this.thread.x < 0.5 ? t4 - t5 * 65536 : t6 - t7 * 65536);`);
  const low = kernel('return (this.thread.x < 0.5 ? t0 % 256 : Math.floor(t1 / 256));');
  // Products of 8 by 16 bits are below 2^24.
  const product = kernel(`const t4 = t0 % 256; const t5 = t4 * t2; const t6 = Math.floor(t5 / 65536);
    return (this.thread.x < 0.5 ? t5 - t6 * 65536 : t6);`);
  const bits = (operator: string): KernelPass =>
    kernel(`return (this.thread.x < 0.5 ? (t0 ${operator} t2) : (t1 ${operator} t3));`);
  const of = (f: (p: number, q: number) => number): Float32Array => halves(x.map((p, i) => f(p, y[i]!)));
  const wrong = [
    ...(await holds(
      launcher,
      'sum',
      await run(launcher, add, [a, b]),
      of((p, q) => p + q),
    )),
    ...(await holds(
      launcher,
      'bytes',
      await run(launcher, low, [a, b]),
      of(p => (p & 0xff) | ((p >>> 24) << 16)),
    )),
    ...(await holds(
      launcher,
      'product',
      await run(launcher, product, [a, b]),
      of((p, q) => (p & 0xff) * (q & 0xffff)),
    )),
    ...(await holds(
      launcher,
      'and',
      await run(launcher, bits('&'), [a, b]),
      of((p, q) => p & q),
    )),
    ...(await holds(
      launcher,
      'or',
      await run(launcher, bits('|'), [a, b]),
      of((p, q) => p | q),
    )),
    ...(await holds(
      launcher,
      'xor',
      await run(launcher, bits('^'), [a, b]),
      of((p, q) => p ^ q),
    )),
  ];
  launcher.free(a);
  launcher.free(b);
  return wrong;
};

/** As many buffers as a pass may read, at most 15: more are for none of ours. */
const reads: Check = async launcher => {
  const count = Math.min(launcher.traits.reads, 15);
  const names = Array.from({ length: count }, (_, i) => `b${i}`);
  const source = `function(${names}) { return ${names.map((name, i) => `${name}[this.thread.x] * ${i + 1}`).join(' + ')}; }`;
  const buffers = names.map((_, i) => launcher.upload(range(10, j => j * (i + 2))));
  const made = await run(
    launcher,
    pass(
      source,
      [10],
      names.map(() => 10),
    ),
    buffers,
  );
  for (const buffer of buffers) launcher.free(buffer);
  const weight = names.reduce((sum, _, i) => sum + (i + 1) * (i + 2), 0);
  return holds(
    launcher,
    `${count} buffers`,
    made,
    range(10, j => j * weight),
  );
};

const memory: Check = async launcher => {
  const wrong: string[] = [];
  await launcher.finish();
  launcher.trim();
  const before = launcher.bytes;
  const n = 10_000;
  const data = launcher.upload(range(n));
  const more = await run(launcher, pass('function(b0) { return b0[this.thread.x] + 1; }', [n], [n]), [data]);
  const held = launcher.bytes - before;
  // At least 4 bytes a float; more where a float takes a texel.
  if (held < 2 * n * 4 || held > 2 * n * 16 + 4096) wrong.push(`two buffers of ${n} floats count as ${held} bytes`);
  launcher.free(data);
  launcher.free(more);
  await launcher.finish();
  launcher.trim();
  if (launcher.bytes !== before) wrong.push(`${launcher.bytes - before} bytes are left when all is free`);
  if (launcher.lost !== null) wrong.push(`lost: ${launcher.lost}`);
  return wrong;
};

const refused: Check = async launcher => {
  const wrong: string[] = [];
  for (const rest of ['', 'nowhere']) {
    const source = `function(b0) { return b0[this.thread.x] + ${rest}; }`;
    const data = launcher.upload(range(4));
    try {
      // In the mode cpu a name that is nowhere is missed when it is looked up.
      await run(launcher, pass(source, [4], [4]), [data]);
      wrong.push(`compiles ${source}`);
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'DeviceError' || !message.includes(source))
        wrong.push(`does not tell the source: ${name}: ${message}`);
    }
    launcher.free(data);
  }
  return wrong;
};

/** By name. `refused` may print what the device complains of. */
export const launcherChecks: Readonly<Record<string, Check>> = {
  upload,
  elementwise,
  grids,
  flat,
  quads,
  numbers,
  loops,
  slices,
  stacks,
  large,
  chain,
  limbs,
  reads,
  memory,
  refused,
};
