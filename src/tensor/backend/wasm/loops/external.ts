/** Functions from outside of the library, called by programs on the first thread. */
import { arrayClassOf, type TypedArray } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import { FunctionWriter } from '../assembler.js';
import type { MemoryImport } from '../imports.js';
import { away } from '../threads/control.js';
import type { LoopKernel } from './walk.js';

/** How many there have been: each has a name of its own. */
let imports = 0;

export const external = ({ run, result }: ParamsOf<'external'>, inputs: readonly Aval[]): LoopKernel => {
  const made: readonly Aval[] = 'dtype' in result ? [result] : result;
  const avals = [...inputs, ...made];
  const parameters = avals.map(() => 'i32' as const);
  const over: MemoryImport['over'] =
    memory =>
    (...addresses) => {
      // The buffer is another one whenever the memory has grown.
      const viewOf = ({ shape, dtype }: Aval, i: number): TypedArray =>
        new (arrayClassOf(dtype))(memory.buffer, addresses[i]! >>> 0, sizeOf(shape));
      const setAway = (by: 1 | -1): void => {
        Atomics.add(new Int32Array(memory.buffer, away, 1), 0, by);
      };
      setAway(1);
      try {
        run(inputs.map(viewOf), inputs, made).forEach((elements, i) => {
          viewOf(made[i]!, inputs.length + i).set(elements);
        });
      } finally {
        setAway(-1);
      }
    };
  const callee: MemoryImport = { name: `external ${imports++}`, parameters, results: [], over };
  const writer = new FunctionWriter([...parameters, 'i32']);
  return { writer: writer.get(...avals.keys()).call(callee), scratch: 0 };
};
