/** Where values come from. No inputs, so nothing to differentiate or batch. */
import type { Aval } from '../shape.js';
import type { Source } from './kinds.js';
import type { ParamsOf, SourcePrimitives } from './signatures.js';

const own = (_: readonly Aval[], { shape, dtype }: Aval): Aval => ({ shape, dtype });

export const source: { readonly [P in keyof SourcePrimitives]: Source<ParamsOf<P>> } = {
  constant: { kind: 'source', aval: (_, { dtype }) => ({ shape: [], dtype }) },
  iota: { kind: 'source', aval: own },
  buffer: { kind: 'source', aval: own },
  parameter: { kind: 'source', aval: own },
};
