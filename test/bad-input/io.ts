/** Files: what is no tree, no path, no record of names, no file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, zeros } from 'tenfold';
import { decodeSafetensors, encodeSafetensors, flattenTree, loadTree, restoreTree, saveTree } from 'tenfold/io';
import { type BadInputs, refused } from './types.js';

const w = { w: tensor([1, 2]) };
const endless: unknown[] = [];
endless.push(endless);
const noTrees = [undefined, 3, 'w', { w: 3 }, [zeros], endless];
const dotted = [{ 'a.b': tensor(1) }, { __metadata__: tensor(1) }];
const noRecords = [undefined, null, 3, 'w', [], tensor(1), new Map(), new Uint8Array(2)];
const noMetadata = [...noRecords.slice(1), { step: 3 }, { step: null }, { step: tensor(1) }];
const noPaths = [undefined, null, 3, '', ['x'], {}, tensor(1)];

const bytesOf = (header: string, size = 0): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
};
const deep = '['.repeat(50_000) + ']'.repeat(50_000);
const noFiles = [
  ...[undefined, null, 3, 'file', [], {}, tensor(1), new ArrayBuffer(8), new Uint8Array(7)],
  ...['', '{', '3', 'null', '[]', deep, `{"w":${deep}}`, `{"__metadata__":${deep}}`].map(header => bytesOf(header)),
  bytesOf('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4),
  bytesOf(`{"w":{"dtype":${deep},"shape":[2],"data_offsets":[0,8]}}`, 8),
  bytesOf(`{"w":{"dtype":"F32","shape":${deep},"data_offsets":[0,8]}}`, 8),
];

/** A file with these bytes, there while it is read. */
const fromFile = (file: Uint8Array) => async (): Promise<unknown> => {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-'));
  try {
    writeFileSync(join(folder, 'file'), file);
    return await loadTree(join(folder, 'file'), w)();
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const nowhere = join(tmpdir(), 'tenfold-no-such-folder', 'file');

export const io: BadInputs = {
  flattenTree: refused(flattenTree, ...[...noTrees, ...dotted].map(tree => [tree])),
  restoreTree: refused(
    restoreTree,
    ...[...noTrees, ...dotted].map(tree => [tree, w]),
    ...[...noRecords, {}, { v: tensor(1) }, { w: 3 }, { w: null }, { w: zeros([3]) }, { ...w, v: tensor(1) }].map(
      found => [w, found],
    ),
  ),
  saveTree: [
    ...refused(saveTree, ...noPaths.map(path => [path, w]), ...noTrees.map(tree => [nowhere, tree])),
    ...refused(saveTree, ...noMetadata.map(metadata => [nowhere, w, metadata])),
    ...dotted.map(tree => saveTree(nowhere, tree)),
    saveTree(nowhere, w),
    saveTree('\0', w),
  ],
  loadTree: [
    ...refused(loadTree, ...noPaths.map(path => [path, w]), ...noTrees.map(tree => [nowhere, tree])),
    ...dotted.map(tree => loadTree(nowhere, tree)),
    loadTree(nowhere, w),
    loadTree('\0', w),
    loadTree(tmpdir(), w),
    ...noFiles.filter(file => file instanceof Uint8Array).map(fromFile),
    fromFile(encodeSafetensors({ v: tensor(1) })),
  ],
  encodeSafetensors: refused(
    encodeSafetensors,
    ...noRecords.map(tensors => [tensors]),
    ...noMetadata.map(metadata => [w, metadata]),
    ...[3, null, [1], 'x', { v: tensor(1) }].map(value => [{ w: value }]),
    [{ __metadata__: tensor(1) }],
  ),
  decodeSafetensors: refused(decodeSafetensors, ...noFiles.map(file => [file])),
};
