/** Into what tiles products are cut for a device of many threads. */
import { expect, it } from 'vitest';
import type { Description, Role } from '../../src/tensor/backend/gpu/contraction/description.js';
import { type Tiling, tilingOf } from '../../src/tensor/backend/gpu/contraction/tiles.js';
import type { Traits } from '../../src/tensor/backend/gpu/pass.js';

const traits: Traits = { integers: true, reads: 7, floats: 2 ** 25, shaders: true, threads: 2 ** 16 };

/** Of a product of matrices; addresses do not matter. */
const tiles = (row: number, column: number, term: number): Tiling => {
  const nowhere = { coefficients: [0, 0, 0], constant: 0, places: [] };
  const lengths: readonly (readonly [Role, number])[] = Object.entries({ row, column, term }) as never;
  const description: Description = {
    axes: lengths.map(([role, length]) => ({ role, length })),
    tables: [],
    left: nowhere,
    right: nowhere,
    result: nowhere,
    leftOperand: 0,
  };
  return tilingOf(description, traits)!;
};

it('few rows or columns have tiles of few', () => {
  // Convolutions of 16 images of 8×8 and 4×4 with 32 channels, a layer of 16 vectors, and the like with columns.
  for (const [rows, columns, terms] of [
    [32, 1024, 288],
    [32, 256, 288],
    [16, 64, 64],
    [256, 32, 288],
    [3, 4096, 576],
  ] as const) {
    const { rows: high, columns: wide } = tiles(rows, columns, terms);
    expect(high, `${rows} × ${columns}`).toBeLessThanOrEqual(Math.max(8, 2 * rows));
    expect(wide, `${rows} × ${columns}`).toBeLessThanOrEqual(Math.max(8, 2 * columns));
    const cut = Math.ceil(rows / high) * high * Math.ceil(columns / wide) * wide;
    expect(cut, `${rows} × ${columns}`).toBeLessThan(3 * rows * columns);
  }
});

it('large products have large tiles, and terms are shared where tiles are few', () => {
  expect(tiles(2048, 2048, 2048)).toMatchObject({ rows: 128, columns: 64, splits: 1 });
  expect(tiles(512, 512, 512)).toMatchObject({ rows: 128, columns: 64, splits: 8 });
  // As measured on an H100: of 64 channels, and of their kernel.
  expect(tiles(64, 8192, 576)).toMatchObject({ rows: 64, columns: 64, splits: 4 });
  expect(tiles(64, 576, 8192)).toMatchObject({ rows: 64, columns: 64, splits: 64 });
});
