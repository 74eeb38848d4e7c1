/** A small WebAssembly assembler: functions from instructions, a module from functions. */
import { Bytes } from './bytes.js';
import {
  type AtomicOp,
  atomicOps,
  type LaneMemoryOp,
  type LaneOp,
  laneMemoryOps,
  laneOps,
  type MemoryOp,
  memoryOps,
  type Op,
  scalarOps,
  simdMemoryOps,
  simdOps,
  typeCodes,
  type ValueType,
} from './opcodes.js';

/** A local variable or parameter of a function, by its number. */
export type Local = number;

/** Something that can be called; its number is known when the module is put together. */
export interface Callee {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function being written. */
export class FunctionWriter implements Callee {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #code = new Bytes();
  /** Constants are set once, before everything else, however deep in loops they are used. */
  readonly #prelude = new Bytes();
  readonly #constants = new Map<string, Local>();
  readonly #calls: { readonly at: number; readonly callee: Callee }[] = [];

  constructor(parameters: readonly ValueType[], results: readonly ValueType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  /** A new local variable. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return this.parameters.length + this.#locals.length - 1;
  }

  get(...locals: readonly Local[]): this {
    for (const local of locals) this.#immediate(0x20, local);
    return this;
  }

  set(local: Local): this {
    this.#immediate(0x21, local);
    return this;
  }

  tee(local: Local): this {
    this.#immediate(0x22, local);
    return this;
  }

  /** The value on the stack, kept in a new local. */
  keep(type: ValueType): Local {
    const local = this.local(type);
    this.set(local);
    return local;
  }

  /** An instruction with one number behind it. */
  #immediate(code: number, value: number): void {
    this.#code.push(code);
    this.#code.unsigned(value);
  }

  op(...names: readonly Op[]): this {
    for (const name of names) {
      const scalar = (scalarOps as Readonly<Record<string, number>>)[name];
      if (scalar !== undefined) this.#code.push(scalar);
      else this.#immediate(0xfd, simdOps[name as keyof typeof simdOps]);
    }
    return this;
  }

  memory(name: MemoryOp, offset = 0): this {
    if (name in memoryOps) {
      const [code, align] = memoryOps[name as keyof typeof memoryOps];
      this.#code.append([code, align]);
    } else {
      const [code, align] = simdMemoryOps[name as keyof typeof simdMemoryOps];
      this.#immediate(0xfd, code);
      this.#code.push(align);
    }
    this.#code.unsigned(offset);
    return this;
  }

  /** One lane of the vector on the stack, read from or written to memory. */
  memoryLane(name: LaneMemoryOp, lane: number, offset = 0): this {
    const [code, align] = laneMemoryOps[name];
    this.#immediate(0xfd, code);
    this.#code.push(align);
    this.#code.unsigned(offset);
    this.#code.push(lane);
    return this;
  }

  /** Traps where the address is no multiple of 4; `wait32` also where memory is not shared. */
  atomic(name: AtomicOp): this {
    this.#immediate(0xfe, atomicOps[name]);
    this.#code.append([2, 0]);
    return this;
  }

  /** (to, from, bytes) */
  memoryCopy(): this {
    this.#code.append([0xfc, 10, 0, 0]);
    return this;
  }

  /** (to, byte, bytes) */
  memoryFill(): this {
    this.#code.append([0xfc, 11, 0]);
    return this;
  }

  /** The sixteen bytes that these indices pick out of the two vectors on the stack. */
  shuffle(bytes: readonly number[]): this {
    this.#immediate(0xfd, 13);
    this.#code.append(bytes);
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    this.#immediate(0xfd, laneOps[name]);
    this.#code.push(lane);
    return this;
  }

  i32(value: number): this {
    this.#code.push(0x41);
    this.#code.signed(value | 0);
    return this;
  }

  f32(value: number): this {
    this.#code.push(0x43);
    this.#code.append(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  f64(value: number): this {
    this.#code.push(0x44);
    this.#code.append(new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  /** Sixteen bytes. */
  v128(bytes: Uint8Array): this {
    this.#immediate(0xfd, 12);
    this.#code.append(bytes);
    return this;
  }

  /** The sixteen bytes in a local that is theirs in the whole function. */
  constant(bytes: Uint8Array): Local {
    const key = String.fromCharCode(...bytes);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const local = this.local('v128');
    this.#prelude.append([0xfd, 12]);
    this.#prelude.append(bytes);
    this.#prelude.push(0x21);
    this.#prelude.unsigned(local);
    this.#constants.set(key, local);
    return local;
  }

  call(callee: Callee): this {
    this.#code.push(0x10);
    this.#calls.push({ at: this.#code.length, callee });
    this.#code.append([0, 0, 0, 0, 0]);
    return this;
  }

  /** `body` runs while counter < limit (unsigned), the counter growing by `step` (or by a local) each time. */
  loop(counter: Local, limit: Local, step: number | { readonly local: Local }, body: () => void): this {
    this.#code.append([0x02, 0x40]);
    this.get(counter, limit).op('i32.ge_u');
    this.#code.append([0x0d, 0, 0x03, 0x40]);
    body();
    this.get(counter);
    if (typeof step === 'number') this.i32(step);
    else this.get(step.local);
    this.op('i32.add').tee(counter).get(limit).op('i32.lt_u');
    this.#code.append([0x0d, 0, 0x0b, 0x0b]);
    return this;
  }

  /** `body` runs again and again while the i32 that `test` leaves on the stack is not 0. */
  while(test: () => void, body: () => void): this {
    this.#code.append([0x02, 0x40, 0x03, 0x40]);
    test();
    this.op('i32.eqz');
    this.#code.append([0x0d, 1]);
    body();
    this.#code.append([0x0c, 0, 0x0b, 0x0b]);
    return this;
  }

  /** `body` runs if the i32 on the stack is not 0, `other` if it is. */
  if(body: () => void, other?: () => void): this {
    this.#code.append([0x04, 0x40]);
    body();
    if (other !== undefined) {
      this.#code.push(0x05);
      other();
    }
    this.#code.push(0x0b);
    return this;
  }

  /** What the function calls. */
  get callees(): readonly Callee[] {
    return this.#calls.map(({ callee }) => callee);
  }

  /** Writes the body as the code section wants it. */
  write(out: Bytes, indexOf: (callee: Callee) => number): void {
    for (const { at, callee } of this.#calls) this.#code.patch(at, indexOf(callee));
    const groups: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = groups[groups.length - 1];
      if (last !== undefined && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    const head = new Bytes();
    head.unsigned(groups.length);
    for (const [count, type] of groups) {
      head.unsigned(count);
      head.push(typeCodes[type]);
    }
    out.unsigned(head.length + this.#prelude.length + this.#code.length + 1);
    for (const part of [head, this.#prelude, this.#code]) out.append(part.written);
    out.push(0x0b);
  }
}

/** A function that the module gets from outside, by its name. */
export interface Import extends Callee {
  readonly name: string;
}

/** Pages of 64 KiB that a shared memory may grow to: such a memory, and who imports it, says so beforehand. */
export const largestMemory = 2 ** 16;

/**
 * The bytes of a module that imports a memory (`env.memory`) and functions (`env.NAME`), and has the functions exported and
 * all that they call. A memory that threads share is another type than one that belongs to one.
 */
export const link = (
  exports: readonly { readonly name: string; readonly writer: FunctionWriter }[],
  shared = false,
): { readonly bytes: Uint8Array; readonly imports: readonly Import[] } => {
  const functions: FunctionWriter[] = [];
  const imports: Import[] = [];
  const found = new Set<Callee>();
  const pending: Callee[] = exports.map(({ writer }) => writer);
  for (let callee = pending.pop(); callee !== undefined; callee = pending.pop()) {
    if (found.has(callee)) continue;
    found.add(callee);
    if (callee instanceof FunctionWriter) {
      functions.push(callee);
      pending.push(...callee.callees);
    } else imports.push(callee as Import);
  }
  const numbers = new Map<Callee, number>([...imports, ...functions].map((callee, i) => [callee, i]));
  const indexOf = (callee: Callee): number => numbers.get(callee)!;
  const signatures: string[] = [];
  const types: Callee[] = [];
  const typeOf = (callee: Callee): number => {
    const key = `${callee.parameters.join()}>${callee.results.join()}`;
    const known = signatures.indexOf(key);
    if (known >= 0) return known;
    types.push(callee);
    return signatures.push(key) - 1;
  };
  const typesOf = [...imports, ...functions].map(typeOf);

  const out = new Bytes();
  out.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const section = <T>(id: number, items: readonly T[], write: (into: Bytes, item: T) => void): void => {
    const content = new Bytes();
    content.unsigned(items.length);
    for (const item of items) write(content, item);
    out.push(id);
    out.unsigned(content.length);
    out.append(content.written);
  };
  section(1, types, (into, { parameters, results }) => {
    into.push(0x60);
    for (const list of [parameters, results]) {
      into.unsigned(list.length);
      for (const type of list) into.push(typeCodes[type]);
    }
  });
  section(2, [null, ...imports], (into, each) => {
    into.text('env');
    into.text(each === null ? 'memory' : each.name);
    if (each === null) {
      into.append([0x02, shared ? 0x03 : 0x00, 1]);
      if (shared) into.unsigned(largestMemory);
    } else {
      into.push(0x00);
      into.unsigned(typesOf[indexOf(each)]!);
    }
  });
  section(3, functions, (into, each) => into.unsigned(typesOf[indexOf(each)]!));
  section(7, exports, (into, { name, writer }) => {
    into.text(name);
    into.push(0x00);
    into.unsigned(indexOf(writer));
  });
  section(10, functions, (into, each) => each.write(into, indexOf));
  return { bytes: out.written.slice(), imports };
};
