/** A small WebAssembly assembler: functions from instructions, a module from functions. */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Instructions without immediates, by their opcode. */
const scalarOps = {
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.lt_u': 0x49,
  'i32.gt_s': 0x4a,
  'i32.gt_u': 0x4b,
  'i32.le_s': 0x4c,
  'i32.le_u': 0x4d,
  'i32.ge_s': 0x4e,
  'i32.ge_u': 0x4f,
  'i64.lt_s': 0x53,
  'f32.eq': 0x5b,
  'f32.ne': 0x5c,
  'f32.lt': 0x5d,
  'f32.gt': 0x5e,
  'f64.eq': 0x61,
  'f64.ne': 0x62,
  'f64.lt': 0x63,
  'f64.gt': 0x64,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.div_s': 0x6d,
  'i32.div_u': 0x6e,
  'i32.rem_s': 0x6f,
  'i32.rem_u': 0x70,
  'i32.and': 0x71,
  'i32.or': 0x72,
  'i32.xor': 0x73,
  'i32.shl': 0x74,
  'i32.shr_s': 0x75,
  'i32.shr_u': 0x76,
  'i64.xor': 0x85,
  'i64.shr_s': 0x87,
  'i64.shr_u': 0x88,
  'f32.add': 0x92,
  'f32.sub': 0x93,
  'f32.mul': 0x94,
  'f32.min': 0x96,
  'f32.max': 0x97,
  'f64.add': 0xa0,
  'f64.sub': 0xa1,
  'f64.mul': 0xa2,
  'f64.min': 0xa4,
  'f64.max': 0xa5,
  'i64.extend_i32_s': 0xac,
  'f32.demote_f64': 0xb6,
  'f64.promote_f32': 0xbb,
  'i32.reinterpret_f32': 0xbc,
  'i64.reinterpret_f64': 0xbd,
} as const;

/** SIMD instructions without immediates, by their number behind the prefix 0xfd. */
const simdOps = {
  'i32x4.splat': 17,
  'i64x2.splat': 18,
  'f32x4.splat': 19,
  'f64x2.splat': 20,
  'i32x4.eq': 55,
  'i32x4.ne': 56,
  'i32x4.lt_s': 57,
  'i32x4.lt_u': 58,
  'i32x4.gt_s': 59,
  'i32x4.gt_u': 60,
  'i32x4.le_s': 61,
  'i32x4.le_u': 62,
  'i32x4.ge_s': 63,
  'i32x4.ge_u': 64,
  'f32x4.eq': 65,
  'f32x4.ne': 66,
  'f32x4.lt': 67,
  'f32x4.gt': 68,
  'f32x4.le': 69,
  'f32x4.ge': 70,
  'f64x2.eq': 71,
  'f64x2.ne': 72,
  'f64x2.lt': 73,
  'f64x2.gt': 74,
  'f64x2.le': 75,
  'f64x2.ge': 76,
  'v128.not': 77,
  'v128.and': 78,
  'v128.andnot': 79,
  'v128.or': 80,
  'v128.xor': 81,
  'v128.bitselect': 82,
  'v128.any_true': 83,
  'f32x4.demote_f64x2_zero': 94,
  'f64x2.promote_low_f32x4': 95,
  'f32x4.ceil': 103,
  'f32x4.floor': 104,
  'f32x4.nearest': 106,
  'f64x2.ceil': 116,
  'f64x2.floor': 117,
  'f64x2.nearest': 148,
  'i16x8.extend_low_i8x16_u': 137,
  'i32x4.abs': 160,
  'i32x4.neg': 161,
  'i32x4.extend_low_i16x8_u': 169,
  'i32x4.shl': 171,
  'i32x4.shr_s': 172,
  'i32x4.shr_u': 173,
  'i32x4.add': 174,
  'i32x4.sub': 177,
  'i32x4.mul': 181,
  'i32x4.min_s': 182,
  'i32x4.min_u': 183,
  'i32x4.max_s': 184,
  'i32x4.max_u': 185,
  'i64x2.extend_low_i32x4_s': 199,
  'i64x2.extend_low_i32x4_u': 201,
  'i64x2.shl': 203,
  'i64x2.shr_s': 204,
  'i64x2.shr_u': 205,
  'i64x2.add': 206,
  'i64x2.sub': 209,
  'i64x2.lt_s': 216,
  'f32x4.abs': 224,
  'f32x4.neg': 225,
  'f32x4.sqrt': 227,
  'f32x4.add': 228,
  'f32x4.sub': 229,
  'f32x4.mul': 230,
  'f32x4.div': 231,
  'f32x4.min': 232,
  'f32x4.max': 233,
  'f32x4.pmin': 234,
  'f32x4.pmax': 235,
  'f64x2.abs': 236,
  'f64x2.neg': 237,
  'f64x2.sqrt': 239,
  'f64x2.add': 240,
  'f64x2.sub': 241,
  'f64x2.mul': 242,
  'f64x2.div': 243,
  'f64x2.min': 244,
  'f64x2.max': 245,
  'f64x2.pmin': 246,
  'f64x2.pmax': 247,
  'i32x4.trunc_sat_f32x4_s': 248,
  'i32x4.trunc_sat_f32x4_u': 249,
  'f32x4.convert_i32x4_s': 250,
  'f32x4.convert_i32x4_u': 251,
  'i32x4.trunc_sat_f64x2_s_zero': 252,
  'i32x4.trunc_sat_f64x2_u_zero': 253,
  'f64x2.convert_low_i32x4_s': 254,
  'f64x2.convert_low_i32x4_u': 255,
  'f32x4.relaxed_madd': 261,
  'f64x2.relaxed_madd': 263,
} as const;

/** Loads and stores: opcode or SIMD number, and the logarithm of their natural alignment. */
const memoryOps = {
  'i32.load': [0x28, 2],
  'i64.load': [0x29, 3],
  'f32.load': [0x2a, 2],
  'f64.load': [0x2b, 3],
  'i32.load8_u': [0x2d, 0],
  'i32.store': [0x36, 2],
  'i64.store': [0x37, 3],
  'f32.store': [0x38, 2],
  'f64.store': [0x39, 3],
  'i32.store8': [0x3a, 0],
} as const;

const simdMemoryOps = {
  'v128.load': [0, 4],
  'v128.load32_splat': [9, 2],
  'v128.load64_splat': [10, 3],
  'v128.store': [11, 4],
  'v128.load32_zero': [92, 2],
  'v128.load64_zero': [93, 3],
} as const;

/** Loads and stores of one lane: SIMD number and the logarithm of the alignment. */
const laneMemoryOps = {
  'v128.load8_lane': [84, 0],
  'v128.load32_lane': [86, 2],
  'v128.load64_lane': [87, 3],
  'v128.store8_lane': [88, 0],
  'v128.store32_lane': [90, 2],
  'v128.store64_lane': [91, 3],
} as const;

/** Instructions that name a lane. */
const laneOps = {
  'i32x4.extract_lane': 27,
  'i32x4.replace_lane': 28,
  'f32x4.extract_lane': 31,
  'f32x4.replace_lane': 32,
  'f64x2.extract_lane': 33,
  'f64x2.replace_lane': 34,
} as const;

export type Op = keyof typeof scalarOps | keyof typeof simdOps;
export type MemoryOp = keyof typeof memoryOps | keyof typeof simdMemoryOps;
export type LaneOp = keyof typeof laneOps;
export type LaneMemoryOp = keyof typeof laneMemoryOps;

const unsigned = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
};

const signed = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};

const text = (name: string): number[] => {
  const bytes = [...new TextEncoder().encode(name)];
  return [...unsigned(bytes.length), ...bytes];
};

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
  readonly #code: number[] = [];
  /** Constants are set once, before everything else, however deep in loops they are used. */
  readonly #prelude: number[] = [];
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
    for (const local of locals) this.#code.push(0x20, ...unsigned(local));
    return this;
  }

  set(local: Local): this {
    this.#code.push(0x21, ...unsigned(local));
    return this;
  }

  tee(local: Local): this {
    this.#code.push(0x22, ...unsigned(local));
    return this;
  }

  /** The value on the stack, kept in a new local. */
  keep(type: ValueType): Local {
    const local = this.local(type);
    this.set(local);
    return local;
  }

  op(...names: readonly Op[]): this {
    for (const name of names) {
      if (name in scalarOps) this.#code.push(scalarOps[name as keyof typeof scalarOps]);
      else this.#code.push(0xfd, ...unsigned(simdOps[name as keyof typeof simdOps]));
    }
    return this;
  }

  memory(name: MemoryOp, offset = 0): this {
    if (name in memoryOps) {
      const [code, align] = memoryOps[name as keyof typeof memoryOps];
      this.#code.push(code, align, ...unsigned(offset));
    } else {
      const [code, align] = simdMemoryOps[name as keyof typeof simdMemoryOps];
      this.#code.push(0xfd, ...unsigned(code), align, ...unsigned(offset));
    }
    return this;
  }

  /** One lane of the vector on the stack, read from or written to memory. */
  memoryLane(name: LaneMemoryOp, lane: number, offset = 0): this {
    const [code, align] = laneMemoryOps[name];
    this.#code.push(0xfd, ...unsigned(code), align, ...unsigned(offset), lane);
    return this;
  }

  /** (to, from, bytes) */
  memoryCopy(): this {
    this.#code.push(0xfc, 10, 0, 0);
    return this;
  }

  /** (to, byte, bytes) */
  memoryFill(): this {
    this.#code.push(0xfc, 11, 0);
    return this;
  }

  /** The sixteen bytes that these indices pick out of the two vectors on the stack. */
  shuffle(bytes: readonly number[]): this {
    this.#code.push(0xfd, 13, ...bytes);
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    this.#code.push(0xfd, ...unsigned(laneOps[name]), lane);
    return this;
  }

  i32(value: number): this {
    this.#code.push(0x41, ...signed(value | 0));
    return this;
  }

  f32(value: number): this {
    this.#code.push(0x43, ...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  f64(value: number): this {
    this.#code.push(0x44, ...new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  /** Sixteen bytes. */
  v128(bytes: Uint8Array): this {
    this.#code.push(0xfd, ...unsigned(12), ...bytes);
    return this;
  }

  /** The sixteen bytes in a local that is theirs in the whole function. */
  constant(bytes: Uint8Array): Local {
    const key = bytes.join();
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const local = this.local('v128');
    this.#prelude.push(0xfd, ...unsigned(12), ...bytes, 0x21, ...unsigned(local));
    this.#constants.set(key, local);
    return local;
  }

  call(callee: Callee): this {
    this.#calls.push({ at: this.#code.length + 1, callee });
    this.#code.push(0x10, 0, 0, 0, 0, 0);
    return this;
  }

  /** `body` runs while counter < limit (unsigned), the counter growing by `step` (or by a local) each time. */
  loop(counter: Local, limit: Local, step: number | { readonly local: Local }, body: () => void): this {
    this.#code.push(0x02, 0x40);
    this.get(counter, limit).op('i32.ge_u');
    this.#code.push(0x0d, 0, 0x03, 0x40);
    body();
    this.get(counter);
    if (typeof step === 'number') this.i32(step);
    else this.get(step.local);
    this.op('i32.add').tee(counter).get(limit).op('i32.lt_u');
    this.#code.push(0x0d, 0, 0x0b, 0x0b);
    return this;
  }

  /** `body` runs again and again while the i32 that `test` leaves on the stack is not 0. */
  while(test: () => void, body: () => void): this {
    this.#code.push(0x02, 0x40, 0x03, 0x40);
    test();
    this.op('i32.eqz');
    this.#code.push(0x0d, 1);
    body();
    this.#code.push(0x0c, 0, 0x0b, 0x0b);
    return this;
  }

  /** `body` runs if the i32 on the stack is not 0, `other` if it is. */
  if(body: () => void, other?: () => void): this {
    this.#code.push(0x04, 0x40);
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

  /** The body's bytes, as the code section wants them. */
  bytes(indexOf: (callee: Callee) => number): number[] {
    for (const { at, callee } of this.#calls) {
      // Five bytes hold every index, so that positions do not depend on it.
      const index = indexOf(callee);
      for (let i = 0; i < 5; i++) this.#code[at + i] = ((index >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
    }
    const groups: [number, ValueType][] = [];
    for (const type of this.#locals) {
      const last = groups[groups.length - 1];
      if (last !== undefined && last[1] === type) last[0]++;
      else groups.push([1, type]);
    }
    const locals = groups.flatMap(([count, type]) => [...unsigned(count), typeCodes[type]]);
    const size = unsigned(groups.length).length + locals.length + this.#prelude.length + this.#code.length + 1;
    const out = unsigned(size);
    out.push(...unsigned(groups.length), ...locals);
    for (const byte of this.#prelude) out.push(byte);
    for (const byte of this.#code) out.push(byte);
    out.push(0x0b);
    return out;
  }
}

/** A function that the module gets from outside, by its name. */
export interface Import extends Callee {
  readonly name: string;
}

/**
 * The bytes of a module that imports a memory (`env.memory`) and functions (`env.NAME`), and has the functions exported and
 * all that they call.
 */
export const link = (
  exports: readonly { readonly name: string; readonly writer: FunctionWriter }[],
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
  const types: number[][] = [];
  const typeOf = ({ parameters, results }: Callee): number => {
    const key = `${parameters.join()}>${results.join()}`;
    const known = signatures.indexOf(key);
    if (known >= 0) return known;
    const codes = (list: readonly ValueType[]): number[] => [
      ...unsigned(list.length),
      ...list.map(type => typeCodes[type]),
    ];
    types.push([0x60, ...codes(parameters), ...codes(results)]);
    return signatures.push(key) - 1;
  };
  const imported = imports.map(each => [...text('env'), ...text(each.name), 0x00, ...unsigned(typeOf(each))]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, ...unsigned(1)];
  const declared = functions.map(writer => unsigned(typeOf(writer)));
  const exported = exports.map(({ name, writer }) => [...text(name), 0x00, ...unsigned(indexOf(writer))]);
  const bodies = functions.map(writer => writer.bytes(indexOf));

  const bytes: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const section = (id: number, items: readonly (readonly number[])[]): void => {
    const count = unsigned(items.length);
    const size = items.reduce((sum, item) => sum + item.length, count.length);
    bytes.push(id, ...unsigned(size), ...count);
    for (const item of items) for (const byte of item) bytes.push(byte);
  };
  section(1, types);
  section(2, [memory, ...imported]);
  section(3, declared);
  section(7, exported);
  section(10, bodies);
  return { bytes: Uint8Array.from(bytes), imports };
};
