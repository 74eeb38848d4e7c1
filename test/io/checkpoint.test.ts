import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Either, isRight } from 'fp-ts/lib/Either.js';
import { add, type FormatError, type Tensor, tensor, zeros } from 'tenfold';
import { decodeSafetensors, encodeSafetensors, flattenTree, loadTree, restoreTree, saveTree } from 'tenfold/io';
import { flatten } from 'tenfold/tree';
import { afterAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { caught } from '../helpers.js';
import { leftOf, rightOf } from './helpers.js';

const folder = mkdtempSync(join(tmpdir(), 'tenfold-io-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tree = Object.freeze({
  blocks: [{ weight: tensor([[1, 2]]), bias: tensor(3) }, { weight: tensor([[4, 5]]) }, null],
  step: tensor(7, { dtype: 'int32' }),
  empty: {},
});
const like = {
  blocks: [{ weight: zeros([1, 2]), bias: zeros([]) }, { weight: zeros([1, 2]) }, null],
  step: zeros([], { dtype: 'int32' }),
  empty: {},
};
const names = ['blocks.0.bias', 'blocks.0.weight', 'blocks.1.weight', 'step'];

const arraysOf = (of: unknown): readonly unknown[] =>
  flatten(of).leaves.map(leaf => [(leaf as Tensor).dtype, (leaf as Tensor).shape, (leaf as Tensor).toArray()]);

describe('flattenTree and restoreTree', () => {
  test('names are paths', () => {
    expect(Object.keys(rightOf(flattenTree(tree)))).toEqual(names);
    expect(Object.keys(rightOf(flattenTree(tensor(1))))).toEqual(['']);
    expect(rightOf(flattenTree(null))).toEqual({});
  });

  test('restoreTree undoes flattenTree', () => {
    for (const [whole, form] of [
      [tree, like],
      [tensor(1), tensor(0)],
      [
        [[tensor(1)], []],
        [[zeros([])], []],
      ],
      [JSON.parse('{"__proto__":0}', (key, value) => (key === '__proto__' ? tensor(4) : value)), null],
    ]) {
      const tensors = rightOf(flattenTree(whole));
      const restored = rightOf(restoreTree(form ?? whole, tensors));
      expect(flatten(restored).paths).toEqual(flatten(whole).paths);
      expect(arraysOf(restored)).toEqual(arraysOf(whole));
    }
  });

  test('the type is that of `like`', () => {
    expectTypeOf(restoreTree(like, {})).toEqualTypeOf<Either<FormatError, typeof like>>();
    expectTypeOf(loadTree('x', like)).returns.resolves.toExtend<Either<FormatError, { readonly tree: typeof like }>>();
  });

  test.each<[string, unknown, string]>([
    ['a dot', { layers: { 'a.b': tensor(1) } }, `flattenTree: got the key 'a.b' at layers["a.b"]`],
    ['the name of the metadata', { __metadata__: tensor(1) }, "got the key '__metadata__' at __metadata__"],
  ])('refuses a key with %s', (_, bad, message) => {
    expect(leftOf(flattenTree(bad)).message).toContain(message);
    expect(leftOf(restoreTree(bad, {})).message).toContain(message.replace('flattenTree', 'restoreTree'));
  });

  const tensors = rightOf(flattenTree(tree));
  const without = (...left: readonly string[]): Record<string, Tensor> =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => !left.includes(name)));

  test.each<[string, Record<string, Tensor>, string, string]>([
    ['missing', without('step'), "no tensor 'step'", 'every leaf of the tree is there'],
    ['all missing', {}, "no tensor 'blocks.0.bias', 'blocks.0.weight', 'blocks.1.weight' and 1 more", 'every leaf'],
    ['unknown', { ...tensors, toString: tensor(1) }, "'toString', of which the tree has nothing", 'is a leaf'],
    [
      'of another shape',
      { ...tensors, 'blocks.1.weight': zeros([2]) },
      "float32[2] as 'blocks.1.weight'",
      'the tree has float32[1, 2] at blocks[1].weight',
    ],
    ['of another dtype', { ...tensors, step: tensor(7) }, "float32[] as 'step'", 'the tree has int32[] at step'],
    ['no tensor', { ...tensors, step: 7 as never }, "a number as 'step'", 'the tree has int32[] at step'],
  ])('refuses a tensor that is %s', (_, given, what, rule) => {
    const error = leftOf(restoreTree(like, given));
    expect([error._tag, error.operation]).toEqual(['FormatError', 'restoreTree']);
    expect(error.given).toContain(what);
    expect(error.rule).toContain(rule);
  });

  test('a name that every object has is missing all the same', () => {
    expect(leftOf(restoreTree({ constructor: tensor(1) }, {})).given).toBe("no tensor 'constructor'");
  });

  test('a leaf that is no tensor is a mistake in the program', () => {
    for (const call of [
      () => flattenTree({ w: 3 }),
      () => restoreTree({ w: 3 }, {}),
      () => saveTree('x', { w: 3 }),
      () => loadTree('x', { w: 3 }),
    ]) {
      const error = caught(call);
      expect([error._tag, error.given]).toEqual(['TreeError', 'the number 3 at w']);
    }
  });
});

/** What is asked of the file system meanwhile; `before` is called first with what is opened. */
const recorded = async (
  run: () => Promise<void>,
  before: (target: unknown) => Promise<void> = async () => undefined,
): Promise<readonly string[]> => {
  const steps: string[] = [];
  const noted = <T>(step: string, go: () => T): T => {
    steps.push(step);
    return go();
  };
  const original = process.getBuiltinModule;
  const watched = {
    ...promises,
    open: async (target: string, flags?: string) => {
      await before(target);
      steps.push(`open ${target}`);
      const file = await promises.open(target, flags);
      return {
        writeFile: (bytes: Uint8Array) => noted('write', () => file.writeFile(bytes)),
        sync: () => noted('sync', () => file.sync()),
        close: () => noted('close', () => file.close()),
      };
    },
    rename: (from: string, to: string) => noted(`rename ${from} ${to}`, () => promises.rename(from, to)),
  };
  const spy = vi
    .spyOn(process, 'getBuiltinModule')
    .mockImplementation(((name: string) =>
      name === 'node:fs/promises' ? watched : original.call(process, name)) as never);
  try {
    await run();
  } finally {
    spy.mockRestore();
  }
  return steps;
};

describe('saveTree and loadTree', () => {
  test('what was saved is loaded', async () => {
    const path = join(folder, 'tree.safetensors');
    const computed = { ...tree, step: add(tree.step, 1) };
    expect(isRight(await saveTree(path, computed, { note: 'x' })())).toBe(true);
    const loaded = rightOf(await loadTree(path, like)());
    expect(arraysOf(loaded.tree)).toEqual(arraysOf(computed));
    expect(loaded.tree.blocks.length).toBe(3);
    expect(loaded.metadata).toEqual({ note: 'x' });
    expect(Object.keys(rightOf(decodeSafetensors(readFileSync(path))).tensors)).toEqual(names);
  });

  test('nothing happens before the task is called', async () => {
    const path = join(folder, 'lazy.safetensors');
    const task = saveTree(path, tree);
    expect(existsSync(path)).toBe(false);
    await task();
    expect(existsSync(path)).toBe(true);
  });

  test('replaces a file, and leaves no other behind', async () => {
    const path = join(folder, 'twice.safetensors');
    await saveTree(path, { w: tensor([1, 2, 3]) })();
    await saveTree(path, { w: tensor([4]) })();
    expect(rightOf(await loadTree(path, { w: zeros([1]) })()).tree.w.toArray()).toEqual([4]);
    expect(readdirSync(folder).filter(name => name.includes('tmp'))).toEqual([]);
  });

  test('the contents are on the disk before the name, and the name before it is said to be', async () => {
    const path = join(folder, 'order.safetensors');
    const steps = await recorded(async () => {
      expect(isRight(await saveTree(path, tree)())).toBe(true);
    });
    expect(steps.map(step => step.replace(/\.[-0-9a-f]{36}\.tmp/g, ', temporary'))).toEqual([
      `open ${path}, temporary`,
      'write',
      'sync',
      'close',
      `rename ${path}, temporary ${path}`,
      `open ${folder}`,
      'sync',
      'close',
    ]);
  });

  test('a folder that the system does not bring to the disk is no error, a disk that fails is', async () => {
    const path = join(folder, 'folders.safetensors');
    const fails = (code: string) => async (target: unknown) => {
      if (target === folder) throw Object.assign(new Error(`${code}: of the test`), { code });
    };
    await recorded(async () => expect(isRight(await saveTree(path, tree)())).toBe(true), fails('EISDIR'));
    await recorded(async () => {
      expect(leftOf(await saveTree(path, tree)()).message).toContain('writing it failed (EIO');
    }, fails('EIO'));
    expect(readdirSync(folder).filter(name => name.includes('tmp'))).toEqual([]);
  });

  test('a name as long as names get', async () => {
    const path = join(folder, `${'n'.repeat(243)}.safetensors`);
    expect(isRight(await saveTree(path, tree)())).toBe(true);
    expect(isRight(await loadTree(path, like)())).toBe(true);
  });

  test('a file that cannot be written', async () => {
    const missing = leftOf(await saveTree(join(folder, 'no', 'such', 'folder'), tree)());
    expect([missing._tag, missing.operation]).toEqual(['FormatError', 'saveTree']);
    expect(missing.message).toContain('writing it failed (ENOENT');
    expect((missing.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
    // A folder in its place: the rename fails, and the temporary file goes.
    const inTheWay = mkdtempSync(join(folder, 'way-'));
    expect(leftOf(await saveTree(inTheWay, tree)()).message).toContain('writing it failed');
    expect(readdirSync(folder).filter(name => name.includes('tmp'))).toEqual([]);
  });

  test('a file that cannot be read', async () => {
    const path = join(folder, 'none');
    const error = leftOf(await loadTree(path, like)());
    expect([error._tag, error.operation, error.given]).toEqual(['FormatError', 'loadTree', `'${path}'`]);
    expect(error.message).toContain('reading it failed (ENOENT');
    expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOENT');
    // It has no end.
    expect(leftOf(await loadTree('/dev/zero', like)()).message).toContain('it is no ordinary file');
  });

  test('a file that is damaged, and one of another tree', async () => {
    const path = join(folder, 'damaged');
    writeFileSync(path, encodeSafetensors({ w: tensor([1]) }).slice(0, -1));
    const damaged = leftOf(await loadTree(path, { w: zeros([1]) })());
    expect(damaged.operation).toBe('loadTree');
    expect(damaged.given).toBe(`tensors of 4 bytes in a file with 3 in '${path}'`);
    expect((damaged.cause as FormatError).operation).toBe('decodeSafetensors');
    writeFileSync(path, encodeSafetensors({ v: tensor([1]) }));
    expect(leftOf(await loadTree(path, { w: zeros([1]) })()).message).toContain("got no tensor 'w' in '");
  });

  test('a key with a dot', async () => {
    const bad = { 'a.b': tensor(1) };
    const path = join(folder, 'dot');
    expect(leftOf(await saveTree(path, bad)()).message).toContain("saveTree: got the key 'a.b'");
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, encodeSafetensors({}));
    expect(leftOf(await loadTree(path, bad)()).message).toContain("loadTree: got the key 'a.b'");
  });

  test.each<[string, () => unknown, string]>([
    ['no path', () => saveTree(undefined as never, tree), 'saveTree: got undefined as the path'],
    ['an empty path', () => saveTree('', tree), 'saveTree: got an empty string as the path'],
    ['a number as the path', () => loadTree(3 as never, tree), 'loadTree: got the number 3 as the path'],
    [
      'metadata of numbers',
      () => saveTree('x', tree, { step: 3 } as never),
      "saveTree: got the number 3 as the metadata 'step'",
    ],
  ])('refuses %s at once', (_, call, message) => {
    expect(caught(call).message).toContain(message);
  });
});
