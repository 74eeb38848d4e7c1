/** How much a page has to load for everything in `tenfold`, and that nothing of it is Node's. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bundle } from './bundle.js';

/**
 * All of it was 83 kB before there were convolutions, blocks for products of any operands, and threads, which take 21; the
 * operations in full take 33 more, linear algebra, Fourier transforms and special functions 29. A bundler leaves out the operations that a page does
 * not name, but has all primitives with their kernels: those of decompositions are 6 kB of every page, and so are convolutions by
 * minimal algorithms. What leaves loops takes one more where there are loops, kernels from outside 1.4 where they are called.
 */
const limits: readonly (readonly [string, string, number])[] = [
  ['all of tenfold', "export * from 'tenfold';", 182_000],
  [
    'what training a small network takes',
    "export { add, grad, jit, matmul, mean, mul, relu, square, sub, tensor } from 'tenfold';",
    110_000,
  ],
];

test.each(limits)('%s, minified and gzipped', async (_, exports, limit) => {
  const code = await bundle(exports, { minify: true });
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${(bytes / 1000).toFixed(1)} kB minified and gzipped, ${(code.length / 1000).toFixed(1)} kB minified`);
  expect(bytes).toBeLessThanOrEqual(limit);
});

describe('a bundle for browsers', () => {
  test.each([
    'tenfold',
    'tenfold/nn',
    'tenfold/optim',
    'tenfold/diffusion',
    'tenfold/random',
    'tenfold/distributions',
    'tenfold/tree',
    // These read files too, in Node, whose modules they ask the process for.
    'tenfold/io',
    'tenfold/data',
  ])('of %s needs nothing of Node', async path => {
    expect(await bundle(`export * from '${path}';`, { whole: true })).toMatch(/export \{/);
  });
});
