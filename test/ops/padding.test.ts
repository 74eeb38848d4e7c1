import { pipe } from 'fp-ts/lib/function.js';
import { grad, jit, mul, type PadMode, pad, reshape, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { describe, expect, test } from 'vitest';
import { caught } from '../helpers.js';

/** Which element of an axis stands `at` places from its first one. */
const sources: Readonly<Record<Exclude<PadMode, 'constant'>, (at: number, n: number) => number>> = {
  reflect: (at, n) => (at < 0 ? -at : at < n ? at : 2 * (n - 1) - at),
  replicate: (at, n) => Math.min(n - 1, Math.max(0, at)),
  circular: (at, n) => (at + n) % n,
};

const padded = (row: readonly number[], [before, after]: readonly [number, number], mode: keyof typeof sources) =>
  Array.from({ length: before + row.length + after }, (_, i) => row[sources[mode](i - before, row.length)]!);

describe.each(['reflect', 'replicate', 'circular'] as const)('%s', mode => {
  test.each([
    [
      [1, 2, 3, 4],
      [1, 2],
    ],
    [
      [1, 2, 3, 4],
      [3, 0],
    ],
    [
      [1, 2, 3, 4],
      [0, 3],
    ],
    [
      [1, 2],
      [1, 1],
    ],
    [[1], [0, 0]],
  ] as const)('%j by %j', (row, widths) => {
    expect(pad(tensor(row), [widths], { mode }).toArray()).toEqual(padded(row, widths, mode));
    expect(pad(tensor([row, row]), [[0, 0], widths], { mode }).toArray()).toEqual([
      padded(row, widths, mode),
      padded(row, widths, mode),
    ]);
  });

  test('other dtypes, no axes, data last, vmap, jit', () => {
    const rows = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const wanted = [
      [1, 2, 3],
      [4, 5, 6],
    ].map(row => padded(row, [1, 1], mode));
    const f = pad([[1, 1]], { mode });
    expect((vmap(f as (x: Tensor) => Tensor)(rows) as Tensor).toArray()).toEqual(wanted);
    expect(
      jit((x: Tensor) =>
        pad(
          x,
          [
            [0, 0],
            [1, 1],
          ],
          { mode },
        ),
      )(rows).toArray(),
    ).toEqual(wanted);
    expect(pipe(tensor([true, false]), f).dtype).toBe('bool');
    const bytes = pad(tensor(new Uint8Array([1, 2, 3])), [[1, 1]], { mode });
    expect([bytes.dtype, bytes.toArray()]).toEqual(['uint8', wanted[0]]);
    expect(pad(tensor(1), [], { mode }).item()).toBe(1);
    expect(
      pad(
        zeros([0, 2]),
        [
          [0, 0],
          [1, 0],
        ],
        { mode },
      ).shape,
    ).toEqual([0, 3]);
  });

  test('the derivative adds up what each element was used for', () => {
    const weights = tensor([1, 2, 4, 8, 16]);
    const got = grad((x: Tensor) => sum(mul(pad(x, [[1, 1]], { mode }), weights)))(tensor([0, 0, 0])) as Tensor;
    const wanted = [0, 0, 0];
    [1, 2, 4, 8, 16].forEach((w, i) => {
      wanted[sources[mode](i - 1, 3)]! += w;
    });
    expect(got.toArray()).toEqual(wanted);
  });
});

test('modes keep the bits of what they copy', () => {
  const x = tensor([-0, NaN, Infinity]);
  expect(pad(x, [[1, 2]], { mode: 'circular' }).toArray()).toEqual([Infinity, -0, NaN, Infinity, -0, NaN]);
});

test('a circular axis can go all the way round', () => {
  expect(pad(tensor([1, 2]), [[2, 2]], { mode: 'circular' }).toArray()).toEqual([1, 2, 1, 2, 1, 2]);
});

test('corners come from what was added before', () => {
  const x = reshape(tensor([1, 2, 3, 4]), [2, 2]);
  expect(
    pad(
      x,
      [
        [1, 0],
        [0, 1],
      ],
      { mode: 'replicate' },
    ).toArray(),
  ).toEqual([
    [1, 2, 2],
    [1, 2, 2],
    [3, 4, 4],
  ]);
});

test('refuses', () => {
  const x = tensor([1, 2, 3]);
  for (const [mode, width] of [
    ['reflect', 3],
    ['circular', 4],
  ] as const) {
    const error = caught(() => pad(x, [[width, 0]], { mode }));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      `pad: got float32[3] and the widths ${width} and 0 on axis 0 in the mode '${mode}'`,
    );
  }
  expect(caught(() => pad(zeros([0]), [[0, 1]], { mode: 'replicate' })).message).toContain('no element to repeat');
  expect(caught(() => pad(x, [[1, 1]], { mode: 'wrap' as never })).message).toContain("the string 'wrap' as the mode");
  expect(caught(() => pad(x, [[1, 1]], { mode: 'reflect', value: 1 })).message).toContain(
    "pad: got the mode 'reflect' and a value",
  );
  expect(caught(() => pad(x, [[1, 1]], { vale: 1 } as never)).message).toContain('pad: got the option vale');
});
