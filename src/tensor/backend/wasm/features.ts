/** What the platform's WebAssembly can do beyond SIMD, and what of it code makes use of. */

import { wasmApi } from './api.js';
import { FunctionWriter, link } from './assembler.js';

/** What Node has of this, from 20.16 on. */
interface Node20 {
  getBuiltinModule?(name: 'node:v8'): { setFlagsFromString(flags: string): void } | undefined;
}

const moduleWithFma = (): Uint8Array => {
  const f = new FunctionWriter([]);
  const zero = f.v128(new Uint8Array(16)).keep('v128');
  f.get(zero, zero, zero).op('f32x4.relaxed_madd', 'drop');
  return link([{ name: 'f', writer: f }]).bytes;
};

let fma: boolean | undefined;

/**
 * Whether x·y + z can be had in one instruction. Node 20 has it behind a flag, which can still be set when it runs, as long
 * as no module has asked for it.
 */
export const hasFma = (): boolean => {
  if (fma !== undefined) return fma;
  const validates = (): boolean => wasmApi().validate(moduleWithFma());
  fma = validates();
  if (fma) return true;
  const node = Reflect.get(globalThis, 'process') as Node20 | undefined;
  node?.getBuiltinModule?.('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
  fma = validates();
  return fma;
};

let deterministic = false;

/** Whether code that is written now must do without instructions whose results platforms are free to choose. */
export const setDeterministicCode = (flag: boolean): void => {
  deterministic = flag;
};

/** Whether code that is written now has x·y + z in one instruction. */
export const usesFma = (): boolean => !deterministic && hasFma();

let winograd = true;

/** Whether plans that are made now may have convolutions by minimal algorithms. */
export const setWinogradPlans = (flag: boolean): void => {
  winograd = flag;
};

export const usesWinograd = (): boolean => winograd;

/** All that code depends on besides its program, as a number: it is asked for at every run. */
export const codeSettings = (): number => (usesFma() ? 1 : 0) + (winograd ? 2 : 0);
