/** How much a page has to load for everything in `tenfold`, and that nothing of it is Node's. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bundle } from './bundle.js';

/**
 * 83 kB before there were convolutions, blocks for products of any operands, and threads, which take 21 together: about
 * what jax-js takes, and less than tfjs with one backend.
 */
const limit = 110_000;

test(`all of tenfold is at most ${limit / 1000} kB, minified and gzipped`, async () => {
  const code = await bundle("export * from 'tenfold';", { minify: true });
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(
    `tenfold: ${(bytes / 1000).toFixed(1)} kB minified and gzipped, ${(code.length / 1000).toFixed(1)} kB minified`,
  );
  expect(bytes).toBeLessThanOrEqual(limit);
});

describe('a bundle for browsers', () => {
  test.each(['tenfold', 'tenfold/nn', 'tenfold/optim', 'tenfold/diffusion', 'tenfold/random', 'tenfold/tree'])(
    'of %s needs nothing of Node',
    async path => {
      expect(await bundle(`export * from '${path}';`)).toMatch(/export \{/);
    },
  );

  // These two read files too, in Node: a page's bundler has to leave the dynamic import alone.
  test.each([
    ['tenfold/io', 'src/io/files.ts'],
    ['tenfold/data', 'src/data/digits.ts'],
  ])('of %s is refused because of its files', async (path, file) => {
    await expect(bundle(`export * from '${path}';`)).rejects.toThrow(
      new RegExp(`node:fs/promises, which only Node has, is imported from .*${file}`),
    );
  });
});
