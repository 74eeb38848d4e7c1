/** A program for the compiler: many calls whose shapes it knows, no two of them alike. */

/** So many calls of each kind. */
export const calls = { simple: 350, moving: 100, products: 50 } as const;

const simple: readonly ((i: number, n: number, m: number) => string)[] = [
  i => `add(x${i}, row${i})`,
  i => `mul(exp(x${i}), 0.5)`,
  i => `sum(x${i}, { axis: 0 })`,
  i => `mean(x${i}, { axis: -1, keepDims: true })`,
  i => `matmul(x${i}, y${i})`,
  i => `where(greater(x${i}, 0), x${i}, row${i})`,
  i => `pipe(x${i}, sub(row${i}), softmax({ axis: -1 }))`,
];

const moving: readonly ((i: number, n: number, m: number) => string)[] = [
  (i, n, m) => `reshape(x${i}, [${m}, ${n}])`,
  (i, n) => `reshape(x${i}, [${n}, -1, 1])`,
  i => `concat([x${i}, x${i}], { axis: 0 })`,
  i => `permute(stack([x${i}, x${i}]), [1, 0, 2])`,
];

const products: readonly ((i: number, n: number, m: number) => string)[] = [
  (_, n, m) => `conv2d(zeros([2, ${n}, 32, 32]), zeros([${m}, ${n}, 3, 3]), { stride: 2, padding: 1 })`,
  i => `einsum('ij,jk->ik', x${i}, y${i})`,
];

const imports = `import { pipe } from 'fp-ts/lib/function.js';
import { add, concat, conv2d, einsum, exp, greater, matmul, mean, mul, permute, reshape, softmax, stack, sub, sum, where, zeros } from 'tenfold';
`;

/** The program, and one that only imports the same. */
export const programs = (): { readonly empty: string; readonly full: string } => {
  const bases = 50;
  const lengths = (i: number): readonly [number, number] => [2 + i, 64 + 3 * i];
  const declared = Array.from({ length: bases }, (_, i) => {
    const [n, m] = lengths(i);
    return `const x${i} = zeros([${n}, ${m}]);\nconst row${i} = zeros([${m}]);\nconst y${i} = zeros([${m}, ${n + 5}]);`;
  });
  const made = (kind: string, forms: typeof simple, count: number): string[] =>
    Array.from({ length: count }, (_, k) => {
      const i = Math.floor(k / forms.length) % bases;
      return `export const ${kind}${k} = ${forms[k % forms.length]!(i, ...lengths(i))};`;
    });
  return {
    empty: `${imports}export const all = [pipe, add, concat, conv2d, einsum, exp, greater, matmul, mean, mul, permute, reshape, softmax, stack, sub, sum, where, zeros];\n`,
    full: [
      imports,
      ...declared,
      ...made('simple', simple, calls.simple),
      ...made('moving', moving, calls.moving),
      ...made('product', products, calls.products),
    ].join('\n'),
  };
};
