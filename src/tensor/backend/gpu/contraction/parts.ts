/** Products whose terms several have shared: what is made of their parts. */
import type { DType } from '../../../dtype.js';
import { type Shape, sizeOf } from '../../../shape.js';
import { contiguous } from '../../../view.js';
import { loadScalar } from '../language/scalars.js';
import { floatsOf } from '../pass.js';
import { addressOf, linear } from '../passes/indices.js';
import { reduce } from '../passes/reductions.js';
import { type Sequence, type Value, writePass } from '../passes/sequence.js';
import { buffersOf, coarser, commonAxes, type Epilogue, finish, lengthsIn } from './epilogue.js';

/** The sum of equally long parts of a buffer. */
export const addParts = (
  sequence: Sequence,
  { name, dtype, parts, size, value }: { name: string; dtype: DType; parts: number; size: number; value: Value },
): Value =>
  reduce(sequence, {
    name,
    op: 'sum',
    dtype,
    axes: [
      { length: parts, reduced: true },
      { length: size, reduced: false },
    ],
    reads: [{ value, floats: parts * size * floatsOf[dtype] }],
    element: (code, [part, at]) =>
      loadScalar(
        code,
        dtype,
        0,
        linear(0, [
          { at: part!.integer, stride: size },
          { at: at!.integer, stride: 1 },
        ]),
      ),
    flops: 0,
  });

/** So many parts a thread adds up by itself in {@link addParts}, too: sums are the same. */
const mostParts = 64;

/** Whether {@link finishParts} does it. */
export const finishesParts = ({ kernel }: Epilogue, parts: number): boolean =>
  kernel.stores.length === 1 && parts <= mostParts;

/** What a kernel behind a product stores, of parts of that product: each thread adds up those of its element. */
export const finishParts = (
  sequence: Sequence,
  {
    name,
    shape,
    parts,
    value,
    epilogue,
  }: { name: string; shape: Shape; parts: number; value: Value; epilogue: Epilogue },
): Value => {
  const { kernel } = epilogue;
  const size = sizeOf(shape);
  const lengths = commonAxes(shape, kernel)!;
  const buffers = buffersOf(epilogue);
  const reads = [value, ...buffers.keys()];
  const pass = writePass(
    sequence.traits,
    {
      name,
      lengths,
      dtype: kernel.values[kernel.stores[0]!.value]!.dtype,
      reads: [parts * size, ...buffers.values()],
      flops: size * kernel.values.filter(({ kind }) => kind === 'operation').length,
    },
    (code, at) => {
      const { index } = addressOf(code, contiguous(lengths), at);
      const sum = code.variable(code.literal(0));
      code.loop(parts, part => {
        const place = linear(0, [
          { at: part.integer, stride: size },
          { at: index, stride: 1 },
        ]);
        code.assign(sum, `${sum} + ${code.let(code.load(0, place))}`);
      });
      const [stored] = finish(
        code,
        epilogue,
        { kind: 'float', x: sum },
        {
          at: coarser(lengthsIn(kernel), lengths, at),
          positionOf: buffer => reads.indexOf(buffer),
          asFloat: x => x,
        },
      );
      return stored!;
    },
  );
  return sequence.launch(pass, reads)[0]!;
};
