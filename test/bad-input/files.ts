/** Files of several formats: what is no source, no path, no option, no contents. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cast, tensor, zeros } from 'tenfold';
import {
  decodeCsv,
  decodeNpy,
  decodeSafetensors,
  encodeCsv,
  encodeNpy,
  encodeNpz,
  encodePng,
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
import { type BadInputs, refused } from './types.js';

const x = tensor([1, 2]);
const table = zeros([2, 2]);
const image = zeros([2, 2], { dtype: 'uint8' });
const noTensors = [undefined, null, 3, 'x', [1], {}];
const noRecords = [...noTensors.slice(0, -1), x, { x: 3 }, { x: [1] }];
const noPaths = [undefined, null, 3, '', ['x'], {}, x];
const noSources = [...noPaths, new ArrayBuffer(8), new Float32Array(2), { size: 3 }];
const noOptions = [null, 3, 'x', [], x, { bogus: 1 }];
const noLongs = [...noOptions, { longIntegers: 'int64' }, { longIntegers: 3 }];
const noLimits = [{ maxBytes: -1 }, { maxBytes: 0.5 }, { maxBytes: Number.NaN }, { maxBytes: '3' }];
const noDelimiters = ['', ',,', '"', '\n', '1', '.', 3, null].map(delimiter => ({ delimiter }));
const noReadings = [...noDelimiters, { header: 3 }, { dtype: 'bool' }, { dtype: 'int64' }, { missing: 'x' }];
const noTables = [...noTensors, x, tensor(1), zeros([1, 1, 1])];
const noColumns = [{ columns: 3 }, { columns: ['x'] }, { columns: ['x', 3] }];
const noImages = [...noTensors, x, table, zeros([2, 0], { dtype: 'uint8' }), zeros([2, 2, 5], { dtype: 'uint8' })];
const noTypes = [3, [], { x: 'I64' }, { x: 'F8_E4M3' }, { x: 3 }, { y: 'F16' }];
const noFiles = ['', 'text', '\x89PNG\r\n\x1a\n', '\x93NUMPY\x01\x00'].map(text =>
  Uint8Array.from(text, character => character.charCodeAt(0)),
);
const nowhere = join(tmpdir(), 'tenfold-no-such-folder', 'file');

/** Writes that fail once they have started, with a folder to do it in. */
const within = (write: (path: string) => () => Promise<unknown>) => async (): Promise<unknown> => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-'));
  try {
    return await write(join(folder, 'file'))();
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const reading = (read: unknown, ...options: readonly unknown[]): readonly (() => unknown)[] =>
  refused(read, ...noSources.map(source => [source]), ...options.map(each => [noFiles[0], each])).concat(
    [nowhere, '\0', tmpdir(), '/dev/zero', new URL('file:///no-such-file'), new URL('http://localhost:1/')].map(
      source => (read as typeof readNpy)(source),
    ),
  );

const wide = tensor([300], { dtype: 'int32' });

export const files: BadInputs = {
  readSafetensors: [
    ...reading(readSafetensors, ...noLongs),
    ...noFiles.map(file => readSafetensors(file)),
    readSafetensors(new Blob(['x'])),
  ],
  writeSafetensors: [
    ...refused(
      writeSafetensors,
      ...noPaths.map(path => [path, { x }]),
      ...noRecords.map(tensors => [nowhere, tensors]),
    ),
    ...refused(writeSafetensors, ...noTypes.map(types => [nowhere, { x }, {}, types]), [nowhere, { __metadata__: x }]),
    ...refused(writeSafetensors, [nowhere, { x }, { step: 3 }], [nowhere, { x }, null]),
    writeSafetensors(nowhere, { x }),
    within(path => writeSafetensors(path, { wide }, {}, { wide: 'I8' })),
  ],
  encodeSafetensors: refused(encodeSafetensors, ...noTypes.map(types => [{ x }, {}, types]), [
    { wide },
    {},
    { wide: 'I8' },
  ]),
  decodeSafetensors: refused(decodeSafetensors, ...noLongs.map(options => [encodeSafetensors({ x }), options])),
  decodeNpy: refused(
    decodeNpy,
    ...[...noSources, ...noFiles].map(file => [file]),
    ...noLongs.map(options => [encodeNpy(x), options]),
  ),
  encodeNpy: refused(encodeNpy, ...noTensors.map(each => [each])),
  readNpy: [...reading(readNpy, ...noLongs), ...noFiles.map(file => readNpy(file))],
  writeNpy: [
    ...refused(writeNpy, ...noPaths.map(path => [path, x]), ...noTensors.map(each => [nowhere, each])),
    writeNpy(nowhere, x),
  ],
  readNpz: [...reading(readNpz, ...noLongs, ...noLimits), ...noFiles.map(file => readNpz(file))],
  encodeNpz: refused(
    encodeNpz,
    ...noRecords.map(tensors => [tensors]),
    ...[...noOptions, { compress: 3 }].map(options => [{ x }, options]),
  ),
  writeNpz: [
    ...refused(writeNpz, ...noPaths.map(path => [path, { x }]), ...noRecords.map(tensors => [nowhere, tensors])),
    ...refused(writeNpz, ...[...noOptions, { compress: 3 }].map(options => [nowhere, { x }, options])),
    writeNpz(nowhere, { x }),
  ],
  readPng: [...reading(readPng, ...noOptions, ...noLimits), ...noFiles.map(file => readPng(file))],
  encodePng: [
    ...refused(encodePng, ...noImages.map(each => [each])),
    encodePng(tensor(Uint32Array.of(2 ** 16), [1, 1])),
  ],
  writePng: [
    ...refused(writePng, ...noPaths.map(path => [path, image]), ...noImages.map(each => [nowhere, each])),
    writePng(nowhere, image),
    within(path => writePng(path, cast(tensor([[2 ** 16]]), 'uint32'))),
  ],
  decodeCsv: refused(
    decodeCsv,
    ...[undefined, null, 3, [], x, '1,2\n3', 'x', '"', '1,', Uint8Array.of(255)].map(text => [text]),
    ...[...noOptions, ...noReadings].map(options => ['1', options]),
    ['1.5', { dtype: 'int32' }],
    ['1', { dtype: 'uint8', missing: -1 }],
  ),
  encodeCsv: refused(
    encodeCsv,
    ...noTables.map(each => [each]),
    ...[...noOptions, ...noDelimiters, ...noColumns].map(options => [table, options]),
  ),
  readCsv: [...reading(readCsv, ...noOptions, ...noReadings), readCsv(new Blob(['x'])), readCsv(Uint8Array.of(255))],
  writeCsv: [
    ...refused(writeCsv, ...noPaths.map(path => [path, table]), ...noTables.map(each => [nowhere, each])),
    ...refused(writeCsv, ...[...noOptions, ...noDelimiters, ...noColumns].map(options => [nowhere, table, options])),
    writeCsv(nowhere, table),
  ],
};
