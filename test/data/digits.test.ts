import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { Tensor } from 'tenfold';
import { loadDigits } from 'tenfold/data';
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';

const asset = new URL('../../assets/digits/digits.safetensors', import.meta.url);

describe('loadDigits', () => {
  test('the pictures and their labels', async () => {
    const digits = await loadDigits()();
    if (isLeft(digits)) throw digits.left;
    const { images, labels } = digits.right;
    expectTypeOf(images).toEqualTypeOf<Tensor<readonly [1797, 8, 8], 'uint8'>>();
    expectTypeOf(labels).toEqualTypeOf<Tensor<readonly [1797], 'uint8'>>();
    expect([images.shape, images.dtype, labels.shape, labels.dtype]).toEqual([[1797, 8, 8], 'uint8', [1797], 'uint8']);
    const pixels = images.dataSync();
    // Figures of shared/golden/digits.json, made with scikit-learn.
    expect(pixels.reduce((sum, pixel) => sum + pixel, 0)).toBe(561718);
    expect([...pixels.slice(0, 8)]).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
    expect(Math.max(...pixels)).toBe(16);
    const counts = new Array<number>(10).fill(0);
    for (const label of labels.dataSync()) counts[label]!++;
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });

  test('the README names the bytes', () => {
    const hash = createHash('sha256').update(readFileSync(asset)).digest('hex');
    expect(readFileSync(new URL('README.md', asset), 'utf8')).toContain(hash);
  });
});

describe('elsewhere than in Node it is fetched', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const served = (respond: (url: URL) => Response | Promise<Response>): ReturnType<typeof loadDigits> => {
    vi.stubGlobal('fetch', respond);
    vi.stubGlobal(
      'URL',
      class extends URL {
        constructor(path: string) {
          super(path, 'https://example.org/a/b/c');
        }
      },
    );
    return loadDigits();
  };

  test('from beside the module', async () => {
    const asked: string[] = [];
    const digits = await served(url => {
      asked.push(url.href);
      return new Response(readFileSync(asset));
    })();
    expect(asked).toEqual(['https://example.org/assets/digits/digits.safetensors']);
    expect(isRight(digits)).toBe(true);
  });

  test.each<[string, () => Response | Promise<Response>, string]>([
    ['is not there', () => new Response('', { status: 404 }), 'reading it failed (HTTP status 404)'],
    ['cannot be reached', () => Promise.reject(new TypeError('offline')), 'reading it failed (offline)'],
    ['is something else', () => new Response('<!doctype html>'), 'a header of'],
  ])('and it is an error when it %s', async (_, respond, message) => {
    const digits = await served(respond)();
    if (isRight(digits)) throw new Error('it was read');
    expect([digits.left._tag, digits.left.operation]).toEqual(['FormatError', 'loadDigits']);
    expect(digits.left.message).toContain(message);
  });
});
