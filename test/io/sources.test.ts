import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FormatError, tensor, zeros } from 'tenfold';
import {
  decodeNpy,
  decodeSafetensors,
  encodeNpy,
  encodeSafetensors,
  readCsv,
  readNpy,
  readNpz,
  readPng,
  readSafetensors,
  writeCsv,
  writeNpy,
  writeNpz,
  writePng,
  writeSafetensors,
} from 'tenfold/io';
import { afterAll, describe, expect, test } from 'vitest';
import { expectSame, leftOf, rightOf } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'tenfold-io-'));
afterAll(() => rmSync(folder, { recursive: true }));

const x = tensor([
  [1, 2.5],
  [3, -4],
]);
const npy = encodeNpy(x) as Uint8Array<ArrayBuffer>;
const path = join(folder, 'x.npy');
writeFileSync(path, npy);

describe('a file is read from', () => {
  test.each([
    ['a path', path],
    ['a file URL', pathToFileURL(path)],
    ['a data URL', new URL(`data:application/octet-stream;base64,${Buffer.from(npy).toString('base64')}`)],
    ['a Blob', new Blob([npy])],
    ['a Response', new Response(npy)],
    ['bytes', npy],
    ['a Buffer', readFileSync(path)],
    ['a part of a buffer', Uint8Array.from([1, 2, 3, ...npy]).subarray(3)],
  ])('%s', async (_, source) => {
    expectSame(rightOf(await readNpy(source)()), x);
  });

  test('a server', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/x.npy') response.end(npy);
      else response.writeHead(404).end('no');
    }).listen(0);
    try {
      const { port } = server.address() as AddressInfo;
      expectSame(rightOf(await readNpy(new URL(`http://localhost:${port}/x.npy`))()), x);
      const error = leftOf(await readNpy(await fetch(`http://localhost:${port}/other`))());
      expect(error.message).toContain('HTTP status 404');
    } finally {
      server.close();
    }
  });
});

describe('what cannot be read is an error with the place', () => {
  const used = new Response(npy);
  test.each([
    ['no such file', join(folder, 'none'), 'ENOENT'],
    ['a folder', folder, 'it is no ordinary file'],
    ['a device without an end', '/dev/zero', 'it is no ordinary file'],
    ['a response that was read', used, 'reading it failed'],
    ['no server', new URL('http://localhost:1/'), 'reading it failed'],
    ['another format', new Blob(['text']), '4 bytes that start otherwise in the Blob'],
  ])('%s', async (_, source, message) => {
    if (source === used && !used.bodyUsed) await used.arrayBuffer();
    const error = leftOf(await readNpy(source)());
    expect(error).toBeInstanceOf(FormatError);
    expect([error.operation, error.message]).toEqual(['readNpy', expect.stringContaining(message)]);
  });
});

test('what is written is read, and nothing else is left in the folder', async () => {
  const place = join(folder, 'written');
  mkdirSync(place);
  const at = (name: string): string => join(place, name);
  const image = tensor(Uint8Array.of(1, 2, 3, 4), [2, 2, 1]);
  rightOf(await writeNpy(at('x.npy'), x)());
  rightOf(await writeNpz(at('x.npz'), { x }, { compress: true })());
  rightOf(await writePng(at('x.png'), image)());
  rightOf(await writeCsv(at('x.csv'), x)());
  rightOf(await writeSafetensors(at('x.safetensors'), { x }, { k: 'v' }, { x: 'F16' })());
  expectSame(rightOf(await readNpy(at('x.npy'))()), x);
  expectSame(rightOf(await readNpz(at('x.npz'))()).x, x);
  expectSame(rightOf(await readPng(at('x.png'))()), image);
  expectSame(rightOf(await readCsv(at('x.csv'))()).values, x);
  const file = rightOf(await readSafetensors(at('x.safetensors'))());
  expect([file.metadata, file.tensors.x!.type, file.tensors.x!.shape]).toEqual([{ k: 'v' }, 'F16', [2, 2]]);
  expectSame(rightOf(await file.readAll()).x, x);
  expect(readdirSync(place).sort()).toEqual(['x.csv', 'x.npy', 'x.npz', 'x.png', 'x.safetensors']);

  const before = readFileSync(at('x.safetensors'));
  const wide = tensor([300], { dtype: 'int32' });
  expect(leftOf(await writeSafetensors(at('x.safetensors'), { wide }, {}, { wide: 'I8' })()).message).toContain('300');
  expect(leftOf(await writePng(at('y.png'), tensor(Uint32Array.of(2 ** 20), [1, 1]))()).message).toContain('1048576');
  expect(readFileSync(at('x.safetensors'))).toEqual(before);
  expect(readdirSync(place)).toHaveLength(5);
  for (const written of [writeNpy(join(place, 'no', 'x'), x), writeCsv(place, x)]) {
    expect(leftOf(await written()).message).toContain('writing it failed');
  }
});

describe('readSafetensors', () => {
  const tensors = { a: x, b: tensor([true]), 'c.0': zeros([3, 0]), __proto__: tensor(1) };
  const bytes = encodeSafetensors({
    ...tensors,
    big: tensor(new Float32Array(50_000).fill(2)),
  }) as Uint8Array<ArrayBuffer>;

  /** A Blob that counts the bytes that are read of it. */
  const counted = (): { readonly blob: Blob; readonly read: () => number } => {
    const blob = new Blob([bytes]);
    let read = 0;
    const slice = blob.slice.bind(blob);
    blob.slice = (begin, end) => {
      read += end! - begin!;
      return slice(begin, end);
    };
    return { blob, read: () => read };
  };

  test('reads the header, then the tensors that are asked for', async () => {
    const { blob, read } = counted();
    const file = rightOf(await readSafetensors(blob)());
    const header = read();
    expect(header).toBe(bytes.length - 200_000 - 17);
    expectSame(rightOf(await file.tensors.a!.read()), x);
    expect(read() - header).toBe(16);
    const all = rightOf(await file.readAll());
    const whole = rightOf(decodeSafetensors(bytes)).tensors;
    expect(Object.keys(all)).toEqual(Object.keys(whole));
    for (const [name, each] of Object.entries(whole)) expectSame(all[name], each);
  });

  test('a file that has changed since is not read on', async () => {
    const place = join(folder, 'changing.safetensors');
    rightOf(await writeSafetensors(place, { a: x })());
    const file = rightOf(await readSafetensors(place)());
    expectSame(rightOf(await file.tensors.a!.read()), x);
    rightOf(await writeSafetensors(place, { a: zeros([2, 2]) })());
    expect(leftOf(await file.tensors.a!.read()).message).toContain('the file was changed while it was read');
  });

  test('a tensor that does not fit its dtype fails alone, by name', async () => {
    const long = tensor([5], { dtype: 'int32' });
    const file = encodeSafetensors({ long, x }, {}, { long: 'I64' }) as Uint8Array<ArrayBuffer>;
    const header = Number(new DataView(file.buffer).getBigUint64(0, true));
    file[8 + header + 7] = 1;
    const lazy = rightOf(await readSafetensors(new Blob([file]))());
    const error = leftOf(await lazy.tensors.long!.read());
    expect(error.given).toBe("72057594037927941 at element 0 of the tensor 'long' in the Blob");
    expectSame(rightOf(await lazy.tensors.x!.read()), x);
    const asFloats = rightOf(await readSafetensors(new Blob([file]), { longIntegers: 'float64' })());
    expect(rightOf(await asFloats.tensors.long!.read()).toArray()).toEqual([2 ** 56]);
  });

  test('a header longer than the format allows is not read', async () => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, 100_000_001n, true);
    const error = leftOf(await readSafetensors(new Blob([length, new Uint8Array(100_000_001)]))());
    expect(error.message).toContain('the format allows 100000000');
  });
});

test('tasks do nothing before they are called', async () => {
  const place = join(folder, 'later.npy');
  const task = writeNpy(place, x);
  expect(leftOf(await readNpy(place)()).message).toContain('ENOENT');
  rightOf(await task());
  expectSame(rightOf(decodeNpy(readFileSync(place))), x);
});
