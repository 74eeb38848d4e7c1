/**
 * What the compiler prints: types of common expressions, as declarations and on hovering, and messages for what it refuses.
 * The compiler runs over files made here.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

const imports = `import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'tenfold';
import * as nn from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
`;

const declared = `const x = t.zeros([2, 3]);
const y = t.zeros([3, 4]);
const images = t.zeros([8, 3, 32, 32]);
const kernel = t.zeros([16, 3, 3, 3]);
const batch: number = 5;
const rows = t.zeros([batch, 3]);
const some: t.Tensor = x;
const model = nn.sequential(nn.linear(2, 64), nn.activation(t.silu), nn.layerNorm(64), nn.linear(64, 3));
`;

/** Expressions, and their types as printed. */
const expressions: readonly (readonly [expression: string, printed: string])[] = [
  ['t.tensor([[1, 2], [3, 4]])', 't.Tensor<readonly [2, 2], "float32">'],
  ["t.zeros([2, 3], { dtype: 'int32' })", 't.Tensor<readonly [2, 3], "int32">'],
  ['t.mul(normal(key(1), [512, 2]), t.tensor([1, 0.1]))', 't.Tensor<readonly [512, 2], "float32">'],
  ['normal(key(0), [4, 5])', 't.Tensor<readonly [4, 5], "float32">'],
  ['t.add(x, t.zeros([3]))', 't.Tensor<readonly [2, 3], "float32">'],
  ['t.mul(x, 2)', 't.Tensor<readonly [2, 3], "float32">'],
  ['t.add(rows, t.zeros([3]))', 't.Tensor<readonly [number, 3], "float32">'],
  ['t.add(some, x)', 't.Tensor<t.Shape, "float32" | "float64">'],
  ['t.add(some, some)', 't.Tensor<t.Shape, "float32" | "float64" | "int32" | "uint32" | "uint8">'],
  ['t.exp(x)', 't.Tensor<readonly [2, 3], "float32">'],
  ['t.greater(x, 0)', 't.Tensor<readonly [2, 3], "bool">'],
  ['t.where(t.greater(x, 0), x, 0)', 't.Tensor<readonly [2, 3], "float32">'],
  ["t.cast(x, 'float64')", 't.Tensor<readonly [2, 3], "float64">'],
  ['t.matmul(x, y)', 't.Tensor<readonly [2, 4], "float32">'],
  ['t.matmul(t.zeros([7, 1, 2, 3]), t.zeros([5, 3, 4]))', 't.Tensor<readonly [7, 5, 2, 4], "float32">'],
  ["t.einsum('ij,jk->ki', x, y)", 't.Tensor<readonly [4, 2], "float32">'],
  ['t.sum(x)', 't.Tensor<readonly [], "float32">'],
  ['t.mean(x, { axis: 1, keepDims: true })', 't.Tensor<readonly [2, 1], "float32">'],
  ['t.max(images, { axis: [2, 3] })', 't.Tensor<readonly [8, 3], "float32">'],
  ['t.argmax(x, { axis: 1 })', 't.Tensor<readonly [2], "int32">'],
  ['t.norm(x, { axis: 0 })', 't.Tensor<readonly [3], "float32">'],
  ['t.cumsum(x, { axis: 1 })', 't.Tensor<readonly [2, 3], "float32">'],
  ['t.softmax(x)', 't.Tensor<readonly [2, 3], "float32">'],
  ['t.reshape(images, [8, -1])', 't.Tensor<readonly [8, 3072], "float32">'],
  ['t.permute(images, [0, 2, 3, 1])', 't.Tensor<readonly [8, 32, 32, 3], "float32">'],
  ['t.transpose(x)', 't.Tensor<readonly [3, 2], "float32">'],
  ['t.expandDims(x, 0)', 't.Tensor<readonly [1, 2, 3], "float32">'],
  ['t.squeeze(t.zeros([1, 2, 1]))', 't.Tensor<readonly [2], "float32">'],
  ['t.concat([x, x], { axis: 0 })', 't.Tensor<readonly [4, 3], "float32">'],
  ['t.stack([x, x])', 't.Tensor<readonly [2, 2, 3], "float32">'],
  ['t.slice(x, [0, 1], [2, 3])', 't.Tensor<readonly [2, 2], "float32">'],
  ["t.rearrange(images, 'n c h w -> n (h w) c')", 't.Tensor<readonly [8, 1024, 3], "float32">'],
  ['t.conv2d(images, kernel, { stride: 2, padding: 1 })', 't.Tensor<readonly [8, 16, 16, 16], "float32">'],
  ['t.maxPool2d(images, 2)', 't.Tensor<readonly [8, 3, 16, 16], "float32">'],
  ["t.take(y, t.zeros([5], { dtype: 'int32' }))", 't.Tensor<readonly [5, 4], "float32">'],
  ["t.oneHot(t.zeros([5], { dtype: 'int32' }), 10)", 't.Tensor<readonly [5, 10], "float32">'],
  ['t.inv(t.zeros([2, 3, 3]))', 't.Tensor<readonly [2, 3, 3], "float32">'],
  ['t.solve(t.zeros([3, 3]), t.zeros([3, 2]))', 't.Tensor<readonly [3, 2], "float32">'],
  ['pipe(x, t.matmul(y), t.relu, t.sum({ axis: 0 }))', 't.Tensor<readonly [4], "float32">'],
  ['t.grad((w: typeof x) => t.sum(t.square(w)))(x)', 't.Tensor<readonly [2, 3], "float32">'],
  ['nn.linear(2, 64).init(key(0)).weight', 't.Tensor<readonly [64, 2], t.DType>'],
  ['model.apply(model.init(key(0)), t.zeros([5, 2]))', 't.Tensor<readonly [5, 3], "float32">'],
  ['model.init(key(0))[3].bias', 't.Tensor<readonly [3], t.DType>'],
  ['t.svd(t.zeros([5, 3])).s', 't.Tensor<readonly [3], "float32">'],
];

/** Expressions that do not compile, and a sentence of the message. */
const refused: readonly (readonly [expression: string, sentence: string])[] = [
  ['t.add(x, t.zeros([4]))', 'add: lengths 3 and 4 differ and neither is 1'],
  ['t.matmul(x, t.zeros([4, 5]))', 'matmul: inner dimensions 3 and 4 differ'],
  ['pipe(x, t.matmul(t.zeros([4, 5])))', 'matmul: inner dimensions 3 and 4 differ'],
  ["t.einsum('ij,jk->ik', x, t.zeros([4, 5]))", 'einsum: j is 3 in the first operand and 4 in the second'],
  ['t.reshape(x, [4, 2])', 'reshape: [2, 3] has 6 elements, [4, 2] has 8'],
  ['t.sum(x, { axis: 3 })', 'sum: axis 3 is out of range for rank 2'],
  ['t.conv2d(images, t.zeros([16, 4, 3, 3]))', 'conv2d: the input has 3 channels, the kernel takes 4'],
  ['t.inv(x)', 'inv: the last two axes are 2 and 3, not square'],
  ['nn.sequential(nn.linear(2, 64), nn.linear(32, 2))', 'linear: the last axis has length 64, not 32'],
  ['model.apply(model.init(key(0)), t.zeros([5, 4]))', 'linear: the last axis has length 4, not 2'],
];

const compilerOptions = {
  strict: true,
  skipLibCheck: true,
  target: 'es2022',
  lib: ['es2023', 'dom'],
  module: 'nodenext',
  types: [],
  customConditions: ['tenfold-source'],
  declaration: true,
  emitDeclarationOnly: true,
};

/** What the compiler writes, and what it says. */
const compiled = (name: string, lines: readonly string[]): { readonly declarations: string; readonly said: string } => {
  const folder = join(root, 'out/printed', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.ts'), [imports, declared, ...lines].join('\n'));
  const options = { ...compilerOptions, rootDir: root, outDir: join(folder, 'made') };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['main.ts'] }));
  let said = '';
  try {
    execFileSync(process.execPath, [compiler, '-p', folder], { stdio: 'pipe' });
  } catch (error) {
    said = String((error as { stdout?: Buffer }).stdout);
  }
  return { declarations: readFileSync(join(folder, 'made/out/printed', name, 'main.d.ts'), 'utf8'), said };
};

describe('the compiler prints', () => {
  it('short types', { timeout: 120_000 }, () => {
    const { declarations, said } = compiled(
      'types',
      expressions.map(([expression], i) => `export const e${i} = ${expression};`),
    );
    expect(said).toBe('');
    const printed = expressions.map(([expression], i) => {
      const after = declarations.split(`export declare const e${i}: `)[1] ?? '';
      return [expression, after.slice(0, after.search(/;\n(export|declare)/)).replace(/;\s*$/, '')] as const;
    });
    console.log(printed.map(([expression, type]) => `${expression}: ${type}`).join('\n'));
    expect(printed).toEqual(expressions);
  });

  it('what differs', { timeout: 120_000 }, () => {
    const { said } = compiled(
      'refused',
      refused.map(([expression], i) => `export const e${i} = ${expression};`),
    );
    const first = imports.split('\n').length + declared.split('\n').length + 1;
    const messages = refused.map((_, i) => {
      const start = said.indexOf(`main.ts(${first + i},`);
      const end = said.indexOf('main.ts(', start + 1);
      return start < 0 ? '' : said.slice(start, end < 0 ? undefined : end);
    });
    refused.forEach(([, sentence], i) => {
      expect(messages[i]).toContain(sentence);
    });
  });
});
