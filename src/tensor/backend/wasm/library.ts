/** Kernels that are the same for every program: packing and multiplying float32. */
import { FunctionWriter, type Local } from './assembler.js';

/** Rows and columns of the register block: 4 × 8 sums in eight vectors. */
export const blockRows = 4;
export const blockColumns = 8;

/**
 * (source, row stride, depth stride, rows, depth, width, out): panels of `width` rows, [⌈rows/width⌉, depth, width],
 * rows that are not there as zeros. Strides are in bytes.
 */
const pack = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [source, rowStride, depthStride, rows, depth, width, out] = [0, 1, 2, 3, 4, 5, 6];
  const [row, k, r, to] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const at = f.local('i32');
  f.get(out).set(to);
  f.loop(row, rows, { local: width }, () => {
    f.i32(0).set(k);
    f.loop(k, depth, 1, () => {
      f.i32(0).set(r);
      f.loop(r, width, 1, () => {
        f.get(to).i32(0).memory('i32.store');
        f.get(row, r)
          .op('i32.add')
          .get(rows)
          .op('i32.lt_u')
          .if(() => {
            f.get(source).get(row, r).op('i32.add').get(rowStride).op('i32.mul', 'i32.add');
            f.get(k, depthStride).op('i32.mul', 'i32.add').set(at);
            f.get(to, at).memory('i32.load').memory('i32.store');
          });
        f.get(to).i32(4).op('i32.add').set(to);
      });
    });
  });
  return f;
};

/**
 * (a panel, b panel, depth, out, row bytes of out, bytes from one step of b to the next): one block of 4 × 8 sums, each adding
 * its terms in order.
 */
const block = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [a, b, depth, out, rowBytes, bStep] = [0, 1, 2, 3, 4, 5];
  const sums: Local[][] = Array.from({ length: blockRows }, () => [f.local('v128'), f.local('v128')]);
  const k = f.local('i32');
  const [left, right, x] = [f.local('v128'), f.local('v128'), f.local('v128')];
  f.loop(k, depth, 1, () => {
    f.get(b).memory('v128.load').set(left);
    f.get(b).memory('v128.load', 16).set(right);
    sums.forEach(([p, q], row) => {
      f.get(a)
        .memory('v128.load32_splat', 4 * row)
        .set(x);
      f.get(p!, x, left).op('f32x4.mul', 'f32x4.add').set(p!);
      f.get(q!, x, right).op('f32x4.mul', 'f32x4.add').set(q!);
    });
    f.get(a)
      .i32(4 * blockRows)
      .op('i32.add')
      .set(a);
    f.get(b, bStep).op('i32.add').set(b);
  });
  for (const [p, q] of sums) {
    f.get(out, p!).memory('v128.store').get(out, q!).memory('v128.store', 16);
    f.get(out, rowBytes).op('i32.add').set(out);
  }
  return f;
};

/**
 * (packed a, b, out, rows, columns, depth, scratch, bytes from one panel of b to the next, from one step to the next):
 * out[i, j] = Σ a[i, k]·b[j, k]. Blocks at the edges go through the scratch block, so that the sums are made by the same code
 * wherever they stand. Eight columns of b that lie side by side need no packing.
 */
const multiply = (block: FunctionWriter): FunctionWriter => {
  const f = new FunctionWriter(new Array<'i32'>(9).fill('i32'));
  const [a, b, out, rows, columns, depth, scratch, bPanel, bStep] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [i, j, r, c] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [pa, pb, at, four, eight] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  f.i32(blockRows).set(four).i32(blockColumns).set(eight);
  f.get(b).set(pb);
  f.i32(0).set(j);
  f.loop(j, columns, blockColumns, () => {
    f.get(a).set(pa);
    f.i32(0).set(i);
    f.loop(i, rows, blockRows, () => {
      const whole = f.local('i32');
      f.get(rows, i).op('i32.sub').i32(blockRows).op('i32.lt_u', 'i32.eqz');
      f.get(columns, j).op('i32.sub').i32(blockColumns).op('i32.lt_u', 'i32.eqz', 'i32.and').set(whole);
      f.get(out).get(i, columns).op('i32.mul').get(j).op('i32.add').i32(4).op('i32.mul', 'i32.add').set(at);
      f.get(whole).if(() => {
        f.get(pa, pb, depth, at).get(columns).i32(4).op('i32.mul').get(bStep).call(block);
      });
      f.get(whole)
        .op('i32.eqz')
        .if(() => {
          f.get(pa, pb, depth, scratch)
            .i32(4 * blockColumns)
            .get(bStep)
            .call(block);
          f.i32(0).set(r);
          f.loop(r, four, 1, () => {
            f.get(i, r)
              .op('i32.add')
              .get(rows)
              .op('i32.lt_u')
              .if(() => {
                f.i32(0).set(c);
                f.loop(c, eight, 1, () => {
                  f.get(j, c)
                    .op('i32.add')
                    .get(columns)
                    .op('i32.lt_u')
                    .if(() => {
                      f.get(at).get(r, columns).op('i32.mul').get(c).op('i32.add').i32(4).op('i32.mul', 'i32.add');
                      f.get(scratch)
                        .get(r)
                        .i32(blockColumns)
                        .op('i32.mul')
                        .get(c)
                        .op('i32.add')
                        .i32(4)
                        .op('i32.mul', 'i32.add');
                      f.memory('i32.load').memory('i32.store');
                    });
                });
              });
          });
        });
      f.get(pa)
        .get(depth)
        .i32(4 * blockRows)
        .op('i32.mul', 'i32.add')
        .set(pa);
    });
    f.get(pb, bPanel).op('i32.add').set(pb);
  });
  return f;
};

const functions = { pack: pack(), multiply: multiply(block()) } as const;

/** The functions of the library, for the module that all programs share: it is compiled, and optimised, once. */
export const libraryFunctions = Object.entries(functions).map(([name, writer]) => ({ name, writer }));

/** The same as programs call them. */
export const libraryImports = {
  pack: { name: 'pack', parameters: functions.pack.parameters, results: [] },
  multiply: { name: 'multiply', parameters: functions.multiply.parameters, results: [] },
} as const;
