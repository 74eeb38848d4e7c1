/** Functions of JavaScript that programs call on the main thread. */
import type { WasmMemory } from './api.js';
import type { Import } from './assembler.js';
import type { LaneImport } from './kernels/index.js';

/** A function that works on the memory of the programs that import it. */
export interface MemoryImport extends Import {
  readonly over: (memory: WasmMemory) => (...addresses: readonly number[]) => void;
}

/** What a module imports of them, by its names, for the memory that it works in. */
export const functionsFor = (imports: readonly Import[], memory: WasmMemory): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    imports.flatMap(each => {
      if ('over' in each) return [[each.name, (each as MemoryImport).over(memory)] as const];
      return 'call' in each ? [[each.name, (each as LaneImport).call] as const] : [];
    }),
  );
