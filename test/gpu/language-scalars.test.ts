/** Values while a kernel runs: what comes from indices, from a program's scalars and from conditions. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KernelCode } from '../../src/tensor/backend/gpu/language/kernel-code.js';
import { operate } from '../../src/tensor/backend/gpu/language/operations.js';
import {
  conditionOf,
  floatsOfScalar,
  loadScalar,
  type Scalar,
  scalarOfIndex,
  scalarOfProgram,
  selectScalar,
  wordAsFloat,
  zeroScalar,
} from '../../src/tensor/backend/gpu/language/scalars.js';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import type { DType } from '../../src/tensor/dtype.js';

type Opened = () => Promise<Launcher>;

const launchers: readonly (readonly [string, Opened])[] = [
  ['cpu', () => openArrays('cpu')],
  ['webasm', () => openArrays('webasm')],
  [
    'webgpu over SwiftShader',
    () => {
      process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';
      return openWebGpu();
    },
  ],
];

describe.each(launchers)('%s', (_, open) => {
  let launcher: Launcher;
  beforeAll(async () => {
    launcher = await open();
  });
  afterAll(() => launcher.destroy());

  /** The floats of a value computed from each float of a buffer. */
  const computed = async (
    data: readonly number[],
    body: (code: KernelCode, x: string) => Scalar,
    numbers: readonly number[] = [],
  ): Promise<readonly (readonly number[])[]> => {
    const parts: number[][] = [];
    for (let part = 0, parted = 1; part < parted; part++) {
      const code = new KernelCode(launcher.traits.integers);
      const x = code.let(code.load(0, 'this.thread.x'));
      const results = floatsOfScalar(code, body(code, x));
      parted = results.length;
      const launchable = await launcher.prepare({
        kind: 'kernel',
        name: 'scalars',
        source: code.source(1, results[part]!),
        grid: [data.length],
        components: 1,
        reads: [data.length],
        numbers: code.numbers,
        turns: code.turns,
        flops: 1,
      });
      let given = 0;
      const values = code.numbers.map(number => (number.kind === 'constant' ? number.value : numbers[given++]!));
      const read = launcher.upload(Float32Array.from(data));
      const [made] = launcher.launch(launchable, [read], values);
      parts.push(Array.from(await launcher.read(made!)));
    }
    return data.map((_, i) => parts.map(part => part[i]!));
  };

  test.each<[DType, readonly (readonly number[])[]]>([
    ['float32', [[0], [1], [255], [256], [65536], [16777215]]],
    ['uint8', [[0], [1], [255], [0], [0], [255]]],
    ['bool', [[0], [1], [1], [1], [1], [1]]],
    [
      'int32',
      [
        [0, 0],
        [1, 0],
        [255, 0],
        [256, 0],
        [0, 1],
        [65535, 255],
      ],
    ],
    [
      'uint32',
      [
        [0, 0],
        [1, 0],
        [255, 0],
        [256, 0],
        [0, 1],
        [65535, 255],
      ],
    ],
  ])('an index as %s', async (dtype, expected) => {
    const indices = [0, 1, 255, 256, 65536, 16777215];
    expect(await computed(indices, (code, x) => scalarOfIndex(code, dtype, x))).toEqual(expected);
  });

  test('scalars of the program', async () => {
    const third = (code: KernelCode): Scalar => scalarOfProgram(code, 'int32', 3);
    expect(await computed([7], third, [65535, 2])).toEqual([[65535, 2]]);
    const sum = (code: KernelCode, x: string): Scalar =>
      operate(
        code,
        'add',
        {},
        [{ kind: 'float', x }, scalarOfProgram(code, 'float32', 0)],
        ['float32', 'float32'],
        'float32',
      );
    expect(await computed([7, 8], sum, [0.5])).toEqual([[7.5], [8.5]]);
  });

  test('integers as floats', async () => {
    const high = [0, 1, 255, 256, 32767, 32768, 65535];
    const asFloat =
      (dtype: DType) =>
      (code: KernelCode, x: string): Scalar => ({
        kind: 'float',
        x: wordAsFloat(code, dtype, { kind: 'word', low: code.literal(65535), high: x }),
      });
    const unsigned = high.map(x => [Math.fround(x * 65536 + 65535)]);
    expect(await computed(high, asFloat('uint32'))).toEqual(unsigned);
    const signed = high.map(x => [Math.fround((x << 16) | 65535 | 0)]);
    expect(await computed(high, asFloat('int32'))).toEqual(signed);
  });

  test('what is chosen by a condition', async () => {
    const orZero = (code: KernelCode, x: string): Scalar => {
      const word = loadScalar(code, 'uint32', 0, 'this.thread.x - this.thread.x');
      const positive = operate(
        code,
        'gt',
        {},
        [{ kind: 'float', x }, zeroScalar(code, 'float32')],
        ['float32', 'float32'],
        'bool',
      );
      return selectScalar(code, conditionOf(code, positive), word, zeroScalar(code, 'uint32'));
    };
    expect(await computed([3, 4, -1], orZero)).toEqual([
      [3, 4],
      [3, 4],
      [0, 0],
    ]);
  });

  test('a product with the literal zero is NaN where it is one', async () => {
    const product = (code: KernelCode, x: string): Scalar =>
      operate(code, 'mul', {}, [zeroScalar(code, 'float32'), { kind: 'float', x }], ['float32', 'float32'], 'float32');
    const [a, b, c, d] = (await computed([2, Number.NaN, Number.POSITIVE_INFINITY, -1], product)).flat();
    expect([Math.abs(a!), b, c, Math.abs(d!)]).toEqual([0, Number.NaN, Number.NaN, 0]);
  });

  test('conditions on conditions grow with their number', async () => {
    let length = 0;
    const chain = (code: KernelCode, x: string): Scalar => {
      const at = (limit: number): Scalar =>
        operate(
          code,
          'lt',
          {},
          [
            { kind: 'float', x },
            { kind: 'float', x: code.literal(limit) },
          ],
          ['float32', 'float32'],
          'bool',
        );
      let odd = at(1);
      for (let i = 2; i <= 40; i++) {
        odd = operate(code, i % 3 === 0 ? 'or' : 'xor', {}, [odd, at(i)], ['bool', 'bool'], 'bool');
        odd = operate(code, 'and', {}, [odd, odd], ['bool', 'bool'], 'bool');
      }
      length = code.text.length;
      return odd;
    };
    const meaning = (x: number): number => {
      let odd = x < 1;
      for (let i = 2; i <= 40; i++) odd = i % 3 === 0 ? odd || x < i : odd !== x < i;
      return odd ? 1 : 0;
    };
    const data = Array.from({ length: 42 }, (_, i) => i);
    expect(await computed(data, chain)).toEqual(data.map(x => [meaning(x)]));
    expect(length).toBeLessThan(20_000);
  });
});
