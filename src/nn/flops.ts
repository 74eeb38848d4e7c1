/** How much arithmetic there is in a graph, operation by operation. */
import type { Node } from '../tensor/graph.js';
import type { ConvParams, DotParams } from '../tensor/primitives/signatures.js';
import { entryOf } from '../tensor/primitives/table.js';
import { type Shape, sizeOf } from '../tensor/shape.js';

/** The three shapes that meet in a convolution; see `ConvRole`. */
const convShapes = ({ inputs: [x, y], shape, params }: Node): readonly [kernel: Shape, output: Shape] => {
  switch ((params as unknown as ConvParams).of) {
    case 'output':
      return [y!.shape, shape];
    case 'kernel':
      return [shape, y!.shape];
    default:
      return [x!.shape, y!.shape];
  }
};

/** Operations of a factorization or a solution of n by n matrices, a third of n³ being one unit. */
const cubes: Readonly<Record<string, number>> = { cholesky: 1, lu: 2 };

/**
 * Additions, multiplications and functions of a node, without those of the bodies of loops and branches: two for each
 * pair of elements that meet in a product or a convolution (zeros of the padding too), one for each element elsewhere,
 * none where elements are only moved.
 */
export const flopsOf = (node: Node): number => {
  const { op, inputs, shape, params } = node;
  const size = sizeOf(shape);
  const matrix = inputs[0]?.shape ?? [];
  switch (op) {
    case 'cast':
    case 'select':
    case 'output':
    case 'call':
    case 'custom':
    case 'fold':
    case 'cond':
    case 'while':
      return 0;
    case 'dotGeneral':
      return (params as unknown as DotParams).lhsContract.reduce((product, axis) => product * matrix[axis]!, 2 * size);
    case 'conv': {
      const [kernel, output] = convShapes(node);
      // For each element of the output, one group's part of the kernel without its output channels.
      return 2 * sizeOf(output) * sizeOf(kernel.slice(2));
    }
    case 'scatterAdd':
      return sizeOf(matrix);
    case 'cumsum':
      return size;
    case 'recurrence':
      return 2 * size;
    case 'triangularSolve':
      return size * matrix.at(-1)!;
    case 'cholesky':
    case 'lu':
      return (cubes[op]! * sizeOf(matrix) * matrix.at(-1)!) / 3;
    default: {
      const { kind } = entryOf(op);
      if (kind === 'reduction') return sizeOf(matrix);
      return kind === 'elementwise' || kind === 'structured' ? size : 0;
    }
  }
};
