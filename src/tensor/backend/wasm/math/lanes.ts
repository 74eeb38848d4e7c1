/**
 * The operations that elementary functions are written in: what a SIMD unit does to a vector of lanes. A code
 * generator implements them by emitting instructions, a test by computing numbers, so a function is written once.
 *
 * `V` is a vector; its lanes are floats of `width` bits, or the integers of the same width with the same bits, or
 * masks (all ones or all zeros): which of them is up to the operation that uses it.
 */
export interface Lanes<V> {
  readonly width: 32 | 64;
  /** The float in every lane, rounded to the width. */
  float(value: number): V;
  /** The integer in every lane; for 64-bit lanes any bigint of 64 bits. */
  integer(value: bigint): V;

  add(x: V, y: V): V;
  sub(x: V, y: V): V;
  mul(x: V, y: V): V;
  div(x: V, y: V): V;
  /** x·y + z, rounded once where the machine can, else twice: right within the error bounds either way. */
  fma(x: V, y: V, z: V): V;
  neg(x: V): V;
  abs(x: V): V;
  sqrt(x: V): V;
  floor(x: V): V;
  /** To the nearest integer, halves to even, as a float. */
  nearest(x: V): V;
  /** y where it is smaller (greater), else x: so x where that is NaN. One instruction, unlike IEEE's minimum. */
  min(x: V, y: V): V;
  max(x: V, y: V): V;

  /** Comparisons give masks; those with NaN are false, but ne is true. */
  eq(x: V, y: V): V;
  ne(x: V, y: V): V;
  lt(x: V, y: V): V;
  le(x: V, y: V): V;
  /** The bits of x where the mask is ones, of y where it is zeros. */
  select(mask: V, x: V, y: V): V;

  and(x: V, y: V): V;
  or(x: V, y: V): V;
  xor(x: V, y: V): V;
  not(x: V): V;
  /** Integer addition and subtraction, modulo 2^width. */
  iadd(x: V, y: V): V;
  isub(x: V, y: V): V;
  shiftLeft(x: V, by: number): V;
  shiftRightLogical(x: V, by: number): V;
  shiftRight(x: V, by: number): V;
  /** Integer comparison, signed (WebAssembly has no unsigned one for 64 bits). */
  ilt(x: V, y: V): V;
  /**
   * The integer in a lane of a float that holds a small integer (|x| < 2^31 resp. 2^51), and back. The 64-bit lanes
   * have no conversion instruction in WebAssembly SIMD; adding 1.5·2^52 does it.
   */
  toInteger(x: V): V;
  toFloat(x: V): V;
}
